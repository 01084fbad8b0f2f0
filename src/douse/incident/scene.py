"""What the sequences look at: one group as a Scene, what they find, and how they search it.

The searches are at most n log n, because an attacker can make a host log as much as he likes: everything is in time
order and found by bisection. Read by sequences.py and by the modules that search for it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.incident.outbound import Connections
from douse.incident.processes import SLACK
from douse.model import level_rank

HEURISTIC = 0.7
"""The fidelity of a rule that may err but does not guess; foreign rules and weakly linked evidence are below it."""


@dataclass(frozen=True, slots=True)
class Scene:
    """One group as the sequences see it. `marks` are in time order; `reads_audited` is about the host."""

    marks: Sequence[Mark]
    processes: Sequence[int]
    connections: Connections
    links: Links
    reads_audited: bool
    _by_letter: dict[str, list[Mark]] = field(init=False, default_factory=dict)

    def of(self, letters: str) -> list[Mark]:
        """The marks of these classes, in time order."""
        known = self._by_letter.get(letters)
        if known is None:
            known = self._by_letter[letters] = [mark for mark in self.marks if mark.letter in letters]
        return known

    def thefts(self) -> list[Mark]:
        """Accesses to a known kind of credential store by somebody else than a browser.

        A browser in its own folder that nobody injected into is importing from another, which every first run does. A
        foreign rule that is only tagged as credential access (LSASS, Kerberos, ...) names no store and is no theft, and
        a rule of ours that guesses proves none either: with any connection it would make a critical incident.
        """
        return [m for m in self.of("C") if m.store and m.alert is not None and m.alert.fidelity >= HEURISTIC
                and (m.process is None or not self.links.cuts(m.process, m.time))]


@dataclass(frozen=True, slots=True)
class Found:
    """One occurrence of a sequence: its proof, the sentence that explains it, and the record of a bare connection.

    `degree` is a word of the sequence's `lesser` forms in content/incidents/sequences.yml, "" for the full one.
    """

    marks: tuple[Mark, ...]
    reason: str
    also: datetime | None = None
    degree: str = ""


class Timed(Protocol):
    """Anything with a moment."""

    @property
    def time(self) -> datetime:
        """When it was, in UTC."""


T = TypeVar("T", bound=Timed)


def time_of(timed: Timed) -> datetime:
    """The moment, as a key for bisection."""
    return timed.time


def is_medium(mark: Mark) -> bool:
    """Whether the rule behind it says medium or above."""
    return level_rank(mark.level) >= level_rank("medium")


def is_sure(mark: Mark) -> bool:
    """The same, and neither the rule nor the link is a guess."""
    return is_medium(mark) and mark.fidelity >= HEURISTIC


def first_after(timed: Sequence[T], time: datetime) -> T | None:
    """The first of a sequence in time order that is not before the time."""
    at = bisect_left(timed, time, key=time_of)
    return timed[at] if at < len(timed) else None


Stores = dict[str, list[Mark]]
"""Accesses by sub-family of store, each list in time order."""


def by_store(reads: Iterable[Mark]) -> Stores:
    """Accesses under the sub-family of what was accessed."""
    found: Stores = {}
    for mark in reads:
        found.setdefault(mark.store, []).append(mark)
    return found


def each_store(reads: Stores, since: datetime, until: datetime) -> list[Mark]:
    """The first access to each sub-family in a span of time, in time order."""
    near = [mark for marks in reads.values() if (mark := first_after(marks, since)) and mark.time <= until]
    return sorted(near, key=lambda m: (m.time, m.alert_ids))


def two_stores(starts: Sequence[Mark], reads: Sequence[Mark], window: timedelta) -> tuple[Mark, ...]:
    """The earliest start with accesses to two sub-families in the window after it; () if there is none.

    A start that is an access itself is one of the two.
    """
    stores = by_store(reads)
    if len(stores) < 2:
        return ()
    for first in starts:
        chosen = each_store(stores, first.time - SLACK, first.time + window)
        if len(chosen) >= 2:
            return tuple(chosen) if first.letter == "C" else (first, *chosen)
    return ()


def kinds(marks: Iterable[Mark]) -> str:
    """The sub-families in words."""
    return f"stores of kind {', '.join(sorted({mark.store for mark in marks}))}"
