"""At most so many facts, the newest: what a hunt keeps of its records is bounded, and says when that was too little.

So are the texts of a fact, which a log's author may choose (`text_kept`, `path_kept`).

Facts have a key by content: one that is read twice, in another order or in another worker changes nothing. A key that
was dropped had `limit` newer ones, so it would be dropped again: the order of arrival does not matter.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from sys import intern
from typing import Any, Generic, Protocol, TypeVar

MAX_TEXT = 1024
"""Characters kept of a command line, a path or a name: enough to recognise it, and to find the paths it names."""


def text_kept(text: str) -> str:
    """A name as facts keep it: once in memory, however many have it."""
    return intern(text[:MAX_TEXT])


def path_kept(text: str) -> str:
    """A path as facts keep it; of one that is too long its end, where the name is."""
    return intern(text[-MAX_TEXT:])


class Comparable(Protocol):
    """What has an order."""

    def __lt__(self, other: Any, /) -> bool: ...


T = TypeVar("T", bound=Comparable)
Key = tuple[int, tuple[object, ...]]
"""When, in seconds or anything coarser, and what tells two facts of that time apart."""


@dataclass(slots=True)
class Newest(Generic[T]):
    """The newest `limit` facts by key, in memory up to a quarter more; of two under one key the smaller is kept."""

    limit: int
    facts: dict[Key, T] = field(default_factory=dict)
    trimmed: bool = False

    def add(self, key: Key, fact: T) -> None:
        """Keep a fact, if it is among the newest."""
        old = self.facts.get(key)
        if old is None or fact < old:
            self.facts[key] = fact
        if len(self.facts) > self.limit + self.limit // 4 + 1:
            self._trim()

    def _trim(self) -> None:
        if len(self.facts) > self.limit:
            newest = sorted(self.facts, key=lambda key: (key[0], repr(key[1])))[-self.limit:]
            self.facts = {key: self.facts[key] for key in newest}
            self.trimmed = True

    def shrink(self, limit: int) -> None:
        """Keep no more than so many from now on."""
        if len(self.facts) > limit:
            self.limit = limit
            self._trim()

    def merge(self, other: Newest[T]) -> None:
        """Take in what another worker kept."""
        for key, fact in other.facts.items():
            self.add(key, fact)
        self.trimmed = self.trimmed or other.trimmed

    def in_order(self) -> tuple[T, ...]:
        """The facts, smallest first; no more than `limit`."""
        self._trim()
        return tuple(sorted(self.facts.values()))
