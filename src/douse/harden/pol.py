r"""registry.pol, the file in which Group Policy keeps registry values: bytes <-> entries ([MS-GPREG] 2.2.1).

    b"PReg" 01 00 00 00   then for each value, in UTF-16LE:   [key NUL;name NUL;type;size;data]

Read by its lengths, not by its brackets: keys, names and data may hold `]`, `;` and line ends, and a DWORD of 10 looks
like one. A file that is damaged yields every entry before the damage, and where it began. What the special names mean
(`**del.NAME` and others) is `effects`; entries keep them as they stand, so that writing gives the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from douse.errors import EvidenceError
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import NUMBERS, decode, encode, text_of

MAGIC = b"PReg\x01\x00\x00\x00"
_OPEN, _SEMICOLON, _CLOSE = b"[\0", b";\0", b"]\0"


@dataclass(frozen=True, slots=True)
class PolEntry:
    """One entry: key (without a hive), name, the type's number, and the data's bytes."""

    key: str
    name: str
    type: int
    data: bytes

    @classmethod
    def of(cls, key: str, name: str, value: RegistryValue) -> PolEntry:
        """An entry that sets a value; ValueError where its data is not of its type."""
        return cls(key, name, NUMBERS[value.type], encode(value))

    @property
    def value(self) -> RegistryValue:
        """What the entry sets."""
        return decode(self.type, self.data)


@dataclass(frozen=True, slots=True)
class PolFile:
    """The entries of a file in order. `damaged_at` is the offset from which on nothing could be read, with `damage` in
    words; None and "" where the file is sound."""

    entries: tuple[PolEntry, ...]
    damaged_at: int | None = None
    damage: str = ""


MAX_ENTRIES = 500_000
"""Of one file; a large security baseline has some 1,000."""


class _Damaged(Exception):
    """An entry cannot be read."""


def read(data: bytes, where: str) -> PolFile:
    """The entries of a registry.pol. Raises EvidenceError where it is none."""
    if data[:4] != MAGIC[:4]:
        raise EvidenceError(where, "this is no registry.pol: it does not begin with PReg.", "Name the right file.")
    if data[4:8] != MAGIC[4:]:
        raise EvidenceError(where, f"version {data[4:8].hex()} of registry.pol is unknown, or the file is cut off.",
                            "Fetch it again; Windows writes version 1.")
    entries: list[PolEntry] = []
    at = len(MAGIC)
    try:
        while at < len(data):
            if len(entries) >= MAX_ENTRIES:
                return PolFile(tuple(entries), at, f"there are more than {MAX_ENTRIES} entries")
            entry, at = _entry(data, at)
            entries.append(entry)
    except _Damaged as damage:
        return PolFile(tuple(entries), at, str(damage))
    return PolFile(tuple(entries))


def write(entries: Iterable[PolEntry]) -> bytes:
    """A registry.pol of these entries. Raises ValueError on a NUL in a key or name."""
    parts = [MAGIC]
    for entry in entries:
        if "\0" in entry.key + entry.name:
            raise ValueError(f"a key or a name holds a NUL: {entry.key!r} {entry.name!r}")
        parts += [_OPEN, _text(entry.key), _SEMICOLON, _text(entry.name), _SEMICOLON, struct.pack("<I", entry.type),
                  _SEMICOLON, struct.pack("<I", len(entry.data)), _SEMICOLON, entry.data, _CLOSE]
    return b"".join(parts)


@dataclass(frozen=True, slots=True)
class Effect:
    """What an entry does. `kind` is `set` (a value), `delete` (a value), `clear` (all values of a key), `prune` (a key
    with all below it), `soft` (a value that is set only where there is none), or `nothing` (a key is made; a comment,
    or permissions, which say nothing of values)."""

    kind: str
    key: str
    name: str = ""
    value: RegistryValue | None = None


def effects(entry: PolEntry) -> Iterator[Effect]:
    """What an entry does to the registry ([MS-GPREG] 3.2.5.1: the names that begin with `**` are instructions)."""
    folded = entry.name.casefold()
    if not folded.startswith("**"):
        marker = not entry.name and not entry.data and entry.type == 0
        yield Effect("nothing" if marker else "set", entry.key, entry.name, None if marker else entry.value)
    elif folded.startswith("**del."):
        yield Effect("delete", entry.key, entry.name[6:])
    elif folded.startswith("**delvals"):
        yield Effect("clear", entry.key)
    elif folded.startswith("**deletevalues"):
        yield from (Effect("delete", entry.key, name) for name in _listed(entry))
    elif folded.startswith("**deletekeys"):
        yield from (Effect("prune", f"{entry.key}\\{name}".strip("\\")) for name in _listed(entry))
    elif folded.startswith("**soft."):
        yield Effect("soft", entry.key, entry.name[7:], entry.value)
    else:
        yield Effect("nothing", entry.key, entry.name)


def _listed(entry: PolEntry) -> list[str]:
    """The names in the data of an instruction."""
    return [name.strip() for name in text_of(entry.data).split(";") if name.strip()]


def _entry(data: bytes, at: int) -> tuple[PolEntry, int]:
    """The entry at an offset, and where the next one begins."""
    at = _expect(data, at, _OPEN)
    key, at = _until_nul(data, at)
    name, at = _until_nul(data, _expect(data, at, _SEMICOLON))
    type_, at = _number(data, _expect(data, at, _SEMICOLON))
    size, at = _number(data, _expect(data, at, _SEMICOLON))
    at = _expect(data, at, _SEMICOLON)
    if size > len(data) - at:
        raise _Damaged(f"an entry's data of {size} bytes ends behind the file's end")
    value = data[at:at + size]
    return PolEntry(key, name, type_, value), _expect(data, at + size, _CLOSE)


def _expect(data: bytes, at: int, mark: bytes) -> int:
    if data[at:at + 2] != mark:
        what = "the file ends inside an entry" if at + 2 > len(data) else f"{mark[:1].decode()!r} is missing at {at}"
        raise _Damaged(what)
    return at + 2


def _until_nul(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0\0", at)
    while end >= 0 and (end - at) % 2:
        end = data.find(b"\0\0", end + 1)
    if end < 0:
        raise _Damaged("the file ends inside a key or a name")
    return data[at:end].decode("utf-16-le", "surrogatepass"), end + 2


def _number(data: bytes, at: int) -> tuple[int, int]:
    if at + 4 > len(data):
        raise _Damaged("the file ends inside an entry")
    return int.from_bytes(data[at:at + 4], "little"), at + 4


def _text(text: str) -> bytes:
    return (text + "\0").encode("utf-16-le", "surrogatepass")
