"""The collector's document and its reader: what the script prints becomes a host, damage costs the part it is in."""

from __future__ import annotations

import json
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conftest import missing
from douse.content.settings import AsrSetting
from douse.errors import EvidenceError
from douse.harden.collect import TEMPLATE
from douse.harden.evidence import collector
from douse.harden.evidence.defender import rule_ids
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.walk import gather
from douse.harden.gathered import Evidence
from douse.harden.observed import AuditState, Machine, Sacl, Service, Subject
from douse.harden.registry import RegistryValue
from harden.collected import collected

CHROME = r"SOFTWARE\Policies\Google\Chrome"
RULES = r"SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules"
EXPLORER = r"Software\Microsoft\Windows\CurrentVersion\Policies\Explorer"
MSHTA = r"v2.26|Action=Block|Active=TRUE|Dir=Out|App=%SystemRoot%\System32\mshta.exe|Name=x|"
GUID = "0CCE922B-69AE-11D9-BED3-505054503030"
ANNA = "S-1-5-21-1004336348-1177238915-682003330-1001"
EMAIL = "be9ba2d9-53ea-4cdc-84e5-9b1eeee46550"
POLICY = ('<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="Enabled">'
          '<FilePathRule Id="{1}" Name="n" UserOrGroupSid="S-1-1-0" Action="Deny"><Conditions>'
          '<FilePathCondition Path="%SYSTEM32%\\mshta.exe"/></Conditions></FilePathRule></RuleCollection>'
          "</AppLockerPolicy>")


def read(data: bytes, name: str = "PC-7.json") -> Evidence:
    evidence = Evidence()
    file = EvidenceFile(name, name, data)
    assert collector.looks(file)
    collector.read(file, evidence)
    return evidence


def host(data: bytes) -> Subject:
    (subject,) = read(data).subjects
    return subject


def changed(data: bytes, **parts: object) -> bytes:
    return json.dumps(json.loads(data) | parts).encode()


FULL = collected(
    "PC-7", registry={f"HKLM\\{CHROME}!PasswordManagerEnabled": 0,
                      r"HKLM\SOFTWARE\Classes\htafile\shell\open\command!(default)":
                          ("REG_EXPAND_SZ", '%SystemRoot%\\System32\\notepad.exe "%1"'),
                      f"HKLM\\{CHROME}\\ExtensionInstallBlocklist!1": "*"},
    users={"anna": {f"{EXPLORER}!NoRun": 1}, "bob": {}}, not_loaded=["cid"],
    firewall={"gpo": {"{a}": MSHTA}, "local": {"{b}": "v2.26|Action=Allow|"}}, asr={EMAIL: 1}, applocker=POLICY,
    app_control=[{"PolicyID": "a244370e-44c9-4c06-b551-f6016e563076", "FriendlyName": "Ours", "IsEnforced": True}],
    device_guard={"UsermodeCodeIntegrityPolicyEnforcementStatus": 2, "SecurityServicesRunning": "1,2"},
    mppreference={"PUAProtection": 1}, mpcomputerstatus={"IsTamperProtected": True, "AMRunningMode": "Normal"},
    services={"AppIDSvc": ("automatic", "running"), "Sense": ("disabled", "stopped")},
    audit={GUID: "Success", "0CCE9226-69AE-11D9-BED3-505054503030": "No Auditing"},
    features={"MicrosoftWindowsPowerShellV2": "enabled"}, channels={"Microsoft-Windows-Crypto-DPAPI/Debug": True},
    products=("chrome", "office"), antivirus=("Windows Defender", "Other; AV"),
    sysmon=("running", ("SHA256", "IMPHASH")),
    sacls={"anna": {r"AppData\Local\Google\Chrome\User Data": "O:BAG:SYD:S:(AU;OICISA;CC;;;WD)",
                    r"AppData\Roaming\Exodus": "O:BAG:SYD:(A;;FA;;;BA)"}})


