"""A hunt as OCSF 1.8.0 Detection Findings (class 2004), one JSON object a line: a document in, bytes out.

Incidents first, in the document's order, then each alert that is in no incident. Lines and not one array, because that
is what shippers send on (Splunk, Security Lake, Fluent Bit), and a hunt may have many. The alerts of an incident are
its `related_events`, evidence is of its steps; what is left out of a list is counted in `unmapped`. Nobody has looked
at a finding of a program: the verdict is never "true positive".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from douse.report.incident_words import is_infostealer, plan_text
from douse.report.machine import json_lines
from douse.report.observed import Observed, observed
from douse.report.ocsf_parts import (
    SEVERITY,
    SEVERITY_NAME,
    Part,
    actor_process,
    attacks,
    device,
    filled,
    milliseconds,
    observables,
    of_record,
    process,
    user,
)
from douse.report.schema import AlertRow, Document, IncidentRow, ProvenanceRow, StepRow

CLASS: Final = 2004
MAX_EVENTS: Final = 100
"""Alerts of an incident that are named; their number is told whole."""
MAX_EVIDENCES: Final = 100
"""Steps of an incident whose evidence is given."""

_RULE, _BEHAVIOUR = 1, 2
_SUSPICIOUS, _INSUFFICIENT = (4, "Suspicious"), (7, "Insufficient Data")
_CONFIDENCE: Final = ("Unknown", "Low", "Medium", "High")
_LOST: Final = frozenset({"observed", "presumed"})


@dataclass(slots=True)
class _Proof:
    """What is kept of the alerts of one incident until it is told: the first of each step, and the first of all."""

    first: dict[int, Observed] = field(default_factory=dict)
    events: list[Part] = field(default_factory=list)
    rules: dict[str, str] = field(default_factory=dict)

    def add(self, alert: AlertRow, step: int | None) -> None:
        if step is not None and step < MAX_EVIDENCES and step not in self.first:
            self.first[step] = observed(alert)
        self.rules[alert["rule_id"]] = alert["title"]
        if len(self.events) < MAX_EVENTS:
            self.events.append(_related(alert))


def render(document: Document) -> Iterator[bytes]:
    """The findings, a line each; without a finding nothing. The alerts are read twice, in order, and not kept."""
    return json_lines(findings(document))


def findings(document: Document) -> Iterator[Part]:
    """The findings as dicts, incidents before alerts."""
    incidents, run = document["incidents"], document["provenance"]
    place = _places(incidents)
    proofs = [_Proof() for _ in incidents]
    for alert in document["alerts"] if incidents else ():
        if alert["alert_id"] in place:
            number, step = place[alert["alert_id"]]
            proofs[number].add(alert, step)
    for incident, proof in zip(incidents, proofs, strict=True):
        yield of_incident(incident, proof, run)
    for alert in document["alerts"]:
        if alert["alert_id"] not in place:
            yield of_alert(alert, run)


def _places(incidents: Sequence[IncidentRow]) -> dict[str, tuple[int, int | None]]:
    """For each alert of an incident the number of the incident, and of the first step that it proves."""
    place: dict[str, tuple[int, int | None]] = {}
    for number, one in enumerate(incidents):
        for step, row in enumerate(one["steps"]):
            for alert in row["alerts"]:
                place.setdefault(alert, (number, step))
        for alert in one["alerts"]:
            place.setdefault(alert, (number, None))
    return place


def of_incident(incident: IncidentRow, proof: _Proof, run: ProvenanceRow) -> Part:
    """One incident as a finding."""
    lost = any(store["state"] in _LOST for store in incident["stores"])
    started, ended = milliseconds(incident["first_seen"]), milliseconds(incident["last_seen"])
    confidence = _confidence(incident)
    verdict = _SUSPICIOUS if SEVERITY[incident["level"]] >= SEVERITY["medium"] else _INSUFFICIENT
    return filled({
        **_base(incident["level"], incident["incident_id"], ended, run),
        "message": incident["verdict"],
        "start_time": started,
        "end_time": ended,
        "count": max(len(incident["alerts"]), 1),
        "confidence_id": confidence,
        "confidence": _CONFIDENCE[confidence],
        "verdict_id": verdict[0],
        "verdict": verdict[1],
        "risk_score": round(incident["score"]),
        "is_suspected_breach": lost,
        "device": device(incident["host"], incident["asset"]),
        "finding_info": _info(incident, proof, run),
        "evidences": list(_evidences(incident, proof)),
        "observables": observables(incident),
        "resources": list(_resources(incident)),
        "remediation": {"desc": plan_text(incident)} if incident["plan"] else None,
        "unmapped": _rest(incident),
    })


def of_alert(alert: AlertRow, run: ProvenanceRow) -> Part:
    """One alert that is in no incident as a finding."""
    seen, when = observed(alert), milliseconds(alert["time"])
    return filled({
        **_base(alert["level"], alert["alert_id"], when, run),
        "message": f"{alert['title']} on {alert['host']}",
        "start_time": when,
        "end_time": when,
        "count": 1,
        "confidence_id": 1,
        "confidence": _CONFIDENCE[1],
        "verdict_id": _INSUFFICIENT[0],
        "verdict": _INSUFFICIENT[1],
        "device": device(alert["host"]),
        "finding_info": filled({
            "uid": alert["alert_id"], "title": alert["title"], "created_time": milliseconds(run["finished"]),
            "first_seen_time": when, "last_seen_time": when, "data_sources": [alert["channel"]],
            "analytic": {"uid": alert["rule_id"], "name": alert["title"], "type_id": _RULE, "type": "Rule"},
            "attacks": list(attacks(alert["techniques"], run["attack_version"])),
        }),
        "evidences": [_evidence(alert["title"], actor_process(seen), seen, _record(alert))],
        "unmapped": {"matched": alert["matched"], "evidence_class": alert["evidence_class"],
                     "fidelity": alert["fidelity"], "fields": alert["fields"]},
    })


def _base(level: str, identity: str, when: int, run: ProvenanceRow) -> Part:
    """What every finding has; `when` is the last of it."""
    severity = SEVERITY[level]
    return {
        "class_uid": CLASS, "class_name": "Detection Finding", "category_uid": 2, "category_name": "Findings",
        "activity_id": 1, "activity_name": "Create", "type_uid": CLASS * 100 + 1,
        "type_name": "Detection Finding: Create",
        "time": when, "timezone_offset": 0,
        "severity_id": severity, "severity": SEVERITY_NAME[severity],
        "status_id": 1, "status": "New", "is_alert": True,
        "metadata": {
            "version": "1.8.0", "uid": identity, "profiles": ["host", "incident"],
            "logged_time": milliseconds(run["finished"]),
            "product": {"name": "Douse", "vendor_name": "Douse", "version": run["version"], "uid": "douse"},
        },
    }


def _info(incident: IncidentRow, proof: _Proof, run: ProvenanceRow) -> Part:
    techniques = [one for step in incident["steps"] for one in step["techniques"]]
    sequences = [{"uid": hit["sequence_id"], "name": hit["title"], "desc": hit["reason"], "type_id": _BEHAVIOUR,
                  "type": "Behavioral"} for hit in incident["sequences"]]
    rules = [{"uid": rule, "name": title, "type_id": _RULE, "type": "Rule"} for rule, title in proof.rules.items()]
    return filled({
        "uid": incident["incident_id"],
        "title": incident["title"],
        "desc": "\n".join(filter(None, (incident["verdict"], incident["family_detail"], incident["level_reason"]))),
        "types": ["Infostealer"] if is_infostealer(incident) else [],
        "created_time": milliseconds(run["finished"]),
        "first_seen_time": milliseconds(incident["first_seen"]),
        "last_seen_time": milliseconds(incident["last_seen"]),
        "analytic": {"uid": "douse", "name": "Douse incident correlation", "type_id": _BEHAVIOUR,
                     "type": "Behavioral", "version": run["version"]},
        "related_analytics": sequences + rules,
        "attacks": list(attacks([*techniques, *incident["impact"]], run["attack_version"])),
        "data_sources": list(dict.fromkeys(one["channel"] for one in incident["coverage"]["channels"])),
        "related_events": proof.events,
        "related_events_count": len(incident["alerts"]),
    })


def _related(alert: AlertRow) -> Part:
    when = milliseconds(alert["time"])
    return {"uid": alert["alert_id"], "title": alert["title"], "type": alert["evidence_class"] or "unclassified",
            "severity_id": SEVERITY[alert["level"]], "severity": SEVERITY_NAME[SEVERITY[alert["level"]]],
            "first_seen_time": when, "last_seen_time": when,
            "desc": f"{alert['channel']} record {alert['record_id']} in {alert['source']}"}


def _record(alert: AlertRow) -> Part:
    return {"channel": alert["channel"], "event_id": alert["event_id"], "record_id": alert["record_id"],
            "source": alert["source"]}


def _evidences(incident: IncidentRow, proof: _Proof) -> Iterator[Part]:
    """Evidence of each step: its process from the tree, and what its first alert names besides."""
    number_of = {alert: number for number, row in enumerate(incident["processes"]) for alert in row["alerts"]}
    for number, step in enumerate(incident["steps"][:MAX_EVIDENCES]):
        node = next((number_of[alert] for alert in step["alerts"] if alert in number_of), None)
        actor = process(incident["processes"], node) if node is not None else {}
        yield _evidence(step["title"], actor, proof.first.get(number), _told(step))


def _told(step: StepRow) -> Part:
    return filled({"time": step["time"], "evidence_class": step["evidence_class"], "stage": step["stage"],
                   "level": step["level"], "detail": step["detail"], "process": step["process"],
                   "techniques": step["techniques"], "evidence": step["evidence"],
                   "alerts": step["alerts"][:MAX_EVENTS], "alerts_count": len(step["alerts"])})


def _evidence(name: str, actor: Part, seen: Observed | None, data: Part) -> Part:
    return filled({"name": name, "process": actor, **(of_record(seen) if seen else {}), "data": data})


def _resources(incident: IncidentRow) -> Iterator[Part]:
    """The credential stores, with what is known of each."""
    for store in incident["stores"]:
        yield filled({
            "uid": "/".join(filter(None, (incident["host"], store["user"], store["store"]))),
            "name": store["product"],
            "type": "credential store",
            "labels": [store["state"], *store["holds"]],
            "owner": user(store["user"]) if store["user"] else None,
            "data": filled({"state": store["state"], "unseen": store["unseen"], "process": store["process"],
                            "first_seen": store["first_seen"], "last_seen": store["last_seen"],
                            "evidence": store["evidence"], "verified": store["verified"]}),
        })


def _confidence(incident: IncidentRow) -> int:
    """High with a known sequence and three classes of evidence, medium with either of two, else low."""
    classes, sequences = len(incident["classes"]), len(incident["sequences"])
    return 3 if sequences and classes >= 3 else 2 if sequences or classes >= 2 else 1


def _rest(incident: IncidentRow) -> dict[str, Any]:
    """What OCSF has no place for, under the document's own names."""
    names = ("family", "attribution", "score", "level_reason", "impact", "impact_reason", "stages", "sequences",
             "classes", "indicators", "rotation", "controls", "lessons", "blind_spots", "supersedes")
    left_out = max(len(incident["steps"]) - MAX_EVIDENCES, 0)
    return filled({**{name: value for name, value in incident.items() if name in names},
                   "steps_without_evidence": left_out or None,
                   "related_events_left_out": max(len(incident["alerts"]) - MAX_EVENTS, 0) or None})
