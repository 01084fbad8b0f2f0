"""Progress of a long run on standard error: a bar on a terminal, else a line for every tenth.

It is what `hunt` calls through hunt/result.py's Progress. A line that is no terminal ends up in a task's log, so it
gets few lines and no control codes. rich is imported at `start`, because a short command should not pay for it.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

UNKNOWN_STEP = 100_000_000
"""How many bytes between two lines where nobody knows the total."""


def wants_plain_text() -> bool:
    """Whether the user or the terminal asks for text without any control codes (NO_COLOR, TERM=dumb)."""
    return bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM", "").lower() in ("dumb", "unknown")


class Progress:
    """Shows MB, events/s and, unless nobody looks for them, alerts so far; `clock` gives seconds, for tests."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic, *,
                 alerts: bool = True) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._clock = clock
        self._looks_for_alerts = alerts
        self._bar: Bar | None = None
        self._task: TaskID | None = None
        self._total = self._bytes = self._records = self._alerts = 0
        self._next_line = 0.0
        self._started = 0.0

    def start(self, total_bytes: int) -> None:
        """The run begins; a total of 0 means that nobody knows it."""
        self._total = total_bytes
        self._started = self._clock()
        self._next_line = self._line_step()
        if self._stream.isatty() and not wants_plain_text():
            self._start_bar()

    def advance(self, read_bytes: int, records: int, alerts: int, /) -> None:
        """So much more was read and found."""
        self._bytes += read_bytes
        self._records += records
        self._alerts += alerts
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._bytes, said=self._said())
        elif self._bytes >= self._next_line:
            self._next_line = (self._bytes // self._line_step() + 1) * self._line_step()
            self._stream.write(f"douse: {self._share()}{self._said()}\n")
            self._stream.flush()

    def finish(self) -> None:
        """Take the bar away; what was found is the result's to say."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _start_bar(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, TextColumn
        from rich.progress import Progress as Bar

        console = Console(file=self._stream, markup=False, emoji=False, highlight=False)
        self._bar = Bar(
            TextColumn("reading", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[said]}", markup=False),
            console=console,
            transient=True,
            expand=True,
        )
        self._task = self._bar.add_task("reading", total=self._total or None, said=self._said())
        self._bar.start()

    def _line_step(self) -> float:
        return self._total / 10 if self._total else UNKNOWN_STEP

    def _share(self) -> str:
        return f"{min(100 * self._bytes // self._total, 100):3d} %, " if self._total else ""

    def _said(self) -> str:
        """`12.3 of 41.0 MB, 8,112 events/s, 3 alerts`."""
        seconds = self._clock() - self._started
        rate = f"{self._records / seconds:,.0f} events/s" if seconds > 0 else f"{self._records:,} events"
        of_total = f" of {self._total / 1e6:,.1f}" if self._total else ""
        alerts = f", {self._alerts:,} alert" if self._alerts == 1 else f", {self._alerts:,} alerts"
        return f"{self._bytes / 1e6:,.1f}{of_total} MB, {rate}{alerts if self._looks_for_alerts else ''}"
