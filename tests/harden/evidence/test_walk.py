"""What the user names is opened: folders, links, archives, pipes; what cannot be used is told and stops no run."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from douse.harden import pol
from douse.harden.evidence import beside, walk, zipped
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.table import READERS
from douse.harden.gathered import Evidence
from douse.harden.registry import RegistryValue
from harden.hives import Key, hive

POL = pol.write([pol.PolEntry.of(r"Software\X", "a", RegistryValue("REG_DWORD", 1))])
EVIDENCE = Path(walk.__file__).parent


def zip_of(members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def whats(evidence: Evidence) -> list[str]:
    return [problem.what for problem in evidence.problems]


def test_the_table_has_every_reader_and_no_other() -> None:
    words = [reader.word for reader in READERS]
    assert len(set(words)) == len(words)
    for reader in READERS:
        module, name = reader.target.split(":")
        assert (module, name) == (f"douse.harden.evidence.{reader.word}", "read")
        assert (EVIDENCE / f"{reader.word}.py").is_file()
        assert callable(reader.load())
        assert reader.title
        assert reader.looks(EvidenceFile("x", "x", b"nothing that anybody reads")) is False
    with_read = {path.stem for path in EVIDENCE.glob("*.py")
                 if "\ndef read(file: EvidenceFile, evidence: Evidence) -> None:" in path.read_text(encoding="utf-8")}
    assert with_read == set(words)


def test_a_file_that_is_named_twice_or_linked_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "registry.pol").write_bytes(POL)
    (tmp_path / "loop").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "again.pol").symlink_to(tmp_path / "inner" / "registry.pol")
    evidence = walk.gather([tmp_path, tmp_path / "inner", tmp_path / "inner" / "registry.pol"])
    assert len(evidence.files) == 1
    assert evidence.problems == []


def test_what_is_no_evidence_is_told_where_it_was_named_and_counted_where_not(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "empty.txt").write_bytes(b"")
    (tmp_path / "registry.pol").write_bytes(b"not a policy")
    walked = walk.gather([tmp_path])
    assert walked.ignored == 2
    assert [problem.where for problem in walked.problems] == [str(tmp_path / "registry.pol")]
    assert walked.problems[0].what == "is no evidence that Douse reads."
    assert "registry.pol" in walked.problems[0].next_step
    named = walk.gather([tmp_path / "notes.txt", tmp_path / "empty.txt", tmp_path / "missing"])
    assert whats(named) == ["no such file or folder.", "is no evidence that Douse reads.", "is empty."]
    assert named.ignored == 0


def test_one_bad_file_does_not_stop_a_run(tmp_path: Path) -> None:
    (tmp_path / "a.pol").write_bytes(POL[:3] + b"x")
    (tmp_path / "b.pol").write_bytes(b"PReg\x09\0\0\0")
    (tmp_path / "c.xml").write_text('<!DOCTYPE x><Rsop xmlns="http://www.microsoft.com/GroupPolicy/Rsop"/>')
    (tmp_path / "d.pol").write_bytes(POL)
    evidence = walk.gather([tmp_path])
    assert len(evidence.problems) == 3
    assert [Path(source.file).name for source in evidence.files] == ["d.pol"]


def test_a_file_without_rights_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.pol").write_bytes(POL)

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)  # rights themselves would not stop root, who runs tests in containers
    assert whats(walk.gather([tmp_path])) == ["cannot be read: Permission denied."]


def test_evidence_is_not_changed(tmp_path: Path) -> None:
    (tmp_path / "PC-1").mkdir()
    path = tmp_path / "PC-1" / "SOFTWARE"
    data = hive(Key().set(r"Microsoft\X", "a", 1).set("Classes", "b", 1), sequences=(3, 2))
    path.write_bytes(data)
    path.chmod(0o400)
    before = path.stat().st_mtime_ns
    walk.gather([tmp_path])
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (data, before)
    assert sorted(one.name for one in path.parent.iterdir()) == ["SOFTWARE"]


def test_a_pipe_and_standard_input_are_read_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_bytes(POL))
    writer.start()
    evidence = walk.gather([tmp_path / "pipe"])
    writer.join()
    assert [source.kind for source in evidence.files] == ["registry_pol"]
    code = ("from douse.harden.evidence import walk\ne = walk.gather(['-'])\n"
            "print([s.kind for s in e.files], [s.name for s in e.subjects], len(e.problems))")
    for data, expected in ((POL, "['registry_pol'] ['standard input'] 0"),
                           (zip_of({"registry.pol": POL}), "['registry_pol'] ['standard input!registry.pol'] 0"),
                           (b"", "[] [] 1")):
        done = subprocess.run([sys.executable, "-c", code], input=data, capture_output=True, check=True)
        assert done.stdout.decode().strip() == expected


def test_a_members_name_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({"../../evil/registry.pol": POL, "/abs/registry.pol": POL,
                                             r"C:\win\registry.pol": POL, "folder/": b""}))
    evidence = walk.gather([tmp_path / "a.zip"])
    assert evidence.problems == []
    assert len(evidence.files) == 3
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.zip"]
    assert f"{tmp_path / 'a.zip'}!../../evil/registry.pol" in {source.file for source in evidence.files}


def test_damaged_members_are_told_and_the_others_read(tmp_path: Path) -> None:
    data = bytearray(zip_of({"a.pol": POL * 50, "b.pol": POL}))
    at = data.index(b"a.pol") + 5
    data[at:at + 8] = b"\xff" * 8
    encrypted = bytearray(zip_of({"c.pol": POL}))
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        encrypted[encrypted.index(mark) + offset] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    (tmp_path / "b.zip").write_bytes(encrypted)
    (tmp_path / "c.zip").write_bytes(b"PK\x03\x04" + bytes(100))
    evidence = walk.gather([tmp_path])
    assert [source.file for source in evidence.files] == [f"{tmp_path / 'a.zip'}!b.pol"]
    assert [Path(problem.where).name for problem in evidence.problems] == ["a.zip!a.pol", "b.zip!c.pol", "c.zip"]
    assert evidence.problems[1].what == "this member is encrypted."


def test_a_bomb_and_a_nest_are_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zipped, "RATIO_FROM", 1 << 20)
    bomb = b"PReg\x01\0\0\0" + bytes(4 << 20)
    (tmp_path / "a.zip").write_bytes(zip_of({"bomb.pol": bomb, "sound.pol": POL}))
    nest = zip_of({"b.pol": POL, "deeper.zip": zip_of({"c.pol": POL})})
    (tmp_path / "n.zip").write_bytes(zip_of({"inner.zip": nest}))
    evidence = walk.gather([tmp_path])
    assert len(evidence.files) == 2
    assert "unpacks to more than" in evidence.problems[0].what
    assert "lie too deep" in evidence.problems[1].what
    assert evidence.problems[1].where == f"{tmp_path / 'n.zip'}!inner.zip!deeper.zip"


def test_too_many_members_and_too_much_together_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(zip_of({f"{number}.pol": POL for number in range(5)}))
    monkeypatch.setattr(zipped, "MAX_MEMBERS", 3)
    evidence = walk.gather([tmp_path])
    assert (len(evidence.files), len(evidence.problems)) == (3, 1)
    monkeypatch.setattr(zipped, "MAX_UNPACKED", 3 * len(POL))
    assert sum("was left out" in what for what in whats(walk.gather([tmp_path]))) >= 2


def test_members_without_end_and_of_one_name_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.zip").write_bytes(
        zip_of({"a.pol": POL, "b.pol": POL, "c.pol": POL}).replace(b"b.pol", b"a.pol").replace(b"c.pol", b"a.pol"))
    assert whats(walk.gather([tmp_path])) == ["has 2 members of a name that another one has too; the last was read."]
    monkeypatch.setattr(zipped, "MAX_LISTED", 2)
    assert whats(walk.gather([tmp_path])) == ["has 3 members, which no collection of evidence has."]
    many = zip_of({f"{'x' * 200}{number}": b"" for number in range(5)})
    at = many.rfind(b"PK\x05\x06")  # a number that is a lie
    (tmp_path / "a.zip").write_bytes(many[:at + 8] + b"\x01\0\x01\0" + many[at + 12:])
    assert whats(walk.gather([tmp_path])) == ["has 11 members, which no collection of evidence has."]


@pytest.mark.parametrize(("data", "hint"), [(b"ElfFile\0" + bytes(99), "--logs"),
                                            (b'{"schema": "douse.hunt/1", "x": 1}', "douse harden for")])
def test_what_belongs_elsewhere_is_told_where(tmp_path: Path, data: bytes, hint: str) -> None:
    (tmp_path / "x").write_bytes(data)
    assert hint in walk.gather([tmp_path / "x"]).problems[0].next_step


def test_a_folder_is_listed_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(20):
        (tmp_path / f"{number}.reg").write_text("REGEDIT4\n\n[HKEY_LOCAL_MACHINE\\SOFTWARE\\A]\n")
    asked: list[Path] = []
    names = beside._names
    monkeypatch.setattr(beside, "_names", lambda folder: asked.append(folder) or names(folder))
    assert len(walk.gather([tmp_path]).files) == 20
    assert len(asked) <= 3


def test_a_file_that_is_too_large_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walk, "MAX_BYTES", 1 << 20)
    with (tmp_path / "big.pol").open("wb") as stream:
        stream.write(POL)
        stream.truncate((1 << 20) + 1)
    (problem,) = walk.gather([tmp_path]).problems
    assert problem.what == "has more than 1 MiB, which no evidence of this kind has."
