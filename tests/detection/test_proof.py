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


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="no such file or folder"):
        prove_rules([tmp_path / "nowhere"])
