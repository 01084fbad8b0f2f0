"""What a line can ask of a field other than its text: re, cidr, exists, fieldref, comparisons, parts of a time.

A Draft's value in, a Pattern out; what it asks of a text is made in recipes.py. A field that cannot be read as what the
question is about (no address, no number) does not match; that is never an error. The counterpart, texts.py, has the
questions about text, which are most of them.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from typing import get_args

from douse.detection.language.documents import Mistake, Scalar, written
from douse.detection.language.modifiers import Draft, Value
from douse.detection.language.patterns import Glob, number
from douse.detection.language.probe import Probe, RawTest, needed
from douse.detection.language.recipes import Comparison, Expression, InNetwork, Order, Part, Recipe, test_of
from douse.detection.language.texts import combined, each, finder
from douse.detection.language.times import RANGES
from douse.detection.reference import Found, Item, Pattern
from douse.detection.view import View

_LEADING_ZEROS = re.compile(r"^0+(?=[0-9])", re.ASCII)
_ORDERS: Mapping[str, tuple[Order, str]] = {
    "lt": ("lt", "<"), "lte": ("lte", "<="), "gt": ("gt", ">"), "gte": ("gte", ">="), "time": ("time", "="),
}
"""A comparison's word -> its recipe's, and its sign."""

_PARTS: Mapping[str, Part] = {part: part for part in get_args(Part)}


def other_item(field: str, draft: Draft) -> Item:
    """A line that asks something else of the field than its text."""
    if not field and draft.kind != "re":
        raise Mistake(f"'{draft.kind}' needs a field", "Write 'Field|" + draft.kind + "'.")
    make = _KINDS[draft.kind]
    patterns = tuple(tuple(make(field, _scalar(value), draft) for value in group) for group in draft.values)
    tests = [_found_any(group) for group in patterns] if draft.every else [
        _found_any(tuple(pattern for group in patterns for pattern in group))]
    return Item(field, patterns, draft.every, draft.negated, None, combined(tests, draft.negated),
                _probes(field, patterns, draft.every))


def _probes(field: str, patterns: tuple[tuple[Pattern, ...], ...], every: bool) -> tuple[Probe, ...]:
    """The line as data, where its patterns look at nothing but the field's texts."""
    groups = [[pattern.test for pattern in group if pattern.test is not None] for group in patterns]
    if not groups or any(len(tests) < len(group) for tests, group in zip(groups, patterns, strict=True)):
        return ()
    asked = groups if every else [[test for tests in groups for test in tests]]
    return tuple(Probe(field, tests=tuple(tests)) for tests in asked)


def _scalar(value: Value) -> Scalar:
    """The value as the rule writes it: of the words that rewrite values only `expand` can stand before these kinds."""
    if isinstance(value, Glob):
        return str(value)
    if isinstance(value, bytes):
        raise TypeError(f"a rewritten value reached a question that is not about text: {value!r}")
    return value


def _found_any(patterns: tuple[Pattern, ...]) -> Callable[[View], bool]:
    return lambda view: any(pattern.find(view) is not None for pattern in patterns)


def _regex(field: str, value: Scalar, draft: Draft) -> Pattern:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise Mistake("'re' needs an expression", "Quote it.")
    flags = "".join(sorted(draft.flags))
    recipe = Expression(str(value), flags, at_start=draft.open_end and not draft.open_start,
                        at_end=draft.open_start and not draft.open_end)
    return _pattern(f"/{value}/{flags}", field, recipe, needed(str(value)))


def _cidr(field: str, value: Scalar, _draft: Draft) -> Pattern:
    return _pattern(str(value), field, InNetwork(str(value)))


def _pattern(text: str, field: str, recipe: Recipe, needs: tuple[str, ...] = ()) -> Pattern:
    """A pattern that asks each text of the field. Raises Mistake where the recipe is nonsense."""
    return Pattern(text, finder(field, test_of(recipe)), RawTest(recipe, needs))


def _exists(field: str, value: Scalar, _draft: Draft) -> Pattern:
    wanted = {"true": True, "false": False}.get(str(value).lower())
    if wanted is None:
        raise Mistake(f"'exists' needs true or false, not {written(value)}", "Write 'exists: true'.")
    return Pattern(f"exists: {str(wanted).lower()}",
                   lambda view: (field, " ".join(each(view.raw[field]))) if view.has(field) is wanted else None)


def _compare(field: str, value: Scalar, draft: Draft) -> Pattern:
    order, sign = _ORDERS[draft.kind]
    recipe = Comparison(order, _limit(value, draft), _PARTS[draft.part])
    return _pattern(f"{draft.part} {sign} {value}".lstrip(), field, recipe)


def _limit(value: Scalar, draft: Draft) -> int | float:
    """The number a comparison is made with; for a part of a time one that such a part can be, also written `09`."""
    text = "" if isinstance(value, bool) else str(value)
    limit = number(_LEADING_ZEROS.sub("", text) if draft.part else text)
    if limit is None:
        raise Mistake(f"'{draft.part or draft.kind}' needs a number, not {written(value)}", "Write a number.")
    if draft.part:
        first, last = RANGES[draft.part]
        if not isinstance(limit, int) or not first <= limit <= last:
            raise Mistake(f"'{draft.part}' needs a number from {first} to {last}, not {value}", "Correct the number.")
    return limit


def _fieldref(field: str, value: Scalar, draft: Draft) -> Pattern:
    if not isinstance(value, str) or not value:
        raise Mistake("'fieldref' needs the name of another field", "Write it as text.")
    other, name = "".join(value.split()), f"the field {value}"
    related = _RELATIONS[draft.open_start, draft.open_end]

    def find(view: View) -> Found | None:
        mine, theirs = (view.raw, view.raw) if draft.cased else (view.folded, view.folded)
        for text, shown in zip(each(mine[field]), each(view.raw[field]), strict=True):
            if any(related(text, reference) for reference in each(theirs[other])):
                return field, shown
        return None

    return Pattern(name, find)


_RELATIONS: Mapping[tuple[bool, bool], Callable[[str, str], bool]] = {
    (False, False): operator.eq,
    (False, True): lambda text, other: other != "" and text.startswith(other),
    (True, False): lambda text, other: other != "" and text.endswith(other),
    (True, True): lambda text, other: other != "" and other in text,
}
"""How a field relates to another, by where it is open. An empty other field is part of nothing."""

_KINDS: Mapping[str, Callable[[str, Scalar, Draft], Pattern]] = {
    "re": _regex, "cidr": _cidr, "exists": _exists, "fieldref": _fieldref,
    "lt": _compare, "lte": _compare, "gt": _compare, "gte": _compare,
    "time": _compare,
}
