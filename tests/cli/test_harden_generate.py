"""`douse harden generate` and cli/folders.py: a bundle is there whole or not at all, and says what it is."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from douse.cli import folders
from douse.cli.harden_generate import MODES, PROFILES, WORDS
from douse.cli.main import main
from douse.content import settings
from douse.errors import OutputError
from douse.harden.generate import policy
from douse.harden.generate.formats import FORMATS
from harden.generate.go_files import go_file, site_file

FILES = [(PurePosixPath("README.md"), b"read"), (PurePosixPath("a b/{c}/d.pol"), b"\0\1"),
         (PurePosixPath("SHA256SUMS"), b"0" * 64 + b"  README.md\n" + b"0" * 64 + b"  a b/{c}/d.pol\n")]


def run(capsys: pytest.CaptureFixture[str], *args: str | Path) -> tuple[int, list[str], str]:
    """The exit code, the lines of standard output, and standard error."""
    code = main(["harden", "generate", *map(str, args)])
    out, err = capsys.readouterr()
    return code, out.splitlines(), err


def names(folder: Path) -> list[str]:
    """What lies in a folder itself."""
    return sorted(path.name for path in folder.iterdir())


def tree(folder: Path) -> dict[str, bytes]:
    """What lies in a folder."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_words_are_those_of_the_room() -> None:
    assert WORDS == policy.WORDS == tuple(FORMATS)
    assert MODES == policy.MODES
    assert PROFILES == settings.PROFILES


def test_a_bundle_is_written_and_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = run(capsys, "--controls", "H03,H05", "--as", "gpo,reg", "-o", tmp_path / "bundle")
    assert code == 0
    assert {Path(line) for line in out} == {path for path in (tmp_path / "bundle").rglob("*") if path.is_file()}
    assert (tmp_path / "bundle" / "README.md").is_file()
    assert "mode audit, profile seed" in err
    assert "left out, 3 settings of H03: It has no audit mode" in err
    assert "never run on Windows by us. Next: read " in err
    assert names(tmp_path) == ["bundle"]


