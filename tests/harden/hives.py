"""Registry hives from nothing, for tests: a tree of keys in, the bytes of a sound hive file out; transaction logs too.

Written from the public description of the format (header, bins, cells `nk`, `lf`, `ri`, `vk`, `db`, `sk`); hivexsh
reads what is written here (test_hive.py), so that the tests do not only agree with themselves.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

SZ, EXPAND_SZ, BINARY, DWORD, MULTI_SZ, QWORD = 1, 2, 3, 4, 7, 11
BIG = 16344
"""Data beyond so many bytes lies in several cells."""

_LEAF = 500
"""Subkeys in one list; more make several lists and an index of them, as in Windows' hives."""


@dataclass
class Key:
    """A key: values as name -> (type, bytes), and subkeys by name."""

    values: dict[str, tuple[int, bytes]] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    spelled: dict[str, str] = field(default_factory=dict)

    def make(self, path: str) -> Key:
        """The key of a path below it, made where it is not there."""
        key = self
        for part in path.split("\\"):
            key = key.keys.setdefault(key.spelled.setdefault(part.casefold(), part), Key())
        return key

    def set(self, path: str, name: str, value: int | str | bytes | Sequence[str], type_: int | None = None) -> Key:
        """Set a value of a key below it; the type is the one that fits, unless given. Gives itself back."""
        if isinstance(value, int):
            made = type_ or DWORD, value.to_bytes(8 if type_ == QWORD else 4, "little")
        elif isinstance(value, str):
            made = type_ or SZ, (value + "\0").encode("utf-16-le")
        elif isinstance(value, bytes):
            made = type_ or BINARY, value
        else:
            made = type_ or MULTI_SZ, ("".join(f"{text}\0" for text in value) + "\0").encode("utf-16-le")
        self.make(path).values[name] = made
        return self


def hive(root: Key, file_name: str = "", *, sequences: tuple[int, int] = (1, 1)) -> bytes:
    """The bytes of a hive. `sequences` that differ make it dirty; `file_name` is what its header calls it."""
    cells = _Cells()
    start = cells.add(bytes(76 + len("ROOT")))  # where Windows, and who relies on it, expects the root
    descriptor = struct.pack("<BBHIIII", 1, 0, 0x8000, 0, 0, 0, 0)
    security = cells.add(b"sk\0\0" + struct.pack("<IIII", 0, 0, 1, 20) + descriptor)
    struct.pack_into("<II", cells.data, security + 8, security, security)
    at = _write(cells, root, "ROOT", 0xFFFFFFFF, security, start)
    bins = cells.bins()
    header = struct.pack("<4sIIQIIIIIII", b"regf", *sequences, 133_000_000_000_000_000, 1, 5, 0, 1, at, len(bins), 1)
    header = (header + file_name.encode("utf-16-le")[-62:].ljust(64, b"\0")).ljust(508, b"\0")
    return (header + _checksum(header)).ljust(4096, b"\0") + bins


def log(data: bytes, pages: Mapping[int, bytes], sequence: int) -> bytes:
    """A transaction log of a hive: one block that writes these pages (offset into the bins -> bytes)."""
    header = bytearray(data[:512])
    struct.pack_into("<II", header, 4, sequence, sequence)
    struct.pack_into("<I", header, 28, 6)
    return bytes(header) + log_block(pages, sequence, struct.unpack_from("<I", data, 40)[0])


