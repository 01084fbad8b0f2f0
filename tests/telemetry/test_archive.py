"""Logs in zip and gz: members by content, nested, encrypted, truncated, bombs; the run always goes on."""

from __future__ import annotations

import gzip
import io
import json
import zipfile
from pathlib import Path

import pytest

from douse.telemetry import Limits, Tally, Wanted, read_path
from douse.telemetry.chunks import expected_records

from .conftest import ReadBytes


def event_line(record_id: int) -> bytes:
    """One nested event."""
    return json.dumps({"Event": {"System": {
        "Provider": {"#attributes": {"Name": "P"}}, "EventID": 1, "EventRecordID": record_id, "Channel": "Security",
        "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T12:00:00Z"}}, "Computer": "PC1"}}}).encode() + b"\n"


def zipped(members: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip of these members."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", compression) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return out.getvalue()


def encrypted(archive: bytes) -> bytes:
    """The same zip with every member's encryption flag set, in its header and in the directory."""
    data = bytearray(archive)
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(signature)
        while at >= 0:
            data[at + offset] |= 1
            at = data.find(signature, at + 4)
    return bytes(data)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_members_are_read_by_content_and_others_ignored(
        read_bytes: ReadBytes, three_chunks: bytes, compression: int) -> None:
    data = zipped({"logs/": b"", "logs/a.jsonl": event_line(1), "logs/b.dat": event_line(2), "logs/c": three_chunks,
                   "readme.txt": b"hello", "photo.png": b"\x89PNG", "logs/._a.jsonl": b"\x00\x05\x16\x07",
                   "__MACOSX/a.evtx": b"x"}, compression)
    events, tally = read_bytes(data, "case.zip")
    assert len(events) == 2 + expected_records(io.BytesIO(three_chunks))
    assert (tally.losses, tally.ignored) == ([], 4)
    assert [str(event.source) for event in events[:2]] == ["case.zip!logs/a.jsonl", "case.zip!logs/b.dat"]
    assert str(events[2].source) == "case.zip!logs/c"
    assert {event.source.format for event in events} == {"jsonl", "evtx"}


def test_gz_and_zips_inside_zips(read_bytes: ReadBytes, three_chunks: bytes) -> None:
    inner = zipped({"x.json": event_line(3), "Security.evtx.gz": gzip.compress(three_chunks)})
    events, tally = read_bytes(zipped({"inner.zip": inner, "a.jsonl.gz": gzip.compress(event_line(4))}), "outer.zip")
    assert tally.losses == []
    assert {str(event.source) for event in events} == {
        "outer.zip!inner.zip!x.json", "outer.zip!inner.zip!Security.evtx.gz!Security.evtx",
        "outer.zip!a.jsonl.gz!a.jsonl"}
    assert len(events) == 2 + expected_records(io.BytesIO(three_chunks))


def test_archives_too_deep_inside_each_other_are_a_loss(read_bytes: ReadBytes) -> None:
    data = event_line(1)
    for level in range(4):
        data = zipped({f"{level}.zip" if level else "a.json": data})
    events, tally = read_bytes(data, "matryoshka.zip")
    assert events == []
    assert [loss.reason for loss in tally.losses] == ["archives lie too deep inside each other"]
    assert len(read_bytes(data, "matryoshka.zip", limits=Limits(max_depth=4))[0]) == 1


