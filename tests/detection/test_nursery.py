"""Rules that wait for proof: they load, pass their cases, say what is missing, and no command uses them by itself."""

from __future__ import annotations

from douse.content import CONTENT
from douse.detection.proof import prove_rules
from douse.detection.ruleset import load_rules

NURSERY = CONTENT / "nursery"
RULES = NURSERY / "rules"


def test_every_rule_passes_its_cases() -> None:
    proofs = prove_rules([NURSERY / "cases"], [RULES], builtin=False)
    assert [(proof.rule_path, proof.problem, proof.results) for proof in proofs.proofs if not proof.passed] == []
    assert not proofs.unproven
    assert len(proofs.proofs) == len(list(RULES.glob("*.yml")))


def test_none_is_loaded_by_itself() -> None:
    ours = {one.rule.rule_id for one in load_rules([]).rules}
    waiting = load_rules([RULES], builtin=False)
    assert waiting.rules
    assert not waiting.rejected
    assert ours.isdisjoint(one.rule.rule_id for one in waiting.rules)
    assert {one.rule.status for one in waiting.rules} == {"experimental"}


def test_the_readme_says_what_each_lacks() -> None:
    rows = [line for line in (NURSERY / "README.md").read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    assert sorted(line.split("`")[1] for line in rows) == sorted(path.stem for path in RULES.glob("*.yml"))
