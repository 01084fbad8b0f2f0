"""Runs the YAML cases beside it: what each rule fires on and what it does not, and what is refused with which words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from detection.makers import PROCESS_CREATION, SYSMON, event, fires, refusal, rule_text
from douse.detection.language.documents import Document, read_documents
from douse.detection.language.parse import CompiledRule, parse_document
from douse.detection.logsource import alias_table
from douse.detection.reference import All, Item, Not, Selection, Term
from douse.detection.reference import Any as AnyOf
from douse.detection.ruleset import RuleSet
from douse.detection.view import View
from douse.model import Event

FOLDER = Path(__file__).with_name("cases")


def load(name: str) -> list[dict[str, Any]]:
    """The cases of a file, its scalars as Douse reads those of a rule: `yes` and a date are text."""
    (document,) = read_documents((FOLDER / name).read_text(encoding="utf-8"), name)
    return cast("list[dict[str, Any]]", document.data)


CASES = [pytest.param(case, id=f"{path.stem}: {case['name']}") for path in sorted(FOLDER.glob("*.yml"))
         if path.stem != "refused" for case in load(path.name)]
REFUSED = [pytest.param(case, id=case["name"]) for case in load("refused.yml")]


def record(fields: dict[str, Any]) -> Event:
    own = {name: value for name, value in fields.items() if name not in ("channel", "event_id")}
    return event(own, fields.get("channel", SYSMON), fields.get("event_id", 1))


def rule_of(case: dict[str, Any]) -> CompiledRule:
    data = {"title": case["name"], "logsource": case.get("logsource", PROCESS_CREATION), "detection": case["detection"]}
    lists = {name: tuple(map(str, values)) for name, values in (case.get("placeholders") or {}).items()}
    rule = parse_document(Document("case", "", 0, data), lists=lists)
    assert isinstance(rule, CompiledRule), rule
    return rule


@pytest.mark.parametrize("case", CASES)
def test_a_rule_fires_on_what_it_should_and_on_nothing_else(case: dict[str, Any]) -> None:
    rules = RuleSet([rule_of(case)])
    assert all((case["match"], case["miss"])), "a case needs both sides"
    for fields in case["match"]:
        assert fires(rules, record(fields)), f"should fire on {fields}"
    for fields in case["miss"]:
        assert not fires(rules, record(fields)), f"should not fire on {fields}"


@pytest.mark.parametrize("case", CASES)
def test_a_line_asked_at_once_says_the_same_as_its_patterns_one_by_one(case: dict[str, Any]) -> None:
    rule = rule_of(case)
    assert rule.term is not None
    for fields in [*case["match"], *case["miss"]]:
        for aliases in {route.aliases for route in rule.routes}:
            view = View(record(fields), alias_table(aliases))
            for item in items(rule.term):
                assert item.holds(view) is item.holds_slowly(view), (item.field, fields)
                if item.holds(view):
                    assert list(item.why(view, "selection")), "what holds has a reason"


def items(term: Term) -> list[Item]:
    match term:
        case Item():
            return [term]
        case Not(inner) | Selection(_, inner):
            return items(inner)
        case All(terms) | AnyOf(terms):
            return [item for each in terms for item in items(each)]
    raise AssertionError(term)


@pytest.mark.parametrize("case", REFUSED)
def test_a_broken_rule_says_where_what_and_what_to_do(case: dict[str, Any]) -> None:
    error = refusal(case["rule"] if "rule" in case else rule_text(case["detection"]))
    assert case["says"] in str(error)
    path, _, line = error.where.rpartition(":")
    assert path == "rules/test.yml"
    assert int(line) >= 1
