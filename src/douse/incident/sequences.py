"""Name what happened inside a group: marks in, the sequences S1 to S7 of the threat model (3.3) out.

Each sequence is a row of SEQUENCES: what it means, the level it gives, and the function that finds its earliest
occurrence; windows are named above them. The functions look at one group only, so "same process tree or weak edge"
holds by construction. Each is at most n log n, because an attacker can make a host log as much as he likes. S8 and S9
need vendor verdicts and sign-in logs and come with them. What a sequence is worth: content/incidents/scoring.yml.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from douse.content.incidents import scoring
from douse.incident.entities import image_name
from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.incident.outbound import AFTER_READ, BEFORE_READ, Connections
from douse.incident.people import is_system
from douse.incident.places import in_program_files, user_writable
from douse.incident.processes import SLACK
from douse.model import SequenceHit, level_rank

TO_NETWORK = timedelta(minutes=2)  # S2
LOADER = timedelta(minutes=15)  # S3
GRAB = timedelta(seconds=60)  # S4
INTRUSION = timedelta(minutes=30)  # S6 and S7; S1 is link.TYPED_WINDOW, S5 is outbound.BEFORE_READ and AFTER_READ

HEURISTIC = 0.7
"""The fidelity of a rule that may err but does not guess; foreign rules and weakly linked evidence are below it."""

LAUNCHERS = frozenset({
    "mshta.exe", "powershell.exe", "pwsh.exe", "cmd.exe", "curl.exe", "msiexec.exe", "rundll32.exe", "regsvr32.exe",
    "wscript.exe", "cscript.exe", "certutil.exe", "bitsadmin.exe", "finger.exe", "forfiles.exe", "conhost.exe",
    "ssh.exe", "sftp.exe", "wmic.exe", "schtasks.exe", "node.exe", "python.exe", "pcalua.exe", "windowsterminal.exe",
})
"""Programs that a pasted command starts (threat model, 2.7)."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One group as the sequences see it. `marks` are in time order; `reads_audited` is about the host."""

    marks: Sequence[Mark]
    processes: Sequence[int]
    connections: Connections
    links: Links
    reads_audited: bool

    def of(self, letters: str) -> list[Mark]:
        """The marks of these classes."""
        return [mark for mark in self.marks if mark.letter in letters]

    def thefts(self) -> list[Mark]:
        """Accesses to a known kind of credential store by somebody else than a browser.

        A browser in its own folder that nobody injected into is importing from another, which every first run does. A
        foreign rule that is only tagged as credential access (LSASS, Kerberos, ...) names no store and is no theft, and
        a rule of ours that guesses proves none either: with any connection it would make a critical incident.
        """
        return [m for m in self.of("C") if m.store and m.alert is not None and m.alert.fidelity >= HEURISTIC
                and (m.process is None or not self.links.cuts(m.process, m.time))]


@dataclass(frozen=True, slots=True)
class Found:
    """One occurrence of a sequence: its proof, the sentence that explains it, and the record of a bare connection."""

    marks: tuple[Mark, ...]
    reason: str
    also: datetime | None = None


@dataclass(frozen=True, slots=True)
class KnownSequence:
    """A row of the table."""

    sequence_id: str
    title: str
    level: str
    find: Callable[[Scene], Found | None]


def sequence_hits(scene: Scene) -> tuple[SequenceHit, ...]:
    """The sequences of a group. The bonus of a kind (compromise, theft) is given to the first of the kind only."""
    hits: list[SequenceHit] = []
    paid: set[str] = set()
    for row in SEQUENCES:
        found = row.find(scene)
        if found is not None:
            bonus = next((b for b in scoring().bonuses if row.sequence_id in b.sequences), None)
            hits.append(_hit(row, found, bonus.points if bonus and bonus.kind not in paid else 0))
            paid |= {bonus.kind} if bonus else set()
    return tuple(hits)


