"""What our writer wrote, as independent readers see it: the `evtx` wheel, and libevtx where it is installed."""

import io
import json
import struct
import subprocess
import tracemalloc
import zlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from evtx import PyEvtxParser
from hypothesis import given
from hypothesis import strategies as st

from douse.errors import OutputError
from douse.simulate import Record, write_evtx
from douse.simulate.jsonl_writer import nested
from douse.simulate.values import Guid, Hex32, Hex64, Sid, Value

START = datetime(2026, 11, 3, 8, 14, tzinfo=UTC)


def record(number: int = 1, /, **changes: Any) -> Record:
    """A plausible record, any part of it changed."""
    fields: dict[str, Any] = {
        "channel": "Microsoft-Windows-Sysmon/Operational", "provider": "Microsoft-Windows-Sysmon",
        "provider_guid": "5770385F-C22A-43E0-BF4C-06F5698FFBD9", "event_id": 1, "version": 5, "level": 4, "task": 1,
        "opcode": 0, "keywords": 1 << 63, "time": START + timedelta(milliseconds=number), "computer": "WS-1.example",
        "process_id": 3308, "thread_id": 4004, "data": {"Image": "C:\\a.exe"}, "user_sid": "S-1-5-18",
        "record_id": number,
    }
    return Record(**(fields | changes))


def written(records: Iterable[Record]) -> bytes:
    stream = io.BytesIO()
    write_evtx(stream, records)
    return stream.getvalue()


def read(raw: bytes) -> list[dict[str, Any]]:
    """All records as the wheel gives them, with every checksum verified."""
    parser = PyEvtxParser(io.BytesIO(raw), validate_checksums=True)
    return [json.loads(found["data"]) for found in parser.records_json()]


text = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=60)
value = st.one_of(
    text, st.integers(-(1 << 63), (1 << 64) - 1), st.booleans(),
    st.uuids().map(lambda uuid: Guid(str(uuid))), st.integers(0, (1 << 32) - 1).map(Hex32),
    st.integers(0, (1 << 64) - 1).map(Hex64),
    st.lists(st.integers(0, (1 << 32) - 1), min_size=1, max_size=8).map(
        lambda subs: Sid("S-1-5-" + "-".join(map(str, subs)))),
    st.datetimes(datetime(1700, 1, 1), datetime(9000, 1, 1)).map(lambda time: time.replace(tzinfo=UTC)),  # noqa: DTZ001
)
name = st.text(st.characters(min_codepoint=0x21, exclude_characters="\0", exclude_categories=["Cs"]), min_size=1,
               max_size=20)
arbitrary = st.builds(
    record, st.integers(1, 1 << 40), data=st.dictionaries(name, value, max_size=6), computer=text, channel=text,
    event_id=st.integers(0, 0xFFFF), keywords=st.integers(0, (1 << 64) - 1), process_id=st.integers(0, (1 << 32) - 1),
    user_sid=st.sampled_from(["", "S-1-5-18", "S-1-5-21-1-2-3-1104"]),
    activity_id=st.sampled_from(["", "7882B73A-E5EC-0000-C3B2-BF78ECE5D701"]),
)


@given(st.lists(arbitrary, max_size=5))
def test_any_record_comes_back_as_it_was(records: list[Record]) -> None:
    assert read(written(records)) == [nested(one) for one in records]


AWKWARD: dict[str, Value] = {
    "empty": "", "control": "a\x01\x1b[31m\x7f\x85\u2028\ufffe\uffffz", "markup": "<a b=\"c\">&amp;'",
    "blank": "  x\r\n\t ", "beyond the first plane": "✅ 🔥 \U0010ffff", "bidi": "exe\u202egpj", "0": 0, "minus": -1,
    "true": True, "false": False,
}


def test_awkward_text_survives() -> None:
    assert read(written([record(data=AWKWARD)]))[0]["Event"]["EventData"] == AWKWARD


def test_many_records_fill_many_chunks_and_none_is_lost() -> None:
    shapes: list[dict[str, Value]] = [{"a": "x" * 300, "b": 7}, {"c": Hex64(9), "d": "y" * 77}, {}, {"a": 1, "b": "z"}]
    records = [record(5000 + number, data=shapes[number * number % 4]) for number in range(3000)]
    raw = written(records)
    assert read(raw) == [nested(one) for one in records]
    numbers = [found["event_record_id"] for found in PyEvtxParser(io.BytesIO(raw)).records()]
    assert numbers == list(range(5000, 8000))


