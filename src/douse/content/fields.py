"""The table of fields that records carry (fields.yml) as typed data: (channel, event id) -> field names.

The format is explained at the top of the file. Names are compared without case, as Event does; what is not listed is
unknown to us and is never held against a rule. The counterpart, logsources.py, says which records a logsource means.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document

FILE = Path(__file__).with_name("fields.yml")


@dataclass(frozen=True, slots=True)
class FieldTable:
    """`system` is in every record; `records` has the rest by channel in lower case and event id."""

    system: tuple[str, ...]
    records: Mapping[tuple[str, int], tuple[str, ...]]


@cache
def field_table() -> FieldTable:
    """The table, read once. Raises ContentError where it does not follow its format."""
    top = document.read(FILE, FILE.name)
    records: dict[tuple[str, int], tuple[str, ...]] = {}
    for channel, ids in top.named("records").items():
        for event_id in ids:
            if not event_id.isdecimal():
                ids.fail(f"{event_id!r} is no event id.", key=event_id)
            records[channel.lower(), int(event_id)] = ids.texts(event_id)
    table = FieldTable(top.texts("system"), records)
    top.end()
    return table