def _hit(row: KnownSequence, found: Found, bonus: int) -> SequenceHit:
    marks = sorted(found.marks, key=lambda m: (m.time, m.alert_ids))
    times = [m.time for m in marks] + ([found.also] if found.also else [])
    ids = dict.fromkeys(alert_id for mark in marks for alert_id in mark.alert_ids)
    return SequenceHit(row.sequence_id, row.title, row.level, bonus, min(times), max(times), found.reason, tuple(ids))


# ── S1, S2: a typed command, and code from the network ────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class _Trigger:
    """Something that ran: when, as which process, and its proof."""

    time: datetime
    process: int
    marks: tuple[Mark, ...]


def _pastes(scene: Scene) -> list[_Trigger]:
    """Typed commands that started a launcher, with the alerts on both ends."""
    by_child = {m.process: m for m in reversed(scene.of("X")) if m.role == "paste-child"}
    found = []
    for mark in scene.marks:
        typed = scene.links.typed.get(mark.alert.alert_id) if mark.alert else None
        if typed is None:
            continue
        child = by_child.get(typed.child)
        if child or image_name(scene.links.table[typed.child].image).lower() in LAUNCHERS:
            proof = (mark, child) if child else (mark,)
            found.append(_Trigger(typed.started, typed.child, proof))
    return sorted(found, key=lambda t: (t.time, t.process))


def _paste_and_run(scene: Scene) -> Found | None:
    for paste in _pastes(scene):
        child = scene.links.table[paste.process].name
        return Found(paste.marks, f"a command was typed or pasted and started {child} within 15 s", paste.time)
    return None


def _initial_compromise(scene: Scene) -> Found | None:
    """What was run reaches the network within two minutes, by itself or by what it started.

    After a paste any connection to a public address counts. Without one both the execution and the network use need
    an alert that is more than a guess, because many programs connect.
    """
    pastes, others = defaultdict[int, list[_Trigger]](list), defaultdict[int, list[_Trigger]](list)
    for paste in _pastes(scene):
        pastes[paste.process].append(paste)
    for mark in scene.of("X"):
        if mark.process is not None and _sure(mark):
            others[mark.process].append(_Trigger(mark.time, mark.process, (mark,)))
    for use in sorted(_network(scene, "RI", pastes.keys() | others.keys()), key=_in_order):
        pasted = _led_to(use, pastes, scene.links)
        if pasted is not None:
            return use.found(pasted.marks, "the pasted command led to network use within 2 minutes")
        if use.mark is not None and use.mark.letter == "R" and _sure(use.mark):
            ran = _led_to(use, others, scene.links)
            if ran is not None:
                return use.found(ran.marks, "suspicious execution led to network use within 2 minutes")
    return None


def _led_to(use: _Network, triggers: Mapping[int, Sequence[_Trigger]], links: Links) -> _Trigger | None:
    """The latest trigger, of the process or of what it comes from, that the network use follows."""
    before = []
    for origin in links.lineage(use.process):
        own = triggers.get(origin, ())
        at = bisect_right(own, use.time + SLACK, key=_time)
        if at and own[at - 1].time >= use.time - TO_NETWORK:
            before.append(own[at - 1])
    return max(before, key=lambda t: (t.time, t.process), default=None)


@dataclass(frozen=True, slots=True)
class _Network:
    """One use of the network: an alert about it, or a bare connection record."""

    time: datetime
    process: int
    mark: Mark | None
    where: str

    def found(self, marks: tuple[Mark, ...], reason: str) -> Found:
        if self.mark:
            return Found((*marks, self.mark), f"{reason}: {self.where}")
        return Found(marks, f"{reason}: {self.where}", self.time)


def _network(scene: Scene, letters: str, near: Iterable[int]) -> Iterator[_Network]:
    """Network use by processes that are or come from one of `near`: alerts of the classes, then bare connections."""
    wanted = set(near)
    for mark in scene.of(letters):
        if mark.process is None or mark.placed is None or not wanted.intersection(scene.links.lineage(mark.process)):
            continue
        if mark.letter == "R" or mark.placed.destination:
            yield _Network(mark.time, mark.process, mark, mark.placed.alert.title)
    for process in scene.processes:
        made = scene.connections.get(process, ())
        if made and wanted.intersection(scene.links.lineage(process)):
            for c in made:
                yield _Network(c.time, process, None, f"{c.address}:{c.port} ({c.channel} record {c.record_id})")


