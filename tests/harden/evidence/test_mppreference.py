"""Get-MpPreference and Get-MpComputerStatus as JSON, as text and as CliXml."""

from __future__ import annotations

import json

import pytest

from douse.harden.evidence import mppreference
from douse.harden.evidence.defender import rule_ids
from douse.harden.evidence.file import EvidenceFile
from harden.evidence.given import given, only, told

EMAIL, SCRIPTS = "be9ba2d9-53ea-4cdc-84e5-9b1eeee46550", "5beb7efe-fd9a-4556-801d-275e5ffc04cc"
PREFERENCE = {
    "AttackSurfaceReductionRules_Actions": [1, 2], "AttackSurfaceReductionRules_Ids": [EMAIL.upper(), SCRIPTS],
    "CloudBlockLevel": 2, "ComputerID": "4B53A7F6-0B5E-4DEE-8A1E-000000000000", "DisableRealtimeMonitoring": False,
    "DisableIOAVProtection": True, "PUAProtection": 1, "ScanScheduleTime": {"Ticks": 72000000000, "Days": 0},
    "PSComputerName": None, "CimClass": {"CimSuperClassName": "BaseStatus"},
    "CimSystemProperties": {"Namespace": "ROOT/Microsoft/Windows/Defender", "ServerName": "PC-7", "ClassName": "x"}}
STATUS = {"AMRunningMode": "Normal", "IsTamperProtected": True, "RealTimeProtectionEnabled": True,
          "AntivirusSignatureLastUpdated": "/Date(1764000000000)/", "PSComputerName": "pc-7.corp.example"}
TEXT = f"""

AttackSurfaceReductionRules_Actions           : {{1, 2}}
AttackSurfaceReductionRules_Ids               : {{{EMAIL},
                                                {SCRIPTS}}}
CloudBlockLevel                               : 2
DisableRealtimeMonitoring                     : False
ExclusionPath                                 : {{C:\\a, C:\\b}}
PUAProtection                                 : 1
PSComputerName                                :

AMRunningMode                                 : Normal
IsTamperProtected                             : True
RealTimeProtectionEnabled                     : True
"""
CLIXML = f"""<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj RefId="0">
<TN RefId="0"><T>Microsoft.Management.Infrastructure.CimInstance#MSFT_MpPreference</T></TN><ToString>MSFT</ToString>
<Props><By N="CloudBlockLevel">2</By><B N="DisableRealtimeMonitoring">false</B><Nil N="ExclusionPath" />
<Obj N="AttackSurfaceReductionRules_Ids" RefId="1"><TNRef RefId="0"/><LST><S>{EMAIL}</S><S>{SCRIPTS}</S></LST></Obj>
<Obj N="AttackSurfaceReductionRules_Actions" RefId="2"><LST><By>1</By><By>2</By></LST></Obj>
<By N="PUAProtection">1</By></Props><MS><S N="PSComputerName">PC-7</S></MS></Obj></Objs>"""


def rules(subject) -> dict[str, int]:
    assert set(subject.asr) == set(rule_ids())
    return {guid: seen[0].value for guid, seen in subject.asr.items() if seen[0].value != 5}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_json(encoding) -> None:
    evidence = given("whatever.json", json.dumps(PREFERENCE).encode(encoding), reader="mppreference")
    subject = only(evidence)
    assert subject.name == "PC-7"
    assert {name: seen[0].value for name, seen in subject.effective.items()} == {
        "MpPreference.CloudBlockLevel": 2, "MpPreference.DisableRealtimeMonitoring": False,
        "MpPreference.DisableIOAVProtection": True, "MpPreference.PUAProtection": 1}
    assert rules(subject) == {EMAIL: 1, SCRIPTS: 2}
    assert "MpPreference" in subject.asr[EMAIL][0].where
    assert (evidence.problems, evidence.notes) == ([], [])


def test_both_objects_in_one_list() -> None:
    subject = only(given("both.json", [PREFERENCE, STATUS], reader="mppreference"))
    assert subject.effective["MpComputerStatus.AMRunningMode"][0].value == "Normal"
    assert subject.effective["MpComputerStatus.IsTamperProtected"][0].value is True
    assert subject.effective["MpPreference.PUAProtection"][0].value == 1
    assert "MpComputerStatus.AntivirusSignatureLastUpdated" not in subject.effective


