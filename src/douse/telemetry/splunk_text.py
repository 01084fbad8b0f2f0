"""A record as Splunk's classic Windows input writes it (renderXml = false): its text in, a flattened record out.

    11/18/2026 09:00:05.120 AM
    LogName=Security
    EventCode=4688
    ComputerName=WS-042.corp.example
    ...
    Message=A new process has been created.

The data are in the Message only, so they are read where messages.py can; else the record is Unreadable, and says how
to get one that is not. The time in the first line is the host's, in no zone: `_time`, which Splunk's exports have
beside the text, is used where there is one. SourceName is a display name for Security; the provider is the channel's.
"""

from __future__ import annotations

import re
from typing import Any, Final, NamedTuple

from douse.telemetry.elastic import AUDIT_KEYWORDS
from douse.telemetry.fields import integer
from douse.telemetry.flattened import CLASSIC_CHANNELS, provider_of
from douse.telemetry.messages import data_of, is_readable
from douse.telemetry.times import american

RENDER_XML: Final = "Set renderXml = true for this input in Splunk's inputs.conf, so that events keep their data."
UNCERTAIN: Final = "a message whose fields cannot be told with certainty"
_FIRST_LINE: Final = re.compile(r"\d\d?/\d\d?/\d{4} \d\d?:\d\d:\d\d(?:\.\d{1,9})? [AP]M")
_HEADER: Final = re.compile(r"([A-Za-z]\w*)=(.*)")
_LONGEST_HEADER: Final = 64 * 1024


class Unreadable(NamedTuple):
    """Why a record cannot be read; what it is, where that is known, so that one nobody wants is no loss."""

    reason: str
    next_step: str = ""
    channel: str = ""
    event_id: int = -1
    host: str = ""


def begins_record(line: str) -> bool:
    """Whether a line is the first of a record: a time and nothing else."""
    return len(line) < 40 and _FIRST_LINE.fullmatch(line.strip()) is not None


def from_classic(text: str, utc: str) -> dict[str, Any] | Unreadable:
    """The record as log shippers flatten it. `utc` is its time with a zone, empty where only the text has one."""
    header, message, stated = _parts(text)
    channel = CLASSIC_CHANNELS.get(header.get("LogName", "").lower(), header.get("LogName", ""))
    event_id = integer(header.get("EventCode"), -1)
    host = header.get("ComputerName", "")
    if not channel or not 0 <= event_id < 1 << 32:
        return Unreadable("text that is no Windows event (no LogName or EventCode in it)", RENDER_XML)
    data = data_of(channel, event_id, message)
    if data is None:
        reason = (UNCERTAIN if is_readable(channel, event_id)
                  else "an event in Splunk's classic text, whose message does not state its fields")
        return Unreadable(reason, RENDER_XML, channel, event_id, host)
    return {
        **data, "Channel": channel, "EventID": event_id, "Computer": host, "TimeCreated": utc or stated,
        "Provider_Name": provider_of(channel, event_id) or header.get("SourceName", ""),
        "EventRecordID": header.get("RecordNumber", "0"), "Message": message,
        **({"Security_UserID": header["Sid"]} if "Sid" in header else {}),
        **({"Keywords": AUDIT_KEYWORDS.get(header["Keywords"].lower(), header["Keywords"])}
           if "Keywords" in header else {}),
    }


def _parts(text: str) -> tuple[dict[str, str], str, str]:
    """The header, the message and the stated time, in ISO 8601 without a zone."""
    text = text.replace("\r\n", "\n")
    before, _, message = text.partition("\nMessage=")
    header: dict[str, str] = {}
    stated = ""
    for line in before[:_LONGEST_HEADER].split("\n"):
        found = _HEADER.fullmatch(line)
        if found:
            header.setdefault(found[1], found[2].strip())
        elif not stated and begins_record(line):
            time = american(line.strip())
            stated = time.replace(tzinfo=None).isoformat() if time else ""
    return header, message, stated
