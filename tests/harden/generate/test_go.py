"""The record that lets a block be enforced: what it covers is enough for the control, and stands in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from douse.errors import OutputError
from douse.harden.generate.bundle import generate
from douse.harden.generate.plan import planned
from douse.harden.generate.policy import GenerateOptions
from harden.generate.go_files import TODAY, go_file


def options(control: str, record: Path, mode: str = "enforce") -> GenerateOptions:
    """A bundle of one control, as the command line asks for it."""
    return GenerateOptions((control,), ("reg",), mode, preflight=record, today=TODAY)


@pytest.mark.parametrize("control", ["H06", "H08"])
def test_who_only_starts_it_is_asked_before_the_program_is_stopped(tmp_path: Path, control: str) -> None:
    record = go_file(tmp_path, started=4)
    with pytest.raises(OutputError, match=r"4 use case.*start-0, start-1, start-2\)") as raised:
        planned(options(control, record))
    assert "Sign a decision on each" in raised.value.next_step
    assert planned(options(control, record, mode="audit"))
    assert planned(options(control, go_file(tmp_path, started=0)))


@pytest.mark.parametrize("control", ["H01", "H02"])
def test_a_block_of_connections_does_not_meet_who_makes_none(tmp_path: Path, control: str) -> None:
    policy, _ = planned(options(control, go_file(tmp_path, started=1)))
    assert [rule.active for rule in policy.firewall] == [True]


@pytest.mark.parametrize(("made", "weaker"), [
    ({}, False), ({"days": 29}, True), ({"need": 1}, True), ({"coverage": {"hosts": 900, "covered": 9}}, True),
    ({"coverage": {"hosts": True, "covered": "3"}}, False)])
def test_the_readme_says_how_much_was_watched(tmp_path: Path, made: dict[str, object], weaker: bool) -> None:
    record = go_file(tmp_path, **made, reason="9 of 900 hosts | were *watched*.")  # type: ignore[arg-type]
    bundle = generate(options("H01", record))
    text = next(file.data for file in bundle.files if file.path.name == "README.md").decode()
    assert ("**Weaker than what is asked for by default**" in text) == weaker
    assert ("- Watched: 9 of the inventory's 900 computers" in text) == ("900" in str(made))
    assert "\\*watched\\*" in text