def test_everything_of_a_host() -> None:
    evidence = read(FULL)
    (subject,) = evidence.subjects
    assert (subject.kind, subject.name) == ("host", "PC-7")
    assert [seen.value for seen in subject.machine] == [
        Machine(22631, "Microsoft Windows 11 Enterprise", "workstation", "corp.example")]
    (source,) = subject.sources()
    assert (source.kind, source.taken) == ("collector", datetime(2026, 11, 24, 9, tzinfo=UTC))
    assert {name: [seen.value for seen in services] for name, services in subject.services.items()} == {
        "MpsSvc": [None], "AppIDSvc": [Service("automatic", "running")], "WinDefend": [None],
        "Sense": [Service("disabled", "stopped")], "Sysmon64": [Service("automatic", "running")]}
    assert subject.audit[GUID][0].value == AuditState(True, False)
    assert subject.audit["0CCE9226-69AE-11D9-BED3-505054503030"][0].value == AuditState(False, False)
    assert {name: seen[0].value for name, seen in subject.features.items()} == {
        "MicrosoftWindowsPowerShellV2Root": "disabled", "MicrosoftWindowsPowerShellV2": "enabled"}
    assert subject.channels["Microsoft-Windows-Crypto-DPAPI/Debug"][0].value is True
    assert subject.channels["Microsoft-Windows-TaskScheduler/Operational"][0].value is False
    assert {word: seen[0].value for word, seen in subject.products.items()} == {
        "chrome": True, "edge": False, "firefox": False, "office": True, "powershell-core": False}
    assert subject.sysmon[0].value.running
    assert subject.sysmon[0].value.ids is None
    assert subject.sysmon[0].value.hashes == {"SHA256", "IMPHASH"}
    assert subject.sysmon[0].raw == f"Sysmon64 runs; configuration SHA256={'AB' * 32}"
    assert evidence.problems == []
    assert [note.what for note in evidence.notes] == [
        (f"the registry has an active rule that blocks mshta.exe ({RULES}!{{a}}), but the firewall does not enforce "
         "it."),
        "2 of 3 profiles were loaded; the settings of cid were not seen."]


def test_registry_with_what_is_absent() -> None:
    registry = host(FULL).registry
    (seen,) = registry.look("HKLM", CHROME, "passwordmanagerenabled")
    assert (seen.value, seen.raw) == (RegistryValue("REG_DWORD", 0), "0")
    (seen,) = registry.look("HKLM", CHROME, "ImportSavedPasswords")
    assert (seen.value, seen.raw) == (None, "absent")
    assert registry.look("HKLM", CHROME, "NobodyAskedForThis") == []
    (seen,) = registry.look("HKLM", r"SOFTWARE\Classes\htafile\shell\open\command", "")
    assert seen.value == RegistryValue("REG_EXPAND_SZ", '%SystemRoot%\\System32\\notepad.exe "%1"')
    assert registry.profiles == ("anna", "bob", "cid")
    assert [one.value for one in registry.look("HKCU", EXPLORER, "NoRun", "anna")] == [RegistryValue("REG_DWORD", 1)]
    assert registry.look("HKCU", EXPLORER, "NoRun", "anna")[0].where.startswith("HKU\\S-1-5-21-")
    assert [one.value for one in registry.look("HKCU", EXPLORER, "NoRun", "bob")] == [None]
    assert registry.look("HKCU", EXPLORER, "NoRun", "cid") == []


def test_lists_are_whole() -> None:
    registry = host(FULL).registry
    assert [(name, seen.value) for _, name, seen in registry.below("HKLM", RULES)] == [
        ("{a}", RegistryValue("REG_SZ", MSHTA))]
    assert registry.knows_all_of("HKLM", RULES)
    assert [one.value for one in registry.look("HKLM", RULES, "{other}")] == [None]
    srp = r"SOFTWARE\Policies\Microsoft\Windows\SrpV2\Exe"
    assert [one.value for one in registry.look("HKLM", srp, "EnforcementMode")] == [None]
    assert [one.value for one in registry.look("HKLM", f"{CHROME}\\ExtensionInstallBlocklist", "1")] == [
        RegistryValue("REG_SZ", "*")]


