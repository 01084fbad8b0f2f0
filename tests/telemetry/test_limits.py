"""What one input file may cost; that the limits bite is tested where they do, in test_streams and test_archive."""

from __future__ import annotations

from pathlib import Path

from douse.telemetry import Limits, Tally, Wanted, read_path

from .test_archive import event_line, zipped


def test_the_defaults_are_those_of_the_documentation() -> None:
    limits = Limits()
    assert limits.max_line == 64 * 1024 * 1024
    assert limits.max_depth == 3
    assert limits == Limits(), "budgets do not make limits different"
    assert limits.budget is not Limits().budget


def test_every_file_has_its_own_budget(tmp_path: Path) -> None:
    tally = Tally()
    limits = Limits(max_unpacked=len(event_line(1)) + 10)
    for name in ("a.zip", "b.zip"):
        (tmp_path / name).write_bytes(zipped({"x.json": event_line(1)}))
        assert len(list(read_path(tmp_path / name, Wanted.everything(), tally, limits, named=True))) == 1
    assert tally.losses == []
    assert limits.budget.unpacked == 0
