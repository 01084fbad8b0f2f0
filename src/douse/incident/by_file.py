"""Which process a record about a file belongs to: one that the antivirus names, that ran the file, or that wrote it.

Placed alerts and the host's process starts and file drops in, pairs (number of the alert, process) out; link.py joins
them unless the process starts everything. A file is known by its path, or by its SHA-256 where both records have one: a
download may be renamed before it is run. Only programs in folders that users can write to are known by their hash,
because everybody runs the same mshta.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from douse.incident.entities import sha256_of
from douse.incident.findings import finding_of
from douse.incident.marks import PlacedAlert
from douse.incident.people import People
from douse.incident.places import place, user_writable
from douse.incident.processes import ProcessTable

DROP_WINDOW = timedelta(minutes=30)
"""How long before or after a record about a file its writing or its execution may be."""

_TRIED = 16
"""How many candidates are looked at on either side of a moment."""

Moments = list[tuple[datetime, int]]
"""When which process did it, in time order."""


def joined_by_file(placed: Sequence[PlacedAlert], by_start: Moments, written: Mapping[str, Moments],
                   table: ProcessTable, people: People) -> Iterator[tuple[int, int]]:
    """All such pairs. `by_start` and `written` are in time order, the latter by paths as place() spells them."""
    yield from _by_verdict(placed, by_start, written, table, people)
    yield from _by_hash(placed, table, people)


def _by_verdict(placed: Sequence[PlacedAlert], by_start: Moments, written: Mapping[str, Moments],
                table: ProcessTable, people: People) -> Iterator[tuple[int, int]]:
    found = [(number, item, finding_of(item)) for number, item in enumerate(placed)
             if item.alert.evidence_class == "V"]
    paths = {path for _, _, finding in found for path in finding.paths}
    started: defaultdict[str, Moments] = defaultdict(list)
    for time, index in by_start if paths else ():
        if (path := place(table[index].image)) in paths:
            started[path].append((time, index))
    for number, item, finding in found:
        named = [table.find(actor, item.alert.time) for actor in finding.processes]
        near = [_nearest(known.get(path, ()), item, table, people)
                for path in sorted(finding.paths) for known in (started, written)]
        for known_as in (*named, *near):
            if known_as is not None:
                yield number, known_as


def _by_hash(placed: Sequence[PlacedAlert], table: ProcessTable, people: People) -> Iterator[tuple[int, int]]:
    started: defaultdict[str, Moments] = defaultdict(list)
    about: list[tuple[int, PlacedAlert, str]] = []
    for number, item in enumerate(placed):
        sha256 = sha256_of(item.get)
        if sha256 and not item.is_start:
            about.append((number, item, sha256))
        elif sha256 and item.subject is not None and user_writable(table[item.subject].image):
            started[sha256].append((item.alert.time, item.subject))
    for number, item, sha256 in about:
        nearest = _nearest(started.get(sha256, ()), item, table, people)
        if nearest is not None:
            yield number, nearest


def _nearest(known: Sequence[tuple[datetime, int]], item: PlacedAlert, table: ProcessTable,
             people: People) -> int | None:
    """The process nearest in time to a record, of the same user as far as both are known."""
    time = item.alert.time
    low, high = bisect_left(known, (time - DROP_WINDOW, -1)), bisect_right(known, (time + DROP_WINDOW, len(table)))
    at = bisect_left(known, (time, -1), low, high)
    near = known[max(low, at - _TRIED):min(high, at + _TRIED)]
    fits = [(abs(moment - time), moment, index) for moment, index in near if _may_be_of(item, index, table, people)]
    return min(fits)[2] if fits else None


def _may_be_of(item: PlacedAlert, index: int, table: ProcessTable, people: People) -> bool:
    return people.may_be_one(people.key(table[index].user_sid, table[index].user_name), item.user)
