"""After a block is deployed: logs in, who was hit by it out, and which hosts could not say.

    verify(VerifyOptions(("mshta.exe",), ("logs/",), preflight=Path("preflight.json"), since=deployed))

A hit is a refused connection of the program (Security 5157, and 5152 for its packets), or AppLocker's or App Control's
word that it was or would be blocked (8003, 8004, 3076, 3077); scripts and installers that stand for it count too (8006,
8007, 8028, 8029; programs.py). Hits are grouped as the pre-flight groups uses, so that one it knew is told by its id.
AppLocker and App Control write no command line, so theirs are never known that way. A host without any such record, of
any program, proves nothing: it is not said that nobody was hit there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from douse.harden.preflight.fleet import Fleet
from douse.harden.preflight.logs import read_logs
from douse.harden.preflight.places import Places
from douse.harden.preflight.programs import Program, program_of
from douse.harden.preflight.record import KnownUse, PreflightRecord, read_record
from douse.harden.preflight.seen import Record
from douse.harden.preflight.sightings import Sighter, Sighting
from douse.harden.preflight.uses import use_id
from douse.harden.preflight.watch import CODE_INTEGRITY, REFUSED, HostSeen, Watcher
from douse.hunt.assets import read_assets
from douse.hunt.result import Problem, Progress
from douse.hunt.run import Silent
from douse.masking import mask
from douse.model import Asset, Interest

MAX_HITS: Final = 5_000
MAX_EVIDENCE: Final = 5
STATES: Final = ("new", "alike", "known")
"""Of a hit: no use case of the pre-flight; one with its parent and command and another destination; that use case."""
OUTCOMES: Final = ("blocked", "would be blocked")

DEFAULT: Final = "mshta.exe"

_ALLOWED: Final = "allowed"


@dataclass(frozen=True, slots=True)
class VerifyOptions:
    """What a user can ask. Times are UTC, `since` inclusive, `until` exclusive; `since` is when the block came. Without
    programs that of the pre-flight is meant, else DEFAULT."""

    programs: tuple[str, ...]
    logs: tuple[str, ...]
    inventory: Path | None = None
    preflight: Path | None = None
    since: datetime | None = None
    until: datetime | None = None
    command_line: str = ""
    internal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Hit:
    """Somebody on a host who was refused, or would have been; `times` is how often. `use` is the pre-flight's, None
    for a new one."""

    program: str
    host: str
    user: str
    event: str
    outcome: str
    destination: str
    port: int
    parent: str
    command: str
    first_seen: datetime
    last_seen: datetime
    times: int
    state: str
    use: KnownUse | None
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VerifyHost:
    """What one host could have told: kinds of records, of whatever program; whether its silence means something."""

    host: str
    owner: str
    seen: tuple[str, ...]
    can_say: bool
    why: str


@dataclass(frozen=True, slots=True)
class VerifyResult:
    """A whole verify. `hits` are new ones first, then by how often; times are UTC."""

    programs: tuple[str, ...]
    record: PreflightRecord | None
    hits: tuple[Hit, ...]
    hosts: tuple[VerifyHost, ...]
    unlisted: tuple[str, ...]
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    since: datetime | None
    until: datetime | None
    records: int
    interrupted: bool
    started: datetime
    finished: datetime
    command_line: str


def verify(options: VerifyOptions, progress: Progress | None = None) -> VerifyResult:
    """Who was hit. Raises ContentError where the inventory or the pre-flight is not as it must be."""
    started = datetime.now(UTC)
    record = read_record(options.preflight) if options.preflight else None
    asked = options.programs or ((record.program,) if record else (DEFAULT,))
    programs = tuple(dict.fromkeys(map(program_of, asked)))
    assets = read_assets([options.inventory] if options.inventory else [])
    watchers = [Watcher(program, until=options.until, scripts=True) for program in programs]
    read = read_logs(options.logs, watchers, progress or Silent(), options.since)
    fleets = [Fleet(assets, watcher.hosts) for watcher in watchers]
    places = Places(options.internal)
    hits = sorted((hit for watcher, fleet in zip(watchers, fleets, strict=True)
                   for hit in _hits(watcher, fleet, places, record)), key=_urgency)
    left = len(hits) - MAX_HITS
    more = (f"{left:,} more hits than are listed",) if left > 0 else ()
    hosts = _hosts(fleets[0])
    return VerifyResult(
        programs=tuple(one.name for one in programs), record=record, hits=tuple(hits[:MAX_HITS]), hosts=hosts,
        unlisted=fleets[0].unlisted if assets.tables else (), notes=(*_notes(programs, record, watchers), *more,
                                                                     *read.notes),
        problems=read.problems, since=options.since, until=options.until, records=read.records,
        interrupted=read.interrupted, started=started, finished=datetime.now(UTC), command_line=options.command_line)


def _urgency(hit: Hit) -> tuple[int, int, str, str, datetime]:
    return STATES.index(hit.state), -hit.times, hit.host.lower(), hit.program, hit.first_seen


def _notes(programs: Iterable[Program], record: PreflightRecord | None, watchers: Iterable[Watcher]) -> Iterator[str]:
    if record is not None and record.program not in {one.name for one in programs}:
        yield f"the pre-flight is of {record.program}, which is none of the programs asked about"
    if any(host.trimmed for watcher in watchers for host in watcher.hosts):
        yield "more records of the program than are kept of a host: the oldest were forgotten"
    if any(watcher.hosts_left_out for watcher in watchers):
        yield "more hosts than can be followed: those read last are not in this result"


# ── hits ──────────────────────────────────────────────────────────────────────────────────────────────────────────

def _hits(watcher: Watcher, fleet: Fleet, places: Places, record: PreflightRecord | None) -> Iterator[Hit]:
    """The hits of one program on all hosts."""
    sighter = Sighter(places, (), fleet.host_at)
    known = {use.id: use for use in record.uses} if record else {}
    alike = {(use.parent, use.command): use for use in record.uses} if record else {}
    groups: defaultdict[tuple[str, ...], list[_Seen]] = defaultdict(list)
    for name, several in sorted(fleet.seen.items()):
        for host in several:
            for seen in _seen(host, name, sighter):
                groups[seen.key].append(seen)
    for group in groups.values():
        yield _hit(group, watcher.program, known, alike)


@dataclass(frozen=True, slots=True)
class _Seen:
    """One record of a hit, and the use that it hit."""

    sighting: Sighting
    record: Record
    outcome: str

    @property
    def key(self) -> tuple[str, ...]:
        """What is one hit: host, user, use, kind of record."""
        one = self.sighting
        return (one.host, one.user, one.place.name, str(one.port), one.parent, one.template, self.outcome, self.event)

    @property
    def event(self) -> str:
        """The kind of record, in words."""
        return event_words(self.record.channel, self.record.event_id)


def _seen(host: HostSeen, name: str, sighter: Sighter) -> Iterator[_Seen]:
    told: set[Record] = set()  # a run with several connections has each policy's record once
    for one in sighter.of(host, name, set()):
        found = [(record, OUTCOMES[0]) for record in one.records
                 if (record.channel.lower(), record.event_id) in REFUSED]
        for record, word in (*found, *((verdict.record, verdict.word) for verdict in one.verdicts)):
            if word != _ALLOWED and record not in told:
                told.add(record)
                yield _Seen(one, record, word)


def _hit(group: Sequence[_Seen], program: Program, known: Mapping[str, KnownUse],
         alike: Mapping[tuple[str, str], KnownUse]) -> Hit:
    one = group[0].sighting
    records = sorted({seen.record for seen in group})
    use = known.get(use_id(program, one))
    state = "known" if use else "new"
    if use is None and one.command:
        use = alike.get((one.parent, mask(one.command)))
        state = "alike" if use else "new"
    return Hit(
        program=program.name, host=one.host, user=one.user, event=group[0].event, outcome=group[0].outcome,
        destination=one.place.name, port=one.port, parent=one.parent, command=one.command,
        first_seen=records[0].time, last_seen=records[-1].time, times=len(records), state=state, use=use,
        evidence=tuple(map(str, records[:MAX_EVIDENCE])))


def event_words(channel: str, event_id: int) -> str:
    """A kind of record as people name it: Security 5157, AppLocker 8004, App Control 3077."""
    folded = channel.lower()
    if "applocker" in folded:
        return f"AppLocker {event_id}"
    return f"{'App Control' if folded == CODE_INTEGRITY else channel} {event_id}"


# ── hosts ─────────────────────────────────────────────────────────────────────────────────────────────────────────

def _hosts(fleet: Fleet) -> tuple[VerifyHost, ...]:
    """Every host of the inventory, and every other that logs name."""
    return tuple(_host(name, fleet.listed.get(name), fleet.of(name))
                 for name in sorted({*fleet.listed, *fleet.seen}, key=lambda name: (name.lower(), name)))


def _host(name: str, asset: Asset | None, seen: Sequence[HostSeen]) -> VerifyHost:
    words = sorted({word for one in seen for word in one.refused}
                   | {_kind_words(kind) for one in seen for kind in one.policies})
    if not seen:
        why = "no record of this host was read"
    else:
        lacking = [what for what, there in (
            ("of the firewall (no 5157 or 5152 of any program)", any(one.refused for one in seen)),
            ("of AppLocker or App Control (none of their records)", any(one.policies for one in seen))) if not there]
        why = f"a block {' or '.join(lacking)} would not show" if lacking else "a block would show"
    return VerifyHost(name, asset.owner if asset else "", tuple(words), bool(words), why)


def _kind_words(kind: Interest) -> str:
    return event_words(kind[0], kind[1] or 0)
