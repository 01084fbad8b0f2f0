"""Sigma filters: which rules they narrow, and what is said of those that cannot do what they say."""

from __future__ import annotations

from pathlib import Path

from detection.makers import event, loaded
from douse.detection.ruleset import load_rules

RULES = """
id: 11111111-1111-4111-8111-111111111111
name: first
title: First
logsource: {product: windows, category: process_creation}
detection: {selection: {Image: a.exe}, condition: selection}
---
id: 22222222-2222-4222-8222-222222222222
title: Second
logsource: {product: windows, category: process_creation}
detection: {selection: {Image: a.exe}, condition: selection}
---
id: 33333333-3333-4333-8333-333333333333
title: Third
logsource: {product: windows, service: sysmon}
detection: {selection: {Image: a.exe}, condition: selection}
"""


def fired(folder: Path, one: str, **fields: str) -> list[str]:
    rules = loaded(folder, RULES + "---\n" + one)
    assert not rules.rejected
    return sorted(alert.title for alert in rules.match(event({"Image": "a.exe", **fields})))


def narrowing(rules: str, logsource: str = "{product: windows, category: process_creation}",
              condition: str = "not selection") -> str:
    return (f"title: Administrators\nlogsource: {logsource}\n"
            f"filter: {{rules: {rules}, selection: {{User|startswith: adm_}}, condition: {condition}}}\n")


def test_a_filter_is_added_to_the_rules_it_names_by_id_or_name(tmp_path: Path) -> None:
    one = narrowing("[first, 22222222-2222-4222-8222-222222222222]")
    assert fired(tmp_path, one, User="adm_1") == ["Third"]
    assert fired(tmp_path, one, User="anna") == ["First", "Second", "Third"]
    assert fired(tmp_path, one) == ["First", "Second", "Third"], "a missing field filters nothing"


def test_one_name_needs_no_list(tmp_path: Path) -> None:
    assert fired(tmp_path, narrowing("first"), User="adm_1") == ["Second", "Third"]


def test_any_means_every_rule_that_the_logsource_covers(tmp_path: Path) -> None:
    assert fired(tmp_path, narrowing("any"), User="adm_1") == ["Third"]
    assert fired(tmp_path, narrowing("any", "{product: windows}"), User="adm_1") == []
    assert fired(tmp_path, narrowing("[]", "{product: Windows}"), User="adm_1") == []
    assert fired(tmp_path, narrowing("any", "{product: linux}"), User="adm_1") == ["First", "Second", "Third"]


def test_the_condition_is_added_as_it_stands(tmp_path: Path) -> None:
    """It is joined with `and`; a filter without `not` keeps what it selects."""
    one = narrowing("any", condition="selection")
    assert fired(tmp_path, one, User="adm_1") == ["First", "Second", "Third"]
    assert fired(tmp_path, one, User="anna") == ["Third"]


def test_a_filter_may_have_several_selections_and_a_pattern(tmp_path: Path) -> None:
    one = ("title: x\nlogsource: {product: windows}\nfilter:\n  rules: any\n  s_a: {User: anna}\n  s_b: {User: bert}\n"
           "  condition: not 1 of s_*\n")
    assert fired(tmp_path, one, User="bert") == []
    assert fired(tmp_path, one, User="carl") == ["First", "Second", "Third"]


def test_a_reference_to_nothing_is_reported_and_the_other_one_used(tmp_path: Path) -> None:
    rules = loaded(tmp_path, RULES + "---\n" + narrowing("[first, frist]"))
    assert len(rules.rejected) == 1
    assert "no rule that is loaded has the id or name 'frist'. Did you mean 'first'?" in str(rules.rejected[0])
    assert sorted(alert.title for alert in rules.match(event({"Image": "a.exe", "User": "adm_1"}))) == [
        "Second", "Third"]


def test_a_logsource_that_is_not_the_rules_is_reported(tmp_path: Path) -> None:
    rules = loaded(tmp_path, RULES + "---\n" + narrowing("[first]", "{product: windows, service: security}"))
    assert "the filter's logsource windows/security is not that of 'first', windows/process_creation" in str(
        rules.rejected[0])
    assert len(list(rules.match(event({"Image": "a.exe", "User": "adm_1"})))) == 3


def test_a_filter_may_name_a_rule_of_another_file_that_is_read_later(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text(narrowing("[first]"), encoding="utf-8")
    (tmp_path / "b.yml").write_text(RULES, encoding="utf-8")
    rules = load_rules([tmp_path], builtin=False)
    assert not rules.rejected
    assert len(rules.filters) == 1
    assert len(list(rules.match(event({"Image": "a.exe", "User": "adm_1"})))) == 2


def test_a_filter_narrows_our_own_rules_too(tmp_path: Path) -> None:
    ours = load_rules([]).rules[0].rule
    path = tmp_path / "f.yml"
    path.write_text(f"title: x\nlogsource: {{product: windows}}\nfilter: {{rules: ['{ours.rule_id}'], "
                    "s: {User: anna}, condition: not s}\n", encoding="utf-8")
    rules = load_rules([path])
    assert not rules.rejected
    narrowed = next(rule for rule in rules.rules if rule.rule == ours)
    assert narrowed.term is not None
    assert narrowed.term != load_rules([]).rules[0].term


def test_a_filter_uses_placeholders(tmp_path: Path) -> None:
    one = ("title: x\nlogsource: {product: windows}\n"
           "filter: {rules: any, s: {User|expand: '%admins%'}, condition: not s}\n")
    rules = loaded(tmp_path, RULES + "---\n" + one, admins=("anna", "adm_*"))
    assert not list(rules.match(event({"Image": "a.exe", "User": "adm_3"})))
    assert len(list(rules.match(event({"Image": "a.exe", "User": "bert"})))) == 3
