"""A test of a text as data: the same question after a trip through a file, and nonsense refused when it is made."""

from __future__ import annotations

import msgspec
import pytest

from douse.detection.language import recipes
from douse.detection.language.documents import Mistake
from douse.detection.language.patterns import Glob
from douse.detection.language.recipes import Comparison, Expression, InNetwork, Like, Recipe, SameNumber

ASKED: list[tuple[Recipe, set[str]]] = [
    (Expression("b+"), {"abc", "b", "bb"}),
    (Expression("B", "i"), {"abc", "b", "bb", "ABC"}),
    (Expression("b", at_start=True), {"b", "bb"}),
    (Expression("c", at_end=True), {"abc"}),
    (InNetwork("10.0.0.0/8"), {"10.1.2.3", " 10.1.2.3 "}),
    (InNetwork("10.9.9.9/8"), {"10.1.2.3", " 10.1.2.3 "}),
    (Comparison("gte", 5), {"5", "0x10", "5.5"}),
    (Comparison("lt", 5), {"-1"}),
    (Comparison("time", 9, "hour"), {"2026-11-24T09:30:00Z"}),
    (Comparison("gt", 8, "hour"), {"2026-11-24T09:30:00Z"}),
    (SameNumber(16), {"0x10"}),
    (Like.of(Glob.parse("a?c"), folded=False), {"abc"}),
    (Like.of(Glob.parse("*b*"), folded=True), {"abc", "b", "bb"}),
    (Like.of(Glob.parse("\\*"), folded=False), {"*"}),
]
TEXTS = ("abc", "b", "bb", "10.1.2.3", " 10.1.2.3 ", "5", "0x10", "5.5", "-1", "2026-11-24T09:30:00Z", "*", "", "ABC")


@pytest.mark.parametrize(("recipe", "passing"), ASKED, ids=str)
def test_a_recipe_asks_the_same_before_and_after_it_was_kept(recipe: Recipe, passing: set[str]) -> None:
    assert {text for text in TEXTS if recipes.test_of(recipe)(text)} == passing
    again: Recipe = msgspec.msgpack.decode(msgspec.msgpack.encode(recipe), type=Recipe)
    assert again == recipe
    assert recipes.test_of(again) is recipes.test_of(recipe)


def test_recipes_that_differ_in_anything_are_not_equal() -> None:
    others = {Expression("b", "i"), InNetwork("b"), Like(("b",), folded=True)}
    assert len({recipe for recipe, _ in ASKED} | others) == len(ASKED) + 3


@pytest.mark.parametrize("recipe", [Expression("("), Expression("a", "x"), InNetwork("10.0.0.0/99")], ids=str)
def test_nonsense_is_refused_when_the_test_is_made(recipe: Recipe) -> None:
    with pytest.raises(Mistake):
        recipes.test_of(recipe)


def test_what_is_too_long_for_an_address_is_in_no_network_and_is_not_remembered() -> None:
    inside = recipes.test_of(InNetwork("fe80::/10"))
    assert inside("fe80::1%eth0")
    assert inside(" " * 1_000 + "fe80::1" + " " * 1_000)
    before = recipes._known_addresses.cache_info().currsize
    assert not inside("fe80::1%" + "x" * 100_000)
    assert not inside("1" * 1_000_000)
    assert recipes._known_addresses.cache_info().currsize == before
