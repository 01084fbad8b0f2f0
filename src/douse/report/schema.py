"""The rows of a result as other programs read them: plain dicts, each with its `kind`. Schema douse.hunt/1.

These types are the reference: document.py fills them, and json, jsonl, html and the terminal show nothing else, so a
saved document can be rendered again without its evidence. A change that breaks a reader of these rows needs a new
number in SCHEMA; a further key does not. Times are RFC 3339 in UTC with `Z`, levels the words of model.LEVELS.
"""

from __future__ import annotations

from collections.abc import Mapping
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
    """Something the run could not use; `error` is loss, rule or input, `records` null where nobody can know."""

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


class Document(TypedDict):
    """One hunt, whole."""

    kind: Literal["hunt"]
    schema: str
    summary: SummaryRow
    incidents: list[IncidentRow]
    alerts: list[AlertRow]
    suppressed: list[SuppressedRow]
    allowances: list[AllowanceRow]
    coverage: list[CoverageRow]
    errors: list[ErrorRow]
    notes: list[str]
    provenance: ProvenanceRow
