"""A time axis for an intrusion: seconds of action and hours of silence on one line.

Linear, except that a silence which would take most of the width is cut to a fixed width and labelled with its length.
`Axis.x` gives the position of a moment, `ticks` and `breaks` what to write below the line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

BREAK_WIDTH = 64.0
MAX_BREAKS = 3
SILENCE = 0.4
"""A gap is cut when it takes more than this share of the time that is drawn, ..."""

MIN_SILENCE = timedelta(seconds=30)
MIN_ACTIVE = timedelta(seconds=10)
"""... lasts this long, and leaves this much: a second stretched over the page would look like a long time."""

TICK_DISTANCE = 92.0
_TICK_SECONDS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400, 604800)


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time and where it is drawn; `silent` pieces are the cut ones."""

    start: datetime
    end: datetime
    left: float
    right: float
    silent: bool


@dataclass(frozen=True, slots=True)
class Axis:
    """The pieces of the line from left to right, without gaps."""

    pieces: tuple[Piece, ...]

    def x(self, moment: datetime) -> float:
        """Where a moment is; moments outside are put at the nearest end."""
        for piece in self.pieces:
            if moment <= piece.end:
                length = (piece.end - piece.start) / timedelta(seconds=1)
                share = max((moment - piece.start) / timedelta(seconds=1), 0.0) / length if length else 0.0
                return round(piece.left + share * (piece.right - piece.left), 1)
        return self.pieces[-1].right

    def ticks(self) -> tuple[tuple[float, datetime], ...]:
        """Positions and round moments, at least TICK_DISTANCE apart."""
        found: list[tuple[float, datetime]] = []
        for piece in self.pieces:
            if piece.silent:
                continue
            for moment in _round_moments(piece):
                x = self.x(moment)
                if not found or x - found[-1][0] >= TICK_DISTANCE:
                    found.append((x, moment))
        return tuple(found)

    def breaks(self) -> tuple[Piece, ...]:
        """The cut silences."""
        return tuple(piece for piece in self.pieces if piece.silent)


def axis(moments: Iterable[datetime], left: float, right: float) -> Axis:
    """The axis that holds all moments between two positions; at least one moment is needed."""
    times = sorted(set(moments))
    silences = _silences(times)
    active = sum(((b - a for a, b in pairwise(times) if (a, b) not in silences)), timedelta())
    room = right - left - BREAK_WIDTH * len(silences)
    pieces: list[Piece] = []
    here = left
    for start, end, silent in _stretches(times, silences):
        width = BREAK_WIDTH if silent else room * ((end - start) / active) if active else 0.0
        pieces.append(Piece(start, end, round(here, 1), round(here + width, 1), silent))
        here += width
    return Axis(tuple(pieces))


def _silences(times: Sequence[datetime]) -> set[tuple[datetime, datetime]]:
    """The gaps to cut: the largest as long as it dwarfs what remains, and never all there is."""
    gaps = sorted(pairwise(times), key=lambda gap: gap[0] - gap[1])
    remaining = times[-1] - times[0]
    cut: set[tuple[datetime, datetime]] = set()
    for start, end in gaps[: min(MAX_BREAKS, len(gaps) - 1)]:
        gap = end - start
        if gap <= SILENCE * remaining or gap < MIN_SILENCE or remaining - gap < MIN_ACTIVE:
            break
        cut.add((start, end))
        remaining -= gap
    return cut


def _stretches(
    times: Sequence[datetime], silences: set[tuple[datetime, datetime]]
) -> list[tuple[datetime, datetime, bool]]:
    """The whole time as active and silent stretches in turn; a lone moment is an active stretch of no length."""
    stretches: list[tuple[datetime, datetime, bool]] = []
    start = times[0]
    for before, after in pairwise(times):
        if (before, after) in silences:
            stretches += [(start, before, False), (before, after, True)]
            start = after
    stretches.append((start, times[-1], False))
    return stretches


def _round_moments(piece: Piece) -> Iterable[datetime]:
    """The piece's start, then round moments in it."""
    yield piece.start
    seconds = (piece.end - piece.start) / timedelta(seconds=1)
    fit = max(int((piece.right - piece.left) // TICK_DISTANCE), 1)
    step = next((s for s in _TICK_SECONDS if seconds / s <= fit), _TICK_SECONDS[-1] * 4)
    midnight = piece.start.replace(hour=0, minute=0, second=0, microsecond=0)
    elapsed = (piece.start - midnight) / timedelta(seconds=1)
    moment = midnight + timedelta(seconds=(elapsed // step + 1) * step)
    while moment <= piece.end:
        yield moment
        moment += timedelta(seconds=step)
