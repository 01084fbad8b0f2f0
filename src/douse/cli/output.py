"""Where a command's result goes: standard output, or a file that is written whole or not at all.

Two promises stand here: nothing is overwritten without --force, and nothing is ever written into the evidence.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from douse.errors import OutputError

STDOUT = Path("-")


def target(output: Path | None, *, force: bool, evidence: Iterable[str] = ()) -> Path | None:
    """The file to write, None for standard output. Raises OutputError for a place that must not be written."""
    if output is None or output == STDOUT:
        return None
    where = str(output)
    if output.is_dir():
        raise OutputError(where, "is a folder.", "Name a file in it.")
    if not output.parent.is_dir():
        raise OutputError(where, "its folder does not exist.", f"Make it first: mkdir {output.parent}")
    if output.exists() and not force:
        raise OutputError(where, "already exists.", "Add --force to overwrite it, or name another file.")
    _refuse_evidence(output, evidence)
    return output


def _refuse_evidence(output: Path, evidence: Iterable[str]) -> None:
    """Evidence stays as it was found: neither the file itself nor anything inside its folder is written."""
    resolved = output.resolve()
    for path in map(Path, evidence):
        held = path.resolve()
        if resolved == held or (path.is_dir() and resolved.is_relative_to(held)):
            raise OutputError(str(output), f"lies in the evidence {path}.", "Name a file outside of it.")


def write(target: Path | None, chunks: Iterable[bytes]) -> None:
    """Write the chunks to standard output, or to a file that appears only when it is complete."""
    if target is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        sys.stdout.buffer.flush()
        return
    partial = target.with_name(f".{target.name}.partial")
    try:
        with partial.open("wb") as stream:
            stream.writelines(chunks)
        partial.replace(target)
    except OSError as error:
        raise OutputError(
            str(target), f"cannot be written: {error.strerror}.", "Check your rights and the free space."
        ) from error
    finally:
        partial.unlink(missing_ok=True)


def command_line(argv: Sequence[str]) -> str:
    """The command as a user could type it again, for the provenance of a report."""
    return shlex.join(["douse", *argv[1:]])
