r"""Sigma's value language: a text with `*` (any run of characters) and `?` (one), and its escapes.

`\*` and `\?` are the characters themselves, `\\` is one backslash, and a single backslash before anything else (also
at the end) is a backslash. So `C:\Windows\*` holds a star, not a wildcard: a folder with anything below it is written
`C:\Windows\\*`. Wildcards cross line ends, because a script block has them.

Case: both sides are compared by `str.casefold`, that is, full Unicode folding (É = é, ß = ss, the Kelvin sign = k).
We chose it over `lower` because it folds each character on its own: a prefix of a text stays a prefix when both are
folded, which `lower` breaks on a final sigma. The price: `?` is one character of the folded text, so it is not an ß,
which folds to two. The counterpart of this module is view.py, which folds the event's side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

Test = Callable[[str], bool]


class Wild(Enum):
    """A wildcard inside a glob."""

    ANY = "*"
    ONE = "?"


_SPECIAL = re.compile(r"(\\[\\*?]|[*?])")
_PIECES: Mapping[str, str | Wild] = {"*": Wild.ANY, "?": Wild.ONE, "\\*": "*", "\\?": "?", "\\\\": "\\"}
_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})|0[xX][0-9a-fA-F]{1,16}")
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")


def number(text: str) -> int | float | None:
    """The number a text writes, in decimal or 0x notation; None for all else, also for `007`, which is a name."""
    if _NUMBER.fullmatch(text):
        return int(text, 16) if text[:2] in ("0x", "0X") else int(text)
    return float(text) if _DECIMAL.fullmatch(text) else None


@dataclass(frozen=True, slots=True)
class Glob:
    """A Sigma value: runs of text and wildcards, never two texts or two stars in a row."""

    parts: tuple[str | Wild, ...]

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Read a value as Sigma writes it."""
        return cls(_tidy(_PIECES.get(piece) or piece for piece in _SPECIAL.split(text)))

    @classmethod
    def literal(cls, text: str) -> Glob:
        """A value in which every character stands for itself."""
        return cls(_tidy([text]))

    @classmethod
    def joined(cls, globs: Iterable[Glob]) -> Glob:
        """Several globs one after the other as one."""
        return cls(_tidy(part for glob in globs for part in glob.parts))

    def opened(self, start: bool, end: bool) -> Glob:
        """The same glob with anything allowed before or after it."""
        before: list[str | Wild] = [Wild.ANY] if start else []
        after: list[str | Wild] = [Wild.ANY] if end else []
        return Glob(_tidy([*before, *self.parts, *after]))

    @property
    def text(self) -> str | None:
        """The text, when there is no wildcard in it."""
        if not self.parts:
            return ""
        only = self.parts[0]
        return only if len(self.parts) == 1 and isinstance(only, str) else None

    @property
    def literals(self) -> tuple[str, ...]:
        """The texts between the wildcards."""
        return tuple(part for part in self.parts if isinstance(part, str))

    def folded(self) -> Glob:
        """The same glob with its texts folded, to be compared with folded values."""
        return Glob(tuple(part.casefold() if isinstance(part, str) else part for part in self.parts))

    def __str__(self) -> str:
        return "".join([part if isinstance(part, str) else part.value for part in self.parts])


def _tidy(parts: Iterable[str | Wild]) -> tuple[str | Wild, ...]:
    """Join neighbouring texts, drop empty ones, and let one star stand for several."""
    tidy: list[str | Wild] = []
    for part in parts:
        last = tidy[-1] if tidy else ""
        if isinstance(part, str) and isinstance(last, str) and tidy:
            tidy[-1] = last + part
        elif part and not (part is Wild.ANY and last is Wild.ANY):
            tidy.append(part)
    return tuple(tidy)


def expression(glob: Glob) -> re.Pattern[str]:
    """A regular expression for the whole value, in time linear to the value for each star.

    Each text after a star is taken at its first place and then kept (an atomic group): a later place could not match
    what the first place does not, and so nothing is ever tried twice.
    """
    pieces: list[str] = [""]
    for part in glob.parts:
        if part is Wild.ANY:
            pieces.append("")
        else:
            pieces[-1] += "." if part is Wild.ONE else re.escape(str(part))
    first, *middle = pieces
    if not middle:
        return re.compile(first, re.DOTALL)
    *middle, last = middle
    between = "".join(f"(?>.*?{piece})" for piece in middle)
    return re.compile(f"{first}{between}.*{last}", re.DOTALL)


def glob_test(globs: Iterable[Glob]) -> Test:
    """One test that says whether a text matches any of the globs. Folding is the caller's: see `Glob.folded`.

    Nearly all values of real rules are one of four shapes that `str` tests by itself; the rest become expressions.
    """
    exact: set[str] = set()
    starts: list[str] = []
    ends: list[str] = []
    inner: list[str] = []
    others: list[re.Pattern[str]] = []
    for glob in globs:
        match glob.parts:
            case ():
                exact.add("")
            case (str() as text,):
                exact.add(text)
            case (str() as text, Wild.ANY):
                starts.append(text)
            case (Wild.ANY, str() as text):
                ends.append(text)
            case (Wild.ANY, str() as text, Wild.ANY):
                inner.append(text)
            case (Wild.ANY,):
                return _always
            case _:
                others.append(expression(glob))
    return _any_of([
        *_exact_tests(exact),
        *([_starts(tuple(starts))] if starts else []),
        *([_ends(tuple(ends))] if ends else []),
        *([_contains(tuple(inner))] if inner else []),
        *(_fullmatch(other) for other in others),
    ])


def _always(_text: str) -> bool:
    return True


def _exact_tests(texts: set[str]) -> list[Test]:
    if not texts:
        return []
    return [_equals(texts.pop())] if len(texts) == 1 else [frozenset(texts).__contains__]


def _equals(text: str) -> Test:
    return lambda value: value == text


def _starts(texts: tuple[str, ...]) -> Test:
    return lambda value: value.startswith(texts)


def _ends(texts: tuple[str, ...]) -> Test:
    return lambda value: value.endswith(texts)


def _contains(texts: tuple[str, ...]) -> Test:
    if len(texts) == 1:
        only = texts[0]
        return lambda value: only in value

    def test(value: str) -> bool:
        for text in texts:  # a loop, because any() with a generator takes three times as long
            if text in value:
                return True
        return False

    return test


def _fullmatch(pattern: re.Pattern[str]) -> Test:
    return lambda value: pattern.fullmatch(value) is not None


def _any_of(tests: list[Test]) -> Test:
    if len(tests) == 1:
        return tests[0]

    def test(value: str) -> bool:
        for each in tests:
            if each(value):
                return True
        return False

    return test
