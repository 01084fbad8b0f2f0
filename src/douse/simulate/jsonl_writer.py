"""Records to JSON Lines, nested as `evtx_dump` nests them: one object a line, attributes under `#attributes`.

Field for field this is what a reader of the EVTX file gets, so a scenario gives the same events in both formats.
The counterpart is evtx_writer.py.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any, BinaryIO

from douse.simulate.record import Record
from douse.simulate.values import Value, time_text

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"


def _shown(value: Value) -> str | int | bool:
    return time_text(value) if isinstance(value, datetime) else value


def _attributes(**attributes: str | int) -> dict[str, Any] | None:
    """An element that has attributes only: those that are there, or null where none is."""
    present = {name: value for name, value in attributes.items() if value != ""}
    return {"#attributes": present} if present else None


def nested(record: Record) -> dict[str, Any]:
    """The record as one JSON object, as `evtx_dump` and the `evtx` library render it."""
    system = {
        "Provider": _attributes(Name=record.provider, Guid=record.provider_guid),
        "EventID": record.event_id,
        "Version": record.version,
        "Level": record.level,
        "Task": record.task,
        "Opcode": record.opcode,
        "Keywords": f"0x{record.keywords:x}",
        "TimeCreated": _attributes(SystemTime=time_text(record.time)),
        "EventRecordID": record.record_id,
        "Correlation": _attributes(ActivityID=record.activity_id),
        "Execution": _attributes(ProcessID=record.process_id, ThreadID=record.thread_id),
        "Channel": record.channel or None,  # as the library renders an empty element
        "Computer": record.computer or None,
        "Security": _attributes(UserID=record.user_sid),
    }
    data = {name: _shown(value) for name, value in record.data.items()}
    return {"Event": {"#attributes": {"xmlns": NAMESPACE}, "System": system, "EventData": data or None}}


class JsonlWriter:
    """Writes records to a binary stream, one line each."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.records = 0

    def write(self, record: Record) -> None:
        """Append a record as one line of UTF-8."""
        line = json.dumps(nested(record), ensure_ascii=False, separators=(",", ":"))
        self._stream.write(line.encode("utf-8", "backslashreplace") + b"\n")
        self.records += 1

    def close(self) -> None:
        """Nothing is left to write; here so that both writers are used alike."""
