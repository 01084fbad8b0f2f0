r"""A sample fleet as an administrator would collect it: three hosts, a GPO backup, a tenant, answers, an inventory.

    fleet = build(tmp_path)
    audit(AuditOptions((str(fleet.evidence),), inventory=fleet.inventory, today=TODAY))

PC-A is hardened by our own policies: the collector's JSON, and the App Control policy's XML beside it. PC-B is Windows
as it comes, with a local firewall rule and AppLocker in audit mode. SRV-C is a server whose evidence is partial,
damaged and contradicts itself, with hostile names in values. PC-D is in the inventory only. SRV-X is in no inventory.
All of it is written by the builders of the tests; the same call writes the same bytes.
"""

from __future__ import annotations

import json
import zipfile
from dataclasses import dataclass
from datetime import date
from io import BytesIO
from pathlib import Path

from douse.content.questionnaire import questions
from douse.content.settings import AsrSetting, AuditSetting, ChannelSetting, FeatureSetting, ServiceSetting
from douse.harden.firewall_rule import block_rule
from douse.harden.generate.formats import FORMATS
from douse.harden.generate.plan import planned
from douse.harden.generate.policy import GenerateOptions, Policy
from douse.harden.generate.wdac import wdac
from douse.harden.questionnaire import FORMAT
from douse.harden.stores_folders import profile_store_folders
from harden.collected import Value, collected
from harden.generate.go_files import go_file, site_file
from harden.hives import Key, hive

TODAY = date(2026, 11, 24)
MSHTA, MSHTA_32 = r"%SystemRoot%\System32\mshta.exe", r"%SystemRoot%\SysWOW64\mshta.exe"
PUBLISHER = "O=MICROSOFT CORPORATION, L=REDMOND, S=WASHINGTON, C=US"

HOSTILE = "\x1b[31mred\x1b[0m \u202egnp.exe =HYPERLINK(\"http://evil.example\") <script>alert(1)</script> `$(calc)`|\"'"
"""A text that a terminal, a spreadsheet, a browser and a shell would each like to obey."""

AUDITED = "S:AI(AU;OICISA;0x1;;;WD)"

AUDIT_MODE = f"""\
<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="AuditOnly">
<FilePathRule Id="a61c8b2c-a319-4cd0-9690-d2177cad7b51" Name="Windows" Description="" UserOrGroupSid="S-1-1-0"
 Action="Allow"><Conditions><FilePathCondition Path="%WINDIR%\\*"/></Conditions></FilePathRule>
<FilePublisherRule Id="5e3ec135-b5af-4961-ae4d-cde98710afc9" Name="No mshta" Description="" UserOrGroupSid="S-1-1-0"
 Action="Deny"><Conditions><FilePublisherCondition PublisherName="{PUBLISHER}" ProductName="INTERNET EXPLORER"
 BinaryName="MSHTA.EXE"><BinaryVersionRange LowSection="11.0.22000.1" HighSection="11.0.22000.1"/>
</FilePublisherCondition></Conditions></FilePublisherRule></RuleCollection></AppLockerPolicy>
"""
"""AppLocker in audit mode, with a deny that is pinned to one version."""


SYSMON = """\
System Monitor v15.15 - System activity monitor

Current configuration:
 - Service name:                  Sysmon64
 - HashingAlgorithms:             SHA256,IMPHASH
Rule configuration (version 4.90):
""" + "".join(f""" - {event:<34} onmatch: exclude   combine rules using 'And'
\tImage                          filter: is           value: 'C:\\\\none.exe'
""" for event in ("ProcessCreate", "NetworkConnect", "ImageLoad", "CreateRemoteThread", "ProcessAccess", "FileCreate",
                  "RegistryEvent", "FileCreateStreamHash", "DnsQuery", "ProcessTampering", "FileDeleteDetected"))
"""What `Sysmon64 -c` prints of a configuration that records all that is wanted."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Where it lies: the folder of evidence, and the inventory beside it."""

    evidence: Path
    inventory: Path


