"""A hunt as a Timesketch timeline: a document in, JSON Lines out, one event an alert and one a step of an incident.

`datetime` and `timestamp` (whole microseconds since 1970) are both given, because Timesketch reads a lone `timestamp`
in its own time zone. Names are fixed and none begins with `__ts_`: an attacker's field names would fill the index's
table of fields, so all fields of a record are one text. A text is cut at 32,766 bytes, the longest that OpenSearch
indexes as a keyword. Source: timesketch, docs/guides/user/import-from-json-csv.md and lib/utils.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

from douse.report.machine import json_lines
from douse.report.schema import AlertRow, Document, IncidentRow, StepRow
from douse.report.told import facts, incident_of_alert, reason, tactics

MAX_BYTES = 32_766
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def render(document: Document) -> Iterator[bytes]:
    """The steps of each incident, then the alerts."""
    return json_lines(events(document))


def events(document: Document) -> Iterator[dict[str, Any]]:
    """The events as dicts."""
    for incident in document["incidents"]:
        for number, step in enumerate(incident["steps"], 1):
            yield _fitting(_step(incident, number, step))
    incidents = incident_of_alert(document)
    for alert in document["alerts"]:
        yield _fitting(_alert(alert, incidents.get(alert["alert_id"])))


def _when(time: str) -> dict[str, Any]:
    moment = datetime.fromisoformat(time).astimezone(UTC)
    return {"datetime": moment.isoformat(), "timestamp": (moment - _EPOCH) // timedelta(microseconds=1)}


def _step(incident: IncidentRow, number: int, step: StepRow) -> dict[str, Any]:
    told = f"[{step['level']}] {step['title']}"
    return {
        "message": f"{told}: {step['detail']}" if step["detail"] else told,
        **_when(step["time"]),
        "timestamp_desc": "Incident step",
        "tag": ["douse", "incident", step["level"], *step["techniques"]],
        "level": step["level"],
        "computer_name": incident["host"],
        "process": step["process"],
        "techniques": " ".join(step["techniques"]),
        "evidence": step["evidence"],
        "alert_ids": " ".join(step["alerts"]),
        "incident_id": incident["incident_id"],
        "incident_title": incident["title"],
        "incident_level": incident["level"],
        "step": number,
    }


def _alert(alert: AlertRow, incident: IncidentRow | None) -> dict[str, Any]:
    return {
        "message": f"[{alert['level']}] {alert['title']}: {reason(alert)}",
        **_when(alert["time"]),
        "timestamp_desc": "Event time",
        "tag": ["douse", "alert", alert["level"], *alert["techniques"]],
        "level": alert["level"],
        "computer_name": alert["host"],
        **facts(alert),
        "techniques": " ".join(alert["techniques"]),
        "tactics": ", ".join(tactics(alert)),
        "rule": alert["title"],
        "rule_id": alert["rule_id"],
        "alert_id": alert["alert_id"],
        "channel": alert["channel"],
        "event_identifier": alert["event_id"],
        "record_number": alert["record_id"],
        "source_file": alert["source"],
        "fields": "; ".join(f"{name}={value}" for name, value in alert["fields"].items()),
        "incident_id": incident["incident_id"] if incident else "",
        "incident_title": incident["title"] if incident else "",
        "incident_level": incident["level"] if incident else "",
    }


def _fitting(event: dict[str, Any]) -> dict[str, Any]:
    """The event with its texts cut to MAX_BYTES, without those that are empty."""
    return {name: _cut(value) if isinstance(value, str) else [_cut(one) for one in value] if name == "tag" else value
            for name, value in event.items() if value != ""}


def _cut(text: str) -> str:
    raw = text.encode("utf-8", "backslashreplace")
    return raw[:MAX_BYTES].decode("utf-8", "ignore")
