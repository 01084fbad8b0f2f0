"""Watch a program through the logs of a fleet: every Event goes in, bounded facts of each host are kept.

    watcher = Watcher(program)
    for event in read_unit(unit, watcher.wanted, tally): watcher.observe(event)

What is kept are the days on which each kind of telemetry was there, from whatever program, and the program's own
starts, connections, queries and verdicts of policies. All of it is keyed by content, so order and copies of records
change nothing. LIMITS are for each host, MAX_FACTS for all; beyond them the newest stay and the host is `trimmed`,
which is no coverage. Memory grows with hosts, days and the program's own records, up to that; never with the records
of others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar

from douse.harden.preflight.programs import Program
from douse.harden.preflight.seen import (
    Connection,
    Execution,
    Named,
    Query,
    Record,
    Request,
    Start,
    connection_of,
    execution_of,
    query_of,
    record_of,
    request_of,
    source_of,
    start_of,
)
from douse.incident.entities import SECURITY, SYSMON
from douse.incident.newest import Key, Newest
from douse.indicators.watch import Watch
from douse.model import Event, Interest
from douse.telemetry import Wanted

LIMITS: Final = {"starts": 20_000, "connections": 20_000, "queries": 5_000, "executions": 5_000, "changes": 50,
                 "nameless": 2_000}
"""How many of the program's records one host keeps."""
MAX_FACTS: Final = 300_000
"""How many of the program's records are kept of all hosts, some 500 MB; beyond that those with most keep half."""
CHECK_EVERY: Final = 20_000
"""Records, after which it is looked how many facts there are."""
LEAST_KEPT: Final = 10
MAX_HOSTS: Final = 50_000
MAX_DAYS: Final = 1_500
MAX_ADDRESSES: Final = 64
MAX_REQUESTS: Final = 100_000
BUCKET: Final = 60
"""Seconds in which connections of one process to one place are kept as one."""

APPLOCKER: Final = "microsoft-windows-applocker/exe and dll"
APPLOCKER_SCRIPT: Final = "microsoft-windows-applocker/msi and script"
CODE_INTEGRITY: Final = "microsoft-windows-codeintegrity/operational"
MDE_PROCESS: Final = "mde/deviceprocessevents"
MDE_NETWORK: Final = "mde/devicenetworkevents"

SYSMON_NETWORK: Final = "Sysmon 3"
NETWORK_SOURCES: Final[Mapping[Interest, str]] = {(SYSMON, 3): SYSMON_NETWORK, (SECURITY, 5156): "Security 5156",
                          (MDE_NETWORK, 3): "Defender DeviceNetworkEvents",
                          (MDE_NETWORK, 0): "Defender DeviceNetworkEvents"}
"""What shows which program connected. Records of refused connections alone show no others."""
PROCESS_SOURCES: Final[Mapping[Interest, str]] = {(SYSMON, 1): "Sysmon 1", (SECURITY, 4688): "Security 4688",
                          (MDE_PROCESS, 1): "Defender DeviceProcessEvents"}
REFUSED: Final[Mapping[Interest, str]] = {(SECURITY, 5157): "Security 5157", (SECURITY, 5152): "Security 5152"}
POLICIES: Final[Mapping[Interest, str]] = {
    (APPLOCKER, 8002): "allowed", (APPLOCKER, 8003): "would be blocked", (APPLOCKER, 8004): "blocked",
    (CODE_INTEGRITY, 3076): "would be blocked", (CODE_INTEGRITY, 3077): "blocked"}
SCRIPT_POLICIES: Final[Mapping[Interest, str]] = {
    (APPLOCKER_SCRIPT, 8006): "would be blocked", (APPLOCKER_SCRIPT, 8007): "blocked",
    (APPLOCKER_SCRIPT, 8028): "would be blocked", (APPLOCKER_SCRIPT, 8029): "blocked"}
SCRIPTS_JUDGED: Final[frozenset[Interest]] = frozenset({(APPLOCKER_SCRIPT, 8028), (APPLOCKER_SCRIPT, 8029)})
"""App Control's own words on scripts, which it has only where it enforces them."""
QUERIES: Final[frozenset[Interest]] = frozenset({(SYSMON, 22), ("mde/deviceevents", 22)})
REQUESTS: Final[frozenset[Interest]] = frozenset({("proxy/access", 0), ("zeek/http", 0)})
CONFIGURED: Final = (SYSMON, 16)
BROKEN: Final = (SYSMON, 255)
CLEARED: Final[frozenset[Interest]] = frozenset({(SECURITY, 1102), ("system", 104)})