def build(folder: Path) -> Fleet:
    """Write the fleet below a folder."""
    evidence = folder / "collected"
    folder.mkdir(parents=True, exist_ok=True)
    files = {**_pc_a(folder), **_pc_b(), **_srv_c(), **_srv_x(), **_gpo(folder), **_tenant(), **_answers()}
    for name, data in files.items():
        place = evidence / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
    inventory = folder / "hosts.csv"
    inventory.write_text("host,ip,role,owner,criticality\nPC-A,10.0.0.11,workstation,Finance,high\n"
                         "PC-B.corp.example,10.0.0.12,workstation,Sales,medium\nSRV-C,10.0.0.20,file server,IT,high\n"
                         "PC-D,10.0.0.14,workstation,Reception,low\n", encoding="utf-8")
    return Fleet(evidence, inventory)


def _enforcing(document: bytes, *programs: str) -> bytes:
    """The collector's document of a host whose firewall says that it blocks these programs."""
    found = json.loads(document)
    found["firewall_active"] = [{"id": f"{{{number}}}", "program": program, "enabled": "True", "direction": "Outbound",
                                 "action": "Block"} for number, program in enumerate(programs)]
    return json.dumps(found).encode()


# ── PC-A ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _policy(folder: Path, *names: str) -> Policy:
    """What our own bundle of these controls sets, enforced, as a pre-flight of that week lets it."""
    made, _ = planned(GenerateOptions(names, (), "enforce", "seed", go_file(folder), site_file(folder), today=TODAY))
    return made


def _pc_a(folder: Path) -> dict[str, bytes]:
    """A computer with every control that a policy can set, enforced."""
    made = _policy(folder, "all")
    registry: dict[str, Value] = {}
    users: dict[str, Value] = {}
    for one in made.registry:
        target = registry if one.hive == "HKLM" else users
        path = f"{one.hive}\\{one.key}" if one.hive == "HKLM" else one.key
        target[f"{path}!{one.name or '(default)'}"] = (one.value.type, one.value.data)
    xml = next(file.data for file in wdac(made) if file.path.suffix == ".xml")
    id_ = xml.partition(b"<PolicyID>")[2].partition(b"</PolicyID>")[0].decode()
    folders = profile_store_folders()[:4]
    return {"PC-A.json": _enforcing(collected(
        "PC-A", registry=registry, users={"anna": users, "bert": users},
        asr_effective={change.setting.guid: change.state for change in made.of(AsrSetting)
                       if isinstance(change.setting, AsrSetting)},
        applocker=_applocker(made), app_control=[{"PolicyID": id_.strip("{}"), "FriendlyName": "No mshta",
                                                  "IsEnforced": True}],
        mppreference={"DisableRealtimeMonitoring": False, "DisableBehaviorMonitoring": False,
                      "DisableIOAVProtection": False, "DisableScriptScanning": False, "DisableBlockAtFirstSeen": False,
                      "MAPSReporting": 2, "SubmitSamplesConsent": 1, "CloudBlockLevel": 2, "CloudExtendedTimeout": 50,
                      "PUAProtection": 1, "EnableNetworkProtection": 1},
        mpcomputerstatus={"AMRunningMode": "Normal", "IsTamperProtected": True},
        services={"AppIDSvc": ("automatic", "running"), "MpsSvc": ("automatic", "running"),
                  "WinDefend": ("automatic", "running"),
                  **{change.setting.service: (change.setting.start, "running") for change in made.of(ServiceSetting)
                     if isinstance(change.setting, ServiceSetting)}},
        audit={change.setting.guid: "Success and Failure" for change in made.of(AuditSetting)
               if isinstance(change.setting, AuditSetting)},
        features={change.setting.feature: change.setting.state for change in made.of(FeatureSetting)
                  if isinstance(change.setting, FeatureSetting)},
        channels={change.setting.channel: True for change in made.of(ChannelSetting)
                  if isinstance(change.setting, ChannelSetting)},
        products=("chrome", "edge", "office"), sysmon=("running", ("SHA256", "IMPHASH")),
        sacls={name: dict.fromkeys(folders, AUDITED) for name in ("anna", "bert")}), MSHTA, MSHTA_32),
        "PC-A_sysmon.txt": SYSMON.encode(), "policies/no-mshta.xml": xml}


