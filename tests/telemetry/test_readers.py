"""Choosing a reader by content before name, what is a loss and what is ignored, and no exception on any bytes."""

from __future__ import annotations

import gzip
import importlib
import io
import json
import lzma
import os
import random
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from douse.errors import EvidenceError
from douse.telemetry import Limits, Tally, Wanted, read_path, read_stream
from douse.telemetry.chunks import expected_records
from douse.telemetry.damage import ZEROS
from douse.telemetry.readers import READERS

from . import test_squid
from .conftest import ReadBytes
from .exported import splunk
from .test_archive import event_line, zipped
from .test_csvlog import ecmd
from .test_exports import beat
from .test_splunk import start, sysmon
from .test_tar import tarred
from .test_xmllog import record


def reader_of(data: bytes, name: str, tmp_path: Path, *, named: bool = False) -> tuple[set[str], Tally]:
    """The formats a file's events came from."""
    path = tmp_path / name
    path.write_bytes(data)
    tally = Tally()
    return {event.source.format for event in read_path(path, Wanted.everything(), tally, Limits(), named=named)}, tally


def test_the_table_names_functions_that_exist() -> None:
    for reader in READERS:
        assert callable(reader.load())
        assert reader.load().__doc__
        assert reader.suffixes or reader.hints or reader.certain
        assert reader.function.startswith("douse.telemetry.")


def test_importing_the_room_loads_no_reader() -> None:
    done = subprocess.run([sys.executable, "-c", "import sys, douse.telemetry; print(*sys.modules)"],
                          capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"evtx", "msgspec", "douse.telemetry.evtx", "douse.telemetry.jsonl", "douse.telemetry.archive"}


def test_content_decides_before_the_name(tmp_path: Path, three_chunks: bytes) -> None:
    assert reader_of(three_chunks, "log.json", tmp_path)[0] == {"evtx"}
    assert reader_of(three_chunks, "log", tmp_path)[0] == {"evtx"}
    assert reader_of(event_line(1), "log.evtx", tmp_path)[0] == {"jsonl"}
    assert reader_of(gzip.compress(event_line(1)), "log.json", tmp_path)[0] == {"jsonl"}
    assert reader_of(zipped({"a": event_line(1)}), "log.gz", tmp_path)[0] == {"jsonl"}
    assert reader_of(bytes(4096) + three_chunks[4096:], "no name says it", tmp_path)[0] == {"evtx"}


@pytest.mark.parametrize("data", [
    event_line(1), b"\xef\xbb\xbf" + event_line(1), b"\n  [\n" + event_line(1) + b"]", b"Record 1\n" + event_line(1),
    event_line(1).decode().encode("utf-16"), event_line(1).decode().encode("utf-16-le"),
])
def test_json_under_any_name_if_it_mentions_an_event_id(data: bytes, tmp_path: Path) -> None:
    formats, tally = reader_of(data, "export.txt", tmp_path)
    assert (formats, tally.losses) == ({"jsonl"}, [])


@pytest.mark.parametrize(("name", "data"), [
    ("notes.txt", b"hello"), ("app.log", b"[INFO] started"), ("x.ini", b"[section]\na=1"),
    ("settings", b'{"theme": 1}'), ("package.json", b'{"name": "package"}'), ("empty.json", b""),
    ("empty.txt", b""), ("setup.exe", b"MZ"), ("report.docx", zipped({"word/document.xml": b"<x/>"})),
])
def test_what_a_walk_finds_and_is_no_evidence_is_ignored_and_counted(name: str, data: bytes, tmp_path: Path) -> None:
    formats, tally = reader_of(data, name, tmp_path)
    assert (formats, tally.losses, tally.ignored) == (set(), [], 1)


