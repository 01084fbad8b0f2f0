"""Times as a user types them, all of them UTC in the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import click
import pytest

from douse.cli.times import Instant, parse_instant

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("24h", NOW - timedelta(hours=24)),
        ("7D", NOW - timedelta(days=7)),
        (" 2w ", NOW - timedelta(weeks=2)),
        ("2026-11-01", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026-11-01 08:15", datetime(2026, 11, 1, 8, 15, tzinfo=UTC)),
        ("2026-11-01T08:15:00Z", datetime(2026, 11, 1, 8, 15, tzinfo=UTC)),
        ("2026-11-01T08:15:00.25+02:00", datetime(2026, 11, 1, 6, 15, 0, 250_000, tzinfo=UTC)),
        ("2026-11-01T00:30:00-05:30", datetime(2026, 11, 1, 6, 0, tzinfo=UTC)),
    ],
)
def test_an_age_a_date_and_rfc_3339(text: str, expected: datetime) -> None:
    found = parse_instant(text, NOW)
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["", "yesterday", "24", "h", "-3h", "1d2h", "٣h", "2026-13-01", "999999w",
                                  "2026-11-01T25:00Z", "0001-01-01T00:00+14:00"])
def test_anything_else_is_refused_with_what_would_do(text: str) -> None:
    with pytest.raises(click.BadParameter, match="Try 24h, 7d, 2026-11-01"):
        Instant().convert(text, None, None)


def test_an_instant_that_is_one_already_stays() -> None:
    assert Instant().convert(NOW, None, None) is NOW
