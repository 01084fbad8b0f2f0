"""The modifier `re`: an expression of a rule in, a test on a text out. Unanchored, case-sensitive unless `i`.

Log text is the attacker's, and a backtracking matcher can be made to run for ever on it, so the engine is RE2, which
is linear in the text. It reads the subset of PCRE that Sigma means, without look-around and back-references; all
expressions of SigmaHQ compile. Two differences from PCRE: `$` is the very end, never before a last line feed, and a
counted repeat goes to 1,000 at most. Classes such as \\w are ASCII, as PCRE's are by default.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Set
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]  # the package ships no types

from douse.detection.language.documents import Mistake
from douse.detection.language.patterns import Test

MAX_LENGTH = 4_000
MAX_MEMORY = 8 << 20  # bytes for one expression; RE2 falls back to a slower, still linear search beyond it

_LOOK_AROUND = re.compile(r"\(\?(?:[=!]|<[=!])")
_BACK_REFERENCE = re.compile(r"(?<!\\)(?:\\\\)*\\[1-9]")


def _options() -> re2.Options:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    options.never_capture = True  # nobody asks what a group held, and telling costs five times the search
    return options


_OPTIONS = _options()


def search(expression: str, flags: Set[str], *, at_start: bool = False, at_end: bool = False) -> Test:
    """A test that says whether a text holds the expression, anywhere or at an end. Flags: i, m, s. Raises Mistake."""
    if len(expression) > MAX_LENGTH:
        raise Mistake(f"the expression is longer than {MAX_LENGTH} characters", "Split it.")
    if at_start or at_end:
        _compiled(expression)  # by itself first, or `a)(b` would become whole between the parentheses that are added
    whole = "".join((
        f"(?{''.join(sorted(flags))})" if flags else "",
        r"\A" if at_start else "", f"(?:{expression})" if at_start or at_end else expression, r"\z" if at_end else "",
    ))
    return _test(whole)


@lru_cache(maxsize=2_048)
def _test(expression: str) -> Test:
    """One test for all rules that have the same expression: it is compiled, and asked of a text, only once."""
    found = _compiled(expression).search
    return lambda text: _found(found, text)


def _compiled(expression: str) -> Any:
    """RE2's object for an expression; the package has no types to name it by. Raises Mistake."""
    try:
        return re2.compile(expression, _OPTIONS)
    except (re2.error, UnicodeEncodeError) as error:
        raise Mistake(f"the expression '{_short(expression)}' does not compile: {_reason(error)}",
                      _advice(expression)) from None


def _found(find: Callable[[bytes], object], text: str) -> bool:
    """Search the text as UTF-8: given a str, the library would also count where in it each group begins."""
    try:
        data = text.encode()
    except UnicodeEncodeError:  # a lone surrogate, which no expression can name
        data = text.encode("utf-8", "replace")
    return find(data) is not None


def _reason(error: Exception) -> str:
    """RE2's message, which comes as bytes."""
    said = error.args[0] if error.args else ""
    return said.decode("utf-8", "replace") if isinstance(said, bytes) else str(error)


def _advice(expression: str) -> str:
    if _LOOK_AROUND.search(expression):
        return "Look-around is not supported: write a second selection and `not` in the condition."
    if _BACK_REFERENCE.search(expression):
        return "Back-references are not supported: name the repeated text."
    return "See the syntax of RE2; a counted repeat such as {2,9} may go to 1,000."


def _short(expression: str) -> str:
    return expression if len(expression) <= 80 else expression[:79] + "…"
