"""Read a table of indicators: numbered lines of CSV with a header in, entries out.

Which column says what is told by its name, as feeds and exports call it (abuse.ch, MISP, Defender's indicators);
columns with other names are not looked at. The header may be a comment, as abuse.ch writes it: the last one before the
first row. Comma, semicolon and tab separate. One row is one line, so that a bad one is named by its number.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from typing import Final

from douse.indicators.entries import Entries, moment, shown
from douse.indicators.known import Origin
from douse.indicators.lines import COMMENTS, MAX_NAME

VALUES: Final = ("indicator", "value", "ioc", "ioc_value", "indicatorvalue", "observable", "sha256_hash", "sha256",
                 "sha1_hash", "sha1", "md5_hash", "md5", "url", "domain", "hostname", "fqdn", "ip", "ip_address",
                 "dst_ip", "hash")
"""What the column of the value is called; where several are there, the first of this list that is filled counts."""
_MEANINGS: Final = {
    "family": ("family", "malware_family", "malware", "malware_printable", "fk_malware", "signature"),
    "source": ("source", "feed", "creator", "reporter", "created_by"),
    "from": ("first_seen", "first_seen_utc", "dateadded", "valid_from"),
    "until": ("valid_until", "expires", "expiration", "expirationtime", "valid_to"),
    "name": ("note", "name", "title", "comment", "description"),
    "labels": ("tags", "labels"),
    "tlp": ("tlp",),
    "action": ("action",),
}
_SEPARATORS: Final = ",;\t"
_LONGEST_LINE: Final = 100_000
_NOTHING: Final = frozenset({"", "none", "null", "n/a", "-", "unknown"})


def header_of(line: str) -> tuple[str, list[str]] | None:
    """The separator and the columns, in small letters, of a line that is a header; None of one that is none."""
    plain = line.strip().lstrip("#").strip()
    if len(plain) > _LONGEST_LINE:
        return None
    separator = max(_SEPARATORS, key=plain.count)
    names = [cell.strip().strip('"').lower().replace(" ", "_") for cell in plain.split(separator)]
    return (separator, names) if set(VALUES) & {*names} else None


def read_rows(file: str, lines: Iterable[tuple[int, str]], separator: str, columns: Sequence[str]) -> Entries:
    """The entries of the numbered lines behind a header."""
    entries = Entries()
    for number, raw in lines:
        if not raw.strip(f" {_SEPARATORS}") or raw.lstrip().startswith(COMMENTS):
            continue
        where = f"{file}:{number}"
        try:
            (cells,) = csv.reader([raw[:_LONGEST_LINE]], delimiter=separator, strict=True, skipinitialspace=True)
        except csv.Error as error:
            entries.skip(where, f"is no CSV ({error})", "A row is one line; look for a quote that nobody closed")
            continue
        if len(cells) != len(columns):
            entries.skip(where, f"has {len(cells)} cells, and the header names {len(columns)} columns",
                         "Put quotes around a cell that holds the separator.")
            continue
        _take(entries, where, {name: cell.strip() for name, cell in zip(columns, cells, strict=True)})
    return entries


def _take(entries: Entries, where: str, row: dict[str, str]) -> None:
    def of(meaning: str) -> str:
        found = (row.get(column, "") for column in _MEANINGS[meaning])
        return next((text[:MAX_NAME] for text in found if text.lower() not in _NOTHING), "")

    if of("action").lower() == "allowed":
        entries.left_out["allowed by their own table (action Allowed)"] += 1
        return
    value = next((row[column] for column in VALUES if row.get(column)), "")
    until = of("until")
    ends = moment(until)
    if until and ends is None:
        entries.skip(where, f"its end {shown(until)} is no time", "Write it as in 2027-03-31T00:00:00Z.")
        return
    tlp = of("tlp").lower().removeprefix("tlp:").replace("white", "clear")
    entries.name(
        value, Origin(where, of("name"), of("source"), tlp if tlp in ("clear", "green", "amber", "amber+strict", "red")
                      else ""),
        noted=bool(of("name")), families=(of("family"),) if of("family") else (),
        labels=tuple(part for label in of("labels").split(",") if (part := label.strip())),
        valid_from=moment(of("from")), valid_until=ends)
