"""Where a result goes: never over something, never into the evidence, never half."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from douse.cli.output import command_line, target, write
from douse.errors import OutputError

POSIX = pytest.mark.skipif(os.name != "posix", reason="needs links, pipes and rights as POSIX has them")


def test_no_output_and_a_dash_are_standard_output() -> None:
    assert target(None, force=False) is None
    assert target(Path("-"), force=False) is None


def test_a_closed_standard_output_is_an_error_of_the_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "stdout", None)
    with pytest.raises(OutputError, match=r"standard output: is closed\. Name a file with -o\."):
        target(None, force=False)
    assert target(tmp_path / "x", force=False) == tmp_path / "x"


@POSIX
def test_a_pipe_closed_halfway_is_noticed_also_without_a_buffer(tmp_path: Path) -> None:
    """With PYTHONUNBUFFERED one write may take a part only; the rest must not be lost without a word."""
    program = "import sys\nfrom douse.cli.output import write\nwrite(None, [b'x' * 3_000_000])\n"
    for unbuffered in ("", "1"):
        run = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                               env={**os.environ, "PYTHONUNBUFFERED": unbuffered})
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.read(5)
        run.stdout.close()
        error = run.stderr.read()
        run.stderr.close()
        assert run.wait(timeout=30) != 0
        assert b"BrokenPipeError" in error


def test_a_name_that_is_too_long(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"cannot be written: File name too long\. Name another file\."):
        target(tmp_path / ("x" * 300), force=False)


def test_a_new_file_beside_the_evidence_is_fine(tmp_path: Path) -> None:
    evidence = tmp_path / "triage.zip"
    evidence.write_bytes(b"PK")
    assert target(tmp_path / "report.html", force=False, evidence=[str(evidence), "-"]) == tmp_path / "report.html"


def test_an_existing_file_needs_force(tmp_path: Path) -> None:
    old = tmp_path / "report.html"
    old.write_text("old")
    with pytest.raises(OutputError, match=r"already exists.*--force"):
        target(old, force=False)
    assert target(old, force=True) == old


@pytest.mark.parametrize(("name", "what"), [("", "is a folder"), ("missing/report.html", "folder does not exist")])
def test_a_place_that_is_none(name: str, what: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=what):
        target(tmp_path / name, force=True)


@pytest.mark.parametrize("name", ["logs/a.evtx", "logs/x.html", "logs/sub/x.html", "logs/../logs/x.html"])
def test_nothing_is_written_into_the_evidence_even_by_force(name: str, tmp_path: Path) -> None:
    (tmp_path / "logs" / "sub").mkdir(parents=True)
    (tmp_path / "logs" / "a.evtx").write_bytes(b"ElfFile")
    with pytest.raises(OutputError, match="lies in the evidence"):
        target(tmp_path / name, force=True, evidence=[str(tmp_path / "logs")])


@POSIX
def test_a_link_into_the_evidence_is_evidence(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    (tmp_path / "way").symlink_to(tmp_path / "logs")
    with pytest.raises(OutputError, match="lies in the evidence"):
        target(tmp_path / "way" / "report.html", force=True, evidence=[str(tmp_path / "logs")])


def test_a_folder_without_the_right_to_write_is_refused_before_the_work(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: mode != os.W_OK or path != tmp_path)  # root may write anywhere
    with pytest.raises(OutputError, match="cannot be written to"):
        target(tmp_path / "report.html", force=False)


def test_a_file_appears_whole_and_alone(tmp_path: Path) -> None:
    write(tmp_path / "report.html", [b"one ", b"two"])
    assert (tmp_path / "report.html").read_bytes() == b"one two"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


def test_a_failure_halfway_leaves_what_was_there(tmp_path: Path) -> None:
    def chunks() -> Iterator[bytes]:
        yield b"half"
        raise RuntimeError("a bug while drawing")

    (tmp_path / "report.html").write_bytes(b"old")
    with pytest.raises(RuntimeError):
        write(tmp_path / "report.html", chunks())
    assert (tmp_path / "report.html").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]


@POSIX
def test_a_link_stays_a_link_and_its_file_is_written(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "real").write_bytes(b"old")
    (tmp_path / "link").symlink_to(tmp_path / "deep" / "real")
    write(tmp_path / "link", [b"new"])
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "deep" / "real").read_bytes() == b"new"


@POSIX
def test_a_device_is_written_to_and_never_replaced(tmp_path: Path) -> None:
    """As root, moving a file over /dev/null would break the machine; a pipe stands for it here."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    assert target(pipe, force=False) == pipe  # nothing in it could be overwritten
    write(pipe, [b"to the ", b"reader"])
    assert os.read(reader, 100) == b"to the reader"
    os.close(reader)
    assert stat.S_ISFIFO(pipe.stat().st_mode)


@POSIX
def test_a_full_disk_is_an_error_of_the_output() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with pytest.raises(OutputError, match=r"/dev/full: cannot be written: No space left.*free space"):
        write(Path("/dev/full"), [b"x" * 100_000])


def test_the_command_line_can_be_typed_again() -> None:
    assert command_line(["/usr/bin/douse", "hunt", "my logs", "-o", "a'b"]) == """douse hunt 'my logs' -o 'a'"'"'b'"""
