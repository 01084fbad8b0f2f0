"""A rule's term that is made when it is first asked, and the plan that usually makes this needless.

Both come from the cache as they lie in its file, and nothing of them is looked at before it is needed. A file with a
right checksum that then turns out to be wrong was forged: a plan that is none is made anew from the term, and a
detection that is none is an error that names the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import cast

import msgspec

from douse.detection.language.decision import decision
from douse.detection.language.documents import Mistake, Node
from douse.detection.language.placeholders import Lists, NoList
from douse.detection.matching.plan import Plan
from douse.detection.reference import All, Term
from douse.detection.view import View
from douse.errors import RuleError
from douse.model import Match

_WRONG = (msgspec.DecodeError, ValueError, RecursionError)
"""What decoding raises; ValueError for text that is not UTF-8."""

_decode_plan = msgspec.msgpack.Decoder(Plan).decode
_decode_nodes = msgspec.msgpack.Decoder(dict[str, object]).decode


class Deferred:
    """A term that is made when it is first asked. `cache` is the file its detection and its plan were kept in."""

    __slots__ = ("_cache", "_detection", "_lists", "_plan", "_term")

    def __init__(self, detection: msgspec.Raw, plan: msgspec.Raw, lists: Lists, cache: str) -> None:
        self._detection, self._lists, self._cache = detection, lists, cache
        self._plan: msgspec.Raw | None = plan
        self._term: Term | None = None

    def plan(self) -> Plan | None:
        """The plan that was kept; None where that is none, or is not trusted any more."""
        if self._plan is None:
            return None
        try:
            plan = _decode_plan(self._plan)
        except _WRONG:
            return None
        return plan if plan.is_whole() else None

    def distrust(self) -> None:
        """Have no plan any more: it was found to be wrong after it was handed out."""
        self._plan = None

    def made(self) -> Term:
        """The term itself. Raises RuleError for a detection that we cannot have kept, as the file was then forged."""
        if self._term is None:
            try:
                self._term = decision("detection", _nodes(self._detection), self._lists)
            except (*_WRONG, Mistake, NoList) as error:
                raise RuleError(self._cache, f"holds a rule that Douse did not write there ({error}).",
                                "Delete the file; it is made anew from the rules.") from None
        return self._term

    def holds(self, view: View) -> bool:
        return self.made().holds(view)

    def why(self, view: View, selection: str) -> Iterator[Match]:
        return self.made().why(view, selection)

    def event_ids(self) -> frozenset[int] | None:
        return self.made().event_ids()


def distrust(term: Term | None) -> None:
    """Have a term, also where a filter was added to it, do without the plan that was kept."""
    match term:
        case Deferred():
            term.distrust()
        case All(terms):
            for each in terms:
                distrust(each)


def _nodes(packed: msgspec.Raw) -> dict[str, Node]:
    """A detection as YAML could have given it. Raises what msgspec raises, ValueError for other kinds of values."""
    nodes = _decode_nodes(packed)
    waiting: list[object] = [nodes]
    while waiting:
        node = waiting.pop()
        if isinstance(node, dict):
            if not all(isinstance(key, str) for key in node):
                raise ValueError("a name that is no text")
            waiting += node.values()
        elif isinstance(node, list):
            waiting += node
        elif not isinstance(node, str | int | float | bool | None):
            raise ValueError(f"a value that is {type(node).__name__}")
    return cast("dict[str, Node]", nodes)
