"""A rule's term that is made when it is first asked, and the plan that usually makes this needless.

Both come from the cache as they lie in its file and are not looked at before they are needed. What then turns out not
to be what it must be (only a file that somebody forged on purpose has a right checksum and is wrong) is made anew: the
plan from the term, the term from the rule's own text.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TypeGuard

import msgspec

from douse.detection.language.decision import decision
from douse.detection.language.documents import MAX_DEPTH, Mistake, Node
from douse.detection.language.placeholders import Lists, NoList
from douse.detection.matching.plan import Plan
from douse.detection.reference import All, Term
from douse.detection.view import View
from douse.model import Match

_plan = msgspec.msgpack.Decoder(Plan).decode
_nodes = msgspec.msgpack.Decoder(dict[str, object]).decode


class Deferred:
    """A term that is made when it is first asked, of the detection as it stood; `reread` reads the rule's text."""

    __slots__ = ("_detection", "_lists", "_plan", "_reread", "_term", "_trusted")

    def __init__(self, detection: msgspec.Raw, plan: msgspec.Raw, lists: Lists, reread: Callable[[], Term]) -> None:
        self._detection, self._plan, self._lists, self._reread = detection, plan, lists, reread
        self._term: Term | None = None
        self._trusted = True

    def plan(self) -> Plan | None:
        """The plan that was kept; None where that cannot be used."""
        if not self._trusted:
            return None
        try:
            plan = _plan(self._plan)
            return plan if plan.is_whole() else None
        except (msgspec.DecodeError, RecursionError):
            return None

    def distrust(self) -> None:
        """Use nothing that was kept any more."""
        self._trusted, self._term = False, None

    def made(self) -> Term:
        """The term itself. Raises RuleError where what was kept is wrong and the rule's text is not there any more."""
        if self._term is None:
            self._term = (self._of_kept() if self._trusted else None) or self._reread()
        return self._term

    def _of_kept(self) -> Term | None:
        try:
            nodes = _nodes(self._detection)
            if _are_nodes(nodes):
                return decision("detection", nodes, self._lists)
        except (msgspec.DecodeError, RecursionError, Mistake, NoList):
            pass
        return None

    def holds(self, view: View) -> bool:
        return self.made().holds(view)

    def why(self, view: View, selection: str) -> Iterator[Match]:
        return self.made().why(view, selection)

    def event_ids(self) -> frozenset[int] | None:
        return self.made().event_ids()


def distrust(term: Term | None) -> None:
    """Have a term, also where a filter was added to it, use nothing that was kept."""
    match term:
        case Deferred():
            term.distrust()
        case All(terms):
            for each in terms:
                distrust(each)


def _are_nodes(found: dict[str, object]) -> TypeGuard[dict[str, Node]]:
    """Whether it is what documents.py makes of YAML; msgpack knows more types, and no limits."""
    return _is_node(found, 0)


def _is_node(found: object, depth: int) -> bool:
    if isinstance(found, dict):
        return depth < MAX_DEPTH and all(isinstance(key, str) and _is_node(each, depth + 1)
                                         for key, each in found.items())
    if isinstance(found, list):
        return depth < MAX_DEPTH and all(_is_node(each, depth + 1) for each in found)
    return found is None or isinstance(found, str | int) or (isinstance(found, float) and math.isfinite(found))
