"""Policies as files: backups, SYSVOL, templates, preferences, audit.csv, and the reports that Windows makes of them."""

from __future__ import annotations

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from douse.harden import pol
from douse.harden.applocker_policy import UNKNOWN_MODE
from douse.harden.evidence import walk
from douse.harden.gathered import Evidence
from douse.harden.observed import AuditState, Service
from douse.harden.pol import PolEntry
from douse.harden.registry import RegistryValue

GUID = "{31B2F340-016D-11D2-945F-00C04FB984F9}"
FIREWALL = r"Software\Policies\Microsoft\WindowsFirewall"
RULE = (r"v2.26|Action=Block|Active=TRUE|Dir=Out|Protocol=6|RPort=80|RPort=443|"
        r"App=%SystemRoot%\System32\mshta.exe|Name=m|")
DWORD_1 = RegistryValue("REG_DWORD", 1)
TEMPLATE = """[Unicode]
Unicode=yes
[System Access]
MinimumPasswordLength = 14
NewAdministratorName = "adm"
[Registry Values]
MACHINE\\System\\CurrentControlSet\\Control\\Lsa\\DisableDomainCreds=4,1
MACHINE\\Software\\X\\Text=1,"a, b"
MACHINE\\Software\\X\\List=7,one,"two, three"
MACHINE\\Software\\X\\Broken=4,many
[Service General Setting]
"AppIDSvc",2,""
WSearch,4,"D:AR(A;;CC;;;SY)"
[Version]
signature="$CHICAGO$"
Revision=1
"""
PREFERENCES = """<?xml version="1.0" encoding="utf-8"?>
<RegistrySettings clsid="{A3CCFC41-DFDB-43a5-8D26-0FE8B954DA51}">
 <Registry clsid="{9}" name="a"><Properties action="U" hive="HKEY_LOCAL_MACHINE" key="SOFTWARE\\X" name="a"
   type="REG_DWORD" value="0000000A"/></Registry>
 <Collection clsid="{5}" name="inner"><Registry clsid="{9}" name="b"><Properties action="R" hive="HKEY_LOCAL_MACHINE"
   key="SOFTWARE\\X" name="b" type="REG_MULTI_SZ" value="x y"><Values><Value>x</Value><Value>y z</Value></Values>
   </Properties></Registry></Collection>
 <Registry clsid="{9}" name="c"><Properties action="D" hive="HKEY_LOCAL_MACHINE" key="SOFTWARE\\X" name="c"/></Registry>
 <Registry clsid="{9}" name="off" disabled="1"><Properties action="U" hive="HKEY_LOCAL_MACHINE" key="SOFTWARE\\X"
   name="off" type="REG_DWORD" value="1"/></Registry>
 <Registry clsid="{9}" name="d"><Properties action="U" hive="HKEY_LOCAL_MACHINE" key="SOFTWARE\\X" name="d"
   type="REG_DWORD" value="1"/><Filters><FilterGroup name="CORP\\HTA"/></Filters></Registry>
 <Registry clsid="{9}" name="e"><Properties action="C" hive="HKEY_LOCAL_MACHINE" key="SOFTWARE\\X" name="e"
   type="REG_DWORD" value="1"/></Registry>
 <Registry clsid="{9}" name=""><Properties action="U" default="1" hive="HKEY_CURRENT_USER" key="Software\\Y" name=""
   type="REG_SZ" value="v"/></Registry>
</RegistrySettings>"""
SERVICES = """<NTServices clsid="{2CFB484A-4E96-4b5d-A0B6-093D2F91E6AE}"><NTService clsid="{AB6F0B67}" name="AppIDSvc">
<Properties startupType="AUTOMATIC" serviceName="AppIDSvc" serviceAction="START" timeout="30"/></NTService>
</NTServices>"""
AUDIT = ("Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting,Setting Value\r\n"
         ",System,Audit File System,{0cce921d-69ae-11d9-bed3-505054503030},Success,,1\r\n")


