"""A hunt as CSV: a document in, one row an alert out, with its incident. UTF-8, RFC 4180, every cell in quotes.

Evidence is read in spreadsheets, so each cell passes text.cell: hidden characters are written out and nothing is a
formula. Columns are the same for every hunt, so that two files can be joined.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO

from douse.report.schema import AlertRow, Document, IncidentRow
from douse.report.told import facts, incident_of_alert, reason, tactics
from douse.text import cell

COLUMNS = ("time", "level", "host", "user", "rule", "rule_id", "alert_id", "incident_id", "incident_level",
           "incident_title", "evidence", "process", "pid", "command_line", "techniques", "tactics", "evidence_class",
           "store", "stage", "channel", "event_id", "record_id", "source")
"""`evidence` is why the rule fired: the fields it looked at and their values."""


def render(document: Document) -> Iterator[bytes]:
    """The header, then a row for each alert in the document's order."""
    yield _line(COLUMNS)
    incidents = incident_of_alert(document)
    for alert in document["alerts"]:
        yield _line(tuple(cells(alert, incidents.get(alert["alert_id"])).values()))


def cells(alert: AlertRow, incident: IncidentRow | None) -> dict[str, object]:
    """The cells of an alert by column."""
    named = facts(alert)
    values = {
        **{name: value for name, value in alert.items() if name in COLUMNS and name != "techniques"},
        **{name: named.get(name, "") for name in ("user", "process", "pid", "command_line")},
        "rule": alert["title"],
        "incident_id": incident["incident_id"] if incident else "",
        "incident_level": incident["level"] if incident else "",
        "incident_title": incident["title"] if incident else "",
        "evidence": reason(alert),
        "techniques": " ".join(alert["techniques"]),
        "tactics": ", ".join(tactics(alert)),
    }
    return {name: values[name] for name in COLUMNS}


def _line(values: tuple[object, ...]) -> bytes:
    text = StringIO()
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow(map(cell, values))
    return text.getvalue().encode("utf-8")
