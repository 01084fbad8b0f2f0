"""Lints: each code is found where its fault is and not where it is not; codes and severities hold."""

from __future__ import annotations

import pytest

from douse.content.controls import controls
from douse.content.settings import AppControlSetting, AppLockerSetting
from douse.harden.app_control_policy import KERNEL, USER, AppControlPolicy, FileRule
from douse.harden.app_control_policy import parse as parse_app_control
from douse.harden.applocker_policy import AppLockerPolicy, AppLockerRule, Condition, RuleCollection
from douse.harden.audit.lints import CODES, lints
from douse.harden.finding import SEVERITIES, Lint
from douse.harden.firewall_rule import block_rule
from douse.harden.generate.applocker import made_policy
from douse.harden.generate.wdac import policy_for
from douse.harden.observed import StoredAppLocker, Subject
from douse.harden.seen import Seen
from harden import makers as m

ALL, ADMINS = "S-1-1-0", "S-1-5-32-544"
MSHTA = r"%SystemRoot%\System32\mshta.exe"
FULL = "65535.65535.65535.65535"
ZERO = ".".join("0000")


def path(text: str) -> Condition:
    return Condition("path", path=text)


def publisher(low: str = "*", high: str = "*") -> Condition:
    return Condition("publisher", "O=M", "IE", "MSHTA.EXE", low, high)


def rule(id_: str, action: str, about: Condition, sid: str = ALL, *exceptions: Condition) -> AppLockerRule:
    return AppLockerRule(id_, f"rule {id_}", "", sid, action, (about,), exceptions)


def locked(*rules: AppLockerRule, mode: str = "Enabled", type_: str = "Exe", left: tuple[str, ...] = ()) -> m.Add:
    policy = AppLockerPolicy((RuleCollection(type_, mode, rules, left),))
    return lambda made: made.applocker.append(Seen(StoredAppLocker("gpo", policy), m.COLLECTOR, "AppLocker"))


WINDOWS, PROGRAMS = rule("w", "Allow", path(r"%WINDIR%\*")), rule("p", "Allow", path(r"%PROGRAMFILES%\*"))
DENY = rule("d", "Deny", publisher())


def wdac(*rules: FileRule, options: tuple[str, ...] = ("Enabled:UMCI",), type_: str = "Base Policy",
         kernel: tuple[str, ...] = ("A",), user: tuple[str, ...] | None = None, left: tuple[str, ...] = ()) -> m.Add:
    every = (FileRule("Allow", "A", "", "*", "", "", "", ""), *rules)
    ids = tuple(one.id for one in every) if user is None else user
    policy = AppControlPolicy("{A}", "{A}", type_, "lock", frozenset(options), every, ((KERNEL, kernel), (USER, ids)),
                              left_out=left)
    return m.app_control("{A}", True, policy)


def deny(minimum: str = FULL, maximum: str = "", name: str = "mshta.exe", hash_: str = "") -> FileRule:
    return FileRule("Deny", "D", "mshta.exe", name, minimum, maximum, "", hash_)


def firewall(text: str, id_: str = "{1}") -> m.Add:
    return m.rule("gpo", f"v2.26|Dir=Out|{text}", name=id_)


APP = f"App={MSHTA}|"


def codes(*adds: m.Add) -> set[str]:
    return {one.code for one in lints(m.subject(*adds))}


