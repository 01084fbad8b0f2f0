"""Read Windows events from CSV: a file with a header in, Events out.

Read are EvtxECmd's output, exports of Elastic (`winlog.event_data.Image`) and of Splunk (`_raw`), and any table with a
column each for channel, event id and time, whose other columns are fields by Sigma's names. Each row becomes a shape
that jsonl.py reads (shapes.py, relay.py). Times are ISO 8601; what states no zone is looked for as in a flattened log.

What Event Viewer and `Get-WinEvent | Export-Csv` save has no event data and cannot be read; a file that lacks columns
is one loss that names them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from douse.model import Event, Loss, Source
from douse.telemetry import flattened
from douse.telemetry.coverage import Tally
from douse.telemetry.decoding import decoded
from douse.telemetry.documents import TOO_LONG
from douse.telemetry.elastic import is_elastic
from douse.telemetry.exports import as_document
from douse.telemetry.limits import Limits
from douse.telemetry.relay import Document, relay
from douse.telemetry.rows import Rows
from douse.telemetry.system import parse_time
from douse.telemetry.wanted import Wanted

NO_TIME: Final = "a time that is not in ISO 8601"
_COLUMNS: Final = {
    "Channel": (*flattened.CHANNEL, "winlog.channel"),
    "EventID": (*flattened.EVENT_ID, "EventCode", "event.code", "winlog.event_id"),
    "TimeCreated": (*flattened.TIME, "_time"),
}
"""What a table must have, and the names it may have it under."""
_SIGMA_NAMES: Final = {name.lower(): name for names in (
    flattened.CHANNEL, flattened.EVENT_ID, flattened.HOST, flattened.PROVIDER, flattened.RECORD_ID, flattened.TIME)
    for name in names}
_USELESS: Final = (
    ({"event id", "date and time"}, "Event Viewer's CSV holds no event data. Save the log as .evtx or as XML."),
    ({"logname", "id", "providername"}, "Get-WinEvent's CSV holds no event data by name. Export with its ToXml()."),
    ({"eventid", "channel", "mapdescription"}, "Let EvtxECmd write the column Payload (version 1.5 or later)."),
)
"""Columns of known tables that cannot be read, and what to do instead."""
_MOST_SHOWN: Final = 8
_LONGEST_SHOWN: Final = 40


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a CSV file, in its order; anything else in it is counted on the tally."""
    with decoded(stream) as text:
        rows = Rows(text, limits.max_line)
        problem = _problem(rows.header)
        if problem is not None:
            tally.lose(Loss(source, "line 1", *problem))
            return
        yield from relay(_documents(rows, source, wanted, tally), source, wanted, tally, limits)


def _documents(rows: Rows, source: Source, wanted: Wanted, tally: Tally) -> Iterator[Document]:
    spelled = {name: _SIGMA_NAMES.get(name.lower(), name) for name in rows.header}
    for row in rows:
        where = f"line {row.line}"
        if row.broken:
            tally.lose(Loss(source, where, row.broken, 1, "Raise --max-line to read it." * (row.broken == TOO_LONG)))
            continue
        record: Mapping[str, Any] = row.fields
        if "_raw" not in record and not is_elastic(record):
            record = {spelled[name]: value for name, value in record.items()}
            if not any(parse_time(record.get(name)) for name in _COLUMNS["TimeCreated"]):
                tally.lose(Loss(source, where, NO_TIME, 1, "Export times as ISO 8601, in UTC and saying so."))
                continue
        yield from as_document(record, row.line, source, wanted, tally)


def _problem(header: list[str]) -> tuple[str, None, str] | None:
    """Why a table with these columns cannot be read: the reason, how many records (nobody knows), what to do."""
    names = {name.lower() for name in header}
    if "_raw" in names:
        return None
    missing = [column for column, known in _COLUMNS.items() if not names & {name.lower() for name in known}]
    useless = next((advice for columns, advice in _USELESS if columns <= names), "")
    if "mapdescription" in names and "payload" in names:
        useless = ""
    if not missing and not useless:
        return None
    shown = ", ".join(name[:_LONGEST_SHOWN] for name in header[:_MOST_SHOWN]) + ", ..." * (len(header) > _MOST_SHOWN)
    lacks = f"no column for {' and '.join(missing)}" if missing else "no columns with event data"
    return (f"a CSV that is no event log: {lacks} (it has: {shown})", None,
            useless or "Export with Channel, EventID, TimeCreated and a column for each field, or with _raw.")
