"""Whose evidence is: never the wrong host in silence."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from douse.harden.evidence import names, walk
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.hive_file import Hive
from douse.harden.gathered import Evidence
from harden.hives import Key, hive

CONFIG = "Windows/System32/config"
SOFTWARE = hive(Key().set("Microsoft\\X", "a", 1).set("Classes", "b", 1))


def system(name: str) -> bytes:
    root = Key().set("Select", "Current", 1)
    return hive(root.set(r"ControlSet001\Control\ComputerName\ComputerName", "ComputerName", name))


def put(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


@pytest.mark.parametrize("files", [
    {"C/Windows/System32/config/SOFTWARE": SOFTWARE, "C/Windows/System32/config/SYSTEM": system("PC-1")},
    {"c/windows/system32/CONFIG/software": SOFTWARE, "c/windows/system32/CONFIG/system": system("PC-1")},
    {"SOFTWARE": SOFTWARE, "SYSTEM": system("PC-1")},
    {"uploads/auto/C%3A/Windows/System32/config/SOFTWARE": SOFTWARE,
     "uploads/auto/C%3A/Windows/System32/config/SYSTEM": system("PC-1")},
    {"C/Users/anna/NTUSER.DAT": hive(Key().set("Software\\X", "a", 1)),
     "C/Windows/System32/config/SYSTEM": system("PC-1")},
    {"C/Users/anna/AppData/Local/Microsoft/Windows/UsrClass.dat": hive(Key().set("Local Settings", "a", 1)),
     "C/Windows/System32/config/SYSTEM": system("PC-1")}])
def test_the_system_hive_names_its_tree(tmp_path: Path, files: dict[str, bytes]) -> None:
    evidence = walk.gather([put(tmp_path / "one", files), put(tmp_path / "two", {"SYSTEM": system("PC-2")})])
    assert [one.name for one in evidence.subjects] == ["PC-1", "PC-2"]
    assert evidence.notes == []
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert [one.name for one in walk.gather([tmp_path / "all.zip"]).subjects] == ["PC-1"]


@pytest.mark.parametrize("place", ["PC-9/C/Windows/System32/config/SOFTWARE", "PC-9/SOFTWARE", "PC-9/hives/SOFTWARE",
                                   "PC-9/uploads/auto/C%3A/Windows/System32/config/SOFTWARE"])
def test_else_the_folder_does_and_it_is_noted(tmp_path: Path, place: str) -> None:
    evidence = walk.gather([put(tmp_path, {place: SOFTWARE})])
    assert [one.name for one in evidence.subjects] == ["PC-9"]
    assert [note.what for note in evidence.notes] == ["says of no host; it is shown as 'PC-9', after its folder."]


def test_hives_of_several_hosts_in_one_folder(tmp_path: Path) -> None:
    evidence = walk.gather([put(tmp_path / "hives", {
        "a_SOFTWARE.hiv": SOFTWARE, "a_SYSTEM.hiv": system("PC-1"), "PC-2_SOFTWARE": SOFTWARE,
        "c-SYSTEM": system("PC-3")})])
    assert [one.name for one in evidence.subjects] == ["PC-1", "PC-2", "PC-3"]
    assert [note.what for note in evidence.notes] == ["says of no host; it is shown as 'PC-2', after its name."]


def test_two_disks_in_one_folder_are_not_one_host(tmp_path: Path) -> None:
    evidence = walk.gather([put(tmp_path / "IR-42", {f"{disk}/{CONFIG}/SOFTWARE": SOFTWARE for disk in "CD"})])
    assert [one.name for one in evidence.subjects] == ["IR-42", "IR-42 (D)"]
    one = walk.gather([put(tmp_path / "PC-5" / "uploads", {  # one disk, read in two ways
        f"auto/C%3A/{CONFIG}/SOFTWARE": SOFTWARE, f"ntfs/%5C%5C.%5CC%3A/{CONFIG}/SOFTWARE": SOFTWARE})])
    assert [one.name for one in one.subjects] == ["PC-5"]


@pytest.mark.parametrize("place", ["Windows/ServiceProfiles/LocalService/NTUSER.DAT",
                                   f"{CONFIG}/systemprofile/NTUSER.DAT", f"{CONFIG}/RegBack/SOFTWARE",
                                   f"Windows.old/{CONFIG}/SOFTWARE"])
def test_no_user_and_what_windows_no_longer_uses_is_left_out(tmp_path: Path, place: str) -> None:
    evidence = walk.gather([put(tmp_path / "PC-9", {f"{CONFIG}/SYSTEM": system("PC-1"), place: SOFTWARE})])
    assert [(one.name, one.registry.profiles) for one in evidence.subjects] == [("PC-1", ())]
    assert evidence.notes[0].what.endswith("; it was left out.")


def test_an_archive_is_a_folder_too(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "PC-8.zip", "w") as archive:
        archive.writestr("Windows/System32/config/SOFTWARE", SOFTWARE)
    evidence = walk.gather([tmp_path / "PC-8.zip"])
    assert ([one.name for one in evidence.subjects], len(evidence.notes)) == (["PC-8"], 1)


def test_a_broken_system_hive_names_nobody(tmp_path: Path) -> None:
    evidence = walk.gather([put(tmp_path / "PC-6", {"SOFTWARE": SOFTWARE, "SYSTEM": b"regf" + bytes(8000)})])
    assert [one.name for one in evidence.subjects] == ["PC-6"]
    assert [problem.where for problem in evidence.problems] == [str(tmp_path / "PC-6" / "SYSTEM")]


@pytest.mark.parametrize(("shown", "header", "user"), [
    ("x/C/Users/anna/NTUSER.DAT", "", "anna"),
    ("C/Users/anna/AppData/Local/Microsoft/Windows/UsrClass.dat", "", "anna"),
    ("a.zip!Users/bert/ntuser.dat", "", "bert"), ("hives/NTUSER.DAT", r"\??\C:\Users\carl\ntuser.dat", "carl"),
    ("hives/anna_NTUSER.DAT", "", "anna"), ("hives/NTUSER.DAT", "", "hives"), ("hives/NTUSER-bert.DAT", "", "bert")])
def test_a_profile_is_its_users(shown: str, header: str, user: str) -> None:
    assert names.user_of(EvidenceFile(shown, shown.rpartition("!")[2], b""), header) == user


def test_the_control_set_is_the_one_in_use() -> None:
    root = Key().set("Select", "Current", 3).set("ControlSet001\\X", "a", 1).set("ControlSet003\\X", "a", 1)
    assert names.control_set(Hive(hive(root), "x")) == "ControlSet003"
    root = Key().set("Select", "Current", 70_000).set("ControlSet001\\X", "a", 1)
    assert names.control_set(Hive(hive(root), "x")) == "ControlSet001"


def test_a_compiled_policy_is_of_the_disk_it_lies_on(tmp_path: Path) -> None:
    active = "C/Windows/System32/CodeIntegrity/CiPolicies/Active/{11111111-2222-3333-4444-55555555aaaa}.cip"
    evidence = walk.gather([put(tmp_path, {
        active: b"\x07\0\0\0", "C/Windows/System32/CodeIntegrity/SiPolicy.p7b": b"0", "other/x.cip": b"1",
        "C/Windows/System32/config/SYSTEM": system("PC-1")})])
    assert [(one.value.id, one.value.active, one.value.policy) for one in evidence.host("PC-1").app_control] == [
        ("{11111111-2222-3333-4444-55555555AAAA}", None, None), ("{A244370E-44C9-4C06-B551-F6016E563076}", None, None)]
    assert (evidence.ignored, evidence.problems, evidence.notes) == (1, [], [])


def test_a_profile_that_nobody_logs_on_to_is_left_out(tmp_path: Path) -> None:
    hives = {f"Users/{user}/NTUSER.DAT": hive(Key().set("Software\\X", "a", 1)) for user in ("Default", "anna")}
    evidence = walk.gather([put(tmp_path, {**hives, "Windows/System32/config/SYSTEM": system("PC-1")})])
    assert evidence.host("PC-1").registry.profiles == ("anna",)
    assert isinstance(evidence, Evidence)
