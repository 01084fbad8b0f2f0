"""A PreflightResult becomes plain dicts, as preflight_schema.py describes them, without the secrets in its texts.

The document's digest is taken of what a reader of the JSON gets back, so that hidden characters, which JSON escapes,
cannot make the two differ. Evidence stays as the log has it; whoever shows it makes it safe.
"""

from __future__ import annotations

import json
from typing import Any, cast

from douse import __version__
from douse.harden.preflight.record import KIND, SCHEMA, digest
from douse.harden.preflight.result import Decision, HostCoverage, PreflightResult, UseCase
from douse.report.document import error_row
from douse.report.machine import json_document
from douse.report.moments import rfc3339
from douse.report.preflight_schema import DecisionRow, PreflightDocument, PreflightHostRow, UseCaseRow
from douse.report.redact import redacted


def preflight_document(result: PreflightResult) -> PreflightDocument:
    """The whole pre-flight as one document, with its digest."""
    bare = json.loads(json_document(redacted(_document(result))))
    return cast("PreflightDocument", {**bare, "digest": digest(bare)})


def _document(result: PreflightResult) -> dict[str, Any]:
    return {
        "kind": KIND,
        "schema": SCHEMA,
        "program": result.program,
        "verdict": result.verdict,
        "reason": result.reason,
        "since": rfc3339(result.since),
        "until": rfc3339(result.until),
        "days": result.days,
        "need": result.need,
        "coverage": {"hosts": len(result.hosts), "covered": sum(host.covered for host in result.hosts)},
        "hosts": [_host(host) for host in result.hosts],
        "unlisted": list(result.unlisted),
        "use_cases": [use_row(use) for use in result.uses],
        "decisions": [decision_row(one) for one in result.decisions],
        "notes": list(result.notes),
        "not_seen": list(result.blind),
        "errors": [error_row(problem) for problem in result.problems],
        "records": result.records,
        "files": [{"path": path, "sha256": sha256} for path, sha256 in result.files],
        "version": __version__,
        "command_line": result.command_line,
        "started": rfc3339(result.started),
        "finished": rfc3339(result.finished),
    }


def _host(host: HostCoverage) -> PreflightHostRow:
    return {
        "host": host.host,
        "owner": host.owner,
        "network": list(host.network),
        "process": list(host.process),
        "network_days": host.network_days,
        "process_days": host.process_days,
        "first_seen": rfc3339(host.first_seen),
        "last_seen": rfc3339(host.last_seen),
        "covered": host.covered,
        "why": host.why,
    }


def use_row(use: UseCase) -> UseCaseRow:
    """A use case with its decision."""
    return {
        "id": use.id,
        "class": use.classed,
        "why": use.why,
        "basis": use.basis,
        "destination": use.destination,
        "port": use.port,
        "protocol": use.protocol,
        "parent": use.parent,
        "command": use.command,
        "hosts": list(use.hosts),
        "users": list(use.users),
        "first_seen": rfc3339(use.first_seen),
        "last_seen": rfc3339(use.last_seen),
        "days": use.days,
        "times": use.times,
        "evidence": list(use.evidence),
        "decision": decision_row(use.decision) if use.decision else None,
        "open": use.open,
    }


def decision_row(one: Decision) -> DecisionRow:
    """A decision as the file has it."""
    return {
        "use_case": one.use_case,
        "decision": one.decision,
        "owner": one.owner,
        "signed": one.signed.isoformat() if one.signed else "",
        "expires": one.expires.isoformat() if one.expires else "",
        "ticket": one.ticket,
        "reason": one.reason,
        "group": one.group,
        "sid": one.sid,
        "where": one.where,
    }
