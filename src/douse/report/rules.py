"""Rules, explanations, proofs and accounts as plain rows: what `douse rules --format json` writes and its tables show.

The types are the reference (docs/rules.md lists them); a further key breaks no reader. Levels are the words of
model.LEVELS, an evidence class is its letter, a path is as the user named it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC
from pathlib import Path
from typing import TypedDict

from douse.detection.account import Account
from douse.detection.correlation.document import Correlation
from douse.detection.explain import Explanation, Part, channel_name, reasons
from douse.detection.language.parse import CompiledRule
from douse.detection.lint.lint import Finding
from douse.detection.proof import Proof, Proofs
from douse.detection.ruleset import RuleSet
from douse.errors import RuleError
from douse.model import EVIDENCE_CLASSES, LEVELS, Rule

MISSES = "Misses:"
"""What a description writes before what the rule does not see."""


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


class RulePage(RuleRow):
    """Everything about one rule: the answer of `show`. A correlation `joins` rules and `asks` something of them."""

    description: str
    misses: str
    falsepositives: list[str]
    references: list[str]
    reads: list[ReadRow]
    joins: list[str]
    asks: str
    sigma: str


class TriedRow(TypedDict):
    """One value of a line of the rule, and whether the event has it."""

    pattern: str
    found: bool


class PartRow(TypedDict):
    """A part of a condition and whether it holds. `kind`: all, any, not, selection, item, other."""

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


class ExplanationRow(TypedDict):
    """What a rule makes of an event. It `fires` when it reads the event and its condition holds."""

    rule: RuleRow
    event: EventRow
    fires: bool
    read: bool
    unread: list[str]
    reasons: list[str]
    condition: PartRow | None


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
    """loaded + filters + idle + rejected + skipped = documents; every one of `files` has at least one."""

    files: int
    other_files: int
    documents: int
    loaded: int
    filters: int
    idle: int
    rejected: int
    skipped: int
    findings: dict[str, int]
    unread: int | None


class CheckRow(TypedDict):
    """The answer of `check`. `unread` is null without --logs."""

    summary: CheckSummaryRow
    loaded: list[RuleRow]
    idle: list[RuleRow]
    rejected: list[ErrorRow]
    skipped: list[ReasonRow]
    findings: list[FindingRow]
    unread: list[UnreadRow] | None


def rule_row(rule: Rule, idle: str = "", *, kind: str = RULE) -> RuleRow:
    """What a rule says about itself."""
    source = rule.logsource
    return {
        "id": rule.rule_id, "title": rule.title, "level": rule.level, "status": rule.status,
        "techniques": list(rule.techniques),
        "logsource": {"product": source.product, "category": source.category, "service": source.service},
        "evidence_class": rule.evidence_class, "path": rule.path, "stem": Path(rule.path).stem, "name": rule.name,
        "store": rule.store, "stage": rule.stage, "role": rule.role, "fidelity": rule.fidelity,
        "tags": list(rule.tags), "builtin": rule.builtin, "kind": kind, "idle": idle,
    }


def strongest_first(rows: Iterable[RuleRow]) -> list[RuleRow]:
    """Rules by level, the strongest first, then by title."""
    return sorted(rows, key=lambda row: (-LEVELS.index(row["level"]), row["title"].casefold(), row["id"]))


def evidence_name(letter: str) -> str:
    """An evidence class in words."""
    return EVIDENCE_CLASSES.get(letter, "none: shown, scores nothing")


def rule_rows(ruleset: RuleSet) -> list[RuleRow]:
    """Every rule and correlation of a set, idle ones too, the strongest first."""
    return strongest_first([
        *(rule_row(one.rule) for one in ruleset.rules),
        *(rule_row(one.rule, kind=CORRELATION) for one in ruleset.correlations),
        *(rule_row(one.rule, one.reason) for one in ruleset.idle),
    ])


def rule_page(found: CompiledRule | Correlation, sigma: str) -> RulePage:
    """Everything about a rule; `sigma` is the text of its file."""
    rule = found.rule
    description, _, misses = rule.description.partition(MISSES)
    row = rule_row(rule, kind=CORRELATION) if isinstance(found, Correlation) else rule_row(rule, found.idle)
    return {
        **row, "description": _line(description), "misses": _line(misses),
        "falsepositives": list(rule.falsepositives), "references": list(rule.references),
        "reads": [] if isinstance(found, Correlation) else _reads(found),
        "joins": list(found.members) if isinstance(found, Correlation) else [],
        "asks": found.asks if isinstance(found, Correlation) else "",
        "sigma": sigma,
    }


def _line(text: str) -> str:
    return " ".join(text.split())


def _reads(compiled: CompiledRule) -> list[ReadRow]:
    """The routes, those of one channel and condition together."""
    rows: dict[tuple[str, tuple[tuple[str, frozenset[str]], ...]], list[int]] = {}
    for route in compiled.routes:
        ids = rows.setdefault((route.channel, route.where), [])
        if route.event_id is not None:
            ids.append(route.event_id)
    return [{"channel": channel_name(channel), "event_ids": sorted(set(ids)),
             "where": {field: sorted(values) for field, values in where}} for (channel, where), ids in rows.items()]


def explanation_row(found: Explanation) -> ExplanationRow:
    """An explanation as a row."""
    event = found.event
    return {
        "rule": rule_row(found.rule, found.idle),
        "event": {
            "channel": event.channel, "event_id": event.event_id, "record_id": event.record_id,
            "time": event.time.astimezone(UTC).replace(tzinfo=None).isoformat() + "Z", "host": event.host,
            "source": str(event.source),
        },
        "fires": found.fires, "read": found.read, "unread": list(found.unread),
        "reasons": [] if found.condition is None else list(reasons(found.condition)),
        "condition": None if found.condition is None else _part(found.condition),
    }


def _part(part: Part) -> PartRow:
    return {
        "kind": part.kind, "holds": part.holds, "name": part.name, "field": part.field, "value": part.value,
        "every": part.every, "negated": part.negated,
        "tried": [{"pattern": tried.pattern, "found": tried.found} for tried in part.tried],
        "parts": [_part(one) for one in part.parts],
    }


def proofs_row(proofs: Proofs) -> ProofsRow:
    """All proofs as a row."""
    return {"passed": proofs.passed, "proofs": [_proof(proof) for proof in proofs.proofs],
            "unproven": list(proofs.unproven)}


def _proof(proof: Proof) -> ProofRow:
    return {
        "rule": proof.rule_path, "title": proof.title, "cases": proof.cases_path, "passed": proof.passed,
        "problem": proof.problem,
        "results": [{"name": result.name, "where": result.where, "must_fire": result.must_fire,
                     "fired": result.fired, "passed": result.passed} for result in proof.results],
    }


def check_row(account: Account) -> CheckRow:
    """An account of rule files as a row."""
    severities: Mapping[str, int] = Counter(finding.severity for finding in account.findings)
    unread = account.unread
    return {
        "summary": {
            "files": account.files, "other_files": account.others, "documents": account.documents,
            "loaded": len(account.loaded), "filters": account.filters, "idle": len(account.idle),
            "rejected": len(account.rejected), "skipped": len(account.skipped), "findings": dict(severities),
            "unread": None if unread is None else len(unread),
        },
        "loaded": strongest_first(rule_row(rule) for rule in account.loaded),
        "idle": strongest_first(rule_row(idle.rule, idle.reason) for idle in account.idle),
        "rejected": [error_row(error) for error in account.rejected],
        "skipped": [{"file": skip.path, "reason": skip.reason} for skip in account.skipped],
        "findings": [_finding(finding) for finding in account.findings],
        "unread": None if unread is None else [
            {"id": one.rule.rule_id, "title": one.rule.title, "path": one.rule.path, "reads": one.reads}
            for one in unread],
    }


def error_row(error: RuleError) -> ErrorRow:
    """A rejected rule."""
    file, line = _place(error.where)
    return {"file": file, "line": line, "what": error.what, "next_step": error.next_step}


def _finding(finding: Finding) -> FindingRow:
    file, line = _place(finding.where)
    return {"file": file, "line": line, "what": finding.message, "next_step": finding.next_step,
            "name": finding.name, "severity": finding.severity, "id": finding.rule_id, "title": finding.title}


def _place(where: str) -> tuple[str, int]:
    """`file:line` as its two parts; the line is 0 where none is said."""
    file, _, line = where.rpartition(":")
    return (file, int(line)) if file and line.isdecimal() else (where, 0)
