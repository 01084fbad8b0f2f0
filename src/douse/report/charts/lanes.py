"""A swim-lane timeline: one lane for each kind of evidence, in the order of an intrusion, one mark for each step.

Marks that would overlap are stacked in rows of their lane; where a lane has no row left, they are joined into one mark
that says how many it stands for. Spans are the stages, drawn above the lanes, each in a row of its own because they
overlap in time. The counterpart is axis.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from douse.model import level_rank
from douse.report.charts.axis import Axis, Piece, axis

WIDTH = 980.0
LEFT = 196.0
RIGHT = 960.0
RADIUS = 11.0
ROW = 28.0
MAX_ROWS = 3
SPAN_ROW = 21.0


@dataclass(frozen=True, slots=True)
class Item:
    """Something to mark: when, in which lane, how bad, the number on the mark and the words behind it."""

    time: datetime
    lane: str
    level: str
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Period:
    """Something that lasted, drawn above the lanes."""

    start: datetime
    end: datetime
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Mark:
    """A drawn item; `count` items where it stands for several."""

    x: float
    y: float
    level: str
    label: str
    title: str
    count: int = 1


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane from `top` on, with its marks."""

    name: str
    top: float
    height: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class Span:
    """A drawn period."""

    x: float
    y: float
    width: float
    label: str
    title: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The whole drawing. `floor` is where the lanes end and the time's labels begin."""

    width: float
    height: float
    left: float
    right: float
    floor: float
    lanes: tuple[Lane, ...]
    spans: tuple[Span, ...]
    ticks: tuple[tuple[float, datetime], ...]
    breaks: tuple[Piece, ...]


def lanes(items: Sequence[Item], order: Sequence[str], periods: Sequence[Period] = ()) -> Chart:
    """Lay out items in the lanes that have any, in the given order; at least one item is needed."""
    moments = [item.time for item in items] + [end for period in periods for end in (period.start, period.end)]
    line = axis(moments, LEFT + RADIUS + 4, RIGHT - RADIUS - 4)
    top = SPAN_ROW * len(periods) + 10 if periods else 4.0
    drawn: list[Lane] = []
    for name in order:
        own = sorted((item for item in items if item.lane == name), key=lambda item: item.time)
        if own:
            lane = _lane(name, own, line, top)
            drawn.append(lane)
            top += lane.height
    return Chart(
        WIDTH,
        top + (46 if line.breaks() else 30),
        LEFT,
        RIGHT,
        top,
        tuple(drawn),
        tuple(_spans(periods, line)),
        line.ticks(),
        line.breaks(),
    )


def _lane(name: str, items: Iterable[Item], line: Axis, top: float) -> Lane:
    rows: list[list[Mark]] = []
    for item in items:
        _place(rows, Mark(line.x(item.time), 0.0, item.level, item.label, item.title))
    placed = tuple(replace(mark, y=top + ROW * row + ROW / 2 + 3) for row, marks in enumerate(rows) for mark in marks)
    return Lane(name, top, ROW * len(rows) + 6, placed)


def _place(rows: list[list[Mark]], mark: Mark) -> None:
    """Put the mark in the first row with room, else in a new row, else into the last mark of the last row."""
    for row in rows:
        if mark.x - row[-1].x >= 2 * RADIUS + 2:
            row.append(mark)
            return
    if len(rows) < MAX_ROWS:
        rows.append([mark])
        return
    last = rows[-1][-1]
    worse = max(last.level, mark.level, key=level_rank)
    rows[-1][-1] = replace(last, level=worse, count=last.count + 1, title=f"{last.title}; {mark.title}")


def _spans(periods: Sequence[Period], line: Axis) -> Iterator[Span]:
    """The periods as bars, one row each, reaching as far as the marks at their ends."""
    for row, period in enumerate(periods):
        x, end = line.x(period.start) - RADIUS, line.x(period.end) + RADIUS
        yield Span(round(x, 1), 4 + SPAN_ROW * row, round(end - x, 1), period.label, period.title)
