"""Lints: each code is found where its fault is and not where it is not; codes and severities hold."""

from __future__ import annotations

import pytest

from douse.content.controls import controls
from douse.content.settings import AppControlSetting, AppLockerSetting
from douse.harden.app_control_policy import KERNEL, USER, AppControlPolicy, FileRule
from douse.harden.applocker_policy import AppLockerPolicy, AppLockerRule, Condition, RuleCollection
from douse.harden.audit.lints import CODES, lints
from douse.harden.finding import SEVERITIES, Lint
from douse.harden.firewall_rule import block_rule
from douse.harden.generate.applocker import made_policy
from douse.harden.generate.wdac import policy_for
from douse.harden.observed import Seen, StoredAppLocker, Subject
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


NOT_FOUND: list[tuple[str, list[m.Add]]] = [
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
