"""SigmaHQ's own regression data, as its runner defines it, and the same processes as a Security log would show them.

Upstream's runner takes each rule's event log and passes when the rule fires at least `match_count` times (at least once
where it states none), after checking that the rule, info.yml and the log name the same id. Only logs of type evtx run.
The data has no 4688 event, so each Sysmon event 1 is also renamed into one: a rule must then say the same as on the
Sysmon event less the fields that 4688 lacks.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from detection.makers import event, fires
from douse.detection.ruleset import RuleSet, load_rules
from douse.model import Event, Value
from douse.telemetry.coverage import Tally
from douse.telemetry.readers import Limits, read_path
from douse.telemetry.wanted import Wanted

COMMON_FIELDS = ("Image", "ParentImage", "CommandLine", "User", "ProcessId", "ParentProcessId", "LogonId",
                 "IntegrityLevel")
LABELS = {"Low": "S-1-16-4096", "Medium": "S-1-16-8192", "High": "S-1-16-12288", "System": "S-1-16-16384"}


@dataclass(frozen=True)
class Sample:
    """One test of an info.yml: the rule it is for, the log, how often the rule must fire at least."""

    name: str
    rule_id: str
    log: Path
    least: int


@pytest.fixture(scope="module")
def rules_by_id(sigmahq: RuleSet) -> dict[str, Path]:
    """Where each SigmaHQ rule is; upstream moves rules between folders, their ids stay."""
    return {rule.rule.rule_id: Path(rule.rule.path) for rule in sigmahq.rules}


@pytest.fixture(scope="module")
def samples(shared: Path) -> list[Sample]:
    root = shared / "data" / "sigma_regression"
    return [sample for info in sorted(root.rglob("info.yml")) for sample in samples_of(info, root)]


def samples_of(info: Path, root: Path) -> Iterator[Sample]:
    said = yaml.safe_load(info.read_text(encoding="utf-8"))
    for test in said.get("regression_tests_info") or ():
        if test["type"] == "evtx":
            log = root / Path(test["path"]).relative_to("regression_data")
            yield Sample(info.parent.name, said["rule_metadata"][0]["id"], log, test.get("match_count") or 1)


def events_of(log: Path) -> list[Event]:
    return list(read_path(log, Wanted.everything(), Tally(strict=True), Limits(), named=True))


def only(rule: Path) -> RuleSet:
    rules = load_rules([rule], builtin=False)
    assert len(rules.rules) == 1, (rule, rules.rejected, rules.idle)
    return rules


def test_every_regression_case_passes(samples: list[Sample], rules_by_id: dict[str, Path]) -> None:
    assert len(samples) > 50
    failed = []
    for sample in samples:
        rules = only(rules_by_id[sample.rule_id])
        assert sample.log.stem == sample.rule_id == rules.rules[0].rule.rule_id
        found = sum(1 for record in events_of(sample.log) for _ in rules.match(record))
        if found < sample.least:
            failed.append(f"{sample.name}: {found} of {sample.least}")
    sys.stdout.write(f"\n{len(samples) - len(failed)} of {len(samples)} regression cases pass\n")
    assert not failed


def test_a_process_start_means_the_same_in_the_security_log(samples: list[Sample],
                                                            rules_by_id: dict[str, Path]) -> None:
    asked = fired = 0
    for sample in samples:
        rules = only(rules_by_id[sample.rule_id])
        if rules.rules[0].rule.logsource.category != "process_creation":
            continue
        for record in events_of(sample.log):
            common: dict[str, Value] = {name: record.get(name) for name in COMMON_FIELDS}
            expected = fires(rules, event(common))
            assert fires(rules, event(as_4688(common), "Security", 4688)) is expected, sample.name
            asked += 1
            fired += expected
    sys.stdout.write(f"\n{fired} of {asked} Sysmon process starts fire their rule in the Security log too\n")
    assert fired > asked / 4, "most of SigmaHQ's process rules need nothing that 4688 lacks"


def as_4688(sysmon: dict[str, Value]) -> dict[str, Value]:
    """A Sysmon process start as the Security log writes it."""
    domain, _, user = str(sysmon["User"]).rpartition("\\")
    return {
        "NewProcessName": sysmon["Image"], "ParentProcessName": sysmon["ParentImage"],
        "CommandLine": sysmon["CommandLine"], "NewProcessId": hex(int(str(sysmon["ProcessId"]))),
        "ProcessId": hex(int(str(sysmon["ParentProcessId"]))), "SubjectDomainName": domain or "-",
        "SubjectUserName": user, "SubjectLogonId": sysmon["LogonId"],
        "MandatoryLabel": LABELS[str(sysmon["IntegrityLevel"])], "TokenElevationType": "%%1936",
    }
