"""A rule's term in, its Plan out (plan.py): what the term asks as searches, how it joins them, and its guards.

A term that came from a file has its plan already; where a filter was added to it, the two plans become one. A part that
asks for more than probes makes the plan `asked`. So does a term that would become larger than MAX_GROUPS (a condition
may name a selection of thousands of maps a thousand times): it is asked of every event that it reads.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from douse.detection.language.probe import Probe
from douse.detection.matching.deferred import Deferred
from douse.detection.matching.plan import ALWAYS, Group, Plan, Search
from douse.detection.matching.search import search_of
from douse.detection.reference import All, Any, Item, Not, Selection, Term

MAX_GROUPS: Final = 20_000


def plan_of(term: Term) -> Plan:
    """The plan of a term, as it was kept or made now."""
    if isinstance(term, Deferred) and (known := term.plan()) is not None:
        return known
    planner = _Planner()
    try:
        condition = planner.condition(term)
    except _TooLarge:
        return Plan((), ALWAYS, None, asked=True)
    return Plan(tuple(planner.searches), condition, planner.guards(condition), planner.asked)


class _TooLarge(Exception):
    """The condition has too many parts."""


@dataclass(slots=True)
class _Planner:
    """The searches of one plan, equal ones once, and whether the term itself must be asked."""

    searches: dict[Search, int] = field(default_factory=dict)
    asked: bool = False
    _known: dict[int, int] = field(default_factory=dict)
    _groups: int = 0

    def condition(self, term: Term, holds: bool = True) -> Group:
        """On which searches it depends that a term holds, or that it does not; ALWAYS for what they do not say."""
        self._groups += 1
        if self._groups > MAX_GROUPS:
            raise _TooLarge
        match term:
            case Selection(term=inner):
                return self.condition(inner, holds)
            case Not(inner):
                return self.condition(inner, not holds)
            case Item(probes=probes) if probes:
                numbers = tuple(dict.fromkeys(map(self._number, probes)))
                return Group(True, true=numbers) if holds is not term.negated else Group(False, false=numbers)
            case All(terms):
                return _joined(holds, [self.condition(each, holds) for each in terms])
            case Any(terms):
                return _joined(not holds, [self.condition(each, holds) for each in terms])
            case Deferred():
                return self._of_kept(term, holds)
        self.asked = True
        return ALWAYS

    def _number(self, probe: Probe) -> int:
        number = self._known.get(id(probe))  # a selection that is named twice is digested once
        if number is None:
            number = self._known[id(probe)] = self._of_search(search_of(probe))
        return number

    def _of_search(self, search: Search) -> int:
        return self.searches.setdefault(search, len(self.searches))

    def _of_kept(self, term: Deferred, holds: bool) -> Group:
        """The condition of a term that has its plan. What only may hold may also not hold."""
        plan = term.plan()
        if plan is None:
            return self.condition(term.made(), holds)
        self.asked |= plan.asked
        numbers = [self._of_search(search) for search in plan.searches]
        if holds:
            return _renumbered(plan.condition, numbers)
        return ALWAYS if plan.asked else _opposite(_renumbered(plan.condition, numbers))

    def guards(self, condition: Group) -> tuple[int, ...] | None:
        """Searches of which one must be true for the condition to be; None where it can be true without any."""
        rarities = [search.rarity for search in self.searches]
        found = _guards(condition, rarities)
        return None if found is None else tuple(sorted(found))


def _joined(every: bool, parts: Iterable[Group]) -> Group:
    """All of some groups, or any of them, as one; what is of the same kind is not nested."""
    true: dict[int, None] = {}
    false: dict[int, None] = {}
    groups: list[Group] = []
    for part in parts:
        if part == ALWAYS:
            if not every:
                return ALWAYS
        elif part.every is every or len(part.true) + len(part.false) + len(part.groups) == 1:
            true |= dict.fromkeys(part.true)
            false |= dict.fromkeys(part.false)
            groups += part.groups
        else:
            groups.append(part)
    return groups[0] if len(groups) == 1 and not true and not false else Group(every, (*true,), (*false,), (*groups,))


def _renumbered(group: Group, numbers: Sequence[int]) -> Group:
    return Group(group.every, tuple(numbers[each] for each in group.true), tuple(numbers[each] for each in group.false),
                 tuple(_renumbered(each, numbers) for each in group.groups))


def _opposite(group: Group) -> Group:
    return Group(not group.every, group.false, group.true, tuple(_opposite(each) for each in group.groups))


def _guards(group: Group, rarities: Sequence[float]) -> frozenset[int] | None:
    """Of all parts the one whose guards are rarest is enough; of any each part needs its own."""
    inner = [_guards(each, rarities) for each in group.groups]
    known = [*(frozenset((each,)) for each in group.true), *(guards for guards in inner if guards is not None)]
    if group.every:
        return max(known, key=lambda guards: min((rarities[each] for each in guards), default=math.inf), default=None)
    return None if group.false or None in inner else frozenset().union(*known)
