"""A Unit of the plan in, its wanted Events out: whatever reads evidence in this room reads it here."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from douse.hunt.options import STDIN
from douse.hunt.plan import Unit
from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_part, read_path, read_stream
from douse.telemetry.chunks import WHOLE


def read_unit(unit: Unit, wanted: Wanted, tally: Tally, limits: Limits | None = None) -> Iterator[Event]:
    """The wanted events of a file, of a range of one, or of standard input."""
    limits = limits or Limits()
    if unit.is_stdin:
        return read_stream(sys.stdin.buffer, STDIN, wanted, tally, limits)
    if unit.part != WHOLE:
        return read_part(Path(unit.path), unit.part, wanted, tally)
    return read_path(Path(unit.path), wanted, tally, limits, named=unit.named)
