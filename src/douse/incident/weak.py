"""Join groups that only a user and the time connect; whatever is joined so counts half.

Three cases. A process that COM, WMI or the scheduler started may have been asked for by a group of the same user in the
minute before. A scheduled task whose record names no process was set by a group of its logon session or user within
half an hour, and brings what it starts. And an alert that belongs to no process, or to a program that joins nothing
(explorer, a browser), goes to the nearest group of its logon session or user within half an hour, else stays with its
like. In a joined group the part that scores most counts fully and the rest half: a weak guess may add to strong
evidence, never take from it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from douse.incident.link import Group, Joined, Links, is_broker_child
from douse.incident.marks import Mark, PlacedAlert, mark_of
from douse.incident.score import points_of

BROKER_WINDOW = timedelta(seconds=60)
LOOSE_WINDOW = timedelta(minutes=30)


@dataclass(slots=True)
class JoinedGroup:
    """Groups that make one incident. The alerts in `weak` are there only by user and time."""

    placed: list[PlacedAlert]
    processes: list[int]
    weak: frozenset[str]


class _Timeline:
    """When which group was active, by key (a logon session or a user)."""

    def __init__(self) -> None:
        self._moments: defaultdict[str, list[tuple[datetime, int]]] = defaultdict(list)

    def add(self, key: str, time: datetime, group: int) -> None:
        if key:
            self._moments[key].append((time, group))

    def sort(self) -> None:
        for moments in self._moments.values():
            moments.sort()

    def nearest(self, key: str, time: datetime, before: timedelta, after: timedelta, but: int = -1) -> int | None:
        """The group active nearest to the time within the window, the earlier on a tie; never the group `but`."""
        moments = self._moments.get(key, []) if key else []
        at = bisect_left(moments, (time, -1))
        near: list[tuple[timedelta, datetime, int]] = []
        for steps in (range(at - 1, -1, -1), range(at, len(moments))):
            for index in steps:
                moment, group = moments[index]
                if not time - before <= moment <= time + after:
                    break
                if group != but:
                    near.append((abs(moment - time), moment, group))
                    break
        return min(near)[2] if near else None


def join_weakly(groups: Sequence[Group], links: Links) -> list[JoinedGroup]:
    """All groups, those merged that time and user connect."""
    joined = Joined(len(groups))
    strong, loose = _Timeline(), _Timeline()
    for index, group in enumerate(groups):
        timeline = loose if group.loose else strong
        for item in group.placed:
            if item.scores:
                for key in _keys(item):
                    timeline.add(key, item.alert.time, index)
    strong.sort()
    loose.sort()
    for index, group in enumerate(groups):
        if group.loose:
            nearest = _home_of_loose(group, index, strong, loose)
        else:
            nearest = _setter(group, index, strong, links)
            if nearest is None:
                nearest = _asker(group, index, strong, links)
        if nearest is not None:
            joined.join(index, nearest)
    together: defaultdict[int, list[Group]] = defaultdict(list)
    for index, group in enumerate(groups):
        together[joined.root(index)].append(group)
    return [_merge(parts) for _, parts in sorted(together.items())]


def _keys(item: PlacedAlert) -> Iterable[str]:
    return (f"logon {item.actor.logon}" if item.actor.logon else "", f"user {item.user}" if item.user else "")


def _home_of_loose(group: Group, index: int, strong: _Timeline, loose: _Timeline) -> int | None:
    """A group with processes, else the loose alert before this one, so that a chain of loose alerts is one group."""
    item = group.placed[0]
    for timeline, after in ((strong, LOOSE_WINDOW), (loose, timedelta(0))):
        for key in _keys(item):
            home = timeline.nearest(key, item.alert.time, LOOSE_WINDOW, after, but=index)
            if home is not None:
                return home
    return None


def _setter(group: Group, index: int, strong: _Timeline, links: Links) -> int | None:
    """The group that was active when the autostart was set that started this one's root, where the record (4698) does
    not say by which process: of its logon session or its user."""
    for item in group.placed:
        if item.process is None and item.alert.alert_id in links.autostarts:
            for key in _keys(item):
                home = strong.nearest(key, item.alert.time, LOOSE_WINDOW, LOOSE_WINDOW, but=index)
                if home is not None:
                    return home
    return None


def _asker(group: Group, index: int, strong: _Timeline, links: Links) -> int | None:
    """The group of the same user that was active just before COM, WMI or the scheduler started this one's root."""
    for number in group.processes:
        process = links.table[number]
        if process.started is None or not is_broker_child(process, links.table):
            continue
        user = links.people.key(process.user_sid, process.user_name)
        asker = strong.nearest(f"user {user}" if user else "", process.started, BROKER_WINDOW, timedelta(0), but=index)
        if asker is not None:
            return asker
    return None


def _merge(parts: Sequence[Group]) -> JoinedGroup:
    """One group of several; the part with the most points is the strong one, the earliest on a tie."""
    main = parts[0] if len(parts) == 1 else max(parts, key=lambda part: points_of(_marks(part)))
    placed = sorted((item for part in parts for item in part.placed), key=lambda i: (i.alert.time, i.alert.alert_id))
    weak = frozenset(item.alert.alert_id for part in parts if part is not main for item in part.placed)
    return JoinedGroup(placed, sorted(number for part in parts for number in part.processes), weak)


def _marks(group: Group) -> list[Mark]:
    return [mark_of(item) for item in group.placed if item.scores]
