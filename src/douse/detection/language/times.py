"""A part of a time that a field holds as text: the hour of `2026-11-24T09:30:00Z` is 9.

Read is what Windows logs write: a date and a time in ISO 8601, with a T or a blank between them and any number of
fractional digits (TimeCreated, UtcTime, CreationUtcTime). A time with an offset is put in UTC first, one without is
taken as it stands, which in these logs is UTC. A week is the ISO week, 1 to 53. Anything else has no parts: no match.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache

RANGES: Mapping[str, tuple[int, int]] = {
    "minute": (0, 59), "hour": (0, 23), "day": (1, 31), "week": (1, 53), "month": (1, 12), "year": (1, 9999),
}
"""The least and the greatest number each part can be."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]{1,9})?)?"
                   r"(?:Z|[+-][0-9]{2}:?[0-9]{2})?)?", re.ASCII)
_DATE_LENGTH = 10
_PARTS: Mapping[str, Callable[[datetime], int]] = {
    "minute": lambda time: time.minute,
    "hour": lambda time: time.hour,
    "day": lambda time: time.day,
    "week": lambda time: time.isocalendar().week,
    "month": lambda time: time.month,
    "year": lambda time: time.year,
}


def part_of(text: str, part: str) -> int | None:
    """The part of the time that the text writes, None where it writes none; a date alone has no hour and no minute."""
    time = _time(text.strip())
    if time is None or (part in ("minute", "hour") and len(text.strip()) == _DATE_LENGTH):
        return None
    return _PARTS[part](time)


@lru_cache(maxsize=4096)
def _time(text: str) -> datetime | None:
    if not _TIME.fullmatch(text):
        return None
    try:
        time = datetime.fromisoformat(text)
        return time if time.tzinfo is None else time.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
