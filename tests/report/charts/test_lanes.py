"""Swim-lanes: every item is in its lane, none covers another, and a crowd becomes one mark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from douse.report.charts.lanes import LEFT, MAX_ROWS, RADIUS, RIGHT, Item, Period, lanes

START = datetime(2026, 11, 18, 9, 14, 2, tzinfo=UTC)


def item(second: float, lane: str = "Execution", level: str = "high", label: str = "1") -> Item:
    return Item(START + timedelta(seconds=second), lane, level, label, "what happened")


def test_lanes_follow_the_given_order_and_empty_ones_are_left_out() -> None:
    chart = lanes([item(9, "Outbound transfer"), item(1, "Execution")], ["Execution", "Injection", "Outbound transfer"])
    assert [lane.name for lane in chart.lanes] == ["Execution", "Outbound transfer"]
    assert chart.lanes[1].top == chart.lanes[0].top + chart.lanes[0].height
    assert chart.lanes[0].marks[0].x < chart.lanes[1].marks[0].x


def test_close_marks_are_stacked() -> None:
    (lane,) = lanes([item(0), item(0.1), item(100)], ["Execution"]).lanes
    first, third, second = lane.marks
    assert first.y == third.y < second.y


def test_a_crowd_becomes_one_mark_with_its_number_and_worst_level() -> None:
    crowd = [item(0, level="low", label=str(n)) for n in range(9)] + [item(0, level="critical"), item(100)]
    (lane,) = lanes(crowd, ["Execution"]).lanes
    assert len(lane.marks) == MAX_ROWS + 1
    joined = next(mark for mark in lane.marks if mark.count > 1)
    assert (joined.count, joined.level) == (8, "critical")


def test_stages_are_spans_of_readable_width() -> None:
    periods = [
        Period(START, START + timedelta(seconds=1), "1", "Stage 1"),
        Period(START + timedelta(seconds=2), START + timedelta(seconds=100), "2", "Stage 2"),
    ]
    first, second = lanes([item(0), item(100)], ["Execution"], periods).spans
    assert first.width >= 2 * RADIUS
    assert first.x < second.x
    assert first.y < second.y, "stages overlap in time, so each has its own row"
    assert second.width > first.width


@given(st.lists(st.floats(0, 1e6), min_size=1, max_size=200))
def test_marks_never_overlap_and_none_is_lost(seconds: list[float]) -> None:
    (lane,) = lanes([item(second) for second in seconds], ["Execution"]).lanes
    assert sum(mark.count for mark in lane.marks) == len(seconds)
    assert all(LEFT <= mark.x <= RIGHT for mark in lane.marks)
    assert all(lane.top < mark.y < lane.top + lane.height for mark in lane.marks)
    assert all(abs(a.x - b.x) >= 2 * RADIUS or a.y != b.y for a, b in combinations(lane.marks, 2))
