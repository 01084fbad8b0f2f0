"""The modifier `re`: an expression of a rule in, a test on a text out. Unanchored, case-sensitive unless `i`.

Sigma means a subset of PCRE; Python reads nearly all of it, and what it does not, or reads as something else, is
refused with a reason. Log text is the attacker's, and a backtracking matcher can be made to run for ever where a repeat
holds another repeat, as in `(.*x)+`. Those few expressions go to linear.py instead.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Set

from douse.detection import linear
from douse.detection.documents import Mistake
from douse.detection.patterns import Test

MAX_LENGTH = 4_000

_FLAGS = {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}
_POSIX_CLASS = re.compile(r"\[:\^?[a-z]+:\]")
_LOOSE_FLAG = re.compile(r"\(\?([ims]+)\)")


def search(expression: str, flags: Set[str], *, at_start: bool = False, at_end: bool = False) -> Test:
    """A test that says whether a text holds the expression, anywhere or at an end. Raises Mistake."""
    if at_start or at_end:
        expression = "".join((r"\A" if at_start else "", "(?:", expression, ")", r"\Z" if at_end else ""))
    compiled = _compiled(expression, sum(_FLAGS[flag] for flag in flags))
    if repeat := nested_repeat(expression):
        return _linear(compiled, repeat)
    found = compiled.search
    return lambda text: found(text) is not None


def _compiled(expression: str, flags: int) -> re.Pattern[str]:
    if len(expression) > MAX_LENGTH:
        raise Mistake(f"the expression is longer than {MAX_LENGTH} characters", "Split it.")
    if posix := _POSIX_CLASS.search(expression):
        raise Mistake(f"'{posix[0]}' is not supported in an expression", r"Use \d, \w, \s or a range such as a-z.")
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # "possible nested set" and such: Python would read it as something else
        try:
            return re.compile(expression, flags)
        except (re.error, Warning, OverflowError, RecursionError) as error:
            raise Mistake(f"the expression '{_short(expression)}' does not compile: {error}",
                          _advice(expression)) from None


def _advice(expression: str) -> str:
    loose = _LOOSE_FLAG.search(expression, 1)
    if loose:
        return f"Move {loose[0]} to the front, or write the modifier '|re|{loose[1][0]}'."
    return "Look-around and groups are those of Python's re; \\p{..}, \\K and \\R do not exist there."


def _short(expression: str) -> str:
    return expression if len(expression) <= 80 else expression[:79] + "…"


def _linear(compiled: re.Pattern[str], repeat: str) -> Test:
    try:
        return linear.search(compiled)
    except linear.Unsupported as error:
        raise Mistake(f"'{_short(repeat)}' repeats a repeat, which hostile text can make run for ever ({error})",
                      "Rewrite it so that only one of the two repeats.") from None


def nested_repeat(expression: str) -> str:
    """The first group that is repeated without limit and holds a repeat without limit; empty when there is none."""
    open_groups: list[tuple[int, bool]] = []
    unlimited_inside = False
    at = 0
    while at < len(expression):
        char = expression[at]
        if char == "\\":
            at += 1
        elif char == "[":
            at = _class_end(expression, at)
        elif char == "(":
            open_groups.append((at, unlimited_inside))
            unlimited_inside = False
        elif char == ")" and open_groups:
            start, outside = open_groups.pop()
            repeated = _unlimited(expression, at + 1)
            if repeated and unlimited_inside:
                return expression[start : at + 2]
            unlimited_inside = unlimited_inside or outside or repeated
        elif _unlimited(expression, at):
            unlimited_inside = True
        at += 1
    return ""


def _unlimited(expression: str, at: int) -> bool:
    return re.match(r"[*+]|\{\d*,\}|\{\d*,\d{3,}\}", expression[at : at + 12]) is not None


def _class_end(expression: str, at: int) -> int:
    """The position of the bracket that ends a character class."""
    at += 1
    at += expression[at : at + 1] == "^"
    at += expression[at : at + 1] == "]"
    while at < len(expression) and expression[at] != "]":
        at += 2 if expression[at] == "\\" else 1
    return at
