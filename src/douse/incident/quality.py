"""What the fields of records say about the logging itself: events in, for each host what its logs carry and lack.

Counting records (telemetry/coverage.py) is not enough: a process start without its command line, or an audit that is
about no credential store, is there and shows little. Also kept: logs that were cleared, and Sysmon records whose own
UtcTime is far from the time under which they were logged, because a story told in the order of wrong times is wrong.
All of it is counts, extremes and sets, so that the order of reading does not matter. Counterpart: prerequisites.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

from douse.content.prerequisites import prerequisites
from douse.content.stores import stores
from douse.incident.entities import SECURITY, SYSMON, object_of, present
from douse.model import Event, Interest

CLOCK_TOLERANCE: Final = timedelta(seconds=60)
MAX_CLEARED: Final = 1_000
"""Cleared logs of one host that are kept, the earliest; nobody clears logs more often."""
MAX_HOSTS: Final = 20_000

_LONGEST: Final = 256
_EVENTLOG: Final = "microsoft-windows-eventlog"
_TYPED: Final = ("\\explorer\\runmru", "\\explorer\\typedpaths")
_VERBOSE: Final = frozenset({"5", "verbose"})


@dataclass(frozen=True, slots=True, order=True)
class Cleared:
    """A log was cleared: when, which one, by whom, and the record that says so."""

    time: datetime
    log: str
    user: str
    channel: str
    event_id: int
    record_id: int


@dataclass(frozen=True, slots=True)
class ClockSkew:
    """Sysmon records whose UtcTime is more than CLOCK_TOLERANCE from the time they were logged under: how many of how
    many, between which times, and the least and greatest distance (logged minus UtcTime)."""

    records: int
    checked: int
    first_seen: datetime
    last_seen: datetime
    least: timedelta
    greatest: timedelta


@dataclass(slots=True)
class HostQuality:
    """One host: for each prerequisite with a condition how many records were looked at and how many meet it."""

    looked_at: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    met: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    cleared: set[Cleared] = field(default_factory=set)
    clock_checked: int = 0
    clock_off: int = 0
    _times: list[datetime] = field(default_factory=list)
    _offsets: list[timedelta] = field(default_factory=list)

    @property
    def skew(self) -> ClockSkew | None:
        """The disagreement of clocks, None where there is none."""
        if not self._times:
            return None
        return ClockSkew(self.clock_off, self.clock_checked, self._times[0], self._times[-1], self._offsets[0],
                         self._offsets[-1])

    def merge(self, other: HostQuality) -> None:
        """Add what was seen of the same host elsewhere."""
        for mine, theirs in ((self.looked_at, other.looked_at), (self.met, other.met)):
            for name, count in theirs.items():
                mine[name] += count
        self.clear(*other.cleared)
        self.clock_checked += other.clock_checked
        self.clock_off += other.clock_off
        self.note_clock(other._times, other._offsets)

    def clear(self, *records: Cleared) -> None:
        """Keep cleared logs."""
        self.cleared.update(records)
        if len(self.cleared) > MAX_CLEARED:
            self.cleared = set(sorted(self.cleared)[:MAX_CLEARED])

    def note_clock(self, times: list[datetime], offsets: list[timedelta]) -> None:
        """Widen the extremes of the clock's disagreement."""
        if times:
            times, offsets = [*self._times, *times], [*self._offsets, *offsets]
            self._times, self._offsets = [min(times), max(times)], [min(offsets), max(offsets)]


class Quality:
    """Looks at records host by host."""

    def __init__(self) -> None:
        self._hosts: dict[str, HostQuality] = {}
        self._asked = _conditions()

    def observe(self, event: Event) -> None:
        """Look at a record; nearly all need no look at their fields."""
        channel = event.channel.lower()
        asked = self._asked.get((channel, event.event_id), ())
        is_sysmon = channel == SYSMON
        cleared = _cleared(channel, event)
        if not (asked or is_sysmon or cleared):
            return
        host = self.host(event.host)
        for name, holds in asked:
            host.looked_at[name] += 1
            host.met[name] += holds(event)
        if is_sysmon:
            _compare_clocks(host, event)
        if cleared:
            host.clear(cleared)

    def host(self, name: str) -> HostQuality:
        """What was seen of a host, of no records where nothing was."""
        key = name.lower()
        found = self._hosts.get(key)
        if found is None:
            found = HostQuality()
            if len(self._hosts) < MAX_HOSTS:
                self._hosts[key] = found
        return found

    def merge(self, other: Quality) -> None:
        """Add what another one has seen, of another part of the same logs."""
        for name, host in other._hosts.items():
            self.host(name).merge(host)


Condition = Callable[[Event], bool]


def _conditions() -> dict[Interest, list[tuple[str, Condition]]]:
    """(channel, event id) -> the prerequisites with a condition on such records."""
    found: dict[Interest, list[tuple[str, Condition]]] = {}
    for one in prerequisites():
        for records in one.records if one.complete else ():
            for event_id in records.event_ids or ():
                found.setdefault((records.channel.lower(), event_id), []).append((one.id, CONDITIONS[one.complete]))
    return found


def _has_command_line(event: Event) -> bool:
    return any(present(event.text(name)) for name in ("CommandLine", "ProcessCommandLine"))


def _has_hashes(event: Event) -> bool:
    hashes = event.text("Hashes").upper()
    return "SHA256=" in hashes and "IMPHASH=" in hashes


def _is_store_read(event: Event) -> bool:
    """As facts.py decides it: of a person's store; masks of files are no proof that stores are audited."""
    found = stores().match(event.text("ObjectName"))
    return found is not None and bool(found.user) and found.store.family != "files"


def _is_typed_command(event: Event) -> bool:
    path = object_of(lambda name: present(event.text(name))).lower()
    return any(word in path for word in _TYPED)


def _is_verbose(event: Event) -> bool:
    return event.text("Level").strip().lower() in _VERBOSE


CONDITIONS: dict[str, Condition] = {
    "command-line": _has_command_line,
    "hashes": _has_hashes,
    "store-read": _is_store_read,
    "typed-command": _is_typed_command,
    "verbose": _is_verbose,
}
"""The words of content/telemetry/prerequisites, and what they mean."""


def _cleared(channel: str, event: Event) -> Cleared | None:
    """Security 1102 tells that the Security log was cleared, System 104 which other one."""
    if (channel, event.event_id) not in ((SECURITY, 1102), ("system", 104)):
        return None
    if event.provider.lower() not in ("", _EVENTLOG):  # other providers have an event 104 of their own
        return None
    user = "\\".join(filter(None, (present(event.text(name)) for name in ("SubjectDomainName", "SubjectUserName"))))
    log = event.channel if channel == SECURITY else event.text("Channel")
    return Cleared(event.time, log[:_LONGEST], user[:_LONGEST], event.channel, event.event_id, event.record_id)


def _compare_clocks(host: HostQuality, event: Event) -> None:
    stated = _utc_time(event.text("UtcTime"))
    if stated is None:
        return
    host.clock_checked += 1
    offset = event.time - stated
    if abs(offset) > CLOCK_TOLERANCE:
        host.clock_off += 1
        host.note_clock([event.time], [offset])


def _utc_time(text: str) -> datetime | None:
    """UtcTime as Sysmon writes it, 2026-11-03 08:14:02.123, None where it is something else."""
    try:
        stated = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return stated.replace(tzinfo=UTC) if stated.tzinfo is None else stated
