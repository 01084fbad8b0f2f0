"""Bars are proportional, and no value is drawn longer than the track."""

from __future__ import annotations

from douse.report.charts.bars import WIDTH, bars


def test_the_largest_fills_the_track() -> None:
    assert bars([15, 45, 0]) == (40.0, WIDTH, 0.0)


def test_nothing_to_compare() -> None:
    assert bars([]) == ()
    assert bars([0, 0]) == (0.0, 0.0)
    assert bars([-3, 6]) == (0.0, WIDTH)
