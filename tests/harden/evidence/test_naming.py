"""The host of an export that does not name one: its name, its folder's, or none."""

from __future__ import annotations

import pytest

from douse.harden.evidence.ci_tool import looks
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.naming import host_name
from harden.evidence.given import given, only, told


@pytest.mark.parametrize(("inner", "name"), [
    ("PC-7.json", "PC-7"), ("PC-7_auditpol.csv", "PC-7"), ("auditpol-PC-7.csv", "PC-7"), ("PC-7/auditpol.csv", "PC-7"),
    ("hosts/PC-7/Get-MpPreference.json", "PC-7"), ("srv01.corp.example.json", "srv01.corp.example"),
    ("PC-7.policies.json", "PC-7"), ("chrome_policies_PC-7.json", "PC-7"), ("EDGE-PC.json", "EDGE-PC"),
    ("USER-PC_auditpol.csv", "USER-PC"),
    ("BACKUP-01.json", "BACKUP-01"), ("edge-policies.json", ""), ("audit_policy.csv", ""), ("user report.csv", ""),
    ("auditpol.csv", ""), ("policies.json", ""), ("report.csv", ""), ("a b.json", ""), ("\x1b[0m.json", ""),
    ("..json", ""), ("-.json", "")])
def test_names(inner, name) -> None:
    assert host_name(EvidenceFile(inner, inner, b"")) == name


def test_a_list_of_ci_tool_by_itself() -> None:
    policies = {"OperationResult": 0, "Policies": [
        {"PolicyID": "a244370e-44c9-4c06-b551-f6016e563076", "FriendlyName": "Ours", "IsEnforced": "false"}]}
    evidence = given("PC-7_citool.json", policies, reader="ci_tool")
    (seen,) = only(evidence).app_control
    assert (only(evidence).name, seen.value.active) == ("PC-7", False)
    assert len(only(evidence).app_control_whole) == 1
    evidence = given("PC-7.json", {"Policies": [{"PolicyID": "x", "IsEnforced": 1}]}, reader="ci_tool")
    assert told(evidence) == ["PC-7.json: app_control: 1 policies have no id or do not say whether they are enforced."]
    assert only(evidence).app_control_whole == []
    assert not looks(EvidenceFile("x", "x", b'{"PolicyID": 1}'))


@pytest.mark.parametrize(("fields", "active", "version"), [
    ({"IsEnforced": True, "Version": "2814751463178240"}, True, "10.0.25880.0"),  # Microsoft's own example
    ({"IsEnforced": True, "Version": 2814749767106560}, True, "10.0.0.0"),
    ({"IsEnforced": True, "Version": "1", "VersionString": "10.0.5.0"}, True, "10.0.5.0"),
    ({"IsEnforced": True, "Version": str(1 << 64)}, True, ""),
    ({"IsEnforced": True, "Version": True, "VersionString": "x"}, True, ""),
    ({"IsEnforced": True, "IsAuthorized": False}, None, ""),  # it waits for a token
    ({"IsEnforced": "true", "IsAuthorized": "true"}, True, ""),
    ({"IsEnforced": False, "IsAuthorized": False}, False, ""),
])
def test_what_ci_tool_says_of_one_policy(fields: dict[str, object], active: bool | None, version: str) -> None:
    evidence = given("PC-7_citool.json", {"Policies": [{"PolicyID": "x", **fields}]}, reader="ci_tool")
    (seen,) = evidence.host("PC-7").app_control
    assert (seen.value.active, seen.value.version) == (active, version)
