"""Turn the paths a user named into Units of work: a file or a range of a big one, in a fixed order, every file once.

A folder is walked; a link is followed once, so that a loop ends and a file named twice is read once. What cannot be
listed or does not exist becomes a Loss, never an exception: one bad path does not stop a run. What a file is, is
decided by its content when it is read (telemetry/readers.py); only of big files a few headers are read here. A file is
cut the same way whatever the number of jobs, so that the result does not depend on it.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field, replace
from pathlib import Path

from douse.errors import EvidenceError
from douse.hunt.options import STDIN
from douse.model import Loss, Source
from douse.telemetry import ChunkRange, parts
from douse.telemetry.chunks import WHOLE

CHUNKS_A_UNIT = 512
"""Into ranges of how many chunks a big EVTX file is cut: 32 MiB, which cost one process a second or more."""
_PACKED = (".zip", ".gz", ".tgz", ".bz2", ".tbz", ".tbz2", ".xz", ".txz")


@dataclass(frozen=True, slots=True)
class Unit:
    """One file to read, or the part of it that one process reads; `size` is the whole file's.

    `named` says that the user named it himself and did not just name its folder. A `regular` file can be read twice;
    a pipe, a device or standard input only once, and its size is unknown.
    """

    path: str
    size: int
    named: bool
    regular: bool = True
    part: ChunkRange = WHOLE

    @property
    def is_stdin(self) -> bool:
        """Whether this is standard input."""
        return self.path == STDIN

    @property
    def weight(self) -> int:
        """About how many bytes there are to read, so that the largest can begin first; logs pack tenfold or better."""
        end = self.size if self.part.end is None else ChunkRange(self.part.end).offset
        return max(end - self.part.offset, 0) * (10 if self.path.lower().endswith(_PACKED) else 1)


@dataclass(slots=True)
class Plan:
    """The files of a run in reading order, and what could not be listed."""

    units: list[Unit] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    @property
    def total_bytes(self) -> int:
        """Bytes to read; 0 when a pipe or standard input is among them, because nobody knows its size."""
        known = all(unit.regular or not unit.named for unit in self.units)
        return sum(unit.size for unit in self.units if unit.part.first == 0) if known else 0

    def refuse_losses(self) -> None:
        """Raise EvidenceError for the first path that could not be listed, as a strict run asks."""
        for loss in self.losses:
            raise EvidenceError(str(loss.source), f"{loss.reason}.", loss.next_step)


def make(paths: tuple[str, ...]) -> Plan:
    """List every file under the paths once, in the order named and by name within a folder."""
    plan, seen = Plan(), set[object]()
    for path in paths:
        if path == STDIN:
            if not any(unit.is_stdin for unit in plan.units):
                plan.units.append(Unit(STDIN, 0, named=True, regular=False))
        else:
            _walk(Path(path), plan, seen)
    plan.units = [part for unit in plan.units for part in _ranges(unit)]
    return plan


def _ranges(unit: Unit) -> list[Unit]:
    """A unit for each range of a big EVTX file; other units as they are."""
    if not unit.regular or unit.size <= ChunkRange(CHUNKS_A_UNIT).offset:
        return [unit]
    return [replace(unit, part=part) for part in parts(Path(unit.path), CHUNKS_A_UNIT)]


def _walk(start: Path, plan: Plan, seen: set[object]) -> None:
    """Add a file, or everything below a folder, however deep: a stack of our own has no recursion limit."""
    waiting = [start]
    while waiting:
        path = waiting.pop()
        try:
            waiting.extend(_add(path, plan, seen, named=path is start))
        except OSError as error:
            if path is start or not path.is_symlink():  # a dangling link inside a folder hides no evidence
                plan.losses.append(_loss(path, _reason(error), "Check the path and your rights to read it."))


def _add(path: Path, plan: Plan, seen: set[object], *, named: bool) -> list[Path]:
    """Add a file; what is in a folder is returned, last name first. `stat` follows links, so a loop comes back to
    the same device and inode; a file system without inodes has only the resolved name."""
    status = path.stat()
    key = (status.st_dev, status.st_ino) if status.st_ino else path.resolve()
    if key in seen:
        return []
    seen.add(key)
    if stat.S_ISDIR(status.st_mode):
        return _children(path)
    regular = stat.S_ISREG(status.st_mode)
    if regular or stat.S_ISFIFO(status.st_mode) or not named:  # what is no file in a folder, the reader ignores
        plan.units.append(Unit(str(path), status.st_size if regular else 0, named, regular))
    else:
        plan.losses.append(_loss(path, "neither a file, a folder nor a pipe", "Name a file, a folder or -."))
    return []


def _children(folder: Path) -> list[Path]:
    """What a folder holds, by name from the last to the first, so that two runs read in the same order."""
    with os.scandir(folder) as entries:
        return [folder / name for name in sorted((entry.name for entry in entries), reverse=True)]


def _reason(error: OSError) -> str:
    return {
        FileNotFoundError: "no such file or folder",
        PermissionError: "no permission to read",
    }.get(type(error), (error.strerror or type(error).__name__).lower())


def _loss(path: Path, reason: str, next_step: str) -> Loss:
    return Loss(Source(str(path)), str(path), reason, None, next_step)