FOUND: list[tuple[str, list[m.Add]]] = [
    ("applocker-deny-only", [locked(DENY)]),
    ("applocker-deny-only", [locked(DENY, type_="Script")]),
    ("applocker-windows-blocked", [locked(PROGRAMS)]),
    ("applocker-windows-blocked", [locked(rule("a", "Allow", path("*"), ADMINS))]),
    ("applocker-audit-only", [locked(WINDOWS, mode="AuditOnly")]),
    ("applocker-version-pin", [locked(WINDOWS, rule("d", "Deny", publisher("11.0.22000.1", "11.0.22000.1")))]),
    ("applocker-version-pin", [locked(WINDOWS, rule("d", "Deny", publisher("*", "11.0.22000.1")))]),
    ("applocker-hash-deny", [locked(WINDOWS, rule("d", "Deny", Condition("hash", hashes=("0x1",))))]),
    ("applocker-path-deny", [locked(WINDOWS, rule("d", "Deny", path(r"%SYSTEM32%\mshta.exe")))]),
    ("applocker-writable-allow", [locked(WINDOWS)]),
    ("applocker-writable-allow", [locked(WINDOWS, rule("u", "Allow", path(r"C:\Users\*")))]),
    ("applocker-writable-allow", [locked(WINDOWS, rule("u", "Allow", path(r"%OSDRIVE%\ProgramData\*")))]),
    ("applocker-allow-everything", [locked(rule("e", "Allow", path("*")), DENY)]),
    ("applocker-unknown-variable", [locked(WINDOWS, rule("d", "Deny", path(r"%SystemRoot%\System32\mshta.exe")))]),
    ("applocker-duplicate", [locked(WINDOWS, rule("v", "Allow", path(r"%WINDIR%\*")))]),
    ("applocker-not-understood", [locked(WINDOWS, left=("odd",))]),
    ("applocker-no-script-rules", [locked(WINDOWS)]),
    ("applocker-no-dll-rules", [locked(WINDOWS)]),
    ("applocker-service", [locked(WINDOWS), m.service("AppIDSvc", "disabled")]),
    ("applocker-service", [locked(WINDOWS), m.service("appidsvc", "manual", "stopped")]),
    ("applocker-service", [locked(WINDOWS), m.service("AppIDSvc", None)]),
    ("app-control-deny-only", [wdac(deny(), user=("D",))]),
    ("app-control-deny-only", [wdac(deny(), kernel=())]),
    ("app-control-no-op-deny", [wdac(deny(ZERO))]),
    ("app-control-version-pin", [wdac(deny("11.0.0.0"))]),
    ("app-control-hash-deny", [wdac(deny("", name="", hash_="00"))]),
    ("app-control-deny-unused", [wdac(deny(), user=("A",))]),
    ("app-control-deny-in-supplemental", [wdac(deny(), type_="Supplemental Policy")]),
    ("app-control-audit-mode", [wdac(options=("Enabled:UMCI", "Enabled:Audit Mode"))]),
    ("app-control-audit-stops-hta", [wdac(options=("Enabled:UMCI", "Enabled:Audit Mode"))]),
    ("app-control-no-umci", [wdac(deny(), options=())]),
    ("app-control-option-11", [wdac(options=("Enabled:UMCI", "Disabled:Script Enforcement")), m.machine(14393)]),
    ("app-control-duplicate", [wdac(deny(), deny(name="b.exe"))]),
    ("app-control-not-understood", [wdac(left=("odd",))]),
    ("firewall-inactive", [firewall(f"Action=Block|Active=FALSE|{APP}")]),
    ("firewall-inactive", [firewall("Action=Block|App=C:\\a.exe|Name=Douse: x|")]),
    ("firewall-allow", [firewall(f"Action=Allow|Active=TRUE|{APP}")]),
    ("firewall-bypass", [firewall("Action=ByPass|Active=TRUE|")]),
    ("firewall-narrowed", [firewall(f"Action=Block|Active=TRUE|LUAuth=x|{APP}")]),
    ("firewall-mistake", [firewall(f"Action=Block|Active=TRUE|RPort=80|{APP}")]),
    ("firewall-other-copy", [firewall("Action=Block|Active=TRUE|App=C:\\Tools\\mshta.exe|")]),
    ("firewall-duplicate", [firewall(f"Action=Block|Active=TRUE|{APP}Name=a|"),
                            firewall(f"Action=Block|Active=TRUE|{APP}Name=b|", "{2}")]),
]


@pytest.mark.parametrize(("code", "adds"), FOUND)
def test_each_code_is_found(code: str, adds: list[m.Add]) -> None:
    assert code in codes(*adds)


