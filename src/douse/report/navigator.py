"""The incidents of a hunt as a layer of the ATT&CK Navigator: the document in, the layer's JSON out. Format 4.5.

A technique is entered once for each tactic that an incident has it under. Its score is the strongest level of a step
that shows it (informational 20 to critical 100); the comment says what was seen, where and when, the metadata counts.
What the Enterprise matrix does not have (ICS) and outcomes that no log shows are named in the description.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from douse.content.attack import about
from douse.model import LEVELS, level_rank
from douse.report.machine import json_document
from douse.report.navigator_layer import frame, in_matrix, technique
from douse.report.schema import AlertRow, Document, IncidentRow, StepRow

MAX_LINES: Final = 12
"""Steps that a technique's comment tells; how many more there are is said."""
MAX_RULES: Final = 20

_COLORS: Final = ("#ffffff", "#fbe3b5", "#f3a46b", "#d4553f")
_LEGEND: Final = (("informational or low", "#fbe3b5"), ("medium", "#f3a46b"), ("high or critical", "#d4553f"))


@dataclass(slots=True)
class _Seen:
    """What the incidents show of one technique."""

    level: str
    lines: list[str] = field(default_factory=list)
    hosts: dict[str, None] = field(default_factory=dict)
    alerts: dict[str, None] = field(default_factory=dict)
    rules: dict[str, None] = field(default_factory=dict)
    tactics: dict[str, None] = field(default_factory=dict)

    def add(self, incident: IncidentRow, step: StepRow) -> None:
        self.level = max(self.level, step["level"], key=level_rank)
        self.hosts[incident["host"]] = None
        self.alerts.update(dict.fromkeys(step["alerts"]))
        where = ", ".join(filter(None, (incident["host"], step["process"], step["evidence"])))
        self.lines.append(f"{step['time']} {step['title']} ({where})")


def render(document: Document) -> Iterator[bytes]:
    """The layer as JSON."""
    yield json_document(layer(document))


def layer(document: Document) -> dict[str, Any]:
    """The layer of all incidents of a document; without an incident it is empty and says so."""
    incidents = document["incidents"]
    seen = _techniques(incidents)
    _name_rules(seen, document["alerts"])
    return frame(_name(incidents), _description(incidents, seen), document["provenance"],
                 [entry for identity, one in seen.items() if in_matrix(identity) for entry in _entries(identity, one)],
                 _COLORS, _LEGEND)


def _techniques(incidents: Sequence[IncidentRow]) -> dict[str, _Seen]:
    seen: dict[str, _Seen] = {}
    for incident in incidents:
        for step in incident["steps"]:
            for identity in step["techniques"]:
                seen.setdefault(identity, _Seen(step["level"])).add(incident, step)
        for tactic in incident["tactics"]:
            for identity in tactic["techniques"]:
                if identity in seen:
                    seen[identity].tactics[tactic["tactic_id"]] = None
    return seen


def _name_rules(seen: dict[str, _Seen], alerts: Sequence[AlertRow]) -> None:
    """Note which rules gave the alerts of each technique."""
    of_alert: dict[str, list[_Seen]] = {}
    for one in seen.values():
        for identity in one.alerts:
            of_alert.setdefault(identity, []).append(one)
    for alert in alerts:
        for one in of_alert.get(alert["alert_id"], ()):
            one.rules[alert["title"]] = None


def _entries(identity: str, seen: _Seen) -> Iterator[dict[str, Any]]:
    facts = [("level", seen.level), ("alerts", str(len(seen.alerts))), ("hosts", ", ".join(seen.hosts)),
             ("rules", _some("; ", list(seen.rules), MAX_RULES))]
    score = 100 * (level_rank(seen.level) + 1) / len(LEVELS)
    comment = _some("\n", seen.lines, MAX_LINES)
    names = {tactic.id: tactic.name for tactic in about().tactics.values()}
    for tactic in [names[one] for one in seen.tactics if one in names] or [""]:
        yield technique(identity, score, comment, facts, tactic)


def _some(separator: str, lines: list[str], most: int) -> str:
    more = [f"and {len(lines) - most} more"] if len(lines) > most else []
    return separator.join((*lines[:most], *more))


def _name(incidents: Sequence[IncidentRow]) -> str:
    if len(incidents) == 1:
        return f"Douse: {incidents[0]['title']} on {incidents[0]['host']}"
    return f"Douse: {len(incidents) or 'no'} incidents"


def _description(incidents: Sequence[IncidentRow], seen: dict[str, _Seen]) -> str:
    told = [f"{one['host']}, {one['level']}: {one['title']}." for one in incidents[:MAX_LINES]]
    if len(incidents) > MAX_LINES:
        told.append(f"And {len(incidents) - MAX_LINES} further incidents.")
    outside = list(dict.fromkeys(identity for identity in seen if not in_matrix(identity)))
    outcomes = list(dict.fromkeys(f"{identity} ({one['impact_reason']})" if one["impact_reason"] else identity
                                  for one in incidents for identity in one["impact"]))
    if outside:
        told.append(f"Not in the Enterprise matrix: {', '.join(outside)}.")
    if outcomes:
        told.append(f"Outcomes that no log shows, not in this layer: {', '.join(outcomes)}.")
    return " ".join(told) or "No incident was found. That is no proof of absence: see what the hosts could not show."
