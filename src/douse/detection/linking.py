"""All documents that refer to others, once everything is read: filters are applied, correlations find their rules.

A reference is an id, or a name: first of a rule in the same file, then of the only rule of that name. What refers to
nothing is an error of its own and the rest runs. A correlation whose rules can never all match (for the counting types:
none of them) is idle, as a rule is, and says whose fault that is. Order of the result: a correlation comes after those
it is made of.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass, field, replace

from douse.detection.correlation.document import TEMPORAL, Correlation
from douse.detection.language.documents import Document, Mistake, did_you_mean
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule
from douse.detection.reference import All, Term
from douse.errors import RuleError
from douse.model import LEVELS, Rule, level_rank

MAX_CHAIN = 20
"""How deep correlations may be made of correlations."""

_MAX_NAMES = 200
"""Among more names than this the nearest to a wrong one is not looked for: it would take longer than the loading."""

_MAX_GUESSES = 100
"""For so many wrong references the nearest name is looked for; of more nobody reads the hints."""


@dataclass(slots=True)
class Linked:
    """What came of it: the rules with their filters, correlations in order, those that stay idle, and errors."""

    rules: list[CompiledRule]
    correlations: list[Correlation] = field(default_factory=list)
    idle: list[tuple[Rule, str]] = field(default_factory=list)
    errors: list[RuleError] = field(default_factory=list)


class Directory:
    """Finds rules, also idle ones, and correlations by id or name."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._guesses = 0
        self._by_id: dict[str, Rule] = {}
        self._by_name: dict[str, list[Rule]] = {}
        for rule in rules:
            self._by_id.setdefault(rule.rule_id.lower(), rule)
            if rule.name:
                self._by_name.setdefault(rule.name, []).append(rule)

    def find(self, reference: str, path: str) -> Rule:
        """The rule that a document of that file means. Raises Mistake."""
        known = self._by_id.get(reference.lower())
        if known is not None:
            return known
        named = self._by_name.get(reference, [])
        near = [rule for rule in named if rule.path == path] or named
        if len(near) == 1:
            return near[0]
        if near:
            raise Mistake(f"{len(near)} rules have the name '{reference}'", "Refer to one by its id.")
        raise Mistake(f"no rule that is loaded has the id or name '{reference}'", self._hint(reference))

    def _hint(self, reference: str) -> str:
        """What to do about a reference to nothing: the nearest name, as long as looking for it is cheap."""
        self._guesses += 1
        if 0 < len(self._by_name) < _MAX_NAMES and self._guesses <= _MAX_GUESSES:
            return did_you_mean(reference, self._by_name)
        return "Load that rule as well, or correct the reference."


def link(rules: Sequence[CompiledRule], idle: Sequence[tuple[Rule, str]], filters: Sequence[Filter],
         correlations: Sequence[Correlation]) -> Linked:
    """Apply the filters and find the rules of the correlations. `idle` are the rules that never fire, and why."""
    linked = Linked(list(rules))
    if not filters and not correlations:
        return linked
    directory = Directory([*(rule.rule for rule in rules), *(rule for rule, _ in idle),
                           *(correlation.rule for correlation in correlations)])
    joined = {correlation.rule.rule_id for correlation in correlations}
    narrowed: dict[int, list[Term]] = {}
    for one in filters:
        for index in _filtered(one, linked, directory, joined):
            narrowed.setdefault(index, []).append(one.term)
    for index, terms in narrowed.items():  # side by side, because hundreds inside each other are too deep to ask
        if (own := linked.rules[index].term) is not None:
            linked.rules[index] = replace(linked.rules[index], term=All((own, *terms)))
    _correlate(correlations, linked, directory, {rule.rule_id: reason for rule, reason in idle})
    return linked


def _filtered(one: Filter, linked: Linked, directory: Directory, correlations: Set[str]) -> Iterator[int]:
    """The places of the rules that a filter narrows; what it cannot narrow is an error."""
    wanted: set[str] = set()
    for place, reference in enumerate(one.references or ()):
        try:
            rule = directory.find(reference, one.document.path)
            if rule.rule_id in correlations:
                raise Mistake(f"'{reference}' is a correlation, and a filter narrows rules",
                              "Name the rules that it is made of.")
            if not one.covers(rule.logsource):
                raise Mistake(f"the filter's logsource {one.logsource} is not that of '{reference}', {rule.logsource}",
                              "Give the filter the logsource of the rule, or fewer words of it.")
        except Mistake as mistake:
            linked.errors.append(_at(one.document, mistake, "filter", "rules", place))
        else:
            wanted.add(rule.rule_id)
    for index, rule_ in enumerate(linked.rules):
        named = one.references is None or rule_.rule.rule_id in wanted
        if named and rule_.term is not None and one.covers(rule_.rule.logsource):
            yield index


