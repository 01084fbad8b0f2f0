"""Rows of a CSV from strangers: text in, line numbers and cells by column out.

The separator is the one that the header has most of (comma, semicolon, tab: Excel writes the user's). Each row is read
by itself, so that an open quote or a row of another length costs that row; those are counted.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field

from douse.errors import EvidenceError

MAX_ROW = 1 << 20
SEPARATORS = ",;\t"


@dataclass(slots=True)
class Table:
    """A CSV: `columns` as the header has them. Walking over it gives (line, cells by column name); `damaged` counts
    rows that are none, and `first_damaged` is the line of the first."""

    columns: list[str]
    _lines: list[str]
    _separator: str
    damaged: int = 0
    first_damaged: int = 0
    _header_line: int = field(default=1)

    def __iter__(self) -> Iterator[tuple[int, dict[str, str]]]:
        for number, line in enumerate(self._lines, start=self._header_line + 1):
            if not line.strip():
                continue
            cells = _cells(line, self._separator)
            if cells is None or len(cells) != len(self.columns):
                self.damaged += 1
                self.first_damaged = self.first_damaged or number
            else:
                yield number, dict(zip(self.columns, cells, strict=True))


def table(text: str, where: str) -> Table:
    """The table of a text. Raises EvidenceError where it has no header."""
    lines = text.lstrip("\ufeff").splitlines()
    at = _header_at(lines)
    header = lines[at] if at < len(lines) else ""
    separator = header_separator(header)
    columns = _cells(header, separator) if header else None
    if not columns or len(columns) < 2 or len(set(columns)) != len(columns):
        raise EvidenceError(where, "has no row of column names.", "Export it as CSV with its header.")
    return Table(columns, lines[at + 1:], separator, _header_line=at + 1)


def header_of(start: str) -> str:
    """The line of column names at the start of a text; "" for none."""
    lines = start.splitlines()
    at = _header_at(lines)
    return lines[at] if at < len(lines) else ""


def _header_at(lines: list[str]) -> int:
    """Where the column names stand: PowerShell 5.1 puts a line with the type before them."""
    return next((at for at, line in enumerate(lines) if line.strip() and not line.startswith("#TYPE")), len(lines))


def header_separator(header: str) -> str:
    """What parts the cells of a header."""
    return max(SEPARATORS, key=header.count)


def _cells(line: str, separator: str) -> list[str] | None:
    if len(line) > MAX_ROW:
        return None
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator, strict=True))]
    except (csv.Error, StopIteration):
        return None
