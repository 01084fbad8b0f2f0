"""A HuntResult becomes plain dicts, as schema.py describes them: nothing is judged, cut or cleaned on the way.

Evidence stays as the log has it; whoever shows it makes it safe (html.py, cli/show.py), and machine.py keeps JSON
whole. `document` is the whole hunt, `rows` the same as a stream. Alerts become dicts one by one, when they are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from douse.content.attack import attack_version
from douse.hunt.fleet import HostView
from douse.hunt.result import Allowance, HuntResult, InputFile, Problem, Provenance, Summary, Suppressed
from douse.model import (
    LEVELS,
    Alert,
    Asset,
    AssignedLesson,
    Attribution,
    BlindSpot,
    BreakingControl,
    ChannelCount,
    Coverage,
    FamilyEvidence,
    Incident,
    Indicator,
    PlanStep,
    ProcessNode,
    Rotation,
    SequenceHit,
    Stage,
    Step,
    StoreImpact,
    Tactic,
)
from douse.report.moments import rfc3339
from douse.report.on_demand import Rows
from douse.report.redact import redacted
from douse.report.schema import (
    SCHEMA,
    AlertRow,
    AllowanceRow,
    AssetRow,
    AttributionRow,
    BlindSpotRow,
    ChannelRow,
    ControlRow,
    CoverageRow,
    Document,
    ErrorRow,
    FamilyEvidenceRow,
    HostRow,
    IncidentRow,
    IndicatorRow,
    InputRow,
    LessonRow,
    PlanRow,
    ProcessRow,
    ProvenanceRow,
    RotationRow,
    Row,
    SequenceRow,
    StageRow,
    StepRow,
    StoreRow,
    SummaryRow,
    SuppressedRow,
    TacticRow,
)
from douse.text import defang

NETWORK_TYPES = frozenset({"domain-name", "url", "ipv4-addr", "ipv6-addr"})
"""Types of indicators that a reader could click on, and that are therefore shown defanged."""


def document(result: HuntResult, *, redact: bool = True) -> Document:
    """The whole hunt as one document, without the secrets in evidence unless `redact` is off."""
    whole = _document(result)
    return redacted(whole) if redact else whole


def _document(result: HuntResult) -> Document:
    return {
        "kind": "hunt",
        "schema": SCHEMA,
        "summary": summary_row(result.summary),
        "hosts": [host_row(host) for host in result.hosts],
        "incidents": [incident_row(incident) for incident in result.incidents],
        "alerts": Rows(result.alerts, alert_row),
        "suppressed": Rows(result.suppressed, suppressed_row),
        "allowances": [allowance_row(one) for one in result.allowances],
        "coverage": [_host(coverage, result) for coverage in result.coverage],
        "errors": [error_row(problem) for problem in result.problems],
        "notes": list(result.notes),
        "provenance": provenance_row(result.provenance),
    }


def rows(document: Document) -> Iterator[Row]:
    """The hunt row by row: alerts, incidents, hosts, suppressed alerts, entries of --allow, coverage, errors; last the
    summary, with schema, notes and provenance."""
    yield from document["alerts"]
    yield from document["incidents"]
    yield from document["hosts"]
    yield from document["suppressed"]
    yield from document["allowances"]
    yield from document["coverage"]
    yield from document["errors"]
    last = {"schema": document["schema"], "notes": document["notes"], "provenance": document["provenance"]}
    yield {**document["summary"], **last}


def alert_row(alert: Alert) -> AlertRow:
    """One alert with its provenance, its reason and the event's fields."""
    return {
        "kind": "alert",
        "alert_id": alert.alert_id,
        "rule_id": alert.rule_id,
        "title": alert.title,
        "level": alert.level,
        "time": rfc3339(alert.time),
        "host": alert.host,
        "channel": alert.channel,
        "provider": alert.provider,
        "event_id": alert.event_id,
        "record_id": alert.record_id,
        "source": str(alert.source),
        "file": alert.source.path,
        "member": alert.source.member,
        "format": alert.source.format,
        "techniques": list(alert.techniques),
        "evidence_class": alert.evidence_class,
        "store": alert.store,
        "fidelity": alert.fidelity,
        "stage": alert.stage,
        "role": alert.role,
        "matched": [
            {"selection": m.selection, "field": m.field, "value": m.value, "pattern": m.pattern} for m in alert.matched
        ],
        "fields": dict(alert.fields),
    }


