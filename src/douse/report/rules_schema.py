"""What `douse rules --format json` writes, row by row.

The types are the reference (docs/rules.md lists them); a further key breaks no reader. Levels are the words of
model.LEVELS, an evidence class is its letter, a path is as the user named it, a time is RFC 3339 in UTC. rules.py makes
them.
"""

from __future__ import annotations

from typing import TypedDict

RULE, CORRELATION = "rule", "correlation"
"""The kinds of a row."""


class LogSourceRow(TypedDict):
    """The three words of a logsource, empty where the rule leaves one out."""

    product: str
    category: str
    service: str


class RuleRow(TypedDict):
    """One rule of `list`. `stem` is its file's name without suffix; `kind` is rule or correlation; `idle` is why it can
    never fire here, empty when it can."""

    id: str
    title: str
    level: str
    status: str
    techniques: list[str]
    logsource: LogSourceRow
    evidence_class: str
    path: str
    stem: str
    name: str
    store: str
    stage: int
    role: str
    fidelity: float
    tags: list[str]
    builtin: bool
    kind: str
    idle: str


class ReadRow(TypedDict):
    """Records that a rule reads; no event id means all of the channel."""

    channel: str
    event_ids: list[int]
    where: dict[str, list[str]]


class JoinRow(TypedDict):
    """A rule or correlation that a correlation is made of."""

    id: str
    title: str
    level: str
    path: str


class RulePage(RuleRow):
    """Everything about one rule: the answer of `show`. `filters` are the titles of those that narrow it. A correlation
    `joins` rules and `asks` something of those of their matches that are equal in `group_by`."""

    description: str
    misses: str
    falsepositives: list[str]
    references: list[str]
    reads: list[ReadRow]
    filters: list[str]
    joins: list[JoinRow]
    group_by: list[str]
    asks: str
    sigma: str


class TriedRow(TypedDict):
    """One value of a line of the rule, and whether the event has it."""

    pattern: str
    found: bool


class PartRow(TypedDict):
    """A part of a condition and whether it holds. `kind`: all, any, not, selection, item, filter, other."""

    kind: str
    holds: bool
    name: str
    field: str
    value: str | None
    every: bool
    negated: bool
    tried: list[TriedRow]
    parts: list[PartRow]


class EventRow(TypedDict):
    """The event that was explained."""

    channel: str
    event_id: int
    record_id: int
    time: str
    host: str
    source: str


class LossRow(TypedDict):
    """What of a log could not be read; `records` is null where nobody can know how many."""

    source: str
    where: str
    reason: str
    records: int | None
    next_step: str


class SurveyRow(TypedDict):
    """The log that an explained event was chosen from: how many `events` were looked at, how many of them the rule
    reads, on how many it `fires`, the first of their record ids, and what could not be read. Where a single event was
    asked for, `read` and `fires` stay 0."""

    events: int
    read: int
    fires: int
    record_ids: list[int]
    losses: list[LossRow]


class ExplanationRow(TypedDict):
    """What a rule makes of an event. It `fires` when it reads the event and its condition holds."""

    rule: RuleRow
    survey: SurveyRow
    event: EventRow
    fires: bool
    read: bool
    unread: list[str]
    reasons: list[str]
    condition: PartRow | None


class JoinedRow(JoinRow):
    """A rule that a correlation is made of, and how often it matched."""

    matches: int


class GroupRow(TypedDict):
    """One group of a correlation: its values by field, its `matches`, how many `alerts` it gives, and the `value` and
    times of the window that meets the condition or comes nearest."""

    group: dict[str, str]
    matches: int
    alerts: int
    value: float
    first_seen: str
    last_seen: str


class CorrelationRow(TypedDict):
    """What a correlation makes of a log. `groups` has the nearest of all `group_count`; `left_out` is reason -> matches
    that could not be used."""

    rule: RuleRow
    survey: SurveyRow
    asks: str
    group_by: list[str]
    fires: bool
    joined: list[JoinedRow]
    groups: list[GroupRow]
    group_count: int
    left_out: dict[str, int]


class CaseRow(TypedDict):
    """One event of a proof."""

    name: str
    where: str
    must_fire: bool
    fired: bool
    passed: bool


class ProofRow(TypedDict):
    """The proof of one rule file."""

    rule: str
    title: str
    cases: str
    passed: bool
    problem: str
    results: list[CaseRow]


class ProofsRow(TypedDict):
    """The answer of `test`."""

    passed: bool
    proofs: list[ProofRow]
    unproven: list[str]


class ErrorRow(TypedDict):
    """What is wrong with a rule: where it stands, what, and what to do next."""

    file: str
    line: int
    what: str
    next_step: str


class FindingRow(ErrorRow):
    """What a lint noticed."""

    name: str
    severity: str
    id: str
    title: str


class ReasonRow(TypedDict):
    """A file that is skipped, and why."""

    file: str
    reason: str


class UnreadRow(TypedDict):
    """A loaded rule of which the logs hold no record, and what it reads."""

    id: str
    title: str
    path: str
    reads: str


class CheckSummaryRow(TypedDict):
    """loaded + filters + idle + rejected + skipped = documents; every one of `files` has at least one. `findings` is
    severity -> how many, `lints` is name of a lint -> how many."""

    files: int
    other_files: int
    documents: int
    loaded: int
    filters: int
    idle: int
    rejected: int
    skipped: int
    findings: dict[str, int]
    lints: dict[str, int]
    unread: int | None


class LogsRow(TypedDict):
    """How much was read of the logs that rules were compared with."""

    records: int
    records_lost: int
    losses: list[LossRow]


class CheckRow(TypedDict):
    """The answer of `check`. `unread` and `logs` are null without --logs."""

    summary: CheckSummaryRow
    loaded: list[RuleRow]
    idle: list[RuleRow]
    rejected: list[ErrorRow]
    skipped: list[ReasonRow]
    findings: list[FindingRow]
    unread: list[UnreadRow] | None
    logs: LogsRow | None
