"""A `correlation` document in, a Correlation out: which rules' matches it joins, by what, within what time, and when.

Read are the types of the specification (event_count, value_count, temporal, temporal_ordered) and those of version 2.1
(value_sum, value_avg, value_percentile, value_median). Several operators in one condition are joined by `and`, which
is how a range is written. Without a condition a temporal correlation wants all its rules. A timespan is a number and
one of s m h d, or as pySigma has it w M y. Rules are named by id or name and found in linking.py; windows.py says what
a window holds, correlator.py runs it.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache

from douse.detection.language.description import described, no_map, texts_of
from douse.detection.language.documents import Document, Mistake, Node, did_you_mean, written
from douse.model import Rule

TEMPORAL = ("temporal", "temporal_ordered")
OF_A_FIELD = ("value_count", "value_sum", "value_avg", "value_percentile", "value_median")
TYPES = ("event_count", *OF_A_FIELD, *TEMPORAL)
MAX_RULES = 200
MAX_ORDERED = 16
"""The most rules of a temporal_ordered correlation: its cost for an event grows with their square."""

_OPERATORS: Mapping[str, Callable[[int | Fraction, int | Fraction], bool]] = {
    "gt": operator.gt, "gte": operator.ge, "lt": operator.lt, "lte": operator.le, "eq": operator.eq, "neq": operator.ne,
}
_UNITS: Mapping[str, int] = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800, "M": 2_629_746, "y": 31_556_952}
_TIMESPAN = re.compile(r"([0-9]{1,9})([smhdwMy])")
_KNOWN = ("type", "rules", "group-by", "timespan", "condition", "aliases", "generate")
_LONGEST = 100 * _UNITS["y"]


def exact(number: str | float | Fraction) -> int | Fraction:
    """A number as it is written: 0.1 is one tenth, and not the binary number nearest to it."""
    return number if isinstance(number, int | Fraction) else _of_decimal(number)


@lru_cache(maxsize=1024)
def _of_decimal(number: str | float) -> Fraction:
    return Fraction(str(number))


@dataclass(frozen=True, slots=True)
class Bound:
    """One operator of a condition and the number it compares with."""

    word: str
    number: int | float

    def admits(self, value: float | Fraction) -> bool:
        """Whether a value meets it; 0.3 is three tenths on both sides."""
        return _OPERATORS[self.word](exact(value), exact(self.number))

    def lacks(self, value: float) -> float:
        """How far a value is from meeting it, 0 for one that does or lies on the bound."""
        return 0.0 if self.admits(value) else abs(self.number - value)


@dataclass(frozen=True, slots=True)
class Correlation:
    """What a correlation asks. `references` are its rules as written; `members`, their ids, are filled by linking.py.

    `aliases` maps alias -> rule as written (after linking: rule id) -> field. `carried` are the fields beside those it
    groups by that correlations of this one need from its events.
    """

    rule: Rule
    document: Document
    kind: str
    references: tuple[str, ...]
    group_by: tuple[str, ...]
    seconds: int
    bounds: tuple[Bound, ...]
    fields: tuple[str, ...] = ()
    percentile: int = 50
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    generate: bool = False
    level_given: bool = True
    timespan: str = ""
    members: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()

    def admits(self, value: float | Fraction) -> bool:
        """Whether a window with this value meets the condition."""
        return all(bound.admits(value) for bound in self.bounds)

    @property
    def asks(self) -> str:
        """The condition as one reads it."""
        of = f" of {', '.join(self.fields)}" if self.fields else ""
        return f"{self.kind}{of} {' and '.join(f'{b.word} {b.number}' for b in self.bounds)} within {self.timespan}"

    def source_field(self, name: str, rule_id: str) -> str:
        """Which field of a rule's event a name of `group-by` or `field` means: that of its alias, else itself."""
        return self.aliases.get(name, {}).get(rule_id, name)


def parse_correlation(document: Document, data: Mapping[str, Node], builtin: bool) -> Correlation:
    """The correlation of a document. Raises Mistake."""
    rule = described(document, data, builtin, logs=False)
    part = data.get("correlation")
    if not isinstance(part, dict):
        raise no_map("correlation", data)
    try:
        return _parsed(rule, document, part, level_given=data.get("level") is not None)
    except Mistake as mistake:
        raise mistake.under("correlation") from None


def _parsed(rule: Rule, document: Document, part: Mapping[str, Node], *, level_given: bool) -> Correlation:
    for key in part:
        if key not in _KNOWN:
            raise Mistake(f"unknown key '{key}' of a correlation", did_you_mean(key, _KNOWN), (key,))
    kind = part.get("type")
    if kind not in TYPES:
        raise Mistake(f"unknown type of correlation '{kind}'" if kind else "the correlation has no type",
                      did_you_mean(str(kind), TYPES), ("type",))
    kind = str(kind)
    references = _references(part, kind)
    condition = part.get("condition")
    bounds = _bounds(condition, kind, len(references))
    fields, percentile = _field(condition, kind)
    return Correlation(
        rule=rule,
        document=document,
        kind=kind,
        references=references,
        group_by=_names(part, "group-by"),
        seconds=_seconds(part.get("timespan")),
        bounds=bounds,
        fields=fields,
        percentile=percentile,
        aliases=_aliases(part.get("aliases"), references),
        generate=_truth(part.get("generate")),
        level_given=level_given,
        timespan=str(part.get("timespan")),
    )


