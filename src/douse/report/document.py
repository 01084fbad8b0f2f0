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
    BlindSpot,
    Coverage,
)
from douse.report.incident_rows import asset_row, blind_spot_row, channel_row, incident_row
from douse.report.moments import rfc3339
from douse.report.on_demand import Rows
from douse.report.redact import redacted
from douse.report.schema import (
    SCHEMA,
    AlertRow,
    AllowanceRow,
    CoverageRow,
    Document,
    ErrorRow,
    HostRow,
    InputRow,
    ProvenanceRow,
    Row,
    SummaryRow,
    SuppressedRow,
)


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
        "asset": asset_row(asset),
        "channels": [channel_row(count) for count in coverage.counts],
        "blind_spots": [blind_spot_row(spot) for spot in blind_spots],
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
        "asset": asset_row(host.asset),
    }