def test_states_that_no_policy_shows() -> None:
    subject = host(FULL)
    effective = {name: seen[0].value for name, seen in subject.effective.items()}
    assert effective == {
        "MpPreference.DisableRealtimeMonitoring": False, "MpPreference.PUAProtection": 1,
        "MpComputerStatus.IsTamperProtected": True, "MpComputerStatus.AMRunningMode": "Normal",
        "FirewallProfile.Domain.Enabled": True, "FirewallProfile.Private.Enabled": True,
        "FirewallProfile.Public.Enabled": True, "FirewallActive.mshta.exe": False,
        "DeviceGuard.UsermodeCodeIntegrityPolicyEnforcementStatus": 2, "DeviceGuard.SecurityServicesRunning": "1,2",
        "SecurityCenter.AntiVirus": "Windows Defender; Other, AV"}
    assert {guid: [seen.value for seen in states] for guid, states in subject.asr.items()} == {
        guid: [1 if guid == EMAIL else 5] for guid in rule_ids()}
    assert len(rule_ids()) > 10
    (policy,) = subject.applocker
    assert policy.value.store == "effective"
    assert policy.value.policy.collections[0].rules[0].action == "Deny"
    (stored,) = subject.app_control
    assert (stored.value.id, stored.value.name, stored.value.active, stored.value.policy) == (
        "{A244370E-44C9-4C06-B551-F6016E563076}", "Ours", True, None)
    assert subject.app_control_whole == subject.sources()


def test_a_rule_that_the_firewall_enforces() -> None:
    rule = {"id": "{a}", "program": r"C:\Windows\System32\MSHTA.EXE", "enabled": "True", "direction": "Outbound",
            "action": "Block"}
    evidence = read(changed(FULL, firewall_active=[rule]))
    assert evidence.subjects[0].effective["FirewallActive.mshta.exe"][0].value is True
    assert not any("does not enforce" in note.what for note in evidence.notes)
    evidence = read(changed(FULL, firewall_active=[rule | {"enabled": "False"}]))
    assert evidence.subjects[0].effective["FirewallActive.mshta.exe"][0].value is False


def test_audit_entries_of_folders() -> None:
    subject = host(FULL)
    assert [seen.value for seen in subject.sacls] == [
        Sacl("anna", r"AppData\Local\Google\Chrome\User Data", True, True, True),
        Sacl("anna", r"AppData\Roaming\Exodus", False, False, False)]
    assert subject.sacls_whole == subject.sources()
    failed = changed(FULL, errors=[{"part": r"sacls C:\Users\bob\AppData", "what": "Access is denied."}])
    assert host(failed).sacls_whole == []
    assert host(collected("PC-7", leave_out=["sacls"])).sacls_whole == []


def test_what_could_not_be_read_is_unknown_and_told() -> None:
    errors = [{"part": "auditpol", "what": "auditpol ends with 1314."},
              *({"part": f"registry HKLM\\X!{at}", "what": "Access is denied."} for at in range(5))]
    data = collected("PC-7", elevated=False, errors=errors, app_control=None,
                     leave_out=["auditpol", "sacls", "user_programs", "device_guard", "mppreference", "asr_ids"])
    evidence = read(data)
    (subject,) = evidence.subjects
    assert subject.audit == {}
    assert subject.app_control == subject.app_control_whole == subject.sacls == []
    assert subject.asr == {}
    assert [problem.where for problem in evidence.problems] == [
        "PC-7.json: auditpol", *(f"PC-7.json: registry HKLM\\X!{at}" for at in range(3)), "PC-7.json: registry"]
    assert all(problem.next_step == "Run collect.ps1 elevated." for problem in evidence.problems)
    assert "without elevation" in evidence.notes[-1].what
    assert {word: seen[0].value for word, seen in subject.products.items()} == {"edge": True, "office": False}


def test_an_empty_list_of_app_control_is_whole() -> None:
    subject = host(collected("PC-7"))
    assert subject.app_control == []
    assert subject.app_control_whole == subject.sources()


