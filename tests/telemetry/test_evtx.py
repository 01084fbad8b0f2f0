"""Real EVTX files, sound and damaged by hand: nothing is lost silently, read + lost is what the headers state."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from douse.errors import EvidenceError
from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, evtx, read_path
from douse.telemetry.chunks import CHUNK_SIZE, FILE_HEADER_SIZE, expected_records

from .conftest import ReadBytes

RECORD_MAGIC = b"\x2a\x2a\x00\x00"
Damage = Callable[[bytearray], object]


def at_chunk(index: int) -> int:
    """Where a chunk starts in the file."""
    return FILE_HEADER_SIZE + index * CHUNK_SIZE


def stated(data: bytes, index: int) -> int:
    """How many records a chunk's header states."""
    first, last = struct.unpack_from("<QQ", data, at_chunk(index) + 8)
    return int(last - first + 1)


def nth_record(data: bytes, chunk: int, number: int) -> int:
    """Where the n-th record of a chunk starts."""
    at = at_chunk(chunk) + 512
    for _ in range(number):
        assert data[at:at + 4] == RECORD_MAGIC
        at += struct.unpack_from("<I", data, at + 4)[0]
    return at


def reads(read_bytes: ReadBytes, data: bytes, damage: Damage) -> tuple[list[Event], Tally, bytes]:
    """Damage a copy of the file and read it."""
    changed = bytearray(data)
    damage(changed)
    events, tally = read_bytes(bytes(changed), "Application.evtx")
    return events, tally, bytes(changed)


def zero(data: bytearray, start: int, length: int) -> None:
    """Overwrite with zeros."""
    data[start:start + length] = bytes(length)


def test_every_real_log_is_read_whole(shared: Path) -> None:
    tally = Tally()
    logs = sorted((shared / "data" / "evtx").glob("*.evtx"))
    assert len(logs) == 281
    for log in logs:
        before = tally.records_read + tally.records_lost
        for event in read_path(log, Wanted.everything(), tally, Limits(), named=True):
            assert event.time.tzinfo is UTC
            assert event.source.path == str(log)
        with log.open("rb") as stream:
            assert tally.records_read + tally.records_lost - before == expected_records(stream), log.name
    assert (tally.records_read, tally.records_lost, tally.losses, tally.notes) == (13_327, 0, [], [])
    assert sum(c.records for host in tally.coverage() for c in host.counts) == 13_327


def test_provenance_time_and_fields_of_a_real_record(shared: Path) -> None:
    log = next((shared / "data" / "evtx").glob("*Sysmon_UACME_32.evtx"))
    event = next(read_path(log, Wanted([("microsoft-windows-sysmon/operational", 1)]), Tally(), Limits(), named=True))
    assert event.provider == event.text("Provider_Name") == "Microsoft-Windows-Sysmon"
    assert event.record_id == event.get("EventRecordID")
    assert event.source.format == "evtx"
    stated_time = datetime.fromisoformat(event.text("TimeCreated_SystemTime"))
    assert abs((event.time - stated_time).total_seconds()) < 0.001
    assert event.text("Image").lower().endswith(".exe")
    assert event.text("Hashes")
    assert event.text("Imphash") in event.text("Hashes")


def test_an_unwanted_record_is_counted_and_not_decoded(shared: Path) -> None:
    tally = Tally()
    log = next((shared / "data" / "evtx").glob("*Sysmon_UACME_32.evtx"))
    assert not list(read_path(log, Wanted([]), tally, Limits(), named=True))
    assert tally.records_skipped == tally.records_read > 0
    assert tally.coverage()[0].records("microsoft-windows-sysmon/operational") > 0


def test_a_zeroed_record_header_which_the_library_passes_over_silently(
        read_bytes: ReadBytes, three_chunks: bytes) -> None:
    events, tally, changed = reads(read_bytes, three_chunks, lambda data: zero(data, nth_record(data, 1, 61), 24))
    (loss,) = tally.losses
    of_chunk = stated(three_chunks, 1)
    assert loss.where == "chunk 1"
    assert loss.reason == f"record data damaged; kept 61 of {of_chunk} records"
    assert loss.records == of_chunk - 61
    assert len(events) == tally.records_read == expected_records(io.BytesIO(changed)) - tally.records_lost