def backup(folder: Path, name: str = "Workstations", guid: str = GUID, file: str = "registry.pol") -> Path:
    """A GPO backup as Backup-GPO lays it out, in either spelling of its parts."""
    inside = folder / "{11111111-2222-3333-4444-555555555555}"
    machine, user = inside / "DomainSysvol/GPO/Machine", inside / "DomainSysvol/GPO/User"
    for path in (machine / "microsoft/windows nt/SecEdit", machine / "microsoft/windows nt/Audit",
                 machine / "Preferences/Registry", machine / "Preferences/Services", user):
        path.mkdir(parents=True)
    namespace = "http://www.microsoft.com/GroupPolicy/GPOOperations/Manifest"
    (inside / "bkupInfo.xml").write_text(
        f'<BackupInst xmlns="{namespace}"><GPOGuid><![CDATA[{guid}]]></GPOGuid><GPODisplayName><![CDATA[{name}]]>'
        "</GPODisplayName></BackupInst>", encoding="utf-8")
    (inside / "gpreport.xml").write_text(report(name, guid, ""), encoding="utf-16")
    (machine / file).write_bytes(pol.write([
        PolEntry.of(FIREWALL + r"\FirewallRules", "**delvals.", RegistryValue("REG_SZ", " ")),
        PolEntry.of(FIREWALL + r"\FirewallRules", "{a}", RegistryValue("REG_SZ", RULE)),
        PolEntry.of(FIREWALL + r"\DomainProfile", "EnableFirewall", DWORD_1)]))
    (user / file).write_bytes(pol.write([
        PolEntry.of(r"Software\Microsoft\Windows\CurrentVersion\Policies\Explorer", "NoRun", DWORD_1)]))
    (machine / "microsoft/windows nt/SecEdit/GptTmpl.inf").write_text(TEMPLATE, encoding="utf-16", newline="\r\n")
    (machine / "microsoft/windows nt/Audit/audit.csv").write_text(AUDIT, encoding="utf-8", newline="")
    (machine / "Preferences/Registry/Registry.xml").write_text(PREFERENCES, encoding="utf-8")
    (machine / "Preferences/Services/Services.xml").write_text(SERVICES, encoding="utf-8-sig")
    (machine / "comment.cmtx").write_text("<policyComments/>", encoding="utf-8")
    return folder


def report(name: str, guid: str, computer: str, user: str = "") -> str:
    """What Get-GPOReport -ReportType Xml makes of a policy."""
    return ('<?xml version="1.0" encoding="utf-16"?>\n<GPO xmlns:xsd="http://www.w3.org/2001/XMLSchema" '
            'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xmlns="http://www.microsoft.com/GroupPolicy/Settings">'
            f'<Identifier><Identifier xmlns="http://www.microsoft.com/GroupPolicy/Types">{guid}</Identifier></Identifier>'
            f"<Name>{name}</Name><ReadTime>2026-11-20T08:00:00.1234567Z</ReadTime><Computer><Enabled>true</Enabled>"
            f"{computer}</Computer><User><Enabled>true</Enabled>{user}</User></GPO>")


def extension(kind: str, type_: str, body: str, prefix: str = "q1") -> str:
    """One extension of a report, with its numbered namespace."""
    body = body.replace("<q:", f"<{prefix}:").replace("</q:", f"</{prefix}:")
    return (f'<ExtensionData><Extension xmlns:{prefix}="http://www.microsoft.com/GroupPolicy/Settings/{kind}" '
            f'xsi:type="{prefix}:{type_}">{body}</Extension>'
            "<Name>x</Name></ExtensionData>")


def data(evidence: Evidence, policy: str, key: str, name: str, hive: str = "HKLM") -> list[object]:
    """The data that each source has of a value; None where it says that there is none."""
    seen = evidence.policy(policy).registry.look(hive, key, name)
    return [one.value.data if one.value is not None else None for one in seen]