# ── S3, S7: the injected process ──────────────────────────────────────────────────────────────────────────────────


def _loader(scene: Scene) -> Found | None:
    """Delivery or execution, then injection, then network use by the injected process."""
    injections = [m for m in scene.of("I") if m.process is not None]
    uses: defaultdict[int, list[_Network]] = defaultdict(list)
    for use in _network(scene, "RI", {m.process for m in injections if m.process is not None}):
        if use.mark is None or (use.mark.placed and use.mark.placed.destination):
            uses[use.process].append(use)
    for several in uses.values():
        several.sort(key=_in_order)
    ends: list[tuple[Mark, _Network]] = []  # per injection: the earliest network use after it or a later injection
    for injection in reversed(injections):
        own = _first_after(uses.get(injection.process or 0, ()), injection.time) or _NEVER
        later = ends[-1] if ends else (injection, _NEVER)
        ends.append((injection, own) if own.time <= later[1].time else later)
    ends.reverse()
    for first in scene.of("DX"):
        at = bisect_left(injections, first.time - SLACK, key=_time)
        if at < len(ends) and ends[at][1].time <= first.time + LOADER:
            injection, use = ends[at]
            name = scene.links.table[use.process].name
            return use.found((first, injection), f"{name} shows signs of injection and used the network")
    return None


def _unaudited_theft(scene: Scene) -> Found | None:
    """The course of a stealer without its reads, on a host where reads are not logged."""
    if scene.reads_audited or scene.of("C"):
        return None
    steps = (scene.of("IE"), [m for m in scene.of("R") if m.role == "dead-drop"], scene.of("O"))
    for first in scene.of("DX"):
        chain = [first]
        for step in steps:
            following = _first_after(step, chain[-1].time - SLACK)
            if following is None or following.time > first.time + INTRUSION:
                break
            chain.append(following)
        else:
            return Found(tuple(chain), "execution, then injection or evasion, a dead drop and an outbound connection; "
                         "credential-store reads are not logged on this host, so act as if they happened")
    return None


# ── S4, S5, S6: the reads ─────────────────────────────────────────────────────────────────────────────────────────


def _several_stores(scene: Scene) -> Found | None:
    by_process: defaultdict[int, list[Mark]] = defaultdict(list)
    for mark in scene.thefts():
        if mark.process is not None:
            by_process[mark.process].append(mark)
    found = [(reads[0].time, process, reads) for process, marks in by_process.items()
             if (reads := _two_stores(marks, marks, GRAB))]
    if not found:
        return None
    _, process, reads = min(found, key=lambda f: f[:2])
    return Found(reads, f"{scene.links.table[process].name} accessed {_stores(reads)} within 60 s")


def _is_installed_service(process: int, links: Links) -> bool:
    """Whether Windows' own account runs the program as a service from a folder that only administrators can write to.

    An unlisted backup or protection program does what a stealer does, and sends it too; without any other sign (S5
    only) it is not called one. Its reads and connections still count (threat model, 10).
    """
    ran = links.table[process]
    parent = image_name(links.table[ran.parent].image).lower() if ran.parent is not None else ""
    return parent == "services.exe" and in_program_files(ran.image) and is_system(ran.user_sid, ran.user_name)


def _theft_and_transfer(scene: Scene) -> Found | None:
    thefts = scene.thefts()
    if not scene.of("DXEIRV"):
        thefts = [m for m in thefts if m.process is None or not _is_installed_service(m.process, scene.links)]
    for out in scene.of("O"):
        read = _first_after(thefts, out.time - AFTER_READ)
        if read and out.outbound and read.time <= out.time + BEFORE_READ:
            reads = _each_store(thefts, read.time, out.time + BEFORE_READ)
            what = (out.outbound.amount if out.outbound.is_upload
                    else f"possible exfiltration ({out.outbound.amount})")
            return Found((*reads, out), f"{_stores(reads)} accessed; {what}: {out.outbound.evidence}")
    return None


