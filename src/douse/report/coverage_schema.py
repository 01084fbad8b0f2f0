"""The rows of a survey of logs as other programs read them: plain dicts. Schema douse.coverage/1.

`douse coverage PATH --format json` writes one SurveyDocument; without a path an array of TechniqueDocuments
(detection/techniques.py). coverage.py fills them, and table, html and navigator show nothing else. A change that breaks
a reader of these rows needs a new number in SCHEMA; a further key does not. Times are RFC 3339 in UTC with `Z`.
"""

from __future__ import annotations

from typing import Literal, TypedDict

from douse.detection.techniques import TechniqueDocument
from douse.report.schema import ErrorRow

SCHEMA = "douse.coverage/1"


class SettingRow(TypedDict):
    """One way to switch records on. `by` is group policy, auditpol, registry, wevtutil, powershell, sysmon, sensor or
    default; `verified` says that the vendor's page (`source`) was read and fits, not that anybody tried it."""

    by: str
    do: str
    verified: bool
    source: str


class PrerequisiteRow(TypedDict):
    """A kind of record that hosts should log, what is blind without it, and on how many hosts it is in which state.
    `need` is core, useful or optional; `sensor` marks logs of the network."""

    id: str
    title: str
    events: str
    need: str
    rare: bool
    sensor: bool
    classes: list[str]
    without: str
    volume: str
    settings: list[SettingRow]
    present: int
    partial: int
    absent: int


class StandingRow(TypedDict):
    """A prerequisite on one host: present, partial or absent, and why."""

    id: str
    state: str
    records: int
    first_seen: str | None
    last_seen: str | None
    reason: str


class LackRow(TypedDict):
    """Something that is not logged: the prerequisites of which one would be enough."""

    what: str
    any_of: list[str]


class JudgedSequenceRow(TypedDict):
    """Whether a sequence could be judged: yes, partly, no or "not needed". `hunted` is false for one that a hunt does
    not look for yet. `since` and `until` are the time in which all logs that it needs have records."""

    id: str
    title: str
    state: str
    hunted: bool
    reason: str
    lacking: list[LackRow]
    since: str | None
    until: str | None


class JudgedTechniqueRow(TypedDict):
    """Whether a technique could be seen: yes, partly, no; file: only in a file; blind: nowhere. `rules` is how many
    rules see it at all."""

    id: str
    name: str
    stage: int
    state: str
    rules: int
    seen_in: list[str]
    not_in: list[str]


class AdviceRow(TypedDict):
    """What to switch on: one of `any_of`, best the first, lets `sequences` be judged."""

    what: str
    sequences: list[str]
    any_of: list[str]


class EventCountRow(TypedDict):
    """How many records of one event id."""

    event_id: int
    records: int
    first_seen: str | None
    last_seen: str | None


class MissingRow(TypedDict):
    """Record ids `first` to `last` are not there; the records around them are of the times `after` and `before`."""

    first: int
    last: int
    records: int
    after: str
    before: str


class SilenceRow(TypedDict):
    """A span without records. Other channels of the host went on for `active_seconds` of it, in which this one would
    have had `expected` records by its average; `odd` if these are more than chance explains."""

    start: str
    end: str
    active_seconds: float
    expected: float
    odd: bool


class SurveyChannelRow(TypedDict):
    """One channel. `missing` record ids between `first_id` and `last_id`, at least; null where records have no ids.
    `gaps` and `silences` hold the largest of all that `gap_count` and `silence_count` count; where `ids_known` or
    `times_known` is false there were too many to be kept, and none is listed."""

    channel: str
    records: int
    first_seen: str | None
    last_seen: str | None
    events: list[EventCountRow]
    first_id: int | None
    last_id: int | None
    missing: int | None
    ids_known: bool
    gap_count: int
    gaps: list[MissingRow]
    times_known: bool
    silence_count: int
    silences: list[SilenceRow]


class ClearedRow(TypedDict):
    """A log that was cleared (Security 1102, System 104)."""

    time: str
    log: str
    user: str
    channel: str
    event_id: int
    record_id: int


class ClockRow(TypedDict):
    """Sysmon records whose UtcTime is more than 60 s from the time they were logged under. Seconds are logged minus
    UtcTime, the least and the greatest."""

    records: int
    checked: int
    first_seen: str
    last_seen: str
    least_seconds: float
    greatest_seconds: float


class HostRow(TypedDict):
    """One host. `usable` is yes, partly or no: whether a hunt can tell anything of it. `rules` of all rules read some
    record of it. `silences` are spans in which it logged nothing at all."""

    host: str
    usable: str
    records: int
    first_seen: str | None
    last_seen: str | None
    rules: int
    channels: list[SurveyChannelRow]
    silence_count: int
    silences: list[SilenceRow]
    cleared: list[ClearedRow]
    clock: ClockRow | None
    prerequisites: list[StandingRow]
    sequences: list[JudgedSequenceRow]
    techniques: list[JudgedTechniqueRow]
    advice: list[AdviceRow]


class NetworkRow(TypedDict):
    """The logs of network sensors, which belong to no single host."""

    channels: list[SurveyChannelRow]
    prerequisites: list[StandingRow]


class SurveySummaryRow(TypedDict):
    """The totals. `hosts_unusable` is of how many hosts a hunt can tell nothing."""

    files: int
    ignored_files: int
    empty_files: int
    records_read: int
    records_outside: int
    records_lost: int
    hosts: int
    hosts_unusable: int
    rules: int
    partial: bool
    interrupted: bool
    first_event: str | None
    last_event: str | None


class FileRow(TypedDict):
    """One file that was read, and how many records it gave."""

    path: str
    size: int
    records: int


class SurveyOriginRow(TypedDict):
    """What makes the survey repeatable."""

    version: str
    attack_version: str
    rules_hash: str
    command_line: str
    started: str
    finished: str
    gap_seconds: float
    inputs: list[FileRow]


class SurveyDocument(TypedDict):
    """One survey, whole. `surveyed` is false without a path; then `techniques` is all that means something."""

    kind: Literal["coverage"]
    schema: str
    surveyed: bool
    summary: SurveySummaryRow
    hosts: list[HostRow]
    network: NetworkRow
    prerequisites: list[PrerequisiteRow]
    techniques: list[TechniqueDocument]
    errors: list[ErrorRow]
    notes: list[str]
    provenance: SurveyOriginRow
