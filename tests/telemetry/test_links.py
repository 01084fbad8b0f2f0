"""Chunks whose tables lead in a circle, on which the evtx library would never come back."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from douse.simulate.evtx_writer import write_evtx
from douse.telemetry import links
from douse.telemetry.chunks import CHUNK_SIZE, FILE_HEADER_SIZE
from douse.telemetry.links import without_circles
from fuzz.seeds import records

STRINGS, TEMPLATES = 0x80, 0x180


@pytest.fixture
def log(tmp_path: Path) -> bytearray:
    """A log of one chunk, from our writer."""
    path = tmp_path / "one.evtx"
    write_evtx(path, records(1)[:20])
    return bytearray(path.read_bytes())


def first_entry(log: bytearray, table: int) -> tuple[int, int]:
    """Where a table's first used head lies in the file, and the offset in the chunk that it names."""
    heads = range(FILE_HEADER_SIZE + table, FILE_HEADER_SIZE + table + 128, 4)
    return next((at, offset) for at in heads if (offset := struct.unpack_from("<I", log, at)[0]))


@pytest.mark.parametrize("table", [STRINGS, TEMPLATES])
@pytest.mark.parametrize("through", [0, 4096])
def test_a_circle_costs_no_record(log: bytearray, table: int, through: int, read_bytes) -> None:
    _, offset = first_entry(log, table)
    target = (offset + through) % CHUNK_SIZE
    struct.pack_into("<I", log, FILE_HEADER_SIZE + offset, target)  # the next one is itself, or another one ...
    if through:
        struct.pack_into("<I", log, FILE_HEADER_SIZE + target, offset)  # ... which leads back
    events, tally = read_bytes(bytes(log), "Circle.evtx")
    assert tally.records_read + tally.records_lost == 20
    assert len(events) >= (0 if through else 20)


def test_only_the_circular_list_is_cut(log: bytearray) -> None:
    at, offset = first_entry(log, STRINGS)
    struct.pack_into("<I", log, FILE_HEADER_SIZE + offset, offset)
    chunk = bytes(log[FILE_HEADER_SIZE:])
    place = at - FILE_HEADER_SIZE
    assert without_circles(chunk) == chunk[:place] + bytes(4) + chunk[place + 4:]


def test_sound_chunks_and_lists_that_lead_outside_stay_as_they_are(log: bytearray) -> None:
    sound = bytes(log[FILE_HEADER_SIZE:])
    assert without_circles(sound) is sound
    _, offset = first_entry(log, STRINGS)
    struct.pack_into("<I", log, FILE_HEADER_SIZE + offset, 0xFFFF_FFF0)
    outside = bytes(log[FILE_HEADER_SIZE:])
    assert without_circles(outside) is outside


def test_real_logs_have_no_circles(shared: Path) -> None:
    for path in sorted((shared / "data" / "evtx").glob("*.evtx"))[:60]:
        data = path.read_bytes()
        for at in range(FILE_HEADER_SIZE, len(data) - CHUNK_SIZE + 1, CHUNK_SIZE):
            chunk = data[at:at + CHUNK_SIZE]
            assert without_circles(chunk) is chunk


def test_no_entry_is_followed_twice_however_the_lists_run_together(monkeypatch: pytest.MonkeyPatch) -> None:
    chunk = bytearray(CHUNK_SIZE)
    for at in range(512, CHUNK_SIZE - 16, 8):
        struct.pack_into("<I", chunk, at, at + 8)
    for place in range(96):
        struct.pack_into("<I", chunk, STRINGS + 4 * place, 512 + 8 * place)
    followed: list[int] = []

    class Counting:
        size = 4
        pack_into = staticmethod(struct.Struct("<I").pack_into)

        @staticmethod
        def unpack_from(data: bytes, offset: int) -> tuple[int]:
            followed.append(offset)
            return struct.unpack_from("<I", data, offset)

    monkeypatch.setattr(links, "_OFFSET", Counting)
    assert without_circles(bytes(chunk)) == bytes(chunk)
    assert len(followed) == len(set(followed)) > 8_000
    struct.pack_into("<I", chunk, CHUNK_SIZE - 24, 2_048)
    emptied = without_circles(bytes(chunk))
    assert emptied[STRINGS:STRINGS + 384] == bytes(384), "now every list ends in one circle"
