"""A zip archive's members as files of evidence, unpacked in memory one at a time, bounded in number and size.

A member's name is only a name: nothing is written, so one that climbs out of the archive leads nowhere. A member that
is encrypted, damaged or a bomb is a Problem, and the others are still read. One archive may lie inside another. What no
reader wants is not unpacked beyond its start.
"""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import BinaryIO

from douse.errors import EvidenceError
from douse.harden.evidence.beside import InArchive
from douse.harden.evidence.file import MAX_BYTES, EvidenceFile
from douse.harden.gathered import Evidence

PEEK = 64 << 10
"""How many bytes of a file are read to choose its reader, before the whole is."""
MAX_MEMBERS = 100_000
MAX_LISTED = 300_000
"""Members that are read, and members whose mere list is: it costs 0.7 KB of memory for each."""
MAX_UNPACKED = 4 << 30
"""Bytes of all members together: the hives of a few hosts, or the GPO backups of a domain."""
MAX_RATIO, RATIO_FROM = 200, 64 << 20
"""A member that unpacks to more than so many times its size is a bomb; small ones may."""

_ERRORS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError)
"""What the library raises on damage; NotImplementedError is an unknown method."""

_ENCRYPTED = 1
_ENTRY = 110
"""Bytes of a member in the list, with a path of 64."""
_TAIL = 66_000
"""Bytes at an archive's end in which its last records lie: a comment of up to 65,535, and they themselves."""
_UNPACK = "Unpack it yourself, if you trust it, and name the folder."


def looks(file: EvidenceFile) -> bool:
    """Whether a file is a zip archive."""
    return file.data[:4] in (b"PK\x03\x04", b"PK\x05\x06")


Wants = Callable[[EvidenceFile], bool]
"""Whether a reader wants a file, of which the start is enough."""


def members(stream: BinaryIO, shown: str, evidence: Evidence, wants: Wants, depth: int = 2) -> Iterator[EvidenceFile]:
    """The members by path: whole those that a reader wants, of others the start. Raises EvidenceError where the archive
    cannot be opened."""
    if (count := _listed(stream)) > MAX_LISTED:
        raise EvidenceError(shown, f"has {count:,} members, which no collection of evidence has.", _UNPACK)
    try:
        archive = zipfile.ZipFile(stream)
    except _ERRORS:
        raise EvidenceError(shown, "is a damaged zip: its list of members cannot be read.",
                            "Fetch it again, or repair it with `zip -FF`.") from None
    with archive:
        yield from _Archive(shown, archive, wants).members(evidence, depth)


def _listed(stream: BinaryIO) -> int:
    """How many members an archive has by its last record, before a list of millions is made of them; 0 where it has
    none. The number may be a lie; the size of the list, by which the library reads it, is none."""
    try:
        size = stream.seek(0, io.SEEK_END)
        stream.seek(max(0, size - _TAIL))
        tail = stream.read(_TAIL)
        stream.seek(0)
    except OSError:
        return 0
    at, wide = tail.rfind(b"PK\x05\x06"), tail.rfind(b"PK\x06\x06")
    if wide >= 0:
        count, listed = tail[wide + 32:wide + 40], tail[wide + 40:wide + 48]
    else:
        count, listed = tail[at + 10:at + 12], tail[at + 12:at + 16]
    return max(int.from_bytes(count, "little"), int.from_bytes(listed, "little") // _ENTRY) if max(at, wide) >= 0 else 0


@dataclass(slots=True)
class _Archive:
    """An open archive: its members by folded path, and what was unpacked so far."""

    shown: str
    archive: zipfile.ZipFile
    wants: Wants
    infos: dict[str, zipfile.ZipInfo] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    unpacked: int = 0

    def members(self, evidence: Evidence, depth: int) -> Iterator[EvidenceFile]:
        listed = self.archive.infolist()
        if len(listed) > MAX_MEMBERS:
            evidence.lost(self.shown, f"has more than {MAX_MEMBERS} members; the rest was left out.", _UNPACK)
        twice = 0
        for info in listed[:MAX_MEMBERS]:
            name = info.filename.replace("\\", "/")
            if not name.endswith("/"):
                twice += name in self.infos
                self.infos[name] = info
                self.names[name.casefold()] = name
        if twice:
            evidence.lost(self.shown, f"has {twice} members of a name that another one has too; the last was read.",
                          _UNPACK)
        for name in sorted(self.infos):
            try:
                yield from self._member(name, evidence, depth)
            except EvidenceError as error:
                evidence.lost(error.where, error.what, error.next_step)

    def _member(self, name: str, evidence: Evidence, depth: int) -> Iterator[EvidenceFile]:
        start = self._load(name, PEEK)
        if not looks(start):
            yield self._load(name) if self.wants(start) else start
        elif depth > 1:
            inner = self._load(name)
            yield from members(io.BytesIO(inner.data), inner.shown, evidence, self.wants, depth - 1)
        else:
            evidence.lost(start.shown, "archives lie too deep inside each other.", _UNPACK)

    def _load(self, name: str, peek: int | None = None) -> EvidenceFile:
        shown = f"{self.shown}!{name}"
        return EvidenceFile(shown, name, self._data(shown, self.infos[name], peek),
                            siblings=InArchive(name, self.names, self._again))

    def _again(self, name: str) -> EvidenceFile:
        """A member that another one asks for; damage is as if it were not there, and told when its turn comes."""
        try:
            return self._load(name)
        except EvidenceError:
            raise KeyError(name) from None

    def _data(self, shown: str, info: zipfile.ZipInfo, peek: int | None) -> bytes:
        if info.flag_bits & _ENCRYPTED:
            raise EvidenceError(shown, "this member is encrypted.", "Unpack it with its password and name the folder.")
        limit = min(MAX_BYTES, max(info.compress_size * MAX_RATIO, RATIO_FROM), MAX_UNPACKED - self.unpacked)
        try:
            with self.archive.open(info) as stream:
                data = stream.read(max(limit, 0) + 1 if peek is None else peek)
        except _ERRORS as error:
            raise EvidenceError(shown, f"this member cannot be unpacked: {str(error)[:120]}.", _UNPACK) from None
        self.unpacked += len(data)
        if peek is None and len(data) > limit:
            raise EvidenceError(shown, f"this member unpacks to more than {max(limit, 0)} bytes and was left out.",
                                _UNPACK)
        return data
