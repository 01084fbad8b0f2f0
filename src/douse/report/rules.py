"""Rules, explanations, proofs and accounts in, plain rows out: what `douse rules --format json` writes, and what its
tables show. The types are in rules_schema.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from douse.detection.account import Account
from douse.detection.correlation.document import Correlation
from douse.detection.correlation.explain import CorrelationExplanation
from douse.detection.explain import Explanation, Part, channel_name, filters_of, reasons
from douse.detection.language.parse import CompiledRule
from douse.detection.lint.lint import Finding
from douse.detection.proof import Proof, Proofs
from douse.detection.ruleset import RuleSet
from douse.errors import RuleError
from douse.hunt.explain import Explained, Survey
from douse.model import EVIDENCE_CLASSES, LEVELS, LogSource, Loss, Rule
from douse.report.moments import rfc3339
from douse.report.rules_schema import (
    CORRELATION,
    RULE,
    CheckRow,
    CorrelationRow,
    ErrorRow,
    ExplanationRow,
    FindingRow,
    JoinRow,
    LossRow,
    PartRow,
    ProofRow,
    ProofsRow,
    ReadRow,
    RulePage,
    RuleRow,
    SurveyRow,
)

MISSES = "Misses:"
"""What a description writes before what the rule does not see."""


def rule_row(rule: Rule, idle: str = "") -> RuleRow:
    """What a rule says about itself; a correlation is what has no log source, which a rule must have."""
    source = rule.logsource
    return {
        "id": rule.rule_id, "title": rule.title, "level": rule.level, "status": rule.status,
        "techniques": list(rule.techniques),
        "logsource": {"product": source.product, "category": source.category, "service": source.service},
        "evidence_class": rule.evidence_class, "path": rule.path, "stem": Path(rule.path).stem, "name": rule.name,
        "store": rule.store, "stage": rule.stage, "role": rule.role, "fidelity": rule.fidelity,
        "tags": list(rule.tags), "builtin": rule.builtin,
        "kind": RULE if source != LogSource() else CORRELATION, "idle": idle,
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
        *(rule_row(one.rule) for one in ruleset.correlations),
        *(rule_row(one.rule, one.reason) for one in ruleset.idle),
    ])


def rule_page(found: CompiledRule | Correlation, ruleset: RuleSet, sigma: str) -> RulePage:
    """Everything about a rule of a set; `sigma` is the text of its file."""
    rule = found.rule
    description, _, misses = rule.description.partition(MISSES)
    page: RulePage = {
        **rule_row(rule), "description": _line(description), "misses": _line(misses),
        "falsepositives": list(rule.falsepositives), "references": list(rule.references),
        "reads": [], "filters": [], "joins": [], "group_by": [], "asks": "", "sigma": sigma,
    }
    if isinstance(found, Correlation):
        known = {one.rule_id: one for one in _rules_of(ruleset)}
        page["joins"] = [_join(known[member]) for member in found.members]
        page["group_by"], page["asks"] = list(found.group_by), found.asks
    else:
        page["idle"], page["reads"] = found.idle, _reads(found)
        page["filters"] = [one.title for one in filters_of(found, ruleset.filters)]
    return page


def _rules_of(ruleset: RuleSet) -> Iterator[Rule]:
    yield from (one.rule for one in ruleset.rules)
    yield from (one.rule for one in ruleset.idle)
    yield from (one.rule for one in ruleset.correlations)


def _join(rule: Rule) -> JoinRow:
    return {"id": rule.rule_id, "title": rule.title, "level": rule.level, "path": rule.path}


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


def explained_row(found: Explained) -> ExplanationRow | CorrelationRow:
    """What a rule makes of an event, or a correlation of a log, as a row."""
    survey = _survey(found.survey)
    if isinstance(found.explanation, Explanation):
        return _explanation(found.explanation, survey)
    return _correlation(found.explanation, survey)


def _explanation(found: Explanation, survey: SurveyRow) -> ExplanationRow:
    event = found.event
    return {
        "rule": rule_row(found.rule, found.idle),
        "survey": survey,
        "event": {
            "channel": event.channel, "event_id": event.event_id, "record_id": event.record_id,
            "time": rfc3339(event.time), "host": event.host, "source": str(event.source),
        },
        "fires": found.fires, "read": found.read, "unread": list(found.unread),
        "reasons": [] if found.condition is None else list(reasons(found.condition)),
        "condition": None if found.condition is None else _part(found.condition),
    }


def _survey(survey: Survey) -> SurveyRow:
    return {"events": survey.events, "read": survey.read, "fires": survey.fires,
            "record_ids": list(survey.record_ids), "losses": [_loss(loss) for loss in survey.losses]}


def _loss(loss: Loss) -> LossRow:
    return {"source": str(loss.source), "where": loss.where, "reason": loss.reason, "records": loss.records,
            "next_step": loss.next_step}


def _correlation(found: CorrelationExplanation, survey: SurveyRow) -> CorrelationRow:
    names = found.correlation.group_by
    return {
        "rule": rule_row(found.correlation.rule),
        "survey": survey,
        "asks": found.correlation.asks,
        "group_by": list(names),
        "fires": found.fires,
        "joined": [{**_join(one.rule), "matches": one.matches} for one in found.joined],
        "groups": [{"group": dict(zip(names, group.values, strict=True)), "matches": group.matches,
                    "alerts": group.alerts, "value": group.value, "first_seen": rfc3339(group.first_seen),
                    "last_seen": rfc3339(group.last_seen)} for group in found.groups],
        "group_count": found.group_count,
        "left_out": dict(found.left_out),
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
            "lints": dict(Counter(finding.name for finding in account.findings).most_common()),
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
        "logs": None if account.logs is None else {
            "records": account.logs.records, "records_lost": account.logs.records_lost,
            "losses": [_loss(loss) for loss in account.logs.losses]},
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
