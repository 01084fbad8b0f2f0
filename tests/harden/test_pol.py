"""registry.pol against itself, against Samba's parser, and against damage."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import missing
from douse.errors import EvidenceError
from douse.harden import pol
from douse.harden.pol import Effect, PolEntry
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import decode, encode

SYSTEM_PYTHON = Path("/usr/bin/python3")
"""Debian's own, which has python3-samba; the parser is an oracle in tests and nothing else."""

NASTY = (
    PolEntry.of(r"Software\Policies\A", "ten", RegistryValue("REG_DWORD", 10)),
    PolEntry.of(r"Software\Policies\[B];C", "a];[b", RegistryValue("REG_SZ", "v2.26|Name=];[\r\n|")),
    PolEntry.of("K", "", RegistryValue("REG_SZ", "")),
    PolEntry.of("K", "empty", RegistryValue("REG_BINARY", b"")),
    PolEntry.of("K", "big", RegistryValue("REG_SZ", "x];" * 21_845)),
    PolEntry.of("K", "several", RegistryValue("REG_MULTI_SZ", ("a", "b;c", "]"))),
    PolEntry.of("K", "wide", RegistryValue("REG_QWORD", 1 << 40)),
    PolEntry.of("K", "Größe \U0001f600", RegistryValue("REG_EXPAND_SZ", "%SystemRoot%\\ß")),
    PolEntry.of("K", "bytes", RegistryValue("REG_BINARY", b"]\0[\0;\0\x0a\0")),
)

_TEXT = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=12)
_NASTY_TEXT = st.one_of(_TEXT, st.text("[];\r\n\\*.", max_size=8))
_VALUES = st.one_of(
    st.builds(RegistryValue, st.just("REG_DWORD"), st.one_of(st.just(10), st.integers(0, 0xFFFFFFFF))),
    st.builds(RegistryValue, st.just("REG_QWORD"), st.integers(0, (1 << 64) - 1)),
    st.builds(RegistryValue, st.sampled_from(["REG_SZ", "REG_EXPAND_SZ"]), _NASTY_TEXT),
    st.builds(RegistryValue, st.just("REG_MULTI_SZ"), st.lists(_NASTY_TEXT.filter(bool), max_size=4).map(tuple)),
    st.builds(RegistryValue, st.sampled_from(["REG_BINARY", "REG_NONE"]), st.binary(max_size=40)))
_ENTRIES = st.lists(st.builds(PolEntry.of, _NASTY_TEXT, _NASTY_TEXT, _VALUES), max_size=6)


def samba(code: str, *arguments: str) -> str:
    """Run a program with Samba's parser."""
    if not SYSTEM_PYTHON.is_file() or subprocess.run([SYSTEM_PYTHON, "-c", "import samba.dcerpc.preg"],
                                                      capture_output=True).returncode:
        missing("python3-samba is not installed")
    done = subprocess.run([SYSTEM_PYTHON, "-c", code, *arguments], capture_output=True, text=True, check=True)
    return done.stdout


@given(_ENTRIES)
def test_what_is_written_is_read(entries: list[PolEntry]) -> None:
    data = pol.write(entries)
    assert pol.read(data, "x") == pol.PolFile(tuple(entries))
    assert pol.write(pol.read(data, "x").entries) == data


@given(_VALUES)
def test_a_value_survives_its_bytes(value: RegistryValue) -> None:
    number = {"REG_NONE": 0, "REG_SZ": 1, "REG_EXPAND_SZ": 2, "REG_BINARY": 3, "REG_DWORD": 4, "REG_MULTI_SZ": 7,
              "REG_QWORD": 11}[value.type]
    assert decode(number, encode(value)) == value


def test_samba_reads_what_is_written(tmp_path: Path) -> None:
    (tmp_path / "registry.pol").write_bytes(pol.write(NASTY))
    told = json.loads(samba(
        "import json, sys\nfrom samba.dcerpc import preg\nfrom samba.ndr import ndr_unpack\n"
        "file = ndr_unpack(preg.file, open(sys.argv[1], 'rb').read())\n"
        "print(json.dumps([[e.keyname, e.valuename, e.type, e.data if isinstance(e.data, (int, str)) else "
        "bytes(e.data).hex()] for e in file.entries]))", str(tmp_path / "registry.pol")))
    assert [entry[:3] for entry in told] == [[entry.key, entry.name, entry.type] for entry in NASTY]
    data = {name: value for _, name, _, value in told}
    assert data["ten"] == 10
    assert data["wide"] == 1 << 40
    assert data["a];[b"] == "v2.26|Name=];[\r\n|"
    assert data["big"] == "x];" * 21_845
    assert data["bytes"] == b"]\0[\0;\0\x0a\0".hex()


