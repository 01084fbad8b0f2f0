"""xz and bzip2: several streams, damage, and a dictionary that no log needs."""

from __future__ import annotations

import bz2
import lzma
import zlib

import pytest

from .conftest import ReadBytes
from .test_archive import event_line

FIRST = event_line(0)
MANY = b"".join(event_line(n) for n in range(3_000))


@pytest.mark.parametrize("data", [
    lzma.compress(MANY), lzma.compress(MANY, preset=9), lzma.compress(MANY, check=lzma.CHECK_NONE),
    lzma.compress(FIRST) + lzma.compress(MANY[len(FIRST):]), lzma.compress(MANY) + b"\0" * 400_000 + lzma.compress(b""),
])
def test_xz(data: bytes, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(data, "a.jsonl.xz")
    assert ([event.record_id for event in events], tally.losses) == (list(range(3_000)), [])
    assert str(events[0].source) == "a.jsonl.xz!a.jsonl"


def test_bzip2_of_several_streams(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(bz2.compress(MANY) + bz2.compress(event_line(7)), "a.jsonl.bz2")
    assert (len(events), events[-1].record_id, tally.losses) == (3_001, 7, [])


@pytest.mark.parametrize(("pack", "name"), [(lzma.compress, "a.jsonl.xz"), (bz2.compress, "a.jsonl.bz2")])
def test_a_file_that_is_cut_off_or_damaged_keeps_what_came_before(
        pack: object, name: str, read_bytes: ReadBytes) -> None:
    assert callable(pack)
    whole = pack(MANY * 2)
    for data in (whole[:-100], whole[:-60] + b"\xff" * 60):
        events, tally = read_bytes(data, name)
        assert [event.record_id for event in events[:3_000]] == list(range(3_000))
        assert "damaged archive" in tally.losses[-1].reason
    assert read_bytes(whole[:20], name)[1].losses


def test_a_dictionary_of_gigabytes_is_refused(read_bytes: ReadBytes) -> None:
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 1 << 20}]
    data = bytearray(lzma.compress(MANY, filters=filters, check=lzma.CHECK_NONE))
    assert data[12:17] == b"\x02\x00\x21\x01\x10"  # block header: size, flags, LZMA2, one byte: 1 MiB
    data[16] = 0x27  # 3 GiB
    data[20:24] = lzma_crc(bytes(data[12:20]))
    events, tally = read_bytes(bytes(data), "a.jsonl.xz")
    assert events == []
    assert "Memory usage limit" in tally.losses[0].reason


def lzma_crc(header: bytes) -> bytes:
    return zlib.crc32(header).to_bytes(4, "little")
