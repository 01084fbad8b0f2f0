"""Which rules of a bucket are true of an event, without asking them one by one.

The lines of all rules become numbered searches, those of one field a Table (automaton.py). A rule's plan (plan.py) has
a condition on the set of searches that are true, and needs one of a few of them (its guards) to be true at all. So an
event costs one look-up for each field, and then the rules whose guard is among the true searches are decided, once for
each combination of such sets. A rule that asks for more than a field's texts (exists, fieldref) is decided by its term.

The order of the answer is that of the rules. The reference is the same question put to each term in turn
(RuleSet.match_slowly); both must agree on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from douse.detection.matching.automaton import NOTHING, Fired, Table
from douse.detection.matching.probes import Numbered, Probes
from douse.detection.reference import Term
from douse.detection.view import Aliases
from douse.model import Event, Value, may_be_elsewhere

MAX_LAYOUTS = 500
"""Sets of field names remembered; logs have a handful for each event id."""

LAYOUT_ENTRY = 200
"""Bytes that a layout needs for a name or a table, estimated."""

LARGEST_LAYOUT = 256 << 10

HEAD: Mapping[str, Callable[[Event], Value]] = {
    "EventID": lambda event: event.event_id,
    "Provider_Name": lambda event: event.provider or event.get("Provider_Name"),
    "Channel": lambda event: event.channel,
    "Computer": lambda event: event.host,
}
"""Fields of System that an Event has without decoding, unless its data hide them."""

_Rule = tuple[int, Numbered]
"""A rule's number, and its plan."""


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


class Matcher:
    """Rules that see an event through the same aliases, by their numbers."""

    def __init__(self, rules: Iterable[tuple[int, Term]], aliases: Aliases, probes: Probes) -> None:
        self._aliases, self._memory = aliases, probes.memory
        self._guarded: dict[int, list[_Rule]] = {}
        self._unguarded: list[_Rule] = []
        asked: set[int] = set()
        for number, term in rules:
            plan = probes.numbered(term)
            self._add((number, plan))
            asked.update(plan.numbers)
        self._tables = probes.tables(asked)
        self._keywords = self._tables.pop("", None)
        self._layouts: dict[tuple[str, ...], _Layout] = {}
        self._layouts_of_data: dict[tuple[str, ...], _Layout] = {}
        self._decided: dict[tuple[Fired, ...], Candidates] = {}
        for kept in (self._layouts, self._layouts_of_data, self._decided):
            self._memory.watch(kept.clear)

    def _add(self, rule: _Rule) -> None:
        guards = rule[1].guards
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
        self._keep(layout, names, layouts)
        return layout

    def _keep(self, layout: _Layout, names: tuple[str, ...], layouts: dict[tuple[str, ...], _Layout]) -> None:
        """Remember a layout, unless a record has so many names that it can only be meant to fill the memory."""
        size = sum(map(len, names)) + LAYOUT_ENTRY * (len(names) + len(self._tables))
        if size <= LARGEST_LAYOUT:
            if len(layouts) >= MAX_LAYOUTS:
                layouts.clear()
            self._memory.add(size)
            layouts[names] = layout

    def _decide(self, key: tuple[Fired, ...]) -> Candidates:
        """Decide the rules for a combination of true searches; remembered."""
        fired = NOTHING.union(*key)
        plans = {number: plan for guard in fired for number, plan in self._guarded.get(guard, ())}
        plans.update(self._unguarded)
        holding = [number for number in sorted(plans) if plans[number].may_hold(fired)]
        found = Candidates(tuple([number for number in holding if not plans[number].asked]),
                           tuple([number for number in holding if plans[number].asked]))
        self._memory.add(64 + 16 * len(key) + 8 * len(holding))
        self._decided[key] = found
        return found
