"""What an audit's page says in words: the headline, what to change first, what nobody could tell, the next command.

Rows come in (audit_schema.py), sentences go out; nothing is cleaned or drawn here. No sentence calls a host safe: an
audit knows settings, and only those that evidence shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from douse.content.controls import SEVERITIES, controls
from douse.harden.for_incident import command as generate_command
from douse.harden.for_incident import formats_of
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
_MOST_OWNERS = 12
KINDS = {"host": "Host", "policy": "Policy", "tenant": "Tenant", "organisation": "Organisation"}

_KEPT = ("denied", "dead", "allowed-for-group")
_TOLD = {"unrestricted": "can be started by anybody on", "conflict": "cannot be judged, as sources disagree, on",
         "unknown": "cannot be judged on", "allowed-for-group": "is allowed only for a group on",
         "denied": "is denied for all on", "dead": "is dead on"}
NEVER_RUN = ("Nothing here was ever run on Windows: the checks know Windows' documented keys and formats and were "
             "never compared with a living one, and what is generated was judged by other parsers, not by Windows.")


def headline(document: AuditDocument) -> str:
    """What the audit comes to, in one line: the mission's own question first."""
    hosts = [row for row in document["subjects"] if row["kind"] == "host"]
    if not any(row["seen"] for row in document["subjects"]):
        return "No evidence of a computer, a policy or a tenant was read"
    if not hosts:
        return _no_host(document)
    if len(hosts) == 1:
        [host] = hosts
        return f"mshta.exe {_TOLD[host['mshta']['answer'] if host['mshta'] else 'unknown']} {shown(host)}"
    answers = document["summary"]["answers"]
    kept = sum(answers.get(answer, 0) for answer in _KEPT)
    unknown = answers.get("unknown", 0) + answers.get("conflict", 0)
    return (f"mshta.exe is restricted on {kept:,} of {count(len(hosts), 'host')}"
            + (f", on {unknown:,} nobody can tell" if unknown else ""))


def _no_host(document: AuditDocument) -> str:
    """The headline where no computer was looked at: policies, a tenant, answers."""
    seen = [row for row in document["subjects"] if row["seen"]]
    states = [finding["state"] for row in seen for finding in row["findings"]]
    what = shown(seen[0]) if len(seen) == 1 else count(len(seen), "subject")
    verb = "would set" if all(row["kind"] == "policy" for row in seen) else "has" if len(seen) == 1 else "have"
    return f"{what} {verb} {count(states.count('pass'), 'control')} of {len(document['controls']):,}" + (
        f", and {states.count('partial'):,} in part" if "partial" in states else "")


def lead(document: AuditDocument) -> str:
    """The sentence below the headline: what was looked at, and how much of it is in place."""
    summary, counts = document["summary"], document["summary"]["counts"]
    if not any(row["seen"] and row["kind"] != "policy" for row in document["subjects"]):
        return NO_STATE
    whole = [row for row in document["controls"] if _applies(row) and row["counts"]["pass"] == _applies(row)]
    unseen = f"; {count(summary['hosts_unseen'], 'host')} of the inventory gave no evidence" if summary[
        "hosts_unseen"] else ""
    return (f"{len(whole)} of {count(len(document['controls']), 'control')} are in place wherever they apply. Of all "
            f"findings {counts['pass']:,} pass, {counts['partial']:,} are partial, {counts['fail']:,} fail, "
            f"{counts['conflict']:,} conflict and {counts['unknown']:,} are unknown{unseen}.")


NO_STATE = ("No computer, tenant or answer was looked at. A policy says what it would set where it is applied, and of "
            "no computer that it is so.")


def _applies(row: ControlSummaryRow) -> int:
    return sum(number for state, number in row["counts"].items() if state != "not-applicable")


def to_change(document: AuditDocument) -> list[ControlSummaryRow]:
    """The controls that are missing somewhere: the most severe first, then those missing in most places."""
    found = [row for row in document["controls"] if row["missing_on"]]
    return sorted(found, key=lambda row: (SEVERITIES.index(row["severity"]), -len(row["missing_on"]), row["id"]))


def to_collect(document: AuditDocument) -> list[ControlSummaryRow]:
    """The controls of which nobody can tell somewhere, and that are missing nowhere."""
    return [row for row in document["controls"] if row["unknown_on"] and not row["missing_on"]]


def places(names: Sequence[str], most: int = 6) -> str:
    """Where something is, so many names at most."""
    return listed(names, most)


def owners(names: Iterable[str], document: AuditDocument) -> str:
    """Who owns these hosts by the inventory, with how many each; empty where nobody is named."""
    known = {row["name"]: row["owner"] for row in document["subjects"] if row["kind"] == "host"}
    found = Counter(known[name] for name in names if name in known)
    if not any(found):
        return ""
    ordered = sorted(found.items(), key=lambda item: (not item[0], -item[1], item[0]))
    return listed([f"{owner or 'nobody named'} ({number:,})" for owner, number in ordered], _MOST_OWNERS)


def command(rows: Iterable[ControlSummaryRow], profile: str = "seed") -> str:
    """What makes the files for these controls, watching first; empty where no file can. Ids are ours, so nothing of
    evidence is in it."""
    known = {control.id: control for control in controls()}
    return generate_command([known[row["id"]] for row in rows], profile)


def deployed_by(row: ControlSummaryRow, profile: str) -> str:
    """The formats that can deploy something of a control, in words."""
    words = formats_of(next(one for one in controls() if one.id == row["id"]).settings_of(profile))
    return ", ".join(words) or "no file; somebody has to change it in the tenant, the program or the contract"


def preflights(rows: Iterable[ControlSummaryRow]) -> list[str]:
    """The programs that must be proven dispensable before some of these are enforced."""
    return sorted({row["preflight"] for row in rows if row["preflight"]})


def preflight_command(program: str) -> str:
    """What proves that nobody needs a program of ours to reach the network."""
    return (f"douse harden preflight {program.removesuffix('.exe')} --logs logs/ --inventory hosts.csv "
            "-o preflight.json")


def urgency(host: SubjectRow) -> tuple[int, str]:
    """The order of hosts by the answer to the mission's question, the most open first, and then by name."""
    answer = host["mshta"]["answer"] if host["mshta"] else "unknown"
    return (list(ANSWERS).index(answer), host["name"].casefold())


def worst_first(findings: Iterable[FindingRow]) -> list[FindingRow]:
    """The findings of a subject by the urgency of their state, then by control; those that do not apply are last."""
    order = list(STATES)
    return sorted(findings, key=lambda row: (order.index(row["state"]), row["control"]))


def shown(subject: SubjectRow) -> str:
    """A subject's name for people; a file may give none."""
    return subject["name"] or "(no name)"
