"""Globs against an obvious matcher written a second time, and numbers as logs write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.detection.language.patterns import Glob, Wild, glob_test, number

TEXTS = st.text(alphabet="ab\\*?\n", max_size=10)


def obvious(parts: list[str | Wild], text: str) -> bool:
    """Whether the parts, each one character or a wildcard, make up the text."""
    if not parts:
        return not text
    first, rest = parts[0], parts[1:]
    if first is Wild.ANY:
        return any(obvious(rest, text[at:]) for at in range(len(text) + 1))
    return bool(text) and (first is Wild.ONE or first == text[0]) and obvious(rest, text[1:])


def characters(pattern: str) -> list[str | Wild]:
    """A Sigma value read one character at a time, as the specification tells it."""
    found: list[str | Wild] = []
    while pattern:
        if pattern[0] == "\\" and pattern[1:2] in ("\\", "*", "?") and len(pattern) > 1:
            found.append(pattern[1])
            pattern = pattern[2:]
        else:
            found.append(Wild(pattern[0]) if pattern[0] in "*?" else pattern[0])
            pattern = pattern[1:]
    return found


@given(TEXTS, TEXTS)
def test_a_glob_matches_what_the_specification_says(pattern: str, text: str) -> None:
    assert glob_test([Glob.parse(pattern)])(text) is obvious(characters(pattern), text)


@given(st.lists(TEXTS, max_size=4), TEXTS)
def test_several_globs_are_any_of_them(patterns: list[str], text: str) -> None:
    globs = [Glob.parse(pattern) for pattern in patterns]
    assert glob_test(globs)(text) is any(glob_test([glob])(text) for glob in globs)


@given(TEXTS, TEXTS, st.booleans(), st.booleans())
def test_an_open_glob_matches_with_anything_around_it(pattern: str, text: str, start: bool, end: bool) -> None:
    opened = [*([Wild.ANY] if start else []), *characters(pattern), *([Wild.ANY] if end else [])]
    assert glob_test([Glob.parse(pattern).opened(start, end)])(text) is obvious(opened, text)


def test_many_stars_come_to_an_end() -> None:
    """With backtracking this would outlast the universe."""
    test = glob_test([Glob.parse("*a" * 30 + "*b")])
    assert not test("a" * 20_000)
    assert test("a" * 20_000 + "b")


@pytest.mark.parametrize(("text", "value"), [
    ("0", 0), ("42", 42), ("-7", -7), ("0x1F", 31), ("0X0010", 16), ("1.5", 1.5), ("007", None), ("", None),
    ("-", None), ("1_0", None), (" 1", None), ("0x", None), ("1e3", None), ("٣", None), ("9" * 5_000, None),
    ("nan", None),
])
def test_a_number_is_plain_decimal_or_hexadecimal(text: str, value: float | None) -> None:
    assert number(text) == value
