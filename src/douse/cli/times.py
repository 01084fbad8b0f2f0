"""Read the times a user types: an age (24h, 7d), a date, or RFC 3339. Everything is UTC unless it says otherwise."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import click

_AGE = re.compile(r"(\d{1,6})([mhdw])", re.IGNORECASE | re.ASCII)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Instant(click.ParamType[datetime]):
    """A point in time on the command line, turned into an aware UTC datetime."""

    name = "TIME"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The instant a text means; fails with what would be accepted."""
        if isinstance(value, datetime):
            return value
        try:
            return parse_instant(str(value), datetime.now(UTC))
        except (ValueError, OverflowError):
            self.fail(f"{value!r} is no time. Try 24h, 7d, 2026-11-01 or 2026-11-01T08:00:00Z.", param, ctx)


def check_window(since: datetime | None, until: datetime | None) -> None:
    """Raise UsageError for a window that nothing can lie in."""
    if since and until and since >= until:
        raise click.UsageError("--since is not before --until, so that no event could be between them.")


def tell_window(since: datetime | None, until: datetime | None) -> None:
    """Say on standard error which instants were understood."""
    for word, instant in (("since", since), ("until", until)):
        if instant:
            click.echo(f"{word} {instant:%Y-%m-%dT%H:%M:%SZ}", err=True)


def parse_instant(text: str, now: datetime) -> datetime:
    """The instant in UTC; an age counts back from `now`. Raises ValueError on anything else."""
    age = _AGE.fullmatch(text.strip())
    if age:
        return now - timedelta(**{_UNITS[age[2].lower()]: int(age[1])})
    parsed = datetime.fromisoformat(text.strip())
    return parsed.replace(tzinfo=UTC) if parsed.tzinfo is None else parsed.astimezone(UTC)