def test_headers_count_and_checksum_what_is_there() -> None:
    raw = written(record(number, data={"text": "x" * 900}) for number in range(1, 101))
    chunks = raw[4096:]
    count = struct.unpack_from("<H", raw, 42)[0]
    assert len(chunks) == count * 0x10000
    assert struct.unpack_from("<Q", raw, 24)[0] == 101, "the next record's number"
    assert struct.unpack_from("<I", raw, 124)[0] == zlib.crc32(raw[:120])
    following = 1
    for at in range(0, len(chunks), 0x10000):
        chunk = chunks[at:at + 0x10000]
        first, last = struct.unpack_from("<QQ", chunk, 8)
        _, last_offset, free, data_crc = struct.unpack_from("<IIII", chunk, 40)
        assert first == following
        assert data_crc == zlib.crc32(chunk[512:free])
        assert struct.unpack_from("<I", chunk, 124)[0] == zlib.crc32(chunk[:120] + chunk[128:512])
        assert struct.unpack_from("<IIQ", chunk, last_offset)[2] == last
        following = last + 1
    assert following == 101


def first_free_byte(records: Iterable[Record]) -> int:
    """Where the first chunk of a file ends to hold records, from its header."""
    free: int = struct.unpack_from("<I", written(records), 4096 + 48)[0]
    return free


def test_no_record_ends_exactly_with_its_chunk() -> None:
    """libevtx 20181227 does not see such a record, so it goes to the next chunk."""
    big = record(data={"text": "x" * 30_000})
    ends = {first_free_byte([big, record(2, data={"text": "y" * more})]) for more in range(1000, 2400, 4)}
    assert max(ends) == 0x10000 - 8
    assert min(ends) == first_free_byte([big]), "the second record went to the next chunk"


def test_a_file_without_records_is_a_file() -> None:
    raw = written([])
    assert read(raw) == []
    assert len(raw) == 4096


def test_a_stream_may_already_hold_something() -> None:
    stream = io.BytesIO(b"before")
    stream.seek(6)
    assert write_evtx(stream, [record()]) == 1
    assert stream.getvalue()[:6] == b"before"
    assert read(stream.getvalue()[6:]) == [nested(record())]


@pytest.mark.parametrize(("data", "complaint"), [
    ({"big": "x" * 40_000}, "80,000 bytes"),
    ({"big": "x" * 32_700}, "larger than a chunk"),
    ({"a": "x" * 20_000, "b": "x" * 20_000}, "larger than a chunk"),
    ({"number": 1 << 64}, "beyond 64 bits"),
    ({"text": "a\0b"}, "NUL"),
    ({"text": "a\ud800b"}, "surrogate"),
    ({"n" * 300: "x"}, "characters in a name"),
])
def test_what_no_event_log_can_hold_is_refused_with_its_place(data: dict[str, Value], complaint: str) -> None:
    with pytest.raises(OutputError, match=complaint) as caught:
        written([record(7, data=data)])
    assert caught.value.where == "Microsoft-Windows-Sysmon/Operational 1 #7"


@pytest.mark.parametrize("changes", [{"event_id": 70_000}, {"level": 256}, {"computer": "x" * 300}, {"channel": "a\0"}])
def test_a_system_value_that_does_not_fit_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(OutputError, match="System"):
        written([record(**changes)])


def test_memory_does_not_grow_with_the_records(tmp_path: Path) -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        write_evtx(tmp_path / "out.evtx", (record(number, data={"text": "x" * 400}) for number in range(count)))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    peak(10)  # fills the caches
    assert peak(4000) < peak(400) + 100_000


def test_libevtx_reads_the_same(tmp_path: Path, tool: Callable[[str], Path]) -> None:
    """Debian's libevtx-utils, written independently of the wheel, agrees on every record and value."""
    texts = ["plain", "", "ünï ✅", "<&>\"'"]  # nothing beyond U+FFFF: this libevtx takes U+1F525 for U+1F126
    records = [record(100 + number, data={"Text": texts[number % 4], "Number": number, "Id": Sid("S-1-5-18"),
                                          "Filler": "x" * (number % 700)}) for number in range(900)]
    path = tmp_path / "ours.evtx"
    write_evtx(path, records)
    info = subprocess.run([tool("evtxinfo"), path], capture_output=True, text=True, check=True).stdout
    assert "Number of records\t\t: 900" in info
    assert "Number of recovered records\t: 0" in info
    shown = subprocess.run([tool("evtxexport"), "-f", "xml", path], capture_output=True, text=True, check=True).stdout
    events = ET.fromstring(f"<all>{shown[shown.index('<Event'):]}</all>")  # noqa: S314  our own output
    space = {"e": "http://schemas.microsoft.com/win/2004/08/events/event"}
    found = [[data.text or "" for data in event.findall("e:EventData/e:Data", space)] for event in events]
    assert found == [[str(value) for value in one.data.values()] for one in records]
    ids = [event.findtext("e:System/e:EventRecordID", "", space) for event in events]
    assert ids == [str(one.record_id) for one in records]
