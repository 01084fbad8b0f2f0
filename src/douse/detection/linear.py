"""Search with a regular expression in time linear to the text, for those that backtracking could run on for ever.

A set of states walks over the text, all ways at once (Thompson), and the steps it has taken are remembered as a table
(a lazy automaton, bounded). It answers yes or no, knows no groups, look-around, anchors or back-references, and raises
Unsupported for them. Python parses the expression and judges single characters, so that both read it alike; the
counterpart, regex.py, decides which expressions come here. A test compares the two on random expressions and texts.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from re import _constants as code  # type: ignore[attr-defined]  # Python's own parser; no typed door to it
from re import _parser  # type: ignore[attr-defined]  # as above; tried with 3.11, 3.12 and 3.13
from typing import Any

MAX_STATES = 2_000
MAX_STEPS = 20_000

_CATEGORIES = {
    code.CATEGORY_DIGIT: r"\d", code.CATEGORY_NOT_DIGIT: r"\D", code.CATEGORY_SPACE: r"\s",
    code.CATEGORY_NOT_SPACE: r"\S", code.CATEGORY_WORD: r"\w", code.CATEGORY_NOT_WORD: r"\W",
}

Node = tuple[Any, Any]
States = frozenset[int]


class Unsupported(Exception):
    """The expression uses something that this engine does not know."""


def search(expression: re.Pattern[str]) -> Callable[[str], bool]:
    """A test that says whether a text holds the expression. Raises Unsupported."""
    return _Automaton(expression).search


class _Automaton:
    """States are numbers. A state either reads one character (`reads`) or goes on without (`free`). 0 is the end."""

    def __init__(self, expression: re.Pattern[str]) -> None:
        self._flags = expression.flags & (re.IGNORECASE | re.DOTALL | re.ASCII)
        self._reads: dict[int, tuple[re.Pattern[str], int]] = {}
        self._free: dict[int, list[int]] = {0: []}
        start = self._sequence(list(_parser.parse(expression.pattern, expression.flags)), 0)
        self._start = self._reached([start])
        self._steps: dict[tuple[States, str], States] = {}

    def search(self, text: str) -> bool:
        """Whether the expression is anywhere in the text."""
        states = self._start
        if 0 in states:
            return True
        steps = self._steps
        for char in text:
            reached = steps.get((states, char))
            states = self._step(states, char) if reached is None else reached
            if 0 in states:
                return True
        return False

    def _step(self, states: States, char: str) -> States:
        read = (self._reads[state] for state in states if state in self._reads)
        reached = self._start | self._reached([then for one, then in read if one.fullmatch(char)])
        if len(self._steps) >= MAX_STEPS:
            self._steps.clear()
        self._steps[states, char] = reached
        return reached

    def _reached(self, states: list[int]) -> States:
        """The states and all that can be reached from them without reading."""
        found: set[int] = set()
        waiting = list(states)
        while waiting:
            state = waiting.pop()
            if state not in found:
                found.add(state)
                waiting += self._free.get(state, ())
        return frozenset(found)

    def _new(self) -> int:
        number = len(self._reads) + len(self._free)
        if number > MAX_STATES:
            raise Unsupported("it is too large")
        return number

    def _fork(self, targets: Sequence[int]) -> int:
        state = self._new()
        self._free[state] = list(targets)
        return state

    def _sequence(self, nodes: Sequence[Node], then: int) -> int:
        """The first state of nodes that are followed by `then`; built from the end."""
        for node in reversed(nodes):
            then = self._node(node, then)
        return then

    def _node(self, node: Node, then: int) -> int:
        kind, value = node
        if kind in (code.LITERAL, code.NOT_LITERAL, code.ANY, code.IN):
            state = self._new()
            self._reads[state] = re.compile(_character(kind, value), self._flags), then
            return state
        if kind is code.BRANCH:
            return self._fork([self._sequence(list(branch), then) for branch in value[1]])
        if kind is code.SUBPATTERN and not value[1] and not value[2]:
            return self._sequence(list(value[3]), then)
        if kind in (code.MAX_REPEAT, code.MIN_REPEAT):
            return self._repeat(int(value[0]), value[1], list(value[2]), then)
        raise Unsupported(f"and it uses {str(kind).lower()}")

    def _repeat(self, least: int, most: Any, nodes: list[Node], then: int) -> int:
        if most is code.MAXREPEAT:
            loop = self._fork([then])
            self._free[loop].append(self._sequence(nodes, loop))
            then = loop
        else:
            end = then
            for _ in range(int(most) - least):
                then = self._fork([end, self._sequence(nodes, then)])
        for _ in range(least):
            then = self._sequence(nodes, then)
        return then


def _character(kind: Any, value: Any) -> str:
    """The expression for one character, from Python's parse of it."""
    if kind is code.ANY:
        return "."
    if kind is code.IN:
        return f"[{''.join(_members(value))}]"
    char = re.escape(chr(value))
    return char if kind is code.LITERAL else f"[^{char}]"


def _members(items: Sequence[Node]) -> Iterator[str]:
    for kind, value in items:
        if kind is code.NEGATE:
            yield "^"
        elif kind is code.LITERAL:
            yield re.escape(chr(value))
        elif kind is code.RANGE:
            yield f"{re.escape(chr(value[0]))}-{re.escape(chr(value[1]))}"
        else:
            yield _CATEGORIES[value]
