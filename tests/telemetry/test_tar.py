"""Logs in tar, plain and packed: hostile names, links, sizes and chains of headers; damage costs the member it hits."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
from pathlib import Path

import pytest

from douse.telemetry import Limits, Tally, Wanted, read_path
from douse.telemetry.chunks import expected_records

from .conftest import ReadBytes
from .test_archive import event_line, zipped

FORMATS = (tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)


def tarred(members: dict[str, bytes | tarfile.TarInfo], format_: int = tarfile.PAX_FORMAT) -> bytes:
    """A tar of these members; a TarInfo stands for a member without content."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=format_) as archive:
        for name, content in members.items():
            header = content if isinstance(content, tarfile.TarInfo) else tarfile.TarInfo(name)
            if isinstance(content, bytes):
                header.size = len(content)
                archive.addfile(header, io.BytesIO(content))
            else:
                archive.addfile(header)
    return out.getvalue()


def special(kind: bytes, target: str = "/etc/passwd") -> tarfile.TarInfo:
    header = tarfile.TarInfo(f"special{kind.decode()}.jsonl")
    header.type, header.linkname = kind, target
    return header


def raw_header(kind: bytes, size: int) -> bytes:
    header = tarfile.TarInfo("x")
    header.type, header.size = kind, size
    return header.tobuf(tarfile.GNU_FORMAT)


@pytest.mark.parametrize("format_", FORMATS)
def test_members_are_read_by_content_and_others_ignored(
        format_: int, read_bytes: ReadBytes, three_chunks: bytes) -> None:
    long = "logs/" + "x" * 90 + "/" + "y" * 60 + ".jsonl"
    data = tarred({"logs/a.jsonl": event_line(1), "logs/b.dat": event_line(2), long: event_line(3),
                   "c.evtx": three_chunks, "readme.txt": b"hello", "logs/._a.jsonl": b"\x00\x05",
                   "inner.zip": zipped({"z.json": event_line(4)}), "inner.tar": tarred({"t.json": event_line(5)}),
                   "empty.bin": b"", "folder": special(tarfile.DIRTYPE)}, format_)
    events, tally = read_bytes(data, "case.tar")
    assert len(events) == 5 + expected_records(io.BytesIO(three_chunks))
    assert (tally.losses, tally.ignored) == ([], 3)
    assert {str(event.source) for event in events} == {f"case.tar!{name}" for name in (
        "logs/a.jsonl", "logs/b.dat", long, "c.evtx", "inner.zip!z.json", "inner.tar!t.json")}


@pytest.mark.parametrize(("name", "pack", "member"), [
    ("case.tar.gz", gzip.compress, "case.tar"), ("case.tgz", gzip.compress, "case.tar"),
    ("case.tar.bz2", bz2.compress, "case.tar"), ("case.tbz2", bz2.compress, "case.tar"),
    ("case.TAR.XZ", lzma.compress, "case.TAR"), ("case.txz", lzma.compress, "case.tar"),
])
def test_packed_tars(name: str, pack: object, member: str, tmp_path: Path, three_chunks: bytes) -> None:
    assert callable(pack)
    (tmp_path / name).write_bytes(pack(tarred({"a.jsonl": event_line(1), "b.evtx": three_chunks})))
    tally = Tally()
    events = list(read_path(tmp_path / name, Wanted.everything(), tally, Limits(), named=False))
    assert len(events) == 1 + expected_records(io.BytesIO(three_chunks))
    assert (tally.losses, str(events[0].source)) == ([], f"{tmp_path / name}!{member}!a.jsonl")


def test_links_devices_and_pipes_are_counted_and_never_followed(read_bytes: ReadBytes, tmp_path: Path) -> None:
    target = tmp_path / "secret.jsonl"
    target.write_bytes(event_line(9))
    kinds = (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE)
    data = tarred({**{kind.decode(): special(kind, str(target)) for kind in kinds}, "a.jsonl": event_line(1)})
    events, tally = read_bytes(data, "x.tar")
    assert [event.record_id for event in events] == [1]
    assert (tally.ignored, tally.losses) == (5, [])