def _names(part: Mapping[str, Node], key: str, *above: str) -> tuple[str, ...]:
    """A list of names; one that is empty is an error, because what it should have said would silently be gone."""
    names = tuple(name.strip() for name in texts_of(part, key))
    node = part.get(key)
    if "" in names or (isinstance(node, list) and None in node):
        raise Mistake(f"'{key}' has an empty entry", "Write a name there, or remove the line.", (*above, key))
    return names


def _references(part: Mapping[str, Node], kind: str) -> tuple[str, ...]:
    names = _names(part, "rules")
    most = MAX_ORDERED if kind == "temporal_ordered" else MAX_RULES
    if not names:
        raise Mistake("the correlation names no rule", "List ids or names under 'rules'.", ("rules",))
    if len(set(names)) < len(names):
        raise Mistake("the correlation names a rule twice", "Name each once.", ("rules",))
    if len(names) > most:
        raise Mistake(f"a {kind} correlation of {len(names)} rules", f"Name at most {most}, or chain them.", ("rules",))
    return names


def _seconds(node: Node) -> int:
    found = _TIMESPAN.fullmatch(str(node)) if node is not None else None
    if found is None:
        raise Mistake(f"'{node}' is no timespan" if node is not None else "the correlation has no timespan",
                      "Write a number and one of s, m, h, d, such as 10m.", ("timespan",))
    seconds = int(found[1]) * _UNITS[found[2]]
    if not 0 < seconds <= _LONGEST:
        raise Mistake(f"the timespan {node} is zero or longer than a hundred years", "Correct it.", ("timespan",))
    return seconds


def _bounds(node: Node, kind: str, rules: int) -> tuple[Bound, ...]:
    if node is None and kind in TEMPORAL:
        return (Bound("gte", rules),)
    if not isinstance(node, dict):
        what = "an expression as the condition of a correlation is not supported" if isinstance(node, str) else (
            f"a correlation of type {kind} needs a condition")
        raise Mistake(what, "Write a map, such as 'gte: 10'.", ("condition",))
    for key in node:
        if key not in (*_OPERATORS, "field", "percentile"):
            raise Mistake(f"unknown key '{key}' of a condition", did_you_mean(key, _OPERATORS), ("condition", key))
    bounds = tuple(Bound(word, _number(word, value)) for word, value in node.items() if word in _OPERATORS)
    if not bounds:
        if kind in TEMPORAL:
            return (Bound("gte", rules),)
        raise Mistake("the condition compares with nothing", "Add a line such as 'gte: 10'.", ("condition",))
    return bounds


def _number(word: str, value: Node) -> int | float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Mistake(f"'{word}' needs a number, not {written(value)}", "Write it without quotes.", ("condition", word))
    return value


def _field(node: Node, kind: str) -> tuple[tuple[str, ...], int]:
    """The fields whose values are counted or reckoned with, and the percentile."""
    condition = node if isinstance(node, dict) else {}
    fields = _names(condition, "field", "condition")
    if fields and kind not in OF_A_FIELD:
        raise Mistake(f"'field' says nothing in a correlation of type {kind}, which counts matches",
                      "Remove it, or write a type that reads a field, such as value_count.", ("condition", "field"))
    if kind in OF_A_FIELD and not fields:
        raise Mistake(f"a {kind} correlation needs a field", "Add 'field: Name' to its condition.", ("condition",))
    if len(fields) > 1 and kind != "value_count":
        raise Mistake(f"a {kind} correlation reads one field", "Name one.", ("condition", "field"))
    percentile = condition.get("percentile", 50)
    if kind == "value_percentile" and "percentile" not in condition:
        raise Mistake("a value_percentile correlation needs a percentile", "Add 'percentile: 95'.", ("condition",))
    if isinstance(percentile, bool) or not isinstance(percentile, int) or not 0 <= percentile <= 100:
        raise Mistake(f"'{percentile}' is no percentile", "Write a whole number from 0 to 100.",
                      ("condition", "percentile"))
    return fields, percentile


def _aliases(node: Node, references: tuple[str, ...]) -> dict[str, dict[str, str]]:
    if node is None:
        return {}
    if not isinstance(node, dict):
        raise Mistake("'aliases' must be a map", "Write 'alias: {rule: field}'.", ("aliases",))
    aliases: dict[str, dict[str, str]] = {}
    for alias, rules in node.items():
        if not isinstance(rules, dict):
            raise Mistake(f"the alias '{alias}' must be a map of rules to fields", "Write '{rule: field}'.",
                          ("aliases", alias))
        for rule, name in rules.items():
            if rule not in references:
                raise Mistake(f"the alias '{alias}' names '{rule}', which is no rule of this correlation",
                              did_you_mean(rule, references), ("aliases", alias, rule))
            if isinstance(name, dict | list) or name is None:
                raise Mistake(f"the alias '{alias}' needs a field", "Write its name.", ("aliases", alias, rule))
            aliases.setdefault(alias, {})[rule] = str(name)
    return aliases


def _truth(node: Node) -> bool:
    if node is not None and not isinstance(node, bool):
        raise Mistake(f"'generate' must be true or false, not '{node}'", "Correct it.", ("generate",))
    return bool(node)
