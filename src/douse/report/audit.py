"""An audit becomes plain rows, as audit_schema.py describes them: what every format of `douse harden audit` is made of.

Evidence may hold a secret somebody wrote into a command line or a description, so the texts are masked here, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from douse import __version__
from douse.content.attack import attack_version
from douse.content.controls import Control
from douse.content.mission import mission
from douse.harden.finding import ANSWERS, STATES, AuditResult, Check, Cited, Finding, Lint, MshtaAnswer, SubjectResult
from douse.harden.gathered import Problem
from douse.harden.seen import Source
from douse.report.audit_schema import (
    SCHEMA,
    AuditDocument,
    CheckRow,
    CitedRow,
    ControlSummaryRow,
    FindingRow,
    LintRow,
    MissionRow,
    MshtaRow,
    ProblemRow,
    SourceRow,
    SubjectRow,
    SummaryRow,
)
from douse.report.controls_words import where
from douse.report.moments import rfc3339
from douse.report.redact import redacted

_LACKING = ("fail", "partial", "conflict")


def audit_document(result: AuditResult) -> AuditDocument:
    """The whole audit as rows, without the secrets in its texts."""
    rows: AuditDocument = {
        "schema": SCHEMA,
        "profile": result.profile,
        "summary": _summary(result),
        "mission": _mission(result),
        "controls": [_control(one, result) for one in result.controls],
        "subjects": [_subject(one) for one in result.subjects],
        "problems": list(map(_problem, result.problems)),
        "notes": list(map(_problem, result.notes)),
        "files_ignored": result.ignored,
        "files": [_source(one) for one in result.files],
        "provenance": {
            "version": __version__, "attack_version": attack_version(), "command_line": result.command_line,
            "started": rfc3339(result.started), "finished": rfc3339(result.finished), "ran_on_windows": False},
    }
    return redacted(rows)


def counted(findings: Iterable[Finding]) -> dict[str, int]:
    """How many findings are in each state, all states in their order."""
    found = Counter(finding.state for finding in findings)
    return {state: found[state] for state in STATES}


def _summary(result: AuditResult) -> SummaryRow:
    answers = Counter(host.mshta.answer for host in result.hosts if host.mshta)
    return {
        "hosts": len(result.hosts),
        "hosts_unseen": sum(not host.seen for host in result.hosts),
        "answers": {answer: answers[answer] for answer in ANSWERS if answers[answer]},
        "counts": counted(finding for one in result.subjects if one.kind != "policy" for finding in one.findings),
        "files": len(result.files),
        "partial": bool(result.problems),
    }


def _mission(result: AuditResult) -> list[MissionRow]:
    """The sentences that a control of this audit serves; a policy file's findings are no state of the organisation."""
    rows: list[MissionRow] = []
    for sentence in mission():
        serving = {one.id for one in result.controls if sentence.id in one.mission}
        if serving:
            found = (finding for one in result.subjects if one.kind != "policy" for finding in one.findings
                     if finding.control.id in serving)
            rows.append({"id": sentence.id, "list": sentence.list, "text": sentence.text,
                         "controls": sorted(serving), "counts": counted(found)})
    return rows


def _control(control: Control, result: AuditResult) -> ControlSummaryRow:
    states = [(one.name, finding.state) for one in result.subjects if one.kind != "policy" for finding in one.findings
              if finding.control.id == control.id]
    counts = Counter(state for _, state in states)
    return {
        "id": control.id,
        "slug": control.slug,
        "title": control.title,
        "takeaway": control.takeaway,
        "severity": control.severity,
        "cost": control.cost,
        "misses": control.misses,
        "undo": control.undo,
        "needs": list(control.needs),
        "preflight": control.preflight,
        "techniques": list(control.techniques),
        "nist_800_53r5": list(control.frameworks.nist),
        "cis_v8": list(control.frameworks.cis),
        "verified": control.verified,
        "unverified": control.unverified,
        "counts": {state: counts[state] for state in STATES},
        "missing_on": [name for name, state in states if state in _LACKING],
        "unknown_on": [name for name, state in states if state == "unknown"],
    }


def _subject(one: SubjectResult) -> SubjectRow:
    return {
        "kind": one.kind,
        "name": one.name,
        "system": one.system,
        "role": one.asset.role if one.asset else "",
        "owner": one.asset.owner if one.asset else "",
        "criticality": one.asset.criticality if one.asset else "",
        "seen": one.seen,
        "mshta": _mshta(one.mshta) if one.mshta else None,
        "counts": counted(one.findings),
        "findings": [_finding(finding) for finding in one.findings],
        "lints": [_lint(lint) for lint in one.lints],
        "notes": list(one.notes),
        "sources": [_source(source) for source in one.sources],
    }


def _mshta(one: MshtaAnswer) -> MshtaRow:
    return {"answer": one.answer, "sentence": one.sentence, "groups": list(one.groups), "egress": one.egress,
            "cited": [_cited(cited) for cited in one.cited]}


def _finding(one: Finding) -> FindingRow:
    return {"control": one.control.id, "state": one.state, "why": one.why, "notes": list(one.notes),
            "checks": [_check(check) for check in one.checks]}


def _check(one: Check) -> CheckRow:
    return {"setting": one.setting.id, "where": where(one.setting), "state": one.state, "expected": one.expected,
            "actual": one.actual, "why": one.why, "profile": one.profile, "verified": one.setting.verified,
            "cited": [_cited(cited) for cited in one.cited]}


def _lint(one: Lint) -> LintRow:
    return {"code": one.code, "severity": one.severity, "what": one.what, "next_step": one.next_step,
            "cited": _cited(one.cited)}


def _problem(one: Problem) -> ProblemRow:
    return {"where": one.where, "what": one.what, "next_step": one.next_step}


def _cited(one: Cited) -> CitedRow:
    return {"kind": one.kind, "file": one.file, "sha256": one.sha256, "where": one.where, "value": one.value}


def _source(one: Source) -> SourceRow:
    return {"kind": one.kind, "file": one.file, "sha256": one.sha256, "taken": rfc3339(one.taken)}
