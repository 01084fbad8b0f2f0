"""Read Defender's advanced hunting as JSON: rows in an array or one a line, an answer of the API, or streamed events.

Shapes: a row itself; `{"Schema": [...], "Results": [rows]}` of the API (of Microsoft Graph in lower case);
`{"time": ..., "category": "AdvancedHunting-DeviceFileEvents", "properties": row}`, alone or in `{"records": [...]}`, as
streamed to storage (envelope.py). What rows mean: mde_rows.py. The counterpart for the portal's CSV is mde_csv.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import NOT_JSON, lose
from douse.telemetry.documents import Documents
from douse.telemetry.envelope import is_empty
from douse.telemetry.limits import Limits
from douse.telemetry.mde_rows import PROVIDER, record_of, says_no_zone, table_name
from douse.telemetry.system import decode_document
from douse.telemetry.textlog import Record, emit, note_empty
from douse.telemetry.wanted import Wanted


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted rows of a JSON export; a document that is none is a counted loss."""
    found = Documents(stream, limits.max_line)
    without_zone = 0
    for document in found:
        row = decode_document(document.text) if document.text else None
        record = None if row is None else _record(row)
        if row is not None and is_empty(row):
            note_empty(0, source, tally)
        elif isinstance(record, Record):
            found.found_event()
            without_zone += says_no_zone(_row(row or {}))
            yield from emit(record, document.text, PROVIDER, source, wanted, tally)
        elif not document.fragment:
            lose(document.broken or record or NOT_JSON, document.line, source, tally, document.records)
    note_zone(without_zone, source, tally)


def note_zone(rows: int, source: Source, tally: Tally) -> None:
    """Tell the reader of the result that times did not say their zone."""
    if rows:
        tally.note(f"{source}: times of {rows:,} rows state no zone; taken as UTC")


def _record(document: Mapping[str, Any]) -> Record | str:
    return record_of(_row(document), table_name(str(document.get("category", ""))) if "properties" in document else "")


def _row(document: Mapping[str, Any]) -> Mapping[str, Any]:
    properties = document.get("properties")
    return properties if isinstance(properties, dict) else document
