"""Where a command's result goes: standard output, or a file that is written whole or not at all.

Two promises stand here: nothing is overwritten without --force, and nothing is ever written into the evidence. A file
is written beside its place first, under a name nobody could have put a link at; a device or a pipe (/dev/null,
/dev/stderr) is written to as it stands, because replacing it would destroy it.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from douse.errors import OutputError
from douse.text import clean

if TYPE_CHECKING:
    from douse.hunt.result import Problem

STDOUT = Path("-")
_CHECK = "Check your rights and the free space."


def target(output: Path | None, *, force: bool, evidence: Iterable[str] = ()) -> Path | None:
    """The file to write, None for standard output. Raises OutputError for a place that must not be written."""
    if output is None or output == STDOUT:
        if sys.stdout is None:  # closed by whoever started us
            raise OutputError("standard output", "is closed.", "Name a file with -o.")
        return None
    where = str(output)
    try:
        return _checked(output, where, force=force, evidence=evidence)
    except OSError as error:  # a name that is too long, a folder that may not be looked into
        raise OutputError(where, f"cannot be written: {error.strerror or error}.", "Name another file.") from error


def _checked(output: Path, where: str, *, force: bool, evidence: Iterable[str]) -> Path:
    if output.is_dir():
        raise OutputError(where, "is a folder.", "Name a file in it.")
    if not output.parent.is_dir():
        raise OutputError(where, "its folder does not exist.", f"Make it first: mkdir {output.parent}")
    refuse_evidence(output, evidence)
    if _is_special(output):
        return output
    if output.exists() and not force:
        raise OutputError(where, "already exists.", "Add --force to overwrite it, or name another file.")
    if not os.access(output.resolve().parent, os.W_OK):  # said now, not after an hour of reading
        raise OutputError(where, "its folder cannot be written to.", "Check your rights, or name another folder.")
    return output


def refuse_evidence(output: Path, evidence: Iterable[str]) -> None:
    """Evidence stays as it was found: neither the file itself nor anything inside its folder is written."""
    resolved = output.resolve()
    for path in map(Path, evidence):
        held = path.resolve()
        if resolved == held or (path.is_dir() and resolved.is_relative_to(held)):
            raise OutputError(str(output), f"lies in the evidence {path}.", "Name a file outside of it.")


def _is_special(output: Path) -> bool:
    """Whether it is there and no file: a device, a pipe."""
    return output.exists() and not output.is_file()


def write(target: Path | None, chunks: Iterable[bytes]) -> None:
    """Write the chunks to standard output, or to a file that appears only when it is complete."""
    try:
        if target is None:
            for chunk in chunks:
                _write_all(sys.stdout.buffer, chunk)
            sys.stdout.buffer.flush()
        elif _is_special(target):
            with target.open("wb") as stream:
                stream.writelines(chunks)
        else:
            _write_whole(target.resolve(), chunks)
    except BrokenPipeError:
        raise  # the reader of a pipe went away, which is its right; main.py has a code for it
    except OSError as error:
        where = "standard output" if target is None else str(target)
        raise OutputError(where, f"cannot be written: {error.strerror or error}.", _CHECK) from error


def _write_all(stream: BinaryIO, chunk: bytes) -> None:
    """Write all of a chunk. With PYTHONUNBUFFERED the stream is a bare file, which may take only a part: of a pipe that
    its reader has just closed, and then the rest says so."""
    rest = memoryview(chunk)
    while rest:
        rest = rest[stream.write(rest):]


def _write_whole(target: Path, chunks: Iterable[bytes]) -> None:
    """Write beside the target, then move it there; what was begun is removed if that fails."""
    partial = _beside(target)
    try:
        with partial.open("xb") as stream:
            stream.writelines(chunks)
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    """A name in the target's folder at which nobody could have put a link."""
    return target.with_name(f".douse-{os.getpid()}-{os.urandom(4).hex()}.partial")


def write_together(files: Mapping[Path, Iterable[bytes]]) -> None:
    """Write several files of one folder, which is made if it is not there; they appear when all are complete."""
    folder = next(iter(files)).parent
    made, staged = not folder.is_dir(), dict[Path, Path]()
    try:
        folder.mkdir(exist_ok=True)
        for place, chunks in files.items():
            staged[place] = _beside(place.resolve())
            with staged[place].open("xb") as stream:
                stream.writelines(chunks)
        for place, partial in staged.items():
            partial.replace(place.resolve())
    except OSError as error:
        raise OutputError(str(folder), f"cannot be written: {error.strerror or error}.", _CHECK) from error
    finally:
        for partial in staged.values():
            partial.unlink(missing_ok=True)
        if made and folder.is_dir() and not any(folder.iterdir()):
            folder.rmdir()


def command_line(argv: Sequence[str]) -> str:
    """The command as a user could type it again, for the provenance of a report."""
    return shlex.join(["douse", *argv[1:]])


def partial(problems: Sequence[Problem]) -> str:
    """One line for standard error on why a result is partial: an interruption, else the first problem, and how many.

    A problem may quote a list or a log, so secrets are left out of it, always: standard error ends in job logs.
    """
    from douse.masking import mask

    worst = next((problem for problem in problems if problem.kind == "input"), problems[0])
    others = f" (and {len(problems) - 1:,} more in the result)" if len(problems) > 1 else ""
    return clean(mask(f"partial result: {worst.where}: {worst.what}"), 300) + others