def test_every_code_is_tried_and_has_a_severity() -> None:
    assert {code for code, _ in FOUND} == set(CODES)
    assert {severity for severity, _ in CODES.values()} <= set(SEVERITIES)
    assert all(about for _, about in CODES.values())


MICROSOFT = "O=MICROSOFT CORPORATION, L=REDMOND, S=WASHINGTON, C=US"
WINDOWS_SIGNED = Condition("publisher", publisher=MICROSOFT, product="MICROSOFT\u00ae WINDOWS\u00ae OPERATING SYSTEM",
                           binary="*", low="*", high="*")

NOT_FOUND: list[tuple[str, list[m.Add]]] = [
    ("applocker-windows-blocked", [locked(rule("p", "Allow", WINDOWS_SIGNED))]),
    ("applocker-windows-blocked", [locked(rule("d", "Allow", path(r"%WINDIR%\*"), "S-1-5-21-1-2-3-513"))]),
    ("app-control-deny-in-supplemental", [wdac(deny(), type_="AppID Tagging Policy")]),
    ("app-control-audit-stops-hta", [
        wdac(options=("Enabled:UMCI", "Enabled:Audit Mode"), type_="AppID Tagging Policy")]),
    ("applocker-deny-only", [locked(DENY, mode="AuditOnly")]),  # it refuses nothing yet
    ("applocker-deny-only", [locked(WINDOWS, DENY)]),
    ("applocker-deny-only", [locked()]),
    ("applocker-windows-blocked", [locked(WINDOWS, DENY)]),
    ("applocker-version-pin", [locked(WINDOWS, DENY)]),
    ("applocker-version-pin", [locked(rule("w", "Allow", publisher("1.0", "2.0")))]),
    ("applocker-path-deny", [locked(WINDOWS, DENY, rule("e", "Deny", path(r"%SYSTEM32%\mshta.exe")))]),
    ("applocker-writable-allow", [locked(rule("a", "Allow", path("*"), ADMINS), PROGRAMS)]),
    ("applocker-service", [locked(WINDOWS), m.service("AppIDSvc", "manual", "running")]),
    ("applocker-service", [locked(), m.service("AppIDSvc", "disabled")]),
    ("app-control-deny-only", [wdac(deny(), options=(), user=("D",))]),  # no user mode, so nothing is blocked there
    ("app-control-no-op-deny", [wdac(deny(ZERO, "65355.65355.65355.65355"))]),  # Microsoft's older form
    ("app-control-version-pin", [wdac(deny(ZERO, "65355.65355.65355.65355"))]),
    ("app-control-no-op-deny", [wdac(deny())]),
    ("app-control-audit-stops-hta", [
        wdac(options=("Enabled:UMCI", "Enabled:Audit Mode", "Disabled:Script Enforcement"))]),
    ("app-control-option-11", [wdac(options=("Enabled:UMCI", "Disabled:Script Enforcement")), m.machine(22631)]),
    ("firewall-allow", [firewall(f"Action=Allow|Active=FALSE|{APP}")]),
    ("firewall-allow", [firewall("Action=Allow|Active=TRUE|App=C:\\a.exe|")]),
    ("firewall-inactive", [m.rule("gpo", f"v2.26|Dir=In|Action=Block|{APP}")]),
]


@pytest.mark.parametrize(("code", "adds"), NOT_FOUND)
def test_a_sound_twin_is_left_alone(code: str, adds: list[m.Add]) -> None:
    assert code not in codes(*adds)


