"""A Unit of the plan in, its wanted Events out; and how whoever reads in one process goes through a whole plan."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from douse.hunt.options import STDIN
from douse.hunt.plan import Plan, Unit
from douse.hunt.result import Progress
from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_part, read_path, read_stream
from douse.telemetry.chunks import WHOLE

REPORT_EVERY = 5_000
"""Events between two words on how far it is."""


def read_unit(unit: Unit, wanted: Wanted, tally: Tally, limits: Limits | None = None) -> Iterator[Event]:
    """The wanted events of a file, of a range of one, or of standard input."""
    limits = limits or Limits()
    if unit.is_stdin:
        return read_stream(sys.stdin.buffer, STDIN, wanted, tally, limits)
    if unit.part != WHOLE:
        return read_part(Path(unit.path), unit.part, wanted, tally)
    return read_path(Path(unit.path), wanted, tally, limits, named=unit.named)


def read_plan(plan: Plan, progress: Progress, one: Callable[[Unit], None]) -> int:
    """Read all units by `one`; the number of files that an interruption left unread comes back."""
    progress.start(plan.total_bytes)
    done: set[str] = set()
    try:
        for unit in plan.units:
            one(unit)
            done.add(unit.path)
    except KeyboardInterrupt:
        return len({unit.path for unit in plan.units} - done) or 1
    finally:
        progress.finish()
    return 0


def telling(events: Iterable[Event], tally: Tally, progress: Progress) -> Iterator[Event]:
    """The same events, while the progress hears what the tally has read."""
    reported = tally.bytes_read, tally.records_read
    for number, event in enumerate(events, start=1):
        yield event
        if number % REPORT_EVERY == 0:
            progress.advance(tally.bytes_read - reported[0], tally.records_read - reported[1], 0)
            reported = tally.bytes_read, tally.records_read
    progress.advance(tally.bytes_read - reported[0], tally.records_read - reported[1], 0)
