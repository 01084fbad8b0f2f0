"""Files beside a file: a path from its folder in, the file out, opened only when a reader asks.

A hive's transaction logs, the SYSTEM hive that knows the host's name, and the name of a GPO backup lie in other files
than what is being read. Names compare without case, because evidence comes from Windows and is read on file systems
that do not. On disk a path may lead upwards, also out of what the user named; in an archive it ends at its root.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from douse.harden.evidence.file import MAX_BYTES, EvidenceFile

_PARTS = 12
"""Longest path that is followed, in parts."""
_FOLDERS = 64
"""How many folders' names are kept."""


class Listings:
    """The names in folders as their folders spell them, by folded name: each folder is listed once in a run, of the
    last ones that were asked for, because a thousand files of one folder ask for it."""

    def __init__(self) -> None:
        self._known: dict[Path, dict[str, str]] = {}

    def spelled(self, folder: Path, part: str) -> str:
        """A name as the folder has it, the exact one first; KeyError where it has none."""
        if folder not in self._known:
            if len(self._known) >= _FOLDERS:
                del self._known[next(iter(self._known))]
            self._known[folder] = _names(folder)
        names = self._known[folder]
        return part if os.path.lexists(folder / part) else names[part.casefold()]


class OnDisk(Mapping[str, EvidenceFile]):
    """The files around a file on disk. Iterating lists those of its own folder."""

    def __init__(self, path: Path, listings: Listings) -> None:
        self._folder, self._listings = path.parent, listings

    def __getitem__(self, name: str) -> EvidenceFile:
        found = self._folder.absolute()
        parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
        for part in parts[:_PARTS]:
            found = found.parent if part == ".." else found / self._listings.spelled(found, part)
        try:
            if not found.is_file() or found.stat().st_size > MAX_BYTES:
                raise KeyError(name)
            return EvidenceFile(str(found), found.name, found.read_bytes(), found, OnDisk(found, self._listings))
        except OSError:
            raise KeyError(name) from None

    def __iter__(self) -> Iterator[str]:
        try:
            return iter(sorted(entry.name.casefold() for entry in os.scandir(self._folder) if entry.is_file()))
        except OSError:
            return iter(())

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _names(folder: Path) -> dict[str, str]:
    try:
        return {name.casefold(): name for name in sorted((entry.name for entry in os.scandir(folder)), reverse=True)}
    except OSError:
        return {}


class InArchive(Mapping[str, EvidenceFile]):
    """The files around a member of an archive: `names` are all members by folded path, `load` opens one."""

    def __init__(self, inner: str, names: Mapping[str, str], load: Callable[[str], EvidenceFile]) -> None:
        self._folder = inner.rpartition("/")[0]
        self._names, self._load = names, load

    def __getitem__(self, name: str) -> EvidenceFile:
        parts = [part for part in self._folder.split("/") if part]
        for part in name.replace("\\", "/").split("/"):
            if part == "..":
                if not parts:
                    raise KeyError(name)
                parts.pop()
            elif part not in ("", "."):
                parts.append(part)
        return self._load(self._names["/".join(parts).casefold()])

    def __iter__(self) -> Iterator[str]:
        prefix = f"{self._folder}/".casefold() if self._folder else ""
        return (name[len(prefix):] for name in self._names if name.startswith(prefix) and "/" not in name[len(prefix):])

    def __len__(self) -> int:
        return sum(1 for _ in self)
