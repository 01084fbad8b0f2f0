"""Hives made from nothing (hivexsh agrees on what is in them): what is read, what is claimed, what damage costs."""

from __future__ import annotations

import struct
import subprocess
from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from regipy.recovery import apply_transaction_logs
from regipy.registry import RegistryHive

from douse.errors import EvidenceError
from douse.harden.evidence import hive_keys, walk
from douse.harden.evidence.hive_file import Hive
from douse.harden.evidence.hive_logs import recover
from douse.harden.gathered import Evidence
from douse.harden.observed import Machine, Service
from douse.harden.registry_data import decode
from harden.hives import EXPAND_SZ, QWORD, Key, changed, hive, log, log_block

CHROME = r"SOFTWARE\Policies\Google\Chrome"


def software() -> Key:
    root = Key().set(r"Policies\Google\Chrome", "PasswordManagerEnabled", 0)
    root.make("Classes\\htafile\\shell\\open\\command").values[""] = (
        EXPAND_SZ, "%SystemRoot%\\System32\\notepad.exe \"%1\"\0".encode("utf-16-le"))
    root.set(r"Microsoft\Windows NT\CurrentVersion", "CurrentBuildNumber", "26100")
    root.set(r"Microsoft\Windows NT\CurrentVersion", "ProductName", "Windows 10 Enterprise")
    root.set(r"Microsoft\Windows\CurrentVersion\App Paths\chrome.exe", "", r"C:\Program Files\Google\chrome.exe")
    return root


def system(name: str = "PC-7", current: int = 2) -> Key:
    root = Key().set("Select", "Current", current)
    control = f"ControlSet{current:03}"
    root.set(rf"{control}\Control\ComputerName\ComputerName", "ComputerName", name)
    root.set(rf"{control}\Control\ProductOptions", "ProductType", "WinNT")
    root.set(rf"{control}\Services\AppIDSvc", "Start", 3)
    root.set(rf"{control}\Services\Tcpip\Parameters", "NV Domain", "corp.example")
    rules = rf"{control}\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules"
    root.set(rules, "{a}", r"v2.26|Action=Block|Active=TRUE|Dir=Out|App=%SystemRoot%\System32\mshta.exe|")
    root.set("ControlSet001\\Services\\AppIDSvc", "Start", 2)
    return root


def tree(folder: Path, **files: bytes) -> Path:
    """The hives of a disk as a collector copies them."""
    config = folder / "C" / "Windows" / "System32" / "config"
    config.mkdir(parents=True)
    for name, data in files.items():
        (config / name.replace("_", ".")).write_bytes(data)
    return folder


def test_hivexsh_reads_what_the_tests_write(tmp_path: Path, tool: Callable[[str], Path]) -> None:
    root = software()
    for number in range(1_200):  # more than one list of subkeys holds
        root.set(rf"Classes\prog{number}", "x", number)
    root.set("Big", "data", bytes(range(256)) * 200)
    (tmp_path / "SOFTWARE").write_bytes(hive(root))
    script = ("cd \\Policies\\Google\\Chrome\nlsval\ncd \\Classes\\prog1199\nlsval x\n"
              "cd \\Classes\\htafile\\shell\\open\\command\nlsval @\ncd \\Big\nlsval data\n")
    done = subprocess.run([tool("hivexsh"), tmp_path / "SOFTWARE"], input=script.encode(), capture_output=True,
                          check=True)
    assert b'"PasswordManagerEnabled"=dword:00000000\n1199\n%SystemRoot%\\System32\\notepad.exe "%1"\n' in done.stdout
    assert bytes(range(256)) * 200 in done.stdout


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # regipy leaves the hive's file open
def test_regipy_agrees_on_keys_values_and_logs(tmp_path: Path) -> None:
    old = hive(software(), sequences=(6, 5))
    new = hive(software().set(r"Policies\Google\Chrome", "PasswordManagerEnabled", 1), sequences=(6, 5))
    (tmp_path / "SOFTWARE").write_bytes(old)
    (tmp_path / "SOFTWARE.LOG1").write_bytes(log(old, changed(old, new), 5))
    restored, pages = apply_transaction_logs(str(tmp_path / "SOFTWARE"), str(tmp_path / "SOFTWARE.LOG1"))
    assert pages == len(changed(old, new))
    ours = recover(old, 5, [(tmp_path / "SOFTWARE.LOG1").read_bytes()]).data
    assert Path(restored).read_bytes() == ours
    opened, theirs = Hive(ours, "x"), RegistryHive(restored)
    told = {key.path.strip("\\"): {value.name: value.value for value in key.values}
            for key in theirs.recurse_subkeys(fetch_values=True)}
    ours_told = {key.path: {value.name or "(default)": decode(value.type, value.data).data
                            for value in opened.values(key)} for key in opened.below(opened.root)}
    assert ours_told == told