def _intrusion_and_theft(scene: Scene) -> Found | None:
    """An execution or injection alert, then reads: of two sub-families, or of one by a program in a user's folder.

    The Windows vault alone is not enough: ordinary programs ask it.
    """
    starts = [m for m in scene.of("DXI") if _medium(m)]
    thefts = scene.thefts()
    strangers = [m for m in thefts if m.store != "vault" and m.process is not None
                 and user_writable(scene.links.table[m.process].image)]
    several = _two_stores(starts, thefts, INTRUSION)
    if several:
        return Found(several, f"after signs of intrusion, {_stores(several[1:])} were accessed")
    for first in starts:
        read = _first_after(strangers, first.time - SLACK)
        if read and read.time <= first.time + INTRUSION:
            return Found((first, read), "after signs of intrusion, a program in a folder that users can write to "
                         f"accessed {_stores((read,))}")
    return None


SEQUENCES = (
    KnownSequence("S1", "Paste-and-run: a typed command started a launcher", "high", _paste_and_run),
    KnownSequence("S2", "Likely initial compromise: code from the network", "high", _initial_compromise),
    KnownSequence("S3", "Loader or stealer: a process with signs of injection used the network", "high",
                  _loader),
    KnownSequence("S4", "Credential theft: several kinds of store by one process", "high", _several_stores),
    KnownSequence("S5", "Infostealer: stores accessed and data possibly sent out", "critical", _theft_and_transfer),
    KnownSequence("S6", "Infostealer: intrusion, then credential-store access", "critical", _intrusion_and_theft),
    KnownSequence("S7", "Probable infostealer: theft cannot be excluded", "high", _unaudited_theft),
)


# ── how the functions above search ────────────────────────────────────────────────────────────────────────────────

_NEVER = _Network(datetime.max.replace(tzinfo=UTC), -1, None, "")


T = TypeVar("T", Mark, _Network)


def _time(timed: Mark | _Network | _Trigger) -> datetime:
    return timed.time


def _in_order(use: _Network) -> tuple[datetime, bool, str]:
    """Earliest first; an alert before the bare connection of the same moment."""
    return use.time, use.mark is None, use.where


def _medium(mark: Mark) -> bool:
    return level_rank(mark.level) >= level_rank("medium")


def _sure(mark: Mark) -> bool:
    return _medium(mark) and mark.fidelity >= HEURISTIC


def _first_after(timed: Sequence[T], time: datetime) -> T | None:
    """The first of a sequence in time order that is not before the time."""
    at = bisect_left(timed, time, key=_time)
    return timed[at] if at < len(timed) else None


def _each_store(reads: Sequence[Mark], since: datetime, until: datetime) -> list[Mark]:
    """The first access to each sub-family in a span of time."""
    by_store: dict[str, Mark] = {}
    for mark in reads[bisect_left(reads, since, key=_time):]:
        if mark.time > until:
            break
        by_store.setdefault(mark.store, mark)
    return sorted(by_store.values(), key=lambda m: (m.time, m.alert_ids))


def _two_stores(starts: Sequence[Mark], reads: Sequence[Mark], window: timedelta) -> tuple[Mark, ...]:
    """The earliest start with accesses to two sub-families in the window after it; () if there is none.

    A start that is an access itself is one of the two.
    """
    by_store: defaultdict[str, list[Mark]] = defaultdict(list)
    for mark in reads:
        by_store[mark.store].append(mark)
    for first in starts:
        since, until = first.time - SLACK, first.time + window
        near = [m for marks in by_store.values() if (m := _first_after(marks, since)) and m.time <= until]
        if len(near) >= 2:
            chosen = sorted(near, key=lambda m: (m.time, m.alert_ids))
            return tuple(chosen) if first.letter == "C" else (first, *chosen)
    return ()


def _stores(marks: Iterable[Mark]) -> str:
    """The sub-families in words."""
    return f"stores of kind {', '.join(sorted({mark.store for mark in marks}))}"
