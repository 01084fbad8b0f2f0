"""`douse harden for`: a saved hunt becomes chains, and what was found for one becomes rows, JSON and Markdown.

    found = for_incidents(document, evidence=("PC-7.json",))
    FORMATS["markdown"](found)         bytes

The JSON is one object (ForIncidentRow) for each incident, in an array. Text of an incident comes from evidence: JSON
keeps it as it is, Markdown passes text.markdown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Literal, TypedDict

from douse.errors import EvidenceError
from douse.harden.for_incident import Broken, Chain, ForIncident, Measure, measures
from douse.report import story
from douse.report.controls_words import kind, wanted, where
from douse.report.machine import json_pieces
from douse.report.schema import Document, IncidentRow
from douse.text import code, markdown

SAID = {"pass": "in place", "fail": "missing", "partial": "in part", "conflict": "contradictory",
        "unknown": "not known", "not-applicable": "does not apply", "": "not looked at"}
"""What a state of a control means here, for people."""


class ForSettingRow(TypedDict):
    """A setting: its id, the key of the catalogue that names its kind, where it lies and what is wanted there."""

    id: str
    kind: str
    where: str
    wanted: str


class MeasureRow(TypedDict):
    """One control. `state` is the host's (harden/finding.STATES), "" where no evidence was given. `formats` can deploy
    something of it, `by_hand` are ids of settings that none of them says."""

    control_id: str
    title: str
    severity: str
    effect: str
    step: int
    step_title: str
    why: str
    takeaway: str
    cost: str
    misses: str
    needs: list[str]
    preflight: str
    verified: bool
    unverified: str
    settings: list[ForSettingRow]
    formats: list[str]
    by_hand: list[str]
    state: str
    state_why: str


class ForProblemRow(TypedDict):
    """Evidence that could not be used."""

    where: str
    what: str
    next_step: str


class ForIncidentRow(TypedDict):
    """One incident and its measures, the most useful first. `command` writes the policies that are still missing."""

    kind: Literal["harden_for"]
    incident_id: str
    host: str
    title: str
    level: str
    profile: str
    looked: bool
    measures: list[MeasureRow]
    needed: list[str]
    unknown: list[str]
    notes: list[str]
    problems: list[ForProblemRow]
    command: str
    preflights: list[str]


def for_incidents(document: Document, evidence: Sequence[str] = (), profile: str = "seed") -> tuple[ForIncident, ...]:
    """What would have broken each incident of a document that has a chain, the worst incident first. `evidence` are
    paths. EvidenceError where no incident has a chain."""
    chains = [_chain(row) for row in story.worst_first(document) if row["controls"]]
    if not chains:
        what = f"{len(document['incidents'])} incident(s), and none names a control that would have broken its chain."
        raise EvidenceError("saved hunt", what, "Weak signs are no chain; a hunt of an older version has no controls.")
    return measures(chains, evidence, profile)


def _chain(row: IncidentRow) -> Chain:
    return Chain(row["incident_id"], row["host"], row["title"], row["level"], row["first_seen"],
                 tuple(step["title"] for step in row["steps"]),
                 tuple(Broken(one["control_id"], one["effect"], one["step"], one["why"]) for one in row["controls"]))


def for_rows(found: Sequence[ForIncident]) -> list[ForIncidentRow]:
    """A row for each incident."""
    return [_row(one) for one in found]


def _row(one: ForIncident) -> ForIncidentRow:
    return {
        "kind": "harden_for", "incident_id": one.chain.id, "host": one.chain.host, "title": one.chain.title,
        "level": one.chain.level, "profile": one.profile, "looked": one.looked,
        "measures": [_measure(measure) for measure in one.measures], "needed": list(one.needed),
        "unknown": list(one.unknown), "notes": list(one.notes),
        "problems": [{"where": it.where, "what": it.what, "next_step": it.next_step} for it in one.problems],
        "command": one.command, "preflights": list(one.preflights)}


def _measure(one: Measure) -> MeasureRow:
    control = one.control
    return {
        "control_id": control.id, "title": control.title, "severity": control.severity, "effect": one.effect,
        "step": one.step, "step_title": one.step_title, "why": one.why, "takeaway": control.takeaway,
        "cost": control.cost, "misses": control.misses, "needs": list(control.needs), "preflight": control.preflight,
        "verified": control.verified, "unverified": control.unverified,
        "settings": [{"id": it.id, "kind": kind(it), "where": where(it), "wanted": wanted(it)} for it in one.settings],
        "formats": list(one.formats), "by_hand": [it.id for it in one.by_hand], "state": one.state,
        "state_why": one.state_why}


# ── formats ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def as_json(found: Sequence[ForIncident]) -> Iterator[bytes]:
    """An array with an object for each incident."""
    return json_pieces(for_rows(found))


def as_markdown(found: Sequence[ForIncident]) -> Iterator[bytes]:
    """A ticket: boxes to tick, then the commands."""
    for row in for_rows(found):
        for line in _lines(row):
            yield f"{line}\n".encode("utf-8", "backslashreplace")


def _lines(row: ForIncidentRow) -> Iterator[str]:
    yield f"# What would have broken the chain: {markdown(row['title'])}\n"
    yield f"- Host: {code(row['host'])}"
    yield f"- Incident: {code(row['incident_id'])} ({markdown(row['level'])})"
    for note in row["notes"]:
        yield f"- {markdown(note)}"
    if not row["looked"]:
        yield "- No evidence of the computer was given, so that nothing is known to be in place (`--evidence`)."
    for problem in row["problems"]:
        yield f"- Could not be used: {code(problem['where'])}: {markdown(problem['what'])}"
    yield ""
    for one in row["measures"]:
        yield from _box(one)
    if row["needed"]:
        yield f"\nThey need {markdown(', '.join(row['needed']))} as well, and do nothing without.\n"
    yield from _commands(row)


def _box(one: MeasureRow) -> Iterator[str]:
    tick = "x" if one["state"] == "pass" else " "
    step = f"step {one['step']}" + (f" ({markdown(one['step_title'])})" if one["step_title"] else "")
    yield (f"- [{tick}] **{markdown(one['control_id'])} {markdown(one['title'])}**: {markdown(one['effect'])} {step}; "
           f"{SAID[one['state']]}")
    yield f"  - {markdown(one['why'])}"
    if one["state_why"]:
        yield f"  - On this computer: {markdown(one['state_why'])}"
    yield f"  - Costs: {markdown(one['cost'])}"
    for setting in one["settings"]:
        yield f"  - {code(setting['where'])}: {code(setting['wanted'])}"
    deployed = ", ".join(one["formats"]) or "no format; by hand or by asking"
    yield f"  - Deployed by: {markdown(deployed)}"
    if one["unverified"]:
        yield f"  - Not verified: {markdown(one['unverified'])}"


def _commands(row: ForIncidentRow) -> Iterator[str]:
    for line in row["preflights"]:
        yield f"\nBefore anything is enforced:\n\n    {line}"
    if row["command"]:
        yield f"\nWrite the policies, in audit mode first:\n\n    {row['command']}"


FORMATS: Mapping[str, Callable[[Sequence[ForIncident]], Iterator[bytes]]] = {"json": as_json, "markdown": as_markdown}
"""Word -> what makes the bytes; the table is drawn by cli/show_for.py."""
