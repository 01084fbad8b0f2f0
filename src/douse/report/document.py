"""A HuntResult becomes plain dicts, as schema.py describes them: nothing is judged, cut or cleaned on the way.

Evidence stays as the log has it; whoever shows it makes it safe (html.py, cli/show.py), and machine.py keeps JSON
whole. `document` is the whole hunt, `rows` the same as a stream, which never holds all alerts as dicts at once.
"""

from __future__ import annotations

from collections.abc import Iterator

from douse.content.attack import attack_version
from douse.hunt.result import Allowance, HuntResult, InputFile, Problem, Provenance, Summary, Suppressed
from douse.model import (
    LEVELS,
    Alert,
    Asset,
    BlindSpot,
    ChannelCount,
    Coverage,
    Incident,
    ProcessNode,
    SequenceHit,
    Stage,
    Step,
)
from douse.report.moments import rfc3339
from douse.report.schema import (
    SCHEMA,
    AlertRow,
    AllowanceRow,
    AssetRow,
    BlindSpotRow,
    ChannelRow,
    CoverageRow,
    Document,
    ErrorRow,
    IncidentRow,
    InputRow,
    ProcessRow,
    ProvenanceRow,
    Row,
    SequenceRow,
    StageRow,
    StepRow,
    SummaryRow,
    SuppressedRow,
)


def document(result: HuntResult) -> Document:
    """The whole hunt as one document."""
    return {
        "kind": "hunt",
        "schema": SCHEMA,
        "summary": summary_row(result.summary),
        "incidents": [incident_row(incident) for incident in result.incidents],
        "alerts": [alert_row(alert) for alert in result.alerts],
        "suppressed": [suppressed_row(one) for one in result.suppressed],
        "allowances": [allowance_row(one) for one in result.allowances],
        "coverage": [_host(coverage, result) for coverage in result.coverage],
        "errors": [error_row(problem) for problem in result.problems],
        "notes": list(result.notes),
        "provenance": provenance_row(result.provenance),
    }


def rows(result: HuntResult) -> Iterator[Row]:
    """The hunt row by row: alerts, incidents, suppressed alerts, entries of --allow, coverage, errors; last the
    summary, with schema, notes and provenance."""
    for alert in result.alerts:
        yield alert_row(alert)
    for incident in result.incidents:
        yield incident_row(incident)
    for suppressed in result.suppressed:
        yield suppressed_row(suppressed)
    for allowance in result.allowances:
        yield allowance_row(allowance)
    for coverage in result.coverage:
        yield _host(coverage, result)
    for problem in result.problems:
        yield error_row(problem)
    last = {"schema": SCHEMA, "notes": list(result.notes), "provenance": provenance_row(result.provenance)}
    yield {**summary_row(result.summary), **last}


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