def test_every_kind_of_value_comes_back() -> None:
    root = Key().set("K", "number", 10).set("K", "wide", 1 << 40, QWORD).set("K", "text", "ä€\n];")
    root.set("K", "several", ("a", "b")).set("K", "", "default").set("K", "short", b"ab").set("K", "none", b"")
    root.set("K", "big", b"x" * 100_000).set("K", "\u20ac", "name in UTF-16")
    for number in range(700):
        root.set(rf"Many\key{number}", "n", number)
    opened = Hive(hive(root, r"\??\C:\Users\anna\ntuser.dat"), "x")
    key = opened.key("k")
    assert key is not None
    assert {value.name: value.data for value in opened.values(key)} == {
        name: data for name, (_, data) in root.make("K").values.items()}
    assert sorted(opened.children(opened.key("MANY") or key)) == sorted(f"key{number}" for number in range(700))
    assert opened.value(r"many\KEY699", "N") is not None
    assert opened.file_name.endswith("ntuser.dat")
    assert (opened.dirty, opened.damage) == (False, [])


def test_hives_of_a_disk_become_a_host(tmp_path: Path) -> None:
    disk = tree(tmp_path / "collected", SOFTWARE=hive(software()), SYSTEM=hive(system()))
    for user, value in (("anna", 1), ("bert", 0)):
        (disk / "C/Users" / user).mkdir(parents=True)
        (disk / "C/Users" / user / "NTUSER.DAT").write_bytes(
            hive(Key().set(r"Software\Policies\Google\Chrome", "PasswordManagerEnabled", value)))
    evidence = walk.gather([disk])
    assert (evidence.problems, evidence.notes) == ([], [])
    assert [(one.kind, one.name) for one in evidence.subjects] == [("host", "PC-7")]
    host = evidence.host("pc-7")
    (seen,) = host.registry.look("HKLM", CHROME, "passwordmanagerenabled")
    assert seen.value is not None
    assert (seen.value.type, seen.value.data) == ("REG_DWORD", 0)
    assert seen.source.kind == "hive"
    assert seen.source.file.endswith("config/SOFTWARE")
    (open_with,) = host.registry.look("HKLM", r"SOFTWARE\Classes\htafile\shell\open\command", "")
    assert open_with.raw == "%SystemRoot%\\System32\\notepad.exe \"%1\""
    assert host.registry.profiles == ("anna", "bert")
    assert host.registry.look("HKCU", CHROME, "PasswordManagerEnabled", "anna")[0].raw == "1"
    assert {fact for seen in host.machine for fact in [seen.value]} == {
        Machine(26100, "Windows 10 Enterprise"), Machine(0, "", "workstation", "corp.example")}
    assert [one.value for one in host.services["AppIDSvc"]] == [Service("manual")]  # of the control set in use
    assert [one.value for one in host.services["WinDefend"]] == [None]
    assert [(one.value.store, one.value.rule.program) for one in host.firewall] == [
        ("local", r"%SystemRoot%\System32\mshta.exe")]
    assert {one.value for one in host.firewall_whole} == {"gpo", "local", "mdm"}
    assert host.products["chrome"][0].value is True
    assert [source.kind for source in evidence.files] == ["hive"] * 4


def test_absent_is_said_only_of_what_was_read(tmp_path: Path) -> None:
    host = walk.gather([tree(tmp_path, SOFTWARE=hive(software()), SYSTEM=hive(system()))]).host("PC-7")
    (absent,) = host.registry.look("HKLM", CHROME, "ImportSavedPasswords")
    assert (absent.value, absent.raw) == (None, "absent")
    assert host.registry.look("HKLM", r"SOFTWARE\Vendor\Unread", "x") == []
    assert host.registry.look("HKCU", CHROME, "PasswordManagerEnabled", "anna") == []
    for path in hive_keys.keys_of("SOFTWARE").single:
        assert host.registry.look("HKLM", path, "no such value")[0].value is None
        assert host.registry.look("HKLM", path + r"\deeper", "no such value") == []