def _applocker(made: Policy) -> str:
    """The AppLocker policy of a bundle as Windows would give it back."""
    files = {str(file.path): file.data for file in FORMATS["applocker"].load()(made)}
    return files["applocker/applocker.xml"].decode()


# ── PC-B ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _pc_b() -> dict[str, bytes]:
    """Windows as it comes; somebody made a local rule, and left AppLocker in audit mode."""
    rule = block_rule(program=MSHTA, name="Block mshta", tcp=(80, 443)).text()
    return {"PC-B.json": _enforcing(collected(
        "PC-B", users={"carl": {}}, not_loaded=("dora",),
        firewall={"local": {"{0A1B2C3D-0000-4000-8000-000000000001}": rule}}, applocker=AUDIT_MODE,
        services={"AppIDSvc": ("manual", "stopped"), "MpsSvc": ("automatic", "running"),
                  "WinDefend": ("automatic", "running")},
        mppreference={"DisableRealtimeMonitoring": False, "MAPSReporting": 2, "PUAProtection": 0,
                      "EnableNetworkProtection": 0},
        mpcomputerstatus={"AMRunningMode": "Normal", "IsTamperProtected": False}, audit={},
        features={"MicrosoftWindowsPowerShellV2Root": "enabled", "MicrosoftWindowsPowerShellV2": "enabled"},
        products=("chrome", "edge", "office")), MSHTA)}