def log_block(pages: Mapping[int, bytes], sequence: int, bins: int) -> bytes:
    """One block of a log. Its hashes are zero: nothing here checks them."""
    table = b"".join(struct.pack("<II", at, len(page)) for at, page in pages.items())
    size = -(-(40 + len(table) + sum(map(len, pages.values()))) // 512) * 512
    head = struct.pack("<4sIIIIIQQ", b"HvLE", size, 0, sequence, bins, len(pages), 0, 0)
    return (head + table + b"".join(pages.values())).ljust(size, b"\0")


def changed(old: bytes, new: bytes) -> dict[int, bytes]:
    """The 512-byte pages in which two hives' bins differ, as a log holds them."""
    return {at - 4096: new[at:at + 512] for at in range(4096, len(new), 512) if old[at:at + 512] != new[at:at + 512]}


def _checksum(header: bytes) -> bytes:
    total = 0
    for (word,) in struct.iter_unpack("<I", header[:508]):
        total ^= word
    return struct.pack("<I", {0: 1, 0xFFFFFFFF: 0xFFFFFFFE}.get(total, total))


class _Cells:
    """The cells of one big bin. Offsets are those of the format: from the first bin on."""

    def __init__(self) -> None:
        self.data = bytearray(32)

    def add(self, content: bytes) -> int:
        """Put a cell behind the others; where it is."""
        size = -(-(len(content) + 4) // 8) * 8
        at = len(self.data)
        self.data += struct.pack("<i", -size) + content.ljust(size - 4, b"\0")
        return at

    def bins(self) -> bytes:
        """All of it as one bin; what is left of its last page is a free cell."""
        free = -len(self.data) % 4096
        if free:
            self.data += struct.pack("<i", free).ljust(free, b"\0")
        struct.pack_into("<4sIIIIQI", self.data, 0, b"hbin", 0, len(self.data), 0, 0, 0, 0)
        return bytes(self.data)


def _write(cells: _Cells, key: Key, name: str, parent: int, security: int, at: int = 0) -> int:
    """Put a key and all below it into cells; where it is. `at` is where the root's cell waits for it."""
    coded, narrow = _name(name)
    node, is_root = bytearray(76 + len(coded)), bool(at)
    at = at or cells.add(bytes(node))
    children = sorted(key.keys.items(), key=lambda item: item[0].upper())
    offsets = [(_write(cells, child, called, at, security), called) for called, child in children]
    values = [_value(cells, called, *value) for called, value in key.values.items()]
    listed = cells.add(struct.pack(f"<{len(values)}I", *values)) if values else 0xFFFFFFFF
    flags = (0x20 if narrow else 0) | (0x0C if is_root else 0)
    below = _list(cells, offsets) if children else 0xFFFFFFFF
    largest = max((len(data) for _, data in key.values.values()), default=0)
    struct.pack_into("<2sHQIIIIIIIIIIIIIIIHH", node, 0, b"nk", flags, 133_000_000_000_000_000, 0, parent,
                     len(children), 0, below, 0xFFFFFFFF, len(values), listed, security, 0xFFFFFFFF,
                     _longest([called for called, _ in children]), 0, _longest([*key.values]), largest, 0,
                     len(coded), 0)
    node[76:] = coded
    cells.data[at + 4:at + 4 + len(node)] = node
    return at


def _longest(names: Sequence[str]) -> int:
    return max((len(name.encode("utf-16-le")) for name in names), default=0)


def _name(name: str) -> tuple[bytes, bool]:
    try:
        return name.encode("latin-1"), True
    except UnicodeEncodeError:
        return name.encode("utf-16-le"), False


def _list(cells: _Cells, offsets: Sequence[tuple[int, str]]) -> int:
    leaves = [cells.add(struct.pack("<2sH", b"lf", len(part)) + b"".join(
        struct.pack("<I4s", at, _name(name)[0][:4]) for at, name in part))
        for part in (offsets[start:start + _LEAF] for start in range(0, len(offsets), _LEAF))]
    if len(leaves) == 1:
        return leaves[0]
    return cells.add(struct.pack(f"<2sH{len(leaves)}I", b"ri", len(leaves), *leaves))


def _value(cells: _Cells, name: str, type_: int, data: bytes) -> int:
    coded, narrow = _name(name)
    size, at = len(data), 0
    if size <= 4:
        at, size = int.from_bytes(data.ljust(4, b"\0"), "little"), size | 0x80000000
    elif size > BIG:
        parts = [cells.add(data[start:start + BIG]) for start in range(0, size, BIG)]
        at = cells.add(struct.pack("<2sHI", b"db", len(parts), cells.add(struct.pack(f"<{len(parts)}I", *parts))))
    else:
        at = cells.add(data)
    head = struct.pack("<2sHIIIHH", b"vk", len(coded), size, at, type_, int(narrow and bool(name)), 0)
    return cells.add(head + coded)
