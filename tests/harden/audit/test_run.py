"""A whole audit over the sample fleet: what is said of each host, and what is never said."""

from __future__ import annotations

import shutil
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from douse.errors import ContentError
from douse.harden.audit.run import audit
from douse.harden.finding import STATES, AuditOptions, AuditResult
from harden.collected import collected
from harden.fleet import HOSTILE, TODAY, build


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fleet")


@pytest.fixture(scope="module")
def result(folder: Path) -> AuditResult:
    fleet = build(folder)
    return audit(AuditOptions((str(fleet.evidence),), inventory=fleet.inventory, today=TODAY))


def host(result: AuditResult, name: str):
    return next(one for one in result.subjects if one.name == name)


def states(result: AuditResult, name: str) -> dict[str, str]:
    return {one.control.id: one.state for one in host(result, name).findings}


def test_the_subjects_in_their_order(result) -> None:
    assert [(one.kind, one.name) for one in result.subjects] == [
        ("host", "PC-A"), ("host", "PC-B"), ("host", "PC-D"), ("host", "SRV-C"), ("host", "SRV-X"),
        ("policy", "Infostealer hardening"), ("policy", "no-mshta.xml"), ("tenant", "Entra ID"),
        ("organisation", "Example")]


def test_the_hardened_host(result) -> None:
    found = states(result, "PC-A")
    others = {id_: state for id_, state in found.items() if state != "pass"}
    assert others == {"H13": "partial", "H30": "not-applicable"}  # rules begin in audit mode; Firefox is not there
    mshta = host(result, "PC-A").mshta
    assert (mshta.answer, mshta.egress) == ("dead", "pass")


def test_windows_as_it_comes(result) -> None:
    found = states(result, "PC-B")
    assert (found["H01"], found["H02"], found["H06"]) == ("partial", "fail", "partial")
    assert Counter(found.values())["pass"] == 1  # the firewall is on
    assert found["H03"] == "pass"
    assert host(result, "PC-B").mshta.answer == "unrestricted"
    assert {"applocker-version-pin", "applocker-audit-only"} <= {lint.code for lint in host(result, "PC-B").lints}
    no_run = next(one for one in host(result, "PC-B").findings if one.control.id == "H11")
    assert [(check.profile, check.state) for check in no_run.checks if check.profile] == [
        ("carl", "fail"), ("dora", "unknown")]


def test_the_contradictory_host(result) -> None:
    found = states(result, "SRV-C")
    assert (found["H01"], found["H28"], found["H11"], found["H43"]) == (
        "conflict", "conflict", "not-applicable", "unknown")
    chrome = next(one for one in host(result, "SRV-C").findings if one.control.id == "H28")
    torn = next(check for check in chrome.checks if check.setting.id.endswith("PasswordManagerEnabled"))
    assert {one.kind for one in torn.cited} >= {"collector", "hive"}
    assert any("HardeningKitty 1800" in note for note in chrome.notes)


def test_hostile_text_stays_as_it_stood_there(result) -> None:
    checks = [check for one in host(result, "SRV-C").findings for check in one.checks]
    assert any(cited.value == HOSTILE for check in checks for cited in check.cited)


def test_a_host_of_the_inventory_without_evidence(result) -> None:
    unseen = host(result, "PC-D")
    assert not unseen.seen
    assert set(states(result, "PC-D").values()) == {"unknown"}
    assert unseen.asset.owner == "Reception"
    assert unseen.notes == ("No evidence was given of it.",)
    assert unseen.mshta.answer == "unknown"


def test_a_host_that_the_inventory_does_not_have(result) -> None:
    assert "The inventory does not have it." in host(result, "SRV-X").notes
    assert host(result, "SRV-X").asset is None
    assert host(result, "PC-B").asset.owner == "Sales"
    assert states(result, "SRV-X")["H13"] == "not-applicable"


def test_a_policy_is_shown_with_what_it_is_about(result) -> None:
    assert states(result, "Infostealer hardening") == dict.fromkeys(("H01", "H02", "H03", "H06", "H07", "H28"), "pass")
    assert states(result, "no-mshta.xml") == {"H08": "pass"}


def test_the_tenant_and_the_answers(result) -> None:
    tenant = host(result, "Entra ID").findings[0]
    assert {check.setting.check: check.state for check in tenant.checks} == {
        "admins-registered": "pass", "users-registered": "partial", "policies-enforced": "partial",
        "legacy-blocked": "fail"}
    assert set(states(result, "Example").values()) >= {"partial", "fail", "unknown"}


