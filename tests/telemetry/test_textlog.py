"""What line-by-line readers share: whose a record is, its number, how it is counted, what a crash leaves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from douse.telemetry import Wanted
from douse.telemetry.damage import ZEROS
from douse.telemetry.textlog import NETWORK, content_id, local_side

from .conftest import ReadBytes

LINE = b"1795514712.123    245 10.1.2.3 TCP_MISS/200 507 GET http://a.example/ - HIER_DIRECT/203.0.113.7 text/html\n"


@pytest.mark.parametrize(("client", "server", "whose"), [
    ("10.1.2.3", "203.0.113.7", "10.1.2.3"), ("8.8.8.8", "10.0.0.5", "10.0.0.5"), ("10.1.2.3", "10.0.0.5", "10.1.2.3"),
    ("8.8.8.8", "9.9.9.9", "8.8.8.8"), ("8.8.8.8", "", "8.8.8.8"), ("", "10.0.0.5", "10.0.0.5"), ("", "", NETWORK),
    ("fe80::1", "2001:db8::1", "fe80::1"), ("ws-042", "", "ws-042"),
])
def test_whose_a_record_is(client: str, server: str, whose: str) -> None:
    assert local_side(client, server) == whose


def test_a_record_without_a_number_gets_one_from_its_text() -> None:
    assert content_id("a") == content_id("a") != content_id("b")
    assert all(0 <= content_id(str(text)) < 1 << 53 for text in range(100))


def test_records_are_the_clients_and_counted_as_the_networks(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(LINE + LINE.replace(b"10.1.2.3", b"10.1.2.4"), "access.log")
    assert [event.host for event in events] == ["10.1.2.3", "10.1.2.4"]
    (coverage,) = tally.coverage()
    (count,) = coverage.counts
    assert (coverage.host, count.channel, count.event_id, count.records) == (NETWORK, "Proxy/access", 0, 2)
    assert count.first_seen == datetime(2026, 11, 24, 10, 5, 12, 123000, tzinfo=UTC)


def test_the_same_record_in_another_file_has_the_same_number(read_bytes: ReadBytes) -> None:
    (first,), _ = read_bytes(LINE, "access.log")
    (_, second), _ = read_bytes(LINE.replace(b"a.example", b"b.example") + LINE, "copy.txt")
    assert first.record_id == second.record_id > 0


def test_what_nobody_wants_is_counted_and_not_decoded(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(LINE * 3, wanted=Wanted([("proxy/access", 1)]))
    assert (events, tally.records_read, tally.records_skipped) == ([], 3, 3)


def test_zero_bytes_of_a_crash_are_a_loss_and_the_record_behind_them_is_read(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(LINE + bytes(4096) + LINE + LINE)
    assert len(events) == 3
    assert [(loss.where, loss.reason, loss.records) for loss in tally.losses] == [("line 2", ZEROS, None)]
