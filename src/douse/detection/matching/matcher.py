"""Which rules of a bucket are true of an event, without asking them one by one.

The lines of all rules become numbered probes, those of one field a Table (automaton.py). A rule's term becomes a
condition on the set of probes that are true, and needs one of a few of them (its guards) to be true at all. So an event
costs one look-up for each field, and then the rules whose guard is among the true probes are decided, once for each
combination of such sets. A rule that asks for more than a field's texts (exists, fieldref) is decided by its own term.

The order of the answer is that of the rules. The reference is the same question put to each term in turn
(RuleSet.match_slowly); both must agree on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from douse.detection.language.probe import Probe
from douse.detection.matching.automaton import NOTHING, Fired, Memory, Table
from douse.detection.matching.cache import Deferred
from douse.detection.reference import All, Any, Item, Not, Selection, Term
from douse.detection.view import Aliases
from douse.model import Event, Value, may_be_elsewhere

MAX_LAYOUTS = 500
"""Sets of field names remembered; logs have a handful for each event id."""

HEAD: Mapping[str, Callable[[Event], Value]] = {
    "EventID": lambda event: event.event_id,
    "Provider_Name": lambda event: event.provider or event.get("Provider_Name"),
    "Channel": lambda event: event.channel,
    "Computer": lambda event: event.host,
}
"""Fields of System that an Event has without decoding, unless its data hide them."""

Decide = Callable[[Fired], bool]


class Candidates(NamedTuple):
    """Rules that hold, and rules that must still be asked; both by their numbers, ascending."""

    certain: tuple[int, ...]
    to_ask: tuple[int, ...]


@dataclass(slots=True)
class _Layout:
    """Where events with one set of field names keep what the tables ask for."""

    absent: Fired
    present: list[tuple[str, Callable[[str], Fired | None], Callable[[Value], Fired]]]
    made: list[tuple[Callable[[Event], Value], Table]]
    elsewhere: list[tuple[str, Table]]


@dataclass(slots=True)
class _Rule:
    """A rule as a condition on probes; without one (it asks for more than those) its term decides."""

    number: int
    decide: Decide | None


class Matcher:
    """Rules that see an event through the same aliases, by their numbers."""

    def __init__(self, rules: Iterable[tuple[int, Term]], aliases: Aliases, memory: Memory) -> None:
        self._aliases, self._memory = aliases, memory
        probes = _Probes()
        self._guarded: dict[int, list[_Rule]] = {}
        self._unguarded: list[_Rule] = []
        for number, term in rules:
            self._add(number, term, probes)
        self._tables = {name: Table(asked, memory) for name, asked in probes.by_field.items() if name}
        self._keywords = Table(probes.by_field[""], memory) if "" in probes.by_field else None
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._layouts_of_data: dict[tuple[str, ...], _Layout] = {}
        self._decided: dict[tuple[Fired, ...], Candidates] = {}
        memory.watch(self._decided.clear)

    def _add(self, number: int, term: Term, probes: _Probes) -> None:
        guards = probes.guards(term)
        rule = _Rule(number, probes.condition(term))
        if guards is None:
            self._unguarded.append(rule)
        else:
            for guard in guards:
                self._guarded.setdefault(guard, []).append(rule)

    def candidates(self, event: Event) -> Candidates:
        """The rules that hold for an event, and those of which its own term must say so."""
        fields = event.data
        if fields is None:
            fields, layouts = event.fields, self._layouts
        else:
            layouts = self._layouts_of_data
        names = tuple(fields)
        layout = layouts.get(names)
        if layout is None:
            layout = self._lay_out(event, names, layouts)
        all_fired = [layout.absent]
        for name, known, of in layout.present:
            value = fields[name]
            fired = known(value) if value.__class__ is str else None
            if fired is None:
                fired = of(value)
            if fired:
                all_fired.append(fired)
        for value_of, table in layout.made:
            if fired := table.of(value_of(event)):
                all_fired.append(fired)
        for name, table in layout.elsewhere:
            if fired := table.of(event.get(name)):
                all_fired.append(fired)
        if self._keywords is not None and (fired := self._keywords.of_record(event)):
            all_fired.append(fired)
        key = tuple(all_fired)
        return self._decided.get(key) or self._decide(key)

    def _lay_out(self, event: Event, names: tuple[str, ...], layouts: dict[tuple[str, ...], _Layout]) -> _Layout:
        """Find each table's field among an event's: whether and where depends on the names alone."""
        layout = _Layout(NOTHING, [], [], [])
        for name, table in self._tables.items():
            alias = self._aliases.get(name.lower())
            if alias is not None and alias.present(event):
                layout.made.append((alias.value, table))
            elif name in names:
                layout.present.append((name, table.known.get, table.of))
            elif layouts is self._layouts_of_data and may_be_elsewhere(name):
                if name in HEAD:
                    layout.made.append((HEAD[name], table))
                else:
                    layout.elsewhere.append((name, table))
            elif (spelled := event.name_of(name)) is not None:
                layout.present.append((spelled, table.known.get, table.of))
            else:
                layout.absent |= table.null
        if len(layouts) >= MAX_LAYOUTS:
            layouts.clear()
        layouts[names] = layout
        return layout

    def _decide(self, key: tuple[Fired, ...]) -> Candidates:
        """Decide the rules for a combination of true probes; remembered."""
        fired = NOTHING.union(*key)
        rules = {rule.number: rule for guard in fired for rule in self._guarded.get(guard, ())}
        rules.update((rule.number, rule) for rule in self._unguarded)
        numbers = sorted(rules)
        certain = tuple(number for number in numbers if (decide := rules[number].decide) is not None and decide(fired))
        found = Candidates(certain, tuple(number for number in numbers if rules[number].decide is None))
        self._memory.add(64 + 16 * len(key) + 8 * len(numbers))
        self._decided[key] = found
        return found


@dataclass(slots=True)
class _Probes:
    """The probes of all rules of a matcher, numbered; equal ones have one number."""

    numbers: dict[Probe, int] = field(default_factory=dict)
    known: dict[int, int] = field(default_factory=dict)
    rarities: list[float] = field(default_factory=list)
    by_field: dict[str, list[tuple[int, Probe]]] = field(default_factory=dict)

    def _number(self, probe: Probe) -> int:
        number = self.known.get(id(probe))  # hashing a hundred globs again is what takes time here
        if number is None:
            number = self.known[id(probe)] = self._equal(probe)
        return number

    def _equal(self, probe: Probe) -> int:
        number = self.numbers.get(probe)
        if number is None:
            number = self.numbers[probe] = len(self.numbers)
            self.rarities.append(_rarity(probe))
            self.by_field.setdefault(probe.field, []).append((number, probe))
        return number

    def condition(self, term: Term) -> Decide | None:
        """A term as a condition on the true probes; None when it asks for more than those."""
        match term:
            case Deferred():
                return self.condition(term.made())
            case Selection(term=inner):
                return self.condition(inner)
            case Not(inner):
                decide = self.condition(inner)
                return None if decide is None else lambda fired: not decide(fired)
            case Item(probes=probes) if probes:
                return _all_of([self._number(probe) for probe in probes], term.negated)
            case All(terms):
                return _both(self._conditions(terms))
            case Any(terms):
                return _either(self._conditions(terms))
        return None

    def _conditions(self, terms: Sequence[Term]) -> list[Decide] | None:
        found = [self.condition(term) for term in terms]
        known = [decide for decide in found if decide is not None]
        return known if len(known) == len(found) else None

    def guards(self, term: Term) -> frozenset[int] | None:
        """Probes of which one must be true for the term to be; None where it can be true without any."""
        match term:
            case Deferred():
                return self.guards(term.made())
            case Selection(term=inner):
                return self.guards(inner)
            case Item(probes=probes) if probes and not term.negated:
                return frozenset((self._number(max(probes, key=_rarity)),))
            case All(terms):
                known = [guards for each in terms if (guards := self.guards(each)) is not None]
                return max(known, key=self._rarity, default=None)
            case Any(terms):
                every = [self.guards(each) for each in terms]
                return None if None in every else NOTHING.union(*(guards for guards in every if guards is not None))
        return None

    def _rarity(self, guards: frozenset[int]) -> float:
        return min((self.rarities[guard] for guard in guards), default=0)


def _rarity(probe: Probe) -> float:
    """How seldom we guess a probe to be true: its shortest literal, less when there are many."""
    if probe.null or probe.tests or not probe.globs:
        return 1
    shortest = min(len("".join(glob.literals)) for glob in probe.globs)
    return shortest / (1 + len(probe.globs) / 8)


def _all_of(numbers: list[int], negated: bool) -> Decide:
    if len(numbers) == 1:
        (only,) = numbers
        return (lambda fired: only not in fired) if negated else (lambda fired: only in fired)
    wanted = frozenset(numbers)
    return (lambda fired: not wanted <= fired) if negated else (lambda fired: wanted <= fired)


def _both(terms: list[Decide] | None) -> Decide | None:
    if terms is None:
        return None

    def decide(fired: Fired) -> bool:
        for term in terms:
            if not term(fired):
                return False
        return True

    return decide


def _either(terms: list[Decide] | None) -> Decide | None:
    if terms is None:
        return None

    def decide(fired: Fired) -> bool:
        for term in terms:
            if term(fired):
                return True
        return False

    return decide
