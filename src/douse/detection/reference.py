"""Does a rule match an event, and why? A rule is a tree of the five kinds of term below; each says it in a few lines.

This is the matcher anyone can check by eye, and what a faster one will be compared with. Terms come from selection.py
(items) and condition.py (and, or, not); the View is one event under the rule's field names. An Item keeps both its
patterns, one by one, and `holds`, the same question asked of all of them at once; tests compare the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Protocol

from douse.detection.language.probe import Probe, RawTest
from douse.detection.view import View, shown
from douse.model import Match

Found = tuple[str, str]
"""Where a pattern was found: the field's name and its text."""


class Term(Protocol):
    """A part of a rule that is true or false of an event."""

    def holds(self, view: View) -> bool:
        """Whether the term is true."""

    def why(self, view: View, selection: str) -> Iterator[Match]:
        """What made it true: one Match for each item. Only asked of a term that holds."""

    def event_ids(self) -> frozenset[int] | None:
        """The only event ids of which the term can be true; None where it does not say."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One value of a rule: how it reads, and where in an event it is found (None: nowhere)."""

    text: str
    find: Callable[[View], Found | None]
    test: RawTest | None = None
    """What `find` asks of each text of the field, where that is all it looks at and it is no Glob."""


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a selection, `Field|modifier: values`; without a field, keywords.

    `groups` has the patterns of each value: a value holds when any of its patterns is found, the item when any value
    holds, or with `every` (the modifier `all`) when all do. `negated` (the modifier `neq`) turns the whole round.
    """

    field: str
    groups: tuple[tuple[Pattern, ...], ...]
    every: bool
    negated: bool
    numbers: frozenset[int] | None
    holds: Callable[[View], bool]
    probes: tuple[Probe, ...] = ()
    """The same question as data, for the fast matcher; none when more than the field's texts decides."""

    def holds_slowly(self, view: View) -> bool:
        """The definition of `holds`, pattern by pattern."""
        values = (any(pattern.find(view) is not None for pattern in group) for group in self.groups)
        return (all(values) if self.every else any(values)) is not self.negated

    def why(self, view: View, selection: str) -> Iterator[Match]:
        if self.negated:
            words = ", ".join(pattern.text for group in self.groups for pattern in group)
            yield Match(selection, self.field, shown(view.raw[self.field]), f"not {words}")
            return
        for group in self.groups:
            for pattern in group:
                if (found := pattern.find(view)) is not None:
                    yield Match(selection, *found, pattern.text)
                    break
            else:
                continue
            if not self.every:
                return

    def event_ids(self) -> frozenset[int] | None:
        return self.numbers if self.field.lower() == "eventid" and not self.negated else None


@dataclass(frozen=True, slots=True)
class All:
    """True when all its terms are: the items of a selection, `and`, `all of`."""

    terms: tuple[Term, ...]

    def holds(self, view: View) -> bool:
        for term in self.terms:  # not all(...): a generator costs more than most items
            if not term.holds(view):
                return False
        return True

    def why(self, view: View, selection: str) -> Iterator[Match]:
        for term in self.terms:
            yield from term.why(view, selection)

    def event_ids(self) -> frozenset[int] | None:
        known = [ids for term in self.terms if (ids := term.event_ids()) is not None]
        return frozenset.intersection(*known) if known else None


@dataclass(frozen=True, slots=True)
class Any:
    """True when one of its terms is: a list of maps, `or`, `1 of`."""

    terms: tuple[Term, ...]

    def holds(self, view: View) -> bool:
        for term in self.terms:
            if term.holds(view):
                return True
        return False

    def why(self, view: View, selection: str) -> Iterator[Match]:
        for term in self.terms:
            if term.holds(view):
                yield from term.why(view, selection)

    def event_ids(self) -> frozenset[int] | None:
        known = [term.event_ids() for term in self.terms]
        return None if None in known else frozenset().union(*(ids for ids in known if ids is not None))


@dataclass(frozen=True, slots=True)
class Not:
    """True when its term is not, so also when a field it asks for is missing. What is absent proves nothing: no why."""

    term: Term

    def holds(self, view: View) -> bool:
        return not self.term.holds(view)

    def why(self, view: View, selection: str) -> Iterator[Match]:
        return iter(())

    def event_ids(self) -> frozenset[int] | None:
        return None


@dataclass(frozen=True, slots=True)
class Selection:
    """A named selection of the rule: holds as its term does, and gives its name to the matches below it."""

    name: str
    term: Term
    holds: Callable[[View], bool] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "holds", self.term.holds)  # the term's own: one call less for each rule and event

    def why(self, view: View, selection: str) -> Iterator[Match]:
        return self.term.why(view, self.name)

    def event_ids(self) -> frozenset[int] | None:
        return self.term.event_ids()
