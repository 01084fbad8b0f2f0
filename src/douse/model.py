"""The nouns every room shares: what a reader yields, what a rule makes of it, what an incident says.

    Source ── Event ──(Rule)── Alert ──(correlate)── Incident          Loss, Coverage: what we could not see

All are frozen and slotted, except Event: it is made once per record of evidence, so it decodes its fields only when
somebody asks. Times are timezone-aware UTC datetimes from System/TimeCreated. Nothing here reads, matches or renders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

LEVELS = ("informational", "low", "medium", "high", "critical")
"""Sigma's levels, weakest first. An alert, a sequence and an incident all use these words."""

EVIDENCE_CLASSES: Mapping[str, str] = {
    "D": "Delivery",
    "X": "Execution",
    "E": "Evasion",
    "I": "Injection",
    "C": "Credential-store access",
    "R": "Resolver or C2",
    "O": "Outbound transfer",
    "P": "Persistence or clean-up",
    "V": "Vendor or static verdict",
}
"""What an alert contributes to an incident: one letter for each kind of evidence, in the order of an intrusion."""

Value = str | int | float | bool | list[str] | None
"""A field of an event: as the log has it. A missing field is absent; None is a field that is there and null."""

Interest = tuple[str, int | None]
"""(channel in lower case, event id): records somebody wants. Id None is the whole channel; channel "*" is all."""


def level_rank(level: str) -> int:
    """Position of a level in LEVELS; raises ValueError on a word that is no level."""
    return LEVELS.index(level)


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record came from: the file as the user named it, the member inside an archive, the reader's name."""

    path: str
    member: str = ""
    format: str = ""

    def __str__(self) -> str:
        return f"{self.path}!{self.member}" if self.member else self.path


class Event:
    """One log record: where and when, and its fields under Sigma's names, decoded on the first request.

    A field lookup is exact first, then without case, because rules and logs differ in it. Names of the System part
    are `EventID`, `Channel`, `Computer`, `Provider_Name`, `Execution_ProcessID`, `Security_UserID`, ...; EventData
    and UserData names lose their blanks. Data wins over System on the same name, except EventID and Provider_Name.
    A reader that can decode the data alone derives from this class (telemetry/record.py).
    """

    __slots__ = ("_decode", "_fields", "_folded", "channel", "event_id", "host", "provider", "record_id", "source",
                 "time")

    def __init__(self, *, channel: str, event_id: int, time: datetime, host: str, provider: str, record_id: int,
                 source: Source, decode: Callable[[], dict[str, Value]]) -> None:
        self.channel, self.event_id, self.time, self.host = channel, event_id, time, host
        self.provider, self.record_id, self.source = provider, record_id, source
        self._decode = decode
        self._fields: dict[str, Value] | None = None
        self._folded: dict[str, str] | None = None

    @property
    def fields(self) -> dict[str, Value]:
        """All fields of the record; the same dict on every call, not to be changed."""
        if self._fields is None:
            self._fields = self._decode()
        return self._fields

    @property
    def data(self) -> dict[str, Value] | None:
        """The fields of `fields` but those that `may_be_elsewhere`, where the reader has them cheaper than all."""
        return None

    @property
    def text_as_read(self) -> str:
        """The record's JSON text, in which each text of a field stands escaped as JSON asks and no more (hexadecimal
        digits in either case); else empty."""
        return ""

    def name_of(self, name: str) -> str | None:
        """The record's own spelling of a field name, or None where it has no such field."""
        fields = self.fields
        if name in fields:
            return name
        if self._folded is None:
            self._folded = {key.lower(): key for key in fields}
        return self._folded.get(name.lower())

    def has(self, name: str) -> bool:
        """Whether the record has the field, even if it is empty or null."""
        return self.name_of(name) is not None

    def get(self, name: str) -> Value:
        """The field's value, None where it is missing or null (see `has`)."""
        spelled = self.name_of(name)
        return None if spelled is None else self.fields[spelled]

    def text(self, name: str) -> str:
        """The field as text, empty where it is missing or null."""
        value = self.get(name)
        return value if value.__class__ is str else "" if value is None else str(value)

    def __repr__(self) -> str:
        return f"Event({self.channel}/{self.event_id} #{self.record_id} {self.time:%Y-%m-%dT%H:%M:%SZ} {self.host})"


_BESIDE_THE_DATA = frozenset({
    "provider", "eventid", "version", "level", "task", "opcode", "keywords", "timecreated", "eventrecordid",
    "correlation", "execution", "channel", "computer", "security", "imphash", "md5", "sha1", "sha256"})


def may_be_elsewhere(name: str) -> bool:
    """Whether a field's name (any case) may stand for something outside a record's data: an element or attribute of
    its System part (Windows' event schema), or one of the hashes that are read out of Sysmon's `Hashes`."""
    return name.lower().partition("_")[0] in _BESIDE_THE_DATA


@dataclass(frozen=True, slots=True)
class LogSource:
    """A Sigma rule's logsource: the three words that choose the records it reads."""

    product: str = ""
    category: str = ""
    service: str = ""

    def __str__(self) -> str:
        return "/".join(part for part in (self.product, self.category, self.service) if part) or "any"


