"""Read a CSV table that a person keeps beside the evidence (--allow, --assets): lines with named cells out.

One entry is one line, so that a review shows what changed and every remark can name its line. Blank lines and lines
that begin with `#` are comments. Comma, semicolon and tab separate, whichever the header uses, because spreadsheets
write what their country does. A column nobody knows is an error: a misspelt one that narrows an entry would otherwise
widen it unseen. Every complaint is a ContentError with file and line. Cells are text of somebody: shown cleaned.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

from douse.errors import ContentError

MAX_BYTES = 4 << 20
MAX_LINE = 100_000
MAX_SHOWN = 80
"""Characters of a cell that an error repeats."""

_NEWLINE = b"\n"
_SEPARATORS = ",;\t"


@dataclass(frozen=True, slots=True)
class Line:
    """One entry: its file and line, and its cells by column in lower case, "" where one is empty or not there."""

    file: str
    number: int
    cells: Mapping[str, str]

    @property
    def where(self) -> str:
        """`file:line`, as every error and remark names it."""
        return f"{self.file}:{self.number}"

    def __getitem__(self, column: str) -> str:
        return self.cells.get(column, "")

    def fail(self, what: str, next_step: str) -> NoReturn:
        """Raise a ContentError at this line."""
        raise ContentError(self.where, what, next_step)


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns a table may have: those that must be there, and others."""

    required: tuple[str, ...]
    optional: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Every column that has a meaning."""
        return (*self.required, *self.optional)


@dataclass(frozen=True, slots=True)
class Table:
    """A file as it was read: its name as the user wrote it, its size in bytes, its hash, its entries in order."""

    file: str
    size: int
    sha256: str
    lines: tuple[Line, ...]


def read_table(path: Path, columns: Columns) -> Table:
    """The entries of a file in order, and which file it was. Raises ContentError."""
    data = _bytes(path)
    lines = tuple(_lines(str(path), _text(path, data), columns))
    return Table(str(path), len(data), hashlib.sha256(data).hexdigest(), lines)


def shown(text: str) -> str:
    """A cell as an error repeats it."""
    return f"'{text}'" if len(text) <= MAX_SHOWN else f"'{text[:MAX_SHOWN]}…'"


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ContentError(str(path), f"cannot be read ({error.strerror or error}).",
                           "Check the path and its permissions.") from None
    if len(data) > MAX_BYTES:
        raise ContentError(str(path), f"is larger than {MAX_BYTES >> 20} MiB.", "Name the table, not an export of all.")
    return data


def _text(path: Path, data: bytes) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        where = f"{path}:{data.count(_NEWLINE, 0, error.start) + 1}"
        raise ContentError(where, "not UTF-8.", 'Save it as UTF-8; spreadsheets call it "CSV UTF-8".') from None


def _lines(file: str, text: str, columns: Columns) -> Iterator[Line]:
    header: list[str] = []
    separator = ","
    for number, raw in enumerate(text.replace("\r\n", "\n").replace("\r", "\n").split("\n"), start=1):
        if not raw.strip(" \t;,") or raw.startswith("#"):
            continue
        if header:
            cells = _cells(file, number, raw, separator)
            yield Line(file, number, _by_column(Line(file, number, {}), header, cells))
        else:
            separator = max(_SEPARATORS, key=raw.count)
            header = _header(Line(file, number, {}), _cells(file, number, raw, separator), columns)
    if not header:
        raise ContentError(f"{file}:1", "has no header.", f"Begin it with: {','.join(columns.required)}")


def _cells(file: str, number: int, raw: str, separator: str) -> list[str]:
    """The cells of one line, without blanks around them."""
    if len(raw) > MAX_LINE:  # Python's own limit is one for the whole process, and readers of logs raise it
        raise ContentError(f"{file}:{number}", f"is no CSV (longer than {MAX_LINE:,} characters).",
                           "An entry is one line; look for a quote that nobody closed.")
    try:
        (row,) = csv.reader([raw], delimiter=separator, strict=True)
    except csv.Error as error:
        raise ContentError(f"{file}:{number}", f"is no CSV ({error}).",
                           'An entry is one line; in a quoted cell a quote is written twice ("").') from None
    return [cell.strip() for cell in row]


def _header(line: Line, cells: Sequence[str], columns: Columns) -> list[str]:
    names = [cell.lower() for cell in cells]
    for name in names:
        if name not in columns.all:
            near = get_close_matches(name, columns.all, n=1)
            hint = f"Did you mean {near[0]!r}? " if near else ""
            line.fail(f"there is no column {shown(name)}.", f"{hint}The columns are: {', '.join(columns.all)}.")
        if names.count(name) > 1:
            line.fail(f"the column {name!r} is there twice.", "Keep one of them.")
    for name in columns.required:
        if name not in names:
            line.fail(f"the column {name!r} is missing.", f"The first line must name: {','.join(columns.required)}")
    return names


def _by_column(line: Line, header: Sequence[str], cells: Sequence[str]) -> dict[str, str]:
    if len(cells) > len(header) and any(cells[len(header):]):
        line.fail(f"has {len(cells)} cells, and the header names {len(header)} columns.",
                  "Put quotes around a cell that holds the separator.")
    if len(cells) < len(header):
        line.fail(f"has {len(cells)} cells, and the header names {len(header)} columns.",
                  "Leave an empty cell empty, but write its separator.")
    return dict(zip(header, cells, strict=False))