@pytest.mark.parametrize("file", ["registry.pol", "Registry.pol"])
def test_a_backup_becomes_one_policy(tmp_path: Path, file: str) -> None:
    evidence = walk.gather([backup(tmp_path, file=file)])
    assert [(one.kind, one.name, one.id) for one in evidence.subjects] == [("policy", "Workstations", GUID.lower())]
    policy = evidence.policy("Workstations")
    assert data(evidence, "Workstations", FIREWALL + r"\DomainProfile", "EnableFirewall") == [1]
    assert data(evidence, "Workstations", r"software\microsoft\windows\currentversion\policies\explorer", "norun",
                "HKCU") == [1]
    assert data(evidence, "Workstations", r"SYSTEM\CurrentControlSet\Control\Lsa", "DisableDomainCreds") == [1]
    assert data(evidence, "Workstations", r"Software\X", "Text") == ["a, b"]
    assert data(evidence, "Workstations", r"Software\X", "List") == [("one", "two, three")]
    assert [one.value.rule.text() for one in policy.firewall] == [RULE]
    assert [one.value for one in policy.firewall_whole] == ["gpo"]
    assert [one.value for one in policy.services["AppIDSvc"]] == [Service("automatic"), Service("automatic")]
    assert [one.value for one in policy.services["WSearch"]] == [Service("disabled")]
    assert policy.effective["SystemAccess.MinimumPasswordLength"][0].value == 14
    assert [one.value for one in policy.audit["0CCE921D-69AE-11D9-BED3-505054503030"]] == [AuditState(True, False)]
    assert policy.effective.keys() == {"SystemAccess.MinimumPasswordLength", "SystemAccess.NewAdministratorName"}
    assert [problem.what for problem in evidence.problems] == [
        "this line of [registry values] cannot be read: 'MACHINE\\\\Software\\\\X\\\\Broken=4,many'."]
    assert evidence.problems[0].where.endswith("GptTmpl.inf:10")
    assert evidence.ignored == 1  # comment.cmtx
    assert sorted(source.kind for source in evidence.files) == [
        "gpo_audit", "gpo_backup", "gpresult", "gpttmpl", "preferences", "preferences", "registry_pol", "registry_pol"]


def test_preferences_set_delete_and_target(tmp_path: Path) -> None:
    evidence = walk.gather([backup(tmp_path)])
    found = {name: data(evidence, "Workstations", r"SOFTWARE\X", name) for name in ("a", "b", "c", "off", "d", "e")}
    assert found == {"a": [10], "b": [("x", "y z")], "c": [None], "off": [], "d": [], "e": []}
    assert data(evidence, "Workstations", r"Software\Y", "", "HKCU") == ["v"]
    told = [note.what for note in evidence.notes]
    assert sum("item-level targeting" in what for what in told) == 1
    assert sum("only where there is none yet" in what for what in told) == 1


def test_a_backup_in_a_zip_is_the_same(tmp_path: Path) -> None:
    backup(tmp_path / "folder")
    with zipfile.ZipFile(tmp_path / "backup.zip", "w") as archive:
        for path in sorted((tmp_path / "folder").rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(tmp_path / "folder"))
    one, other = walk.gather([tmp_path / "folder"]), walk.gather([tmp_path / "backup.zip"])
    assert [(s.name, s.id) for s in one.subjects] == [(s.name, s.id) for s in other.subjects]
    assert [(*place, seen.value) for *place, seen in one.policy("Workstations").registry] == [
        (*place, seen.value) for *place, seen in other.policy("Workstations").registry]
    assert {source.sha256 for source in one.files} == {source.sha256 for source in other.files}


def test_two_policies_of_one_name_stay_two(tmp_path: Path) -> None:
    backup(tmp_path / "a")
    backup(tmp_path / "b", guid="{AAAAAAAA-016D-11D2-945F-00C04FB984F9}")
    evidence = walk.gather([tmp_path])
    assert [one.name for one in evidence.subjects] == [
        "Workstations", "Workstations {AAAAAAAA-016D-11D2-945F-00C04FB984F9}"]


def test_sysvol_is_named_by_its_guid(tmp_path: Path) -> None:
    machine = tmp_path / "SYSVOL/corp.example/Policies" / GUID / "MACHINE"
    machine.mkdir(parents=True)
    (machine.parent / "GPT.INI").write_text("[General]\nVersion=3\ndisplayName=New Group Policy Object\n")
    (machine / "Registry.pol").write_bytes(pol.write([PolEntry.of(r"Software\X", "a", DWORD_1)]))
    assert [one.name for one in walk.gather([tmp_path]).subjects] == [GUID]
    assert data(walk.gather([machine / "Registry.pol"]), GUID, r"Software\X", "a") == [1]


def test_a_file_alone_is_a_policy_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "user").mkdir()
    path = tmp_path / "user" / "registry.pol"
    path.write_bytes(pol.write([PolEntry.of(r"Software\X", "a", DWORD_1)]))
    evidence = walk.gather([path])
    assert data(evidence, str(path), r"Software\X", "a") == [1]
    assert "lies in no policy's folder" in evidence.notes[0].what


