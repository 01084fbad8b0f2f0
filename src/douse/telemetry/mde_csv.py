"""Read Defender's advanced hunting as the CSV that the portal exports: a header of columns, then a row a record.

rows.py finds the rows, mde_rows.py says what they mean. The counterpart for JSON is mde.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO, Final

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import lose
from douse.telemetry.decoding import decoded
from douse.telemetry.limits import Limits
from douse.telemetry.mde import note_zone
from douse.telemetry.mde_rows import PROVIDER, TIMES, record_of, says_no_zone
from douse.telemetry.rows import Rows
from douse.telemetry.textlog import Record, emit, note_empty
from douse.telemetry.wanted import Wanted

NO_HEADER: Final = "no header with a column Timestamp"


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted rows of a CSV export; a row that does not fit the header is a counted loss."""
    with decoded(stream) as text:
        rows = Rows(text, limits.max_line)
        if not set(TIMES) & set(rows.header):
            lose(NO_HEADER, 1, source, tally, records=None, next_step="Export the rows again with their header.")
            return
        found = without_zone = 0
        for found, row in enumerate(rows, start=1):  # noqa: B007 - it is the count that is wanted behind the loop
            record = row.broken or record_of(row.fields)
            if isinstance(record, Record):
                without_zone += says_no_zone(row.fields)
                yield from emit(record, "", PROVIDER, source, wanted, tally)
            else:
                lose(record, row.line, source, tally)
    note_empty(found, source, tally)
    note_zone(without_zone, source, tally)
