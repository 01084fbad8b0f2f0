"""The rows of a result as other programs read them: plain dicts, each with its `kind`. Schema douse.hunt/1.

These types are the reference: document.py fills them, and json, jsonl, html and the terminal show nothing else, so a
saved document can be rendered again without its evidence. A change that breaks a reader of these rows needs a new
number in SCHEMA; a further key does not. Times are RFC 3339 in UTC with `Z`, levels the words of model.LEVELS.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict

SCHEMA = "douse.hunt/1"

Row = Mapping[str, Any]
"""Any row of below, where only its being a dict of plain values matters."""


class MatchRow(TypedDict):
    """Why a rule fired: the selection, the field, the event's value and the rule's pattern."""

    selection: str
    field: str
    value: str
    pattern: str


class AlertRow(TypedDict):
    """One rule matched one record. `source` is `file` or `file!member`, as one text to read or search."""

    kind: Literal["alert"]
    alert_id: str
    rule_id: str
    title: str
    level: str
    time: str
    host: str
    channel: str
    provider: str
    event_id: int
    record_id: int
    source: str
    file: str
    member: str
    format: str
    techniques: list[str]
    evidence_class: str
    store: str
    fidelity: float
    stage: int
    role: str
    matched: list[MatchRow]
    fields: dict[str, str]


class ChannelRow(TypedDict):
    """How many records of one event id a channel gave, from when to when (null where undated)."""

    channel: str
    event_id: int
    records: int
    first_seen: str | None
    last_seen: str | None


class TelemetryRow(TypedDict):
    """The telemetry of one host, as an incident carries it."""

    host: str
    channels: list[ChannelRow]


class BlindSpotRow(TypedDict):
    """Telemetry that was missing, what could not be judged without it, and the setting that provides it."""

    requirement: str
    title: str
    events: str
    classes: list[str]
    cannot_judge: str
    enable: str
    verified: bool


class AssetRow(TypedDict):
    """What an inventory (--assets) says of a computer. `marked` are the words that mark it as OT or engineering, empty
    without any; `where` is the inventory's `file:line`."""

    name: str
    role: str
    owner: str
    criticality: str
    marked: str
    where: str


class CoverageRow(TypedDict):
    """The telemetry of one host and its blind spots; `asset` is null where no inventory has the host."""

    kind: Literal["coverage"]
    host: str
    asset: AssetRow | None
    channels: list[ChannelRow]
    blind_spots: list[BlindSpotRow]


class StepRow(TypedDict):
    """One thing that happened. `alerts` are the ids of its proof."""

    time: str
    evidence_class: str
    stage: int
    title: str
    detail: str
    process: str
    level: str
    techniques: list[str]
    alerts: list[str]
    evidence: str


class StageRow(TypedDict):
    """One of the three stages and what was seen of it."""

    stage: int
    name: str
    techniques: list[str]
    first_seen: str
    last_seen: str
    alerts: list[str]


class ClassRow(TypedDict):
    """The points that one class of evidence gave."""

    evidence_class: str
    points: float
    reason: str
    alerts: list[str]


class SequenceRow(TypedDict):
    """A named order of events that was found and the level it gives."""

    sequence_id: str
    title: str
    level: str
    bonus: int
    first_seen: str
    last_seen: str
    reason: str
    alerts: list[str]


class ProcessRow(TypedDict):
    """One process; `parent` is the position of another in the same list, null at a root."""

    pid: int
    guid: str
    image: str
    command_line: str
    user: str
    started: str | None
    parent: int | None
    link: str
    alerts: list[str]


class TacticRow(TypedDict):
    """One of ATT&CK's tactics and what was seen of it."""

    tactic_id: str
    name: str
    techniques: list[str]
    first_seen: str
    last_seen: str
    alerts: list[str]


class StoreRow(TypedDict):
    """One credential store of one user. `state` is observed (a stranger accessed it), presumed (it exists, its reads
    are not logged, and the incident is a theft), unknown (it exists, its reads are not logged) or untouched. `holds` is
    what an access gives away, `unseen` what lies there too and whose access no record shows."""

    store: str
    family: str
    product: str
    state: str
    user: str
    holds: list[str]
    unseen: list[str]
    process: str
    first_seen: str | None
    last_seen: str | None
    alerts: list[str]
    evidence: str
    verified: bool


class RotationRow(TypedDict):
    """Something to change, in the order of doing. `basis` is a store's state, or named where a record names the
    entries."""

    what: str
    text: str
    products: list[str]
    users: list[str]
    basis: str
    entries: list[str]
    alerts: list[str]


class FamilyEvidenceRow(TypedDict):
    """One thing that speaks for or against a family."""

    family: str
    kind: str
    text: str
    alerts: list[str]
    verified: bool


class AttributionRow(TypedDict):
    """Which infostealer it was: `confidence` is empty, low, medium, high or confirmed."""

    family: str
    confidence: str
    loader: str
    loader_confidence: str
    consistent_with: list[str]
    evidence: list[FamilyEvidenceRow]
    contradictions: list[FamilyEvidenceRow]


class IndicatorRow(TypedDict):
    """Something to search for elsewhere or to block. `type` is domain-name, url, ipv4-addr, ipv6-addr, file (a hash),
    file-path or registry-key; `defanged` is for people, `value` for machines."""

    type: str
    value: str
    defanged: str
    role: str
    block: bool
    reason: str
    first_seen: str
    last_seen: str
    process: str
    alerts: list[str]


