"""What a correlation makes of a log, against what it fires on: the same windows, or the nearest where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import TIME, event, loaded
from douse.detection.correlation.document import Bound, Correlation, parse_correlation
from douse.detection.correlation.explain import MAX_GROUPS, CorrelationExplanation, Rehearsal
from douse.detection.correlation.windows import Hit, nearest, windows
from douse.detection.language.documents import Document
from douse.detection.ruleset import RuleSet
from douse.model import Event

RULES = """
title: Failed logon
name: failed
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4625}, condition: selection}
---
title: Logon
name: logon
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4624}, condition: selection}
---
title: Start
name: start
logsource: {product: windows, category: process_creation}
detection: {selection: {Image|endswith: .exe}, condition: selection}
---
"""
MANY = """
title: Many
name: many
correlation: {type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 1m, condition: {gte: 3}}
---
"""
THEN = """
title: Then
correlation: {type: temporal_ordered, rules: [many, logon], group-by: [TargetUserName], timespan: 5m}
"""


def logon(second: float, user: str = "anna", event_id: int = 4625) -> Event:
    return event({"TargetUserName": user}, "Security", event_id, record_id=int(second * 10) + event_id,
                 time=TIME + timedelta(seconds=second))


def rehearsed(rules: RuleSet, events: Sequence[Event]) -> CorrelationExplanation:
    rehearsal = Rehearsal(rules, rules.correlations[-1])
    for one in events:
        rehearsal.observe(one)
    return rehearsal.explanation()


def test_the_nearest_group_comes_first_with_its_best_window(tmp_path: Path) -> None:
    rules = loaded(tmp_path, RULES + MANY)
    found = rehearsed(rules, [logon(5, "bert"), logon(0), logon(50), logon(90), logon(95, ""), logon(600)])
    assert (found.fires, found.events, found.group_count) == (False, 6, 2)
    assert found.left_out == {"lack a field of group-by": 1}
    assert [(one.rule.title, one.matches) for one in found.joined] == [("Failed logon", 6)]
    first, second = found.groups
    assert (first.values, first.matches, first.value, first.alerts) == (("anna",), 4, 2.0, 0)
    assert (first.first_seen, first.last_seen) == (TIME, TIME + timedelta(seconds=50))
    assert (second.values, second.value) == (("bert",), 1.0)


def test_a_group_that_fires_comes_before_a_bigger_one(tmp_path: Path) -> None:
    rules = loaded(tmp_path, RULES + MANY)
    slow = [logon(second, "slow") for second in range(0, 6_000, 600)]
    found = rehearsed(rules, [*slow, logon(1), logon(2), logon(3), logon(500), logon(501), logon(502)])
    assert found.alerts == 2
    assert [(one.values, one.alerts, one.value) for one in found.groups] == [
        (("anna",), 2, 3.0), (("slow",), 0, 1.0)]


def test_one_that_is_made_of_another(tmp_path: Path) -> None:
    rules = loaded(tmp_path, RULES + MANY + THEN)
    burst = [logon(1), logon(2), logon(3)]
    found = rehearsed(rules, burst)
    assert [(one.rule.title, one.matches) for one in found.joined] == [("Many", 1), ("Logon", 0)]
    assert [(one.value, one.alerts) for one in found.groups] == [(1.0, 0)]
    assert rehearsed(rules, [*burst, logon(9, event_id=4624)]).alerts == 1


def test_only_its_own_rules_are_asked(tmp_path: Path) -> None:
    rules = loaded(tmp_path, RULES + MANY)
    assert Rehearsal(rules, rules.correlations[0]).interests() == {("security", 4625)}


def test_the_list_of_groups_has_an_end(tmp_path: Path) -> None:
    rules = loaded(tmp_path, RULES + MANY)
    found = rehearsed(rules, [logon(number / 10, f"user{number}") for number in range(MAX_GROUPS + 5)])
    assert (len(found.groups), found.group_count) == (MAX_GROUPS, MAX_GROUPS + 5)


@pytest.mark.parametrize(("word", "number", "value", "lacks"), [
    ("gte", 5, 3, 2), ("gt", 5, 5, 0), ("lte", 5, 7, 2), ("eq", 5, 5, 0), ("neq", 5, 5, 0), ("gte", 5, 9, 0),
])
def test_what_a_value_lacks(word: str, number: int, value: int, lacks: int) -> None:
    assert Bound(word, number).lacks(value) == lacks


def _counting(condition: dict[str, int]) -> Correlation:
    data = {"title": "x", "correlation": {"type": "event_count", "rules": ["a"], "timespan": "10s",
                                          "condition": dict(condition)}}
    return parse_correlation(Document("x.yml", "", 0, data), data, builtin=False)


@given(st.lists(st.integers(0, 60), min_size=1, max_size=30), st.integers(1, 6), st.sampled_from(["gte", "lte", "eq"]))
def test_the_nearest_window_meets_the_condition_when_any_does(seconds: list[int], number: int, word: str) -> None:
    hits = [Hit(TIME + timedelta(seconds=second), 0, str(index)) for index, second in enumerate(sorted(seconds))]
    correlation = _counting({word: number})
    best = nearest(hits, correlation)
    assert best.value == best.last - best.first + 1
    assert hits[best.last].time - hits[best.first].time <= timedelta(seconds=10)
    met = list(windows(hits, correlation))
    if met:
        assert correlation.admits(best.value)
        assert (best.first, best.last) == (met[0].first, met[0].last)
