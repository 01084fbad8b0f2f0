"""Expressions of rules: which are searched linearly, that this finds what Python finds, and that none runs for ever."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.detection import linear
from douse.detection.documents import Mistake
from douse.detection.regex import nested_repeat, search

ATOMS = st.sampled_from(["a", "b", ".", r"\d", r"\w", r"\s", "[ab]", "[^a]", "[a-c1]", r"\.", "é", "(?:)"])
EXPRESSIONS = st.recursive(ATOMS, lambda inner: st.one_of(
    st.tuples(inner, inner).map("".join),
    st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
    st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,2}", "{2,}"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
), max_leaves=6)


@given(EXPRESSIONS, st.text(alphabet="abcABC1. \né", max_size=8), st.sampled_from([0, re.IGNORECASE, re.DOTALL]))
def test_the_linear_search_finds_what_python_finds(expression: str, text: str, flags: int) -> None:
    compiled = re.compile(expression, flags)
    assert linear.search(compiled)(text) is (compiled.search(text) is not None)


@pytest.mark.parametrize("expression", [r"^a", r"a$", r"\ba", r"(?=a)b", r"(a)\1", r"(?i:a)b"])
def test_what_the_linear_search_does_not_know_is_said(expression: str) -> None:
    with pytest.raises(linear.Unsupported):
        linear.search(re.compile(expression))


def test_the_linear_search_refuses_to_grow_without_bound() -> None:
    with pytest.raises(linear.Unsupported, match="too large"):
        linear.search(re.compile("(?:a{1000}){1000}"))


@pytest.mark.parametrize("expression", ["(a+)+b", "(?:a*)*b", "(?:.*x)+y", "(?:a|a+){2,}b", r"(?:\w+\s?)*!"])
def test_a_repeat_of_a_repeat_ends_on_hostile_text(expression: str) -> None:
    test = search(expression, set())
    started = time.process_time()
    assert not test("a" * 5_000)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("expression", [
    "a+b+", r"(\{\d\}){2,}", "(?:a+)b", "[(a+)+]", r"\(a+\)+", "(?:a{2,5})+", "[^]+)]+",
])
def test_what_cannot_run_for_ever_stays_with_python(expression: str) -> None:
    assert nested_repeat(expression) == ""


def test_an_expression_too_long_is_refused() -> None:
    with pytest.raises(Mistake, match="longer than"):
        search("a" * 5_000, set())
