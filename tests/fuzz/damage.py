"""Event logs that are damaged in known ways, each with the truth: what must be read, what may be, and what was there.

The truth comes from what was written and where it was hurt, by walking record headers here, not from the code under
test. `Case` starts as a sound log of several full chunks; each damage changes its bytes and notes what it took away.
"""

from __future__ import annotations

import functools
import struct
import zlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from random import Random

from fuzz import seeds
from fuzz.seeds import CHUNK, FILE_HEADER

RECORD_MAGIC = b"\x2a\x2a\0\0"


@dataclass(frozen=True, slots=True)
class Written:
    """One record in a chunk: where it lies in it, where it ends, its number."""

    at: int
    end: int
    number: int


@dataclass(frozen=True, slots=True)
class Log:
    """A sound log: its bytes, and the records of each chunk."""

    data: bytes
    chunks: tuple[tuple[Written, ...], ...]

    @property
    def first(self) -> int:
        return self.chunks[0][0].number


@functools.cache
def log(number: int) -> Log:
    """One of three sound logs, whose records are numbered from 1, from 9,000 and from 70,000 on."""
    first = (1, 9_000, 70_000)[number]
    told = [replace(record, record_id=at) for at, record in enumerate(seeds.records(number, 330), first)]
    data = seeds.evtx_of(told)
    log = Log(data, tuple(_walk(data[at:at + CHUNK]) for at in range(FILE_HEADER, len(data), CHUNK)))
    assert len(log.chunks) >= 5
    assert [record.number for chunk in log.chunks for record in chunk] == [record.record_id for record in told]
    return log


def _walk(chunk: bytes) -> tuple[Written, ...]:
    found, at = [], 512
    while chunk[at:at + 4] == RECORD_MAGIC:
        size, number = struct.unpack_from("<IQ", chunk, at + 4)
        found.append(Written(at, at + size, number))
        at += size
    return tuple(found)


@dataclass(slots=True)
class Case:
    """A log while it is damaged, and the truth about it."""

    log: Log
    data: bytearray
    kept: dict[int, int] = field(default_factory=dict)
    """Chunk -> how many of its first records must still be read; a chunk that is not here is whole."""
    extra: Counter[int] = field(default_factory=Counter)
    """Records that the file holds once more."""
    untold: int = 0
    """Records of whose loss nothing in the file tells the extent; then a loss of unknown extent must be there."""
    harmless: bool = True
    """No record was hurt: nothing may be lost."""

    @classmethod
    def of(cls, log: Log) -> Case:
        return cls(log, bytearray(log.data))

    def place(self, chunk: int) -> int:
        return FILE_HEADER + chunk * CHUNK

    def hurt(self, chunk: int, kept: int = 0) -> None:
        self.harmless = False
        self.kept[chunk] = min(kept, self.kept.get(chunk, kept))

    @property
    def must(self) -> Counter[int]:
        """The records that damage has not touched."""
        return self.extra + Counter(
            record.number for at, chunk in enumerate(self.log.chunks)
            for record in chunk[:self.kept.get(at, len(chunk))])

    @property
    def written(self) -> int:
        """All records the file held, and holds twice."""
        return sum(map(len, self.log.chunks)) + self.extra.total()


def _any_chunk(case: Case, random: Random) -> int:
    return random.randrange(len(case.log.chunks))


def zeroed_record_header(case: Case, random: Random) -> None:
    """The 24 bytes in front of a record are gone, and with them the way to the next one."""
    chunk = _any_chunk(case, random)
    place = random.randrange(len(case.log.chunks[chunk]))
    at = case.place(chunk) + case.log.chunks[chunk][place].at
    case.data[at:at + 24] = bytes(24)
    case.hurt(chunk, place)


def flipped_bits(case: Case, random: Random) -> None:
    """Bits of a chunk's records, one to fifty."""
    chunk = _any_chunk(case, random)
    end = case.log.chunks[chunk][-1].end
    for _ in range(random.choice((1, 3, 50))):
        case.data[case.place(chunk) + random.randrange(512, end)] ^= 1 << random.randrange(8)
    case.hurt(chunk)


def wiped_stretch(case: Case, random: Random) -> None:
    """Zeros or noise over a part of a chunk's records, over their ends as well."""
    chunk = _any_chunk(case, random)
    start = random.randrange(512, CHUNK)
    end = min(start + random.choice((16, 512, 4096, CHUNK)), CHUNK)
    at = case.place(chunk)
    case.data[at + start:at + end] = bytes(end - start) if random.random() < 0.5 else random.randbytes(end - start)
    case.hurt(chunk)


