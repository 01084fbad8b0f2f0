"""Read logs inside a tar: one pass from front to back, nothing is unpacked to disk, a member's name is provenance only.

The headers are parsed by the standard library (TarInfo.frombuf); walking from one to the next is ours, because
tarfile.open believes a header's sizes: a long name, a chain of headers or a sparse map of gigabytes would be read into
memory. Links, devices and folders hold nothing to read and are counted as ignored. A member whose header is damaged
is a Loss; the next header is looked for block by block. Members, their number and depth are bound as for zip.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import replace
from typing import BinaryIO, Final

from douse.model import Event, Loss, Source
from douse.telemetry.archive import UNPACK_IT, is_resource_fork, member_of, one_level_down, read_member
from douse.telemetry.coverage import Tally
from douse.telemetry.limits import MIB, Budget, Limits
from douse.telemetry.streams import Unpacking
from douse.telemetry.wanted import Wanted

_BLOCK: Final = tarfile.BLOCKSIZE
_MAGIC: Final = b"ustar"
_MAGIC_AT: Final = 257
_LONGEST_HEADER: Final = MIB
"""A member's long name or its extended attributes."""
_LONGEST_NAME: Final = 65_535  # as in a zip
_ATTRIBUTES: Final = (tarfile.XHDTYPE, tarfile.SOLARIS_XHDTYPE)
_EXTENDING: Final = (*_ATTRIBUTES, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
"""Headers that are followed by another, to which they add."""


class _Damaged(Exception):
    """A header that is none, or says something impossible."""


class _Walk:
    """The members of a tar: `next` gives a header, `read` what is left of its content."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._left = 0  # bytes of the member's content that were not read yet
        self._padding = 0
        self._again = b""  # a block that was looked at and is a header
        self.offset = 0
        self.cut_off = True  # until the end mark was seen, or somebody was told

    def next(self) -> tarfile.TarInfo | None:
        """The next member's header; None at the end. Raises _Damaged where there should be one and is none."""
        self._skip()
        extended = _Extended()
        while block := self._take(_BLOCK):
            if block == bytes(_BLOCK):
                self.cut_off = False
                if self._goes_on():  # a header that was wiped looks like the end mark
                    raise _Damaged
                return None
            header = _parsed(block)
            if header.type not in _EXTENDING:
                extended.apply(header)
                self._left = header.size if _has_content(header) else 0
                self._padding = -self._left % _BLOCK
                return header
            extended.learn(header.type, self._value(header.size))
        return None

    def read(self, size: int) -> bytes:
        """Up to `size` bytes of the member's content; raises EOFError where the file ends before."""
        data = self._take(min(size, self._left)) if self._left else b""
        if self._left and not data:
            self._left, self.cut_off = 0, False
            raise EOFError("the file ends inside it")
        self._left -= len(data)
        return data

    def find_next(self) -> bool:
        """Go to the next block that begins like a header, for `next` to look at. False at the end."""
        self._left = self._padding = 0
        while block := self._take(_BLOCK):
            if block[_MAGIC_AT:].startswith(_MAGIC):
                self._again = block
                return True
        return False

    def _goes_on(self) -> bool:
        """Whether anything but zeros comes after an end mark; if so, `find_next` begins with it."""
        while block := self._take(_BLOCK):
            if block.strip(b"\0"):
                self._again = block
                return True
        return False

    def _value(self, size: int) -> bytes:
        if size > _LONGEST_HEADER:
            raise _Damaged
        value = self._take(size)
        self._take(-size % _BLOCK)
        return value

    def _skip(self) -> None:
        """Go behind the member's content."""
        while self._left and (data := self._take(min(self._left, MIB))):
            self._left -= len(data)
        self._take(self._padding)
        self._left = self._padding = 0

    def _take(self, size: int) -> bytes:
        if size and self._again:
            block, self._again = self._again, b""
            return block
        data = self._stream.read(size) if size else b""
        self.offset += len(data)
        return data


class _Extended:
    """What the headers in front of a member's own say of it."""

    def __init__(self) -> None:
        self._name = ""
        self._size: int | None = None
        self._sparse = False

    def learn(self, kind: bytes, value: bytes) -> None:
        """A long name, or the attributes `27 path=...\\n`; those of the whole archive say nothing of a member."""
        if kind == tarfile.GNUTYPE_LONGNAME:
            self._name = value.rstrip(b"\0").decode("utf-8", "replace")
        while value and kind in _ATTRIBUTES:
            length, blank, _ = value[:21].partition(b" ")
            if not blank or not length.isdigit() or not len(length) < int(length) <= len(value):
                raise _Damaged
            key, _, text = value[len(length) + 1:int(length) - 1].partition(b"=")
            value = value[int(length):]
            if key == b"path":
                self._name = text.decode("utf-8", "replace")
            elif key == b"size" and text.isdigit() and len(text) < 20:
                self._size = int(text)
            self._sparse = self._sparse or key.startswith(b"GNU.sparse.")

    def apply(self, header: tarfile.TarInfo) -> None:
        """Correct a member's header."""
        header.name = (self._name or header.name)[:_LONGEST_NAME]
        if self._size is not None:
            header.size = self._size
        if self._sparse and header.isreg():
            header.type = tarfile.GNUTYPE_SPARSE


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of every member of a tar."""
    inner = one_level_down(source, tally, limits)
    if inner is None:
        return
    walk = _Walk(stream)
    members = 0
    while True:
        try:
            header = walk.next()
        except _Damaged:
            where = f"at byte {max(walk.offset - _BLOCK, 0)}"
            tally.lose(Loss(source, where, "damaged header of an archive member", None,
                            "Fetch the archive again; the members after it were looked for."))
            if walk.find_next():
                continue
            return
        if header is None:
            break
        members += 1
        if members > limits.max_members:
            tally.lose(Loss(source, f"member {members} and later", f"more than {limits.max_members} members", None,
                            UNPACK_IT))
            return
        yield from _read_one(walk, header, source, wanted, tally, inner)
    if walk.cut_off:
        tally.lose(Loss(source, f"at byte {walk.offset}", "the archive is cut off: its end mark is missing", None,
                        "Fetch the archive again; what came before was read."))


def _read_one(walk: _Walk, header: tarfile.TarInfo, source: Source, wanted: Wanted, tally: Tally,
              limits: Limits) -> Iterator[Event]:
    member = member_of(source, header.name)
    if header.type == tarfile.GNUTYPE_SPARSE:
        tally.lose(Loss(member, "", "sparse archive member, which is not read", None, UNPACK_IT))
    elif not header.isreg() or is_resource_fork(header.name):
        tally.ignored += 0 if header.isdir() else 1
    else:  # a tar packs nothing, so what unpacks to too much is judged where it was packed
        alone = replace(limits, budget=Budget(), max_unpacked=header.size)
        yield from read_member(Unpacking(walk.read, lambda: header.size, alone), member, wanted, tally, limits)


def _parsed(block: bytes) -> tarfile.TarInfo:
    try:
        header = tarfile.TarInfo.frombuf(block, "utf-8", "replace")
    except (tarfile.TarError, ValueError, IndexError, OverflowError):
        raise _Damaged from None
    if header.size < 0:
        raise _Damaged
    return header


def _has_content(header: tarfile.TarInfo) -> bool:
    """Whether blocks of content follow the header; an unknown type is taken for a regular file, as POSIX says."""
    return header.isreg() or header.type not in tarfile.SUPPORTED_TYPES or header.type == tarfile.GNUTYPE_SPARSE