_KINDS: Final[frozenset[Interest]] = frozenset({
    *NETWORK_SOURCES, *PROCESS_SOURCES, *REFUSED, *POLICIES, *SCRIPT_POLICIES, *QUERIES, *REQUESTS, *CLEARED,
    CONFIGURED, BROKEN})


@dataclass(slots=True)
class HostSeen:
    """What one host's records said; days are ordinals of dates in UTC. `policies` are those that looked at anything, by
    (channel, event id), `user_mode` those of App Control about programs of users, `scripts_stopped` whether App Control
    judged a script. `proven` says that Sysmon recorded a connection of the program, to it or from it. `nameless` are
    connections of whatever process, whose name the record does not know."""

    name: str
    network: dict[str, set[int]] = field(default_factory=dict)
    process: dict[str, set[int]] = field(default_factory=dict)
    refused: dict[str, set[int]] = field(default_factory=dict)
    policies: dict[Interest, set[int]] = field(default_factory=dict)
    user_mode: set[str] = field(default_factory=set)
    scripts_stopped: bool = False
    proven: bool = False
    days: set[int] = field(default_factory=set)
    addresses: set[str] = field(default_factory=set)
    first: datetime | None = None
    last: datetime | None = None
    errors: int = 0
    starts: Newest[Start] = field(default_factory=lambda: Newest(LIMITS["starts"]))
    connections: Newest[Connection] = field(default_factory=lambda: Newest(LIMITS["connections"]))
    nameless: Newest[Connection] = field(default_factory=lambda: Newest(LIMITS["nameless"]))
    queries: Newest[Query] = field(default_factory=lambda: Newest(LIMITS["queries"]))
    executions: Newest[Execution] = field(default_factory=lambda: Newest(LIMITS["executions"]))
    changes: Newest[Record] = field(default_factory=lambda: Newest(LIMITS["changes"]))
    cleared: Newest[Record] = field(default_factory=lambda: Newest(LIMITS["changes"]))
    too_many_days: bool = False

    @property
    def trimmed(self) -> bool:
        """Whether some of the program's records, or days, had to be forgotten."""
        return self.too_many_days or any(kept.trimmed for kept in self.kept)

    @property
    def kept(self) -> tuple[Newest[Any], ...]:
        """The program's own records, by kind."""
        return self.starts, self.connections, self.queries, self.executions

    def see(self, days: set[int], day: int) -> bool:
        """Note a day of a kind of telemetry; whether it is a new one."""
        if day in days:
            return False
        if len(days) >= MAX_DAYS:
            self.too_many_days = True
            return False
        days.add(day)
        self.days.add(day)
        return True


class Fact(Protocol):
    """What is said by a record, and has an order."""

    @property
    def record(self) -> Record:
        """The record that says it."""

    def __lt__(self, other: Any, /) -> bool: ...


