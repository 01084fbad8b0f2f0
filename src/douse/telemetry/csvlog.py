"""Read Windows events from CSV: a file with a header in, Events out.

Read are EvtxECmd's output, exports of Elastic (`winlog.event_data.Image`) and of Splunk (`_raw`), and any table with a
column each for channel, event id and time, whose other columns are fields by Sigma's names. Each row becomes a shape
that jsonl.py reads (shapes.py, relay.py). Times are ISO 8601; what states no zone is looked for as in a flattened log.

What Event Viewer and `Get-WinEvent | Export-Csv` save has no event data and cannot be read; a file that lacks columns
is one loss that names them (columns.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final

from douse.model import Event, Source
from douse.telemetry import columns
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import lose
from douse.telemetry.decoding import decoded
from douse.telemetry.elastic import is_elastic
from douse.telemetry.exports import as_document
from douse.telemetry.limits import Limits
from douse.telemetry.relay import Document, relay
from douse.telemetry.rows import Rows
from douse.telemetry.system import parse_time
from douse.telemetry.textlog import note_empty
from douse.telemetry.wanted import Wanted

NO_TIME: Final = "a time that is not in ISO 8601"
_SIGMA_NAMES: Final = {name.lower(): name for names in (
    columns.CHANNEL, columns.EVENT_ID, columns.HOST, columns.PROVIDER, columns.RECORD_ID, columns.TIME)
    for name in names}


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a CSV file, in its order; anything else in it is counted on the tally."""
    with decoded(stream) as text:
        rows = Rows(text, limits.max_line)
        problem = columns.problem(rows.header)
        if problem is not None:
            lose(problem[0], 1, source, tally, None, problem[1])
            return
        yield from relay(_documents(rows, source, wanted, tally), source, wanted, tally, limits)


def _documents(rows: Rows, source: Source, wanted: Wanted, tally: Tally) -> Iterator[Document]:
    spelled = {name: _SIGMA_NAMES.get(name.lower(), name) for name in rows.header}
    found = 0
    for found, row in enumerate(rows, start=1):  # noqa: B007 - it is the count that is wanted behind the loop
        if row.broken:
            lose(row.broken, row.line, source, tally)
            continue
        record: Mapping[str, Any] = row.fields
        if columns.RAW not in record and not is_elastic(record):
            record = {spelled[name]: value for name, value in record.items()}
            if not any(parse_time(record.get(name)) for name in columns.NEEDED["TimeCreated"]):
                lose(NO_TIME, row.line, source, tally, next_step="Export times as ISO 8601, in UTC and saying so.")
                continue
        yield from as_document(record, row.line, source, wanted, tally)
    note_empty(found, source, tally)
