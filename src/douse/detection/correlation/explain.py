"""A correlation and the events of some logs in, how near each group came to its condition out.

    Rehearsal(ruleset, correlation)     .observe(event)     .explanation()

It runs what a hunt runs (correlator.py), with those rules only that the correlation is made of, so that it cannot say
anything else. What is said of each group is the window that meets the condition or comes nearest to it, because the
question is nearly always why a correlation did not fire. The counterpart for a single event is detection/explain.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from douse.detection.correlation.correlator import Correlator
from douse.detection.correlation.document import Correlation
from douse.detection.correlation.records import Record
from douse.detection.correlation.windows import Window, nearest
from douse.detection.ruleset import RuleSet
from douse.model import Event, Interest, Rule

MAX_GROUPS = 1_000
"""Groups that are told about, the nearest first; all are counted."""


@dataclass(frozen=True, slots=True)
class Joined:
    """A rule or correlation that a correlation is made of, and how often it matched."""

    rule: Rule
    matches: int


@dataclass(frozen=True, slots=True)
class Group:
    """One group: its values in the order of group-by, its matches, and its best window. `alerts` is how many windows
    meet the condition; times are UTC."""

    values: tuple[str, ...]
    matches: int
    alerts: int
    value: float
    first_seen: datetime
    last_seen: datetime


@dataclass(frozen=True, slots=True)
class CorrelationExplanation:
    """What a correlation makes of some logs. `left_out` is reason -> matches that could not be used."""

    correlation: Correlation
    events: int
    joined: tuple[Joined, ...]
    groups: tuple[Group, ...]
    group_count: int
    left_out: Mapping[str, int]
    alerts: int

    @property
    def fires(self) -> bool:
        """Whether there is an alert."""
        return self.alerts > 0


class Rehearsal:
    """Collects the matches of a correlation's rules. Memory is the correlator's: bounded, whatever is read."""

    def __init__(self, ruleset: RuleSet, correlation: Correlation) -> None:
        self._correlation = correlation
        self._ruleset = below(ruleset, [correlation.rule.rule_id])
        self._correlator = Correlator(self._ruleset)
        self._matches: Counter[str] = Counter()
        self._events = 0

    def interests(self) -> frozenset[Interest]:
        """The records that its rules read."""
        return self._ruleset.interests()

    def observe(self, event: Event) -> None:
        """Take in an event of the logs, in any order."""
        self._events += 1
        alerts = list(self._ruleset.match(event))
        self._matches.update(alert.rule_id for alert in alerts)
        for _shown in self._correlator.observe(alerts):
            """Only what it keeps is of interest."""

    def explanation(self) -> CorrelationExplanation:
        """What came of it."""
        wanted = self._correlation.rule.rule_id
        alerts = Counter(tuple(match.value.casefold() for match in alert.matched if match.selection == "group-by")
                         for alert in self._correlator.finish() if alert.rule_id == wanted)
        groups = self._correlator.groups(wanted)
        told = sorted(_told(self._correlation, groups, alerts), key=lambda one: one[0])
        return CorrelationExplanation(
            correlation=self._correlation,
            events=self._events,
            joined=tuple(self._joined(groups)),
            groups=tuple(group for _key, group in told[:MAX_GROUPS]),
            group_count=len(groups),
            left_out=self._correlator.left_out(wanted),
            alerts=sum(alerts.values()),
        )

    def _joined(self, groups: Mapping[tuple[str, ...], Sequence[Record]]) -> Iterator[Joined]:
        """The rules with their matches; an inner correlation's are its alerts, as far as they could be used."""
        rules = {each.rule.rule_id: each.rule for each in self._ruleset.rules}
        inner = {each.rule.rule_id: each.rule for each in self._ruleset.correlations}
        for place, member in enumerate(self._correlation.members):
            if member in rules:
                yield Joined(rules[member], self._matches[member])
            elif member in inner:
                yield Joined(inner[member], len({record.origin.alert_id for records in groups.values()
                                                 for record in records if record.hit.member == place}))


def below(ruleset: RuleSet, rule_ids: Iterable[str]) -> RuleSet:
    """Some rules and correlations of a set by id, with all that the correlations are made of."""
    wanted = set(rule_ids)
    for each in reversed(ruleset.correlations):  # an outer one stands behind those it is made of
        if each.rule.rule_id in wanted:
            wanted.update(each.members)
    return RuleSet([rule for rule in ruleset.rules if rule.rule.rule_id in wanted],
                   correlations=[each for each in ruleset.correlations if each.rule.rule_id in wanted])


def _told(correlation: Correlation, groups: Mapping[tuple[str, ...], Sequence[Record]],
          alerts: Mapping[tuple[str, ...], int]) -> Iterator[tuple[tuple[bool, float, int], Group]]:
    """Each group and where it stands in the list: what fires first, then what lacks least, then what has most."""
    for key, records in groups.items():
        window: Window = nearest([record.hit for record in records], correlation)
        lacks = sum(bound.lacks(window.value) for bound in correlation.bounds)
        group = Group(records[-1].group, len({record.origin.alert_id for record in records}), alerts.get(key, 0),
                      window.value, records[window.first].hit.time, records[window.last].hit.time)
        yield (not group.alerts, lacks, -group.matches), group
