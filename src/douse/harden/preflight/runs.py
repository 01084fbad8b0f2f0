"""Join what one host recorded of the program: its facts in, a Run for each time that it ran out.

A record finds its process by Sysmon's GUID, else by the pid: of the program's starts with that pid the last one before
it, within PID_KEPT. (Security 5156 writes pids in decimal, 4688 in hexadecimal; entities.py reads both.) Sysmon 1 and
Security 4688 of one start are one run. What finds no start is a run of its own, because a wrong join is worse than a
missing one; so is a process of which only DNS queries are known. A name comes from the run's own DNS queries, else from
what the program asked for on that host at any time, else from Defender's row. Where Sysmon came too late to learn a
process' name ("<unknown process>"), the connection belongs to the start with that pid a moment before.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from douse.harden.preflight.seen import Connection, Execution, Query, Start
from douse.harden.preflight.watch import HostSeen

SAME_START: Final = timedelta(seconds=2)
"""Within which records of two channels with one pid tell of one start."""
SAME_EXECUTION: Final = timedelta(seconds=5)
SOON: Final = timedelta(seconds=60)
"""After a start, within which a connection without a name and with its pid is taken for its."""
PID_KEPT: Final = timedelta(hours=24)
CLOCK: Final = timedelta(seconds=2)
MDE: Final = "mde/"
"""Channels of Defender, whose rows have the name that was asked for."""


def later(time: datetime, by: timedelta) -> datetime:
    """The time so much later or earlier; of a time at the end of the calendar the time itself."""
    try:
        return time + by
    except OverflowError:
        return time


@dataclass(slots=True)
class Run:
    """A time that the program ran. `start` is the record that says most of it, None where none was found."""

    start: Start | None
    starts: list[Start] = field(default_factory=list)
    connections: list[Connection] = field(default_factory=list)
    queries: list[Query] = field(default_factory=list)
    executions: list[Execution] = field(default_factory=list)
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def began(self) -> datetime:
        """The earliest record of it."""
        times = [one.time for one in self.starts] + [one.time for one in self.connections]
        return min(times or [one.time for one in self.queries] or [one.record.time for one in self.executions])

    @property
    def user(self) -> str:
        """Who ran it, by the first record that says so; empty where none does."""
        told = [self.start.user if self.start else "", *(one.user for one in self.starts),
                *sorted(one.user for one in self.connections), *(one.user for one in self.executions)]
        return next(filter(None, told), "")

    def name_of(self, connection: Connection) -> str:
        """The name that it connected to; empty where nothing says it. The name in Sysmon's record is none: it comes
        from a reverse look-up, and who owns an address can give it any name."""
        believed = connection.record.channel.lower().startswith(MDE) or not connection.address
        return self.names.get(connection.address, "") or (connection.hostname if believed else "")


def runs_of(host: HostSeen) -> list[Run]:
    """All runs of the program on a host, in time order."""
    runs = _started(host.starts.in_order())
    index = _Index(runs)
    orphans: dict[tuple[object, ...], Run] = {}
    for connection in host.connections.in_order():
        run = index.find(connection.guid, connection.pid, connection.time) or _orphan(orphans, connection)
        run.connections.append(connection)
    for connection in host.nameless.in_order():
        found = index.find("", connection.pid, connection.time)
        if found is not None and connection.time - found.began <= SOON:
            found.connections.append(connection)
    known: dict[str, str] = {}
    strays = _Strays(orphans.values())
    for query in host.queries.in_order():
        known.update(dict.fromkeys(query.addresses, query.name))
        run = index.find(query.guid, query.pid, query.time) or strays.of(query)
        run.queries.append(query)
    runs += strays.runs
    for run in runs:
        run.names = known | {address: query.name for query in run.queries for address in query.addresses}
    runs += _executed(host.executions.in_order(), runs)
    return sorted(runs, key=lambda run: run.began)


def _started(starts: Iterable[Start]) -> list[Run]:
    """A run for each start, told by one record or by one of each channel."""
    by_pid: defaultdict[int, list[Start]] = defaultdict(list)
    for start in starts:
        by_pid[start.pid].append(start)
    runs: list[Run] = []
    for same in by_pid.values():
        for start in same:  # in time order
            last = runs[-1] if runs and runs[-1].starts[0].pid == start.pid else None
            if last is not None and _is_one(last.starts, start):
                last.starts.append(start)
            else:
                runs.append(Run(start, [start]))
    for run in runs:
        run.start = max(run.starts, key=lambda one: (bool(one.command), bool(one.parent), bool(one.guid), one.record))
    return runs


def _is_one(starts: Sequence[Start], start: Start) -> bool:
    channels = {one.record.channel.lower() for one in starts}
    return start.time - starts[0].time <= SAME_START and start.record.channel.lower() not in channels


def _orphan(orphans: dict[tuple[object, ...], Run], connection: Connection) -> Run:
    """The run of a connection whose start is not known; Defender's rows say with it how the process was started."""
    key: tuple[object, ...] = (connection.guid, connection.image)
    if not connection.guid:
        began = connection.began.command if connection.began else ""
        key = (connection.pid, connection.image, connection.time.toordinal(), began)
    found = orphans.get(key)
    if found is None:
        found = orphans[key] = Run(connection.began)
    return found


class _Strays:
    """The runs of which no start is known: those of connections, and those that only asked for names."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self.runs = list(runs)
        self._known: dict[tuple[object, ...], Run] = {}
        for run in self.runs:
            for one in run.connections:
                self._known.setdefault(self._key(one), run)

    def of(self, query: Query) -> Run:
        """The run that asked; a new one where none is known."""
        found = self._known.get(self._key(query))
        if found is None:
            found = self._known[self._key(query)] = Run(None)
            self.runs.append(found)
        return found

    @staticmethod
    def _key(one: Connection | Query) -> tuple[object, ...]:
        return (one.guid,) if one.guid else (one.pid, one.time.toordinal())


class _Index:
    """Which run a process is."""

    def __init__(self, runs: Iterable[Run]) -> None:
        self._by_guid: dict[str, Run] = {}
        self._by_pid: defaultdict[int, list[tuple[datetime, Run]]] = defaultdict(list)
        for run in runs:
            for start in run.starts:
                if start.guid:
                    self._by_guid[start.guid] = run
            if run.starts[0].pid:
                self._by_pid[run.starts[0].pid].append((run.starts[0].time, run))

    def find(self, guid: str, pid: int, time: datetime) -> Run | None:
        """The run of a process at a time."""
        if guid and guid in self._by_guid:
            return self._by_guid[guid]
        begun = self._by_pid.get(pid, [])
        at = bisect_right(begun, later(time, CLOCK), key=lambda one: one[0])
        if not at or time - begun[at - 1][0] > PID_KEPT:
            return None
        run = begun[at - 1][1]
        return None if guid and any(start.guid for start in run.starts) else run  # else it is another process


def _executed(executions: Iterable[Execution], runs: Sequence[Run]) -> list[Run]:
    """Give each record of a policy to the run that started at that time; those that are left are runs of their own."""
    begun = sorted(((run.starts[0].time, number) for number, run in enumerate(runs) if run.starts))
    found: list[Run] = []
    for one in executions:
        at = bisect_right(begun, later(one.record.time, SAME_EXECUTION), key=lambda pair: pair[0])
        if at and one.record.time - begun[at - 1][0] <= SAME_EXECUTION:
            runs[begun[at - 1][1]].executions.append(one)
        else:
            found.append(Run(None, executions=[one]))
    return found
