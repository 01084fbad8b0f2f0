"""What a line of a rule asks of one text, laid open: an automaton can then find all rules that want the same literal.

An Item is a closure that answers for one event. Its Probes say the same as data: the item holds when each of its
probes is true of its field. A probe is true of a field when any of its globs or tests passes any of the field's texts
(with `null`: also when the field is absent or null). An item that looks at more than its field (exists, fieldref) has
none.

A test that is no glob, such as an expression, may `need` literals: ASCII in lower case, of which one stands in the
folded form of every text that passes. An expression's are read by `needed`, which would rather say nothing than wrong.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from douse.detection.language.patterns import Glob
from douse.detection.language.recipes import Recipe


@dataclass(frozen=True, slots=True)
class RawTest:
    """A test of a text as the log has it, and the literals of which one must be in it (none: unknown)."""

    recipe: Recipe
    needs: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Probe:
    """A question to one field (empty: to every text of the record), see above. Globs are folded when `fold` is set."""

    field: str
    globs: tuple[Glob, ...] = ()
    fold: bool = True
    null: bool = False
    tests: tuple[RawTest, ...] = ()


MAX_NEEDS = 24
_DEEPEST = 50
"""Groups inside each other that are looked into; RE2 takes a thousand, which we would not survive."""

_RARE = frozenset("`^{}~<>|+;@#$%&!?*[]()=,:\"'")
"""Characters that are worth a look alone; any other need has two at least."""

_QUANTIFIER = re.compile(r"[*?+]|\{\d+(?:,\d*)?\}")
_GROUP = re.compile(r"\((?:\?(?:P?<\w+>|[imsU-]*:))?(?!\?)")
_FLAGS = re.compile(r"\(\?[imsU-]+\)")
_CLASS = re.compile(r"\[\^?\]?(?:\\.|[^\]\\\[])*\]", re.DOTALL)
_BREAKS = frozenset("bBAzdDwWsSntrfva")


class _Unsure(Exception):
    """The expression has something that this reading does not know."""


def needed(expression: str) -> tuple[str, ...]:
    """Literals of which at least one is in every text that an RE2 expression is found in; none when unsure."""
    reader = _Reader(expression)
    try:
        needs = reader.alternatives()
    except _Unsure:
        return ()
    return needs if reader.ended() else ()


class _Reader:
    """Walks through an expression once and keeps, of each concatenation, the literals that say most."""

    def __init__(self, expression: str) -> None:
        self._text, self._at, self._depth = expression, 0, 0

    def ended(self) -> bool:
        return self._at == len(self._text)

    def alternatives(self) -> tuple[str, ...]:
        """Up to a closing parenthesis or the end: one literal of each branch, or nothing if a branch has none."""
        branches = [self._branch()]
        while self._text.startswith("|", self._at):
            self._at += 1
            branches.append(self._branch())
        if not all(branches):
            return ()
        found = tuple(dict.fromkeys(need for branch in branches for need in branch))
        return found if len(found) <= MAX_NEEDS else ()

    def _branch(self) -> tuple[str, ...]:
        best: tuple[str, ...] = ()
        run = ""
        while not self.ended() and self._text[self._at] not in "|)":
            literal, inner = self._element()
            quantifier = self._quantifier()
            kept = quantifier in ("", "+")
            run += literal if kept else ""
            if not literal or quantifier:
                best, run = _better(best, (run,)), ""
            if inner and kept:
                best = _better(best, inner)
        return _better(best, (run,))

    def _element(self) -> tuple[str, tuple[str, ...]]:
        """One element: its character if it stands for itself, and what a group needs."""
        char = self._text[self._at]
        if char == "\\":
            return self._escape(), ()
        if char == "(":
            return "", self._group()
        if char == "[":
            return self._skip(_CLASS)
        self._at += 1
        if char in ".^$" or not char.isascii():
            return "", ()
        if char in "*+?{":
            raise _Unsure
        return char.lower(), ()

    def _escape(self) -> str:
        char = self._text[self._at + 1:self._at + 2]
        self._at += 2
        if char in _BREAKS:
            return ""
        if not char or not char.isascii() or char.isalnum():
            raise _Unsure
        return char

    def _group(self) -> tuple[str, ...]:
        if _FLAGS.match(self._text, self._at):
            self._skip(_FLAGS)
            return ()
        self._skip(_GROUP)
        self._depth += 1
        if self._depth > _DEEPEST:
            raise _Unsure
        needs = self.alternatives()
        self._depth -= 1
        if not self._text.startswith(")", self._at):
            raise _Unsure
        self._at += 1
        return needs

    def _skip(self, pattern: re.Pattern[str]) -> tuple[str, tuple[str, ...]]:
        found = pattern.match(self._text, self._at)
        if found is None:
            raise _Unsure
        self._at = found.end()
        return "", ()

    def _quantifier(self) -> str:
        """The quantifier after an element and what makes it lazy."""
        start = self._at
        while found := _QUANTIFIER.match(self._text, self._at):
            self._at = found.end()
        return self._text[start:self._at]


def _better(one: tuple[str, ...], other: tuple[str, ...]) -> tuple[str, ...]:
    """Of two sets of needs the one that fewer texts will meet: its shortest literal is longer."""
    shortest = min(map(len, other))
    if (one and min(map(len, one)) >= shortest) or any(len(need) < 2 and need not in _RARE for need in other):
        return one
    return other
