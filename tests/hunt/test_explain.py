"""Which event of a log is explained, and what is said of the others. What explain says of one: tests/detection."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from douse.detection.explain import Explanation
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import EvidenceError
from douse.hunt.explain import Explained, explain_rule
from douse.hunt.rules import carried_fields, check_rules

SYSMON = "Microsoft-Windows-Sysmon/Operational"
RULE = r"""
title: X
id: 11111111-1111-4111-8111-111111111111
logsource: {product: windows, category: process_creation}
detection:
  image: {Image|endswith: '\x.exe'}
  line: {CommandLine|contains|all: [a, b]}
  filter: {User: SYSTEM}
  condition: image and line and not filter
"""


@pytest.fixture
def rules(tmp_path: Path) -> RuleSet:
    (tmp_path / "x.yml").write_text(RULE, encoding="utf-8")
    return load_rules([tmp_path / "x.yml"], builtin=False)


def log(path: Path, *records: Mapping[str, object]) -> str:
    lines = [json.dumps({"Channel": SYSMON, "EventID": 1, "Computer": "WS-1", "EventRecordID": number,
                         "TimeCreated": "2026-11-24T09:00:00Z", **record}) for number, record in enumerate(records, 10)]
    path.write_text("\n".join(lines), encoding="utf-8")
    return str(path)


HIT = {"Image": "C:\\x.exe", "CommandLine": "a b"}


def record_of(found: Explained) -> int:
    assert isinstance(found.explanation, Explanation)
    return found.explanation.event.record_id


def test_the_first_event_that_fires(rules: RuleSet, tmp_path: Path) -> None:
    found = explain_rule(rules, "x", log(tmp_path / "a.jsonl", {"EventID": 5}, {"Image": "y"}, HIT, HIT))
    assert record_of(found) == 12
    assert found.explanation.fires
    survey = found.survey
    assert (survey.events, survey.read, survey.fires, survey.record_ids) == (4, 3, 2, (12, 13))


def test_else_the_one_that_comes_nearest(rules: RuleSet, tmp_path: Path) -> None:
    far, near = {"Image": "C:\\y.exe", "CommandLine": "c"}, {**HIT, "CommandLine": "a"}
    found = explain_rule(rules, "x", log(tmp_path / "a.jsonl", far, near, far, {**HIT, "EventID": 5}))
    assert record_of(found) == 11
    assert (found.survey.read, found.survey.fires, found.survey.record_ids) == (3, 0, ())


def test_a_single_event_that_is_not_read_is_explained(rules: RuleSet, tmp_path: Path) -> None:
    found = explain_rule(rules, "x", log(tmp_path / "a.json", {**HIT, "EventID": 5}))
    assert isinstance(found.explanation, Explanation)
    assert not found.explanation.read
    assert found.explanation.unread


def test_by_number_and_by_record(rules: RuleSet, tmp_path: Path) -> None:
    name = log(tmp_path / "a.jsonl", HIT, {"Image": "y"}, {"EventRecordID": 10, "Channel": "Security", "EventID": 4624})
    assert record_of(explain_rule(rules, "x", name, number=2)) == 11
    found = explain_rule(rules, "x", name, record_id=10)
    assert isinstance(found.explanation, Explanation)
    assert found.explanation.event.channel == SYSMON, "of two records 10 the one that the rule reads"


def test_a_folder_is_one_log(rules: RuleSet, tmp_path: Path) -> None:
    folder = tmp_path / "logs"
    folder.mkdir()
    log(folder / "a.jsonl", {"Image": "y"})
    log(folder / "b.jsonl", HIT)
    found = explain_rule(rules, "x", str(folder))
    assert isinstance(found.explanation, Explanation)
    assert str(found.explanation.event.source) == str(folder / "b.jsonl")


def test_an_idle_rule_is_idle_whatever_the_log_holds(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(RULE.replace("windows", "macos"), encoding="utf-8")
    idle = load_rules([tmp_path / "x.yml"], builtin=False)
    found = explain_rule(idle, "x", log(tmp_path / "a.jsonl", {"Image": "y"}, HIT))
    assert isinstance(found.explanation, Explanation)
    assert found.explanation.unread == ("the rule is idle: product macos is not Windows",)


def test_the_kinds_of_records_are_named_where_none_is_read(rules: RuleSet, tmp_path: Path) -> None:
    name = log(tmp_path / "a.jsonl", *({"EventID": number} for number in (5, 5, *range(20, 40))))
    with pytest.raises(EvidenceError) as error:
        explain_rule(rules, "x", name)
    assert f"but {SYSMON} 5 (2), {SYSMON} 20 (1)" in str(error.value)
    assert "and 11 kinds more." in str(error.value)


def test_what_was_not_readable_is_told(rules: RuleSet, tmp_path: Path) -> None:
    file = tmp_path / "a.jsonl"
    log(file, HIT)
    file.write_text(file.read_text(encoding="utf-8") + "\n{broken\n", encoding="utf-8")
    assert len(explain_rule(rules, "x", str(file)).survey.losses) == 1
    found = check_rules([tmp_path / "x.yml"], [str(file)])
    assert found.logs is not None
    assert (found.logs.records, len(found.logs.losses)) == (1, 1)


def test_a_big_log_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shared: Path) -> None:
    """A file that a hunt cuts into ranges is not read whole for each of them."""
    from douse.hunt import plan

    file = max((shared / "data" / "evtx").glob("*.evtx"), key=lambda path: path.stat().st_size)
    whole = check_rules([tmp_path], [str(file)]).logs
    monkeypatch.setattr(plan, "CHUNKS_A_UNIT", 2)
    assert len(plan.make((str(file),)).units) > 2
    assert check_rules([tmp_path], [str(file)]).logs == whole
    assert carried_fields([str(file)])[0]
