"""Evidence: event logs, JSON in every shape and archives, read as a file the user named.

Checked is what is true of all input: each record is counted once, nothing is lost in silence, a strict run stops where
the other counts a loss. For event logs the chunk headers are walked by hand, and read + lost is what they state.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Mapping, Sequence
from datetime import UTC

from douse.errors import EvidenceError
from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_stream
from douse.telemetry.chunks import MAX_RECORDS, expected_records
from douse.telemetry.limits import MIB
from fuzz import seeds
from fuzz.mutate import BINARY, TEXT
from fuzz.target import Target

LIMITS = Limits(max_line=MIB, max_member=8 * MIB, max_unpacked=16 * MIB, ratio_from=MIB)
"""Small ones, so that they are met."""


def read(data: bytes, name: str, *, only_headers: bool = False) -> tuple[list[Event], Tally]:
    """Read bytes as a file the user named, decode every record, and check what is true of all input.

    `only_headers` says that the input has nothing but what a format writes before its first record.
    """
    tally = Tally()
    events = []
    for event in read_stream(io.BytesIO(data), name, Wanted.everything(), tally, LIMITS):
        for key, value in event.fields.items():
            key.encode()
            for text in value if isinstance(value, list) else [value]:
                str(text).encode()
        assert event.time.tzinfo is UTC
        assert 0 <= event.event_id < 1 << 64
        events.append(event)
    assert len(events) == tally.records_read, "each record is counted once"
    assert tally.records_skipped == 0
    assert all(loss.records is None or loss.records >= 0 for loss in tally.losses), tally.losses
    assert tally.records_lost == sum(loss.records or 0 for loss in tally.losses)
    said = events or tally.losses or tally.ignored or tally.notes
    assert said or only_headers or not data.strip() or _says_nothing(data), "silent"
    _strict_agrees(data, name, bool(tally.losses))
    return events, tally


def _says_nothing(data: bytes) -> bool:
    """Sound input without a record: an empty array, evtx_dump's heading, an empty log, an archive of nothing."""
    return data[:8] == b"ElfFile\0" or data[:2] == b"PK" or not re.search(
        rb"[^\s,\[\]\x00\xff\xfe\xef\xbb\xbf]", re.sub(rb"Record \d+\s", b"", data))


def _strict_agrees(data: bytes, name: str, lost: bool) -> None:
    """A strict run raises EvidenceError exactly where the other counts a loss, and nothing else."""
    if len(data) > 200_000 or len(data) % 3:  # on a part of the inputs, because it doubles the work
        return
    try:
        for _ in read_stream(io.BytesIO(data), name, Wanted.everything(), Tally(strict=True), LIMITS):
            pass
    except EvidenceError:
        assert lost, "strict raised for nothing"
    else:
        assert not lost, "strict let a loss pass"


def stated_by_hand(data: bytes) -> tuple[int, bool]:
    """What the sound chunk headers of an event log state, and whether any header is not sound; written apart from ours.

    MS-EVEN6 keeps first and last record number at 8 and 16, and the same as record ids at 24 and 32.
    """
    total, destroyed = 0, False
    for at in range(seeds.FILE_HEADER, len(data), seeds.CHUNK):
        header = data[at:at + 512]
        numbers = struct.unpack_from("<QQQQ", header, 8) if len(header) == 512 and header[:7] == b"ElfChnk" else ()
        for first, last in (numbers[:2], numbers[2:]) if numbers and header[7] == 0 else ():
            if first == (1 << 64) - 1 or last == first - 1 or first == last == 0:
                break
            if first <= last < first + MAX_RECORDS:
                total += last - first + 1
                break
        else:
            destroyed = True
    return total, destroyed


def evtx(data: bytes) -> None:
    """Read + lost is what the headers that survived state; only a destroyed one makes an extent unknown."""
    events, tally = read(data, "fuzz.evtx")
    if data[:8] != b"ElfFile\0" and data[4096:4104] != b"ElfChnk\0":
        return  # by its content this is another format, or none
    if len(data) < seeds.FILE_HEADER:
        assert not events
        return
    surplus = 0
    for note in tally.notes:
        if found := re.search(r"states (\d+) records and holds (\d+)", note):
            surplus += int(found[2]) - int(found[1])
    stated, destroyed = stated_by_hand(data)
    total = len(events) + tally.records_lost - surplus
    assert total == expected_records(io.BytesIO(data)), "not reconciled with the chunk headers"
    assert total >= stated, "less than the sound headers state"
    unknown = [loss for loss in tally.losses if loss.records is None]
    cut = "the file ends before it"
    assert not unknown or destroyed or all(cut in loss.reason for loss in unknown), "extent unknown without need"


def json_text(data: bytes) -> None:
    """Whatever JSON is strung together."""
    read(data, "fuzz.jsonl")


_SUFFIXES = {b"P": "zip", b"\x1f": "gz", b"B": "bz2", b"\xfd": "xz"}


def archive(data: bytes) -> None:
    """Packed files of every kind, their members included; what begins like none is read as a tar."""
    read(data, f"fuzz.{_SUFFIXES.get(data[:1], 'tar')}")


def _marks_evtx(seed: bytes) -> Sequence[int]:
    """File header, chunk headers and the record headers in them."""
    found = [0, 24, 42, 120]
    for at in range(seeds.FILE_HEADER, len(seed), seeds.CHUNK):
        found += [at, at, at + 8, at + 24, at + 40, at + 128, at + 384]
    records = [match.start() for match in re.finditer(rb"\x2a\x2a\x00\x00", seed)]
    return found + records + [at + 24 for at in records]


def _marks_zip(seed: bytes) -> Sequence[int]:
    heads = rb"PK\x01\x02|PK\x03\x04|PK\x05\x06|\x1f\x8b\x08|BZh|1AY&SY|\xfd7zXZ|ustar"
    return [max(match.start() - (257 if match[0] == b"ustar" else 0), 0) for match in re.finditer(heads, seed)]


_EVTX = (b"\x2a\x2a\0\0", b"ElfChnk\0", b"ElfFile\0", b"\x0f\x01\x01\0", b"\x0c\x01", b"\x00")
_ARCHIVE = (b"PK\x01\x02", b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b\x08\0", b"../", b"\xff\xff", b"ustar  \0",
            b"BZh91AY&SY", b"\xfd7zXZ\0", b"YZ", b"././@LongLink", b"77777777777\0", b"\x80" + b"\xff" * 11)
JSON_WORDS = (b'{"Event":{', b'{"', b'"}', b"}", b"{", b"[", b"]", b"\n", b",", b'"', b'\\"', b"\\ud800", b"\\u0000",
         b"null", b"true", b"1e999", b"-1", b"NaN", b'"System":', b'"EventData":', b'"UserData":', b'"#text":',
         b'"#attributes":', b'"Data":', b'"EventID":', b'"Channel":', b'"TimeCreated":', b'"SystemTime":',
         b"Record 7\n", b"\xff", b"\x00", b"18446744073709551616", b'"2026-11-24T09:00:00Z"',
         b'"0001-01-01T00:00:00+23:59"', b'"EventTime":', b"[[[[[[")

EVIDENCE: Mapping[str, Target] = {
    "evtx": Target(seeds.evtx_files, _EVTX, BINARY, evtx, _marks_evtx),
    "json": Target(seeds.json_files, JSON_WORDS, TEXT, json_text),
    "archive": Target(seeds.archives, _ARCHIVE, BINARY, archive, _marks_zip),
}
