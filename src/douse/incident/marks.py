"""A Mark is one piece of scored evidence: an alert with a class, or an outbound connection (class O), with its process.

Alerts are placed in the process table once, here; linking, sequences, score and story work on what comes out. A weakly
linked piece counts half (`weight_factor`). The subject of an injection alert is the process injected into, because that
is where the story goes on; the source is linked to it in link.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from douse.incident.entities import (
    Actor,
    Destination,
    Get,
    actor_of,
    destination_of,
    getter,
    hive_owner,
    is_start,
    target_of,
)
from douse.incident.facts import HostFacts
from douse.incident.people import People
from douse.incident.processes import ProcessTable
from douse.model import EVIDENCE_CLASSES, Alert

UPLOAD_FROM = 4_096
"""Bytes sent from which a transfer may be stolen data: a proposal, not fitted. A bare request has some 500."""

WEAK_FACTOR = 0.5
"""What a weak edge leaves of the fidelity (threat model 3.2: "halve weight")."""


@dataclass(slots=True, eq=False)
class PlacedAlert:
    """An alert and its place: who acted (`process`), whom it is about (`subject`), whose account (`user`)."""

    alert: Alert
    get: Get
    actor: Actor
    process: int | None
    subject: int | None
    user: str = ""

    @property
    def scores(self) -> bool:
        """Whether the alert can form and score an incident."""
        return self.alert.evidence_class in EVIDENCE_CLASSES

    @property
    def is_start(self) -> bool:
        """Whether the alert is about the start of its process."""
        return is_start(self.alert.channel, self.alert.event_id)

    @property
    def destination(self) -> Destination | None:
        """Where the alert's own record connected to, None if it is no network record."""
        return destination_of(self.alert.channel, self.alert.event_id, self.get)


@dataclass(frozen=True, slots=True)
class Outbound:
    """A connection that may have carried stolen data, and why we think so. The record is the proof."""

    time: datetime
    process: int
    address: str
    hostname: str
    port: int
    channel: str
    record_id: int
    reason: str
    after_read: bool
    sent: int | None = None
    received: int | None = None
    partly: bool = False
    """Whether sensors did not see all of the process's connections to there, so that more may have been sent."""
    seen: str = ""
    """What sensors saw of it, in words, and their records; empty where none did. Bytes are counted only where it is
    certain that they saw the same connection."""

    @property
    def is_upload(self) -> bool:
        """Whether a sensor counted more bytes out than in, and enough to be data."""
        return self.sent is not None and self.sent >= UPLOAD_FROM and self.sent > (self.received or 0)

    @property
    def amount(self) -> str:
        """How much was sent, as far as it is known."""
        return "bytes unknown" if self.sent is None else f"{'at least ' * self.partly}{self.sent:,} bytes sent"

    @property
    def destination(self) -> str:
        """`host (address:port)`, or `address:port` where the log has no name."""
        shown = f"[{self.address}]" if ":" in self.address else self.address
        return f"{self.hostname} ({shown}:{self.port})" if self.hostname else f"{shown}:{self.port}"

    @property
    def evidence(self) -> str:
        """The record that shows the connection."""
        seen = f" ({self.seen})" if self.seen else ""
        return f"{self.channel} record {self.record_id}: {self.destination}{seen}"


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """One piece of evidence of an incident; exactly one of `placed` and `outbound` is there."""

    time: datetime
    letter: str
    fidelity: float
    weak: bool
    process: int | None
    placed: PlacedAlert | None = None
    outbound: Outbound | None = None

    @property
    def alert(self) -> Alert | None:
        """The alert behind the mark."""
        return self.placed.alert if self.placed else None

    @property
    def alert_ids(self) -> tuple[str, ...]:
        """The mark's proof as alert ids; empty for an outbound connection."""
        return (self.placed.alert.alert_id,) if self.placed else ()

    @property
    def role(self) -> str:
        """The role that the rule gives its alerts."""
        return self.placed.alert.role if self.placed else ""

    @property
    def is_static(self) -> bool:
        """Whether it says what a file could do, and nothing of what happened (rule role "static")."""
        return self.role == "static"

    @property
    def store(self) -> str:
        """The sub-family of a credential-store access."""
        return self.placed.alert.store if self.placed else ""

    @property
    def level(self) -> str:
        """The alert's level; a connection alone is informational."""
        return self.placed.alert.level if self.placed else "informational"


def in_time_order(alerts: Iterable[Alert]) -> list[Alert]:
    """Alerts without copies (one record read from two files), earliest first."""
    once: dict[str, Alert] = {}
    for alert in sorted(alerts, key=lambda a: (a.alert_id, str(a.source), a.source.format)):
        once.setdefault(alert.alert_id, alert)
    return sorted(once.values(), key=lambda a: (a.time, a.alert_id))


def place_alerts(alerts: Sequence[Alert], table: ProcessTable) -> list[PlacedAlert]:
    """Every alert with its processes; entries for processes whose start was not logged are made on the way."""
    placed = []
    for alert in alerts:
        get = getter(alert.fields)
        actor = actor_of(alert.channel, alert.event_id, get)
        target = target_of(alert.channel, alert.event_id, get)
        process = table.place(actor, alert.time)
        touched = table.place(target, alert.time) if target else None
        injected = touched is not None and alert.evidence_class == "I"
        placed.append(PlacedAlert(alert, get, actor, process, touched if injected else process))
    return placed


def meet_people(placed: Sequence[PlacedAlert], facts: HostFacts, table: ProcessTable) -> People:
    """Learn the accounts of the host, and write each alert's user into it."""
    pairs = [(start.user_sid, start.user_name) for start in facts.starts]
    pairs += [(item.actor.user_sid, item.actor.user_name) for item in placed]
    pairs += [(process.user_sid, process.user_name) for process in table.processes]
    typed = [item for item in placed if item.alert.role == "run-dialog" and item.process is not None]
    pairs += [(hive_owner(item.get), table[item.process or 0].user_name) for item in typed]
    people = People(pairs)
    for item in placed:
        item.user = _user(item, table, people)
    return people


def _user(item: PlacedAlert, table: ProcessTable, people: People) -> str:
    """The account: of the typed command's hive, else of the actor, else of its process, else of the touched hive."""
    owner = people.key(hive_owner(item.get), "")
    acting = people.key(item.actor.user_sid, item.actor.user_name)
    process = table[item.process] if item.process is not None else None
    running = people.key(process.user_sid, process.user_name) if process else ""
    return (owner if item.alert.role == "run-dialog" else "") or acting or running or owner


def mark_of(item: PlacedAlert, weak: bool = False) -> Mark:
    """The mark of a scoring alert."""
    fidelity = item.alert.fidelity * (WEAK_FACTOR if weak else 1.0)
    return Mark(item.alert.time, item.alert.evidence_class, fidelity, weak, item.subject, placed=item)