def test_deletions_mean_absent_and_the_last_one_counts(tmp_path: Path) -> None:
    text = RegistryValue("REG_SZ", " ")
    names = RegistryValue("REG_SZ", "Gone;Also")
    (tmp_path / "registry.pol").write_bytes(pol.write([
        PolEntry.of("K", "Before", DWORD_1), PolEntry.of("K", "**delvals.", text), PolEntry.of("K", "After", DWORD_1),
        PolEntry.of("K", "**del.After2", text), PolEntry.of("L", "Twice", DWORD_1),
        PolEntry.of("L", "Twice", RegistryValue("REG_DWORD", 2)), PolEntry.of("L", "**soft.Soft", DWORD_1),
        PolEntry.of("L", "", RegistryValue("REG_NONE", b"")), PolEntry.of("M", "**DeleteKeys", names),
        PolEntry.of(r"M\Gone\Deep", "x", DWORD_1), PolEntry.of("M", "**DeleteValues", names)]))
    evidence = walk.gather([tmp_path / "registry.pol"])
    policy = str(tmp_path / "registry.pol")
    assert {name: data(evidence, policy, "K", name) for name in ("Before", "After", "After2", "Never")} == {
        "Before": [None], "After": [1], "After2": [None], "Never": [None]}
    assert data(evidence, policy, r"K\Below", "x") == []
    assert {name: data(evidence, policy, "L", name) for name in ("Twice", "Soft", "", "Never")} == {
        "Twice": [2], "Soft": [], "": [], "Never": []}
    assert data(evidence, policy, "M", "Also") == [None]
    assert (data(evidence, policy, r"M\Gone\Deep", "x"), data(evidence, policy, r"M\Gone\Other", "y")) == ([1], [None])
    assert any("**soft." in note.what for note in evidence.notes)


def test_what_is_removed_and_then_set_softly_is_set(tmp_path: Path) -> None:
    entries = [PolEntry(r"Software\X", "**del.a", 1, b" \0\0\0"), PolEntry.of(r"Software\X", "**soft.a", DWORD_1),
               PolEntry.of(r"Software\X", "**soft.b", DWORD_1)]
    (tmp_path / "registry.pol").write_bytes(pol.write(entries))
    evidence = walk.gather([tmp_path])
    registry = evidence.subjects[0].registry
    assert [seen.value for seen in registry.look("HKLM", r"Software\X", "a")] == [DWORD_1]
    assert registry.look("HKLM", r"Software\X", "b") == []


def test_a_cut_registry_pol_removes_nothing(tmp_path: Path) -> None:
    entries = [PolEntry(r"Software\X", "**del.a", 1, b" \0\0\0"), PolEntry(r"Software\Y", "**delvals.", 1, b" \0\0\0"),
               PolEntry.of(r"Software\X", "a", DWORD_1)]
    (tmp_path / "registry.pol").write_bytes(pol.write(entries)[:-6])
    registry = walk.gather([tmp_path]).subjects[0].registry
    assert (registry.look("HKLM", r"Software\X", "a"), registry.knows_all_of("HKLM", r"Software\Y")) == ([], [])


@pytest.mark.parametrize(("options", "parts"), [
    ("0", {"HKLM", "HKCU"}), ("1", {"HKLM"}), ("2", {"HKCU"}), ("3", set())])
def test_a_part_that_is_off_sets_nothing(tmp_path: Path, options: str, parts: set[str]) -> None:
    folder = tmp_path / GUID
    for part in ("Machine", "User"):
        (folder / "DomainSysvol" / "GPO" / part).mkdir(parents=True)
        (folder / "DomainSysvol" / "GPO" / part / "registry.pol").write_bytes(
            pol.write([PolEntry.of(r"Software\X", "a", DWORD_1)]))
    (folder / "bkupInfo.xml").write_text(f"<BackupInst><GPODisplayName>P</GPODisplayName><GPOGuid>{GUID}</GPOGuid>"
                                         "</BackupInst>")
    (folder / "Backup.xml").write_text(
        f"<GroupPolicyBackupScheme><GroupPolicyObject><GroupPolicyCoreSettings><ID>{GUID}</ID><DisplayName>P"
        f"</DisplayName><Options><![CDATA[{options}]]></Options><WMIFilter>laptops</WMIFilter></GroupPolicyCoreSettings>"
        "</GroupPolicyObject></GroupPolicyBackupScheme>")
    evidence = walk.gather([tmp_path])
    (subject,) = evidence.subjects
    assert {hive for hive, *_ in subject.registry} == parts
    notes = [note.what for note in evidence.notes]
    assert sum("is switched off there" in note for note in notes) == 2 - len(parts)
    assert any("'laptops'" in note for note in notes)