def test_what_we_generate_has_no_fault_but_what_it_says_of_itself() -> None:
    settings = [one for control in controls() for one in control.settings]
    exe = [one for one in settings if isinstance(one, AppLockerSetting)]
    names = [one.file_name for one in settings if isinstance(one, AppControlSetting)]
    subject = m.subject(m.app_control("{A}", True, policy_for(names, "enforce")), kind="policy")
    for group in (None, ("HTA users", "S-1-5-21-1-2-3-1603")):
        subject.applocker.append(Seen(StoredAppLocker("gpo", made_policy(exe, "enforce", group)), m.COLLECTOR, "x"))
    text = block_rule(program=MSHTA, name="Douse: x", tcp=(80, 443)).text()
    m.rule("gpo", text)(subject)
    assert {one.code for one in lints(subject)} == {"applocker-no-script-rules", "applocker-no-dll-rules"}


def test_an_audit_policy_of_ours_stops_nothing() -> None:
    names = ["mshta.exe"]
    found = lints(m.subject(m.app_control("{A}", True, policy_for(names, "audit"))))
    assert [one.code for one in found] == ["app-control-audit-mode"]


def test_lints_are_cited_ordered_and_each_there_once() -> None:
    subject = m.subject(locked(WINDOWS, DENY), locked(WINDOWS, DENY), locked(DENY, type_="Msi"))
    found = lints(subject)
    assert len(set(found)) == len(found)
    assert [SEVERITIES.index(one.severity) for one in found] == sorted(SEVERITIES.index(one.severity) for one in found)
    assert all(isinstance(one, Lint) and one.what and one.next_step and one.cited.sha256 for one in found)
    (writable,) = [one for one in found if one.code == "applocker-writable-allow"]
    assert writable.cited.where == "AppLocker Exe w"
    assert writable.cited.value == r"Allow S-1-1-0 %WINDIR%\*"


def test_nothing_seen_is_nothing_wrong() -> None:
    assert lints(Subject("host", "PC-7")) == ()


DEFAULT_RULES = """<AppLockerPolicy Version="1">
<RuleCollection Type="Exe" EnforcementMode="Enabled">{files}</RuleCollection>
<RuleCollection Type="Dll" EnforcementMode="Enabled">{files}</RuleCollection>
<RuleCollection Type="Script" EnforcementMode="Enabled">{files}</RuleCollection>
<RuleCollection Type="Msi" EnforcementMode="Enabled"><FilePublisherRule Id="m1" Name="signed" Description=""
 UserOrGroupSid="S-1-1-0" Action="Allow"><Conditions><FilePublisherCondition PublisherName="*" ProductName="*"
 BinaryName="*"><BinaryVersionRange LowSection="0.0.0.0" HighSection="*"/></FilePublisherCondition></Conditions>
 </FilePublisherRule>{msi}</RuleCollection>
<RuleCollection Type="Appx" EnforcementMode="Enabled"><FilePublisherRule Id="a1" Name="signed" Description=""
 UserOrGroupSid="S-1-1-0" Action="Allow"><Conditions><FilePublisherCondition PublisherName="*" ProductName="*"
 BinaryName="*"><BinaryVersionRange LowSection="0.0.0.0" HighSection="*"/></FilePublisherCondition></Conditions>
 </FilePublisherRule></RuleCollection></AppLockerPolicy>"""
"""The default rules that the editor of policies makes, of all five collections."""


def path_rule(id_: str, sid: str, place: str) -> str:
    return (f'<FilePathRule Id="{id_}" Name="{id_}" Description="" UserOrGroupSid="{sid}" Action="Allow"><Conditions>'
            f'<FilePathCondition Path="{place}"/></Conditions></FilePathRule>')


def test_the_default_rules_of_applocker_only_have_their_writable_folders() -> None:
    files = "".join((path_rule("1", "S-1-1-0", r"%PROGRAMFILES%\*"), path_rule("2", "S-1-1-0", r"%WINDIR%\*"),
                     path_rule("3", "S-1-5-32-544", "*")))
    msi = path_rule("4", "S-1-1-0", r"%WINDIR%\Installer\*") + path_rule("5", "S-1-5-32-544", "*.*")
    found = lints(m.subject(m.applocker("gpo", DEFAULT_RULES.format(files=files, msi=msi))))
    assert {one.code for one in found} == {"applocker-writable-allow"}
    assert {one.cited.where.split()[-2:][0] for one in found} == {"Exe", "Dll", "Script"}