@dataclass(frozen=True, slots=True)
class Rule:
    """What a Sigma rule says about itself. How it matches is detection's own affair.

    `name` is how correlations and filters may call it. The six before `builtin` are read from `douse.*` tags
    (content/sigma/README.md); for a foreign rule the class comes from its ATT&CK tags and the fidelity is 0.4. An
    empty evidence_class is shown and scores nothing.
    """

    rule_id: str
    title: str
    level: str
    status: str
    logsource: LogSource
    path: str
    description: str = ""
    tags: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    falsepositives: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    evidence_class: str = ""
    store: str = ""
    fidelity: float = 0.4
    stage: int = 0
    role: str = ""
    builtin: bool = False
    name: str = ""


@dataclass(frozen=True, slots=True)
class Match:
    """Why a rule fired: the selection, the field it looked at, the event's value, and the rule's pattern."""

    selection: str
    field: str
    value: str
    pattern: str


@dataclass(frozen=True, slots=True)
class Alert:
    """One rule matched one event. `alert_id` depends on the record and the rule, never on the file's name or format.

    `fields` holds the event's fields as text, each cut to MAX_FIELD characters; it is all that correlation sees of
    the event. Evidence text in it is raw: renderers pass it through text.py.
    """

    MAX_FIELD = 4096

    alert_id: str
    rule_id: str
    title: str
    level: str
    time: datetime
    host: str
    channel: str
    provider: str
    event_id: int
    record_id: int
    source: Source
    techniques: tuple[str, ...]
    evidence_class: str
    store: str
    fidelity: float
    stage: int
    role: str
    matched: Sequence[Match]
    fields: Mapping[str, str] = field(hash=False)


@dataclass(frozen=True, slots=True)
class Loss:
    """Evidence we could not read: how many records (None where nobody can know), where, why, what to do next."""

    source: Source
    where: str
    reason: str
    records: int | None
    next_step: str = ""


@dataclass(frozen=True, slots=True)
class ChannelCount:
    """How many records of one event id a host's channel gave, and from when to when. Times None when undated."""

    channel: str
    event_id: int
    records: int
    first_seen: datetime | None
    last_seen: datetime | None


@dataclass(frozen=True, slots=True)
class Coverage:
    """The telemetry of one host: every (channel, event id) that was present, also those no rule asked for."""

    host: str
    counts: tuple[ChannelCount, ...]

    def records(self, channel: str, event_ids: frozenset[int] | None = None) -> int:
        """Records seen of a channel (any case), of the given ids or of all."""
        wanted = channel.lower()
        return sum(c.records for c in self.counts
                   if c.channel.lower() == wanted and (event_ids is None or c.event_id in event_ids))


@dataclass(frozen=True, slots=True)
class BlindSpot:
    """Telemetry that was missing, what could therefore not be judged, and the Windows setting that provides it.

    `classes` are the evidence classes it would have shown. `verified` says that the vendor's own page was read;
    none of the settings was tried on a machine by us.
    """

    requirement: str
    title: str
    events: str
    classes: tuple[str, ...]
    cannot_judge: str
    enable: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Asset:
    """What an inventory says of a computer, in its owner's words. `marked` are the words by which he marks it as
    operational technology (OT) or engineering, empty where he does not; `where` is the line that says it all."""

    name: str
    role: str
    owner: str
    criticality: str
    marked: str
    where: str


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, in the incident's story. `alert_ids` is its proof; a step inferred from network
    records alone (class O) names the record in `evidence` instead."""

    time: datetime
    evidence_class: str
    stage: int
    title: str
    detail: str
    process: str
    level: str
    techniques: tuple[str, ...]
    alert_ids: tuple[str, ...]
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class Stage:
    """One of the threat model's three stages and what was seen of it, times in UTC."""

    stage: int
    name: str
    techniques: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClassScore:
    """The points one evidence class gives the incident: weight x fidelity of its best alert, and which alert it was."""

    evidence_class: str
    points: float
    reason: str
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceHit:
    """A named order of events that was found (S1, S2, ...), the level it gives and the alerts that prove it."""

    sequence_id: str
    title: str
    level: str
    bonus: int
    first_seen: datetime
    last_seen: datetime
    reason: str
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ProcessNode:
    """One process in an incident's tree. `parent` is the index of another node of the incident, None at a root."""

    pid: int
    guid: str
    image: str
    command_line: str
    user: str
    started: datetime | None
    parent: int | None
    link: str
    alert_ids: tuple[str, ...]


STORE_STATES = ("observed", "presumed", "unknown", "untouched")
"""What is known of a credential store, worst first: a stranger accessed it; it exists, its reads are not logged and
the incident is a theft, so it counts as stolen; it exists and nothing can be said; its reads are logged and none was
seen."""


