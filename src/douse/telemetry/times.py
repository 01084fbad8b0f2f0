"""Times as network logs and vendors' exports write them: text in, a UTC datetime out, None where it is none.

Each reader says which of these its format uses and what zone a time without one is in. Nothing here guesses a year: a
syslog header that has none gives no time. ISO 8601 is read by system.parse_time.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Final

from douse.telemetry.system import in_utc, parse_time

_MONTHS: Final = {name: number for number, name in enumerate(
    ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1)}
_UNITS: Final = ((1e17, 1e9), (1e14, 1e6), (1e11, 1e3))
"""From which number on it counts how many a second: as seconds the least is the year 5138, as milliseconds 1973."""
_CLF: Final = re.compile(
    r"(\d{1,2})/(\w{3}|\d{2})/(\d{4}):(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?: (?P<zone>GMT|UTC|Z|[+-]\d{4}))?", re.ASCII)
_ENGLISH: Final = re.compile(
    r"(?:[A-Z][a-z]{2},? )?([A-Z][a-z]{2})[a-z]*\.? +(\d{1,2}),? +(\d{4}),? +(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,9}))?"
    r"(?: +([AP]M))?(?: +(?P<zone>[A-Z]{1,5}(?:[+-]\d\d:?\d\d)?|[+-]\d\d:?\d\d))?", re.ASCII)
_AMERICAN: Final = re.compile(
    r"(\d{1,2})/(\d{1,2})/(\d{4}),? +(\d{1,2}):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?: +([AP]M))?", re.ASCII)
_ZONE: Final = re.compile(r"(?:GMT|UTC|Z)?(?:([+-])(\d\d):?(\d\d))?")


def epoch(text: str) -> datetime | None:
    """Seconds since 1970 in UTC, with a fraction or not; beyond the year 5138 they are milliseconds, then micro- and
    nanoseconds."""
    try:
        number = float(text)
        seconds = number / next((unit for least, unit in _UNITS if number >= least), 1)
        return in_utc(datetime.fromtimestamp(seconds, UTC))
    except (ValueError, OverflowError, OSError):
        return None


def clf(text: str) -> datetime | None:
    """`24/Nov/2026:10:11:12 +0100`, the time of web server logs; without a zone it is UTC."""
    found = _CLF.fullmatch(text)
    if found is None:
        return None
    month = _MONTHS.get(found[2].lower()) or (int(found[2]) if found[2].isdecimal() else 0)
    return _utc((found[3], month, found[1], found[4], found[5], found[6]), zone=found["zone"] or "")


def english(text: str) -> datetime | None:
    """`Nov 24 2026 10:11:12.5 GMT` or `Nov 24, 2026 10:11:12 AM`; without a zone, or one that is a word, it is UTC."""
    found = _ENGLISH.fullmatch(text)
    if found is None or found[1].lower() not in _MONTHS:
        return None
    day = found[3], _MONTHS[found[1].lower()], found[2]
    return _utc((*day, _hour(int(found[4]), found[8]), found[5], found[6]), found[7], found["zone"] or "")


def american(text: str) -> datetime | None:
    """`11/24/2026 10:11:12 AM`: month, day, year, as Microsoft's portal writes; UTC."""
    found = _AMERICAN.fullmatch(text)
    if found is None:
        return None
    day = found[3], found[1], found[2]
    return _utc((*day, _hour(int(found[4]), found[8]), found[5], found[6]), found[7])


def iso(text: str) -> datetime | None:
    """ISO 8601 in UTC; without a zone it is UTC."""
    parsed = parse_time(text)
    return None if parsed is None else in_utc(parsed)


def states_zone(text: str) -> bool:
    """Whether a time that one of these could read says its zone in a way that was used."""
    parsed = parse_time(text)
    if parsed is not None:
        return parsed.tzinfo is not None
    found = _CLF.fullmatch(text) or _ENGLISH.fullmatch(text)
    return found is not None and bool(found["zone"]) and _ZONE.fullmatch(found["zone"]) is not None


def _hour(hour: int, half: str | None) -> int:
    """An hour of 24; 13 PM and 0 AM are no hours."""
    if half is None:
        return hour
    return -1 if not 1 <= hour <= 12 else hour % 12 + (12 if half == "PM" else 0)


def _utc(parts: Sequence[str | int], fraction: str | None = None, zone: str = "") -> datetime | None:
    """The instant of a year, month, day, hour, minute and second in that zone."""
    year, month, day, hour, minute, second = map(int, parts)
    microsecond = int((fraction or "0")[:6].ljust(6, "0"))
    try:
        return in_utc(datetime(year, month, day, hour, minute, second, microsecond, tzinfo=_zone(zone)))
    except ValueError:
        return None


def _zone(text: str) -> timezone:
    found = _ZONE.fullmatch(text)
    if found is None or not found[1]:
        return UTC
    ahead = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(ahead if found[1] == "+" else -ahead)