def _at(document: Document, mistake: Mistake, *path: str | int) -> RuleError:
    return document.error(mistake.under(*path))


def _correlate(correlations: Sequence[Correlation], linked: Linked, directory: Directory, idle: dict[str, str]) -> None:
    """Each correlation after those it is made of; what is left over waits for itself or for one that is rejected."""
    waiting = _with_members(correlations, linked, directory)
    outer: dict[str, list[str]] = {}
    for correlation in waiting.values():
        for member in correlation.members:
            outer.setdefault(member, []).append(correlation.rule.rule_id)
    missing = {rule_id: len(correlation.members) for rule_id, correlation in waiting.items()}
    levels = {rule.rule.rule_id: rule.rule.level for rule in linked.rules} | dict.fromkeys(idle, LEVELS[0])
    depths = dict.fromkeys(levels, 0)
    ready = list(levels)
    for rule_id in ready:  # grows while it is walked
        if rule_id in waiting:
            levels[rule_id] = _settle(waiting.pop(rule_id), linked, idle, levels, depths)
        for name in outer.get(rule_id, ()):
            missing[name] -= 1
            if not missing[name]:
                ready.append(name)
    for left in waiting.values():
        mistake = Mistake("the correlation is made of itself, or of one that is not loaded", "Correct its rules.")
        linked.errors.append(_at(left.document, mistake, "correlation", "rules"))
    linked.correlations = _with_carried(linked.correlations)


def _settle(correlation: Correlation, linked: Linked, idle: dict[str, str], levels: dict[str, str],
            depths: dict[str, int]) -> str:
    """Put a correlation whose rules are settled where it belongs; its level."""
    correlation = _with_level(correlation, [levels[member] for member in correlation.members])
    rule_id = correlation.rule.rule_id
    depths[rule_id] = 1 + max(depths[member] for member in correlation.members)
    if reason := _idle(correlation, idle):
        idle[rule_id] = reason
        linked.idle.append((correlation.rule, reason))
    elif depths[rule_id] > MAX_CHAIN:
        mistake = Mistake(f"correlations of correlations, more than {MAX_CHAIN} deep", "Chain fewer.")
        linked.errors.append(_at(correlation.document, mistake, "correlation", "rules"))
        idle[rule_id] = "chained too deep"
    else:
        linked.correlations.append(correlation)
    return correlation.rule.level


def _with_members(correlations: Sequence[Correlation], linked: Linked,
                  directory: Directory) -> dict[str, Correlation]:
    """The correlations whose rules are all known, by id, with the ids of those rules."""
    found: dict[str, Correlation] = {}
    for correlation in correlations:
        try:
            ids = {name: directory.find(name, correlation.rule.path).rule_id for name in correlation.references}
            if len(set(ids.values())) < len(ids):
                raise Mistake("the correlation names a rule twice", "Name each once.")
        except Mistake as mistake:
            linked.errors.append(_at(correlation.document, mistake, "correlation", "rules"))
            continue
        aliases = {alias: {ids[rule]: name for rule, name in rules.items()}
                   for alias, rules in correlation.aliases.items()}
        found[correlation.rule.rule_id] = replace(correlation, members=tuple(ids.values()), aliases=aliases)
    return found


def _with_level(correlation: Correlation, levels: Sequence[str]) -> Correlation:
    """Its own level, or without one the strongest of its rules."""
    if correlation.level_given:
        return correlation
    return replace(correlation, rule=replace(correlation.rule, level=max(levels, key=level_rank)))


def _idle(correlation: Correlation, idle: dict[str, str]) -> str:
    """Why a correlation can never fire, empty when it can."""
    reasons = [f"its rule '{name}' is idle: {idle[member]}"
               for name, member in zip(correlation.references, correlation.members, strict=True) if member in idle]
    all_wanted = correlation.kind in TEMPORAL and not correlation.admits(len(correlation.members) - len(reasons))
    return reasons[0] if reasons and (all_wanted or len(reasons) == len(correlation.members)) else ""


def _with_carried(correlations: list[Correlation]) -> list[Correlation]:
    """Each with the fields that those made of it ask for, the outermost first."""
    carried: dict[str, dict[str, None]] = {}
    for outer in reversed(correlations):
        names = (*outer.group_by, *outer.fields)
        for member in outer.members:
            wanted = (*(outer.source_field(name, member) for name in names), *carried.get(outer.rule.rule_id, ()))
            carried.setdefault(member, {}).update(dict.fromkeys(wanted))
    return [replace(each, carried=tuple(name for name in carried.get(each.rule.rule_id, ())
                                        if name not in each.group_by)) for each in correlations]