@pytest.mark.parametrize("encode", [
    lambda text: text.encode("utf-8"), lambda text: text.encode("utf-8-sig"), lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-16-le"), lambda text: text.encode("utf-16-be"),
    lambda text: json.dumps(json.loads(text), indent=1).replace("\n", "\r\n").encode("utf-16")])
def test_every_encoding_that_a_redirect_makes(encode) -> None:
    subject = host(encode(FULL.decode()))
    assert subject.registry.look("HKLM", CHROME, "PasswordManagerEnabled")[0].value == RegistryValue("REG_DWORD", 0)


def test_constrained_language_prints_what_reg_prints() -> None:
    document = json.loads(FULL)
    printed = {"REG_DWORD": "0x0", "REG_SZ": "*", "REG_EXPAND_SZ": "%x%"}
    for entry in document["registry"]:
        if entry["present"]:
            del entry["data"]
            entry["text"] = printed[entry["type"]]
    document["registry"].append({"hive": "HKLM", "profile": "", "key": "K", "name": "M", "present": True,
                                 "type": "REG_MULTI_SZ", "text": r"a\0b\0"})
    registry = host(json.dumps(document).encode()).registry
    assert registry.look("HKLM", CHROME, "PasswordManagerEnabled")[0].value == RegistryValue("REG_DWORD", 0)
    assert registry.look("HKLM", "K", "M")[0].value == RegistryValue("REG_MULTI_SZ", ("a", "b"))


@pytest.mark.parametrize(("entry", "value"), [
    ({"type": "REG_DWORD", "data": -1}, RegistryValue("REG_DWORD", 0xFFFFFFFF)),
    ({"type": "REG_DWORD", "data": 1 << 32}, None),
    ({"type": "REG_DWORD", "data": True}, None),
    ({"type": "REG_DWORD", "data": 1.5}, None),
    ({"type": "REG_DWORD", "text": "0xffffffff"}, RegistryValue("REG_DWORD", 0xFFFFFFFF)),
    ({"type": "REG_DWORD", "text": "one"}, None),
    ({"type": "REG_QWORD", "data": -1}, RegistryValue("REG_QWORD", (1 << 64) - 1)),
    ({"type": "REG_SZ", "data": "\x1b[2J\u202e"}, RegistryValue("REG_SZ", "\x1b[2J\u202e")),
    ({"type": "REG_SZ", "data": 1}, None),
    ({"type": "REG_SZ"}, None),
    ({"type": "REG_MULTI_SZ", "data": "a"}, RegistryValue("REG_MULTI_SZ", ("a",))),
    ({"type": "REG_MULTI_SZ", "data": ["a", "b"]}, RegistryValue("REG_MULTI_SZ", ("a", "b"))),
    ({"type": "REG_MULTI_SZ", "data": {"value": ["a"], "Count": 1}}, RegistryValue("REG_MULTI_SZ", ("a",))),
    ({"type": "REG_MULTI_SZ", "data": ["a", 1]}, None),
    ({"type": "REG_BINARY", "data": "0A-FF"}, RegistryValue("REG_BINARY", b"\n\xff")),
    ({"type": "REG_BINARY", "data": ""}, RegistryValue("REG_BINARY", b"")),
    ({"type": "REG_BINARY", "data": "0A-F"}, None),
    ({"type": "REG_NONE", "data": "00"}, RegistryValue("REG_NONE", b"\0")),
    ({"type": "REG_OTHER", "data": 1}, None),
    ({"data": 1}, None),
])
def test_types_of_values(entry, value) -> None:
    whole = {"hive": "HKLM", "profile": "", "key": "K", "name": "N", "present": True, **entry}
    evidence = read(changed(FULL, registry=[whole], lists=[
        {"hive": "HKLM", "profile": "", "key": "L", "present": True, "values": [{"key": "", "name": "N", **entry}]}]))
    registry = evidence.subjects[0].registry
    assert [seen.value for seen in registry.look("HKLM", "K", "N")] == ([value] if value else [])
    assert bool(registry.knows_all_of("HKLM", "L")) == (value is not None)
    assert [problem.where for problem in evidence.problems] == (
        [] if value else ["PC-7.json: registry", "PC-7.json: lists HKLM\\L"])


