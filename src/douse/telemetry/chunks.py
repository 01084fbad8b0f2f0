"""What an EVTX file says it holds: its bytes in, its 64 KiB chunks with the number of records each states out.

The evtx library ends a chunk quietly where a record header is zeroed, and drops a truncated chunk without a word, so
the chunk headers are the only witness of what should be there. A chunk whose header is destroyed is inferred from its
neighbours: record numbers run on, so between a chunk that ends at 701 and one that starts at 832, 130 are missing.
One pass, one chunk in memory; evtx.py reads the chunks, and `expected_records` only counts them, by the same rules.
`split` cuts a big file into ranges that several processes can read: each begins behind a chunk whose header is sound,
so the surveys of all ranges, one after the other, are the survey of the file, gaps included.

Layout used (all little-endian). File header: "ElfFile", next record number at 24, chunk count at 42, flags at 120
(1 = dirty, was not closed, so its numbers are stale), CRC32 of the first 120 bytes at 124. Chunk header: "ElfChnk",
first and last record number at 8 and 16, the same as record ids at 24 and 32.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

FILE_MAGIC: Final = b"ElfFile\x00"
CHUNK_MAGIC: Final = b"ElfChnk\x00"
RECORD_MAGIC: Final = b"\x2a\x2a\x00\x00"
FILE_HEADER_SIZE: Final = 4096
CHUNK_SIZE: Final = 65536
MAX_RECORDS: Final = (CHUNK_SIZE - 512) // 28
"""No chunk can hold more: a record has 28 bytes around its content. A header that states more is damaged."""

_DIRTY: Final = 1
_NO_NUMBER: Final = 0xFFFF_FFFF_FFFF_FFFF


@dataclass(frozen=True, slots=True)
class FileHeader:
    """The file header's figures, None where the header is damaged or the log was not closed properly."""

    intact: bool
    chunks: int | None = None
    next_record: int | None = None

    @classmethod
    def parse(cls, data: bytes) -> FileHeader:
        """Read a file header of 4096 bytes."""
        if data[:8] != FILE_MAGIC or len(data) < FILE_HEADER_SIZE:
            return cls(intact=False)
        next_record, chunks = struct.unpack_from("<Q", data, 24)[0], struct.unpack_from("<H", data, 42)[0]
        flags, checksum = struct.unpack_from("<II", data, 120)
        if checksum != zlib.crc32(data[:120]) or flags & _DIRTY:
            return cls(intact=True)
        return cls(intact=True, chunks=chunks, next_record=next_record)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One readable chunk: its position in the file, its bytes (padded where the file ends early), what it states."""

    index: int
    data: bytes
    records: int
    complete: bool


@dataclass(frozen=True, slots=True)
class Gap:
    """Chunks that cannot be read: from which to which, and how many records they held, None where nothing tells."""

    first: int
    last: int
    records: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class ChunkRange:
    """The chunks of a file from `first` up to `end` (not included; None is the file's end). `after` is the last record
    number in front of them, which is what a gap at their start is measured by."""

    first: int = 0
    end: int | None = None
    after: int = 0

    @property
    def offset(self) -> int:
        """Where its first chunk begins in the file."""
        return FILE_HEADER_SIZE + self.first * CHUNK_SIZE

    def __str__(self) -> str:
        return f"chunks {self.first} to {'the end' if self.end is None else self.end - 1}"


WHOLE: Final = ChunkRange()


def _numbers(data: bytes) -> tuple[int, int] | None:
    """First and last record number a chunk states; (0, -1) for one without records, None for a destroyed header."""
    if data[:8] != CHUNK_MAGIC or len(data) < 512:
        return None
    for offset in (8, 24):
        first, last = struct.unpack_from("<QQ", data, offset)
        if first == _NO_NUMBER or last == first - 1 or (first, last) == (0, 0):
            return 0, -1
        if 0 <= last - first < MAX_RECORDS:
            return first, last
    return None


def survey(stream: BinaryIO, header: FileHeader, part: ChunkRange = WHOLE) -> Iterator[Chunk | Gap]:
    """Every chunk of the part in its order; the stream stands at its start. Zeros at the end of a file are no gap."""
    index, last_number = part.first, part.after
    pending: list[bool] = []  # chunks without a usable header since the last good one; True if it is not just zeros
    while (part.end is None or index < part.end) and (data := stream.read(CHUNK_SIZE)):
        numbers = _numbers(data)
        if numbers is None:
            if not pending and not last_number:
                last_number = _number_before(data)
            pending.append(data != bytes(len(data)))
        else:
            first, last = numbers
            if pending and last >= first and not last_number:
                pending = [True] * len(pending)  # a log never begins with unused room
            if pending and last >= first:
                yield from _gap(pending, index, last_number, first)
            elif pending:
                yield from _gap(pending, index, last_number, None)
            pending = []
            if last >= first:
                last_number = last
            yield Chunk(index, data.ljust(CHUNK_SIZE, b"\x00"), last - first + 1, len(data) == CHUNK_SIZE)
        index += 1
    if part.end is None:
        yield from _end(pending, index, last_number, header)


def _number_before(data: bytes) -> int:
    """The number of the record in front of a chunk without a usable header, by its own first record; 0 if unknown."""
    magic, number = struct.unpack_from("<4s4xQ", data.ljust(528, b"\x00"), 512)
    return int(number) - 1 if magic == RECORD_MAGIC and 0 < number < _NO_NUMBER else 0


def _gap(pending: list[bool], index: int, last_number: int, next_number: int | None) -> Iterator[Gap]:
    """The gap in front of chunk `index`, where the numbers or the bytes show that there was something."""
    missing = 0 if next_number is None else next_number - last_number - 1
    inferred = missing if 0 < missing <= len(pending) * MAX_RECORDS else None
    if inferred is None and not any(pending):
        return
    start = index - len(pending)
    damaged = [start + place for place, damage in enumerate(pending) if damage] or [start, index - 1]
    yield Gap(damaged[0], damaged[-1], inferred, "header destroyed" if any(pending) else "zeroed")


def _end(pending: list[bool], index: int, last_number: int, header: FileHeader) -> Iterator[Gap]:
    """What is missing behind the last good chunk: damaged ones, or some the file header counts and the file lacks."""
    absent = max((header.chunks or 0) - index, 0)
    missing = (header.next_record or 0) - last_number - 1
    if absent and missing > 0:
        start = index - len(pending)
        inferred = missing if missing <= (len(pending) + absent) * MAX_RECORDS else None
        yield Gap(start, index + absent - 1, inferred, "the file ends before it")
    elif pending:
        yield from _gap(pending, index, last_number, header.next_record)


def split(stream: BinaryIO, size: int, chunks: int) -> tuple[ChunkRange, ...]:
    """Ranges of about so many chunks that together are the file; only headers at the borders are read.

    A border moves on to the next chunk whose header states record numbers. Where there is none, the rest is one range.
    """
    total = max(size - FILE_HEADER_SIZE, 0) // CHUNK_SIZE
    count = max(-(-total // chunks), 1)
    ranges, start = [], WHOLE
    for number in range(1, count):
        found = _border(stream, max(total * number // count, start.first + 1), total)
        if found is None:
            break
        ranges.append(ChunkRange(start.first, found.first, start.after))
        start = found
    return (*ranges, start)


def _border(stream: BinaryIO, earliest: int, total: int) -> ChunkRange | None:
    """The rest of the file from the first chunk that follows one with record numbers."""
    for border in range(earliest, total):
        stream.seek(ChunkRange(border - 1).offset)
        first, last = _numbers(stream.read(512)) or (0, -1)
        if last >= first:
            return ChunkRange(border, None, last)
    return None


def expected_records(stream: BinaryIO) -> int:
    """How many records the chunk headers of an EVTX file state, a destroyed header inferred where its neighbours tell.

    Reading the same file gives exactly this as records read + records lost, unless a chunk holds more than it states.
    """
    header = FileHeader.parse(stream.read(FILE_HEADER_SIZE))
    return sum(part.records or 0 for part in survey(stream, header))