def incident_row(incident: Incident) -> IncidentRow:
    """One incident, whole; its alerts by id."""
    return {
        "kind": "incident",
        "incident_id": incident.incident_id,
        "level": incident.level,
        "title": incident.title,
        "verdict": incident.verdict,
        "host": incident.host,
        "asset": _asset(incident.asset),
        "users": list(incident.users),
        "first_seen": rfc3339(incident.first_seen),
        "last_seen": rfc3339(incident.last_seen),
        "family": incident.family,
        "family_detail": incident.family_detail,
        "score": incident.score,
        "level_reason": incident.level_reason,
        "impact": list(incident.impact),
        "impact_reason": incident.impact_reason,
        "stages": [_stage(stage) for stage in incident.stages],
        "tactics": [_tactic(tactic) for tactic in incident.tactics],
        "stores": [_store(store) for store in incident.stores],
        "rotation": [_rotation(change) for change in incident.rotation],
        "attribution": _attribution(incident.attribution),
        "indicators": [_indicator(indicator) for indicator in incident.indicators],
        "plan": [_plan(step) for step in incident.plan],
        "controls": [_control(control) for control in incident.controls],
        "lessons": [_lesson(lesson) for lesson in incident.lessons],
        "steps": [_step(step) for step in incident.steps],
        "sequences": [_sequence(hit) for hit in incident.sequences],
        "classes": [
            {
                "evidence_class": score.evidence_class,
                "points": score.points,
                "reason": score.reason,
                "alerts": list(score.alert_ids),
            }
            for score in incident.classes
        ],
        "processes": [_process(node) for node in incident.processes],
        "next_steps": list(incident.next_steps),
        "blind_spots": [_blind_spot(spot) for spot in incident.blind_spots],
        "coverage": {"host": incident.coverage.host, "channels": [_channel(c) for c in incident.coverage.counts]},
        "alerts": list(incident.alert_ids),
        "supersedes": list(incident.supersedes),
    }


def suppressed_row(suppressed: Suppressed) -> SuppressedRow:
    """One expected alert, whole, and the entry that says so."""
    return {
        "kind": "suppressed",
        "allowed_by": suppressed.by.where,
        "reason": suppressed.by.reason,
        "expires": suppressed.by.expires.isoformat(),
        "alert": alert_row(suppressed.alert),
    }


def allowance_row(allowance: Allowance) -> AllowanceRow:
    """One entry of --allow and what became of it."""
    entry = allowance.entry
    return {
        "kind": "allowance",
        "where": entry.where,
        "state": allowance.state,
        "alerts": allowance.alerts,
        "rule": entry.rule,
        "rule_id": allowance.rule_id,
        "host": entry.host,
        "process": entry.process,
        "user": entry.user,
        "command": entry.command,
        "reason": entry.reason,
        "expires": entry.expires.isoformat(),
        "about": allowance.about,
        "remarks": list(entry.remarks),
    }


def _host(coverage: Coverage, result: HuntResult) -> CoverageRow:
    return coverage_row(coverage, result.blind_spots.get(coverage.host, ()), result.assets.get(coverage.host))


def coverage_row(
    coverage: Coverage, blind_spots: tuple[BlindSpot, ...] = (), asset: Asset | None = None
) -> CoverageRow:
    """One host's telemetry, what it could not show, and whose host it is."""
    return {
        "kind": "coverage",
        "host": coverage.host,
        "asset": _asset(asset),
        "channels": [_channel(count) for count in coverage.counts],
        "blind_spots": [_blind_spot(spot) for spot in blind_spots],
    }


