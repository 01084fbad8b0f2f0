""".reg files as regedit writes them, and as nobody should."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from douse.errors import EvidenceError
from douse.harden.evidence import walk
from douse.harden.evidence.regfile import parse, place_of
from douse.harden.registry import RegistryValue

HEAD = "Windows Registry Editor Version 5.00\r\n\r\n"
EXPORT = HEAD + "\r\n".join((
    r"[HKEY_LOCAL_MACHINE\SOFTWARE\Policies\X]", '"number"=dword:0000000a', r'"text"="C:\\x \"y\""',
    '"lines"="one', 'two"', '@="default"', '"several"=hex(7):61,00,00,00,\\', "  62,00,00,00,00,00", '"none"=hex:',
    '"wide"=hex(b):01,00,00,00,00,\\', "  00,00,00", "; a remark", r'"ex\\pand"=hex(2):25,00,78,00,00,00',
    "", r"[HKEY_LOCAL_MACHINE\SYSTEM\ControlSet001\Control\Lsa]", '"RunAsPPL"=dword:00000001',
    r"[HKEY_USERS\S-1-5-21-1-2-3-1001\Software\P]", '"q"="v"', r"[HKEY_USERS\.DEFAULT\X]",
    '"not"="ours"', ""))


def test_every_form_of_a_value_is_read() -> None:
    entries, bad = parse(EXPORT, "x.reg")
    assert bad == []
    assert {(entry.hive, entry.key, entry.profile, entry.name): entry.value for entry in entries} == {
        ("HKLM", r"SOFTWARE\Policies\X", "", "number"): RegistryValue("REG_DWORD", 10),
        ("HKLM", r"SOFTWARE\Policies\X", "", "text"): RegistryValue("REG_SZ", 'C:\\x "y"'),
        ("HKLM", r"SOFTWARE\Policies\X", "", "lines"): RegistryValue("REG_SZ", "one\r\ntwo"),
        ("HKLM", r"SOFTWARE\Policies\X", "", ""): RegistryValue("REG_SZ", "default"),
        ("HKLM", r"SOFTWARE\Policies\X", "", "several"): RegistryValue("REG_MULTI_SZ", ("a", "b")),
        ("HKLM", r"SOFTWARE\Policies\X", "", "none"): RegistryValue("REG_BINARY", b""),
        ("HKLM", r"SOFTWARE\Policies\X", "", "wide"): RegistryValue("REG_QWORD", 1),
        ("HKLM", r"SOFTWARE\Policies\X", "", r"ex\pand"): RegistryValue("REG_EXPAND_SZ", "%x"),
        ("HKLM", r"SYSTEM\CurrentControlSet\Control\Lsa", "", "RunAsPPL"): RegistryValue("REG_DWORD", 1),
        ("HKCU", r"Software\P", "S-1-5-21-1-2-3-1001", "q"): RegistryValue("REG_SZ", "v")}
    assert [entry.line for entry in entries][:4] == [4, 5, 6, 8]


def test_regedit4_has_bytes_of_the_code_page() -> None:
    text = "REGEDIT4\r\n[HKEY_CLASSES_ROOT\\htafile]\r\n@=hex(2):25,e4,00\r\n"
    (entry,), bad = parse(text, "x.reg")
    assert (entry.key, entry.value, bad) == (r"SOFTWARE\Classes\htafile", RegistryValue("REG_EXPAND_SZ", "%ä"), [])


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig"])
def test_an_export_is_of_the_host_its_folder_is_named_for(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "PC-3").mkdir()
    (tmp_path / "PC-3" / "policies.reg").write_bytes(EXPORT.encode(encoding))
    evidence = walk.gather([tmp_path])
    assert [(one.kind, one.name) for one in evidence.subjects] == [("host", "PC-3")]
    (seen,) = evidence.host("PC-3").registry.look("HKLM", r"software\policies\x", "NUMBER")
    assert (seen.raw, seen.where) == ("10", r"line 4: HKLM\SOFTWARE\Policies\X!number")
    assert evidence.host("PC-3").registry.look("HKLM", r"SOFTWARE\Policies\X", "other") == []
    assert (evidence.problems, len(evidence.notes)) == ([], 1)


def test_a_file_that_deletes_is_a_policy(tmp_path: Path) -> None:
    (tmp_path / "undo.reg").write_text(
        HEAD + '[HKEY_LOCAL_MACHINE\\SOFTWARE\\X]\r\n"a"=-\r\n[-HKEY_LOCAL_MACHINE\\SOFTWARE\\Y]\r\nrubbish\r\n')
    evidence = walk.gather([tmp_path])
    (policy,) = evidence.subjects
    assert (policy.kind, policy.name) == ("policy", "undo.reg")
    assert [one.value for one in policy.registry.look("HKLM", r"SOFTWARE\X", "a")] == [None]
    assert [one.value for one in policy.registry.look("HKLM", r"SOFTWARE\Y\Deep", "b")] == [None]
    assert policy.registry.look("HKLM", r"SOFTWARE\X", "b") == []
    assert evidence.problems[0].where.endswith("undo.reg:6")


@pytest.mark.parametrize("files", [("reg/apply.reg",), ("PC-3/apply.reg", "PC-3/undo.reg")])
def test_what_was_made_to_be_applied_is_in_force_nowhere(tmp_path: Path, files: tuple[str, ...]) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(EXPORT, encoding="utf-16")
    evidence = walk.gather([tmp_path])
    assert {one.kind for one in evidence.subjects} == {"policy"}


@pytest.mark.parametrize(("end", "lost"), [
    ('"a"=dword:000000', 1), ('"a"=hex:01,02,', 1), ('"a"=hex:01,\\\n  ', 1), ('"a"="text', 1),
    ('"a"=dword:1\n', 0), ('"a"=dword:00000001', 0), ('"a"=hex:01,02', 0)])
def test_a_value_that_the_end_of_the_file_cuts_is_lost(end: str, lost: int) -> None:
    found, bad = parse("REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n" + end, "x")
    assert (len(found), bool(bad)) == (1 - lost, bool(lost))


def test_a_first_line_is_needed() -> None:
    with pytest.raises(EvidenceError, match=r"is no \.reg file"):
        parse("[HKEY_LOCAL_MACHINE\\X]\n", "x.reg")


@pytest.mark.parametrize(("path", "expected"), [
    (r"HKLM\SOFTWARE\X", ("HKLM", r"SOFTWARE\X", "")), (r"hkey_current_user\Software", ("HKCU", "Software", "")),
    (r"HKEY_USERS\S-1-5-21-1-1001_Classes\htafile", ("HKCU", r"Software\Classes\htafile", "S-1-5-21-1-1001")),
    (r"HKEY_LOCAL_MACHINE\SYSTEM\ControlSet0015\X", ("HKLM", r"SYSTEM\ControlSet0015\X", "")),
    (r"HKEY_USERS\S-1-5-18\X", None), ("HKEY_PERFORMANCE_DATA", None), ("", None)])
def test_places(path: str, expected: tuple[str, str, str] | None) -> None:
    assert place_of(path) == expected


@pytest.mark.parametrize("text", [
    '"' * 1_000_000, '"a"="' + "\\\\" * 500_000, '"a"=hex:' + "00,\\\n" * 200_000 + "x", " " * 500_000 + "x",
    '"a"=hex:' + "00 " * 300_000 + "x", '"a"=hex:' + "00" * 300_000 + " " * 30_000 + "x", '"\n' * 100_000,
    '"a' * 100_000, "[" * 500_000, '"a"="b\\' * 50_000, ";" * 500_000])
def test_no_text_takes_long(text: str) -> None:
    started = time.process_time()
    parse(HEAD + text, "x.reg")
    assert time.process_time() - started < 3