class PlanRow(TypedDict):
    """One thing to do; `phase` is contain, eradicate, recover or prevent, `steps` are numbers of steps, from 1."""

    step_id: str
    phase: str
    text: str
    steps: list[int]
    controls: list[str]
    lessons: list[str]


class ControlRow(TypedDict):
    """A control that would have broken the chain at a step (number from 1): `effect` is stops, limits or shows."""

    control_id: str
    title: str
    takeaway: str
    effect: str
    step: int
    why: str
    techniques: list[str]
    verified: bool


class LessonRow(TypedDict):
    """A lesson and whom to give it; `steps` are numbers from 1."""

    lesson_id: str
    title: str
    takeaway: str
    users: list[str]
    why: str
    steps: list[int]


class IncidentRow(TypedDict):
    """What happened on one host, as far as the telemetry could show it. `alerts` are ids in time order. `impact` has
    ids of techniques that are outcomes; no log shows them, and `impact_reason` says why they are named."""

    kind: Literal["incident"]
    incident_id: str
    level: str
    title: str
    verdict: str
    host: str
    asset: AssetRow | None
    users: list[str]
    first_seen: str
    last_seen: str
    family: str
    family_detail: str
    score: float
    level_reason: str
    impact: list[str]
    impact_reason: str
    stages: list[StageRow]
    tactics: list[TacticRow]
    stores: list[StoreRow]
    rotation: list[RotationRow]
    attribution: AttributionRow | None
    indicators: list[IndicatorRow]
    plan: list[PlanRow]
    controls: list[ControlRow]
    lessons: list[LessonRow]
    steps: list[StepRow]
    sequences: list[SequenceRow]
    classes: list[ClassRow]
    processes: list[ProcessRow]
    next_steps: list[str]
    blind_spots: list[BlindSpotRow]
    coverage: TelemetryRow
    alerts: list[str]
    supersedes: list[str]


class SuppressedRow(TypedDict):
    """An alert that an entry of --allow took out: in no incident and in no other count. `allowed_by` is the entry's
    `file:line`. --level does not shorten this list."""

    kind: Literal["suppressed"]
    allowed_by: str
    reason: str
    expires: str
    alert: AlertRow


class AllowanceRow(TypedDict):
    """An entry of --allow, as written, and what became of it.

    `state` is used, unused, expired or no rule. `alerts` counts those that fit it; an expired entry did not suppress
    them. `rule_id` is empty where the run has no such rule, and `about` says why. `remarks` are what a reviewer should
    know of the entry.
    """

    kind: Literal["allowance"]
    where: str
    state: str
    alerts: int
    rule: str
    rule_id: str
    host: str
    process: str
    user: str
    command: str
    reason: str
    expires: str
    about: str
    remarks: list[str]


class ErrorRow(TypedDict):
    """Something the run could not use; `error` is loss, rule, ioc or input, `records` null where nobody can know."""

    kind: Literal["error"]
    error: str
    where: str
    what: str
    records: int | None
    next_step: str


class SummaryRow(TypedDict):
    """The totals of the run. `highest_level` is that of any finding, also of those left out; empty without one."""

    kind: Literal["summary"]
    files: int
    ignored_files: int
    records_read: int
    records_skipped: int
    records_lost: int
    alerts: int
    alerts_by_level: dict[str, int]
    alerts_suppressed: int
    incidents: int
    partial: bool
    interrupted: bool
    highest_level: str
    rules_loaded: int
    rules_rejected: int
    rules_idle: int
    rules_skipped: int
    first_event: str | None
    last_event: str | None
    elapsed_seconds: float


class InputRow(TypedDict):
    """One file that was read; `sha256` is empty where it was not hashed."""

    path: str
    size: int
    sha256: str


class ProvenanceRow(TypedDict):
    """What makes the result repeatable. `attack_version` is the ATT&CK whose ids and names are used; `lists` are the
    files of --allow and --assets."""

    version: str
    rules_hash: str
    attack_version: str
    command_line: str
    started: str
    finished: str
    inputs: list[InputRow]
    lists: list[InputRow]


class HostRow(TypedDict):
    """One host of the fleet, worst first. `state` is incident, weak signs, no finding or no usable telemetry; a host
    of the inventory that no record came from is listed with 0 records. `level` is empty without a finding, `missing`
    what it could not show."""

    kind: Literal["host"]
    host: str
    state: str
    level: str
    incidents: list[str]
    alerts_by_level: dict[str, int]
    records: int
    first_event: str | None
    last_event: str | None
    missing: list[str]
    asset: AssetRow | None


class Document(TypedDict):
    """One hunt, whole. `alerts` and `suppressed` may be made row by row while they are read."""

    kind: Literal["hunt"]
    schema: str
    summary: SummaryRow
    hosts: list[HostRow]
    incidents: list[IncidentRow]
    alerts: Sequence[AlertRow]
    suppressed: Sequence[SuppressedRow]
    allowances: list[AllowanceRow]
    coverage: list[CoverageRow]
    errors: list[ErrorRow]
    notes: list[str]
    provenance: ProvenanceRow