def test_an_encrypted_member_is_a_loss_with_its_next_step(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(encrypted(zipped({"a.jsonl": event_line(1), "b.jsonl": event_line(2)})), "locked.zip")
    assert events == []
    assert [str(loss.source) for loss in tally.losses] == ["locked.zip!a.jsonl", "locked.zip!b.jsonl"]
    assert {loss.reason for loss in tally.losses} == {"encrypted archive member"}
    assert "password" in tally.losses[0].next_step


def test_a_bomb_is_stopped_and_the_other_members_are_read(read_bytes: ReadBytes) -> None:
    bomb = event_line(1) + b" " * 30_000_000
    data = zipped({"bomb.jsonl": bomb, "good.jsonl": event_line(2)})
    events, tally = read_bytes(data, "x.zip", limits=Limits(ratio_from=1_000_000))
    assert [event.record_id for event in events] == [1, 2]
    (loss,) = tally.losses
    assert str(loss.source) == "x.zip!bomb.jsonl"
    assert "zip bomb" in loss.reason
    assert tally.losses[0].next_step


def test_a_bomb_of_many_members_and_levels_costs_no_more_than_the_budget(read_bytes: ReadBytes) -> None:
    leaf = zipped({f"{n}.jsonl": b" " * 1_000_000 for n in range(10)})
    data = zipped({f"{n}.zip": leaf for n in range(10)})
    limits = Limits(max_unpacked=5_000_000)
    _, tally = read_bytes(data, "x.zip", limits=limits)
    assert any("the archive unpacks to more than" in loss.reason for loss in tally.losses)
    assert len(tally.losses) <= 100


def test_too_many_members(read_bytes: ReadBytes) -> None:
    data = zipped({f"{n}.jsonl": event_line(n) for n in range(5)})
    events, tally = read_bytes(data, "x.zip", limits=Limits(max_members=3))
    assert [event.record_id for event in events] == [0, 1, 2]
    assert [loss.where for loss in tally.losses] == ["member 4 and later"]


def test_a_truncated_gz_keeps_what_came_before(read_bytes: ReadBytes) -> None:
    packed = gzip.compress(b"".join(event_line(n) for n in range(5_000)))
    events, tally = read_bytes(packed[: len(packed) * 3 // 4], "x.jsonl.gz")
    assert len(events) > 1_000
    assert [event.record_id for event in events] == list(range(len(events)))
    assert "damaged archive" in tally.losses[-1].reason
    assert tally.losses[-1].records is None


def test_a_damaged_member_does_not_stop_the_others(read_bytes: ReadBytes) -> None:
    data = bytearray(zipped({"a.jsonl": b"".join(event_line(n) for n in range(500)), "b.jsonl": event_line(9_999)}))
    data[300:320] = b"\xff" * 20
    events, tally = read_bytes(bytes(data), "x.zip")
    assert events[-1].record_id == 9_999
    assert "x.zip!a.jsonl" in {str(loss.source) for loss in tally.losses}


def test_a_zip_without_its_directory(read_bytes: ReadBytes) -> None:
    data = zipped({"a.jsonl": event_line(1)})
    for cut in (len(data) - 30, 40):
        events, tally = read_bytes(data[:cut], "x.zip")
        assert events == []
        assert [loss.reason for loss in tally.losses] == ["damaged zip: its list of members cannot be read"]


def test_a_member_named_like_evidence_that_is_none_or_empty(read_bytes: ReadBytes) -> None:
    _, tally = read_bytes(zipped({"a.evtx": b"MZ\x90\x00", "b.jsonl": b"", "c.gz": b"text"}), "x.zip")
    assert [(loss.source.member, loss.reason) for loss in tally.losses] == [
        ("a.evtx", "is named like evtx and its content is not"), ("b.jsonl", "empty file"),
        ("c.gz", "is named like gz and its content is not")]


def test_hostile_member_names_are_provenance_only(read_bytes: ReadBytes, tmp_path: Path,
                                                  monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["../../evil.jsonl", "/etc/cron.d/x.jsonl", "C:\\Windows\\x.jsonl", "\x1b[31m\u202egnp.jsonl",
             "a" * 300 + ".jsonl"]
    events, tally = read_bytes(zipped({name: event_line(1) for name in names}), "x.zip")
    assert [event.source.member for event in events] == names
    assert tally.losses == []
    assert list(tmp_path.iterdir()) == []


def test_an_archive_on_disk(tmp_path: Path, three_chunks: bytes) -> None:
    path = tmp_path / "case.zip"
    path.write_bytes(zipped({"Application.evtx": three_chunks}))
    tally = Tally()
    events = list(read_path(path, Wanted.everything(), tally, Limits(), named=True))
    assert len(events) == tally.records_read == expected_records(io.BytesIO(three_chunks))
    assert str(events[0].source) == f"{path}!Application.evtx"
