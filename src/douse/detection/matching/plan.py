"""What matching needs to know of a rule, as data: it can be kept in a file, and a bucket is built of it alone.

A Plan says the same as the rule's term, in three parts. Its searches are its probes, digested to what a Table asks
(automaton.py). Its condition is on which of them are true: groups of all or any, with `not` moved down to the searches.
Its guards are a few searches of which one must be true for the condition to be. All refer to searches by index.

What a term asks beyond probes (exists, fieldref) is taken to be true in the condition, which then only says that the
rule may hold: such a plan is `asked`, and its term decides. planner.py makes plans; the types are what cache.py reads.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Final

import msgspec

from douse.detection.language.recipes import Recipe

MAX_DEPTH: Final = 200
"""How deep groups may lie in one another; a rule's own limits keep it far below."""

Index = Annotated[int, msgspec.Meta(ge=0)]
Literal = Annotated[str, msgspec.Meta(min_length=1)]


class Asked(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A test, and the literals of which a text must hold one (as in Search) before it is asked; none: always."""

    recipe: Recipe
    needs: tuple[Literal, ...] = ()


class Search(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A question to one field (empty: to every text of the record), true when any of its parts is.

    Parts: the field is absent (`null`); it has a text (`always`); a text writes one of the numbers; its folded form
    between sentinels holds one of the `proofs`; a test passes. `rarity` is our guess how seldom it is true.
    """

    field: str
    rarity: float
    proofs: tuple[Literal, ...] = ()
    asked: tuple[Asked, ...] = ()
    numbers: tuple[int | float, ...] = ()
    null: bool = False
    always: bool = False


class Group(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """All of its parts, or with `every` unset any: searches that are true, searches that are not, and groups."""

    every: bool
    true: tuple[Index, ...] = ()
    false: tuple[Index, ...] = ()
    groups: tuple[Group, ...] = ()

    def within(self, count: int, depth: int = MAX_DEPTH) -> bool:
        """Whether it is no deeper than that and speaks of that many searches at most."""
        return depth > 0 and _below(self.true, count) and _below(self.false, count) and all(
            group.within(count, depth - 1) for group in self.groups)


ALWAYS: Final = Group(every=True)
"""The condition that is always true: all of nothing."""


class Plan(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """A rule's plan, see above. Without guards (None) its condition can be true when no search is."""

    searches: tuple[Search, ...]
    condition: Group
    guards: tuple[Index, ...] | None
    asked: bool = False

    def is_whole(self) -> bool:
        """Whether its parts fit together; one that was made here always is, one from a file may be anything."""
        count = len(self.searches)
        return _below(self.guards or (), count) and self.condition.within(count)


class UnsoundPlan(Exception):
    """A plan from a file asks for what cannot be, such as an expression that does not compile."""


def _below(indexes: Iterable[int], count: int) -> bool:
    return max(indexes, default=-1) < count
