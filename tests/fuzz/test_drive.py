"""The driver of `make fuzz`: it runs what was asked, says so when it could not, and keeps what crashed."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from fuzz import drive
from fuzz.targets import TARGETS


def test_every_execution_that_was_asked_for_runs() -> None:
    ran = drive.fuzz("condition", 3, 150, 60)
    assert (ran.executions, ran.failed) == (150, 0)
    assert "150 of 150 executions     0 failed" in ran.line(150)
    assert "STOPPED" not in ran.line(150)


def test_a_run_that_is_stopped_early_fails_and_says_how_far_it_came(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["drive.py", "--executions", "1000", "--parser", "glob", "--seconds", "0"])
    assert drive.main() == 1
    said = capsys.readouterr().out
    assert "0 of 1,000 executions" in said
    assert "STOPPED SHORT" in said
    assert "1 parsers stopped short: glob" in said


def test_a_crash_is_counted_and_kept_once_for_each_place(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    def breaks(data: bytes) -> None:
        if len(data) % 2:
            raise ValueError("odd")

    monkeypatch.setattr(drive, "CRASHES", tmp_path)
    monkeypatch.setattr(drive, "TARGETS", {"glob": replace(TARGETS["glob"], run=breaks)})
    monkeypatch.setattr(drive, "_bound_memory", lambda: None)  # they would bound these tests
    monkeypatch.setattr(drive, "_bound_time", lambda: None)
    board = tmp_path / "board"
    board.write_bytes(drive._AT.pack(0, 0))
    drive.work("glob", 5, 0, 40, board)
    odd = [len(drive.input_of("glob", 5, number)) % 2 for number in range(40)]
    assert drive._AT.unpack(board.read_bytes()) == (40, sum(odd))
    assert sum(odd) > 1
    (kept,) = (tmp_path / "glob").iterdir()
    assert kept.read_bytes() == drive.input_of("glob", 5, odd.index(1))
    assert "ValueError" in capfd.readouterr().out
