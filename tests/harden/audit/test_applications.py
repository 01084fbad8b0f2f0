"""AppLocker and App Control as controls: who may start mshta, and what is in force."""

from __future__ import annotations

import pytest

from douse.content.settings import AppControlSetting, AppLockerSetting
from douse.harden.app_control_policy import AppControlPolicy, FileRule
from douse.harden.audit.app_control import check_app_control
from douse.harden.audit.checks import check
from douse.harden.audit.mshta_app_control import DRIVERS_ONLY, UMCI_STATUS
from harden import makers as m

PUBLISHER = "O=MICROSOFT CORPORATION, L=REDMOND, S=WASHINGTON, C=US"
LOCK = AppLockerSetting(id="H99/deny", publisher=PUBLISHER, product_name="INTERNET EXPLORER", binary="MSHTA.EXE",
                        paths=(r"%SYSTEM32%\mshta.exe", r"%WINDIR%\SysWOW64\mshta.exe"))
CONTROL = AppControlSetting(id="H99/deny", file_name="mshta.exe")

WINDOWS = ('<FilePathRule Id="a" Name="Windows" Description="" UserOrGroupSid="{sid}" Action="Allow"><Conditions>'
           '<FilePathCondition Path="%WINDIR%\\*"/></Conditions></FilePathRule>')
DENY = (f'<FilePublisherRule Id="d" Name="mshta" Description="" UserOrGroupSid="{{sid}}" Action="Deny"><Conditions>'
        f'<FilePublisherCondition PublisherName="{PUBLISHER}" ProductName="INTERNET EXPLORER" BinaryName="MSHTA.EXE">'
        '<BinaryVersionRange LowSection="*" HighSection="*"/></FilePublisherCondition></Conditions>'
        "</FilePublisherRule>")
EVERYONE, GROUP = "S-1-1-0", "S-1-5-21-1-2-3-1104"


def policy(*rules: str, mode: str = "Enabled") -> str:
    return (f'<AppLockerPolicy Version="1"><RuleCollection Type="Exe" EnforcementMode="{mode}">{"".join(rules)}'
            "</RuleCollection></AppLockerPolicy>")


ALLOW_ALL = WINDOWS.format(sid=EVERYONE)
PATH_DENY = (f'<FilePathRule Id="9" Name="path" Description="" UserOrGroupSid="{EVERYONE}" Action="Deny"><Conditions>'
             r'<FilePathCondition Path="%SYSTEM32%\mshta.exe"/></Conditions></FilePathRule>')
DENIES = policy(ALLOW_ALL, DENY.format(sid=EVERYONE))
AUDITS = policy(ALLOW_ALL, DENY.format(sid=EVERYONE), mode="AuditOnly")
ALLOWS = policy(ALLOW_ALL)
GROUP_ONLY = policy(WINDOWS.format(sid=GROUP))
NOT_FOR_SOME = policy(ALLOW_ALL, DENY.format(sid=GROUP))
NOTHING = '<AppLockerPolicy Version="1"/>'
SRP = r"SOFTWARE\Policies\Microsoft\Windows\SrpV2"


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    ([m.applocker("effective", DENIES)], "pass"),
    ([m.applocker("gpo", DENIES)], "pass"),
    ([m.applocker("effective", AUDITS)], "partial"),
    ([m.applocker("effective", GROUP_ONLY)], "partial"),
    ([m.applocker("effective", NOT_FOR_SOME)], "partial"),
    ([m.applocker("effective", ALLOWS)], "fail"),
    ([m.applocker("effective", NOTHING)], "fail"),
    ([m.applocker("effective", NOTHING), m.applocker("gpo", DENIES, of=m.HIVE)], "conflict"),
    ([m.applocker("effective", DENIES), m.applocker("gpo", AUDITS, of=m.HIVE)], "pass"),
    ([m.applocker("effective", DENIES), m.applocker("effective", ALLOWS, of=m.HIVE)], "conflict"),
    ([m.applocker("gpo", ALLOWS), m.applocker("local", policy(DENY.format(sid=EVERYONE)))], "pass"),
    ([m.applocker("gpo", AUDITS), m.applocker("local", DENIES)], "partial"),
    ([m.applocker("effective", policy(ALLOW_ALL, PATH_DENY))], "partial"),  # a copy in WinSxS starts
    ([m.applocker("gpo", DENIES), m.applocker("gpo", policy(DENY.format(sid=EVERYONE), mode="Odd"))], "unknown"),
    ([m.whole_key("HKLM", SRP)], "fail"),
    ([m.whole_key("HKLM", r"SOFTWARE\Policies\Google")], "unknown"),
], ids=lambda value: str(value)[:20])
def test_applocker(adds, state) -> None:
    for order in (adds, adds[::-1]):
        (found,) = check(LOCK, m.subject(*order), "seed")
        assert found.state == state, found.why


