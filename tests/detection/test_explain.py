"""What explain says agrees with what matches, and says why not."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.makers import SYSMON, compiled, event, fires, rule_text, ruleset
from douse.content.cases import case_file, load_cases
from douse.content.rules import rule_files
from douse.detection.explain import Part, Tried, explain, nearness, reads, reasons, seen_as
from douse.detection.ruleset import RuleSet, load_rules
from douse.model import Event, Value


def explained(detection: dict[str, object], fields: dict[str, Value], **more: object):
    return explain(compiled(rule_text(detection, **more)), event(fields))


def test_the_tree_has_each_part_with_value_and_patterns() -> None:
    found = explained({"a": {"Image|endswith": ["\\x.exe", "\\y.exe"], "User": "anna"}, "b": {"Company": None},
                       "condition": "a and not b"}, {"Image": "C:\\Y.exe", "User": "berta", "Company": "z"})
    assert found.read
    assert not found.fires
    assert found.condition == Part("all", False, parts=(
        Part("selection", False, name="a", parts=(Part("all", False, parts=(
            Part("item", True, field="Image", value="C:\\Y.exe",
                 tried=(Tried("*\\x.exe", False), Tried("*\\y.exe", True))),
            Part("item", False, field="User", value="berta", tried=(Tried("anna", False),)),
        )),)),
        Part("not", True, parts=(
            Part("selection", False, name="b", parts=(
                Part("item", False, field="Company", value="z", tried=(Tried("null", False),)),)),)),
    ))


def test_a_missing_field_has_no_value_and_an_empty_one_has() -> None:
    detection = {"a": {"Image": "x", "User": "y"}, "condition": "a"}
    parts = explained(detection, {"User": ""}).condition.parts[0].parts
    assert [part.value for part in parts] == [None, ""]


def test_a_keyword_shows_where_it_was_found() -> None:
    found = explained({"k": ["needle", "absent"], "condition": "k"}, {"Image": "a Needle b"})
    item = found.condition.parts[0]
    assert (item.field, item.value) == ("", "a Needle b")
    assert item.tried == (Tried("*needle*", True), Tried("*absent*", False))


def test_all_and_neq_are_told() -> None:
    items = explained({"a": {"Image|contains|all": ["x", "y"], "User|neq": "anna"}, "condition": "a"},
                      {"Image": "x", "User": "anna"}).condition.parts[0].parts
    assert [(item.every, item.negated, item.holds) for item in items] == [(True, False, False), (False, True, False)]


def test_alternatives_of_one_value_are_one_line() -> None:
    item = explained({"a": {"CommandLine|windash|contains": " -f"}, "condition": "a"},
                     {"CommandLine": "x /f"}).condition.parts[0]
    assert item.tried == (Tried("* /f*", True),)


@pytest.mark.parametrize(("condition", "says"), [
    ("a and b", ["a does not match", "b does not match"]),
    ("a or b", ["none of a, b matches"]),
    ("1 of a*", ["a does not match"]),
    ("c and not d", ["d matches"]),
    ("c and not 1 of d*", ["d matches"]),
    ("not (c or d)", ["c matches", "d matches"]),
    ("c and (a or (b and d))", ["a does not match", "b does not match"]),
    ("c", []),
])
def test_reasons_name_the_selections_that_decide(condition: str, says: list[str]) -> None:
    detection = {"a": {"Image": "no"}, "b": {"Image": "never"}, "c": {"Image": "x"}, "d": {"User": "y"},
                 "condition": condition}
    assert list(reasons(explained(detection, {"Image": "x", "User": "y"}).condition)) == says


@pytest.mark.parametrize(("logsource", "record", "says"), [
    ({"category": "process_creation", "product": "windows"}, event({}, event_id=5),
     f"of {SYSMON} it reads event id 1, and this is 5"),
    ({"category": "process_creation", "product": "windows"}, event({}, "System", 7045),
     f"it reads {SYSMON} 1; Security 4688"),
    ({"category": "registry_add", "product": "windows"}, event({"EventType": "DeleteKey"}, event_id=12),
     "windows/registry_add needs EventType to be createkey, and it is 'DeleteKey'"),
    ({"category": "process_creation", "product": "macos"}, event({}), "the rule is idle: product macos"),
    ({"category": "proxy"}, event({}), "it reads Proxy/access"),
    ({"product": "windows"}, event({}, "Proxy/access", 0), "it reads every log of Windows, and Proxy/access is none"),
])
def test_an_event_that_is_not_read_says_why(logsource: dict[str, str], record: Event, says: str) -> None:
    found = explain(compiled(rule_text({"a": {"Image": "x"}, "condition": "a"}, logsource)), record)
    assert not found.read
    assert not found.fires
    assert any(sentence.startswith(says) for sentence in found.unread), found.unread


def test_an_event_under_other_names_is_explained_under_sigmas() -> None:
    found = explain(compiled(rule_text({"a": {"Image|endswith": "\\x.exe"}, "condition": "a"})),
                    event({"NewProcessName": "C:\\x.exe"}, "Security", 4688))
    assert found.fires
    assert found.condition.parts[0].value == "C:\\x.exe"


def test_routes_in_words() -> None:
    assert reads(compiled(rule_text({"a": ["x"], "condition": "a"}, {"product": "windows"})).routes) == "every channel"
    assert reads(()) == "nothing"


@pytest.mark.parametrize("path", [pytest.param(path, id=path.stem) for path in rule_files()])
def test_explain_agrees_with_matching_on_every_case_of_ours(path: Path) -> None:
    rules: RuleSet = load_rules([path], builtin=False)
    cases = load_cases(case_file(path))
    events = [(case.name, one) for case in (*cases.match, *cases.benign) for one in case.events()]
    for rule in rules.rules:
        for name, one in events:
            found = explain(rule, one)
            assert found.fires is any(alert.rule_id == rule.rule.rule_id for alert in rules.match(one)), name
            assert found.fires or found.unread or list(reasons(found.condition)), f"no reason: {name}"


def test_a_rule_on_every_log_reads_what_a_hunt_shows_it() -> None:
    rule = rule_text({"a": {"Image": "x"}, "condition": "a"}, {"product": "windows"})
    for channel in ("Security", "Proxy/access"):
        record = event({"Image": "x"}, channel, 0)
        assert explain(compiled(rule), record).fires is fires(ruleset(rule), record) is (seen_as(
            compiled(rule), record) is not None) is (channel == "Security")


@pytest.mark.parametrize(("fields", "near"), [
    ({"Image": "x", "User": "y", "Company": "z"}, 1.0), ({"Image": "x"}, 0.5), ({}, 0.0), ({"User": "y"}, 0.25),
])
def test_how_near_an_event_comes(fields: dict[str, Value], near: float) -> None:
    rule = compiled(rule_text({"a": {"Image": "x"}, "b": {"User": "y", "Company": ["z"]}, "c": {"Image": "no"},
                               "condition": "a and (b or c)"}))
    view = seen_as(rule, event(fields))
    assert view is not None
    assert rule.term is not None
    assert nearness(rule.term, view) == near
    assert (near == 1.0) is rule.term.holds(view)


def test_a_rule_from_the_cache_is_explained_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOUSE_CACHE_DIR", str(tmp_path / "cache"))
    file = tmp_path / "rule.yml"
    file.write_text(rule_text({"a": {"Image": "x"}, "condition": "a"}), encoding="utf-8")
    for _ in range(2):
        (rule,) = load_rules([file], builtin=False, cached=True).rules
        condition = explain(rule, event({"Image": "x"})).condition
        assert condition is not None
        assert (condition.kind, condition.parts[0].field) == ("selection", "Image")