def test_damage_is_told_and_nothing_else_is_lost(result) -> None:
    assert any("truncated" in problem.where for problem in result.problems)
    assert any("SRV-C.json: sacls" in problem.where for problem in result.problems)
    assert len(result.files) >= 10


def test_the_fleet_is_counted(result) -> None:
    rows = {row.control.id: row.counts for row in result.fleet}
    assert len(rows) == 44
    assert rows["H01"] == dict.fromkeys(STATES, 0) | {"pass": 1, "partial": 1, "unknown": 1, "conflict": 1, "fail": 1}
    assert sum(rows["H42"].values()) == 1  # the tenant's
    assert all(sum(counts.values()) == 5 for id_, counts in rows.items() if id_ != "H42")


def test_the_order_of_the_paths_does_not_matter(folder, result) -> None:
    fleet = build(folder)
    files = sorted(str(path) for path in fleet.evidence.iterdir())
    again = audit(AuditOptions(tuple(reversed(files)), inventory=fleet.inventory, today=TODAY))
    told = [[(one.control.id, one.state, one.why) for one in subject.findings] for subject in again.subjects]
    assert told == [[(one.control.id, one.state, one.why) for one in subject.findings] for subject in result.subjects]


def test_the_same_file_twice_changes_nothing(folder, tmp_path, result) -> None:
    fleet = build(folder)
    shutil.copy(fleet.evidence / "PC-B.json", tmp_path / "copy-of-PC-B.json")
    again = audit(AuditOptions((str(fleet.evidence), str(tmp_path)), inventory=fleet.inventory, today=TODAY))
    assert states(again, "PC-B") == states(result, "PC-B")


def test_only_some_controls_and_the_other_profile(folder) -> None:
    fleet = build(folder)
    options = AuditOptions((str(fleet.evidence),), profile="recommended", controls=("FW", "H42"), today=TODAY)
    found = audit(options)
    assert {one.id for one in found.controls} == {"H01", "H02", "H03", "H04", "H05", "H42"}
    assert states(found, "PC-A")["H01"] == "partial"  # 80 and 443 are not all traffic
    assert "no-exclusions" in {check.setting.check for check in host(found, "Entra ID").findings[0].checks}
    with pytest.raises(ContentError, match="H99"):
        audit(replace(options, controls=("H99",)))
    with pytest.raises(ContentError, match="profile"):
        audit(replace(options, profile="sead"))


def test_nothing_at_all_is_unknown_and_not_silent(tmp_path) -> None:
    found = audit(AuditOptions((str(tmp_path),), today=TODAY))
    assert [(one.kind, one.seen) for one in found.subjects] == [("tenant", False), ("organisation", False)]
    assert {one.state for subject in found.subjects for one in subject.findings} == {"unknown"}
    assert found.files == ()


def test_a_bad_inventory_names_its_line(folder, tmp_path) -> None:
    fleet = build(folder)
    bad = tmp_path / "hosts.csv"
    bad.write_text("host,owner\nPC-A,Ada\nPC-A,Bob\n", encoding="utf-8")
    with pytest.raises(ContentError, match=r"hosts\.csv:3"):
        audit(AuditOptions((str(fleet.evidence),), inventory=bad))


def test_a_policy_of_app_control_found_elsewhere_tells_what_a_host_only_names(folder, tmp_path) -> None:
    fleet = build(folder)
    alone = audit(AuditOptions((str(fleet.evidence / "PC-A.json"),), controls=("H08",), today=TODAY))
    assert states(alone, "PC-A") == {"H08": "unknown"}
    both = audit(AuditOptions((str(fleet.evidence / "PC-A.json"), str(fleet.evidence / "policies")),
                              controls=("H08",), today=TODAY))
    assert states(both, "PC-A") == {"H08": "pass"}


def test_old_evidence_says_how_old_and_a_time_ahead_replaces_nothing(tmp_path) -> None:
    key = r"HKLM\SOFTWARE\Policies\Microsoft\Windows Defender!PUAProtection"
    runs = {"WinDefend": ("automatic", "running")}
    (tmp_path / "true.json").write_bytes(
        collected("PC1", registry={key: 0}, services=runs, taken="2026-06-01T09:00:00Z"))
    options = AuditOptions((str(tmp_path),), controls=("H16",), today=TODAY)
    found = audit(options)
    assert any("days old" in note for note in host(found, "PC1").notes)
    (tmp_path / "forged.json").write_bytes(
        collected("PC1", registry={key: 1}, services=runs, taken="2099-01-01T09:00:00Z"))
    found = audit(options)
    assert states(found, "PC1") == {"H16": "conflict"}
    assert any("lies ahead" in note.what for note in found.notes)
