"""What an EVTX file says it holds, for sound files and for every way a chunk can be destroyed."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.chunks import (
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    MAX_RECORDS,
    WHOLE,
    Chunk,
    ChunkRange,
    FileHeader,
    Gap,
    expected_records,
    split,
    survey,
)

ZEROS = bytes(CHUNK_SIZE)
GARBAGE = b"\xde\xad" * (CHUNK_SIZE // 2)


def chunk(first: int, last: int, *, ids: tuple[int, int] | None = None) -> bytes:
    """A chunk that states these record numbers; its records do not matter here."""
    return struct.pack("<8sQQQQ", b"ElfChnk\x00", first, last, *(ids or (first, last))).ljust(CHUNK_SIZE, b"\x01")


def file_header(chunks: int = 0, next_record: int = 0, flags: int = 0) -> bytes:
    """A file header with a valid checksum."""
    data = struct.pack("<8sQQQIHHHH76xI", FILE_MAGIC, 0, 0, next_record, 128, 1, 3, 4096, chunks, flags)
    return (data + struct.pack("<I", zlib.crc32(data[:120]))).ljust(FILE_HEADER_SIZE, b"\x00")


def parts(*chunks: bytes, header: bytes = b"") -> list[Chunk | Gap]:
    """The survey of a file of these chunks."""
    return list(survey(io.BytesIO(b"".join(chunks)), FileHeader.parse(header)))


def states(*chunks: bytes, header: bytes = b"") -> list[tuple[object, ...]]:
    """The same, short: ("chunk", index, records) or ("gap", first, last, records)."""
    return [("chunk", part.index, part.records) if isinstance(part, Chunk)
            else ("gap", part.first, part.last, part.records) for part in parts(*chunks, header=header)]


def test_a_sound_file() -> None:
    assert states(chunk(1, 130), chunk(131, 200), ZEROS, ZEROS, header=file_header(2, 201)) == [
        ("chunk", 0, 130), ("chunk", 1, 70)]


def test_empty_and_unused_chunks_hold_nothing() -> None:
    unused = chunk(0xFFFF_FFFF_FFFF_FFFF, 0xFFFF_FFFF_FFFF_FFFF)
    assert states(chunk(1, 0), unused, chunk(0, 0)) == [("chunk", 0, 0), ("chunk", 1, 0), ("chunk", 2, 0)]


@pytest.mark.parametrize("damaged", [GARBAGE, ZEROS, chunk(900, 3), chunk(1, MAX_RECORDS + 1)])
def test_a_destroyed_header_is_inferred_from_its_neighbours(damaged: bytes) -> None:
    assert states(chunk(1, 130), damaged, chunk(262, 300)) == [
        ("chunk", 0, 130), ("gap", 1, 1, 131), ("chunk", 2, 39)]
    assert states(damaged, chunk(131, 200))[0] == ("gap", 0, 0, 130), "a log begins at record 1"
    assert states(chunk(1, 130), damaged, damaged, chunk(300, 301))[1] == ("gap", 1, 2, 169)


def test_damaged_numbers_fall_back_on_the_record_ids() -> None:
    assert states(chunk(5, 1, ids=(131, 140))) == [("chunk", 0, 10)]


def test_what_the_neighbours_cannot_tell_is_unknown_and_zeros_are_then_no_loss() -> None:
    wrapped = (chunk(5000, 5100), chunk(4000, 4100))
    assert states(wrapped[0], GARBAGE, wrapped[1])[1] == ("gap", 1, 1, None)
    assert states(wrapped[0], ZEROS, wrapped[1]) == [("chunk", 0, 101), ("chunk", 2, 101)]
    assert states(chunk(1, 5), GARBAGE, chunk(9_000_000, 9_000_001))[1] == ("gap", 1, 1, None)
    assert states(chunk(1, 130), GARBAGE)[1] == ("gap", 1, 1, None)
    assert states(chunk(1, 130), GARBAGE, ZEROS)[1] == ("gap", 1, 1, None)


def test_the_file_header_tells_what_is_missing_at_the_end() -> None:
    header = file_header(3, 391)
    assert states(chunk(1, 130), chunk(131, 260), GARBAGE, ZEROS, header=header)[2] == ("gap", 2, 2, 130)
    assert states(chunk(1, 130), chunk(131, 260), header=header)[2] == ("gap", 2, 2, 130)
    assert states(chunk(1, 130), header=header)[1] == ("gap", 1, 2, 260)
    assert states(header=header) == [("gap", 0, 2, 390)]


@pytest.mark.parametrize("header", [b"", file_header(40, 9_999, flags=1), file_header(40, 131), file_header(0, 1)])
def test_a_header_that_is_stale_wrong_or_gone_invents_no_loss(header: bytes) -> None:
    assert states(chunk(1, 130), ZEROS, header=header) == [("chunk", 0, 130)]


def test_a_truncated_chunk_is_padded_and_marked() -> None:
    (part,) = parts(chunk(1, 130)[:30_000])
    assert isinstance(part, Chunk)
    assert (part.records, part.complete, len(part.data)) == (130, False, CHUNK_SIZE)
    assert states(chunk(1, 130), b"ElfChnk\x00 and no more")[1] == ("gap", 1, 1, None)


def test_expected_records_of_every_real_log_is_what_its_chunk_headers_add_up_to(shared: Path) -> None:
    logs = sorted((shared / "data").rglob("*.evtx"))
    assert len(logs) > 280
    for log in logs:
        data = log.read_bytes()
        headers = [struct.unpack_from("<8sQQ", data, at) for at in range(FILE_HEADER_SIZE, len(data), CHUNK_SIZE)]
        stated = sum(last - first + 1 for magic, first, last in headers if magic == b"ElfChnk\x00")
        assert expected_records(io.BytesIO(data)) == stated, log.name


def split_of(data: bytes, chunks: int) -> tuple[ChunkRange, ...]:
    """Where a file of these bytes is cut."""
    return split(io.BytesIO(data), len(data), chunks)


def sound(count: int) -> list[bytes]:
    """So many chunks of ten records each."""
    return [chunk(1 + 10 * n, 10 + 10 * n) for n in range(count)]


def test_a_file_is_cut_into_ranges_of_even_size() -> None:
    data = file_header() + b"".join(sound(7))
    assert split_of(data, 3) == (ChunkRange(0, 2, 0), ChunkRange(2, 4, 20), ChunkRange(4, None, 40))
    assert split_of(data, 7) == split_of(data[:FILE_HEADER_SIZE], 7) == split_of(b"", 1) == (WHOLE,)


def test_a_border_moves_behind_a_chunk_that_states_its_numbers() -> None:
    chunks = sound(8)
    chunks[3] = GARBAGE
    chunks[4] = chunk(0, 0)
    assert split_of(file_header() + b"".join(chunks), 4) == (ChunkRange(0, 6, 0), ChunkRange(6, None, 60))
    assert split_of(file_header() + b"".join([chunks[0], *[GARBAGE] * 7]), 4) == (WHOLE,)


@given(st.lists(st.sampled_from(["sound", "garbage", "zeros", "empty", "jump"]), max_size=12), st.integers(1, 5),
       st.integers(0, CHUNK_SIZE - 1), st.sampled_from([(0, 0), (12, 121), (14, 300)]))
def test_the_ranges_of_a_damaged_file_say_together_what_the_file_says(
        kinds: list[str], chunks: int, cut: int, counted: tuple[int, int]) -> None:
    number, content = 1, []
    for kind in kinds:
        number += 500 if kind == "jump" else 0
        content.append({"garbage": GARBAGE, "zeros": ZEROS, "empty": chunk(0, 0)}.get(kind, chunk(number, number + 9)))
        number += 10
    header = file_header(*counted)
    data = header + b"".join(content)
    data = data[:max(len(data) - cut, FILE_HEADER_SIZE)]
    whole = list(survey(io.BytesIO(data[FILE_HEADER_SIZE:]), FileHeader.parse(header)))
    pieces: list[Chunk | Gap] = []
    for part in split_of(data, chunks):
        pieces += survey(io.BytesIO(data[part.offset:]), FileHeader.parse(header), part)
    assert pieces == whole


def record(number: int, header: bytes = ZEROS[:512]) -> bytes:
    """A chunk without a usable header whose first record is there."""
    return (header + struct.pack("<4sIQ", b"\x2a\x2a\x00\x00", 256, number)).ljust(CHUNK_SIZE, b"\x01")


def test_the_first_record_tells_where_a_log_begins_whose_first_header_is_destroyed() -> None:
    assert states(record(70_000), chunk(70_100, 70_150)) == [("gap", 0, 0, 100), ("chunk", 1, 51)]
    assert states(record(70_000), header=file_header(1, 70_010)) == [("gap", 0, 0, 10)]
    assert states(record(0), chunk(70_100, 70_150))[0] == ("gap", 0, 0, None)


def test_zeros_in_front_of_the_first_chunk_are_a_loss() -> None:
    assert states(ZEROS, chunk(70_100, 70_150)) == [("gap", 0, 0, None), ("chunk", 1, 51)]
    assert states(ZEROS, ZEROS, header=file_header(0, 1)) == [], "a log that holds nothing yet"
