"""The time axis keeps order, cuts long silences and labels round moments."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from douse.report.charts.axis import BREAK_WIDTH, MAX_BREAKS, TICK_DISTANCE, axis

START = datetime(2026, 11, 18, 9, 14, 2, tzinfo=UTC)


def at(*seconds: float) -> list[datetime]:
    return [START + timedelta(seconds=s) for s in seconds]


def test_time_is_linear_without_silences() -> None:
    line = axis(at(0, 30, 60, 90, 120), 100, 900)
    assert [line.x(moment) for moment in at(0, 30, 60, 120)] == [100, 300, 500, 900]
    assert line.breaks() == ()


def test_a_long_silence_is_cut() -> None:
    line = axis(at(0, 10, 20, 3620), 100, 900)
    (gap,) = line.breaks()
    assert (gap.start, gap.end) == tuple(at(20, 3620))
    assert gap.right - gap.left == BREAK_WIDTH
    assert line.x(at(20)[0]) == 900 - BREAK_WIDTH


def test_a_second_of_action_is_not_stretched_over_the_page() -> None:
    assert axis(at(0, 0.1, 100), 100, 900).breaks() == ()


def test_round_moments_are_labelled() -> None:
    labels = [moment.strftime("%H:%M:%S") for _, moment in axis(at(0, 15, 30, 45), 100, 900).ticks()]
    assert labels[0] == "09:14:02"
    assert labels[1:] == [f"09:14:{s}" for s in (10, 20, 30, 40)]


def test_one_moment_is_an_axis_too() -> None:
    line = axis(at(5, 5), 100, 900)
    assert line.x(at(5)[0]) == 100
    assert len(line.ticks()) == 1


@given(st.lists(st.floats(0, 1e8), min_size=1, max_size=40))
def test_order_is_kept_and_everything_is_inside(seconds: list[float]) -> None:
    moments = sorted(at(*seconds))
    line = axis(moments, 100, 900)
    positions = [line.x(moment) for moment in moments]
    assert positions == sorted(positions)
    assert all(100 <= x <= 900.1 for x in positions)
    assert len(line.breaks()) <= MAX_BREAKS
    ticks = [x for x, _ in line.ticks()]
    assert all(b - a >= TICK_DISTANCE for a, b in itertools.pairwise(ticks))
    assert len(ticks) <= 10
