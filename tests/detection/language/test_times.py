"""Parts of times from any text; what rules make of them is in cases/times.yml."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st

from douse.detection.language.times import RANGES, part_of

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
TIMES = st.datetimes(datetime(1601, 1, 2), datetime(9998, 12, 30), timezones=ZONES)  # noqa: DTZ001 - a bound, no time


@given(TIMES, st.sampled_from(["T", " "]))
def test_a_time_with_an_offset_is_read_in_utc(time: datetime, between: str) -> None:
    text, utc = time.isoformat(between), time.astimezone(UTC)
    expected = {"minute": utc.minute, "hour": utc.hour, "day": utc.day, "week": utc.isocalendar().week,
                "month": utc.month, "year": utc.year}
    assert {part: part_of(text, part) for part in RANGES} == expected


@given(st.text(max_size=30) | st.text(alphabet="0123456789-:T Z+.", max_size=30), st.sampled_from(sorted(RANGES)))
def test_any_text_has_a_part_in_its_range_or_none(text: str, part: str) -> None:
    found = part_of(text, part)
    first, last = RANGES[part]
    assert found is None or first <= found <= last
