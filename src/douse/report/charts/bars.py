"""Bars that compare a few numbers: each as long as its share of the largest."""

from __future__ import annotations

from collections.abc import Sequence

WIDTH = 120.0


def bars(values: Sequence[float]) -> tuple[float, ...]:
    """The length of each value's bar; the largest takes WIDTH, nothing and less than nothing take 0."""
    largest = max(values, default=0.0)
    return tuple(round(WIDTH * max(value, 0.0) / largest, 1) if largest > 0 else 0.0 for value in values)
