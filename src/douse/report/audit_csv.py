"""An audit as CSV: one row a check, so that a spreadsheet can sort by host, control or state. UTF-8, RFC 4180.

A finding without a check (a control nobody has evidence of) is a row too: a list without it would look better than the
fleet is. Each cell passes text.cell, because registry values are text of whoever could write them.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from douse.report.audit_schema import AuditDocument, CheckRow, FindingRow, SubjectRow
from douse.text import cell

COLUMNS = ("subject_kind", "subject", "owner", "role", "criticality", "control", "title", "severity", "control_state",
           "setting", "where", "user", "state", "expected", "actual", "why", "source", "source_sha256", "source_place",
           "raw_value", "verified")


def render(document: AuditDocument) -> Iterator[bytes]:
    """The header, then a row for each check in the document's order."""
    yield _line(COLUMNS)
    titles = {one["id"]: (one["title"], one["severity"]) for one in document["controls"]}
    for subject in document["subjects"]:
        for finding in subject["findings"]:
            title, severity = titles[finding["control"]]
            checks: list[CheckRow | None] = [*finding["checks"]] or [None]
            for check in checks:
                yield _line(_cells(subject, finding, check, title, severity))


def _cells(subject: SubjectRow, finding: FindingRow, check: CheckRow | None, title: str,
           severity: str) -> tuple[object, ...]:
    head = (subject["kind"], subject["name"], subject["owner"], subject["role"], subject["criticality"],
            finding["control"], title, severity, finding["state"])
    if check is None:
        return (*head, "", "", "", finding["state"], "", "", finding["why"], "", "", "", "", "")
    cited = check["cited"]
    return (*head, check["setting"], check["where"], check["profile"], check["state"], check["expected"],
            check["actual"], check["why"], "; ".join(one["file"] for one in cited),
            "; ".join(one["sha256"] for one in cited), "; ".join(one["where"] for one in cited),
            "; ".join(one["value"] for one in cited), "yes" if check["verified"] else "no")


def _line(values: tuple[object, ...]) -> bytes:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(cell, values))
    return text.getvalue().encode("utf-8")
