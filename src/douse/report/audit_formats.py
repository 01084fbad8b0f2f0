"""The formats an audit can be written in: word -> what makes its bytes. `table` is drawn by cli/show_audit.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from douse.harden.finding import AuditResult
from douse.report.audit import audit_document


def _json(result: AuditResult) -> Iterator[bytes]:
    from douse.report.machine import json_pieces

    return json_pieces(audit_document(result))


def _csv(result: AuditResult) -> Iterator[bytes]:
    from douse.report.audit_csv import render

    return render(audit_document(result))


def _html(result: AuditResult) -> Iterator[bytes]:
    from douse.report.audit_html import render

    yield render(audit_document(result)).encode("utf-8")


def _navigator(result: AuditResult) -> Iterator[bytes]:
    from douse.report.audit_navigator import layer
    from douse.report.machine import json_document

    yield json_document(layer(audit_document(result)))


FORMATS: dict[str, Callable[[AuditResult], Iterator[bytes]]] = {
    "json": _json, "csv": _csv, "html": _html, "navigator": _navigator}