def flipped_header_bits(case: Case, random: Random) -> None:
    """Bits of a chunk header behind its record numbers: offsets, checksums, the tables of names and templates."""
    chunk = _any_chunk(case, random)
    for _ in range(random.choice((1, 3, 20))):
        case.data[case.place(chunk) + random.randrange(40, 512)] ^= 1 << random.randrange(8)
    case.hurt(chunk)


def destroyed_chunk_headers(case: Case, random: Random) -> None:
    """One to three chunk headers in a row are zeros or noise; the records behind them are whole and out of reach."""
    _destroy(case, random, random.choice((128, 512)))


def zeroed_chunks(case: Case, random: Random) -> None:
    """One to three whole chunks in a row are zeros or noise."""
    _destroy(case, random, CHUNK)


def _destroy(case: Case, random: Random, size: int) -> None:
    start = _any_chunk(case, random)
    stop = min(start + random.choice((1, 1, 2, 3)), len(case.log.chunks) - 1 + (start > 0))
    zeros = random.random() < 0.5
    for chunk in range(start, stop):
        at = case.place(chunk)
        case.data[at:at + size] = bytes(size) if zeros else random.randbytes(size)
        case.hurt(chunk)
    if start == 0 and size == CHUNK and case.log.first > 1:
        case.untold = sum(map(len, case.log.chunks[:stop]))  # a log begins anywhere; the bytes that said it are gone


def truncated(case: Case, random: Random) -> None:
    """The file ends early: inside a record, a chunk header, or between chunks."""
    chunk = random.randrange(1, len(case.log.chunks))
    inside = random.choice((0, random.randrange(1, 512), random.randrange(512, CHUNK)))
    del case.data[case.place(chunk) + inside:]
    for at in range(chunk, len(case.log.chunks)):
        whole = sum(record.end <= inside for record in case.log.chunks[at]) if at == chunk and inside >= 512 else 0
        if at != chunk or whole < len(case.log.chunks[at]):
            case.hurt(at, whole)


def wrong_count(case: Case, random: Random) -> None:
    """The file header counts other chunks than there are, with or without a checksum that fits."""
    struct.pack_into("<H", case.data, 42, random.choice((0, 1, len(case.log.chunks) + random.randrange(1, 900), 65535)))
    if random.random() < 0.5:
        struct.pack_into("<I", case.data, 124, zlib.crc32(bytes(case.data[:120])))


def destroyed_file_header(case: Case, random: Random) -> None:
    """The file header is zeros or noise, its magic included."""
    size = random.choice((8, 128, FILE_HEADER))
    case.data[:size] = bytes(size) if random.random() < 0.5 else random.randbytes(size)


def swapped_chunks(case: Case, random: Random) -> None:
    """Two chunks in each other's place."""
    one, two = random.sample(range(len(case.log.chunks)), 2)
    first, second = case.place(one), case.place(two)
    case.data[first:first + CHUNK], case.data[second:second + CHUNK] = (
        case.data[second:second + CHUNK], case.data[first:first + CHUNK])


def duplicated_chunk(case: Case, random: Random) -> None:
    """A chunk once more, somewhere in the file."""
    chunk = _any_chunk(case, random)
    at = case.place(random.randrange(len(case.log.chunks) + 1))
    case.data[at:at] = case.log.data[case.place(chunk):case.place(chunk + 1)]
    case.extra.update(record.number for record in case.log.chunks[chunk])


def unused_chunks(case: Case, random: Random) -> None:
    """Room that Windows set aside and never used."""
    case.data += bytes(CHUNK * random.randrange(1, 4))


Damage = Callable[[Case, Random], None]
IN_A_CHUNK: tuple[Damage, ...] = (zeroed_record_header, flipped_bits, wiped_stretch, flipped_header_bits)
ALONE: tuple[Damage, ...] = (truncated, destroyed_chunk_headers, zeroed_chunks, wrong_count, destroyed_file_header,
                             swapped_chunks, duplicated_chunk, unused_chunks)


def damaged(seed: int) -> tuple[Case, str]:
    """A damaged log and the names of its damages. One in three is hurt in several ways."""
    random = Random(f"damaged {seed}")
    case = Case.of(log(random.randrange(3)))
    chosen: list[Damage] = [(IN_A_CHUNK + ALONE)[seed % len(IN_A_CHUNK + ALONE)]]
    if seed % 3 == 0:
        chosen = [*random.choices(IN_A_CHUNK, k=random.randint(1, 3)), random.choice(ALONE)]
    for damage in chosen:
        damage(case, random)
    return case, " + ".join(damage.__name__ for damage in chosen)
