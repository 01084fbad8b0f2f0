"""Inputs made to take all the time or memory, or to hide what is behind them, as chance does not find them.

Times are those of the processor, with ten times what each takes, so that a busy machine fails none.
"""

from __future__ import annotations

import io
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.detection.language.parse import CompiledRule, parse_rules
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import RuleError
from fuzz.drive import CRASHES
from fuzz.evidence import read
from fuzz.seeds import json_lines, records, tape_of
from fuzz.target import EVENTS
from fuzz.targets import TARGETS

RULE = "title: r{0}\nname: rule-{0}\nlogsource: {{product: windows}}\ndetection: {{s: {{EventID: 1}}, condition: s}}\n"
FILTER = "title: f{0}\nlogsource: {{product: windows}}\nfilter: {{rules: any, s: {{User: u{0}}}, condition: not s}}\n"


@pytest.fixture
def load(tmp_path: Path) -> Callable[[str], RuleSet]:
    def loaded(text: str) -> RuleSet:
        (tmp_path / "r.yml").write_text(text)
        return load_rules([tmp_path / "r.yml"], builtin=False)

    return loaded


def test_a_thousand_filters_of_one_rule_are_no_thousand_levels(load: Callable[[str], RuleSet]) -> None:
    rules = load("---\n".join([RULE.format(0), *(FILTER.format(number) for number in range(1000))]))
    assert len(rules.filters) == 1000
    assert [alert.title for alert in rules.match(EVENTS[0])] == ["r0"]
    assert [alert.title for alert in rules.match_slowly(EVENTS[0])] == ["r0"]
    hidden = load("---\n".join([RULE.format(0), *(FILTER.format(n) for n in range(500)),
                                FILTER.format(500).replace("User: u500", "User|endswith: anna")]))
    assert not list(hidden.match(EVENTS[0]))


def test_thousands_of_references_to_nothing_are_told_at_once(load: Callable[[str], RuleSet]) -> None:
    rules = "---\n".join(RULE.format(number) for number in range(150))
    wrong = "".join(f"    - rule_{number}x\n" for number in range(5_000))
    started = time.process_time()
    loaded = load(f"{rules}---\ntitle: f\nlogsource: {{product: windows}}\nfilter:\n  s: {{a: b}}\n  condition: s\n"
                  f"  rules:\n{wrong}")
    assert time.process_time() - started < 8  # looking for the nearest name of each took 25
    assert len(loaded.rejected) == 5_000
    assert "Did you mean" in loaded.rejected[0].next_step
    assert "Load that rule as well" in loaded.rejected[-1].next_step


@pytest.mark.parametrize("line", [
    "CommandLine|windash: [{}]", "CommandLine|windash|base64offset: [{}]", "CommandLine|base64offset|windash: [{}]"])
def test_modifiers_that_multiply_without_end_are_refused_at_once(line: str) -> None:
    values = ", ".join(f"'-a -b -c -d -e{number}'" for number in range(300))
    text = ("title: x\nlogsource: {product: windows}\ndetection:\n  s:\n    " + line.format(values)
            + "\n  condition: s\n")
    (outcome,) = parse_rules(text, "r.yml")
    if line.startswith("CommandLine|base64offset|"):
        assert not isinstance(outcome, RuleError)  # base64 has no dash to write otherwise
    else:
        assert isinstance(outcome, RuleError)
        assert "make more than 50000 values" in outcome.what


def test_hundreds_of_groups_inside_each_other_are_no_recursion() -> None:
    for depth in (40, 60, 300, 900):
        text = RULE.format(0).replace("EventID: 1", f"Image|re: '{'(' * depth}cmd{')' * depth}'")
        (outcome,) = parse_rules(text, "r.yml")
        assert isinstance(outcome, CompiledRule), outcome
        assert [alert.title for alert in RuleSet([outcome]).match(EVENTS[0])] == ["r0"]


def test_every_input_that_broke_something_is_kept_for_a_parser() -> None:
    assert {path.parent.name for path in CRASHES.glob("*/*")} <= set(TARGETS)


def test_a_wiped_header_hides_no_member_of_a_tar() -> None:
    lines = json_lines(records(5)[:2])
    tape = tape_of({f"{number}.jsonl": lines for number in range(4)})
    with tarfile.open(fileobj=io.BytesIO(tape)) as members:
        headers = [member.offset for member in members if member.isreg()]
    for at in headers[1:]:
        events, tally = read(tape[:at] + bytes(512) + tape[at + 512:], "a.tar")
        assert len(events) == 6, at
        assert [loss.records for loss in tally.losses] == [None]
