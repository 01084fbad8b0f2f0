"""What an EVTX file says it holds, for sound files and for every way a chunk can be destroyed."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import pytest

from douse.telemetry.chunks import (
    CHUNK_SIZE,
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    MAX_RECORDS,
    Chunk,
    FileHeader,
    Gap,
    expected_records,
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
