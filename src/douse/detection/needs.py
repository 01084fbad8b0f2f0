"""What the records of a log source have, and whether a rule can be true of any of them.

A rule in, the fields out that it needs and that none of its records ever has: such a rule is idle, because it would be
silent for ever and look like a log without findings. Known are the fields of content/fields.yml under the names that
the source's aliases give them; a rule with one record of which we do not know all fields is never judged, nor is a
field that no record we know has: it may be somebody's own, and if it is misspelt, a lint says so. What a rule needs is
read from its term with three answers: true, false, or depends on the record. The counterpart for a single line, such as
a filter that filters nothing, is lint/fields.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import cache
from typing import NamedTuple

from douse.content.fields import field_table
from douse.content.logsources import log_sources
from douse.detection.logsource import EVERY_CHANNEL, Route
from douse.detection.reference import All, Any, Item, Not, Selection, Term
from douse.detection.view import View
from douse.model import Event, Source
from douse.telemetry.fields import HASH_FIELDS, HASH_NAMES

_NOTHING = View(Event(channel="", event_id=0, time=datetime(1970, 1, 1, tzinfo=UTC), host="", provider="", record_id=0,
                      source=Source(""), decode=dict))


class _Verdict(NamedTuple):
    """What a term is when the fields that its records lack are missing (None: that depends on the record), and which
    of these make it so."""

    holds: bool | None
    fields: tuple[str, ...] = ()


def fields_of(route: Route, carried: Mapping[tuple[str, int], frozenset[str]]) -> frozenset[str] | None:
    """The fields, in lower case, of the records of a route under its aliases; None where we do not know them all.

    `carried` adds what records really had: (channel in lower case, event id) -> names.
    """
    if route.channel == EVERY_CHANNEL or route.event_id is None:
        return None
    key = route.channel, route.event_id
    listed, seen = field_table().records.get(key), carried.get(key)
    if listed is None and not seen:
        return None
    names = {*(listed or ()), *(seen or ()), *field_table().system, *log_sources().aliases.get(route.aliases, {})}
    if names & set(HASH_FIELDS):
        names.update(HASH_NAMES.values())
    return frozenset(name.lower() for name in names)


@cache
def _anywhere() -> frozenset[str]:
    """The fields, in lower case, that any record we know has, under any name."""
    table = field_table()
    own = (name for names in table.records.values() for name in names)
    named = (name for aliases in log_sources().aliases.values() for name in aliases)
    return frozenset(name.lower() for name in (*own, *named, *HASH_NAMES.values()))


@cache
def _listed(route: Route) -> frozenset[str] | None:
    return fields_of(route, {})


def lacking(term: Term, routes: Iterable[Route]) -> tuple[str, ...]:
    """The fields without which the term is true of no record of any of the routes; none when it can be, or may be."""
    missing: dict[str, None] = {}
    for route in routes:
        names = _listed(route)
        verdict = _Verdict(None) if names is None else _judged(term, names)
        if verdict.holds is not False:
            return ()
        missing.update(dict.fromkeys(verdict.fields))
    return tuple(missing)


def _judged(term: Term, names: frozenset[str]) -> _Verdict:
    match term:
        case Selection(term=inner):
            return _judged(inner, names)
        case Not(inner):
            verdict = _judged(inner, names)
            return verdict._replace(holds=None if verdict.holds is None else not verdict.holds)
        case All(terms):
            return _joined([_judged(each, names) for each in terms], decides=False)
        case Any(terms):
            return _joined([_judged(each, names) for each in terms], decides=True)
        case Item(field=field) if field and field.lower() not in names and field.lower() in _anywhere():
            return _Verdict(term.holds(_NOTHING), (field,))
    return _Verdict(None)


def _joined(verdicts: Sequence[_Verdict], *, decides: bool) -> _Verdict:
    """Several terms as one: the first that is `decides` is the answer, and the opposite only all of them together."""
    for verdict in verdicts:
        if verdict.holds is decides:
            return verdict
    if any(verdict.holds is None for verdict in verdicts):
        return _Verdict(None)
    return _Verdict(not decides, tuple(field for verdict in verdicts for field in verdict.fields))