@dataclass(frozen=True, slots=True)
class StoreImpact:
    """One credential store of one user and what became of it (a word of STORE_STATES).

    `store`, `family` and `product` are as content/stores says; `holds` is what an access gives away, `unseen` what
    lies in the same store and whose access no record shows. `process` is who accessed it. `alert_ids` prove an access;
    `evidence` names the record that shows that the store exists. Times in UTC, None without an access. `verified` is
    false where its path is one that nobody looked up.
    """

    store: str
    family: str
    product: str
    state: str
    user: str
    holds: tuple[str, ...]
    unseen: tuple[str, ...]
    process: str
    first_seen: datetime | None
    last_seen: datetime | None
    alert_ids: tuple[str, ...]
    evidence: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Rotation:
    """Something to change after the theft, in the order of doing: sessions before passwords, a wallet needs a new seed.

    `what` is a word of content/store_table.ROTATE, `basis` one of STORE_STATES or "named" where a record names the very
    entries (Security 5382), which then stand in `entries`.
    """

    what: str
    text: str
    products: tuple[str, ...]
    users: tuple[str, ...]
    basis: str
    entries: tuple[str, ...]
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FamilyEvidence:
    """One thing that speaks for or against a family. `kind` is as in content/families (vendor, protocol, ...)."""

    family: str
    kind: str
    text: str
    alert_ids: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class Attribution:
    """Which infostealer it was, as far as evidence goes; the family is left open unless evidence names it.

    `confidence` is "", low, medium, high or confirmed (threat model, 3.5). `consistent_with` are families that the
    behaviour fits, which names none. A loader brings a payload and is told apart from it.
    """

    family: str
    confidence: str
    loader: str
    loader_confidence: str
    consistent_with: tuple[str, ...]
    evidence: tuple[FamilyEvidence, ...]
    contradictions: tuple[FamilyEvidence, ...]


@dataclass(frozen=True, slots=True)
class Indicator:
    """Something to search for elsewhere or to block, as the evidence names it.

    `type` is STIX's own: domain-name, url, ipv4-addr, ipv6-addr, file (value is a SHA-256, SHA-1 or MD5), file-path,
    registry-key. `role` says what it was in the incident, `block` whether blocking it is advised and `reason` why or
    why not: a public site that stealers use is not to be blocked for everybody. Times in UTC.
    """

    type: str
    value: str
    role: str
    block: bool
    reason: str
    first_seen: datetime
    last_seen: datetime
    process: str
    alert_ids: tuple[str, ...]


PHASES = ("contain", "eradicate", "recover", "prevent")
"""The parts of a plan, in the order of doing."""


@dataclass(frozen=True, slots=True)
class PlanStep:
    """One thing to do. `steps` are numbers of the incident's steps (from 1) that call for it; `controls` and `lessons`
    are ids of the incident's controls and lessons that belong to it."""

    step_id: str
    phase: str
    text: str
    steps: tuple[int, ...]
    controls: tuple[str, ...]
    lessons: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class BreakingControl:
    """A control of hardening that would have broken this chain, or would have shown more of it, and at which step.

    `effect` is "stops", "limits" or "shows"; `step` is the number (from 1) of the earliest step concerned and
    `techniques` are those of the steps. Whether it was in force is not known from logs. `verified` is that of the
    control's own facts.
    """

    control_id: str
    title: str
    takeaway: str
    effect: str
    step: int
    why: str
    techniques: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class AssignedLesson:
    """A lesson, whom to give it and what in the incident asks for it (`steps` are numbers from 1)."""

    lesson_id: str
    title: str
    takeaway: str
    users: tuple[str, ...]
    why: str
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Tactic:
    """One of ATT&CK's tactics and what was seen of it, times in UTC."""

    tactic_id: str
    name: str
    techniques: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened on one host, as far as the telemetry could show it.

    `incident_id` is a UUIDv5 of the host and the earliest alert; when an incident grows backwards it lists the ids it
    `supersedes`. `alert_ids` are in time order. `blind_spots` says what could not be judged. `asset` is what an
    inventory says of the host. `impact` names techniques that are outcomes, not behaviour, and give no points;
    `impact_reason` says why they are named. `stores` is what was taken, worst first, `rotation` what to change
    therefore; `plan` what to do in order, of which `next_steps` are the texts.
    """

    incident_id: str
    host: str
    level: str
    score: float
    title: str
    verdict: str
    users: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    family: str
    family_detail: str
    steps: tuple[Step, ...]
    stages: tuple[Stage, ...]
    sequences: tuple[SequenceHit, ...]
    classes: tuple[ClassScore, ...]
    level_reason: str
    processes: tuple[ProcessNode, ...]
    next_steps: tuple[str, ...]
    blind_spots: tuple[BlindSpot, ...]
    coverage: Coverage
    alert_ids: tuple[str, ...]
    supersedes: tuple[str, ...] = ()
    asset: Asset | None = None
    impact: tuple[str, ...] = ()
    impact_reason: str = ""
    tactics: tuple[Tactic, ...] = ()
    stores: tuple[StoreImpact, ...] = ()
    rotation: tuple[Rotation, ...] = ()
    attribution: Attribution | None = None
    indicators: tuple[Indicator, ...] = ()
    plan: tuple[PlanStep, ...] = ()
    controls: tuple[BreakingControl, ...] = ()
    lessons: tuple[AssignedLesson, ...] = ()
