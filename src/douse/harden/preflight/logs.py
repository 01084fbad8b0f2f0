"""Read every log of a run past a Watcher: paths in, what could not be read out. Pre-flight and verify read alike."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from douse.harden.preflight.watch import Watcher
from douse.hunt.garbage import seldom_collecting
from douse.hunt.plan import Unit, make
from douse.hunt.problems import problems_of
from douse.hunt.read import read_plan, read_unit, telling
from douse.hunt.result import Problem, Progress
from douse.telemetry import Tally

ON_FOR: Final = timedelta(hours=1)
"""Between the first and the last record of a day, of any kind, until a computer counts as having been on: a minute
beyond midnight of UTC is none."""
MAX_HOST_DAYS: Final = 2_000_000


class _Days(Tally):
    """A Tally that also notes on which days a host wrote anything at all, wanted or not."""

    def __init__(self) -> None:
        super().__init__()
        self._spans: dict[tuple[str, int], tuple[datetime, datetime]] = {}

    def count(self, host: str, channel: str, event_id: int, time: datetime | None, wanted: bool) -> None:
        """Count one readable record."""
        super().count(host, channel, event_id, time, wanted)
        if time is None or not host:
            return
        key = host, time.toordinal()
        first, last = self._spans.get(key) or (time, time)
        if time < first or time > last or (key not in self._spans and len(self._spans) < MAX_HOST_DAYS):
            self._spans[key] = min(first, time), max(last, time)

    def on(self) -> dict[str, set[int]]:
        """The days on which each host, by its name in small letters, was on for ON_FOR or longer."""
        spans: dict[tuple[str, int], tuple[datetime, datetime]] = {}
        for (host, day), (first, last) in self._spans.items():
            key = host.lower().rstrip("."), day
            other = spans.get(key, (first, last))
            spans[key] = min(first, other[0]), max(last, other[1])
        found: dict[str, set[int]] = {}
        for (host, day), (first, last) in spans.items():
            days = found.setdefault(host, set())
            if last - first >= ON_FOR:
                days.add(day)
        return found


@dataclass(frozen=True, slots=True)
class LogsRead:
    """What became of the reading: records read, problems, remarks, whether all of it was read (`whole`), and on which
    days hosts were on (`on`: name in small letters, days as ordinals in UTC), whatever they recorded."""

    records: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    interrupted: bool
    on: dict[str, set[int]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether nothing is known to be missing of what was named."""
        return not self.interrupted and not any(problem.kind == "loss" for problem in self.problems)


def read_logs(paths: tuple[str, ...], watchers: Iterable[Watcher], progress: Progress,
              since: datetime | None = None) -> LogsRead:
    """Show every wanted record from `since` on to all watchers, which are of the same kind."""
    plan, tally, several = make(paths), _Days(), tuple(watchers)
    with seldom_collecting():
        unread = read_plan(plan, progress, lambda unit: _read_one(unit, tally, several, progress, since))
    problems = problems_of(tally, plan.losses, (), unread, "looked at")
    return LogsRead(tally.records_read, problems, tuple(tally.notes), unread > 0, tally.on())


def _read_one(unit: Unit, tally: Tally, watchers: tuple[Watcher, ...], progress: Progress,
              since: datetime | None) -> None:
    for event in telling(read_unit(unit, watchers[0].wanted, tally), tally, progress):
        if since is None or event.time >= since:
            for watcher in watchers:
                watcher.observe(event)
