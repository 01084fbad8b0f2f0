"""Walk the tree that stix2-patterns makes of a STIX pattern: what it compares for equality, and what else it asks.

Loaded by patterns.py, and only for a pattern that is more than one plain comparison: the library and its grammar take
18 ms to load, and a fifth of a millisecond for a short pattern.
"""

from __future__ import annotations

from typing import Any

from stix2patterns.exceptions import ParseException  # type: ignore[import-untyped]  # the library has no types
from stix2patterns.v21.pattern import Pattern as Tree  # type: ignore[import-untyped]  # the same

from douse.indicators.patterns import Pattern, sorted_out


def compared(text: str) -> Pattern:
    """What a pattern looks for, as far as it is equality and OR."""
    try:
        walked = _Walk()
        Tree(text).walk(walked)
    except ParseException as error:
        return Pattern((), (f"it is no STIX pattern ({str(error)[:100]})",))
    except RecursionError:
        return Pattern((), ("its brackets are too deep",))
    if walked.whole:  # with AND, an order or a time window no part means by itself what the whole means
        return Pattern((), tuple(dict.fromkeys(walked.whole)))
    return sorted_out(walked.found, walked.rest)


class _Walk:
    """A listener of antlr4, whose contexts have no types: it is called on entering and leaving each part."""

    def __init__(self) -> None:
        self.found: list[tuple[str, str]] = []
        self.rest: list[str] = []
        self.whole: list[str] = []

    def enterEveryRule(self, ctx: Any) -> None:  # noqa: N802 - antlr's name
        """Nothing; antlr calls it."""

    def exitEveryRule(self, ctx: Any) -> None:  # noqa: N802 - antlr's name
        """Nothing; antlr calls it."""

    def visitTerminal(self, node: Any) -> None:  # noqa: N802 - antlr's name
        """Nothing; antlr calls it."""

    def visitErrorNode(self, node: Any) -> None:  # noqa: N802 - antlr's name
        """Nothing; the parser stops at the first error."""

    def exitPropTestEqual(self, ctx: Any) -> None:  # noqa: N802 - antlr's name
        """`path = value`."""
        literal = ctx.primitiveLiteral().getText()
        if ctx.NEQ() or ctx.NOT():
            self.rest.append("it asks that something is not there (NOT, !=)")
        elif not literal.startswith("'"):
            self.rest.append(f"it compares {ctx.objectPath().getText()} with something that is no text")
        else:
            self.found.append((ctx.objectPath().getText(), _unquoted(literal)))

    def exitPropTestSet(self, ctx: Any) -> None:  # noqa: N802 - antlr's name
        """`path IN (value, value)`, which is OR."""
        if ctx.NOT():
            self.rest.append("it asks that something is not there (NOT, !=)")
            return
        literals = [child.getText() for child in ctx.setLiteral().getChildren()]
        self.found += [(ctx.objectPath().getText(), _unquoted(text)) for text in literals if text.startswith("'")]

    def exitObservationExpressions(self, ctx: Any) -> None:  # noqa: N802 - antlr's name
        if ctx.FOLLOWEDBY():
            self.whole.append("it asks for an order in time (FOLLOWEDBY)")

    def exitObservationExpressionAnd(self, ctx: Any) -> None:  # noqa: N802 - antlr's name
        if ctx.AND():
            self.whole.append("it asks for several things together (AND)")

    def exitComparisonExpressionAnd(self, ctx: Any) -> None:  # noqa: N802 - antlr's name
        if ctx.AND():
            self.whole.append("it asks for several things together (AND)")

    def _other(self, ctx: Any) -> None:
        test = type(ctx).__name__.removeprefix("PropTest").removesuffix("Context").upper()
        self.rest.append(f"it compares {ctx.objectPath().getText()} otherwise than for equality ({test})")

    exitPropTestOrder = exitPropTestLike = exitPropTestRegex = _other  # noqa: N815 - antlr's names
    exitPropTestIsSubset = exitPropTestIsSuperset = exitPropTestExists = _other  # noqa: N815 - antlr's names

    def _qualified(self, ctx: Any) -> None:
        self.whole.append("it asks for a time or a number of times (WITHIN, START, REPEATS)")

    exitStartStopQualifier = exitWithinQualifier = exitRepeatedQualifier = _qualified  # noqa: N815 - antlr's names


def _unquoted(literal: str) -> str:
    return literal[1:-1].replace("\\'", "'").replace("\\\\", "\\")