def test_the_local_policy_says_in_gpt_ini_what_is_off(tmp_path: Path) -> None:
    folder = tmp_path / "PC-7" / "Windows" / "System32" / "GroupPolicy"
    (folder / "User").mkdir(parents=True)
    (folder / "User" / "Registry.pol").write_bytes(pol.write([PolEntry.of(r"Software\X", "a", DWORD_1)]))
    (folder / "gpt.ini").write_bytes(b"[General]\r\nVersion=1\r\nOptions=1\r\n")
    (subject,) = walk.gather([tmp_path]).subjects
    assert (subject.name, len(subject.registry)) == ("Local policy of PC-7", 0)


def test_a_cut_registry_pol_is_told_with_its_offset(tmp_path: Path) -> None:
    whole = pol.write([PolEntry.of("K", "a", DWORD_1), PolEntry.of("K", "b", DWORD_1)])
    (tmp_path / "registry.pol").write_bytes(whole[:-5])
    evidence = walk.gather([tmp_path / "registry.pol"])
    assert data(evidence, str(tmp_path / "registry.pol"), "K", "a") == [1]
    (problem,) = evidence.problems
    first = len(pol.write([PolEntry.of("K", "a", DWORD_1)]))
    assert problem.what.startswith(f"is damaged at byte {first} of {len(whole) - 5}")
    assert "1 entries before it were read" in problem.what


COMPUTER = (
    extension("Registry", "RegistrySettings", r"""
<q:Policy><q:Name>Skript-Blockprotokollierung aktivieren</q:Name><q:State>Enabled</q:State></q:Policy>
<q:RegistrySetting><q:KeyPath>Software\Policies\Google\Chrome</q:KeyPath><q:AdmSetting>false</q:AdmSetting>
 <q:Value><q:Name>PasswordManagerEnabled</q:Name><q:Number>0</q:Number></q:Value></q:RegistrySetting>
<q:RegistrySetting><Precedence xmlns="http://www.microsoft.com/GroupPolicy/Settings/Base">2</Precedence>
 <q:KeyPath>Software\Policies\Google\Chrome</q:KeyPath>
 <q:Value><q:Name>PasswordManagerEnabled</q:Name><q:Number>1</q:Number></q:Value></q:RegistrySetting>
<q:RegistrySetting><q:KeyPath>Software\X</q:KeyPath><q:Value><q:Name>**del.Gone</q:Name><q:String> </q:String>
 </q:Value></q:RegistrySetting>""", "q3")
    + extension("Security", "SecuritySettings", r"""
<q:SecurityOptions><q:KeyName>MACHINE\System\CurrentControlSet\Control\Lsa\RunAsPPL</q:KeyName>
 <q:SettingNumber>1</q:SettingNumber></q:SecurityOptions>
<q:SystemServices><q:Name>AppIDSvc</q:Name><q:StartupMode>Automatic</q:StartupMode></q:SystemServices>""", "q2")
    + extension("Auditing", "AuditSettings", """<q:AuditSetting><q:PolicyTarget>System</q:PolicyTarget>
<q:SubcategoryGuid>{0cce922b-69ae-11d9-bed3-505054503030}</q:SubcategoryGuid><q:SettingValue>3</q:SettingValue>
</q:AuditSetting>""", "q7")
    + extension("WindowsFirewall", "WindowsFirewallSettings", r"""
<q:PolicyVersion><q:Value>538</q:Value></q:PolicyVersion>
<q:PublicProfile><q:EnableFirewall><q:Value>true</q:Value></q:EnableFirewall></q:PublicProfile>
<q:OutboundFirewallRules><q:Version>2.26</q:Version><q:Action>Block</q:Action><q:Active>true</q:Active><q:Dir>Out</q:Dir>
<q:Protocol>6</q:Protocol><q:RPort>443</q:RPort><q:App>%SystemRoot%\System32\mshta.exe</q:App><q:Name>m</q:Name>
</q:OutboundFirewallRules>""", "q5")
    + extension("SRPV2", "SrpV2Settings", """<q:RuleCollection Type="Exe"><q:EnforcementMode><q:Mode>Enabled</q:Mode>
</q:EnforcementMode><q:FilePathRule Id="{1}" Name="n" Description="" UserOrGroupSid="S-1-1-0" Action="Deny">
<q:Conditions><q:FilePathCondition Path="%SYSTEM32%\\mshta.exe"/></q:Conditions>
</q:FilePathRule></q:RuleCollection>""", "q9"))