@pytest.mark.parametrize("data", [TEXT, TEXT.replace("\n", "\r\n"), TEXT.encode("utf-16")])
def test_text_of_format_list(data) -> None:
    evidence = given("PC-7_mppreference.txt", data, reader="mppreference")
    subject = only(evidence)
    assert subject.name == "PC-7"
    assert rules(subject) == {EMAIL: 1, SCRIPTS: 2}
    assert subject.effective["MpPreference.DisableRealtimeMonitoring"][0].value is False
    assert subject.effective["MpPreference.CloudBlockLevel"][0].value == 2
    assert subject.effective["MpComputerStatus.IsTamperProtected"][0].value is True
    assert [note.what.partition(";")[0] for note in evidence.notes] == [
        "Get-MpPreference does not name its host", "Get-MpComputerStatus does not name its host"]


def test_text_that_cut_its_lists_off() -> None:
    cut = TEXT.replace(f"{SCRIPTS}}}", "...}")
    evidence = given("PC-7.txt", cut, reader="mppreference")
    assert only(evidence).asr == {}
    assert "was cut off" in told(evidence)[0]
    assert "MpPreference.PUAProtection" in only(evidence).effective


def test_clixml() -> None:
    subject = only(given("x.xml", CLIXML, reader="mppreference"))
    assert subject.name == "PC-7"
    assert rules(subject) == {EMAIL: 1, SCRIPTS: 2}
    assert subject.effective["MpPreference.DisableRealtimeMonitoring"][0].value is False
    assert subject.effective["MpPreference.CloudBlockLevel"][0].value == 2


def test_one_rule_is_no_list() -> None:
    one = PREFERENCE | {"AttackSurfaceReductionRules_Actions": 1, "AttackSurfaceReductionRules_Ids": EMAIL}
    assert rules(only(given("x.json", one, reader="mppreference"))) == {EMAIL: 1}
    none = PREFERENCE | {"AttackSurfaceReductionRules_Actions": None, "AttackSurfaceReductionRules_Ids": None}
    assert rules(only(given("x.json", none, reader="mppreference"))) == {}


def test_actions_in_words() -> None:
    words = PREFERENCE | {"AttackSurfaceReductionRules_Actions": ["Enabled", "AuditMode"]}
    assert rules(only(given("x.json", words, reader="mppreference"))) == {EMAIL: 1, SCRIPTS: 2}


@pytest.mark.parametrize(("change", "message"), [
    ({"AttackSurfaceReductionRules_Actions": [1]}, "2 ids and 1 actions do not belong together"),
    ({"AttackSurfaceReductionRules_Ids": ["x", EMAIL]}, "1 entries are no rule and state"),
    ({"AttackSurfaceReductionRules_Actions": [True, 1]}, "1 entries are no rule and state"),
    ({"AttackSurfaceReductionRules_Actions": ["odd", 1]}, "1 entries are no rule and state"),
])
def test_rules_that_do_not_fit(change, message) -> None:
    evidence = given("x.json", PREFERENCE | change, reader="mppreference")
    assert message in told(evidence)[0]
    assert len(only(evidence).asr) < 2


@pytest.mark.parametrize("data", [
    '{"DisableRealtimeMonitoring": false, ', '[{"DisableRealtimeMonitoring": false}, 1',
    '<Objs xmlns="http://schemas.microsoft.com/powershell/2004/04"><DisableRealtimeMonitoring>',
    '{"x": {"DisableRealtimeMonitoring": 1}}', '[["DisableRealtimeMonitoring", {"RealTimeProtectionEnabled" : 1}]]',
    ('<!DOCTYPE a [<!ENTITY b "c">]><Objs xmlns="http://schemas.microsoft.com/powershell/2004/04">'
     "DisableRealtimeMonitoring</Objs>")])
def test_what_cannot_be_used(data) -> None:
    evidence = given("PC-7.json", data, reader="mppreference")
    assert evidence.subjects == ()
    assert len(evidence.problems) == 1
    assert evidence.problems[0].next_step


@pytest.mark.parametrize("data", ['{"x": "DisableRealtimeMonitoring"}', '["DisableRealtimeMonitoring"]',
                                  '{"setting": "MpPreference.DisableRealtimeMonitoring: off"}'])
def test_a_mention_is_no_object(data) -> None:
    assert not mppreference.looks(EvidenceFile("changes.json", "changes.json", data.encode()))


def test_without_any_name_of_a_host() -> None:
    evidence = given("Get-MpPreference.json", {"DisableRealtimeMonitoring": True}, reader="mppreference")
    assert evidence.subjects == ()
    assert "Get-MpPreference does not name its host, nor does the file's name" in told(evidence)[0]
    assert only(given("PC-9/mppreference.json", {"DisableRealtimeMonitoring": True})).name == "PC-9"