# ── SRV-C ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _srv_c() -> dict[str, bytes]:
    """A server: a collector's file without its half, hives that say otherwise, another scanner, a damaged file."""
    key = r"SOFTWARE\Policies\Google\Chrome"
    document = _enforcing(collected(
        "SRV-C", registry={f"HKLM\\{key}!PasswordManagerEnabled": 0, f"HKLM\\{key}!ImportSavedPasswords": HOSTILE,
                           r"HKLM\SOFTWARE\Policies\Microsoft\Windows\System!ShellSmartScreenLevel": HOSTILE},
        users={"svc": {}}, firewall={"gpo": {HOSTILE[:20]: block_rule(
            program=MSHTA, name="Half", tcp=(80,)).text()}},
        firewall_profiles={"Domain": True, "Private": True, "Public": False}, product_type=3, build=20348,
        system="Microsoft Windows Server 2022 Standard", products=("chrome",), audit=None,
        leave_out=("mppreference", "mpcomputerstatus", "asr_ids", "asr_actions", "sacls"),
        errors=[{"part": "sacls", "what": f"Access denied {HOSTILE}"}, {"part": "auditpol", "what": "not elevated"}],
        elevated=False, taken="2026-11-20T07:00:00Z"), MSHTA)
    software = Key().set(r"Policies\Google\Chrome", "PasswordManagerEnabled", 1).set(
        r"Policies\Google\Chrome", "ImportSavedPasswords", 0).set(
        r"Microsoft\Windows NT\CurrentVersion", "CurrentBuildNumber", "20348").set(
        r"Microsoft\Windows NT\CurrentVersion", "ProductName", HOSTILE)
    system = Key().set("Select", "Current", 1).set(
        r"ControlSet001\Control\ComputerName\ComputerName", "ComputerName", "SRV-C").set(
        r"ControlSet001\Services\AppIDSvc", "Start", 3).set(
        r"ControlSet001\Control\ProductOptions", "ProductType", "ServerNT")
    config = "SRV-C/Windows/System32/config"
    rows = ('ID,Category,Name,Severity,Result,Recommended,TestResult,SeverityFinding\n'
            '2315,Firewall,"HardeningKitty-Block-mshta-x64",Medium,False,True,Failed,Medium\n'
            '1800,Policies,"Chrome PasswordManagerEnabled",Medium,1,0,Failed,Medium\n')
    return {"SRV-C.json": document, f"{config}/SOFTWARE": hive(software, "SOFTWARE"),
            f"{config}/SYSTEM": hive(system, "SYSTEM"), "SRV-C_hardeningkitty.csv": rows.encode(),
            "SRV-C_truncated.json": document[: len(document) // 2]}


def _srv_x() -> dict[str, bytes]:
    """A host that the inventory does not have, with another vendor's antivirus."""
    return {"SRV-X.json": collected(
        "SRV-X", users={}, product_type=3, build=17763, system="Microsoft Windows Server 2019", products=(),
        antivirus=("Example Endpoint",), mpcomputerstatus={"AMRunningMode": "Not running"}, mppreference={})}


# ── policies, tenant, answers ─────────────────────────────────────────────────────────────────────────────────────────


def _gpo(folder: Path) -> dict[str, bytes]:
    """The backup of a GPO that would enforce some controls, as a zip."""
    made = _policy(folder, "H01", "H02", "H03", "H06", "H07", "H28")
    memory = BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        for file in FORMATS["gpo"].load()(made):
            if file.path.parts[0] == "gpo":
                archive.writestr(zipfile.ZipInfo(str(file.path), (2026, 11, 1, 0, 0, 0)), file.data)
    return {"gpo-backup.zip": memory.getvalue()}


def _tenant() -> dict[str, bytes]:
    """An export of accounts and of policies: one administrator has SMS only, one policy only reports."""
    def account(name: str, admin: bool, *methods: str) -> dict[str, object]:
        return {"userPrincipalName": f"{name}@corp.example", "isAdmin": admin, "isMfaRegistered": bool(methods),
                "isMfaCapable": bool(methods), "methodsRegistered": list(methods), "userType": "member"}

    def access(name: str, state: str, grants: list[str], clients: list[str], **users: list[str]) -> dict[str, object]:
        return {"id": name, "displayName": name, "state": state, "sessionControls": None,
                "conditions": {"users": users, "applications": {"includeApplications": ["All"]},
                               "clientAppTypes": clients},
                "grantControls": {"operator": "OR", "builtInControls": grants}}

    accounts = [account("ada", True, "fido2SecurityKey"), account("bob", True, "mobilePhone"),
                *(account(f"user{number}", False, "microsoftAuthenticatorPush") for number in range(40)),
                account(HOSTILE, False)]
    policies = [access("MFA for everybody", "enabled", ["mfa"], ["all"], includeUsers=["All"], excludeGroups=["g-1"]),
                access("No legacy", "enabledForReportingButNotEnforced", ["block"], ["exchangeActiveSync", "other"],
                       includeUsers=["All"])]
    graph = "https://graph.microsoft.com/v1.0/$metadata#"
    return {"entra/registration.json": json.dumps({
        "@odata.context": f"{graph}reports/authenticationMethods/userRegistrationDetails", "value": accounts}).encode(),
        "entra/policies.json": json.dumps({
            "@odata.context": f"{graph}identity/conditionalAccess/policies", "value": policies}).encode()}


def _answers() -> dict[str, bytes]:
    """The questionnaire: well answered, without proof, old, no, and left empty."""
    kinds = (("yes", "2026-10-01", "DOC-1"), ("yes", "2026-10-01", ""), ("yes", "2024-01-01", "DOC-2"),
             ("no", "2026-10-01", ""), ("", "", ""))
    lines = [f"format: {FORMAT}", "organisation: Example", "answers:"]
    for number, question in enumerate(questions()):
        word, when, proof = kinds[number % len(kinds)]
        lines += [f"  - question: {question.id}", f"    answer: '{word}'", "    by: 'Ada'", f"    when: '{when}'",
                  f"    proof: '{proof}'", "    comment: ''"]
    return {"answers.yml": ("\n".join(lines) + "\n").encode()}
