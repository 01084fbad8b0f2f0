"""Records of Fluent Bit's winevtlog and Fluentd's windows_eventlog2: a decoded document in, a flattened record out.

Both flatten System and give the data without their names: Fluent Bit as `StringInserts`, with the rendered text in
`Message`, Fluentd as a list `EventData`, with the text in `Description`. So the data are read from the text, where
messages.py can; else the record is unreadable, and says that XML keeps the names. Times are `2026-03-02 13:00:00 +0100`
and `2026/03/02 13:00:00.123456700` (local, with no zone). ProcessID and ThreadID are those of the System part.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from douse.telemetry.fields import integer
from douse.telemetry.messages import data_of, is_readable
from douse.telemetry.splunk_text import UNCERTAIN, Unreadable

RENDER_XML: Final = "Set Render_Event_As_XML On (Fluent Bit) or render_as_xml true (Fluentd); XML keeps the names."
POSITIONAL: Final = "an event whose data have no names, and whose message does not state them"
_VALUES: Final = {"StringInserts": "Message", "EventData": "Description"}
_TIME: Final = re.compile(r"(\d{4})[-/](\d\d)[-/](\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d{1,9})?)(?: ?([+-]\d\d):?(\d\d)|Z)?")
_OF_SYSTEM: Final = {
    "ProviderName": "Provider_Name", "ProviderGuid": "Provider_Guid", "ProviderGUID": "Provider_Guid",
    "ProcessID": "Execution_ProcessID", "ThreadID": "Execution_ThreadID", "UserID": "Security_UserID",
    "ActivityID": "Correlation_ActivityID", "RelatedActivityID": "Correlation_RelatedActivityID",
    **{name: name for name in ("Version", "Level", "Task", "Opcode", "Keywords", "EventRecordID")},
}


def is_fluent(record: Mapping[str, Any]) -> bool:
    """Whether a document is a record in one of these two shapes."""
    return "ProviderName" in record and any(isinstance(record.get(values), list) for values in _VALUES)


def from_fluent(record: Mapping[str, Any]) -> dict[str, Any] | Unreadable:
    """The record as other log shippers flatten it."""
    values, described = next(pair for pair in _VALUES.items() if isinstance(record.get(pair[0]), list))
    channel, message = str(record.get("Channel") or ""), str(record.get(described) or "")
    event_id = integer(record.get("EventID"), -1)
    data = data_of(channel, event_id, message)
    if data is None and record[values]:
        reason = UNCERTAIN if is_readable(channel, event_id) else POSITIONAL
        return Unreadable(reason, RENDER_XML, channel, event_id, str(record.get("Computer") or ""))
    system = {ours: record[name] for name, ours in _OF_SYSTEM.items() if record.get(name) not in (None, "")}
    return {**(data or {}), **system, "Channel": channel, "EventID": event_id, "Computer": record.get("Computer"),
            "TimeCreated": _iso(str(record.get("TimeCreated") or "")), **({"Message": message} if message else {})}


def _iso(time: str) -> str:
    """The time in ISO 8601, with its zone if it states one."""
    found = _TIME.fullmatch(time)
    if found is None:
        return time
    zone = f"{found[5]}:{found[6]}" if found[5] else "Z" if time.endswith("Z") else ""
    return f"{found[1]}-{found[2]}-{found[3]}T{found[4]}{zone}"
