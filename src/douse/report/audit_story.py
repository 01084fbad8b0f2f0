"""What an audit's page says in words: the headline, what to change first, what nobody could tell, the next command.

Rows come in (audit_schema.py), sentences go out; nothing is cleaned or drawn here. No sentence calls a host safe: an
audit knows settings, and only those that evidence shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from douse.report.audit_schema import AuditDocument, ControlSummaryRow, FindingRow, SubjectRow
from douse.report.phrases import count, listed

ANSWERS = {
    "unrestricted": "anybody can start it",
    "conflict": "sources disagree",
    "unknown": "nobody can tell",
    "allowed-for-group": "only for a group",
    "denied": "denied for all",
    "dead": "dead: App Control stops what it would run",
}
"""The answers to the mission's question, may mshta.exe run here, in words."""

STATES = {"fail": "fail", "conflict": "conflict", "partial": "partial", "unknown": "unknown", "pass": "pass",
          "not-applicable": "n/a"}
MEANS = {
    "pass": "evidence shows every setting as it should be",
    "partial": "some of it is in place, or only where a local administrator can remove it",
    "fail": "evidence shows that it is not in place",
    "unknown": "no evidence tells; it is not counted as in place",
    "conflict": "two sources disagree; somebody must look",
    "not-applicable": "the computer, its Windows or its programs have no use for it",
}
KINDS = {"host": "Host", "policy": "Policy", "tenant": "Tenant", "organisation": "Organisation"}

_OPEN = ("denied", "dead", "allowed-for-group")
_RANK = {"high": 0, "medium": 1, "low": 2}
NEVER_RUN = ("Nothing here was ever compared with a living Windows: the checks know Windows' documented keys and "
             "formats, and the files that are generated were judged by other parsers, not by Windows.")


def headline(document: AuditDocument) -> str:
    """What the audit comes to, in one line: the mission's own question first."""
    summary = document["summary"]
    if not document["subjects"]:
        return "No evidence of a computer, a policy or a tenant was read"
    if not summary["hosts"]:
        found = summary["counts"]
        return f"{count(len(document['subjects']), 'subject')}: {found['pass']} controls pass, {found['fail']} fail"
    kept = sum(summary["answers"].get(answer, 0) for answer in _OPEN)
    unknown = summary["answers"].get("unknown", 0) + summary["answers"].get("conflict", 0)
    return (f"mshta.exe is restricted on {kept} of {count(summary['hosts'], 'host')}"
            + (f", on {unknown} nobody can tell" if unknown else ""))


def lead(document: AuditDocument) -> str:
    """The sentence below the headline: what was looked at, and how much of it is in place."""
    summary, counts = document["summary"], document["summary"]["counts"]
    whole = [row for row in document["controls"] if _applies(row) and row["counts"]["pass"] == _applies(row)]
    unseen = f"; {count(summary['hosts_unseen'], 'host')} of the inventory gave no evidence" if summary[
        "hosts_unseen"] else ""
    return (f"{len(whole)} of {count(len(document['controls']), 'control')} are in place wherever they apply. Of all "
            f"findings {counts['pass']} pass, {counts['partial']} are partial, {counts['fail']} fail, "
            f"{counts['conflict']} conflict and {counts['unknown']} are unknown{unseen}.")


def _applies(row: ControlSummaryRow) -> int:
    return sum(number for state, number in row["counts"].items() if state != "not-applicable")


def to_change(document: AuditDocument) -> list[ControlSummaryRow]:
    """The controls that are missing somewhere: the most severe first, then those missing in most places."""
    found = [row for row in document["controls"] if row["missing_on"]]
    return sorted(found, key=lambda row: (_RANK[row["severity"]], -len(row["missing_on"]), row["id"]))


def to_collect(document: AuditDocument) -> list[ControlSummaryRow]:
    """The controls of which nobody can tell somewhere, and that are missing nowhere."""
    return [row for row in document["controls"] if row["unknown_on"] and not row["missing_on"]]


def places(names: Sequence[str], most: int = 6) -> str:
    """Where something is, so many names at most."""
    return listed(names, most)


def command(rows: Iterable[ControlSummaryRow]) -> str:
    """What makes the files for these controls, watching first. Ids are ours, so nothing of evidence is in it."""
    chosen = ",".join(row["id"] for row in rows)
    return f"douse harden generate --controls {chosen} --as gpo --mode audit -o bundle"


def preflights(rows: Iterable[ControlSummaryRow]) -> list[str]:
    """The programs that must be proven dispensable before some of these are enforced."""
    return sorted({row["preflight"] for row in rows if row["preflight"]})


def worst_first(findings: Iterable[FindingRow]) -> list[FindingRow]:
    """The findings of a subject by the urgency of their state, then by control; those that do not apply are last."""
    order = list(STATES)
    return sorted(findings, key=lambda row: (order.index(row["state"]), row["control"]))


def shown(subject: SubjectRow) -> str:
    """A subject's name for people; a file may give none."""
    return subject["name"] or "(no name)"

