"""A registry hive's bytes as keys and values, read with limits: only what is asked for, and never forever.

regipy reads headers, key nodes and lists of subkeys. Values are read here, because regipy copies the rest of the file
for each value of up to four bytes (2 ms each in a hive of 28 MB), and because their bytes must stay exact. A hive may
be damaged or made to harm: a key that was seen is not entered again, and nodes, values and bytes are counted. What
cannot be read is in `damage`; then nothing may be said to be absent there.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import islice

from construct import ConstructError  # type: ignore[import-untyped]  # the library has no types
from regipy.exceptions import RegipyException
from regipy.registry import Cell, NKRecord
from regipy.structs import REGF_HEADER

from douse.errors import EvidenceError

MAGIC = b"regf"
MAX_NODES = 500_000
"""Key nodes that are looked at in one hive; a busy server's SOFTWARE has some 40,000 in the lists we need."""
MAX_DEPTH = 64
MAX_VALUES = 50_000
"""Of one key; a large firewall has some 3,000 rules."""
MAX_DATA = 4 << 20
MAX_TOTAL = 256 << 20
"""Bytes of one value, and of all values of a hive."""

_BINS = 4096
"""Where the bins begin, from which offsets count."""
_NOWHERE = 0xFFFFFFFF
_INLINE = 0x80000000
_PART = 16344
_NODE = 76
"""Bytes of a key node before its name."""
_VALUE = struct.Struct("<2sHIIIHH")
_ERRORS = (ConstructError, RegipyException, ValueError, OverflowError, struct.error)
"""What regipy and its parser raise on damage; a UnicodeDecodeError is a ValueError."""


@dataclass(frozen=True, slots=True)
class HiveValue:
    """A value: its name, the number of its type, and its bytes."""

    name: str
    type: int
    data: bytes


@dataclass(frozen=True, slots=True)
class HiveKey:
    """A key: its path below the hive's root as the hive spells it, and its node."""

    path: str
    at: int
    node: NKRecord = field(repr=False, compare=False)


