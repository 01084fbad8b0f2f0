"""Streams that fill their buffer, stop at a limit, and end early instead of raising when unpacking fails."""

from __future__ import annotations

import gzip
import io

import pytest

from douse.telemetry.limits import Budget, Limits
from douse.telemetry.streams import Filled, Unpacking, buffered, spooled


def test_a_peek_sees_all_that_short_reads_deliver() -> None:
    pieces = iter([b"abc", b"def", b"g"])
    stream = buffered(Filled(lambda _: next(pieces, b"")))
    assert stream.peek(100) == b"abcdefg"
    assert stream.tell() == 0
    assert stream.read() == b"abcdefg"
    assert stream.tell() == 7


def test_a_decompressor_that_fails_ends_the_stream_and_says_why() -> None:
    packed = gzip.compress(b"".join(b"line %d\n" % n for n in range(20_000)))
    opened = gzip.GzipFile(fileobj=io.BytesIO(packed[: len(packed) // 2]))
    raw = Unpacking(opened.read1, lambda: len(packed), Limits())
    kept = buffered(raw).read()
    assert kept.startswith(b"line 0\nline 1\n")
    assert len(kept) > 10_000
    assert raw.failure
    assert raw.read(10) == b""


@pytest.mark.parametrize(("limits", "reason"), [
    (Limits(max_member=1 << 20), "unpacks to more than 1 MiB"),
    (Limits(max_unpacked=1 << 20), "the archive unpacks to more than 1 MiB"),
    (Limits(max_ratio=50, ratio_from=1_000), "more than 50 times its size"),
])
def test_each_limit_stops_the_stream(limits: Limits, reason: str) -> None:
    raw = Unpacking(lambda size: bytes(size), lambda: 1_000, limits)
    assert len(buffered(raw).read()) <= 1 << 21
    assert reason in raw.over_limit


def test_the_ratio_is_not_judged_while_small() -> None:
    raw = Unpacking(io.BytesIO(bytes(50_000)).read, lambda: 1, Limits(max_ratio=2, ratio_from=60_000))
    assert (len(buffered(raw).read()), raw.over_limit) == (50_000, "")


def test_members_share_one_budget() -> None:
    limits = Limits(max_unpacked=150, budget=Budget())
    assert len(buffered(Unpacking(io.BytesIO(bytes(100)).read, lambda: 100, limits)).read()) == 100
    second = Unpacking(io.BytesIO(bytes(100)).read, lambda: 100, limits)
    assert (buffered(second).read(), bool(second.over_limit)) == (b"", True)


def test_a_spooled_copy_can_seek() -> None:
    pieces = iter([b"abc", b"def"])
    with spooled(buffered(Filled(lambda _: next(pieces, b"")))) as copy:
        assert copy.seek(4) == 4
        assert copy.read() == b"ef"
