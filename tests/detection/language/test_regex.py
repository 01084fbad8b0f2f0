"""Expressions of rules: they find what Python finds, none runs for ever on hostile text, mistakes are explained."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.detection.language.documents import Mistake
from douse.detection.language.regex import search

ATOMS = st.sampled_from(["a", "b", ".", r"\d", "[ab]", "[^a]", "[a-c1]", r"\.", "é", "(?:)"])
EXPRESSIONS = st.recursive(ATOMS, lambda inner: st.one_of(
    st.tuples(inner, inner).map("".join),
    st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
    st.tuples(inner, st.sampled_from(["*", "+", "?", "*?", "{2}", "{1,2}", "{2,}"])).map(lambda p: f"(?:{p[0]}){p[1]}"),
), max_leaves=6)
FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}


@given(EXPRESSIONS, st.text(alphabet="abcABC1. \né", max_size=8), st.sets(st.sampled_from("ims")))
def test_a_search_finds_what_python_finds(expression: str, text: str, flags: set[str]) -> None:
    expected = re.compile(expression, sum(FLAGS[flag] for flag in flags)).search(text) is not None
    assert search(expression, flags)(text) is expected


@pytest.mark.parametrize("expression", ["(a+)+b", "(?:a*)*b", "(?:.*x)+y", "(?:a|a+){2,}b", r"(?:\w+\s?)*!"])
def test_a_repeat_of_a_repeat_ends_on_hostile_text(expression: str) -> None:
    assert not search(expression, set())("a" * 50_000)  # a backtracking engine would not come back from this


def test_the_ends_can_be_asked_for() -> None:
    assert search("a|b", set(), at_start=True)("bx")
    assert not search("a|b", set(), at_start=True)("xb")
    assert search("a|b", set(), at_end=True)("xa")
    assert not search("a|b", set(), at_end=True)("ax")


def test_a_lone_surrogate_in_the_text_stops_nothing() -> None:
    assert search("mshta", set())("\ud800 mshta")


@pytest.mark.parametrize(("expression", "advice"), [
    ("(?=a)b", "second selection"), ("(?<!a)b", "second selection"), (r"(a)\1", "Back-references"),
    ("a(b", "RE2"), ("a{1,4000}", "1,000"), ("\ud800", "RE2"),
])
def test_what_does_not_compile_says_what_to_do(expression: str, advice: str) -> None:
    with pytest.raises(Mistake) as mistake:
        search(expression, set())
    assert "does not compile" in mistake.value.what
    assert advice in mistake.value.next_step


def test_an_expression_too_long_is_refused() -> None:
    with pytest.raises(Mistake, match="longer than"):
        search("a" * 5_000, set())