ALLOW_LIST = """<SiPolicy xmlns="urn:schemas-microsoft-com:sipolicy" PolicyType="Base Policy">
<VersionEx>10.0.5.0</VersionEx><PlatformID>{{2E07F7E4-194C-4D20-B7C9-6F44A6C5A234}}</PlatformID><Rules>
<Rule><Option>Enabled:Unsigned System Integrity Policy</Option></Rule>
<Rule><Option>Enabled:Advanced Boot Options Menu</Option></Rule><Rule><Option>Required:Enforce Store Applications
</Option></Rule><Rule><Option>Enabled:UMCI</Option></Rule>{more}</Rules>
<EKUs><EKU ID="ID_EKU_WINDOWS" Value="010A2B0601040182370A0306"/></EKUs>
<FileRules><FileAttrib ID="ID_FILEATTRIB_F_1" FileName="RefreshPolicy.exe" MinimumFileVersion="10.0.19042.0"/>
{rules}</FileRules>
<Signers><Signer ID="ID_SIGNER_WINDOWS" Name="Windows"><CertRoot Type="Wellknown" Value="06"/><CertEKU
 ID="ID_EKU_WINDOWS"/></Signer><Signer ID="ID_SIGNER_R" Name="R"><CertRoot Type="Wellknown" Value="06"/><FileAttribRef
 RuleID="ID_FILEATTRIB_F_1"/></Signer></Signers>
<SigningScenarios><SigningScenario Value="131" ID="ID_SIGNINGSCENARIO_DRIVERS_1"><ProductSigners><AllowedSigners>
<AllowedSigner SignerId="ID_SIGNER_WINDOWS"/></AllowedSigners></ProductSigners></SigningScenario>
<SigningScenario Value="12" ID="ID_SIGNINGSCENARIO_WINDOWS"><ProductSigners><AllowedSigners>
<AllowedSigner SignerId="ID_SIGNER_WINDOWS"/><AllowedSigner SignerId="ID_SIGNER_R"/></AllowedSigners><FileRulesRef>
{refs}</FileRulesRef></ProductSigners></SigningScenario></SigningScenarios>
<UpdatePolicySigners/><CiSigners><CiSigner SignerId="ID_SIGNER_WINDOWS"/></CiSigners><HvciOptions>0</HvciOptions>
<BasePolicyID>{{B}}</BasePolicyID><PolicyID>{{B}}</PolicyID></SiPolicy>"""
"""An allow list of the shape of Microsoft's templates: everything by signer."""


def allow_list(more: str = "", rules: str = "", refs: str = "") -> AppControlPolicy:
    return parse_app_control(ALLOW_LIST.format(more=more, rules=rules, refs=refs))


def test_an_allow_list_like_microsofts_templates_has_nothing_wrong() -> None:
    policy = allow_list()
    assert policy.left_out == ()
    assert codes(m.app_control("{B}", True, policy)) == set()
    audit = allow_list("<Rule><Option>Enabled:Audit Mode</Option></Rule>")
    assert codes(m.app_control("{B}", True, audit)) == {"app-control-audit-mode", "app-control-audit-stops-hta"}


def test_a_block_list_of_hundreds_of_versions_is_one_finding() -> None:
    rules = "".join(f'<Deny ID="ID_DENY_D_{at}" FriendlyName="d{at}" FileName="d{at}.sys" MinimumFileVersion="0.0.0.0" '
                    f'MaximumFileVersion="1.0.0.{at}"/>' for at in range(300))
    refs = "".join(f'<FileRuleRef RuleID="ID_DENY_D_{at}"/>' for at in range(300))
    found = lints(m.subject(m.app_control("{B}", True, allow_list("", rules, refs))))
    assert [one.code for one in found] == ["app-control-version-pin"]
    assert "of each of 300 deny rules" in found[0].what
    assert "and 297 more" in found[0].what