def test_a_dirty_hive_is_read_with_its_logs(tmp_path: Path) -> None:
    old = hive(software(), sequences=(6, 5))
    new = hive(software().set(r"Policies\Google\Chrome", "PasswordManagerEnabled", 1), sequences=(6, 5))
    pages = changed(old, new)
    stale = log_block(dict.fromkeys(pages, b"\xff" * 512), 3, len(old) - 4096)
    disk = tree(tmp_path, SOFTWARE=old, SYSTEM=hive(system()), SOFTWARE_LOG1=log(old, pages, 5) + stale,
                SOFTWARE_LOG2=b"")
    evidence = walk.gather([disk])
    assert evidence.problems == []
    assert ["1 blocks of its transaction logs" in note.what for note in evidence.notes] == [True]
    host = evidence.host("PC-7")
    assert host.registry.look("HKLM", CHROME, "PasswordManagerEnabled")[0].raw == "1"
    assert host.registry.look("HKLM", CHROME, "Other")[0].value is None


@pytest.mark.parametrize("logs", [{}, {"SOFTWARE_LOG1": b"regf" + bytes(2000)}])
def test_a_dirty_hive_without_its_logs_claims_no_absence(tmp_path: Path, logs: dict[str, bytes]) -> None:
    disk = tree(tmp_path, SOFTWARE=hive(software(), sequences=(6, 5)), SYSTEM=hive(system()), **logs)
    evidence = walk.gather([disk])
    (problem,) = evidence.problems
    assert "may be stale" in problem.what
    host = evidence.host("PC-7")
    assert host.registry.look("HKLM", CHROME, "PasswordManagerEnabled")[0].raw == "0"
    assert host.registry.look("HKLM", CHROME, "Other") == []


def test_logs_follow_their_numbers_and_may_make_a_hive_grow() -> None:
    old = hive(software(), sequences=(9, 7))
    bigger = hive(software().set("Policies\\New", "x", b"y" * 9000), sequences=(9, 7))
    first, second = changed(old, bigger), {0: bigger[4096:4608]}
    grown = len(bigger) - 4096
    one = bigger[:512] + log_block(second, 8, grown) + log_block({0: b"\0" * 512}, 6, grown)
    two = bigger[:512] + log_block(first, 7, grown)
    recovered = recover(old, 7, [one, two])
    assert recovered.blocks == 2
    assert recovered.data[4096:] == bigger[4096:]
    assert not Hive(recovered.data, "x").dirty
    assert recover(old, 7, [one]).blocks == 0  # a gap: nothing that comes after it may be applied
    assert recover(old, 7, [old[:512] + log_block({len(old): b"z" * 512}, 7, len(old) - 4096)]).blocks == 0


@pytest.mark.parametrize("left", ["a later block", "a cut block"])
def test_logs_with_a_gap_claim_no_absence(tmp_path: Path, left: str) -> None:
    old = hive(software(), sequences=(9, 5))
    new = hive(software().set(r"Policies\Google\Chrome", "PasswordManagerEnabled", 1), sequences=(9, 5))
    pages = changed(old, new)
    more = log_block(pages, 7 if left == "a later block" else 6, len(old) - 4096)
    disk = tree(tmp_path, SOFTWARE=old, SYSTEM=hive(system()),
                SOFTWARE_LOG1=log(old, pages, 5) + (more if left == "a later block" else more[:400]))
    evidence = walk.gather([disk])
    assert ["newer changes are missing" in problem.what for problem in evidence.problems] == [True]
    registry = evidence.host("PC-7").registry
    assert registry.look("HKLM", CHROME, "PasswordManagerEnabled")[0].raw == "1"
    assert registry.look("HKLM", CHROME, "Other") == []


@pytest.mark.parametrize(("damage", "what"), [
    ("list", "the subkeys of Policies cannot all be read"), ("node", "the subkeys of Policies cannot all be read"),
    ("count", "the subkeys of Policies cannot all be read"), ("link", "Policies\\Google\\Chrome is a link")])
