"""The coverage matrix: rows from pages and from the rules' tags, and that every ATT&CK tag of every rule resolves."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator

import pytest

from douse.content.attack import attack, attack_version
from douse.content.rules import rule_files
from douse.content.techniques import page_of, techniques
from douse.detection.ruleset import RuleSet, load_rules
from douse.detection.techniques import TechniqueRow, technique_document, technique_rows
from douse.model import LogSource, Rule

NAME = re.compile(r"t\d{4}(\.\d{3})?|[gs]\d{4}|ds\d{4}|[a-z][a-z_-]+")
"""What may follow `attack.` in a tag: a technique, a group, software, a data source, or a tactic."""


@pytest.fixture(scope="module")
def ours() -> RuleSet:
    return load_rules([])


def rule(name: str, *found: str) -> Rule:
    return Rule(name, name, "low", "", LogSource(), f"rules/{name}.yml", techniques=found)


def row_of(technique: str, *rules: Rule) -> TechniqueRow:
    return next(row for row in technique_rows(rules) if row.id == technique)


def tags_of(rules: RuleSet) -> Iterator[tuple[str, Rule]]:
    known = [*rules.rules, *rules.idle, *rules.correlations]
    for one in known:
        yield from ((tag.lower().removeprefix("attack."), one.rule) for tag in one.rule.tags
                    if tag.lower().startswith("attack."))


def test_a_row_names_the_rules_of_its_technique_and_of_its_parts() -> None:
    rules = rule("b", "T1055.012"), rule("a", "T1055.003"), rule("c", "T1055"), rule("d", "T1057")
    assert row_of("T1055", *rules).rules == ("a", "b", "c")
    assert row_of("T1055.003", *rules).rules == ("a",)
    assert row_of("T1057", *rules).rules == ("d",)
    assert row_of("T1010", *rules).rules == ()


def test_a_rule_with_two_techniques_stands_in_both_rows_once() -> None:
    both = rule("a", "T1059.001", "T1204.004")
    assert row_of("T1059.001", both).rules == row_of("T1204.004", both).rules == ("a",)


def test_a_stealer_is_seen_by_rules_on_what_it_uses() -> None:
    assert row_of("S1213", rule("a", "T1555.003"), rule("b", "T1204.004"), rule("c", "T1003.001")).rules == ("a", "b")


def test_without_rules_every_page_has_a_row_and_none_is_seen() -> None:
    rows = technique_rows([])
    assert [row.id for row in rows] == [page.id for page in techniques()]
    assert not any(row.rules for row in rows)


def test_the_document_has_the_promised_fields_and_is_json() -> None:
    for row in technique_rows([rule("a", "T1685")]):
        document = json.loads(json.dumps(technique_document(row)))
        assert list(document) == ["id", "name", "stage", "tactics", "visible_in", "rules", "needs_file", "blind",
                                  "note", "verified"]
        assert document["stage"] in (1, 2, 3)
        for sight in document["visible_in"]:
            assert sight["records"]
            assert list(sight) == ["records", "events", "shows", "setting", "needs", "verified"]


def test_our_rules_are_found_by_their_tags(ours: RuleSet) -> None:
    rows = {row.id: row for row in technique_rows(one.rule for one in ours.rules)}
    assert {"mshta_network_connection", "mshta_remote_content"} <= set(rows["T1218.005"].rules)
    assert {"chromium_store_read", "gecko_store_read"} <= set(rows["T1555.003"].rules) & set(rows["T1539"].rules)
    assert {"injection_process_access", "remote_thread_by_untrusted"} <= set(rows["T1055.003"].rules)
    assert "run_dialog_paste" in rows["T1204.004"].rules
    stems = {path.stem for path in rule_files()}
    assert {name for row in rows.values() for name in row.rules} <= stems


def test_what_nobody_sees_has_no_rule(ours: RuleSet) -> None:
    rows = technique_rows(one.rule for one in ours.rules)
    assert [row.id for row in rows if row.rules and not row.visible_in] == []


def test_every_technique_of_our_rules_has_a_page(ours: RuleSet) -> None:
    tagged = {technique for one in (*ours.rules, *ours.idle, *ours.correlations) for technique in one.rule.techniques}
    missing = sorted(technique for technique in tagged if page_of(technique) is None)
    assert missing == [], "write content/techniques/<id>.yml"


def unresolved(rules: RuleSet) -> Counter[str]:
    known = attack()
    return Counter(name for name, _ in tags_of(rules)
                   if not (known.knows(name) or re.fullmatch(r"[gs]\d{4}|ds\d{4}", name)))


def test_every_attack_tag_of_our_rules_resolves(ours: RuleSet) -> None:
    assert unresolved(ours) == {}
    current = {technique for one in ours.rules for technique in one.rule.techniques}
    assert sorted(current - attack().techniques.keys()) == []


def test_every_attack_tag_of_sigmahq_resolves(sigmahq: RuleSet) -> None:
    names = Counter(name for name, _ in tags_of(sigmahq))
    older = {name: attack().current(name) for name in names if name.upper() in attack().retired}
    missing = unresolved(sigmahq)
    sys.stdout.write(f"\nATT&CK {attack_version()}: {len(names)} different tags, {older} of older versions, "
                     f"not resolved: {dict(missing)}\n")
    assert [name for name in names if not NAME.fullmatch(name)] == []
    assert missing == {}
    assert {name.upper() for name in names} >= {"T1685", "STEALTH", "DEFENSE-IMPAIRMENT"}, "they are tagged for 19"
    assert sum(name.upper() in attack().techniques for name in names) > 300