@pytest.mark.parametrize("parts", [
    {"registry": [1, "x", None, {}]}, {"registry": "x"}, {"registry": [{"hive": "HKCU", "profile": "S-1-9", "key": "K",
                                                                       "name": "n", "present": False}]},
    {"registry": [{"hive": "HKLM", "profile": "S-1-5-21-1", "key": "K", "name": "n", "present": False}]},
    {"registry": [{"hive": "HKLM", "profile": "", "key": "K", "name": "n", "present": 1}]},
    {"lists": [{}]}, {"lists": [{"hive": "HKLM", "profile": "", "key": "K", "present": True, "values": [1]}]},
    {"firewall_profiles": [{"name": "Domain", "enabled": "yes"}]}, {"firewall_profiles": [{"name": 1}]},
    {"asr_ids": ["a"], "asr_actions": []}, {"asr_ids": ["no guid"], "asr_actions": [1]},
    {"asr_ids": [EMAIL], "asr_actions": ["1"]}, {"app_control": "{"}, {"app_control": "[]"},
    {"app_control": '{"Policies": [{}]}'}, {"applocker_effective": "<x"},
    {"applocker_effective": '<!DOCTYPE x [<!ENTITY a "b">]><AppLockerPolicy/>'},
    {"services": [{"name": 1}]}, {"features": [{"name": "x", "present": True, "state": 4}]},
    {"auditpol": ["a,b,c,d,e"]}, {"sacls": [{"profile": "S-1-5-21-1", "folder": "x", "sddl": "O:BA"}]},
    {"sacls": [{"profile": ANNA, "folder": "x", "sddl": "nonsense"}]},
])
def test_a_damaged_part_costs_that_part(parts) -> None:
    evidence = read(changed(FULL, **parts))
    assert evidence.problems, parts
    assert all(problem.where.startswith("PC-7.json: ") for problem in evidence.problems)
    assert evidence.subjects[0].machine


