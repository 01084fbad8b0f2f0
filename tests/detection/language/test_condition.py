"""Conditions as text from anywhere; what they mean is in cases/selections.yml and cases/refused.yml."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import event
from douse.detection.language.condition import MAX_WORDS, parse_condition
from douse.detection.language.documents import Mistake
from douse.detection.reference import Item, Selection
from douse.detection.view import View

NAMES = ("selection", "selection_two", "filter_main", "filter", "_hidden", "notepad", "them_too")


def constant(name: str, value: bool) -> Selection:
    return Selection(name, Item("", (), every=False, negated=False, numbers=None, holds=lambda _: value))


SELECTIONS = {name: constant(name, value=True) for name in NAMES}
WORDS = st.sampled_from([*NAMES, "and", "or", "not", "(", ")", "1", "2", "all", "any", "of", "them", "selection*", "*",
                         "**", "nosuch", "AND", "|"])


@given(st.text() | st.lists(WORDS, max_size=20).map(" ".join))
def test_any_text_is_a_term_or_a_mistake(text: str) -> None:
    try:
        term = parse_condition(text, SELECTIONS)
    except Mistake:
        return
    assert term.holds(View(event())) in (True, False)


EXPRESSIONS = st.recursive(
    st.sampled_from("abc"),
    lambda inner: inner.map(lambda text: f"not {text}") | inner.map(lambda text: f"({text})") | st.tuples(
        inner, st.sampled_from(["and", "or"]), inner).map(" ".join), max_leaves=12)


@given(EXPRESSIONS, st.tuples(st.booleans(), st.booleans(), st.booleans()))
def test_and_or_not_bind_as_in_python(text: str, values: tuple[bool, bool, bool]) -> None:
    given_values = dict(zip("abc", values, strict=True))
    term = parse_condition(text, {name: constant(name, value) for name, value in given_values.items()})
    assert term.holds(View(event())) is eval(text, {}, given_values)  # noqa: S307 - the text is ours: a, b, c, and, or, not


@pytest.mark.parametrize("text", ["(" * 100 + "selection" + ")" * 100, "not " * 100 + "selection"])
def test_deep_conditions_are_refused(text: str) -> None:
    with pytest.raises(Mistake, match="nested deeper"):
        parse_condition(text, SELECTIONS)


def test_endless_conditions_are_refused() -> None:
    with pytest.raises(Mistake, match="words"):
        parse_condition(" or ".join(["selection"] * MAX_WORDS), SELECTIONS)