def error_row(problem: Problem) -> ErrorRow:
    """One thing the run could not use."""
    return {
        "kind": "error",
        "error": problem.kind,
        "where": problem.where,
        "what": problem.what,
        "records": problem.records,
        "next_step": problem.next_step,
    }


def summary_row(summary: Summary) -> SummaryRow:
    """The totals; every level is there, also with 0 alerts."""
    return {
        "kind": "summary",
        "files": summary.files,
        "ignored_files": summary.ignored_files,
        "records_read": summary.records_read,
        "records_skipped": summary.records_skipped,
        "records_lost": summary.records_lost,
        "alerts": summary.alerts,
        "alerts_by_level": {level: summary.alerts_by_level.get(level, 0) for level in LEVELS},
        "alerts_suppressed": summary.alerts_suppressed,
        "incidents": summary.incidents,
        "partial": summary.partial,
        "interrupted": summary.interrupted,
        "highest_level": summary.highest_level,
        "rules_loaded": summary.rules_loaded,
        "rules_rejected": summary.rules_rejected,
        "rules_idle": summary.rules_idle,
        "rules_skipped": summary.rules_skipped,
        "first_event": rfc3339(summary.first_event),
        "last_event": rfc3339(summary.last_event),
        "elapsed_seconds": round(summary.elapsed_seconds, 3),
    }


def provenance_row(provenance: Provenance) -> ProvenanceRow:
    """Versions, hashes, command line and inputs."""
    return {
        "version": provenance.version,
        "rules_hash": provenance.rules_hash,
        "attack_version": attack_version(),
        "command_line": provenance.command_line,
        "started": rfc3339(provenance.started),
        "finished": rfc3339(provenance.finished),
        "inputs": [_input(file) for file in provenance.inputs],
        "lists": [_input(file) for file in provenance.lists],
    }


def _input(file: InputFile) -> InputRow:
    return {"path": file.path, "size": file.size, "sha256": file.sha256}


def _asset(asset: Asset | None) -> AssetRow | None:
    if asset is None:
        return None
    return {
        "name": asset.name,
        "role": asset.role,
        "owner": asset.owner,
        "criticality": asset.criticality,
        "marked": asset.marked,
        "where": asset.where,
    }


def _stage(stage: Stage) -> StageRow:
    return {
        "stage": stage.stage,
        "name": stage.name,
        "techniques": list(stage.techniques),
        "first_seen": rfc3339(stage.first_seen),
        "last_seen": rfc3339(stage.last_seen),
        "alerts": list(stage.alert_ids),
    }


def _tactic(tactic: Tactic) -> TacticRow:
    return {
        "tactic_id": tactic.tactic_id,
        "name": tactic.name,
        "techniques": list(tactic.techniques),
        "first_seen": rfc3339(tactic.first_seen),
        "last_seen": rfc3339(tactic.last_seen),
        "alerts": list(tactic.alert_ids),
    }


def _store(store: StoreImpact) -> StoreRow:
    return {
        "store": store.store,
        "family": store.family,
        "product": store.product,
        "state": store.state,
        "user": store.user,
        "holds": list(store.holds),
        "unseen": list(store.unseen),
        "process": store.process,
        "first_seen": rfc3339(store.first_seen),
        "last_seen": rfc3339(store.last_seen),
        "alerts": list(store.alert_ids),
        "evidence": store.evidence,
        "verified": store.verified,
    }


def _rotation(change: Rotation) -> RotationRow:
    return {
        "what": change.what,
        "text": change.text,
        "products": list(change.products),
        "users": list(change.users),
        "basis": change.basis,
        "entries": list(change.entries),
        "alerts": list(change.alert_ids),
    }


def _attribution(attribution: Attribution | None) -> AttributionRow | None:
    if attribution is None:
        return None
    return {
        "family": attribution.family,
        "confidence": attribution.confidence,
        "loader": attribution.loader,
        "loader_confidence": attribution.loader_confidence,
        "consistent_with": list(attribution.consistent_with),
        "evidence": [_family_evidence(one) for one in attribution.evidence],
        "contradictions": [_family_evidence(one) for one in attribution.contradictions],
    }


