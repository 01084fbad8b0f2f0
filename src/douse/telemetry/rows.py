"""The rows of a CSV file: text in, each row as a mapping by the header's names out; past a broken one, the next.

The csv module of Python splits the fields, strictly. We choose the delimiter (comma, semicolon, tab, bar) by the header
and give it the lines one by one, because a quote that is not closed would swallow the rest of the file: a row that
took several lines and has not as many fields as the header is lost, and its other lines are read again as rows. Up to
the first good one, those that are no rows were part of the lost one and are not counted.

An empty field is a field that the record has not: a table has the columns of all its records.
"""

from __future__ import annotations

import csv
from collections import deque
from collections.abc import Iterator
from typing import Final, NamedTuple, TextIO

from douse.telemetry.columns import DELIMITERS, PREAMBLE
from douse.telemetry.damage import TOO_LONG
from douse.telemetry.limits import MIB

BROKEN_ROW: Final = "broken row ({} fields instead of {})"
BROKEN_QUOTES: Final = "broken row (a quote is not closed, or stands inside a field)"
_MARK: Final = "\ufeff"  # also where files were strung together
_LONGEST_FIELD: Final = (1 << 31) - 1  # the most that csv takes on Windows


class Row(NamedTuple):
    """A row's first line in the file, and its fields by name or what is wrong with it."""

    line: int
    fields: dict[str, str]
    broken: str = ""


class _TooLong(Exception):
    """A row has more characters than is allowed."""


class _Lines:
    """The lines for the csv reader, which takes as many as a row needs; some may be given back."""

    def __init__(self, text: TextIO, max_length: int) -> None:
        self._text, self._max_length = text, max_length
        self._again: deque[str] = deque()
        self._length = 0
        self.taken: list[str] = []
        self.line = 1  # of the next row

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._text.readline(self._max_length + 1)
        if not line:
            raise StopIteration
        line = line.removeprefix(_MARK)
        self._length += len(line)
        if self._length > self._max_length:
            self._drop(line)
            raise _TooLong
        self.taken.append(line)
        return line

    def done(self, *, rest_again: bool = False) -> None:
        """A row ended; `rest_again` gives back all of its lines but the first."""
        lines = 1 if rest_again else len(self.taken)
        self._again.extendleft(reversed(self.taken[lines:]))
        self.line += sum(line.count("\n") for line in self.taken[:lines])
        self.taken, self._length = [], 0

    def _drop(self, line: str) -> None:
        """Go behind a line that is too long, without keeping it; one that only ends too long a row is kept."""
        if len(line) <= self._max_length:
            self.taken.append(line)
            return
        self.taken.append("\n")
        while line and not line.endswith("\n"):
            line = self._text.readline(MIB)


class Rows:
    """The rows of a CSV text below its header; one of more than `max_length` characters is lost."""

    def __init__(self, text: TextIO, max_length: int) -> None:
        csv.field_size_limit(min(max(csv.field_size_limit(), max_length), _LONGEST_FIELD))  # the row's length is ours
        self._lines = _Lines(text, max_length)
        self._lost_track = False  # whether this line may be the rest of a broken row of several lines
        self.header, delimiter = self._read_header()
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)

    def _read_header(self) -> tuple[list[str], str]:
        """The column names and what separates them: the delimiter that gives most of them."""
        try:
            line = next((line for line in self._lines if line.strip() and not PREAMBLE.fullmatch(line)), "")
        except _TooLong:
            line = ""
        self._lines.done()
        choices = [(next(csv.reader([line], delimiter=delimiter), []), delimiter) for delimiter in DELIMITERS]
        header, delimiter = max(choices, key=lambda choice: len(choice[0]))
        return [name.strip() for name in header], delimiter

    def __iter__(self) -> Iterator[Row]:
        lines = self._lines
        while True:
            line = lines.line
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error:
                cells, broken = [], BROKEN_QUOTES
            except _TooLong:
                cells, broken = [], TOO_LONG
            else:
                broken = self._wrong_with(cells)
            several = len(lines.taken) > 1 or broken == TOO_LONG
            lines.done(rest_again=bool(broken) and several)
            if broken and not self._lost_track:
                self._lost_track = several
                yield Row(line, {}, broken)
            elif not broken and cells:
                self._lost_track = False
                if cells != self.header:
                    yield Row(line, self._by_name(cells))

    def _wrong_with(self, cells: list[str]) -> str:
        """Why these are not a row's fields. A blank line is right, and so are empty fields behind the last column."""
        width = len(self.header)
        if cells and (len(cells) < width or any(cells[width:])):
            return BROKEN_ROW.format(len(cells), width)
        return ""

    def _by_name(self, cells: list[str]) -> dict[str, str]:
        fields: dict[str, str] = {}
        for name, cell in zip(self.header, cells, strict=False):
            if cell and name:
                fields.setdefault(name, cell)
        return fields
