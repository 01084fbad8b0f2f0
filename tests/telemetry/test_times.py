"""Times of network logs and exports, each as its format writes them, and what is no time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.times import american, clf, english, epoch, iso, states_zone

READ: tuple[Callable[[str], datetime | None], ...] = (american, clf, english, epoch, iso)


@pytest.mark.parametrize(("read", "text", "expected"), [
    (epoch, "1795514712", datetime(2026, 11, 24, 10, 5, 12, tzinfo=UTC)),
    (epoch, "1795514712.123456", datetime(2026, 11, 24, 10, 5, 12, 123456, tzinfo=UTC)),
    (epoch, "1795514712123", datetime(2026, 11, 24, 10, 5, 12, 123000, tzinfo=UTC)),
    (epoch, "1795514712123456", datetime(2026, 11, 24, 10, 5, 12, 123456, tzinfo=UTC)),
    (epoch, "1795514712000000000", datetime(2026, 11, 24, 10, 5, 12, tzinfo=UTC)),
    (clf, "24/Nov/2026:10:11:12 +0100", datetime(2026, 11, 24, 9, 11, 12, tzinfo=UTC)),
    (clf, "24/Nov/2026:23:11:12 -0330", datetime(2026, 11, 25, 2, 41, 12, tzinfo=UTC)),
    (clf, "24/11/2026:10:11:12 GMT", datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)),
    (english, "Nov 24 2026 10:11:12", datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)),
    (english, "Nov 24 2026 10:11:12.5 UTC", datetime(2026, 11, 24, 10, 11, 12, 500000, tzinfo=UTC)),
    (english, "Nov 24 2026 10:11:12 GMT+01:00", datetime(2026, 11, 24, 9, 11, 12, tzinfo=UTC)),
    (english, "Nov  4, 2026 12:00:01 AM", datetime(2026, 11, 4, 0, 0, 1, tzinfo=UTC)),
    (english, "Tue Nov 24 2026 10:11:12", datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)),
    (american, "11/24/2026 12:11:12 PM", datetime(2026, 11, 24, 12, 11, 12, tzinfo=UTC)),
    (american, "1/2/2026 1:11:12.1234567 PM", datetime(2026, 1, 2, 13, 11, 12, 123456, tzinfo=UTC)),
    (american, "11/24/2026 22:11:12", datetime(2026, 11, 24, 22, 11, 12, tzinfo=UTC)),
    (iso, "2026-11-24T10:11:12.1234567Z", datetime(2026, 11, 24, 10, 11, 12, 123456, tzinfo=UTC)),
    (iso, "2026-11-24 10:11:12", datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)),
])
def test_a_time(read: Callable[[str], datetime | None], text: str, expected: datetime) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(("read", "text"), [
    (epoch, "nan"), (epoch, "inf"), (epoch, "1e400"), (epoch, "-"), (epoch, "1e22"),
    (clf, "24/Foo/2026:10:11:12 +0100"), (clf, "32/Nov/2026:10:11:12 +0100"), (clf, "24/Nov/2026 10:11:12"),
    (english, "Nov 24 10:11:12"), (english, "Foo 24 2026 10:11:12"), (english, "Nov 24 2026 13:11:12 PM"),
    (american, "24/11/2026 10:11:12 AM"), (american, "11/24/2026 0:11:12 AM"), (iso, "yesterday"),
])
def test_what_is_no_time(read: Callable[[str], datetime | None], text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize(("text", "states"), [
    ("2026-11-24T10:11:12Z", True), ("2026-11-24T10:11:12+01:00", True), ("2026-11-24T10:11:12", False),
    ("Nov 24 2026 10:11:12 GMT", True), ("Nov 24 2026 10:11:12 CET", False), ("Nov 24 2026 10:11:12", False),
    ("11/24/2026 10:11:12 AM", False), ("24/Nov/2026:10:11:12 +0100", True),
])
def test_whether_a_time_says_its_zone(text: str, states: bool) -> None:
    assert states_zone(text) is states


@given(st.text(max_size=40))
def test_any_text_is_a_time_in_utc_or_none(text: str) -> None:
    for read in READ:
        time = read(text)
        assert time is None or time.tzinfo is UTC
