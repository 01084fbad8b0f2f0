"""What both halves of a tenant's audit share: evidence as citations, a check in another state, words without case."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from douse.harden.audit.weigh import cite, join, unique_citations
from douse.harden.finding import Check, Cited
from douse.harden.seen import Seen

T = TypeVar("T")

MAX_CITED = 20
"""A tenant has thousands of accounts: a sentence says how many, the first are cited."""


def cited_first(seen: Iterable[Seen[T]]) -> tuple[Cited, ...]:
    """The first pieces of evidence."""
    return unique_citations(cite(one) for one in list(seen)[:MAX_CITED])


def changed(check: Check, state: str, why: str, seen: Iterable[Seen[T]] = ()) -> Check:
    """The check in another state, with another sentence and more evidence."""
    return replace(check, state=state, why=join(check.why, why),
                   cited=unique_citations((*check.cited, *cited_first(seen))))


def folded(word: str) -> str:
    """A word of Entra's as it compares."""
    return word.strip().casefold()
