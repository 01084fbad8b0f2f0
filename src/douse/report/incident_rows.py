"""An Incident becomes a plain dict, as schema.py describes it, with its parts that other rows have too.

Nothing is judged, cut or cleaned on the way; only an indicator that a reader could click on is written defanged beside
its value. The counterpart, document.py, makes the hunt around it.
"""

from __future__ import annotations

from douse.model import (
    Asset,
    AssignedLesson,
    Attribution,
    BlindSpot,
    BreakingControl,
    ChannelCount,
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
from douse.report.schema import (
    AssetRow,
    AttributionRow,
    BlindSpotRow,
    ChannelRow,
    ControlRow,
    FamilyEvidenceRow,
    IncidentRow,
    IndicatorRow,
    LessonRow,
    PlanRow,
    ProcessRow,
    RotationRow,
    SequenceRow,
    StageRow,
    StepRow,
    StoreRow,
    TacticRow,
)
from douse.text import defang

NETWORK_TYPES = frozenset({"domain-name", "url", "ipv4-addr", "ipv6-addr"})
"""Types of indicators that a reader could click on, and that are therefore shown defanged."""


def incident_row(incident: Incident) -> IncidentRow:
    """One incident, whole; its alerts by id."""
    return {
        "kind": "incident",
        "incident_id": incident.incident_id,
        "level": incident.level,
        "title": incident.title,
        "verdict": incident.verdict,
        "host": incident.host,
        "asset": asset_row(incident.asset),
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
        "blind_spots": [blind_spot_row(spot) for spot in incident.blind_spots],
        "coverage": {"host": incident.coverage.host, "channels": [channel_row(c) for c in incident.coverage.counts]},
        "alerts": list(incident.alert_ids),
        "supersedes": list(incident.supersedes),
    }


def asset_row(asset: Asset | None) -> AssetRow | None:
    """What an inventory says of a computer, None where it says nothing."""
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


def blind_spot_row(spot: BlindSpot) -> BlindSpotRow:
    """Telemetry that was missing."""
    return {
        "requirement": spot.requirement,
        "title": spot.title,
        "events": spot.events,
        "classes": list(spot.classes),
        "cannot_judge": spot.cannot_judge,
        "enable": spot.enable,
        "verified": spot.verified,
    }


def channel_row(count: ChannelCount) -> ChannelRow:
    """How many records of one event id a channel gave."""
    return {
        "channel": count.channel,
        "event_id": count.event_id,
        "records": count.records,
        "first_seen": rfc3339(count.first_seen),
        "last_seen": rfc3339(count.last_seen),
    }
