"""Turn the paths a user named into Units of work: one file each, in a fixed order, every file once.

A folder is walked; a link is followed once, so that a loop ends and a file named twice is read once. What cannot be
listed or does not exist becomes a Loss, never an exception: one bad path does not stop a run. The files themselves
are not opened here; what they are is decided by content when they are read (telemetry/readers.py).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from douse.hunt.options import STDIN
from douse.model import Loss, Source


@dataclass(frozen=True, slots=True)
class Unit:
    """One file to read; `named` says that the user named it himself and did not just name its folder."""

    path: str
    size: int
    named: bool

    @property
    def is_stdin(self) -> bool:
        """Whether this is standard input."""
        return self.path == STDIN


@dataclass(slots=True)
class Plan:
    """The files of a run in reading order, and what could not be listed."""

    units: list[Unit] = field(default_factory=list)
    losses: list[Loss] = field(default_factory=list)

    @property
    def total_bytes(self) -> int:
        """Bytes to read; 0 when standard input is among them, because nobody knows its size."""
        return 0 if any(unit.is_stdin for unit in self.units) else sum(unit.size for unit in self.units)


def make(paths: tuple[str, ...]) -> Plan:
    """List every file under the paths once, in the order named and by name within a folder."""
    plan, seen = Plan(), set[tuple[int, int]]()
    for path in paths:
        if path == STDIN:
            if not any(unit.is_stdin for unit in plan.units):
                plan.units.append(Unit(STDIN, 0, named=True))
        else:
            _add(Path(path), plan, seen, named=True)
    return plan


def _add(path: Path, plan: Plan, seen: set[tuple[int, int]], *, named: bool) -> None:
    """Add a file, or walk a folder; `stat` follows links, so device and inode tell what was there already."""
    try:
        status = path.stat()
        key = (status.st_dev, status.st_ino)
        if key in seen:
            return
        seen.add(key)
        if path.is_dir():
            for child in _children(path):
                _add(child, plan, seen, named=False)
        elif path.is_file():
            plan.units.append(Unit(str(path), status.st_size, named))
        elif named:
            plan.losses.append(_loss(path, "neither a file nor a folder", "Name a file, a folder or -."))
    except OSError as error:
        if named or not path.is_symlink():  # a dangling link inside a folder hides no evidence
            plan.losses.append(_loss(path, _reason(error), "Check the path and your rights to read it."))


def _children(folder: Path) -> Iterator[Path]:
    """What a folder holds, by name, so that two runs read in the same order."""
    with os.scandir(folder) as entries:
        names = sorted(entry.name for entry in entries)
    return (folder / name for name in names)


def _reason(error: OSError) -> str:
    return {
        FileNotFoundError: "no such file or folder",
        PermissionError: "no permission to read",
    }.get(type(error), (error.strerror or type(error).__name__).lower())


def _loss(path: Path, reason: str, next_step: str) -> Loss:
    return Loss(Source(str(path)), str(path), reason, None, next_step)