class Watcher:
    """Everything that is kept while logs are read. `until` leaves out what is not before it (UTC); with `scripts` what
    a policy says of the program's files counts as said of it."""

    def __init__(self, program: Program, watch: Watch | None = None, until: datetime | None = None, *,
                 scripts: bool = False) -> None:
        self.program, self._watch, self._until, self._scripts = program, watch, until, scripts
        self._hosts: dict[str, HostSeen] = {}
        self._by_spelling: dict[str, HostSeen] = {}
        self._requests: Newest[Request] = Newest(MAX_REQUESTS)
        self.hosts_left_out = False
        self._seen = 0
        self.wanted = Wanted(_KINDS)

    @property
    def hosts(self) -> tuple[HostSeen, ...]:
        """All hosts with a record, by name."""
        return tuple(self._hosts[name] for name in sorted(self._hosts))

    @property
    def requests(self) -> tuple[Request, ...]:
        """Requests that call themselves as the program does, in time order."""
        return self._requests.in_order()

    @property
    def requests_trimmed(self) -> bool:
        """Whether there were more of them than can be kept."""
        return self._requests.trimmed

    def observe(self, event: Event) -> None:
        """Keep what matters of a record."""
        if self._until is not None and event.time >= self._until:
            return
        kind = event.channel.lower(), event.event_id
        if kind in REQUESTS:
            _add(self._requests, request_of(event, self.program, self._named), BUCKET)
            return
        keep = _KEEPERS.get(kind)
        host = self._host(event.host) if keep is not None else None
        if keep is None or host is None:
            return
        if host.first is None or event.time < host.first:
            host.first = event.time
        if host.last is None or event.time > host.last:
            host.last = event.time
        keep(self, host, event, kind)
        self._seen += 1
        if self._seen % CHECK_EVERY == 0:
            self._shrink()

    def _shrink(self) -> None:
        """Make room where all hosts together have too many facts: those with most lose their older half. Which they are
        depends on the order of reading; that none of them counts as covered does not."""
        kept = [one for host in self._hosts.values() for one in host.kept]
        while sum(len(one.facts) for one in kept) > MAX_FACTS:
            most = max(len(one.facts) for one in kept) // 2
            if most < LEAST_KEPT:
                return
            for one in kept:
                one.shrink(most)

    def _host(self, spelled: str) -> HostSeen | None:
        """The host of that name; None for one too many."""
        found = self._by_spelling.get(spelled)
        if found is None:
            name = spelled.lower().rstrip(".")
            found = self._hosts.get(name)
            if found is None:
                if len(self._hosts) >= MAX_HOSTS:
                    self.hosts_left_out = True
                    return None
                found = self._hosts[name] = HostSeen(spelled[:255])
            found.name = min(found.name, spelled[:255])  # whatever was read first
            if len(self._by_spelling) < 2 * MAX_HOSTS:
                self._by_spelling[spelled] = found
        return found

    def _named(self, event: Event) -> Named:
        """The indicators that a record of the program names."""
        if not self._watch:
            return ()
        return tuple(sorted({hit.known.value for hit in self._watch.match(event)}))[:8]

    def _network(self, host: HostSeen, event: Event, kind: Interest) -> None:
        refused = kind in REFUSED
        days = (host.refused if refused else host.network).setdefault((REFUSED if refused else NETWORK_SOURCES)[kind],
                                                                      set())
        host.see(days, event.time.toordinal())
        if len(host.addresses) < MAX_ADDRESSES and (own := source_of(event)):
            host.addresses.add(own)
        host.proven = host.proven or (kind == (SYSMON, 3) and self.program.is_image(event.text("Image")))
        found = connection_of(event, self.program, self._named)
        if found is not None:
            kept = host.nameless if found.nameless else host.connections
            _add(kept, found, BUCKET, found.guid or found.pid, found.address, found.hostname, found.port,
                 found.protocol, found.refused, found.image)

    def _process(self, host: HostSeen, event: Event, kind: Interest) -> None:
        host.see(host.process.setdefault(PROCESS_SOURCES[kind], set()), event.time.toordinal())
        found = start_of(event, self.program, self._named)
        if found is not None:
            _add(host.starts, found, 1, found.pid, found.guid, found.time)

    def _query(self, host: HostSeen, event: Event, _kind: Interest) -> None:
        host.see(host.days, event.time.toordinal())
        found = query_of(event, self.program, self._named)
        if found is not None:
            _add(host.queries, found, BUCKET, found.guid or found.pid, found.name)

    def _policy(self, host: HostSeen, event: Event, kind: Interest) -> None:
        host.see(host.policies.setdefault(kind, set()), event.time.toordinal())
        word = POLICIES.get(kind) or SCRIPT_POLICIES[kind]
        if kind[0] == CODE_INTEGRITY and event.text("SISigningScenario") in ("", "1"):
            host.user_mode.add(word)
        host.scripts_stopped = host.scripts_stopped or kind in SCRIPTS_JUDGED
        if kind in POLICIES or self._scripts:
            found = execution_of(event, self.program, word)
            if found is not None:
                _add(host.executions, found, 1, found.path.lower(), found.user)

    def _configured(self, host: HostSeen, event: Event, _kind: Interest) -> None:
        record = record_of(event)
        host.changes.add(_key(record, 1), record)

    def _cleared(self, host: HostSeen, event: Event, _kind: Interest) -> None:
        record = record_of(event)
        host.cleared.add(_key(record, 1), record)

    def _broken(self, host: HostSeen, _event: Event, _kind: Interest) -> None:
        host.errors += 1


Keep = Callable[[Watcher, HostSeen, Event, Interest], None]
_Fact = TypeVar("_Fact", bound=Fact)


def _add(kept: Newest[_Fact], fact: _Fact | None, seconds: int, *parts: object) -> None:
    """Keep a fact under its time, in steps of so many seconds, and what tells it from others of that time."""
    if fact is not None:
        kept.add(_key(fact.record, seconds, *parts), fact)


def _key(record: Record, seconds: int, *parts: object) -> Key:
    own = parts or (record.record_id,)
    return int(record.time.timestamp()) // seconds, (record.channel.lower(), record.event_id, *own)


_KEEPERS: Final[dict[Interest, Keep]] = {
    **dict.fromkeys((*NETWORK_SOURCES, *REFUSED), Watcher._network), **dict.fromkeys(PROCESS_SOURCES, Watcher._process),
    **dict.fromkeys(QUERIES, Watcher._query), **dict.fromkeys((*POLICIES, *SCRIPT_POLICIES), Watcher._policy),
    **dict.fromkeys(CLEARED, Watcher._cleared), CONFIGURED: Watcher._configured, BROKEN: Watcher._broken,
}