def test_all_formats_and_a_zip_that_is_the_same_each_time(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        code, out, _ = run(capsys, "--controls", "all", "--as", "all", "--profile", "recommended", "--site",
                           site_file(tmp_path), "-o", tmp_path / name)
        assert (code, out) == (0, [str(tmp_path / name)])
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
    assert {"README.md", "changes.json", "SHA256SUMS"} <= set(names)
    assert {name.split("/")[0] for name in names} >= set(WORDS)


def test_enforcing_a_block_of_mshta_names_the_preflight(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    code, out, err = run(capsys, "--controls", "FW", "--mode", "enforce", "-o", tmp_path / "x")
    assert (code, out) == (2, [])
    assert "douse harden preflight mshta.exe" in err
    stale = go_file(tmp_path, finished="2020-01-01T00:00:00+00:00")
    code, _, err = run(capsys, "--controls", "FW", "--mode", "enforce", "--preflight", stale, "-o", tmp_path / "x")
    assert code == 2
    assert "days ago, and 30 is the most" in err
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(("args", "code", "said"), [
    (("--controls", "H99"), 5, "'H99' is no control"),
    (("--controls", "H03", "--as", "gop"), 2, "Did you mean 'gpo'?"),
    (("--controls", "H03", "--as", ""), 2, "is no format of policies"),
    (("--controls", "H25"), 2, "would be empty"),
    ((), 2, "Missing option '--controls'"),
    (("--controls", "H03", "--site", "no-such.yml"), 5, "cannot be read"),
    (("--controls", "H03", "--preflight", "no-such.json"), 5, "cannot be read"),
    (("--controls", "H03", "--before", "no-such"), 3, "nothing that a computer had")])
def test_what_is_wrong_ends_with_its_code(capsys: pytest.CaptureFixture[str], tmp_path: Path, args: tuple[str, ...],
                                          code: int, said: str) -> None:
    ended, out, err = run(capsys, *args, "-o", tmp_path / "x")
    assert (ended, out) == (code, [])
    assert said in err
    assert not list(tmp_path.iterdir())


def test_a_folder_is_replaced_only_with_force_and_only_a_bundle(tmp_path: Path) -> None:
    place = tmp_path / "bundle"
    folders.write(folders.target(place, force=False), FILES)
    assert tree(place) == {str(path): data for path, data in FILES}
    with pytest.raises(OutputError, match=r"is not empty\. Name a new folder, or add --force"):
        folders.target(place, force=False)
    newer = [(PurePosixPath("README.md"), b"new"), (PurePosixPath("SHA256SUMS"), b"")]
    folders.write(folders.target(place, force=True), newer)
    assert tree(place) == {"README.md": b"new", "SHA256SUMS": b""}
    (place / "notes.txt").write_text("mine")
    with pytest.raises(OutputError, match=r"holds README\.md, which is no file of a bundle"):
        folders.target(place, force=True)
    assert (place / "notes.txt").read_text() == "mine"


def test_a_folder_that_is_no_bundle_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("x")
    with pytest.raises(OutputError, match=r"holds thesis\.txt, which is no file of a bundle; --force would delete it"):
        folders.target(tmp_path / "mine", force=True)
    (tmp_path / "empty").mkdir()
    folders.write(folders.target(tmp_path / "empty", force=False), FILES)
    assert len(tree(tmp_path / "empty")) == 3
    assert names(tmp_path) == ["empty", "mine"]


@pytest.mark.parametrize(("name", "said"), [
    ("file", "is no folder"), ("no/such/folder", "its parent folder does not exist"),
    ("evidence/in", "in the evidence"), ("evidence", "in the evidence"),
    ("-", "cannot go to standard output"), ("x" * 300, "cannot be written"),
    ("evidence/in.zip", "in the evidence"), ("no/such.zip", "its folder does not exist")])
def test_places_that_must_not_be_written(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "evidence").mkdir()
    place = Path(name) if name == "-" else tmp_path / name
    with pytest.raises(OutputError, match=said):
        folders.target(place, force=False, evidence=[str(tmp_path / "evidence")])


def test_nothing_is_left_behind_when_writing_fails(tmp_path: Path) -> None:
    bad = [*FILES, (PurePosixPath("README.md/below-a-file"), b"x")]
    with pytest.raises(OutputError, match="cannot be written"):
        folders.write(tmp_path / "bundle", bad)
    assert list(tmp_path.iterdir()) == []


def test_an_old_bundle_stays_when_the_new_one_cannot_be_moved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folders.write(tmp_path / "bundle", FILES)
    rename = Path.rename

    def fails(self: Path, target: Path) -> Path:
        if self.suffix == ".partial":
            raise OSError(28, "No space left on device")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fails)
    with pytest.raises(OutputError, match="No space left on device"):
        folders.write(tmp_path / "bundle", [(PurePosixPath("README.md"), b"new")])
    assert tree(tmp_path / "bundle") == {str(path): data for path, data in FILES}
    assert names(tmp_path) == ["bundle"]


def test_help_loads_neither_yaml_nor_the_room() -> None:
    program = ("import sys\nfrom douse.cli.main import main\nassert main(['harden', 'generate', '--help']) == 0\n"
               "print(sorted(name for name in sys.modules if name in ('yaml', 'rich') or 'douse.harden' in name))")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "no pre-flight that lets it be enforced" in done.stdout


def test_the_last_format_typed_is_completed() -> None:
    from douse.cli.harden_generate import Words, generate

    option = next(one for one in generate.params if one.name == "formats")
    found = Words().shell_complete(generate.make_context("generate", [], resilient_parsing=True), option, "gpo,p")
    assert [item.value for item in found] == ["gpo,pol", "gpo,powershell"]
