"""Which literals an expression needs: never one that a match can do without."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.detection.language.documents import Mistake
from douse.detection.language.probe import needed
from douse.detection.language.regex import search

EXAMPLES = {
    "powershell": ("powershell",),
    "(?i)PowerShell.*-enc": ("powershell",),
    "net1?\\s+user": ("user",),
    "colou?r": ("colo",),
    "ab{2,9}cd": ("cd",),
    "ab+": ("ab",),
    "(?:reg|sc)\\.exe": (".exe",),
    "(?:curl|wget)": ("curl", "wget"),
    "a(?P<name>bcd)?e": (),
    "^\\w+`": ("`",),
    "foo|": (),
    "foo|bar": ("foo", "bar"),
    "\\d+": (),
    "x{1}": (),
    "[a-z]ab[^]x]cde": ("cde",),
    "\\x61bcdef": (),
    "[[:alpha:]]]abc": (),
    "a{,5}bcd": (),
    "(?<=abc)def": (),
    "ſpecial": ("pecial",),
}


@pytest.mark.parametrize("expression", EXAMPLES)
def test_the_literals_of_an_expression(expression: str) -> None:
    assert needed(expression) == EXAMPLES[expression]


PARTS = st.sampled_from(["a", "b", "ab", "K", "s", "1", ".", "\\.", "\\d", "\\w", "[ab]", "[^a]", "(a|b)", "(?:ab|ba)",
                         "(?i)", "?", "*", "+", "{2}", "{0,1}", "+?", "|", "^", "$", "\\b", "(", ")", "\\x61",
                         "(?i:k)", "(ab)?", "{", "{,2}", "\\{", " ", "(?-i)", "(?P<n>b)"])


@given(st.lists(PARTS, min_size=1, max_size=7).map("".join), st.text("abkKsſ1.{},2 \u212a", max_size=9))
def test_a_text_that_matches_holds_one_of_the_needs(expression: str, text: str) -> None:
    try:
        test = search(expression, set())
    except Mistake:
        return
    needs = needed(expression)
    if needs and test(text):
        assert any(need in text.casefold() for need in needs), needs
