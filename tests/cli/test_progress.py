"""Progress: ten lines in a log, a bar on a terminal, nothing left behind."""

from __future__ import annotations

import io
import re

import pytest

from douse.cli.progress import Progress
from douse.hunt.result import Progress as Protocol

MB = 1_000_000


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


class Clock:
    """A clock that moves one second each time it is asked."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 1
        return self.now


def run(stream: io.StringIO, total: int, steps: int, size: int) -> str:
    progress: Protocol = Progress(stream, Clock())
    progress.start(total)
    for number in range(steps):
        progress.advance(size, 1000, number % 10 == 0)
    progress.finish()
    return stream.getvalue()


def test_a_log_gets_a_line_for_every_tenth() -> None:
    lines = run(io.StringIO(), 100 * MB, 100, MB).splitlines()
    assert len(lines) == 10
    assert [line[:13] for line in lines] == [f"douse: {tenth:3d} %," for tenth in range(10, 101, 10)]
    assert lines[0] == "douse:  10 %, 10.0 of 100.0 MB, 10,000 events/s, 1 alert"
    assert lines[1].endswith("2 alerts")


def test_a_big_step_writes_one_line() -> None:
    assert run(io.StringIO(), 10 * MB, 1, 35 * MB).splitlines() == [
        "douse: 100 %, 35.0 of 10.0 MB, 1,000 events/s, 1 alert"
    ]


def test_an_unknown_total_gets_a_line_for_every_100_mb() -> None:
    lines = run(io.StringIO(), 0, 25, 10 * MB).splitlines()
    assert [re.match(r"douse: ([\d.]+) MB, ", line)[1] for line in lines] == ["100.0", "200.0"]


def test_a_run_of_nothing_writes_nothing() -> None:
    assert run(io.StringIO(), 0, 0, 0) == ""


def test_a_terminal_gets_a_bar_that_is_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "100")
    text = run(Terminal(), 10 * MB, 10, MB)
    assert "of 10.0 MB" in text
    assert "events/s" in text
    assert "\x1b[2K" in text, "the bar is erased"
    assert "douse:" not in text


@pytest.mark.parametrize(("name", "value"), [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_a_terminal_that_wants_plain_text_gets_lines(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    text = run(Terminal(), 10 * MB, 10, MB)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 10


def test_finish_may_come_without_start() -> None:
    stream = Terminal()
    Progress(stream).finish()
    assert stream.getvalue() == ""
