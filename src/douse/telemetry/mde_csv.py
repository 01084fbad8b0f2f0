"""Read Defender's advanced hunting as the CSV that the portal exports: a header of columns, then a row a record.

A quoted value may hold line feeds, so a row is made of lines until its quotes are even and it has as many values as
the header. Where no such row comes of it, the first line alone is lost and reading goes on with the next: one broken
quote must not swallow what follows, nor may a line feed inside a command line begin a row that is not there.
What rows mean: mde_rows.py.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.limits import Limits
from douse.telemetry.lines import Line, lines
from douse.telemetry.mde import note_zone
from douse.telemetry.mde_rows import PROVIDER, TIMES, record_of, says_no_zone
from douse.telemetry.textlog import Record, emit, lose, note_empty
from douse.telemetry.wanted import Wanted

WRONG_COUNT: Final = "not as many values as the header has columns"
NO_HEADER: Final = "no header with a column Timestamp"
_VALUE: Final = re.compile(r'(?:"((?:[^"]++|"")*+)"|([^,"]*+))(,|\Z)')
_CSV_LIMIT: Final = 131_072  # the csv module's default; it is one for the whole process, so it stays


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted rows of a CSV export; a row that does not fit the header is a counted loss."""
    found = lines(stream, limits.max_line)
    header = split(next(found, Line(1, "")).text) or []
    if not set(TIMES) & set(header):
        lose(NO_HEADER, 1, source, tally, records=None, next_step="Export the rows again with their header.")
        return
    rows = without_zone = 0
    for row in _rows(found, len(header), limits.max_line):
        rows += 1
        if row.values == header:
            continue
        record = record_of(dict(zip(header, row.values, strict=True))) if row.values else row.broken
        if isinstance(record, Record):
            without_zone += says_no_zone(dict(zip(header, row.values, strict=True)))
            yield from emit(record, row.text, PROVIDER, source, wanted, tally)
        else:
            lose(record, row.line, source, tally)
    note_empty(rows, source, tally)
    note_zone(without_zone, source, tally)


class _Row(NamedTuple):
    """A row's first line, its text and its values, or what is wrong with it."""

    line: int
    text: str
    values: list[str]
    broken: str = ""


def _rows(found: Iterator[Line], columns: int, max_row: int) -> Iterator[_Row]:
    waiting: deque[Line] = deque()
    while (first := waiting.popleft() if waiting else next(found, None)) is not None:
        if first.text.strip() or first.broken:
            yield _row(first, waiting, found, columns, max_row)


def _row(first: Line, waiting: deque[Line], found: Iterator[Line], columns: int, max_row: int) -> _Row:
    """The row that begins with a line; lines it took and did not need are put back."""
    if first.broken:
        return _Row(first.number, "", [], first.broken)
    values = split(first.text)
    if values is not None and len(values) == columns:
        return _Row(first.number, first.text, values)
    taken = _until_even(first, waiting, found, max_row)
    text = "\n".join([first.text, *(line.text for line in taken)])
    values = split(text) if taken else None
    if values is not None and len(values) == columns:
        return _Row(first.number, text, values)
    waiting.extendleft(reversed(taken))
    return _Row(first.number, "", [], WRONG_COUNT)


def _until_even(first: Line, waiting: deque[Line], found: Iterator[Line], most: int) -> list[Line]:
    """The lines after a line with an open quote up to the one that closes it; none where nothing is open or closes."""
    taken: list[Line] = []
    length, quotes = len(first.text), first.text.count('"')
    while quotes % 2 and length <= most:
        line = waiting.popleft() if waiting else next(found, None)
        if line is None or line.broken:
            if line is not None:
                taken.append(line)
            break
        taken.append(line)
        length, quotes = length + len(line.text), quotes + line.text.count('"')
    return taken


def split(text: str) -> list[str] | None:
    """The values of a row, None where its quotes are wrong."""
    if len(text) < _CSV_LIMIT and "\0" not in text:
        try:
            return next(csv.reader([text], strict=True), None)
        except csv.Error:
            return None
    values: list[str] = []
    at = 0
    while found := _VALUE.match(text, at):
        values.append(found[1].replace('""', '"') if found[1] is not None else found[2])
        at = found.end()
        if not found[3]:
            return values
    return None
