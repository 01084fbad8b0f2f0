"""Damaged input of every kind into every parser: 2,000 executions each here, 100,000 with `make fuzz`; what broke once.

The inputs are the same on every run (seed 0). A watchdog ends the run with a traceback where a test hangs.
"""

from __future__ import annotations

import faulthandler
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from douse.detection.correlation.document import Correlation
from douse.detection.language.condition import parse_condition
from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.linking import Linked, link
from douse.detection.view import View
from douse.model import Rule
from douse.telemetry.readers import READERS
from fuzz.drive import CRASHES, PATIENCE, input_of
from fuzz.evidence import read, stated_by_hand
from fuzz.iocs import files_of
from fuzz.kept import kept_in
from fuzz.language import NAMES, Fixed
from fuzz.linked import by_hand
from fuzz.lists import lists_of
from fuzz.logs import LINES, LOGS
from fuzz.mutate import TEXT, Material, mutated
from fuzz.seeds import json_lines, records
from fuzz.target import EVENTS, text_of
from fuzz.targets import TARGETS

EXECUTIONS, PARTS = 2_000, 4
SEED = 0
KEPT = sorted(path for path in CRASHES.glob("*/*") if path.is_file())


@pytest.fixture(autouse=True)
def watchdog() -> Iterator[None]:
    """A hang ends the tests with a traceback. The library holds the interpreter, so nothing milder would end it."""
    faulthandler.dump_traceback_later(PATIENCE, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


def run(parser: str, data: bytes) -> None:
    """One execution."""
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
    inputs = [input_of(parser, SEED, number) for number in range(100)]
    assert inputs == [input_of(parser, SEED, number) for number in range(100)]
    assert len(set(inputs)) > 75
    assert input_of(parser, SEED + 1, 0) != inputs[0] or input_of(parser, SEED + 1, 1) != inputs[1]


@pytest.mark.parametrize("parser", TARGETS)
def test_seeds_are_sound(parser: str) -> None:
    for seed in TARGETS[parser].seeds():
        TARGETS[parser].run(seed)


@pytest.mark.parametrize(("parser", "name"), [
    ("evtx", "a.evtx"), ("json", "a.jsonl"), ("archive", "a.zip"), *((parser, "a.log") for parser in LOGS)])
def test_seeds_of_evidence_hold_records_and_lose_none(parser: str, name: str) -> None:
    for seed in TARGETS[parser].seeds():
        events, tally = read(seed, name)
        assert len(events) >= (2 if parser == "archive" else 3)
        assert parser == "json" or not tally.losses, tally.losses


def test_every_reader_reads_a_seed() -> None:
    formats = {event.source.format for parser in ("evtx", "json", "archive", *LOGS) for seed in TARGETS[parser].seeds()
               for event in read(seed, "a.log")[0]}
    packed = {"zip", "gz", "bz2", "xz", "tar"}
    assert {reader.name for reader in READERS} - packed == formats, "a reader has no seed: add one to tests/fuzz"


def test_the_seed_with_every_modifier_loads() -> None:
    outcomes = [outcome for seed in TARGETS["rules"].seeds() for outcome in parse_rules(seed.decode(), "seed.yml")]
    assert sum(isinstance(outcome, CompiledRule) for outcome in outcomes) >= len(TARGETS["rules"].seeds())
    assert isinstance(outcomes[0], CompiledRule), outcomes[0]
    assert outcomes[0].term is not None, outcomes[0].idle


def test_a_damaged_line_costs_no_other_line() -> None:
    lines = json_lines(records(3)[:8]).splitlines()
    for number in range(400):
        random = Random(f"line {number}")
        place = random.randrange(len(lines))
        damaged = mutated(lines[place], TEXT, random, Material(lines, TARGETS["json"].tokens)).replace(b"\n", b" ")
        if damaged[:1] in (b"\xff", b"\xfe"):
            continue  # at the start of a file that says UTF-16, which the rest is not
        events, _ = read(b"\n".join([*lines[:place], damaged, *lines[place + 1:]]), "a.jsonl")
        found = {event.record_id for event in events}
        assert found >= set(range(1, len(lines) + 1)) - {place + 1}, (number, damaged)


REACHED: Mapping[str, Callable[[bytes], bool]] = {
    "rules": lambda data: any(isinstance(one, CompiledRule) for one in parse_rules(text_of(data), "r.yml")),
    "linked": lambda data: bool((rules := by_hand(data).linked()).rules and (rules.filters or rules.correlations)),
    "action": lambda data: b"action" in data and any(
        isinstance(one, CompiledRule) for one in parse_rules(text_of(data), "r.yml")),
    "placeholders": lambda data: bool(lists_of(data)),
    "cache": lambda data: any(kept_in(data)),
    "indicators": lambda data: (found := files_of(data)) is not None and len(found.known) > 1,
}
"""Whether an input got as far as what its parser is there for."""


@pytest.mark.parametrize("parser", REACHED)
def test_many_inputs_reach_what_lies_behind_the_syntax(parser: str) -> None:
    reached = sum(REACHED[parser](input_of(parser, SEED, number)) for number in range(200))
    assert 50 < reached < 190, f"{reached} of 200"


@pytest.mark.parametrize("kind", LINES)
def test_a_damaged_line_of_a_network_log_costs_no_other_line(kind: str) -> None:
    whole = [LINES[kind].replace("@", f"{number}").encode() for number in range(8)]
    ids = [event.record_id for event in read(b"\n".join(whole), "a.log")[0]]
    assert len(set(ids)) == len(whole)
    for number in range(60):
        random = Random(f"{kind} {number}")
        place = random.randrange(4, len(whole))  # what the format is must show at the start
        damaged = mutated(whole[place], TEXT, random, Material(whole, TARGETS["network"].tokens)).replace(b"\n", b" ")
        lines = b"\n".join([*whole[:place], damaged, *whole[place + 1:]])
        found = {event.record_id for event in read(lines, "a.log")[0]}
        assert found >= {each for at, each in enumerate(ids) if at != place}, (number, damaged)


def _no_filters(rules: list[CompiledRule], idle: list[tuple[Rule, str]], _filters: object,
                correlations: list[Correlation]) -> Linked:
    return link(rules, idle, (), correlations)


def _one_correlation_less(*parts: Any) -> Linked:
    linked = link(*parts)
    linked.correlations = linked.correlations[1:]
    return linked


@pytest.mark.parametrize(("parser", "name", "wrong"), [
    ("linked", "fuzz.by_hand.link", _no_filters),
    ("linked", "fuzz.by_hand.link", _one_correlation_less),
    ("linked", "fuzz.linked.Correlator.merge", lambda self, other: None),
    ("action", "fuzz.spread.merged", lambda documents: iter(documents)),
    ("placeholders", "douse.detection.language.modifiers.expanded_glob", lambda glob, lists: [glob]),
])
def test_a_parser_that_is_wrong_is_found_out(parser: str, name: str, wrong: object,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that passes whatever the parser does would let us sleep well for nothing."""
    monkeypatch.setattr(name, wrong)
    with pytest.raises(AssertionError):
        _run_all(parser)


def _run_all(parser: str) -> None:
    for number in range(EXECUTIONS):
        run(parser, input_of(parser, SEED, number))


def test_the_oracles_can_fail() -> None:
    log = TARGETS["evtx"].seeds()[2]
    assert stated_by_hand(log) == (16, False)
    assert stated_by_hand(log[:4096] + bytes(512) + log[4608:]) == (8, True)
    condition = parse_condition("selection or not x1", {name: Fixed(False) for name in NAMES})
    assert condition.holds(View(EVENTS[0]))
    assert Random("same").random() == Random("same").random()
