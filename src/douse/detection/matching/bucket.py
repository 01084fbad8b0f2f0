"""The rules that read one kind of record (channel, event id), and the alerts they make of an event.

Two ways to the same alerts: `match` lets the matchers (matcher.py), one for each table of aliases, say which rules
hold; `match_slowly` asks the term of each rule, which is the definition. The order is that of the entries, by route,
then rule.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from douse.detection.alert import kept_fields, make_alert
from douse.detection.logsource import Route, alias_table
from douse.detection.matching.matcher import Matcher
from douse.detection.matching.probes import Probes
from douse.detection.reference import Term
from douse.detection.view import View
from douse.model import Alert, Event, Rule

_NONE: Iterator[Alert] = iter(())


class Entry(NamedTuple):
    """A rule on one of its routes."""

    route: Route
    rule: Rule
    term: Term


class Bucket:
    """The entries of one or more kinds of record; they share what was learned about values."""

    def __init__(self, entries: Sequence[Entry], probes: Probes) -> None:
        self._entries = tuple(entries)
        numbers: dict[str, list[tuple[int, Term]]] = {}
        for number, entry in enumerate(self._entries):
            numbers.setdefault(entry.route.aliases, []).append((number, entry.term))
        self._matchers = [Matcher(rules, alias_table(name), probes) for name, rules in numbers.items()]

    def match(self, event: Event) -> Iterator[Alert]:
        """The alerts of an event."""
        certain: list[int] = []
        to_ask: list[int] = []
        for matcher in self._matchers:
            found = matcher.candidates(event)
            certain += found.certain
            to_ask += found.to_ask
        return self._alerts(event, set(certain), sorted((*certain, *to_ask))) if certain or to_ask else _NONE

    def match_slowly(self, event: Event) -> Iterator[Alert]:
        """The same by the definition."""
        return self._alerts(event, set(), list(range(len(self._entries))))

    def _alerts(self, event: Event, certain: set[int], numbers: list[int]) -> Iterator[Alert]:
        """Alerts of those entries that admit the event and are certain or say so themselves."""
        views: dict[str, View] = {}
        fields: dict[str, str] | None = None
        for number in numbers:
            route, rule, term = self._entries[number]
            view = views.get(route.aliases)
            if view is None:
                view = views[route.aliases] = View(event, alias_table(route.aliases))
            if (not route.where or route.admits(view)) and (number in certain or term.holds(view)):
                if fields is None:
                    fields = kept_fields(event)
                yield make_alert(rule, term, view, fields)
