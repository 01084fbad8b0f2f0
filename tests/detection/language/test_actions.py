"""Rules of Sigma version 1 that are spread over the documents of a file."""

from __future__ import annotations

from pathlib import Path

from detection.makers import event, fires, loaded
from douse.detection.language.actions import joined

GLOBAL = """
action: global
title: Shared
level: high
tags: [attack.t1059]
logsource: {product: windows, category: process_creation}
detection: {condition: selection}
"""


def test_a_global_document_is_merged_into_those_after_it(tmp_path: Path) -> None:
    rules = loaded(tmp_path, GLOBAL + """
---
id: a
detection: {selection: {Image: a.exe}}
---
id: b
detection: {selection: {Image: b.exe}}
""")
    assert not rules.rejected
    assert [(rule.rule.rule_id, rule.rule.title, rule.rule.level, rule.rule.techniques) for rule in rules.rules] == [
        ("a", "Shared", "high", ("T1059",)), ("b", "Shared", "high", ("T1059",))]
    assert fires(rules, event({"Image": "b.exe"}))
    assert not fires(rules, event({"Image": "c.exe"}))


def test_several_global_documents_add_up_until_a_reset(tmp_path: Path) -> None:
    rules = loaded(tmp_path, GLOBAL + """
---
action: global
level: critical
---
id: a
detection: {selection: {Image: a.exe}}
---
action: reset
---
id: b
title: Own
logsource: {product: windows, category: process_creation}
detection: {selection: {Image: b.exe}, condition: selection}
""")
    assert [(rule.rule.title, rule.rule.level) for rule in rules.rules] == [("Shared", "critical"), ("Own", "low")]


def test_repeat_is_the_document_before_with_changes(tmp_path: Path) -> None:
    rules = loaded(tmp_path, """
id: a
title: One
logsource: {product: windows, category: process_creation}
detection: {selection: {Image: a.exe}, condition: selection}
---
action: repeat
id: b
detection: {selection: {User: anna}}
""")
    assert [rule.rule.rule_id for rule in rules.rules] == ["a", "b"]
    assert [alert.rule_id for alert in rules.match(event({"Image": "a.exe", "User": "anna"}))] == ["a", "b"]
    assert [alert.rule_id for alert in rules.match(event({"Image": "a.exe", "User": "bert"}))] == ["a"]


def test_rules_that_share_a_global_id_get_their_own(tmp_path: Path) -> None:
    text = GLOBAL + "id: one\n---\ndetection: {selection: {Image: a}}\n---\ndetection: {selection: {Image: b}}\n"
    first, second = (rule.rule.rule_id for rule in loaded(tmp_path, text).rules)
    assert first == "one"
    assert second != "one"
    assert [rule.rule.rule_id for rule in loaded(tmp_path, text).rules] == [first, second]


def test_an_id_that_is_written_twice_without_a_global_document_is_an_error(tmp_path: Path) -> None:
    one = "id: a\ntitle: One\nlogsource: {product: windows}\ndetection: {s: {Image: a.exe}, condition: s}\n"
    rules = loaded(tmp_path, one + "---\n" + one)
    assert len(rules.rules) == len(rules.rejected) == 1


def test_correlations_and_filters_take_nothing_from_a_global_document(tmp_path: Path) -> None:
    rules = loaded(tmp_path, GLOBAL + """
---
id: a
detection: {selection: {Image: a.exe}}
---
title: Many
correlation: {type: event_count, rules: [a], timespan: 1m, condition: {gte: 2}}
""")
    assert not rules.rejected
    assert [(each.rule.title, each.rule.techniques) for each in rules.correlations] == [("Many", ())]


def test_documents_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    big = "title: x\nlogsource: {product: windows}\ndetection: {s: {Image: [" + "a, " * 5_000 + "a]}, condition: s}\n"
    rules = loaded(tmp_path, big + "---\naction: repeat\n" * 1_000)
    assert "the documents expand to more than 100000 values" in str(rules.rejected[-1])


def test_maps_are_joined_and_lists_replaced() -> None:
    assert joined({"a": {"b": 1, "c": [1]}, "d": 2}, {"a": {"c": [2], "e": 3}, "d": {"f": 4}}) == {
        "a": {"b": 1, "c": [2], "e": 3}, "d": {"f": 4}}
