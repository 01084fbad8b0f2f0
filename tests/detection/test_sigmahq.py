"""All of SigmaHQ's rules that we have load: none is rejected, and each one that stays idle has a reason we can name."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from douse.detection.ruleset import RuleSet, load_rules

EXPECTED_IDLE = {  # how a reason starts -> why that is right
    "product ": "logs of Linux, macOS and network devices; of other products Douse reads Zeek's",
    "category database: ": "database logs",
    "expand: ": "needs a list that the user must supply",
    "it needs ": "a field that its records never have: the command line of who created a file, for instance",
}


def test_every_rule_loads_or_is_idle_for_a_known_reason(sigmahq: RuleSet) -> None:
    reasons = Counter(idle.reason for idle in sigmahq.idle)
    sys.stdout.write(f"\n{len(sigmahq.rules)} loaded, {len(sigmahq.idle)} idle, {len(sigmahq.rejected)} rejected, "
                     f"skipped {dict(sigmahq.skipped)}\n")
    sys.stdout.writelines(f"{count:5} idle: {reason}\n" for reason, count in reasons.most_common())
    assert not sigmahq.rejected
    assert [reason for reason in reasons if not reason.startswith(tuple(EXPECTED_IDLE))] == []
    assert len(sigmahq.rules) > 2_800
    assert sigmahq.skipped == {"no Sigma rule": 1}, "thor.yml is a map of log sources"


def test_every_windows_rule_can_fire(sigmahq: RuleSet) -> None:
    known = ("expand", "it needs ")
    assert [idle.rule.path for idle in sigmahq.idle
            if idle.rule.logsource.product == "windows" and not idle.reason.startswith(known)] == []


def test_loading_twice_over_the_same_folder_is_loading_once(shared: Path) -> None:
    folder = shared / "data" / "sigma" / "rules" / "windows" / "process_access"
    once, twice = load_rules([folder], builtin=False), load_rules([folder, folder.parent / folder.name], builtin=False)
    assert len(twice.rules) == len(once.rules) > 10
    assert not twice.rejected
    assert twice.fingerprint == once.fingerprint


def test_most_foreign_rules_get_an_evidence_class_from_their_techniques(sigmahq: RuleSet) -> None:
    classes = Counter(rule.rule.evidence_class for rule in sigmahq.rules)
    assert set(classes) == {"", *"DXEICROPV"}
    assert classes[""] < len(sigmahq.rules) / 5
    assert {rule.rule.fidelity for rule in sigmahq.rules} == {0.4}
