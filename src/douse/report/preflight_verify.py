"""A VerifyResult becomes plain dicts (preflight_schema.py) without the secrets in its texts, and the formats of it."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Final

from douse import __version__
from douse.harden.verify import Hit, VerifyResult
from douse.report.document import error_row
from douse.report.moments import rfc3339
from douse.report.preflight_schema import VERIFY_SCHEMA, HitRow, VerifyDocument
from douse.report.redact import redacted
from douse.text import cell

COLUMNS: Final = ("state", "use_case", "decision", "program", "host", "user", "event", "outcome", "destination", "port",
                  "parent", "command", "first_seen", "last_seen", "times", "evidence")


def verify_document(result: VerifyResult) -> VerifyDocument:
    """The whole verify as one document."""
    return redacted(_document(result))


def _document(result: VerifyResult) -> VerifyDocument:
    record = result.record
    return {
        "kind": "verify",
        "schema": VERIFY_SCHEMA,
        "programs": list(result.programs),
        "since": rfc3339(result.since),
        "until": rfc3339(result.until),
        "preflight": {"program": record.program, "verdict": record.verdict, "finished": rfc3339(record.finished),
                      "sha256": record.sha256} if record else None,
        "hits": [_hit(hit) for hit in result.hits],
        "hosts": [{"host": host.host, "owner": host.owner, "seen": list(host.seen), "can_say": host.can_say,
                   "why": host.why} for host in result.hosts],
        "unlisted": list(result.unlisted),
        "notes": list(result.notes),
        "errors": [error_row(problem) for problem in result.problems],
        "records": result.records,
        "version": __version__,
        "command_line": result.command_line,
        "started": rfc3339(result.started),
        "finished": rfc3339(result.finished),
    }


def _hit(hit: Hit) -> HitRow:
    return {
        "program": hit.program,
        "host": hit.host,
        "user": hit.user,
        "event": hit.event,
        "outcome": hit.outcome,
        "destination": hit.destination,
        "port": hit.port,
        "parent": hit.parent,
        "command": hit.command,
        "first_seen": rfc3339(hit.first_seen),
        "last_seen": rfc3339(hit.last_seen),
        "times": hit.times,
        "state": hit.state,
        "use_case": hit.use.id if hit.use else "",
        "decision": hit.use.decision if hit.use else "",
        "evidence": list(hit.evidence),
    }


def _json(document: VerifyDocument) -> Iterator[bytes]:
    from douse.report.machine import json_document

    yield json_document(document)


def _csv(document: VerifyDocument) -> Iterator[bytes]:
    yield _line(COLUMNS)
    for hit in document["hits"]:
        cells = {**hit, "evidence": "; ".join(hit["evidence"])}
        yield _line(tuple(cells[name] for name in COLUMNS))


def _line(values: tuple[object, ...]) -> bytes:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(cell, values))
    return text.getvalue().encode("utf-8")


FORMATS: Final[dict[str, Callable[[VerifyDocument], Iterator[bytes]]]] = {"json": _json, "csv": _csv}