def check_computer(subject_of: Evidence, kind: str, name: str) -> None:
    subject = subject_of.subject(kind, name)
    look = subject.registry.look
    assert [one.raw for one in look("HKLM", r"SOFTWARE\Policies\Google\Chrome", "PasswordManagerEnabled")] == ["0"]
    assert [one.value for one in look("HKLM", r"Software\X", "Gone")] == [None]
    assert [one.raw for one in look("HKLM", r"SYSTEM\CurrentControlSet\Control\Lsa", "RunAsPPL")] == ["1"]
    assert [one.raw for one in look("HKLM", FIREWALL + r"\PublicProfile", "EnableFirewall")] == ["true"]
    assert [one.value for one in subject.services["AppIDSvc"]] == [Service("automatic")]
    assert [one.value for one in subject.audit["0CCE922B-69AE-11D9-BED3-505054503030"]] == [AuditState(True, True)]
    (rule,) = [one.value for one in subject.firewall]
    assert (rule.store, rule.rule.active, rule.rule.remote_ports) == ("gpo", True, ((443, 443),))
    (policy,) = [one.value for one in subject.applocker]
    assert (policy.store, policy.policy.collections[0].mode, len(policy.policy.collections[0].rules)) == (
        "gpo", "Enabled", 1)
    assert subject.firewall_whole == []


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8", "utf-8-sig"])
def test_gpresult_is_of_its_host(tmp_path: Path, encoding: str) -> None:
    text = ('<?xml version="1.0" encoding="utf-16"?>\n<Rsop xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" '
            'xmlns="http://www.microsoft.com/GroupPolicy/Rsop"><ReadTime>2026-11-20T08:00:00.1234567Z</ReadTime><DataType>'
            "LoggedData</DataType><UserResults><Name>CORP\\anna</Name>"
            + extension("Registry", "RegistrySettings", r"""
<q:RegistrySetting><q:KeyPath>Software\Policies\X</q:KeyPath>
<q:Value><q:Name>u</q:Name><q:Number>7</q:Number></q:Value></q:RegistrySetting>""")
            + f"</UserResults><ComputerResults><Name>CORP\\PC-7$</Name>{COMPUTER}</ComputerResults></Rsop>")
    (tmp_path / "r.xml").write_bytes(text.encode(encoding))
    evidence = walk.gather([tmp_path / "r.xml"])
    assert [(one.kind, one.name) for one in evidence.subjects] == [("host", "PC-7")]
    check_computer(evidence, "host", "PC-7")
    host = evidence.host("PC-7")
    assert host.effective["FirewallProfile.Public.Enabled"][0].value is True
    assert [one.raw for one in host.registry.look("HKCU", r"Software\Policies\X", "u", "anna")] == ["7"]
    assert {source.taken for source in host.sources()} == {datetime(2026, 11, 20, 8, 0, 0, 123456, tzinfo=UTC)}
    assert ["1 settings of administrative templates" in note.what for note in evidence.notes] == [True]
    assert evidence.problems == []


def test_modelled_policy_is_no_host(tmp_path: Path) -> None:
    (tmp_path / "r.xml").write_text(
        '<Rsop xmlns="http://www.microsoft.com/GroupPolicy/Rsop"><DataType>PlannedData</DataType><ComputerResults>'
        "<Name>CORP\\PC-7$</Name></ComputerResults><UserResults><Name>CORP\\anna</Name></UserResults></Rsop>")
    evidence = walk.gather([tmp_path])
    assert [(one.kind, one.name) for one in evidence.subjects] == [("policy", "Group Policy modelled for PC-7")]


