"""Rows of EvtxECmd's CSV and JSON: a row by its columns in, a nested event out.

EvtxECmd keeps a record's data in the column `Payload`, as JSON of the XML (`{"EventData": {"Data": [{"@Name": "Image",
"#text": ...}]}}`); its PayloadData1 to 6 are chosen and worded by its maps and are not read. TimeCreated is UTC and
says so only in the JSON; Level and Keywords are words. ProcessId is that of the System part, as Execution_ProcessID.
Columns as version 1.5 and later write them; a table without Payload holds no data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from douse.telemetry.elastic import AUDIT_KEYWORDS
from douse.telemetry.system import decode_document, parse_time

COLUMNS: Final = frozenset({"EventRecordId", "EventId", "Channel", "TimeCreated", "Payload"})
"""What makes a row one of EvtxECmd's, and is needed to read it."""
_LEVELS: Final = {"LogAlways": 0, "Critical": 1, "Error": 2, "Warning": 3, "Info": 4, "Verbose": 5}


def is_evtxecmd(record: Mapping[str, Any]) -> bool:
    """Whether a row is one of EvtxECmd's."""
    return record.keys() >= COLUMNS


def from_evtxecmd(record: Mapping[str, Any]) -> dict[str, Any] | None:
    """The row as a nested event; None where its Payload is damaged."""
    payload = decode_document(str(record["Payload"]))
    if payload is None:
        return None
    time = str(record["TimeCreated"])
    parsed = parse_time(time)
    stated = time + ("Z" if parsed is not None and parsed.tzinfo is None else "")
    level, keywords = record.get("Level"), str(record.get("Keywords") or "")
    system = {
        "Provider": {"#attributes": {"Name": record.get("Provider") or ""}},
        "EventID": record["EventId"],
        "Level": _LEVELS.get(str(level), level),
        "Keywords": AUDIT_KEYWORDS.get(keywords.lower(), keywords) or None,
        "TimeCreated": {"#attributes": {"SystemTime": stated}},
        "EventRecordID": record["EventRecordId"],
        "Execution": {"#attributes": {"ProcessID": record.get("ProcessId"), "ThreadID": record.get("ThreadId")}},
        "Channel": record["Channel"],
        "Computer": record.get("Computer") or "",
        "Security": {"#attributes": {"UserID": record["UserId"]}} if record.get("UserId") else None,
    }
    return {"Event": {"System": {name: value for name, value in system.items() if value is not None},
                      **{name: _data(payload[name]) for name in ("EventData", "UserData") if name in payload}}}


def _data(section: Any) -> Any:
    """The section, with the texts that empty elements lack."""
    if isinstance(section, dict) and isinstance(section.get("Data"), list | dict):
        data = section["Data"]
        items = data if isinstance(data, list) else [data]
        return {**section, "Data": [{"#text": "", **item} if isinstance(item, dict) else item for item in items]}
    return section
