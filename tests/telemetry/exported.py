"""The same records as other tools export them, made from what the EVTX reader's library gives: JSON in, their text out.

Shapes by their makers' sources: Winlogbeat 8 (beats, winlogbeat/sys/winevent), EvtxECmd 1.5 (header and Payload),
Splunk's search export. `xml_of` is the library's own XML.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from evtx import PyEvtxParser

EVTXECMD = (
    "RecordNumber", "EventRecordId", "TimeCreated", "EventId", "Level", "Provider", "Channel", "ProcessId", "ThreadId",
    "Computer", "ChunkNumber", "UserId", "MapDescription", "UserName", "RemoteHost", "PayloadData1", "PayloadData2",
    "PayloadData3", "PayloadData4", "PayloadData5", "PayloadData6", "ExecutableInfo", "HiddenRecord", "SourceFile",
    "Keywords", "ExtraDataOffset", "Payload")
_LEVELS = {0: "LogAlways", 1: "Critical", 2: "Error", 3: "Warning", 4: "Info", 5: "Verbose"}
_AUDIT = {"0x8020000000000000": "Audit Success", "0x8010000000000000": "Audit Failure"}
NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"


def events_of(log: Path) -> Iterator[dict[str, Any]]:
    """What lies under `Event` of every record of an EVTX file."""
    for record in PyEvtxParser(str(log)).records_json():
        yield json.loads(record["data"])["Event"]


def xml_of(log: Path) -> Iterator[str]:
    """Every record of an EVTX file as the library's XML, without the declaration it puts before each."""
    for record in PyEvtxParser(str(log)).records():
        yield record["data"].partition("?>")[2].strip()


def shown(value: object) -> str:
    """A value as Windows writes it in XML."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def attribute(event: dict[str, Any], element: str, name: str) -> Any:
    """An attribute of an element of System."""
    return ((event["System"].get(element) or {}).get("#attributes") or {}).get(name, "")


def winlogbeat(event: dict[str, Any]) -> dict[str, Any]:
    """The record as Winlogbeat 8 writes it: empty values left out, numbers and keywords as text."""
    system = event["System"]
    log = {
        "channel": system["Channel"], "event_id": str(system["EventID"]), "computer_name": system["Computer"],
        "provider_name": attribute(event, "Provider", "Name"), "provider_guid": attribute(event, "Provider", "Guid"),
        "record_id": str(system["EventRecordID"]), "opcode": "Info", "version": system["Version"],
        "process": {"pid": attribute(event, "Execution", "ProcessID"),
                    "thread": {"id": attribute(event, "Execution", "ThreadID")}},
        "event_data": {name: shown(value).replace("\r\n", "\n") for name, value in (event["EventData"] or {}).items()
                       if shown(value)},
        "keywords": [_AUDIT[system["Keywords"]]] if system["Keywords"] in _AUDIT else [], "api": "wineventlog",
    }
    if attribute(event, "Security", "UserID"):
        log["user"] = {"identifier": attribute(event, "Security", "UserID")}
    return {"@timestamp": attribute(event, "TimeCreated", "SystemTime"), "winlog": log, "log": {"level": "information"},
            "event": {"code": str(system["EventID"]), "kind": "event", "provider": log["provider_name"]},
            "host": {"name": "ws"}, "ecs": {"version": "8.0.0"}, "agent": {"type": "winlogbeat"},
            "message": f"A record of {log['channel']}."}


def evtxecmd(events: Iterable[dict[str, Any]]) -> str:
    """The records as EvtxECmd's CSV, with its mark, its order and its line ends."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, EVTXECMD)
    writer.writeheader()
    for number, event in enumerate(events):
        system = event["System"]
        data = [{"@Name": name, "#text": shown(value)} if shown(value) else {"@Name": name}
                for name, value in (event["EventData"] or {}).items()]
        writer.writerow({
            "RecordNumber": number, "EventRecordId": system["EventRecordID"], "EventId": system["EventID"],
            "TimeCreated": attribute(event, "TimeCreated", "SystemTime").replace("T", " ").replace("Z", "7"),
            "Level": _LEVELS[system["Level"]], "Provider": attribute(event, "Provider", "Name"),
            "Channel": system["Channel"], "ProcessId": attribute(event, "Execution", "ProcessID"),
            "ThreadId": attribute(event, "Execution", "ThreadID"), "Computer": system["Computer"],
            "UserId": attribute(event, "Security", "UserID"), "MapDescription": "Process creation",
            "PayloadData1": "ProcessID: 4", "HiddenRecord": "False", "SourceFile": r"D:\logs\a.evtx",
            "Keywords": _AUDIT.get(system["Keywords"], "Classic").replace("S", "s").replace("F", "f"),
            "ExtraDataOffset": 0, "Payload": json.dumps({"EventData": {"Data": data, "Binary": ""}})})
    return "\ufeff" + out.getvalue()


def dotted(events: Iterable[dict[str, Any]]) -> str:
    """The records as a table with a column for each path of a Winlogbeat document."""
    rows = [{"@timestamp": document["@timestamp"], "event.code": document["event"]["code"],
             **dict(paths(document["winlog"], "winlog"))} for document in map(winlogbeat, events)]
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, list(dict.fromkeys(name for row in rows for name in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def paths(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Each leaf of a document with its path."""
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from paths(inner, f"{path}.{name}")
    else:
        yield path, ", ".join(value) if isinstance(value, list) else value


def splunk(xml: str, time: str = "") -> dict[str, Any]:
    """A line of Splunk's JSON export of an XmlWinEventLog event."""
    return {"preview": False, "offset": 0, "result": {
        "_raw": xml, "_time": time, "host": "ws-042", "source": "XmlWinEventLog:Security", "linecount": "1",
        "sourcetype": "XmlWinEventLog"}}