@pytest.mark.parametrize(("name", "data", "reason"), [
    ("a.evtx", b"MZ\x90\x00", "is named like evtx and its content is not"),
    ("a.evtx", b"", "empty file"),
    ("a.JSONL", b"", "empty file"),
    ("a.ndjson", b"\x00\x01\x02\x03", "is named like jsonl and its content is not"),
    ("a.zip", b"text", "is named like zip and its content is not"),
    ("a.gz", b"text", "is named like gz and its content is not"),
    ("a.jsonl", b'{"name": "package"}', "no Windows event (no channel, event id or time in it)"),
])
@pytest.mark.parametrize("named", [False, True])
def test_what_is_named_like_evidence_and_is_none_is_a_loss(
        name: str, data: bytes, reason: str, named: bool, tmp_path: Path) -> None:
    _, tally = reader_of(data, name, tmp_path, named=named)
    assert [loss.reason for loss in tally.losses] == [reason]
    assert tally.ignored == 0


@pytest.mark.parametrize(("data", "reason"), [(b"hello", "unknown format"), (b"", "empty file")])
def test_a_file_the_user_named_must_be_readable(data: bytes, reason: str, tmp_path: Path) -> None:
    _, tally = reader_of(data, "notes.txt", tmp_path, named=True)
    assert [loss.reason for loss in tally.losses] == [reason]
    assert tally.losses[0].next_step or not data


@pytest.mark.parametrize("zeros", [16, 5_000, 200_000])
@pytest.mark.parametrize("named", [False, True])
def test_zero_bytes_before_a_log_cost_no_record_behind_them(zeros: int, named: bool, tmp_path: Path) -> None:
    """What a log looks like that was emptied by a rotation while its writer kept its place."""
    squid = (test_squid.GET + "\n").encode()
    for name, data, format_ in (("a.jsonl", event_line(1), "jsonl"), ("access.log", squid, "squid"),
                                ("b.xml", record(1).encode(), "xml")):
        formats, tally = reader_of(bytes(zeros) + data * 9, name, tmp_path, named=named)
        assert (formats, tally.records_read) == ({format_}, 9)
        assert [(loss.where, loss.reason, loss.records) for loss in tally.losses] == [("line 1", ZEROS, None)]


def test_nothing_but_zero_bytes(tmp_path: Path) -> None:
    for name, named, losses, ignored in (("a.txt", False, 0, 1), ("a.txt", True, 1, 0), ("a.evtx", False, 1, 0)):
        _, tally = reader_of(bytes(300_000), name, tmp_path, named=named)
        assert ([loss.reason for loss in tally.losses], tally.ignored) == (["nothing but zero bytes"] * losses, ignored)


@pytest.mark.parametrize(("name", "format_"), [("a.jsonl", "jsonl"), ("a.json", "export")])
def test_json_lines_whose_first_line_is_broken(name: str, format_: str, tmp_path: Path) -> None:
    formats, tally = reader_of(b"oops\n" + event_line(1), name, tmp_path)
    assert (formats, tally.records_lost) == ({format_}, 1)


def test_json_that_the_user_named_must_be_a_log(tmp_path: Path) -> None:
    _, tally = reader_of(b'{"name": "package"}', "package.json", tmp_path, named=True)
    assert [loss.reason for loss in tally.losses] == ["no Windows event (no channel, event id or time in it)"]


def test_files_that_cannot_be_opened(tmp_path: Path) -> None:
    for named in (True, False):
        tally = Tally()
        assert not list(read_path(tmp_path / "gone.evtx", Wanted.everything(), tally, Limits(), named=named))
        assert [loss.reason for loss in tally.losses] == ["cannot be read: No such file or directory"]
    tally = Tally()
    assert not list(read_path(tmp_path, Wanted.everything(), tally, Limits(), named=True))
    assert len(tally.losses) == 1
    with pytest.raises(EvidenceError, match=r"gone\.evtx: cannot be read: No such file or directory\. Check"):
        list(read_path(tmp_path / "gone.evtx", Wanted.everything(), Tally(strict=True), Limits(), named=True))


