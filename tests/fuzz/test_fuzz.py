"""Damaged input of every kind into every parser: 2,000 executions each here, 100,000 with `make fuzz`; what broke once.

The inputs are the same on every run (seed 0). A watchdog ends the run with a traceback where one input hangs.
"""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from douse.detection.language.condition import parse_condition
from douse.detection.language.parse import CompiledRule, parse_rules
from fuzz.drive import CRASHES, DEADLINE, input_of
from fuzz.mutate import TEXT, Material, mutated
from fuzz.seeds import json_lines, records
from fuzz.targets import NAMES, TARGETS, Fixed, read, stated_by_hand

EXECUTIONS, PARTS = 2_000, 4
SEED = 0
KEPT = sorted(path for path in CRASHES.glob("*/*") if path.is_file())


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """A hang ends the tests with a traceback. The library holds the interpreter, so nothing milder would end it."""
    yield
    faulthandler.cancel_dump_traceback_later()


def run(parser: str, data: bytes) -> None:
    """One execution, watched."""
    faulthandler.dump_traceback_later(3 * DEADLINE, exit=True)
    TARGETS[parser].run(data)


@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("parser", TARGETS)
def test_no_input_breaks_a_parser(parser: str, part: int) -> None:
    for number in range(part, EXECUTIONS, PARTS):
        try:
            run(parser, input_of(parser, SEED, number))
        except BaseException as error:
            error.add_note(f"input: drive.input_of({parser!r}, {SEED}, {number})")
            raise


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_broke_a_parser_once_breaks_it_no_more(path: Path) -> None:
    run(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("parser", TARGETS)
def test_inputs_are_repeatable_and_varied(parser: str) -> None:
    inputs = [input_of(parser, SEED, number) for number in range(200)]
    assert inputs == [input_of(parser, SEED, number) for number in range(200)]
    assert len(set(inputs)) > 150
    assert input_of(parser, SEED + 1, 0) != inputs[0] or input_of(parser, SEED + 1, 1) != inputs[1]


@pytest.mark.parametrize("parser", TARGETS)
def test_seeds_are_sound(parser: str) -> None:
    for seed in TARGETS[parser].seeds():
        TARGETS[parser].run(seed)


@pytest.mark.parametrize(("parser", "name"), [("evtx", "a.evtx"), ("json", "a.jsonl"), ("archive", "a.zip")])
def test_seeds_of_evidence_hold_records_and_lose_none(parser: str, name: str) -> None:
    for seed in TARGETS[parser].seeds():
        events, tally = read(seed, name)
        assert len(events) >= 3
        assert parser == "json" or not tally.losses, tally.losses


def test_the_seed_with_every_modifier_loads() -> None:
    outcomes = [outcome for seed in TARGETS["rules"].seeds() for outcome in parse_rules(seed.decode(), "seed.yml")]
    assert sum(isinstance(outcome, CompiledRule) for outcome in outcomes) >= len(TARGETS["rules"].seeds())
    assert isinstance(outcomes[0], CompiledRule), outcomes[0]
    assert outcomes[0].term is not None, outcomes[0].idle


def test_a_damaged_line_costs_no_other_line() -> None:
    lines = json_lines(records(3)[:8]).splitlines()
    for number in range(600):
        random = Random(f"line {number}")
        place = random.randrange(len(lines))
        damaged = mutated(lines[place], TEXT, random, Material(lines, TARGETS["json"].tokens)).replace(b"\n", b" ")
        if damaged[:1] in (b"\xff", b"\xfe"):
            continue  # at the start of a file that says UTF-16, which the rest is not
        events, _ = read(b"\n".join([*lines[:place], damaged, *lines[place + 1:]]), "a.jsonl")
        found = {event.record_id for event in events}
        assert found >= set(range(1, len(lines) + 1)) - {place + 1}, (number, damaged)


def test_the_oracles_can_fail() -> None:
    """A check that passes whatever the parser does would let us sleep well for nothing."""
    log = TARGETS["evtx"].seeds()[2]
    assert stated_by_hand(log) == (24, False)
    assert stated_by_hand(log[:4096] + bytes(512) + log[4608:]) == (12, True)
    condition = parse_condition("selection or not x1", {name: Fixed(False) for name in NAMES})
    assert condition.holds(None)
    assert Random("same").random() == Random("same").random()
