"""Open what the user named: files, folders, zip archives, standard input ("-") in; Evidence out.

    evidence = gather(["collected/", "gpo-backup.zip"])

Folders are walked in a fixed order and links are followed once (hunt/plan.py). Each file goes to the first reader that
wants it (table.py). Nothing is written and nothing is unpacked to disk; a member's name is only a name. One bad file
never stops a run: what cannot be used is a Problem. A file that no reader wants is one if the user named it or it is
called like evidence, else it is counted. Files are opened one after another, and let go.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import BinaryIO

from douse.errors import EvidenceError
from douse.harden.evidence import derive, signs, texts, zipped
from douse.harden.evidence.beside import Listings, OnDisk
from douse.harden.evidence.file import MAX_BYTES, EvidenceFile
from douse.harden.evidence.table import READERS, Reader
from douse.harden.gathered import Evidence
from douse.hunt import plan


@dataclass(frozen=True, slots=True)
class Found:
    """A file that was found and not yet opened: `named` by the user himself, `load` opens it up to so many bytes."""

    shown: str
    named: bool
    load: Callable[[int], EvidenceFile]


def gather(paths: Sequence[str | Path], today: date | None = None) -> Evidence:
    """Everything that the files under these paths say. Never raises for what is in them. A time after `today` (UTC; the
    clock's where it is left out) is taken for none."""
    evidence = Evidence(today)
    for found in _found(tuple(map(str, paths)), evidence):
        try:
            _take(found, evidence)
        except EvidenceError as error:
            evidence.lost(error.where, error.what, error.next_step)
        except OSError as error:
            evidence.lost(found.shown, f"cannot be read: {error.strerror or error}.",
                          "Check that it is there and that you may read it.")
    evidence.join_hosts()
    derive.derive(evidence)
    return evidence


def read(file: EvidenceFile, evidence: Evidence) -> bool:
    """Give a file to its reader; whether there is one. What the reader cannot use is a Problem."""
    reader = reader_of(file)
    if reader is None:
        return False
    try:
        reader.load()(file, evidence)
    except EvidenceError as error:
        evidence.lost(error.where, error.what, error.next_step)
    else:
        evidence.files.append(file.source(reader.word))
    return True


def reader_of(file: EvidenceFile) -> Reader | None:
    """The first reader of the table that wants a file."""
    return next((reader for reader in READERS if reader.looks(file)), None)


def _found(paths: tuple[str, ...], evidence: Evidence) -> Iterator[Found]:
    listed, listings = plan.make(paths), Listings()
    for loss in listed.losses:
        evidence.lost(str(loss.source), f"{loss.reason}.", loss.next_step)
    for unit in listed.units:
        path = Path(unit.path)
        if unit.is_stdin:
            yield Found("standard input", named=True, load=_once("standard input", _standard_input))
        elif not unit.regular and unit.named:
            yield Found(unit.path, named=True, load=_once(unit.path, partial(_opened, path)))
        elif unit.regular and unit.part.first == 0:
            yield Found(unit.path, unit.named, _opener(path, _inner(unit.path, paths), listings))


def _take(found: Found, evidence: Evidence) -> None:
    """Read a file, or what an archive holds."""
    start = found.load(zipped.PEEK)
    if zipped.looks(start):
        with start.path.open("rb") if start.path is not None else io.BytesIO(found.load(MAX_BYTES).data) as stream:
            for member in zipped.members(stream, found.shown, evidence, lambda one: reader_of(one) is not None):
                if not read(member, evidence):
                    _unwanted(member, named=False, evidence=evidence)
    elif reader_of(start) is None or not read(found.load(MAX_BYTES), evidence):
        _unwanted(start, named=found.named, evidence=evidence)


def _unwanted(file: EvidenceFile, *, named: bool, evidence: Evidence) -> None:
    if not file.data:
        evidence.lost(file.shown, "is empty.", "Collect it again.") if named else _ignore(evidence)
    elif named or signs.is_called_like_evidence(file):
        evidence.lost(file.shown, "is no evidence that Douse reads.", _instead(file))
    else:
        _ignore(evidence)


def _instead(file: EvidenceFile) -> str:
    """What to do with a file that no reader wants: where it belongs, or what is read."""
    start = texts.start_of(file.data, 400)
    if file.data.startswith(b"ElfFile\0"):
        return "It is an event log: douse hunt reads it, and douse harden preflight with --logs."
    if found := re.search(r'"schema"\s*:\s*"douse\.([a-z]{1,20})/', start):
        use = " An incident is what douse harden for reads." if found[1] == "hunt" else ""
        return f"It is a result of Douse itself ({found[1]}), which tells nothing of a computer's settings.{use}"
    return "It reads: " + "; ".join(reader.title for reader in READERS) + "."


def _ignore(evidence: Evidence) -> None:
    evidence.ignored += 1


def _inner(path: str, paths: tuple[str, ...]) -> str:
    """The path below the longest folder that the user named, else the file's own name."""
    parts = Path(path).parts
    roots = [Path(root).parts for root in paths]
    longest = max((len(root) for root in roots if len(root) < len(parts) and parts[:len(root)] == root),
                  default=len(parts) - 1)
    return "/".join(parts[longest:])


def _opener(path: Path, inner: str, listings: Listings) -> Callable[[int], EvidenceFile]:
    def load(size: int) -> EvidenceFile:
        with path.open("rb") as stream:
            if size == MAX_BYTES < os.fstat(stream.fileno()).st_size:
                raise _too_large(str(path))
            return EvidenceFile(str(path), inner, _bounded(stream, size, str(path)), path, OnDisk(path, listings))

    return load


def _once(shown: str, opened: Callable[[], BinaryIO]) -> Callable[[int], EvidenceFile]:
    """For what can be read only once, a pipe or standard input: it is read when it is first asked for, and kept."""
    kept: list[bytes] = []

    def load(size: int) -> EvidenceFile:
        if not kept:
            with opened() as stream:
                kept.append(_bounded(stream, MAX_BYTES, shown))
        return EvidenceFile(shown, shown, kept[0][:size])

    return load


def _opened(path: Path) -> BinaryIO:
    return path.open("rb")


def _standard_input() -> BinaryIO:
    return open(sys.stdin.fileno(), "rb", closefd=False)


def _bounded(stream: BinaryIO, size: int, shown: str) -> bytes:
    data = stream.read(size + 1)
    if len(data) > size == MAX_BYTES:
        raise _too_large(shown)
    return data[:size]


def _too_large(shown: str) -> EvidenceError:
    return EvidenceError(shown, f"has more than {MAX_BYTES >> 20} MiB, which no evidence of this kind has.",
                         "Name a smaller export.")
