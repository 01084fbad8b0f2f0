"""A list of rows of which each is made when it is asked for, and not kept: a hunt may have 100,000 alerts.

    Rows(result.alerts, alert_row)[3]       the fourth alert as a row, made now

To go through it twice is to make each row twice. Two are equal to each other, and to a list, where their rows are.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")
S = TypeVar("S")


class Rows(Sequence[T], Generic[T]):
    """The rows that `make` makes of each of `parts`, in their order."""

    __slots__ = ("_make", "_parts")

    def __init__(self, parts: Sequence[Any], make: Callable[[Any], T]) -> None:
        self._parts, self._make = parts, make

    def mapped(self, change: Callable[[T], S]) -> Rows[S]:
        """The same rows, each changed when it is asked for."""
        make = self._make
        return Rows(self._parts, lambda part: change(make(part)))

    def chosen(self, positions: Sequence[int]) -> Rows[T]:
        """The rows at these positions."""
        return Rows([self._parts[position] for position in positions], self._make)

    def __len__(self) -> int:
        return len(self._parts)

    def __iter__(self) -> Iterator[T]:
        return map(self._make, self._parts)

    @overload
    def __getitem__(self, index: int) -> T: ...
    @overload
    def __getitem__(self, index: slice) -> Rows[T]: ...
    def __getitem__(self, index: int | slice) -> T | Rows[T]:
        return Rows(self._parts[index], self._make) if isinstance(index, slice) else self._make(self._parts[index])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, (Rows, list)):
            return NotImplemented
        return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment]  # as a list's: what it holds may change

    def __repr__(self) -> str:
        return f"Rows({len(self):,})"
