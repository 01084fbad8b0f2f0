"""A hunt as SARIF 2.1.0, for code-scanning views and other readers of findings: a document in, JSON out.

A result is an incident or an alert. Its place is the file of evidence (physical) and host, log and record (logical): a
record has no line. `partialFingerprints` carries the id, which stays the same from hunt to hunt, so that a reader knows
a finding again. Levels: critical and high are `error`, medium `warning`, the rest `note`. ATT&CK is a taxonomy.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final
from urllib.parse import quote

from douse.content.attack import attack
from douse.report.machine import json_pieces
from douse.report.on_demand import Rows
from douse.report.schema import AlertRow, Document, ErrorRow, IncidentRow
from douse.report.told import reason

SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
INCIDENT: Final = "douse-incident"
LEVEL: Final = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "informational": "note"}
RANK: Final = {"critical": 100.0, "high": 80.0, "medium": 50.0, "low": 20.0, "informational": 5.0}
_ATTACK: Final = "ATT&CK"
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]")

Part = dict[str, Any]


def render(document: Document) -> Iterator[bytes]:
    """The log as JSON. Alerts are read three times, in order, and not kept."""
    return json_pieces({"$schema": SCHEMA, "version": "2.1.0", "runs": [_run(document)]})


def _run(document: Document) -> Part:
    rules = _rules(document)
    places = {name: number for number, name in enumerate(rules)}
    techniques = dict.fromkeys(one for alert in document["alerts"] for one in alert["techniques"])
    techniques.update(dict.fromkeys(one for row in document["incidents"] for one in _techniques(row)))
    alerts = document["alerts"]
    incidents = document["incidents"]

    def result(number: int) -> Part:
        return _incident(incidents[number]) if number < len(incidents) else _alert(alerts[number - len(incidents)],
                                                                                    places)

    return {
        "tool": {"driver": {"name": "Douse", "version": document["provenance"]["version"] or "0",
                            "rules": list(rules.values()),
                            "supportedTaxonomies": [{"name": _ATTACK}]}},
        "taxonomies": [_taxonomy(document["provenance"]["attack_version"], list(techniques))],
        "invocations": [_invocation(document)],
        "artifacts": [_artifact(one["path"], one["size"], one["sha256"]) for one in document["provenance"]["inputs"]],
        "columnKind": "unicodeCodePoints",
        "results": Rows(range(len(incidents) + len(alerts)), result),
    }


def _rules(document: Document) -> dict[str, Part]:
    """The rules that gave a result, each once, that of incidents first."""
    found: dict[str, Part] = {INCIDENT: {"id": INCIDENT, "name": "Incident", "shortDescription": {
        "text": "Alerts of one intrusion on one host, with their story."}}}
    for alert in document["alerts"]:
        if alert["rule_id"] not in found:
            found[alert["rule_id"]] = {
                "id": alert["rule_id"], "shortDescription": {"text": alert["title"] or alert["rule_id"]},
                "defaultConfiguration": {"level": LEVEL[alert["level"]]},
                "properties": {"security-severity": f"{RANK[alert['level']] / 10:.1f}"}}
    return found


def _incident(row: IncidentRow) -> Part:
    return {
        "ruleId": INCIDENT, "ruleIndex": 0, "level": LEVEL[row["level"]], "rank": RANK[row["level"]],
        "message": {"text": f"{row['title']} on {row['host']}. {row['verdict']}".strip()},
        "locations": [{"logicalLocations": [{"name": row["host"], "kind": "host"}]}],
        "partialFingerprints": {"douseIncidentId/v1": row["incident_id"]},
        "taxa": _taxa(_techniques(row)),
        "properties": {"level": row["level"], "score": row["score"], "firstSeen": row["first_seen"],
                       "lastSeen": row["last_seen"], "alerts": len(row["alerts"]), "users": row["users"]},
    }


def _alert(row: AlertRow, places: dict[str, int]) -> Part:
    record = "/".join((row["host"], row["channel"], str(row["record_id"])))
    return {
        "ruleId": row["rule_id"], "ruleIndex": places[row["rule_id"]], "level": LEVEL[row["level"]],
        "rank": RANK[row["level"]],
        "message": {"text": f"{row['title']}: {reason(row)}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri(row["file"])}},
                       "logicalLocations": [{"name": str(row["record_id"]), "fullyQualifiedName": record,
                                             "kind": "record"}]}],
        "partialFingerprints": {"douseAlertId/v1": row["alert_id"]},
        "taxa": _taxa(row["techniques"]),
        "properties": {"level": row["level"], "time": row["time"], "host": row["host"], "channel": row["channel"],
                       "eventId": row["event_id"], "member": row["member"]},
    }


def _techniques(row: IncidentRow) -> list[str]:
    return list(dict.fromkeys(one for step in row["steps"] for one in step["techniques"]))


def _taxa(techniques: Sequence[str]) -> list[Part]:
    return [{"id": one, "toolComponent": {"name": _ATTACK}} for one in dict.fromkeys(techniques)]


def _taxonomy(version: str, techniques: Sequence[str]) -> Part:
    known = attack().techniques
    taxa = [{"id": one, **({"name": known[one].title} if one in known else {})} for one in techniques]
    return {"name": _ATTACK, **({"version": version} if version else {}), "organization": "MITRE",
            "informationUri": "https://attack.mitre.org/", "isComprehensive": False, "taxa": taxa}


def _invocation(document: Document) -> Part:
    run = document["provenance"]
    return {
        "executionSuccessful": not document["summary"]["partial"],
        "commandLine": run["command_line"],
        "startTimeUtc": run["started"],
        "endTimeUtc": run["finished"],
        "toolExecutionNotifications": [_notification(one) for one in document["errors"]],
    }


def _notification(error: ErrorRow) -> Part:
    text = " ".join(filter(None, (f"{error['where']}: {error['what']}", error["next_step"])))
    return {"level": "warning", "message": {"text": text}, "properties": {"kind": error["error"]}}


def _artifact(path: str, size: int, sha256: str) -> Part:
    return {"location": {"uri": uri(path)}, "length": size, **({"hashes": {"sha-256": sha256}} if sha256 else {})}


def uri(path: str) -> str:
    """A path as a URI reference: `file:///C:/logs/a.evtx`, `logs/a%20b.evtx`."""
    whole = path.replace("\\", "/") if _DRIVE.match(path) or path.startswith("\\\\") else path
    escaped = quote(whole.encode("utf-8", "backslashreplace"), safe="/:" if _DRIVE.match(path) else "/")
    if _DRIVE.match(path):
        return f"file:///{escaped}"
    if whole.startswith("//"):
        return f"file:{escaped}"
    return f"file://{escaped}" if whole.startswith("/") else escaped
