"""Alerts of the rules in, alerts of the correlations out: observe every event's, merge the workers, finish once.

    Correlator(ruleset)     .observe(alerts) -> the visible ones     .merge(other)     .finish() -> alerts     .notes()

A match is kept as a small record and judged at the end of the run in order of time, so files may come in any order:
there is no lateness to set, and the answer does not depend on how the work was spread. Memory: the MAX_RECORDS newest
matches of a correlation, fewer where many correlations share MAX_TOTAL; older ones are dropped and counted. One takes
about 1 KB, and at most 1 KB more for each value it carries. The same record read twice counts once.

Times are those of the logs; clocks of different hosts are not corrected. Values compare without case. A match that
lacks a field of `group-by`, or the field that is counted, is left out and counted. What a correlation is made of is not
shown unless it says `generate: true`; our own rules with an evidence class stay visible, because the incidents are made
of them. To a temporal correlation one that it is made of is met at each match from the one that met its condition;
others count it once.
"""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace

from douse.detection.correlation.alert import correlation_alert, later_id
from douse.detection.correlation.document import TEMPORAL, Correlation
from douse.detection.correlation.records import (
    LeftOut,
    Record,
    Records,
    key_of,
    origin_of,
    outer_view,
    record_of,
    view_of,
)
from douse.detection.correlation.windows import windows
from douse.detection.ruleset import RuleSet
from douse.model import Alert

MAX_RECORDS = 100_000
"""Matches kept of each correlation; a quarter more at times, until the oldest are dropped."""

MAX_TOTAL = 500_000
"""Matches kept of all correlations together, in equal shares, so that the memory of a run has a bound."""

LEAST_RECORDS = 1_000
"""Matches kept of each correlation however many there are."""