def test_what_samba_writes_is_read(tmp_path: Path) -> None:
    samba("import sys\nfrom samba.dcerpc import preg\nfrom samba.ndr import ndr_pack\n"
          "made = preg.file()\nmade.header.signature, made.header.version = 'PReg', 1\nentries = []\n"
          "for key, name, type_, data in [('Software\\\\A;B', 'x]', 4, 10), ('K', '', 1, 'a;]\\n'),"
          " ('K', 'q', 11, 1 << 33)]:\n"
          "    e = preg.entry()\n    e.keyname, e.valuename, e.type, e.data = key, name, type_, data\n"
          "    entries.append(e)\nmade.num_entries, made.entries = len(entries), entries\n"
          "open(sys.argv[1], 'wb').write(ndr_pack(made))", str(tmp_path / "made.pol"))
    found = pol.read((tmp_path / "made.pol").read_bytes(), "x")
    assert found.damaged_at is None
    assert [(entry.key, entry.name, entry.value.data) for entry in found.entries] == [
        ("Software\\A;B", "x]", 10), ("K", "", "a;]\n"), ("K", "q", 1 << 33)]


def test_a_cut_file_keeps_what_came_before() -> None:
    data = pol.write(NASTY)
    ends = [len(pol.write(NASTY[:count])) for count in range(len(NASTY) + 1)]
    for size in (*range(len(pol.MAGIC), 400), *range(len(data) - 200, len(data)), len(data)):
        found = pol.read(data[:size], "x")
        whole = sum(end <= size for end in ends) - 1
        assert found.entries == NASTY[:whole]
        assert found.damaged_at == (None if size in ends else ends[whole])


@pytest.mark.parametrize(("data", "what"), [
    (b"", "does not begin with PReg"), (b"regf" + bytes(40), "does not begin with PReg"),
    (b"PReg\x02\0\0\0", "version 02000000"), (b"PReg\x01", "version 01")])
def test_what_is_no_registry_pol_is_refused(data: bytes, what: str) -> None:
    with pytest.raises(EvidenceError, match=what) as error:
        pol.read(data, "somewhere/registry.pol")
    assert error.value.where == "somewhere/registry.pol"


def test_a_size_beyond_the_end_is_damage_and_no_allocation() -> None:
    data = bytearray(pol.write([PolEntry("K", "n", 1, b"ab")]))
    at = data.rindex(b"\x02\0\0\0")
    data[at:at + 4] = b"\xff\xff\xff\xff"
    found = pol.read(bytes(data), "x")
    assert found == pol.PolFile((), 8, "an entry's data of 4294967295 bytes ends behind the file's end")


@pytest.mark.parametrize(("name", "data", "expected"), [
    ("**del.Old", "", [Effect("delete", "K", "Old")]),
    ("**DEL.Old", " ", [Effect("delete", "K", "Old")]),
    ("**delvals.", " ", [Effect("clear", "K")]),
    ("**DeleteValues", "a;b", [Effect("delete", "K", "a"), Effect("delete", "K", "b")]),
    ("**DeleteKeys", "x;y", [Effect("prune", r"K\x"), Effect("prune", r"K\y")]),
    ("**soft.New", "v", [Effect("soft", "K", "New", RegistryValue("REG_SZ", "v"))]),
    ("**SecureKey", "1", [Effect("nothing", "K", "**SecureKey")]),
    ("**Comment:x", "y", [Effect("nothing", "K", "**Comment:x")]),
    ("New", "v", [Effect("set", "K", "New", RegistryValue("REG_SZ", "v"))])])
def test_instructions_are_understood(name: str, data: str, expected: list[Effect]) -> None:
    assert list(pol.effects(PolEntry.of("K", name, RegistryValue("REG_SZ", data)))) == expected


def test_a_nul_cannot_be_written() -> None:
    with pytest.raises(ValueError, match="NUL"):
        pol.write([PolEntry("K\0", "n", 1, b"")])
    with pytest.raises(ValueError, match="NUL"):
        PolEntry.of("K", "n", RegistryValue("REG_SZ", "a\0b"))