def test_hostile_names_are_provenance_only(
        read_bytes: ReadBytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names = ["../../evil.jsonl", "/etc/cron.d/x.jsonl", "C:\\x.jsonl", "\x1b[31m\u202egnp.jsonl",
             "a" * 70_000 + ".jsonl"]
    events, tally = read_bytes(tarred({name: event_line(1) for name in names}), "x.tar")
    assert [event.source.member for event in events] == [*names[:4], "a" * 65_535]
    assert tally.losses == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", [tarfile.GNUTYPE_LONGNAME, tarfile.XHDTYPE, tarfile.XGLTYPE])
def test_a_header_of_gigabytes_is_not_believed(kind: bytes, read_bytes: ReadBytes) -> None:
    padding = b"a" * 512 * 4_000
    events, tally = read_bytes(raw_header(kind, 8 << 30) + padding + tarred({"a.jsonl": event_line(1)}), "x.tar")
    assert [event.record_id for event in events] == [1]
    assert [loss.reason for loss in tally.losses] == ["damaged header of an archive member"]


def test_a_chain_of_headers_is_walked_without_recursion(read_bytes: ReadBytes) -> None:
    link = raw_header(tarfile.XGLTYPE, 20) + b"20 path=aaaaaaaaaaa\n".ljust(512, b"\0")
    events, tally = read_bytes(link * 5_000 + tarred({"a.jsonl": event_line(1)}), "x.tar")
    assert (len(events), tally.losses) == (1, [])


def test_attributes_that_are_none(read_bytes: ReadBytes) -> None:
    for value in (b"99999 path=a\n", b"path=a", b"0 a=b\n", b"-5 a=b", b"12345678901234567890123 a"):
        broken = raw_header(tarfile.XHDTYPE, len(value)) + value.ljust(512, b"\0")
        events, tally = read_bytes(broken + tarred({"a.jsonl": event_line(1)}), "x.tar")
        assert (len(events), len(tally.losses)) == (1, 1)


def test_a_sparse_member_is_a_loss(read_bytes: ReadBytes) -> None:
    sparse = tarfile.TarInfo("s.evtx")
    sparse.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "99999999999"}
    _, tally = read_bytes(tarred({"s": sparse}), "x.tar")
    assert [(loss.source.member, loss.reason) for loss in tally.losses] == [
        ("s.evtx", "sparse archive member, which is not read")]


def test_a_size_beyond_the_file(read_bytes: ReadBytes) -> None:
    header = tarfile.TarInfo("a.jsonl")
    header.size = 8 << 30
    events, tally = read_bytes(header.tobuf(tarfile.GNU_FORMAT) + event_line(1), "x.tar")
    assert [event.record_id for event in events] == [1]
    assert [(str(loss.source), loss.reason) for loss in tally.losses] == [
        ("x.tar!a.jsonl", "damaged archive: the file ends inside it")]


def test_damage_costs_the_member_it_hits(read_bytes: ReadBytes) -> None:
    names = {f"{n}.jsonl": event_line(n) for n in range(5)}
    data = bytearray(tarred(names, tarfile.USTAR_FORMAT))
    data[2 * 1024 + 100:2 * 1024 + 140] = b"\xff" * 40
    events, tally = read_bytes(bytes(data), "x.tar")
    assert [event.record_id for event in events] == [0, 1, 3, 4]
    assert [(loss.where, loss.reason) for loss in tally.losses] == [
        ("at byte 2048", "damaged header of an archive member")]


def test_every_cut_is_told(read_bytes: ReadBytes) -> None:
    data = tarred({f"{n}.jsonl": event_line(n) for n in range(3)}, tarfile.USTAR_FORMAT)
    for end in (100, 512, 700, 1024, 1500, 1536, 2000, 3072):
        events, tally = read_bytes(data[:end], "x.tar")
        assert [event.record_id for event in events] == list(range((end - 512 - len(event_line(0)) + 1024) // 1024))
        assert tally.losses, end
    assert read_bytes(data[:3584], "x.tar")[1].losses == []


def test_limits(read_bytes: ReadBytes) -> None:
    data = tarred({f"{n}.jsonl": event_line(n) for n in range(5)})
    events, tally = read_bytes(data, "x.tar", limits=Limits(max_members=3))
    assert ([event.record_id for event in events], tally.losses[0].where) == ([0, 1, 2], "member 4 and later")
    deep = event_line(1)
    for level in range(4):
        deep = tarred({f"{level}.tar" if level else "a.json": deep})
    assert [loss.reason for loss in read_bytes(deep, "x.tar")[1].losses] == ["archives lie too deep inside each other"]
    bomb = gzip.compress(tarred({"a.jsonl": event_line(1) + b" " * 30_000_000, "b.jsonl": event_line(2)}))
    events, tally = read_bytes(bomb, "x.tgz", limits=Limits(ratio_from=1_000_000))
    assert "zip bomb" in tally.losses[-1].reason
    big = tarred({"a.jsonl": event_line(1) * 1_000, "b.jsonl": event_line(2)})
    events, tally = read_bytes(big, "x.tar", limits=Limits(max_member=10_000))
    assert (events[-1].record_id, tally.losses[-1].source.member) == (2, "a.jsonl")
    events, tally = read_bytes(big, "x.tar", limits=Limits(max_unpacked=10_000))
    assert (len(events), tally.losses) == (1_001, [])  # a plain tar unpacks to nothing more than itself
