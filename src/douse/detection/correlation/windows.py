"""The matches of one group in time order in, the windows that meet a correlation's condition out.

A window is all matches from one of them to the last that is not later than the timespan allows (the end included). Only
windows that cannot be shifted earlier without losing a match count: a window that lies inside another one says nothing
new, and its smaller count would make `lte` true of every busy hour. A match belongs to one window: after one that is
reported, the next begins behind it, so a burst is reported once. Every value is kept up to date as matches enter and
leave, so the cost is linear (percentiles: a bisection more), and sums are exact: no order changes them, and three times
0.1 is 0.3.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from math import inf
from typing import NamedTuple, Protocol

from douse.detection.correlation.document import Correlation, exact


class Hit(NamedTuple):
    """One match as a window sees it: when, of which rule (its place in the list), and the value of the field."""

    time: datetime
    member: int
    key: str
    value: str | int | float = 0


class Measure(Protocol):
    """What is measured of a window, while matches enter at its end and leave at its start."""

    def enter(self, index: int, hit: Hit) -> None:
        """A match more, the last one so far."""

    def leave(self, hit: Hit) -> None:
        """The first match less."""

    def value(self, first: int, last: int) -> float | Fraction:
        """The value of the window between two places, both included."""


class Events:
    """How many matches there are."""

    def enter(self, index: int, hit: Hit) -> None:
        """Nothing to remember."""

    def leave(self, hit: Hit) -> None:
        """Nothing to forget."""

    def value(self, first: int, last: int) -> int:
        return last - first + 1


class Distinct:
    """How many different values, or rules, there are."""

    def __init__(self, of: Callable[[Hit], object]) -> None:
        self._of = of
        self._counts: Counter[object] = Counter()

    def enter(self, index: int, hit: Hit) -> None:
        self._counts[self._of(hit)] += 1

    def leave(self, hit: Hit) -> None:
        what = self._of(hit)
        self._counts[what] -= 1
        if not self._counts[what]:
            del self._counts[what]

    def value(self, first: int, last: int) -> int:
        return len(self._counts)


class Sum:
    """The sum of the values, or their mean."""

    def __init__(self, *, mean: bool) -> None:
        self._mean, self._sum = mean, Fraction(0)

    def enter(self, index: int, hit: Hit) -> None:
        self._sum += exact(hit.value)

    def leave(self, hit: Hit) -> None:
        self._sum -= exact(hit.value)

    def value(self, first: int, last: int) -> Fraction:
        return self._sum / (last - first + 1) if self._mean else self._sum


class Percentile:
    """The value below which that share of the values lies, straight between neighbours; 50 is the median."""

    def __init__(self, percentile: int) -> None:
        self._share = Fraction(percentile, 100)
        self._values: list[float] = []

    def enter(self, index: int, hit: Hit) -> None:
        insort(self._values, float(hit.value))

    def leave(self, hit: Hit) -> None:
        del self._values[bisect_left(self._values, float(hit.value))]

    def value(self, first: int, last: int) -> Fraction:
        place = self._share * (len(self._values) - 1)
        low = int(place)
        below, above = self._values[low], self._values[min(low + 1, len(self._values) - 1)]
        return exact(below) + (place - low) * (exact(above) - exact(below))


class Ordered:
    """How many of the rules were met one after the other in the order listed, others between them or not.

    Kept is, for each rule and number of rules so far, the latest place at which such a chain began: a window holds the
    chain when it began inside. Matches of one time are sorted in the rules' order, so they count as in order.
    """

    def __init__(self, rules: int) -> None:
        self._rules = rules
        self._began = [[-1] * (rules + 1) for _ in range(rules)]
        self._latest = [-1] * (rules + 1)

    def enter(self, index: int, hit: Hit) -> None:
        mine = self._began[hit.member]
        before = self._began[: hit.member]
        for length in range(hit.member + 1, 0, -1):
            began = index if length == 1 else max(other[length - 1] for other in before)
            if began > mine[length]:
                mine[length] = began
                self._latest[length] = max(self._latest[length], began)

    def leave(self, hit: Hit) -> None:
        """Nothing to forget: `value` asks where a chain began."""

    def value(self, first: int, last: int) -> int:
        return next((length for length in range(self._rules, 0, -1) if self._latest[length] >= first), 0)


_MEASURES: Mapping[str, Callable[[Correlation], Measure]] = {
    "event_count": lambda _: Events(),
    "value_count": lambda _: Distinct(lambda hit: hit.value),
    "value_sum": lambda _: Sum(mean=False),
    "value_avg": lambda _: Sum(mean=True),
    "value_percentile": lambda correlation: Percentile(correlation.percentile),
    "value_median": lambda _: Percentile(50),
    "temporal": lambda _: Distinct(lambda hit: hit.member),
    "temporal_ordered": lambda correlation: Ordered(len(correlation.references)),
}


class Window(NamedTuple):
    """A window that meets the condition: its first and last place, both included, its value, and since which place
    the condition was met without a break."""

    first: int
    last: int
    value: float
    met: int


def nearest(hits: Sequence[Hit], correlation: Correlation) -> Window:
    """The first of the windows that meet the condition or, where none does, that come nearest; `hits` are sorted, and
    there is at least one. `met` says nothing here."""
    span = timedelta(seconds=correlation.seconds)
    measure = _MEASURES[correlation.kind](correlation)
    best, best_key, end, seen = Window(0, 0, 0.0, 0), (True, inf), 0, 0
    for first in range(len(hits)):
        while end < len(hits) and hits[end].time - hits[first].time <= span:
            measure.enter(end, hits[end])
            end += 1
        if end > seen:
            value = float(measure.value(first, end - 1))
            key = not correlation.admits(value), sum(bound.lacks(value) for bound in correlation.bounds)
            if key < best_key:
                best, best_key = Window(first, end - 1, value, end - 1), key
        measure.leave(hits[first])
        seen = end
    return best


def windows(hits: Sequence[Hit], correlation: Correlation) -> Iterator[Window]:
    """The windows of a group that meet the correlation's condition, earliest first; `hits` are sorted."""
    span = timedelta(seconds=correlation.seconds)
    measure = _MEASURES[correlation.kind](correlation)
    first = end = seen = 0
    met = None
    while first < len(hits):
        while end < len(hits) and hits[end].time - hits[first].time <= span:
            measure.enter(end, hits[end])
            if not correlation.admits(measure.value(first, end)):
                met = None
            elif met is None:
                met = end
            end += 1
        if end > seen and met is not None:  # a window that reaches no further lies inside the one before
            yield Window(first, end - 1, float(measure.value(first, end - 1)), met)
            measure, first = _MEASURES[correlation.kind](correlation), end
        else:
            measure.leave(hits[first])
            first += 1
        seen, met = end, None