def test_subkeys_that_are_passed_over_are_damage(tmp_path: Path, damage: str, what: str) -> None:
    data = bytearray(hive(software()))
    opened = Hive(bytes(data), "x")
    policies, chrome = (opened.key(path) for path in ("Policies", r"Policies\Google\Chrome"))
    assert policies is not None
    assert chrome is not None
    node, leaf = (data.index(b"nk", data.index(name) - 80) for name in (b"Policies", b"Chrome"))
    listed = 4096 + int(policies.node.header.subkeys_list_offset) + 4
    google = 4096 + struct.unpack_from("<I", data, listed + 4)[0] + 4
    at, new = {"list": (listed, b"\0\0"), "node": (google, b"\0\0"), "count": (node + 20, b"\x02"),
               "link": (leaf + 2, bytes([data[leaf + 2] | 0x10]))}[damage]
    data[at:at + len(new)] = new
    evidence = walk.gather([tree(tmp_path, SOFTWARE=bytes(data), SYSTEM=hive(system()))])
    assert [problem.what.startswith(what) for problem in evidence.problems] == [True]
    assert evidence.host("PC-7").registry.look("HKLM", CHROME, "Other") == []


def test_without_the_control_set_that_is_in_use_nothing_is_absent(tmp_path: Path) -> None:
    root = system()
    root.make("Select").values["Current"] = (4, struct.pack("<I", 7))
    evidence = walk.gather([tree(tmp_path / "PC-7", SYSTEM=hive(root))])
    assert ["names no control set" in problem.what for problem in evidence.problems] == [True]
    assert "WinDefend" not in evidence.subjects[0].services


def test_a_page_behind_its_block_is_not_applied() -> None:
    old = hive(software(), sequences=(6, 5))
    block = bytearray(log_block({0: bytes(512)}, 5, len(old) - 4096))
    struct.pack_into("<I", block, 44, 4096)
    assert recover(old, 5, [old[:512] + bytes(block) + bytes(8192)]).blocks == 0


def test_the_host_is_named_by_its_folder_where_nothing_else_names_it(tmp_path: Path) -> None:
    evidence = walk.gather([tree(tmp_path / "PC-9", SOFTWARE=hive(software()))])
    assert [one.name for one in evidence.of("host")] == ["PC-9"]
    assert "after its folder" in evidence.notes[0].what


def test_what_no_control_needs_is_noted(tmp_path: Path) -> None:
    (tmp_path / "SAM").write_bytes(hive(Key().set(r"SAM\Domains", "x", 1)))
    evidence = walk.gather([tmp_path / "SAM"])
    assert (evidence.subjects, evidence.problems) == ((), [])
    assert "no control looks at" in evidence.notes[0].what


@pytest.mark.parametrize("data", [b"regf", b"regf" + bytes(200), b"regf" + bytes(9000)])
def test_what_is_no_hive_is_refused(data: bytes) -> None:
    with pytest.raises(EvidenceError, match="damaged registry hive") as error:
        Hive(data, "x/SOFTWARE")
    assert error.value.where == "x/SOFTWARE"


def test_a_cut_hive_claims_nothing_absent(tmp_path: Path) -> None:
    root = software()
    for number in range(3_000):
        root.set(rf"Policies\Filler\{number}", "x", "y" * 50)
    data = hive(root)
    evidence = walk.gather([tree(tmp_path, SOFTWARE=data[:len(data) * 3 // 4], SYSTEM=hive(system()))])
    assert any("ends early" in problem.what for problem in evidence.problems)
    host = evidence.host("PC-7")
    assert host.registry.look("HKLM", CHROME, "Other") == []


def test_a_key_inside_itself_is_not_entered_again() -> None:
    data = bytearray(hive(Key().set("Policies\\A", "x", 1)))
    opened = Hive(bytes(data), "x")
    root_list = struct.unpack_from("<I", data, 4096 + opened.root.at + 4 + 28)[0]
    for at in range(4096, len(data) - 80, 8):  # every key lists the root's subkeys, so that each lies in itself
        if data[at + 4:at + 6] == b"nk":
            struct.pack_into("<I", data, at + 4 + 20, 1)
            struct.pack_into("<I", data, at + 4 + 28, root_list)
    opened = Hive(bytes(data), "x")
    keys = list(opened.below(opened.root))
    assert len(keys) <= 3
    assert "without end" in opened.damage[0]


def test_no_bytes_break_it(tmp_path: Path) -> None:
    random = Random(7)
    sound = hive(software(), sequences=(1, 1))
    (tmp_path / "PC-1").mkdir()
    for _ in range(150):
        data = bytearray(sound)
        for _ in range(random.choice((1, 4, 40))):
            data[random.randrange(len(data))] = random.choice((0, 0xFF, 0x80, random.randrange(256)))
        (tmp_path / "PC-1" / "SOFTWARE").write_bytes(data)
        assert isinstance(walk.gather([tmp_path]), Evidence)