def test_ff_bytes_in_a_record_header(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    def damage(data: bytearray) -> None:
        at = nth_record(data, 0, 5)
        data[at:at + 8] = b"\xff" * 8

    events, tally, changed = reads(read_bytes, three_chunks, damage)
    assert [loss.where for loss in tally.losses] == ["chunk 0"]
    assert tally.records_lost >= 1
    assert len(events) + tally.records_lost == expected_records(io.BytesIO(changed))


def test_broken_content_of_one_record_costs_that_record_at_most_its_chunk(
        read_bytes: ReadBytes, three_chunks: bytes) -> None:
    def damage(data: bytearray) -> None:
        at = nth_record(data, 1, 3)
        data[at + 24:at + 60] = b"\xee" * 36

    events, tally, _ = reads(read_bytes, three_chunks, damage)
    assert [loss.where for loss in tally.losses] == ["chunk 1"]
    assert tally.losses[0].records == 1
    assert len(events) == expected_records(io.BytesIO(three_chunks)) - 1


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_destroyed_chunk_magic_is_inferred_and_the_others_are_read(
        read_bytes: ReadBytes, three_chunks: bytes, index: int) -> None:
    events, tally, changed = reads(read_bytes, three_chunks, lambda data: zero(data, at_chunk(index), 8))
    (loss,) = tally.losses
    assert (loss.where, loss.records) == (f"chunk {index}", stated(three_chunks, index))
    assert len(events) + tally.records_lost == expected_records(io.BytesIO(changed)) == expected_records(
        io.BytesIO(three_chunks))


def test_a_zeroed_chunk_between_two_good_ones_is_a_loss(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    events, tally, _ = reads(read_bytes, three_chunks, lambda data: zero(data, at_chunk(1), CHUNK_SIZE))
    assert [(loss.where, loss.records) for loss in tally.losses] == [("chunk 1", stated(three_chunks, 1))]
    assert len(events) == stated(three_chunks, 0) + stated(three_chunks, 2)


def test_a_file_truncated_inside_its_last_chunk_keeps_what_came_before(
        read_bytes: ReadBytes, three_chunks: bytes) -> None:
    cut = nth_record(three_chunks, 2, 10) + 7
    events, tally = read_bytes(three_chunks[:cut], "cut.evtx")
    (loss,) = tally.losses
    assert loss.reason == f"the file ends inside it; kept 10 of {stated(three_chunks, 2)} records"
    assert len(events) + tally.records_lost == expected_records(io.BytesIO(three_chunks))


def test_a_file_truncated_between_chunks_is_known_from_its_header(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    events, tally = read_bytes(three_chunks[:at_chunk(2)], "cut.evtx")
    assert [(loss.where, loss.records) for loss in tally.losses] == [("chunk 2", stated(three_chunks, 2))]
    assert len(events) + tally.records_lost == expected_records(io.BytesIO(three_chunks))


def test_a_header_with_a_wrong_chunk_count_or_the_dirty_flag_loses_nothing(
        read_bytes: ReadBytes, three_chunks: bytes) -> None:
    def damage(data: bytearray) -> None:
        struct.pack_into("<H", data, 42, 1)
        data[120] |= 1
        struct.pack_into("<I", data, 124, zlib.crc32(bytes(data[:120])))

    events, tally, _ = reads(read_bytes, three_chunks, damage)
    assert (len(events), tally.losses) == (expected_records(io.BytesIO(three_chunks)), [])


def test_a_destroyed_file_header_is_said_and_every_chunk_is_read(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    events, tally, _ = reads(read_bytes, three_chunks, lambda data: zero(data, 0, FILE_HEADER_SIZE))
    assert len(events) == expected_records(io.BytesIO(three_chunks))
    assert [(loss.where, loss.records) for loss in tally.losses] == [("file header", 0)]


def test_header_only_and_less(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    events, tally = read_bytes(three_chunks[:FILE_HEADER_SIZE], "x.evtx")
    assert (events, tally.records_lost) == ([], expected_records(io.BytesIO(three_chunks)))
    _, tally = read_bytes(three_chunks[:100], "x.evtx")
    assert [loss.reason for loss in tally.losses] == ["the file ends inside its header"]
    empty = bytearray(three_chunks[:FILE_HEADER_SIZE])
    struct.pack_into("<QQQ", empty, 8, 0, 0, 1)
    struct.pack_into("<H", empty, 42, 0)
    struct.pack_into("<I", empty, 124, zlib.crc32(bytes(empty[:120])))
    assert read_bytes(bytes(empty), "x.evtx")[1].losses == [], "a new, empty log"


def test_a_chunk_that_holds_more_than_it_states_loses_nothing(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    def damage(data: bytearray) -> None:
        last = struct.unpack_from("<Q", data, at_chunk(2) + 16)[0]
        struct.pack_into("<Q", data, at_chunk(2) + 16, last - 4)

    events, tally, _ = reads(read_bytes, three_chunks, damage)
    assert (len(events), tally.records_lost) == (expected_records(io.BytesIO(three_chunks)), 0)
    assert "all were read" in tally.notes[0]


def test_the_same_chunk_twice_is_read_twice(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    events, tally = read_bytes(three_chunks + three_chunks[at_chunk(1):at_chunk(2)], "x.evtx")
    assert len(events) == expected_records(io.BytesIO(three_chunks)) + stated(three_chunks, 1)
    assert tally.losses == []


def test_strict_stops_at_the_damage(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    data = bytearray(three_chunks)
    zero(data, nth_record(data, 1, 61), 24)
    with pytest.raises(EvidenceError, match=r"Application\.evtx: chunk 1: record data damaged; kept 61 of \d+ rec"):
        read_bytes(bytes(data), "Application.evtx", strict=True)


class PanicException(BaseException):
    """What a bug of a library in Rust becomes; its module cannot be imported."""


@pytest.mark.parametrize("error", [PanicException, KeyboardInterrupt, MemoryError])
def test_a_bug_of_the_library_costs_the_rest_of_a_chunk(read_bytes: ReadBytes, three_chunks: bytes,
                                                        error: type[BaseException],
                                                        monkeypatch: pytest.MonkeyPatch) -> None:
    parser, parsed = evtx.PyEvtxParser, []

    class Failing:
        """Fails at the sixth record of the second chunk."""

        def __init__(self, *args: object, **more: object) -> None:
            parsed.append(self)
            self._records = parser(*args, **more).records_json()

        def records_json(self) -> Iterator[dict[str, str]]:
            for number, record in enumerate(self._records):
                if len(parsed) == 2 and number == 5:
                    raise error("index out of bounds")
                yield record

    monkeypatch.setattr(evtx, "PyEvtxParser", Failing)
    if error is not PanicException:
        with pytest.raises(error):
            read_bytes(three_chunks, "Application.evtx")
        return
    events, tally = read_bytes(three_chunks, "Application.evtx")
    expected = expected_records(io.BytesIO(three_chunks))
    assert len(events) == expected - stated(three_chunks, 1) + 5
    assert [(loss.where, loss.records) for loss in tally.losses] == [("chunk 1", stated(three_chunks, 1) - 5)]