class Correlator:
    """Collects what correlations need. It holds no compiled rule, so that it can be sent between processes."""

    def __init__(self, ruleset: RuleSet) -> None:
        self._correlations = ruleset.correlations
        share = MAX_TOTAL // max(1, len(self._correlations))
        self._limit = min(MAX_RECORDS, max(LEAST_RECORDS, share))
        self._records: dict[str, Records] = {each.rule.rule_id: {} for each in self._correlations}
        self._inner: dict[str, Records] = {}
        self._left_out: LeftOut = Counter()
        self._inner_out: LeftOut = Counter()
        self._members: dict[str, list[tuple[Correlation, int]]] = {}
        for each in self._correlations:
            for place, member in enumerate(each.members):
                self._members.setdefault(member, []).append((each, place))
        own = {rule.rule.rule_id for rule in ruleset.rules if rule.rule.builtin and rule.rule.evidence_class}
        self._hidden = _hidden(self._correlations, own)
        self._aliases = {rule.rule.rule_id: {(route.channel, route.event_id): route.aliases for route in rule.routes}
                         for rule in ruleset.rules if rule.rule.rule_id in self._members}

    def observe(self, alerts: Iterable[Alert]) -> Iterable[Alert]:
        """Take in the alerts of an event; those that are to be shown come back."""
        return self._observed(alerts) if self._members else alerts

    def _observed(self, alerts: Iterable[Alert]) -> Iterator[Alert]:
        for alert in alerts:
            for correlation, place in self._members.get(alert.rule_id, ()):
                self._take(correlation, place, alert)
            if alert.rule_id not in self._hidden:
                yield alert

    def merge(self, other: Correlator) -> None:
        """Add what another Correlator of the same rules has collected."""
        self._left_out += other._left_out
        for rule_id, records in other._records.items():
            mine = self._records[rule_id]
            for key, record in records.items():
                _keep(mine, key, record)
            self._bound(rule_id, mine, slack=True)

    def _take(self, correlation: Correlation, place: int, alert: Alert) -> None:
        origin = origin_of(alert)
        view = view_of(alert.time, origin, alert.fields, self._alias_name(alert))
        key = key_of(alert)
        record = record_of(correlation, place, view, origin, key, self._left_out)
        if record is not None:
            records = self._records[correlation.rule.rule_id]
            _keep(records, (key, place), record)
            self._bound(correlation.rule.rule_id, records, slack=True)

    def _alias_name(self, alert: Alert) -> str:
        """Under which aliases the rule saw the event."""
        routes = self._aliases.get(alert.rule_id, {})
        channel = alert.channel.lower()
        return routes.get((channel, alert.event_id), "") or routes.get((channel, None), "")

    def _bound(self, rule_id: str, records: Records, *, slack: bool) -> None:
        """Drop the oldest records over the limit; which ones stay does not depend on the order they came in.

        With `slack` a quarter more may stay for the time being: to find the oldest costs a look at all of them.
        """
        excess = len(records) - self._limit
        if excess > (self._limit // 4 if slack else 0):
            for key in heapq.nsmallest(excess, records, key=lambda key: (records[key].hit.time, key)):
                del records[key]
            self._left_out[rule_id, f"were the oldest of more than {self._limit:,} and dropped"] += excess

    def finish(self) -> tuple[Alert, ...]:
        """The alerts of all correlations that are to be shown. May be called again when more was observed."""
        found: list[Alert] = []
        self._inner_out.clear()
        inner = self._inner = defaultdict(dict)
        for correlation in self._correlations:
            rule_id = correlation.rule.rule_id
            self._bound(rule_id, self._records[rule_id], slack=False)
            for alert, window, met in _alerts(correlation, self.groups(rule_id)):
                if rule_id not in self._hidden:
                    found.append(alert)
                for outer, place in self._members.get(rule_id, ()):
                    for moment in window[met:] if outer.kind in TEMPORAL else window[-1:]:
                        view = outer_view(correlation, moment)
                        record = record_of(outer, place, view, origin_of(alert), alert.alert_id, self._inner_out)
                        if record is not None:
                            inner[outer.rule.rule_id][f"{alert.alert_id} {moment.hit.key}", place] = record
        return tuple(found)

    def leave_out(self, keys: Set[str], reason: str) -> None:
        """Forget the matches with these keys (records.key_of), and count them under a reason; before `finish`."""
        for rule_id, records in self._records.items():
            gone = [key for key in records if key[0] in keys] if keys else []
            for key in gone:
                del records[key]
            if gone:
                self._left_out[rule_id, reason] += len(gone)

    def hides(self, rule_id: str) -> bool:
        """Whether a rule's alerts are not shown, because it is only a part of correlations."""
        return rule_id in self._hidden

    def groups(self, rule_id: str) -> dict[tuple[str, ...], list[Record]]:
        """The matches that a correlation joins, by group in order of time; what it is made of only after `finish`."""
        groups: dict[tuple[str, ...], list[Record]] = defaultdict(list)
        for record in (*self._records[rule_id].values(), *self._inner.get(rule_id, {}).values()):
            groups[tuple(text.casefold() for text in record.group)].append(record)
        for members in groups.values():
            members.sort(key=lambda record: (record.hit.time, record.hit.member, record.hit.key))
        return groups

    def left_out(self, rule_id: str) -> dict[str, int]:
        """How many matches a correlation could not use, by reason."""
        return {reason: count for (name, reason), count in sorted((self._left_out + self._inner_out).items())
                if name == rule_id}

    def notes(self) -> tuple[str, ...]:
        """How many matches could not be used, for each correlation and reason."""
        titles = {each.rule.rule_id: each.rule.title for each in self._correlations}
        return tuple(f"correlation '{titles[rule_id]}': {count:,} match(es) left out, because they {reason}"
                     for (rule_id, reason), count in sorted((self._left_out + self._inner_out).items()))


def _keep(records: Records, key: tuple[str, int], record: Record) -> None:
    """Add a record; of one that was read twice the same copy is kept whichever came first."""
    known = records.get(key)
    if known is None or str(record.origin.source) < str(known.origin.source):
        records[key] = record


def _hidden(correlations: Sequence[Correlation], own: set[str]) -> frozenset[str]:
    """The rules and correlations that are parts of others only: nobody who uses them wants to see them."""
    hidden: set[str] = set()
    wanted: set[str] = set()
    for correlation in correlations:
        (wanted if correlation.generate else hidden).update(correlation.members)
    return frozenset(hidden - wanted - own)


def _alerts(correlation: Correlation, groups: Mapping[tuple[str, ...], Sequence[Record]],
            ) -> Iterator[tuple[Alert, Sequence[Record], int]]:
    """The alerts of one correlation, each with its window's records in time order, and since which one it was met.

    An inner alert can stand for several moments, and so begin several windows of an outer one: those after the first
    are told apart by their time.
    """
    for group, members in sorted(groups.items()):
        given = set[str]()
        for window in windows([record.hit for record in members], correlation):
            inside = members[window.first : window.last + 1]
            alert = correlation_alert(correlation, group, window, inside)
            if alert.alert_id in given:
                alert = replace(alert, alert_id=later_id(alert, inside[0].hit.time))
            given.add(alert.alert_id)
            yield alert, inside, window.met - window.first
