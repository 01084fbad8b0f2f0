"""What the matchers of a rule set share: each distinct search has one number, and each table is made once.

The rules of process_creation read two records, Sysmon's and the Security log's; they are two matchers, which ask the
same of the same fields. A table that was made for one serves the other, as does what it remembers of a log. It may
answer for a few searches more than a matcher needs: no rule of that matcher refers to them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from douse.detection.matching.automaton import Fired, Memory, Table
from douse.detection.matching.plan import ALWAYS, Group, Plan, Search
from douse.detection.matching.planner import plan_of
from douse.detection.reference import Term

Decide = Callable[[Fired], bool]


class Numbered:
    """A rule's plan in the numbers of its set. `asked`: where its condition is true, its term decides."""

    __slots__ = ("_condition", "_decide", "_term", "asked", "guards", "numbers")

    def __init__(self, term: Term, plan: Plan, numbers: tuple[int, ...]) -> None:
        self._term = term  # kept alive, because it is known by its id
        self.numbers, self.asked = numbers, plan.asked
        self.guards = None if plan.guards is None else tuple([numbers[each] for each in plan.guards])
        self._condition = plan.condition
        self._decide: Decide | None = None

    def may_hold(self, fired: Fired) -> bool:
        """Whether the condition is true; made into a function when first asked, as few conditions ever are."""
        if self._decide is None:
            self._decide = decider(self._condition, self.numbers)
            self._condition = ALWAYS  # not needed any more
        return self._decide(fired)


class Probes:
    """The searches of a rule set and the tables that ask them."""

    def __init__(self, memory: Memory) -> None:
        self.memory = memory
        self._numbers: dict[Search, int] = {}
        self._searches: list[Search] = []
        self._numbered: dict[int, Numbered] = {}
        self._tables: dict[str, list[tuple[frozenset[int], Table]]] = {}

    def numbered(self, term: Term) -> Numbered:
        """The plan of a term, its searches numbered."""
        known = self._numbered.get(id(term))
        if known is None:
            plan = plan_of(term)
            numbers = tuple([self._number(each) for each in plan.searches])
            known = self._numbered[id(term)] = Numbered(term, plan, numbers)
        return known

    def _number(self, search: Search) -> int:
        number = self._numbers.setdefault(search, len(self._searches))
        if number == len(self._searches):
            self._searches.append(search)
        return number

    def tables(self, numbers: Iterable[int]) -> dict[str, Table]:
        """A table for each field that some of the searches ask."""
        fields: dict[str, set[int]] = {}
        for number in numbers:
            fields.setdefault(self._searches[number].field, set()).add(number)
        return {field: self._table(field, wanted) for field, wanted in fields.items()}

    def _table(self, field: str, wanted: set[int]) -> Table:
        tables = self._tables.setdefault(field, [])
        for asked, table in tables:
            if wanted <= asked and len(asked) <= _room(len(wanted)):
                return table
        table = Table(((number, self._searches[number]) for number in sorted(wanted)), self.memory)
        tables.append((frozenset(wanted), table))
        return table


def _room(count: int) -> int:
    """How many searches a table may have to serve where so many are wanted."""
    return count + count // 8 + 4


def decider(group: Group, numbers: Sequence[int]) -> Decide:
    """The function that says whether a condition is true, given the searches that are."""
    true = frozenset([numbers[each] for each in group.true])
    false = frozenset([numbers[each] for each in group.false])
    groups = [decider(each, numbers) for each in group.groups]
    return _all_of(true, false, groups) if group.every else _any_of(true, false, groups)


def _all_of(true: Fired, false: Fired, groups: list[Decide]) -> Decide:
    if not false and not groups:
        return true.issubset

    def decide(fired: Fired) -> bool:
        if not true <= fired or not false.isdisjoint(fired):
            return False
        for group in groups:
            if not group(fired):
                return False
        return True

    return decide


def _any_of(true: Fired, false: Fired, groups: list[Decide]) -> Decide:
    def decide(fired: Fired) -> bool:
        if not true.isdisjoint(fired) or not false <= fired:
            return True
        for group in groups:
            if group(fired):
                return True
        return False

    return decide