def test_an_applocker_policy_by_itself() -> None:
    (found,) = check(LOCK, m.subject(m.applocker("gpo", AUDITS), kind="policy"), "seed")
    assert found.state == "partial"
    (found,) = check(LOCK, m.subject(m.whole_key("HKLM", SRP), kind="policy"), "seed")
    assert found.state == "not-applicable"


# ── App Control ───────────────────────────────────────────────────────────────────────────────────────────────────────


def base(*options: str, deny: bool = True) -> AppControlPolicy:
    rules = (FileRule("Allow", "A", "", "*", "", "", "", ""),
             FileRule("Deny", "D", "", "mshta.exe", "65535.65535.65535.65535", "", "", ""))[: 2 if deny else 1]
    return AppControlPolicy("{1}", "{1}", "Base Policy", "Base", frozenset(options), rules,
                            ((12, tuple(rule.id for rule in rules)),))


ENFORCED, AUDIT = base("Enabled:UMCI"), base("Enabled:UMCI", "Enabled:Audit Mode")
SILENT, DRIVERS = base("Enabled:UMCI", deny=False), base()


@pytest.mark.parametrize(("adds", "state"), [
    ([], "unknown"),
    ([m.app_control_whole()], "fail"),
    ([m.effective(UMCI_STATUS, 0)], "fail"),
    ([m.effective(UMCI_STATUS, 2)], "unknown"),
    ([m.app_control("{1}", True, ENFORCED)], "pass"),
    ([m.app_control("{1}", None, ENFORCED)], "unknown"),
    ([m.app_control("{1}", False, ENFORCED), m.app_control_whole()], "fail"),
    ([m.app_control("{1}", False, ENFORCED)], "unknown"),
    ([m.app_control("{1}", True, None)], "unknown"),
    ([m.app_control("{1}", True, None), m.app_control("1", None, ENFORCED, of=m.HIVE)], "pass"),
    ([m.app_control("{1}", True, None), m.app_control("{1}", False, None, of=m.HIVE)], "conflict"),
    ([m.app_control("{1}", True, AUDIT)], "partial"),
    ([m.app_control("{1}", True, SILENT)], "partial"),
    ([m.app_control("{1}", True, DRIVERS), m.app_control_whole()], "fail"),
    ([m.app_control("{1}", True, SILENT), m.app_control("{2}", True, ENFORCED)], "pass"),
    ([m.app_control(next(iter(DRIVERS_ONLY)), True, None), m.app_control_whole()], "fail"),
], ids=lambda value: str(value)[:20])
def test_app_control(adds, state) -> None:
    for order in (adds, adds[::-1]):
        (found,) = check_app_control(CONTROL, m.subject(*order))
        assert found.state == state, found.why


def test_the_file_of_a_policy_is_judged_by_what_it_would_do() -> None:
    for stored, state in ((ENFORCED, "pass"), (AUDIT, "partial"), (DRIVERS, "fail")):
        (found,) = check(CONTROL, m.subject(m.app_control("{1}", None, stored), kind="policy"), "seed")
        assert found.state == state
    (found,) = check(CONTROL, m.subject(kind="policy"), "seed")
    assert found.state == "not-applicable"
