"""Numbers in any order in, the stretches they form out: the memory of what was seen without gaps.

Record ids form a stretch when they follow each other, times when they are not too far apart. What lies between two
stretches is a gap. Each end of a stretch keeps a mark, such as the time of the record with that id. Up to the bound the
order of the numbers does not matter; beyond it nothing but the ends and the count is known, and says so (`known`).
Used by continuity.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from typing import NamedTuple

MOST = 5_000
"""Stretches of one kind that are kept, about 200 bytes each. A log that was not filtered has a handful."""


class Gap(NamedTuple):
    """What is not there: between the last number before it and the first after it, each with its mark."""

    before: int
    after: int
    mark_before: int
    mark_after: int


class Stretches:
    """Numbers of which two at most `reach` apart belong to one stretch."""

    __slots__ = ("_ends", "_last", "_most", "_reach", "_starts", "count", "first", "known", "last")

    def __init__(self, reach: int, most: int = MOST) -> None:
        self._reach, self._most = reach, most
        self._starts: list[tuple[int, int]] = []
        self._ends: list[tuple[int, int]] = []
        self._last = 0
        self.count = 0
        self.first: int | None = None
        self.last: int | None = None
        self.known = True

    def __len__(self) -> int:
        return len(self._starts)

    def add(self, value: int, mark: int) -> None:
        """See a number; of two marks of one number the smaller is kept where it begins a stretch, else the larger."""
        self.count += 1
        self._span(value, value)
        if not self.known:
            return
        at = self._last
        if at < len(self._ends) and 0 < value - self._ends[at][0] <= self._reach and (
                at + 1 == len(self._starts) or self._starts[at + 1][0] - value > self._reach):
            self._ends[at] = (value, mark)  # logs are read from front to back: nearly always the next one
        else:
            self._put((value, mark), (value, mark))

    def merge(self, other: Stretches) -> None:
        """See what another one has seen."""
        self.count += other.count
        if other.first is not None and other.last is not None:
            self._span(other.first, other.last)
        if not other.known:
            self.give_up()
        for start, end in zip(other._starts, other._ends, strict=True):
            if self.known:
                self._put(start, end)

    def gaps(self) -> Iterator[Gap]:
        """What lies between the stretches, in order; nothing where they are not known."""
        for (before, mark_before), (after, mark_after) in zip(self._ends, self._starts[1:], strict=False):
            yield Gap(before, after, mark_before, mark_after)

    def spans(self) -> Iterator[tuple[int, int]]:
        """From where to where each stretch goes, in order; nothing where they are not known."""
        for (start, _), (end, _) in zip(self._starts, self._ends, strict=True):
            yield start, end

    def _span(self, first: int, last: int) -> None:
        if self.first is None or first < self.first:
            self.first = first
        if self.last is None or last > self.last:
            self.last = last

    def _put(self, start: tuple[int, int], end: tuple[int, int]) -> None:
        """Add a stretch, joined with every one that it reaches."""
        low = self._first_reached(start[0])
        high = low
        while high < len(self._starts) and self._starts[high][0] - end[0] <= self._reach:
            start, end = _earlier(start, self._starts[high]), _later(end, self._ends[high])
            high += 1
        self._starts[low:high], self._ends[low:high] = [start], [end]
        self._last = low
        if len(self._starts) > self._most:
            self.give_up()

    def _first_reached(self, value: int) -> int:
        """The first stretch that does not end out of reach before a number."""
        at = bisect_right(self._starts, value, key=_value)
        while at and value - self._ends[at - 1][0] <= self._reach:
            at -= 1
        return at

    def give_up(self) -> None:
        """Forget all but the ends and the count."""
        self.known = False
        self._starts.clear()
        self._ends.clear()


def _value(end: tuple[int, int]) -> int:
    return end[0]


def _earlier(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """The smaller number; the smaller mark of two equal ones."""
    return min(one, other)


def _later(one: tuple[int, int], other: tuple[int, int]) -> tuple[int, int]:
    """The larger number; the larger mark of two equal ones."""
    return max(one, other)