def _family_evidence(evidence: FamilyEvidence) -> FamilyEvidenceRow:
    return {
        "family": evidence.family,
        "kind": evidence.kind,
        "text": evidence.text,
        "alerts": list(evidence.alert_ids),
        "verified": evidence.verified,
    }


def _indicator(indicator: Indicator) -> IndicatorRow:
    return {
        "type": indicator.type,
        "value": indicator.value,
        "defanged": defang(indicator.value) if indicator.type in NETWORK_TYPES else indicator.value,
        "role": indicator.role,
        "block": indicator.block,
        "reason": indicator.reason,
        "first_seen": rfc3339(indicator.first_seen),
        "last_seen": rfc3339(indicator.last_seen),
        "process": indicator.process,
        "alerts": list(indicator.alert_ids),
    }


def _plan(step: PlanStep) -> PlanRow:
    return {
        "step_id": step.step_id,
        "phase": step.phase,
        "text": step.text,
        "steps": list(step.steps),
        "controls": list(step.controls),
        "lessons": list(step.lessons),
    }


def _control(control: BreakingControl) -> ControlRow:
    return {
        "control_id": control.control_id,
        "title": control.title,
        "takeaway": control.takeaway,
        "effect": control.effect,
        "step": control.step,
        "why": control.why,
        "techniques": list(control.techniques),
        "verified": control.verified,
    }


def _lesson(lesson: AssignedLesson) -> LessonRow:
    return {
        "lesson_id": lesson.lesson_id,
        "title": lesson.title,
        "takeaway": lesson.takeaway,
        "users": list(lesson.users),
        "why": lesson.why,
        "steps": list(lesson.steps),
    }


def host_row(host: HostView) -> HostRow:
    """One host of the fleet."""
    return {
        "kind": "host",
        "host": host.host,
        "state": host.state,
        "level": host.level,
        "incidents": list(host.incident_ids),
        "alerts_by_level": {level: host.alerts_by_level.get(level, 0) for level in LEVELS},
        "records": host.records,
        "first_event": rfc3339(host.first_event),
        "last_event": rfc3339(host.last_event),
        "missing": list(host.missing),
        "asset": _asset(host.asset),
    }


def _step(step: Step) -> StepRow:
    return {
        "time": rfc3339(step.time),
        "evidence_class": step.evidence_class,
        "stage": step.stage,
        "title": step.title,
        "detail": step.detail,
        "process": step.process,
        "level": step.level,
        "techniques": list(step.techniques),
        "alerts": list(step.alert_ids),
        "evidence": step.evidence,
    }


def _sequence(hit: SequenceHit) -> SequenceRow:
    return {
        "sequence_id": hit.sequence_id,
        "title": hit.title,
        "level": hit.level,
        "bonus": hit.bonus,
        "first_seen": rfc3339(hit.first_seen),
        "last_seen": rfc3339(hit.last_seen),
        "reason": hit.reason,
        "alerts": list(hit.alert_ids),
    }


def _process(node: ProcessNode) -> ProcessRow:
    return {
        "pid": node.pid,
        "guid": node.guid,
        "image": node.image,
        "command_line": node.command_line,
        "user": node.user,
        "started": rfc3339(node.started),
        "parent": node.parent,
        "link": node.link,
        "alerts": list(node.alert_ids),
    }


def _blind_spot(spot: BlindSpot) -> BlindSpotRow:
    return {
        "requirement": spot.requirement,
        "title": spot.title,
        "events": spot.events,
        "classes": list(spot.classes),
        "cannot_judge": spot.cannot_judge,
        "enable": spot.enable,
        "verified": spot.verified,
    }


def _channel(count: ChannelCount) -> ChannelRow:
    return {
        "channel": count.channel,
        "event_id": count.event_id,
        "records": count.records,
        "first_seen": rfc3339(count.first_seen),
        "last_seen": rfc3339(count.last_seen),
    }
