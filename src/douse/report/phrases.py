"""Numbers, names, lengths of time and moments in words, as the HTML report, the terminal and the survey all say them.

Plain values of a document come in, short texts go out; every time is in UTC. Nothing is cleaned here: a text from
evidence passes text.py where it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta


def count(number: int, thing: str) -> str:
    """A number with its noun: `1 alert`, `2,410 alerts`."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def one_line(text: str) -> str:
    """The text on one line: a script's line ends and tabs become blanks."""
    return re.sub(r"[\r\n\t]+ *", " ", text).strip()


def ranges(numbers: Iterable[int]) -> str:
    """Ascending numbers with runs of three and more shortened: `1 2 7-11`."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][-1] + 1:
            runs[-1].append(number)
        else:
            runs.append([number])
    return " ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else " ".join(map(str, run)) for run in runs)


def base_name(path: str) -> str:
    """The last part of a Windows or other path."""
    return re.split(r"[\\/]", path.strip('" '))[-1]


def when(text: str) -> datetime:
    """A document's time; a time that is none is the start of the era, so that a foreign document still renders."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def moment(text: str | None) -> str:
    """`2026-11-18 09:14:02`, in UTC, and a dash where there is no time."""
    return f"{when(text).astimezone(UTC):%Y-%m-%d %H:%M:%S}" if text else "–"


def clock(text: str | None) -> str:
    """`09:14:02`, in UTC."""
    return moment(text)[-8:] if text else "–"


def span(first: str, last: str) -> str:
    """The time between two moments, in words of two units: `2 min 38 s`."""
    return duration(when(last) - when(first))


def duration(length: timedelta) -> str:
    """A length of time in its two largest units."""
    seconds = round(abs(length.total_seconds()))
    if seconds < 1:
        return "under 1 s"
    days, rest = divmod(seconds, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, seconds = divmod(rest, 60)
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (minutes, "min"), (seconds, "s")) if n]
    return " ".join(parts[:2])


def offset(start: str, time: str) -> str:
    """The time since the start: `start`, `+0.6 s`, `+42 s`, `+2 min 38 s`."""
    gap = when(time) - when(start)
    if not gap:
        return "start"
    if gap < timedelta(seconds=10):
        return f"+{gap.total_seconds():.1f} s"
    return f"+{duration(gap)}"


def listed(words: Sequence[str], most: int = 0) -> str:
    """Words as a sentence lists them: `a, b and c`; with a limit the rest is counted: `a, b and 3 more`."""
    if most and len(words) > most:
        return f"{', '.join(words[:most])} and {len(words) - most:,} more"
    return " and ".join(filter(None, (", ".join(words[:-1]), *words[-1:])))
