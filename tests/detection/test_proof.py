"""Proofs: which rule files are asked, and who wins where two have one name. The verb is in tests/cli/test_rules.py."""

from __future__ import annotations

from pathlib import Path

import pytest

from detection.makers import rule_text
from douse.content.rules import rule_files
from douse.detection.proof import prove_rules
from douse.errors import RuleError

CASES = """match:
  - {name: yes, channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, fields: {Image: x}}
benign:
  - {name: no, channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, fields: {Image: y}}
"""
DETECTION = {"a": {"Image": "x"}, "condition": "a"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("rules", "cases"):
        (tmp_path / name).mkdir()
    (tmp_path / "rules" / "mine.yml").write_text(rule_text(DETECTION), encoding="utf-8")
    (tmp_path / "cases" / "mine.yml").write_text(CASES, encoding="utf-8")
    return tmp_path


def test_our_own_are_all_proven_and_pass() -> None:
    proofs = prove_rules()
    assert proofs.passed
    assert len(proofs.proofs) == len(rule_files())
    assert proofs.unproven == ()
    assert all(any(result.must_fire for result in proof.results) for proof in proofs.proofs)


def test_rules_of_a_user_beside_ours(folder: Path) -> None:
    proofs = prove_rules([folder / "cases"], [folder / "rules"])
    assert proofs.passed
    assert [Path(proof.rule_path).name for proof in proofs.proofs] == ["mine.yml"]
    assert proofs.unproven == (), "our own rules are not asked about when a user names his cases"
    assert prove_rules([], [folder / "rules"]).unproven == (str(folder / "rules" / "mine.yml"),)


def test_a_users_rule_wins_over_ours_of_the_same_name(folder: Path) -> None:
    ours = rule_files()[0]
    (folder / "rules" / "mine.yml").rename(folder / "rules" / ours.name)
    (folder / "cases" / "mine.yml").rename(folder / "cases" / ours.name)
    (proof,) = prove_rules([folder / "cases"], [folder / "rules"]).proofs
    assert (proof.rule_path, proof.passed) == (str(folder / "rules" / ours.name), True)


def test_a_case_is_about_every_rule_of_its_file(folder: Path) -> None:
    other = rule_text({"a": {"Image": "z"}, "condition": "a"}, title="Other", id="22222222-1111-4111-8111-111111111111")
    (folder / "rules" / "mine.yml").write_text(other + "---\n" + rule_text(DETECTION), encoding="utf-8")
    assert prove_rules([folder / "cases"], [folder / "rules"]).passed


def test_what_fails_is_told_apart(folder: Path) -> None:
    (folder / "rules" / "mine.yml").write_text(rule_text({"a": {"Image": "y"}, "condition": "a"}), encoding="utf-8")
    (proof,) = prove_rules([folder / "cases"], [folder / "rules"]).proofs
    assert [(result.name, result.passed) for result in proof.results] == [("yes", False), ("no", False)]
    assert not proof.passed


CORRELATION = """title: Twice
id: 33333333-1111-4111-8111-111111111111
level: high
correlation: {type: event_count, rules: [11111111-1111-4111-8111-111111111111], group-by: [User], timespan: 1m,
              condition: {gte: 2}}
"""
SEVERAL = """match:
  - name: anna twice
    events:
      - {channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, fields: {Image: x, User: anna}}
      - {channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, fields: {Image: x, User: ANNA},
         time: '2026-11-24T09:01:00Z'}
benign:
  - {name: once, channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, fields: {Image: x, User: anna}}
  - name: anna and bert
    events:
      - {channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, fields: {Image: x, User: anna}}
      - {channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, fields: {Image: x, User: bert}}
"""


@pytest.mark.parametrize("together", [True, False])
def test_a_correlation_is_proven_by_cases_of_several_events(folder: Path, together: bool) -> None:
    """Its rules may stand in its own file or in another; alone they do not count, as a hunt does not show them."""
    base = rule_text(DETECTION)
    (folder / "rules" / "mine.yml").write_text(base, encoding="utf-8")
    (folder / "rules" / "twice.yml").write_text(CORRELATION + ("---\n" + base if together else ""), encoding="utf-8")
    if together:
        (folder / "rules" / "mine.yml").unlink()
    (folder / "cases" / "mine.yml").unlink()
    (folder / "cases" / "twice.yml").write_text(SEVERAL, encoding="utf-8")
    (proof,) = prove_rules([folder / "cases"], [folder / "rules"]).proofs
    assert [(result.name, result.fired) for result in proof.results] == [
        ("anna twice", True), ("once", False), ("anna and bert", False)]
    assert (proof.title, proof.passed) == ("Twice", True)
    file = folder / "rules" / "twice.yml"
    file.write_text(file.read_text(encoding="utf-8").replace("gte: 2", "gte: 3"), encoding="utf-8")
    assert not prove_rules([folder / "cases"], [folder / "rules"]).passed


def test_a_correlation_without_its_rules_says_so(folder: Path) -> None:
    (folder / "rules" / "mine.yml").rename(folder / "mine.yml")
    (folder / "rules" / "twice.yml").write_text(CORRELATION, encoding="utf-8")
    (folder / "cases" / "mine.yml").rename(folder / "cases" / "twice.yml")
    (proof,) = prove_rules([folder / "cases"], [folder / "rules"]).proofs
    assert "twice.yml:4: no rule that is loaded has the id" in proof.problem


def test_a_filter_is_proven_by_what_it_leaves_out(folder: Path) -> None:
    (folder / "rules" / "anna.yml").write_text(
        "title: Not Anna\nlogsource: {product: windows, category: process_creation}\nfilter:\n"
        "  rules: [11111111-1111-4111-8111-111111111111]\n  anna: {User: anna}\n  condition: not anna\n",
        encoding="utf-8")
    case = ("  - {{name: x, channel: Microsoft-Windows-Sysmon/Operational, event_id: 1, "
            "fields: {{Image: x, User: {}}}}}\n")
    (folder / "cases" / "anna.yml").write_text(
        "match:\n" + case.format("bert") + "benign:\n" + case.format("anna"), encoding="utf-8")
    found = prove_rules([folder / "cases"], [folder / "rules"]).proofs
    proofs = {Path(proof.cases_path).stem: proof for proof in found}
    assert proofs["anna"].passed
    assert proofs["mine"].passed, "a rule is proven without the filters of other files"
    (folder / "rules" / "mine.yml").unlink()
    (folder / "cases" / "mine.yml").unlink()
    (proof,) = prove_rules([folder / "cases"], [folder / "rules"]).proofs
    assert "no rule that is loaded" in proof.problem


@pytest.mark.parametrize(("text", "says"), [
    ("match: [{name: a\x01}]", "unacceptable character"),
    ("match: " + "{a: " * 5_000 + "1" + "}" * 5_000, "nested deeper than 40 levels. Flatten it."),
    ("? [a]\n: b\n", ":1: a name must be plain text."),
    ("match:\n  - {name: a, events: []}\n", ":2: no event is listed."),
    ("match:\n  - {name: a, events: [{channel: c, event_id: 1, name: b, fields: {}}]}\n", "unknown key 'name'"),
    ("#" * (5 << 20), "larger than 4,194,304 bytes"),
])
def test_a_hostile_file_of_cases_is_a_failed_proof(folder: Path, text: str, says: str) -> None:
    file = folder / "cases" / "mine.yml"
    file.write_text(text, encoding="utf-8")
    (proof,) = prove_rules([folder / "cases"], [folder / "rules"]).proofs
    assert says in proof.problem
    assert proof.problem.startswith(str(file)), "a user's file is named as he knows it"


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such file or folder"):
        prove_rules([tmp_path / "nowhere"])
