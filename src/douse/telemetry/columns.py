"""The names under which exports have what every Windows event has, and what the header of a table says: columns in,
why the table cannot be read out.

A column each for channel, event id and time makes a table of events, and so does Splunk's `_raw`. Some tables are
known to hold no event data; each has its own advice, so that it is not taken for a file that is no evidence.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

CHANNEL: Final = ("Channel", "LogName")
EVENT_ID: Final = ("EventID", "EventId", "Event_ID")
HOST: Final = ("Computer", "Hostname", "ComputerName", "MachineName")
PROVIDER: Final = ("Provider_Name", "SourceName", "ProviderName")
RECORD_ID: Final = ("EventRecordID", "RecordNumber", "EventRecordId", "RecordId")
TIME: Final = ("TimeCreated", "TimeCreated_SystemTime", "SystemTime", "EventTime", "@timestamp", "UtcTime")
RAW: Final = "_raw"
"""Splunk's column with the text of a record."""

DELIMITERS: Final = ",;\t|"
PREAMBLE: Final = re.compile(r"sep=.\s*|#TYPE [^\n]*\s*")
"""What Excel reads, and PowerShell writes, before the header."""

NEEDED: Final = {
    "Channel": (*CHANNEL, "winlog.channel"),
    "EventID": (*EVENT_ID, "EventCode", "event.code", "winlog.event_id"),
    "TimeCreated": (*TIME, "_time"),
}
"""What a table must have, and the names it may have it under."""
_EVENT_VIEWER: Final = "Event Viewer's CSV holds no event data. Save the log as .evtx or as XML."
_USELESS: Final = (
    ({"event id", "date and time"}, _EVENT_VIEWER),
    *(({*columns}, _EVENT_VIEWER) for columns in (  # in German, French, Spanish and Italian; verified: false
        ("ebene", "datum und uhrzeit", "quelle"), ("niveau", "date et heure", "source"),
        ("nivel", "fecha y hora", "origen"), ("livello", "data e ora", "origine"))),
    ({"logname", "id", "providername"}, "Get-WinEvent's CSV holds no event data by name. Export with its ToXml()."),
    ({"eventid", "channel", "mapdescription"}, "Let EvtxECmd write the column Payload (version 1.5 or later)."),
)
"""Columns of known tables that cannot be read, and what to do instead."""
_MOST_SHOWN: Final = 8
_LONGEST_SHOWN: Final = 40


def problem(header: list[str]) -> tuple[str, str] | None:
    """Why a table with these columns cannot be read, and what to do; None where it can."""
    names = {name.lower() for name in header}
    missing, useless = _missing(names), _useless(names)
    if not missing and not useless:
        return None
    shown = ", ".join(name[:_LONGEST_SHOWN] for name in header[:_MOST_SHOWN]) + ", ..." * (len(header) > _MOST_SHOWN)
    lacks = f"no column for {' and '.join(missing)}" if missing else "no columns with event data"
    return (f"a CSV that is no event log: {lacks} (it has: {shown})",
            useless or "Export with Channel, EventID, TimeCreated and a column for each field, or with _raw.")


def are_known(header: Iterable[str]) -> bool:
    """Whether columns are those of events, or of a table that is known to be no use."""
    names = {name.lower() for name in header}
    return not _missing(names) or bool(_useless(names))


def _missing(names: set[str]) -> list[str]:
    if RAW in names:
        return []
    return [column for column, known in NEEDED.items() if not names & {name.lower() for name in known}]


def _useless(names: set[str]) -> str:
    if RAW in names or {"mapdescription", "payload"} <= names:
        return ""
    return next((advice for columns, advice in _USELESS if columns <= names), "")
