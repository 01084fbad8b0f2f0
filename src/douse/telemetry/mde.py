"""Read Defender's advanced hunting as JSON: rows in an array or one a line, an answer of the API, or streamed events.

Shapes: a row itself; `{"Schema": [...], "Results": [rows]}` of the API (of Microsoft Graph in lower case);
`{"time": ..., "category": "AdvancedHunting-DeviceFileEvents", "properties": row}`, alone or in `{"records": [...]}`, as
streamed to storage. An answer's head is skipped, so that its rows are read one by one and a broken one costs only
itself. What rows mean: mde_rows.py. The counterpart for the portal's CSV is mde_csv.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO, Final, cast

from douse.model import Event, Loss, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.documents import NOT_JSON, Documents
from douse.telemetry.limits import Limits
from douse.telemetry.mde_rows import PROVIDER, record_of, says_no_zone, table_name
from douse.telemetry.streams import PEEK
from douse.telemetry.system import decode_document
from douse.telemetry.textlog import Record, emit, lose, note_empty
from douse.telemetry.wanted import Wanted

_ROWS: Final = re.compile(rb'"(?:results|records)"\s*:\s*\[', re.IGNORECASE)
_A_ROW: Final = re.compile(rb'"(?:Timestamp|TimeGenerated|category)"\s*:', re.IGNORECASE)
_TAIL: Final = re.compile(  # the list's end, then perhaps short members of the answer, then the answer's end
    rb'(?:(?<=\})|\A)\s*\]\s*(?:,\s*"[^"]{1,60}"\s*:\s*(?:"[^"]*+"|[\w.+-]+|\{[^{}]*+\}|\[[^\[\]]*+\])\s*)*+\}\s*\Z')
_HELD: Final = 16_384
CUT_OFF_LIST: Final = "the answer ends before its list of rows does"


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted rows of a JSON export; a document that is none is a counted loss."""
    rows = _Rows(stream)
    found = Documents(cast("BinaryIO", rows), limits.max_line)
    without_zone = 0
    for document in found:
        row = decode_document(document.text) if document.text else None
        record = None if row is None else _record(row)
        if isinstance(record, Record):
            found.found_event()
            without_zone += says_no_zone(_row(row or {}))
            yield from emit(record, document.text, PROVIDER, source, wanted, tally)
        elif not document.fragment:
            lose(document.broken or record or NOT_JSON, document.line, source, tally)
    if rows.cut_off:
        tally.lose(Loss(source, "", CUT_OFF_LIST, None, "Look for a complete copy of the file."))
    elif rows.is_answer and not rows.given:
        note_empty(0, source, tally)
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


class _Rows:
    """A stream less what is around the rows of an answer: `{"Schema": [...], "Results": [` before, `]}` behind.

    Documents only calls `read`. The last bytes are held back until the end shows whether they are the answer's own;
    `cut_off` says then that they are not. `given` counts the bytes of rows.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._held = stream.read(PEEK)
        rows = _ROWS.search(self._held)
        self.is_answer = rows is not None and _A_ROW.search(self._held, 0, rows.start()) is None
        self.cut_off = False
        self.given = 0
        self._ended = False
        if rows is not None and self.is_answer:
            skipped = self._held[:rows.end()].count(b"\n")
            self._held = b"\n" * skipped + self._held[rows.end():]

    def read(self, size: int) -> bytes:
        """The next bytes, fewer than asked for only near the end."""
        while self.is_answer and not self._ended and len(self._held) < size + _HELD:
            data = self._stream.read(max(size, PEEK))
            self._held += data
            if not data:
                self._ended = True
                tail = _TAIL.search(self._held)
                self.cut_off = tail is None
                self._held = self._held[:tail.start()] if tail else self._held
        given, self._held = self._held[:size], self._held[size:]
        self.given += len(given.strip())
        return given if given or self.is_answer else self._stream.read(size)
