"""A big EVTX file read in ranges: the same events, losses and counts as in one go, wherever the damage is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from douse.errors import EvidenceError
from douse.model import Event
from douse.telemetry import ChunkRange, Limits, Tally, Wanted, parts, read_part, read_path
from douse.telemetry.chunks import CHUNK_SIZE, FILE_HEADER_SIZE, WHOLE

Scenario = Callable[..., Path]


def damaged_copies(data: bytes) -> Iterator[tuple[str, bytes]]:
    """The file, and copies of it: each chunk's header or records destroyed, the tail cut off, the file header gone."""
    chunks = (len(data) - FILE_HEADER_SIZE) // CHUNK_SIZE
    yield "sound", data
    yield "truncated", data[:-CHUNK_SIZE * 3 // 2]
    yield "without its last chunks", data[:-CHUNK_SIZE * 2]
    yield "no file header", b"ElfFile\x00" + bytes(FILE_HEADER_SIZE - 8) + data[FILE_HEADER_SIZE:]
    yield "no file header at all", bytes(FILE_HEADER_SIZE) + data[FILE_HEADER_SIZE:]
    for number in range(chunks):
        start = FILE_HEADER_SIZE + number * CHUNK_SIZE
        for what, begin, length in (("header", start, 512), ("records", start + 20_000, 300),
                                    ("three chunks", start - 20_000, 2 * CHUNK_SIZE)):
            end = min(begin + length, len(data))
            yield f"{what} of {number}", data[:begin] + b"\xee" * (end - begin) + data[end:]


def seen(events: Iterator[Event], tally: Tally) -> tuple[object, ...]:
    """Everything that a reading is judged by."""
    kept = [(e.channel, e.event_id, e.record_id, e.time, e.source, e.fields) for e in events]
    return kept, tally.losses, tally.records_lost, tally.records_read, tally.coverage(), tally.notes, tally.bytes_read


def in_ranges(path: Path, chunks: int) -> tuple[object, ...]:
    """The same of a file that is read range by range, each with a tally of its own."""
    events: list[Event] = []
    whole = Tally()
    for part in parts(path, chunks):
        tally = Tally()
        events += read_part(path, part, Wanted.everything(), tally)
        whole.merge(tally)
    return seen(iter(events), whole)


@pytest.fixture(scope="module")
def log(scenario: Scenario) -> bytes:
    """A log of some chunks."""
    return scenario("lumma-clickfix", noise=200, file="parts.evtx").read_bytes()


def test_ranges_give_what_the_file_gives(log: bytes, tmp_path: Path) -> None:
    path = tmp_path / "big.evtx"
    lossy = 0
    for what, data in damaged_copies(log):
        path.write_bytes(data)
        tally = Tally()
        expected = seen(read_path(path, Wanted.everything(), tally, Limits(), named=True), tally)
        lossy += bool(tally.losses)
        for chunks in (1, 3):
            assert in_ranges(path, chunks) == expected, (what, chunks)
    assert lossy > 10


def test_only_big_evtx_files_are_cut(log: bytes, tmp_path: Path) -> None:
    path = tmp_path / "log.evtx"
    path.write_bytes(log)
    chunks = (len(log) - FILE_HEADER_SIZE) // CHUNK_SIZE
    assert chunks >= 4
    assert len(parts(path, 1)) == chunks
    assert parts(path, chunks) == (WHOLE,)
    path.write_bytes(b'{"EventID": 1}\n' * 100_000)
    assert parts(path, 1) == (WHOLE,)
    assert parts(tmp_path / "missing.evtx", 1) == (WHOLE,)


def test_a_range_of_a_file_that_is_gone_is_a_loss(tmp_path: Path) -> None:
    tally = Tally()
    assert not list(read_part(tmp_path / "gone.evtx", ChunkRange(3, 5, 10), Wanted.everything(), tally))
    [loss] = tally.losses
    assert "cannot be read: No such file" in loss.reason


def test_strict_stops_in_a_range_with_the_same_words(log: bytes, tmp_path: Path) -> None:
    path = tmp_path / "big.evtx"
    start = FILE_HEADER_SIZE + 4 * CHUNK_SIZE
    path.write_bytes(log[:start] + b"\xee" * 512 + log[start + 512:])
    said = []
    owner = next(part for part in parts(path, 2) if part.end is None or part.end > 5)  # it sees where the gap ends
    for part in (WHOLE, owner):
        with pytest.raises(EvidenceError) as caught:
            list(read_part(path, part, Wanted.everything(), Tally(strict=True)))
        said.append(str(caught.value))
    assert said[0] == said[1]
    assert "chunk 4" in said[0]