def test_a_file_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    path = tmp_path / "a.evtx"
    path.write_bytes(b"x")
    monkeypatch.setattr(Path, "open", denied)  # root, who runs some CI, is bound by no file mode
    tally = Tally()
    assert not list(read_path(path, Wanted.everything(), tally, Limits(), named=False))
    assert [loss.reason for loss in tally.losses] == ["cannot be read: Permission denied"]


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system has no named pipes")
def test_a_pipe_found_by_a_walk_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    tally = Tally()
    assert not list(read_path(tmp_path / "pipe.json", Wanted.everything(), tally, Limits(), named=False))
    assert (tally.losses, tally.ignored) == ([], 1)


def test_standard_input_of_every_format(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    for data in (event_line(1), three_chunks, gzip.compress(event_line(1)), zipped({"a.json": event_line(1)})):
        events, tally = read_bytes(data, "-")
        assert events[0].source.path == "-"
        assert tally.losses == []


def test_a_pipe_delivers_in_small_pieces(three_chunks: bytes) -> None:
    class Pipe(io.RawIOBase):
        def __init__(self, data: bytes) -> None:
            self._data = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self._data.read(min(size, 999) if size >= 0 else 999)

    tally = Tally()
    events = list(read_stream(Pipe(three_chunks), "-", Wanted.everything(), tally, Limits()))  # type: ignore[arg-type]
    assert len(events) == expected_records(io.BytesIO(three_chunks))


def test_no_room_for_a_temporary_copy_is_a_loss(three_chunks: bytes, monkeypatch: pytest.MonkeyPatch,
                                                read_bytes: ReadBytes) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(importlib.import_module("douse.telemetry.readers"), "spooled", full)
    events, tally = read_bytes(three_chunks, "-")
    assert events == []
    assert [loss.reason for loss in tally.losses] == ["no room for a temporary copy: No space left on device"]


def test_progress_in_bytes_goes_up_to_the_size_of_each_file(tmp_path: Path, three_chunks: bytes) -> None:
    tally, size = Tally(), 0
    for name, data in (("a.evtx", three_chunks), ("b.jsonl", event_line(1) * 100), ("c.gz", gzip.compress(b"{}"))):
        (tmp_path / name).write_bytes(data)
        events = read_path(tmp_path / name, Wanted.everything(), tally, Limits(), named=True)
        seen = [size, *(tally.bytes_read for _ in events)]
        size += len(data)
        assert seen == sorted(seen)
        assert seen[-1] <= size
        assert tally.bytes_read == size
    list(read_stream(io.BytesIO(event_line(1)), "-", Wanted.everything(), tally, Limits()))
    assert tally.bytes_read == size + len(event_line(1))
    whole = Tally()
    whole.merge(tally)
    assert whole.bytes_read == tally.bytes_read


def test_evidence_is_not_changed(tmp_path: Path, three_chunks: bytes) -> None:
    path = tmp_path / "a.evtx"
    path.write_bytes(three_chunks)
    path.chmod(0o444)
    before = path.stat()
    list(read_path(path, Wanted.everything(), Tally(), Limits(), named=True))
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (three_chunks, before.st_mtime_ns)


SEEDS = (event_line(1) * 3, b"[" + event_line(1) + b"," + event_line(2) + b"]", gzip.compress(event_line(1) * 50),
         zipped({"a.json": event_line(1), "b.gz": gzip.compress(event_line(2))}),
         zipped({"a.jsonl": event_line(1) * 9}, zipfile.ZIP_LZMA), json.dumps({"Channel": "Security", "EventID": "1",
         "EventTime": "2026-03-02 12:00:00", "Keywords": -1, "UtcTime": 5}).encode(),
         b"<Events>" + record(1).encode() * 3 + b"</Events>",
         tarred({"a.json": event_line(1), "b.xml": record(2).encode()}),
         ecmd('{"EventData":{"Data":[{"@Name":"Image","#text":"a,\\n\\"b\\""}]}}') * 2,
         json.dumps({"took": 1, "hits": {"hits": [{"_source": beat(n)} for n in range(3)]}}).encode(),
         (start(1) + sysmon(2)).encode(), json.dumps(splunk(record(1))).encode(), lzma.compress(event_line(1) * 9))
NAMES = ("x", "x.evtx", "x.json", "x.jsonl", "x.zip", "x.gz", "x.tar", "x.xml", "x.csv", "x.xz")


def mutated(seed: bytes, rng: random.Random) -> bytes:
    """The seed with some bytes changed, zeroed, cut out or put in."""
    data = bytearray(seed)
    for _ in range(rng.choice((1, 2, 8, 40))):
        at = rng.randrange(len(data) + 1)
        kind = rng.randrange(5)
        if kind == 0:
            data[at:at + 1] = rng.randbytes(1)
        elif kind == 1:
            data[at:at + 8] = rng.randbytes(8)
        elif kind == 2:
            length = rng.randrange(600)
            data[at:at + length] = bytes(len(data[at:at + length]))
        elif kind == 3:
            del data[at:at + rng.randrange(100)]
        else:
            data[at:at] = rng.choice((b"{", b"}", b'"', b"\n", b"\\ud800", b"\xff\xff", b"PK\x01\x02", b"9" * 5_000))
    return bytes(data)


def reads_without_raising(data: bytes, name: str) -> Tally:
    """Read everything, decode every event's fields, and check what a tally promises."""
    tally = Tally()
    for event in read_stream(io.BytesIO(data), name, Wanted.everything(), tally, Limits(ratio_from=1_000_000)):
        assert isinstance(event.fields, dict)
        for value in event.fields.values():
            str(value).encode()
    assert tally.records_lost >= 0
    assert all(loss.records is None or loss.records >= 0 for loss in tally.losses)
    assert all(loss.next_step for loss in tally.losses if loss.records != 0), "whoever reads of a loss wants to know"
    assert sum(c.records for host in tally.coverage() for c in host.counts) == tally.records_read
    try:
        for _ in read_stream(io.BytesIO(data), name, Wanted([]), Tally(strict=True), Limits()):
            pytest.fail("nothing was wanted")
    except EvidenceError:
        assert tally.losses
    return tally


STARTS = (b"", b"ElfFile\x00", b"PK\x03\x04", b"\x1f\x8b\x08", b"{", b"[", b'{"Event":{"System":{',
          b"<Event><System><EventID>", b'{"winlog":{"', b"_raw,EventID\n", b"\xfd7zXZ\x00", b"BZh91AY&SY",
          b"03/02/2026 08:00:00 AM\nLogName=")
EXAMPLES = max(200, settings().max_examples)  # more under `make fuzz`


@given(data=st.binary(max_size=400), name=st.sampled_from(NAMES), start=st.sampled_from(STARTS))
@settings(max_examples=EXAMPLES)
def test_any_bytes_are_read_without_an_exception(data: bytes, name: str, start: bytes) -> None:
    reads_without_raising(start + data, name)


@given(seed=st.sampled_from(SEEDS), name=st.sampled_from(NAMES), random_seed=st.integers(0, 2**32))
@settings(max_examples=EXAMPLES)
def test_damaged_json_and_archives_are_read_without_an_exception(seed: bytes, name: str, random_seed: int) -> None:
    reads_without_raising(mutated(seed, random.Random(random_seed)), name)


@given(random_seed=st.integers(0, 2**32))
@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_damaged_real_logs_are_read_without_an_exception_and_reconciled(
        random_seed: int, three_chunks: bytes) -> None:
    rng = random.Random(random_seed)
    log = three_chunks if rng.randrange(2) else three_chunks[:4096 + 65536]
    data = mutated(log[:4096], rng) + log[4096:] if rng.randrange(4) == 0 else log[:4096] + mutated(log[4096:], rng)
    tally = reads_without_raising(data, "x.evtx")
    if not tally.notes and data[:8] == b"ElfFile\x00" and len(data) >= 4096:
        assert tally.records_read + tally.records_lost == expected_records(io.BytesIO(data))
