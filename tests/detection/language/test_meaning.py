"""What tags mean: ours outright, other people's by ATT&CK."""

from __future__ import annotations

import pytest

from douse.content.evidence import evidence_table
from douse.detection.language.meaning import meaning
from douse.model import EVIDENCE_CLASSES


def test_our_tags_say_it_outright() -> None:
    said = meaning(["attack.t1555.003", "attack.T1539", "attack.credential-access", "douse.class.c",
                    "douse.store.chromium", "douse.fidelity.exact", "douse.stage.2", "douse.role.dead-drop"],
                   "", builtin=True)
    assert (said.evidence_class, said.store, said.fidelity, said.stage, said.role) == (
        "C", "chromium", 1.0, 2, "dead-drop")
    assert said.techniques == ("T1555.003", "T1539")


def test_without_tags_our_rules_are_heuristic_and_have_no_class() -> None:
    said = meaning(["attack.t1555"], "", builtin=True)
    assert (said.evidence_class, said.fidelity, said.stage, said.role) == ("", 0.7, 0, "")


@pytest.mark.parametrize(("tags", "category", "letter"), [
    (["attack.t1218.005"], "process_creation", "X"),
    (["attack.execution", "attack.t1059.001", "attack.t1555.003"], "process_creation", "C"),
    (["attack.t1055.012", "attack.t1027"], "process_access", "I"),
    (["attack.credential-access"], "process_creation", "C"),
    (["attack.credential_access"], "process_creation", "C"),
    (["attack.execution", "attack.t1016"], "process_creation", "X"),
    (["attack.discovery", "attack.t1082"], "process_creation", ""),
    (["attack.execution", "attack.t1059"], "antivirus", "V"),
    ([], "process_creation", ""),
])
def test_a_foreign_rule_gets_the_class_nearest_to_the_loss(tags: list[str], category: str, letter: str) -> None:
    said = meaning(tags, category, builtin=False)
    assert said.evidence_class == letter
    assert said.fidelity == 0.4


def test_a_foreign_rule_may_use_our_tags() -> None:
    said = meaning(["attack.t1059", "douse.class.p", "douse.fidelity.exact"], "", builtin=False)
    assert (said.evidence_class, said.fidelity) == ("P", 1.0)


@pytest.mark.parametrize(("tags", "techniques"), [
    (["attack.t1574.002"], ("T1574.001",)),
    (["attack.T1562.001", "attack.t1685", "attack.t1562.006"], ("T1685",)),
    (["attack.t1089"], ("T1685",)),
    (["attack.t1070.001"], ("T1685.005",)),
    (["attack.t1064", "attack.t9999", "attack.t0882"], ("T1064", "T9999", "T0882")),
])
def test_an_older_id_counts_as_what_it_is_called_today(tags: list[str], techniques: tuple[str, ...]) -> None:
    for builtin in (True, False):
        assert meaning(tags, "", builtin=builtin).techniques == techniques


@pytest.mark.parametrize(("tags", "letter"), [
    (["attack.t1562.001"], "E"), (["attack.t1685"], "E"),
    (["attack.t1574.002"], "E"), (["attack.t1574.001"], "E"),
    (["attack.t1070.001"], "P"), (["attack.t1685.005"], "P"),
    (["attack.defense-evasion"], "E"), (["attack.stealth"], "E"), (["attack.defense_impairment"], "E"),
])
def test_a_rule_means_the_same_whatever_year_its_tags_are_from(tags: list[str], letter: str) -> None:
    assert meaning(tags, "process_creation", builtin=False).evidence_class == letter


def test_the_table_only_has_classes_and_techniques() -> None:
    table = evidence_table()
    assert set(table.order) == set(EVIDENCE_CLASSES)
    assert all(name.startswith("T1") for name in table.techniques)
    assert table.of("", ["T1555.999"], []) == "C", "a sub-technique takes its technique's class"