@pytest.mark.parametrize(("links", "applies"), [
    ("", False), ("<LinksTo><Enabled>false</Enabled></LinksTo>", False),
    ("<LinksTo><Enabled>false</Enabled></LinksTo><LinksTo><Enabled>true</Enabled></LinksTo>", True)])
def test_a_policy_without_a_link_that_is_on_is_noted(tmp_path: Path, links: str, applies: bool) -> None:
    (tmp_path / "r.xml").write_text(
        '<GPO xmlns="http://www.microsoft.com/GroupPolicy/Settings"><Name>P</Name><FilterName>laptops</FilterName>'
        f"{links}</GPO>")
    notes = [note.what for note in walk.gather([tmp_path]).notes]
    assert any("it applies nowhere" in note for note in notes) is not applies
    assert any("WMI filter 'laptops'" in note for note in notes)


def test_a_report_of_many_policies(tmp_path: Path) -> None:
    one, two = report("First", GUID, COMPUTER), report("Second", "{2}", "", "").replace(
        "<User><Enabled>true", "<User><Enabled>false")
    both = "<report>" + "".join(text.partition("?>")[2] for text in (one, two)) + "</report>"
    (tmp_path / "all.xml").write_text(both, encoding="utf-16")
    evidence = walk.gather([tmp_path / "all.xml"])
    assert [one.name for one in evidence.subjects] == ["First", "Second"]
    check_computer(evidence, "policy", "First")
    assert evidence.policy("First").effective == {}  # a policy is no host: nothing is in force on it
    assert any("User settings of 'Second' are switched off" in note.what for note in evidence.notes)


@pytest.mark.parametrize(("text", "what", "line"), [
    ('<!DOCTYPE a [<!ENTITY b "c">]>\n<Rsop xmlns="http://www.microsoft.com/GroupPolicy/Rsop">&b;</Rsop>',
     "entities", 1),
    ('<Rsop xmlns="http://www.microsoft.com/GroupPolicy/Rsop">\n<a></b></Rsop>', "no sound XML", 2),
    ('<Rsop xmlns="http://www.microsoft.com/GroupPolicy/Rsop">\n' + "<a>" * 300, "200 deep", 2),
    ('<GPO xmlns="http://www.microsoft.com/GroupPolicy/Settings">\n', "no sound XML", 2)])
def test_hostile_xml_is_refused_with_its_line(tmp_path: Path, text: str, what: str, line: int) -> None:
    (tmp_path / "r.xml").write_text(text, encoding="utf-16")
    evidence = walk.gather([tmp_path / "r.xml"])
    (problem,) = evidence.problems
    assert what in problem.what
    assert problem.where == f"{tmp_path / 'r.xml'}:{line}"
    assert evidence.files == []


def test_what_a_manifest_lists_and_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "manifest.xml").write_text(
        '<Backups xmlns="http://www.microsoft.com/GroupPolicy/GPOOperations/Manifest"><BackupInst><GPOGuid>{1}</GPOGuid>'
        "<GPODisplayName>Lost</GPODisplayName><ID>{2}</ID></BackupInst></Backups>", encoding="utf-8")
    (problem,) = walk.gather([tmp_path]).problems
    assert problem.what == "lists the policy 'Lost', whose folder {2} is not there."


@pytest.mark.parametrize(("old", "new", "left"), [
    ("Mode>Enabled</q9:Mode>", "Mode>Odd</q9:Mode>", "EnforcementMode is 'Odd'"),
    ('Action="Deny"', 'Action="Odd"', "1 rules cannot be read"),
])
def test_what_of_an_applocker_policy_cannot_be_read_makes_it_uncertain(tmp_path: Path, old: str, new: str,
                                                                       left: str) -> None:
    assert old in COMPUTER
    (tmp_path / "report.xml").write_text(report("Lock", GUID, COMPUTER.replace(old, new)), encoding="utf-8")
    evidence = walk.gather([tmp_path / "report.xml"])
    (policy,) = [one.value.policy for subject in evidence.subjects for one in subject.applocker]
    assert policy.collections[0].left_out == (left,)
    assert policy.collections[0].mode == (UNKNOWN_MODE if "Odd" in new and "Mode" in new else "Enabled")
    assert evidence.problems
