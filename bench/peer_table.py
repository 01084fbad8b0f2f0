"""Zircolite's own database, asked questions: which rows a rule's query finds, and would find if a value were another.

The peer keeps every record as a row of one table, `logs`, and a rule as SELECTs over it. Nothing here changes that
file: experiments are made on a copy of one row. Evidence goes into a query as a parameter only.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

Key = tuple[str, int, int, str]
"""A record, as both programs can name it: channel in lower case, event id, record id, computer in lower case."""

_TEXTS = re.compile(r"'(?:[^']|'')*'")
_IDS = re.compile(r"\bEventID\s*(?:=\s*'?(\d+)|IN\s*\(([\d,\s']+)\))", re.IGNORECASE)
_CHANNELS = re.compile(r"\bChannel\s*(?:=\s*'([^']*)'|IN\s*\(([^)]*)\))", re.IGNORECASE)
_SELECTION = re.compile(r"^\s*SELECT\s+\*\s+FROM\s+[\"`\[]?logs[\"`\]]?(?=\s|$)", re.IGNORECASE)


def key_of(channel: object, event_id: object, record_id: object, computer: object) -> Key:
    """The name of a record; a number that is none becomes -1."""
    return str(channel or "").lower(), _number(event_id), _number(record_id), str(computer or "").lower()


def _number(value: object) -> int:
    text = str(value)
    return int(text) if text.isdecimal() else -1


@dataclass(frozen=True, slots=True)
class Converted:
    """A rule as the peer has it: its queries, each a whole SELECT over `logs`."""

    queries: tuple[str, ...]

    def unread(self, key: Key) -> bool:
        """Whether the queries name event ids, or channels, and not those of the record."""
        text = " ".join(self.queries)
        ids = {int(one) for match in _IDS.findall(text) for one in re.findall(r"\d+", " ".join(match))}
        channels = {one.lower() for single, several in _CHANNELS.findall(text)
                    for one in (re.findall(r"'([^']*)'", several) if several else [single])}
        return bool(ids and key[1] not in ids) or bool(channels and key[0] not in channels)


class Table:
    """The peer's `logs` table, as it wrote it. Nothing here changes it: experiments use a copy of one row."""

    def __init__(self, path: Path) -> None:
        self._base = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
        self._base.create_function("regexp", 2, _search, deterministic=True)
        found = self._base.execute("SELECT sql FROM sqlite_master WHERE type='table' AND name='logs'").fetchone()
        if found is None:
            self.close()
            raise SystemExit(f"bench: {path} has no table `logs`; this version of Zircolite is not known here")
        self._base.execute(re.sub(r"^CREATE TABLE\s+\S+", "CREATE TEMP TABLE one", found[0], count=1))
        self.columns = {row[1].lower(): row[1] for row in self._base.execute("PRAGMA table_info(logs)")}
        missing = {"channel", "eventid", "eventrecordid", "computer"} - set(self.columns)
        if missing:
            self.close()
            raise SystemExit(f"bench: {path} lacks the columns {', '.join(sorted(missing))}; records cannot be named")
        self._rows: dict[Key, list[int]] = {}
        for row, *parts in self._base.execute("SELECT rowid, Channel, EventID, EventRecordID, Computer FROM logs"):
            self._rows.setdefault(key_of(*parts), []).append(row)

    def close(self) -> None:
        """Let go of the file."""
        self._base.close()

    def __len__(self) -> int:
        return sum(map(len, self._rows.values()))

    def rows(self, key: Key) -> Sequence[int]:
        """The rows of a record; a corpus that repeats a record has several."""
        return self._rows.get(key, ())

    def refusal(self, queries: Sequence[str]) -> str:
        """What speaks against the first query that cannot be run, or nothing."""
        for query in queries:
            if not _SELECTION.match(query):
                return "not a selection of whole records"
            try:
                self._base.execute(f"EXPLAIN {query}")
            except sqlite3.Error as error:
                return str(error)
        return ""

    def keyword(self, names: Sequence[str]) -> str:
        """The first of some field names that SQL keeps for itself, so that it cannot stand unquoted in an INSERT."""
        for name in filter(str.isidentifier, names):  # never hostile text into a query
            try:
                self._base.execute(f"EXPLAIN SELECT 1 AS x ORDER BY {name}")
            except sqlite3.OperationalError as error:
                if "syntax error" in str(error):
                    return name
        return ""

    def found_by(self, queries: Sequence[str]) -> frozenset[int]:
        """The rows that any of the queries finds."""
        return frozenset(row for query in queries for (row,) in self._base.execute(_rows_of(query, "logs")))

    def holds(self, queries: Sequence[str], row: int, changes: Mapping[str, object]) -> bool:
        """Whether a query would find a row if some of its columns had other values."""
        self._base.execute("DELETE FROM one")
        self._base.execute("INSERT INTO one SELECT * FROM logs WHERE rowid = ?", (row,))
        for column, value in changes.items():
            self._base.execute(f"UPDATE one SET {_quoted(column)} = ?", (value,))  # noqa: S608 - quoted
        return any(self._base.execute(_rows_of(query, "one")).fetchone() for query in queries)

    def values(self, row: int) -> dict[str, object]:
        """A whole row, by the columns' names."""
        found = self._base.execute("SELECT * FROM logs WHERE rowid = ?", (row,)).fetchone()
        return dict(zip(self.columns.values(), found, strict=True))


def _quoted(name: str) -> str:
    """A column's name for a query, whatever is in it."""
    return '"' + name.replace('"', '""') + '"'


def named_in(queries: Sequence[str], values: Mapping[str, object]) -> dict[str, object]:
    """Those of a row's values whose columns the queries name."""
    words = {word.lower() for query in queries for word in re.findall(r"\w+", _TEXTS.sub("", query))}
    return {name: value for name, value in values.items() if name.lower() in words}


def alike(values: Mapping[str, object], fields: Mapping[str, object]) -> int:
    """How many fields of a record stand in a row as they are. Copies of a record in a corpus differ in their digits."""
    folded = {name.lower(): str(value) for name, value in values.items()}
    return sum(folded.get(name.lower()) == str(value) for name, value in fields.items())


def _search(pattern: str, text: object) -> bool:
    return text is not None and re.search(pattern, str(text)) is not None


def _rows_of(query: str, table: str) -> str:
    """The peer's query for row numbers of a table of ours in place of whole rows of `logs`."""
    return _SELECTION.sub(f"SELECT rowid FROM {table}", query, count=1)  # noqa: S608 - one of two words of ours
