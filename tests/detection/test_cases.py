"""Every rule of ours is proven: each matching case fires it, and no benign twin does."""

from __future__ import annotations

from pathlib import Path

import pytest

from douse.content.cases import FOLDER, Case, case_file, load_cases
from douse.content.rules import rule_files
from douse.detection.parse import CompiledRule, parse_rules
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import ContentError

RULES = [pytest.param(path, id=path.stem) for path in rule_files()]


def only_rule(path: Path) -> CompiledRule:
    (rule,) = parse_rules(path.read_text(encoding="utf-8"), str(path), builtin=True)
    assert isinstance(rule, CompiledRule), rule
    return rule


def fired(rules: RuleSet, case: Case) -> bool:
    return any(True for _ in rules.match(case.event()))


@pytest.mark.parametrize("path", RULES)
def test_a_rule_fires_on_its_cases_and_not_on_their_benign_twins(path: Path) -> None:
    assert case_file(path).is_file(), f"{path.name} is not proven: write cases/{case_file(path).name}"
    cases = load_cases(case_file(path))
    rules = RuleSet([only_rule(path)])
    silent = [f"{case.where} {case.name}" for case in cases.match if not fired(rules, case)]
    wrong = [f"{case.where} {case.name}" for case in cases.benign if fired(rules, case)]
    assert not silent, f"does not fire on {silent}"
    assert not wrong, f"fires on the benign {wrong}"


@pytest.mark.parametrize("path", RULES)
def test_a_rule_of_ours_says_what_it_means(path: Path) -> None:
    rule = only_rule(path).rule
    assert not only_rule(path).idle
    assert rule.stage, "a douse.stage tag is missing"
    assert rule.techniques, "an ATT&CK technique is missing"
    assert all((rule.description, rule.falsepositives, rule.references, rule.level, rule.status))


def test_all_our_rules_load_together() -> None:
    rules = load_rules([])
    assert not rules.rejected
    assert not rules.idle
    assert not rules.skipped
    assert len(rules.rules) == len(rule_files())
    assert all(rule.rule.builtin for rule in rules.rules)


def test_no_case_file_is_left_over() -> None:
    assert {path.stem for path in FOLDER.glob("*.yml")} == {path.stem for path in rule_files()}


def test_a_case_may_say_when_and_where(tmp_path: Path) -> None:
    file = tmp_path / "x.yml"
    one = "  - {{name: a, channel: Security, event_id: 4688, {more}fields: {{A: b, C: [d, e], F: null, G: ''}}}}\n"
    file.write_text("match:\n" + one.format(more="host: PC-1, time: 2026-01-02T03:04:05, provider: P, ")
                    + "benign:\n" + one.format(more=""), encoding="utf-8")
    cases = load_cases(file)
    event = cases.match[0].event()
    assert (event.host, event.provider, event.time.isoformat()) == ("PC-1", "P", "2026-01-02T03:04:05+00:00")
    assert event.get("EventID") == 4688
    assert event.fields["C"] == ["d", "e"]
    assert event.has("F")
    assert event.get("F") is None
    assert event.get("G") == ""
    assert cases.benign[0].event().provider == "Microsoft-Windows-Security-Auditing"


@pytest.mark.parametrize(("text", "says"), [
    ("match: []\nbenign: []\n", "no event is listed under match"),
    ("match:\n  - {name: a, channel: c, event_id: 1, fields: {A: b}}\n", "no event is listed under benign"),
    ("match:\n  - {name: a, channel: c, event_id: 1, field: {A: b}}\n", "fields is missing"),
    ("match:\n  - {name: a, channel: c, event_id: 1, fields: {A: b}, time: noon}\n", "'noon' is no time"),
    ("mach: []\n", "unknown key 'mach'. Did you mean 'match'?"),
])
def test_a_case_file_that_proves_nothing_is_refused(tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "x.yml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ContentError, match=says.replace("?", r"\?")):
        load_cases(file)