@pytest.mark.parametrize(("data", "message"), [
    (FULL[: len(FULL) // 2], "PC-7.json:1: this is no sound JSON"),
    (FULL[:-1], "it ends in the middle"),
    (changed(FULL, schema_version=2), "has schema_version 2; this version reads 1"),
    (changed(FULL, host=""), "does not name its host"),
    (changed(FULL, host="a b\x1b[0m"), "does not name its host"),
    (changed(FULL, host=["PC-7"]), "does not name its host"),
    (b'{"x": "douse-collected"}', "schema is not douse-collected"),
    (b'{"schema": "douse-collected", "host": ' + b"[" * 100_000, "nested too deep"),
    (b'{"schema": "douse-collected", "schema": 1}', "'schema' is given twice"),
    (b'{"schema": "douse-collected", "a": NaN}', "NaN is no number"),
    (b'{"schema": "douse-collected", "a": ' + b"1" * 5000 + b"}", "no sound JSON"),
])
def test_a_file_that_cannot_be_used_says_why(data, message) -> None:
    with pytest.raises(EvidenceError) as raised:
        read(data)
    assert message in str(raised.value)
    assert raised.value.next_step


def test_a_time_that_is_none() -> None:
    evidence = read(changed(FULL, taken="24.11.2026"))
    assert evidence.subjects[0].sources()[0].taken is None
    assert "when it was collected" in evidence.notes[0].what
    late = read(changed(FULL, taken="2026-11-24T10:00:00+01:00")).subjects[0].sources()[0].taken
    assert late == datetime(2026, 11, 24, 9, tzinfo=UTC)


def test_two_profiles_of_one_folder_keep_their_sids() -> None:
    entries = [{"sid": "S-1-5-21-1-1001", "path": r"C:\Users\anna", "loaded": True},
               {"sid": "S-1-5-21-2-1001", "path": r"D:\Users\Anna", "loaded": False}]
    subject = host(changed(FULL, profiles=entries, registry=[], lists=[], sacls=[], user_programs=[]))
    assert subject.registry.profiles == ("anna", "S-1-5-21-2-1001")


def test_powershells_single_things_are_lists_of_one() -> None:
    document = json.loads(FULL)
    document["firewall_profiles"] = {"name": "Domain", "enabled": True}
    document["services"] = {"value": document["services"], "Count": len(document["services"])}
    subject = host(json.dumps(document).encode())
    assert subject.effective["FirewallProfile.Domain.Enabled"][0].value is True
    assert "FirewallProfile.Public.Enabled" not in subject.effective
    assert "AppIDSvc" in subject.services


def test_a_console_that_broke_the_line_loses_nothing() -> None:
    broken = "\r\n".join(FULL.decode()[at:at + 80] for at in range(0, len(FULL), 80)).encode()
    assert b"\r\n" in broken
    ours, theirs = host(broken).registry, host(FULL).registry
    assert [(*one[:4], one[4].value) for one in ours] == [(*one[:4], one[4].value) for one in theirs]


def test_two_documents_in_one_file_are_told() -> None:
    other = collected("PC-8")
    script_like = [data.replace(b'"schema": ', b'"schema":') for data in (FULL, other)]
    for between in (b"", b"\n"):
        with pytest.raises(EvidenceError, match="more than one document"):
            read(between.join(script_like))


def test_a_forged_document_cannot_flood() -> None:
    errors = [{"part": f"part{at} {'x' * 2000}", "what": "y" * 5000} for at in range(2000)]
    evidence = read(changed(FULL, errors=errors, lists=[{}] * 3000, services=[{}] * 3000, features=[{}] * 3000,
                            firewall_profiles=[{}] * 3000))
    assert len(evidence.problems) < 20
    assert max(len(problem.where) + len(problem.what) for problem in evidence.problems) < 1200
    people = [{"sid": f"S-1-5-21-{at}", "path": f"C:\\Users\\{at}", "loaded": False} for at in range(200)]
    note = next(one.what for one in read(changed(FULL, profiles=people, registry=[], lists=[], sacls=[])).notes
                if "profiles" in one.what)
    assert "and 180 more were not seen" in note
    with pytest.raises(EvidenceError, match="which no computer has"):
        read(changed(FULL, profiles=people[:1] + [
            {"sid": f"S-1-5-21-9-{at}", "path": "", "loaded": False} for at in range(5001)]))


def test_the_audit_policy_of_another_machine_is_left_out() -> None:
    other = json.loads(collected("PC-8", audit={GUID: "Success"}))["auditpol"]
    evidence = read(changed(FULL, auditpol=other))
    assert evidence.subjects[0].audit == {}
    (problem,) = evidence.problems
    assert problem.what == "it is of another machine (pc-8), so that it is left out."
    long = "WORKSTATION-OF-ANNA"
    subject = host(changed(collected(long), auditpol=[row.replace("PC-8", long[:15]) for row in other]))
    assert subject.audit[GUID][0].value == AuditState(True, False)


def test_what_this_windows_cannot_have_is_no_loss() -> None:
    without = ["mppreference", "mpcomputerstatus", "app_control", "antivirus"]
    evidence = read(changed(collected("SRV-1", leave_out=[*without, "asr_ids", "asr_actions"]), without=without))
    assert evidence.problems == []
    (subject,) = evidence.subjects
    assert subject.asr == {}
    assert subject.app_control_whole == []
    assert subject.effective["MpComputerStatus.AMRunningMode"][0].value == "Not running"
    here = collected("SRV-1", services={"WinDefend": ("automatic", "running")}, leave_out=without)
    assert "MpComputerStatus.AMRunningMode" not in host(changed(here, without=without)).effective


def test_a_citool_that_failed_says_nothing() -> None:
    evidence = read(changed(FULL, app_control='{"OperationResult": -2147024891, "Policies": []}'))
    assert "CiTool failed (-2147024891)" in evidence.problems[0].what
    assert evidence.subjects[0].app_control_whole == []


def test_other_documents_are_not_for_this_reader() -> None:
    for data in (b"", b"{}", b'{"value": []}', b"\xff\xfe", b"douse-collected"):
        assert not collector.looks(EvidenceFile("x.json", "x.json", data))


def test_the_schema_describes_what_is_collected() -> None:
    try:
        from jsonschema import Draft202012Validator
    except ImportError:
        missing("jsonschema is not installed")
    schema = json.loads((TEMPLATE.parent / "collected.schema.json").read_text(encoding="utf-8"))
    Draft202012Validator.check_schema(schema)
    validator = Draft202012Validator(schema)
    for data in (FULL, collected("PC-8"), collected("PC-9", app_control=None, elevated=False)):
        assert [error.message for error in validator.iter_errors(json.loads(data))] == []
    for parts in ({"host": ""}, {"elevated": "yes"}, {"other": 1}, {"registry": [{}]}, {"schema_version": 2},
                  {"taken": "today"}, {"asr_actions": ["1"]}, {"without": ["registry"]}):
        assert not validator.is_valid(json.loads(changed(FULL, **parts))), parts
    script = Path(TEMPLATE).read_text(encoding="utf-8")
    assert [part for part in schema["properties"] if f"'{part}'" not in script and f'"{part}"' not in script] == []


def test_asr_rules_of_the_catalogue() -> None:
    assert all(guid == guid.lower() and len(guid) == 36 for guid in rule_ids())
    assert AsrSetting.__name__ == "AsrSetting"


TEXTS = st.text(max_size=50) | st.sampled_from(["]", ";", "\n", "\x00", "\u202e", "x" * 65_536, "a\r\nb", "'; $(x)"])
VALUES = (
    st.integers(0, 0xFFFFFFFF) | TEXTS | st.binary(max_size=40) | st.lists(TEXTS, max_size=3).map(tuple).filter(
        lambda texts: len(texts) != 2 or not texts[0].startswith("REG_"))
    | st.tuples(st.just("REG_QWORD"), st.integers(0, (1 << 64) - 1)) | st.tuples(st.just("REG_EXPAND_SZ"), TEXTS))
LETTERS = st.characters(blacklist_characters="!\\", blacklist_categories=("Cs",))
NAMES = st.text(LETTERS, min_size=1, max_size=20).filter(lambda name: name != "(default)")


@given(st.dictionaries(NAMES, VALUES, max_size=4), st.booleans())
def test_every_value_comes_back_as_it_was(values, as_user) -> None:
    names = {name.casefold(): name for name in values}
    model = {name: values[name] for name in names.values()}
    paths = {f"Software\\Key!{name}": value for name, value in model.items()}
    subject = host(collected("PC-7", users={"anna": paths} if as_user else {"anna": {}},
                             registry={} if as_user else {f"HKLM\\{path}": value for path, value in paths.items()}))
    for name, value in model.items():
        (seen,) = subject.registry.look("HKCU" if as_user else "HKLM", r"Software\Key", name, "anna" if as_user else "")
        typed = isinstance(value, tuple) and len(value) == 2 and str(value[0]).startswith("REG_")
        assert seen.value is not None
        assert seen.value.data == (value[1] if typed else value)


def test_a_folder_of_evidence(tmp_path) -> None:
    (tmp_path / "hosts").mkdir()
    (tmp_path / "hosts" / "PC-7.json").write_bytes(FULL)
    (tmp_path / "hosts" / "notes.txt").write_text("nothing of interest", encoding="utf-8")
    with zipfile.ZipFile(tmp_path / "more.zip", "w") as archive:
        archive.writestr("PC-8.json", collected("PC-8", firewall={"gpo": {"{a}": MSHTA}}))
        archive.writestr("PC-9.json", FULL[:500])
    evidence = gather([tmp_path])
    assert [subject.name for subject in evidence.subjects] == ["PC-7", "PC-8"]
    for subject in evidence.subjects:
        assert [seen.value.rule.first("App") for seen in subject.firewall if seen.value.store == "gpo"] == [
            r"%SystemRoot%\System32\mshta.exe"]
        assert {seen.value for seen in subject.firewall_whole} == {"gpo", "mdm", "local"}
    (problem,) = evidence.problems
    assert "PC-9.json" in problem.where
    assert "no sound JSON" in problem.what
    assert evidence.ignored == 1