class Hive:
    """An opened hive. `dirty` says that Windows had not written everything when it was copied."""

    def __init__(self, data: bytes, where: str) -> None:
        """Raises EvidenceError where the bytes are no hive, or its root cannot be read."""
        self._data, self._where = data, where
        self._stream = io.BytesIO(data)
        self._children: dict[int, dict[str, HiveKey]] = {}
        self._nodes, self._bytes = 0, 0
        self.damage: list[str] = []
        try:
            header = REGF_HEADER.parse(data[:_BINS])
            self.root = HiveKey("", header.root_key_offset, self._node(header.root_key_offset))
        except _ERRORS:
            raise EvidenceError(where, "is a damaged registry hive: its header or its root key cannot be read.",
                                "Copy it again with its .LOG1 and .LOG2, or use reg save.") from None
        self.dirty = header.primary_sequence_num != header.secondary_sequence_num
        self.sequence = int(header.secondary_sequence_num)
        self.file_name = str(header.file_name)
        if header.hive_bins_data_size > len(data) - _BINS:
            self.doubt(f"the file ends early: {len(data) - _BINS} of {header.hive_bins_data_size} bytes are there")

    def key(self, path: str) -> HiveKey | None:
        """The key of a path below the root, without case; None where there is none."""
        found: HiveKey | None = self.root
        for part in filter(None, path.split("\\")):
            found = self.children(found).get(part.casefold()) if found is not None else None
        return found

    def children(self, key: HiveKey) -> dict[str, HiveKey]:
        """A key's subkeys by folded name."""
        if key.at not in self._children:
            found, count = dict[str, HiveKey](), 0
            with suppress(*_ERRORS):  # told by the count, as is a list that regipy does not know and passes over
                for node in islice(_nodes_below(key.node), MAX_NODES):
                    self._nodes += 1
                    if self._nodes > MAX_NODES:
                        self.doubt(f"more than {MAX_NODES} keys")
                        break
                    if self._is_node(node):
                        name, count = _name_of(node), count + 1
                        found.setdefault(name.casefold(), HiveKey(f"{key.path}\\{name}".strip("\\"), self._at(), node))
            if count != int(key.node.header.subkey_count):
                self.doubt(f"the subkeys of {key.path or 'the root'} cannot all be read")
            self._doubt_link(key)
            self._children[key.at] = found
        return self._children[key.at]

    def below(self, key: HiveKey) -> Iterator[HiveKey]:
        """A key and all keys under it, in order. A key that lies under itself is damage."""
        waiting, seen = [(key, 0)], set[int]()
        while waiting:
            one, depth = waiting.pop()
            if one.at in seen or depth > MAX_DEPTH:
                self.doubt(f"keys lie in each other without end at {one.path}")
                continue
            seen.add(one.at)
            yield one
            waiting.extend((child, depth + 1) for child in reversed(self.children(one).values()))

    def values(self, key: HiveKey) -> list[HiveValue]:
        """A key's values. One that cannot be read is damage, and the others are kept."""
        self._doubt_link(key)
        header = key.node.header
        count = int(header.values_count)
        if not count:
            return []
        listed = self._cell(int(header.values_list_offset), min(count, MAX_VALUES) * 4)
        if len(listed) < count * 4:
            self.doubt(f"{count} values of {key.path} cannot all be read")
        found: list[HiveValue] = []
        for (at,) in struct.iter_unpack("<I", listed[:len(listed) & ~3]):
            value = self._value(at)
            if value is None:
                self.doubt(f"a value of {key.path} cannot be read")
            else:
                found.append(value)
        return found

    def value(self, path: str, name: str) -> HiveValue | None:
        """A value by its key's path and its name, without case."""
        key = self.key(path)
        values = self.values(key) if key is not None else []
        return next((value for value in values if value.name.casefold() == name.casefold()), None)

    def _value(self, at: int) -> HiveValue | None:
        head = self._cell(at, _VALUE.size)
        if len(head) < _VALUE.size:
            return None
        mark, length, size, data_at, type_, flags, _ = _VALUE.unpack(head)
        name = self._cell(at, _VALUE.size + length)[_VALUE.size:]
        if mark != b"vk" or len(name) < length:
            return None
        data = self._bytes_of(size, data_at)
        return None if data is None else HiveValue(_name(name, narrow=bool(flags & 1)), type_, data)

    def _bytes_of(self, size: int, at: int) -> bytes | None:
        """A value's data: in the offset itself, in one cell, or in several ("db"). None where it is not all there."""
        if size & _INLINE:
            return struct.pack("<I", at)[:size ^ _INLINE] if size ^ _INLINE <= 4 else None
        if size > MAX_DATA or self._bytes + size > MAX_TOTAL:
            return None
        self._bytes += size
        if size > _PART and self._cell(at, 2) == b"db":
            return self._parts(size, at)
        data = self._cell(at, size)
        return data if len(data) == size else None

    def _parts(self, size: int, at: int) -> bytes | None:
        head = self._cell(at, 8)
        if len(head) < 8:
            return None
        _, count, listed_at = struct.unpack("<2sHI", head)
        listed = self._cell(listed_at, count * 4)
        left, parts = size, list[bytes]()
        for (part_at,) in struct.iter_unpack("<I", listed[:len(listed) & ~3]):
            parts.append(self._cell(part_at, min(left, _PART)))
            left -= len(parts[-1])
            if left <= 0:
                break
        return b"".join(parts) if left == 0 else None

    def _cell(self, at: int, size: int) -> bytes:
        """Bytes of the cell at an offset, without its size field; fewer where the file ends."""
        start = _BINS + at + 4
        return b"" if at == _NOWHERE else self._data[start:start + size]

    def _node(self, at: int) -> NKRecord:
        node: NKRecord = _new_node(Cell(offset=_BINS + at + 6, cell_type="nk", size=0), self._stream)
        if self._cell(at, 2) != b"nk":
            raise ValueError("no key node")
        return node

    def _at(self) -> int:
        """Where the node is that regipy has just read: it leaves the stream behind the node's name."""
        return self._stream.tell()

    def _is_node(self, node: NKRecord) -> bool:
        """Whether a key node lies where regipy has just read one; it does not ask."""
        at = self._at() - len(node.header.key_name_string) - _NODE
        return self._data[max(at, 0):at + 2] == b"nk"

    def _doubt_link(self, key: HiveKey) -> None:
        if key.node.header.flags.KEY_SYM_LINK:
            self.doubt(f"{key.path} is a link to another key, which is not followed")

    def doubt(self, what: str) -> None:
        """Something of the hive cannot be read, or not be trusted."""
        if what not in self.damage and len(self.damage) < 20:
            self.damage.append(what)


_new_node: Callable[[Cell, io.BytesIO], NKRecord] = NKRecord
_nodes_below: Callable[[NKRecord], Iterator[NKRecord]] = NKRecord.iter_subkeys
"""regipy's own have no types; these give them some."""


def _name_of(node: NKRecord) -> str:
    return _name(node.header.key_name_string, narrow=bool(node.header.flags.KEY_COMP_NAME))


def _name(data: bytes, *, narrow: bool) -> str:
    return data.decode("latin-1") if narrow else data[:len(data) & ~1].decode("utf-16-le", "surrogatepass")
