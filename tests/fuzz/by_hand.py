"""What is to become of documents that refer to each other, read off the definition one reference after the other.

The counterpart of linking.py for linked.py: slow, recursive and without its order of work, so that the two are unlikely
to be wrong in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from douse.detection.correlation.document import TEMPORAL, Correlation
from douse.detection.language.filters import Filter
from douse.detection.language.parse import CompiledRule, Outcome
from douse.detection.linking import MAX_CHAIN, link
from douse.detection.ruleset import Idle, RuleSet
from douse.errors import RuleError
from douse.model import Rule


@dataclass(slots=True)
class ByHand:
    """All documents of an input, and what is to become of them."""

    accepted: dict[str, CompiledRule | Correlation] = field(default_factory=dict)
    filters: list[Filter] = field(default_factory=list)
    errors: list[RuleError] = field(default_factory=list)
    doubles: int = 0
    settled: dict[str, tuple[str, int]] = field(default_factory=dict)
    """Correlation -> what becomes of it (loaded, idle, deep, refused), and how many correlations it stands upon."""

    def take(self, outcome: Outcome) -> None:
        if isinstance(outcome, RuleError):
            self.errors.append(outcome)
        elif isinstance(outcome, Filter):
            self.filters.append(outcome)
        elif isinstance(outcome, CompiledRule | Correlation):
            self.doubles += outcome.rule.rule_id in self.accepted
            self.accepted.setdefault(outcome.rule.rule_id, outcome)

    def linked(self) -> RuleSet:
        """What the engine makes of them."""
        known = self.accepted.values()
        rules = [one for one in known if isinstance(one, CompiledRule)]
        idle = [(one.rule, one.idle) for one in rules if one.idle]
        made = link([one for one in rules if not one.idle], idle, self.filters,
                    [one for one in known if isinstance(one, Correlation)])
        return RuleSet(made.rules, [Idle(*each) for each in (*idle, *made.idle)], [*self.errors, *made.errors],
                       correlations=made.correlations, filters=self.filters)

    def find(self, reference: str, path: str) -> Rule | None:
        """The one rule or correlation that has the id, or else the name in this file, or else in all files."""
        known = sorted(self.accepted.values(), key=_rank)
        for one in known:
            if one.rule.rule_id.lower() == reference.lower():
                return one.rule
        named = [one.rule for one in known if reference and one.rule.name == reference]
        here = [rule for rule in named if rule.path == path] or named
        return here[0] if len(here) == 1 else None

    def members(self, correlation: Correlation) -> list[str] | None:
        """The ids of a correlation's rules, None when one is not found or there twice."""
        found = [self.find(name, correlation.rule.path) for name in correlation.references]
        ids = [rule.rule_id for rule in found if rule is not None]
        return ids if len(set(ids)) == len(found) else None

    def settle(self, rule_id: str, above: frozenset[str] = frozenset()) -> tuple[str, int]:
        """What becomes of a rule or correlation, and its depth."""
        one = self.accepted[rule_id]
        if isinstance(one, CompiledRule):
            return "idle" if one.idle else "loaded", 0
        if rule_id in above:
            return "refused", 0
        if rule_id not in self.settled:
            self.settled[rule_id] = self._settled(one, above | {rule_id})
        return self.settled[rule_id]

    def _settled(self, one: Correlation, above: frozenset[str]) -> tuple[str, int]:
        below = [self.settle(member, above) for member in self.members(one) or ()]
        if not below or any(state == "refused" for state, _ in below):
            return "refused", 0
        depth = 1 + max(depth for _, depth in below)
        firing = sum(state == "loaded" for state, _ in below)
        able = firing == len(below) or (one.admits(firing) if one.kind in TEMPORAL else firing > 0)
        return ("loaded" if depth <= MAX_CHAIN else "deep") if able and firing else "idle", depth

    def applied(self, rule: Rule) -> list[Filter]:
        """The filters that narrow a rule. What a filter refers to and cannot narrow is an error, counted elsewhere."""
        return [one for one in self.filters if one.covers(rule.logsource) and (
            one.references is None
            or any(self.find(name, one.document.path) is rule for name in one.references))]

    def filter_errors(self) -> int:
        """How many references of filters lead nowhere, or to a rule of another logsource."""
        found = [(one, self.find(name, one.document.path)) for one in self.filters for name in one.references or ()]
        return sum(rule is None or not one.covers(rule.logsource) for one, rule in found)


def _rank(one: CompiledRule | Correlation) -> int:
    return 2 if isinstance(one, Correlation) else 1 if one.idle else 0
