r"""AppLocker rules against a program: a policy's XML, and the same as SrpV2 values for registry.pol and .reg.

    files = list(applocker(policy))        Maker
    srp_values(policy)                     list of RegistryChange; plan.py puts them into Policy.registry

The Windows rule excepts the folders of Windows that users can write to, else it would allow what they drop there.

Two forms. Without a group: the default allow rules, and deny rules for everybody by publisher (any version, so that an
update or another name does not help) and by path. With a group that may go on using it: deny would win over the group's
allow, so nothing is denied; instead the default rules, that of the administrators too, allow everything *except* the
program, and one rule allows it to the group.

A collection that lets nothing start is refused: what no rule allows, AppLocker stops, Windows' own programs too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath

from douse.content.settings import AppLockerSetting
from douse.errors import ContentError, OutputError
from douse.harden.applocker_decision import ADMINISTRATORS, Program, decide
from douse.harden.applocker_policy import AppLockerPolicy, AppLockerRule, Condition, RuleCollection, rule_text, write
from douse.harden.generate.policy import BundleFile, GoRecord, Policy, RegistryChange, Site, guid_for
from douse.harden.generate.site import is_group_sid, is_name
from douse.harden.registry import RegistryValue
from douse.harden.writable_folders import BELOW_WINDOWS

KEY = r"SOFTWARE\Policies\Microsoft\Windows\SrpV2"
EVERYONE = "S-1-1-0"
_MODES = {"audit": "AuditOnly", "enforce": "Enabled"}
_WINDOWS = r"%WINDIR%\*"
_DEFAULTS = (("Program Files", r"%PROGRAMFILES%\*", EVERYONE), ("Windows", _WINDOWS, EVERYONE),
             ("everything, for administrators", "*", ADMINISTRATORS))
"""The three default rules of the Exe collection: what they allow, its path, and to whom."""

_WRITABLE = tuple(Condition("path", path=rf"%WINDIR%\{folder}\*") for folder in BELOW_WINDOWS)
"""What the Windows rule does not allow, as ordinary users can put files there."""

_PROBES = (Program((r"c:\windows\explorer.exe",), "", "", "EXPLORER.EXE"),
           Program((r"c:\program files\example\example.exe",), "", "", "EXAMPLE.EXE"))
"""Programs that a policy must let start."""


def applocker(policy: Policy) -> Iterator[BundleFile]:
    """The policy as XML, and how to apply it. Nothing where no control asks for AppLocker."""
    made = policy_of(policy)
    if made is None:
        return
    yield BundleFile(PurePosixPath("applocker/applocker.xml"), write(made), _about(policy))
    yield BundleFile(PurePosixPath("applocker/APPLY.txt"), _instructions(policy.site).encode(),
                     "The commands that merge the policy into a GPO or into one computer, and take it back.")


def srp_values(policy: Policy) -> list[RegistryChange]:
    """The same policy as the values that Group Policy keeps. None where no control asks for AppLocker."""
    made, wanted = policy_of(policy), policy.of(AppLockerSetting)
    return as_registry(made, wanted[0].control, wanted[0].setting.id) if made is not None else []


def as_registry(made: AppLockerPolicy, control: str, setting: str) -> list[RegistryChange]:
    """A policy as registry values: a key for each rule with its XML, and the mode of each collection. The keys of rules
    are GUIDs in lower case without braces."""
    found = []
    for collection in made.collections:
        key = f"{KEY}\\{collection.type}"
        mode = RegistryValue("REG_DWORD", 0 if collection.mode == "AuditOnly" else 1)
        values = [(key, "EnforcementMode", mode)]
        values += [(f"{key}\\{one.id}", "Value", RegistryValue("REG_SZ", rule_text(one))) for one in collection.rules]
        found += [RegistryChange(control, setting, "HKLM", at, name, value, True) for at, name, value in values]
    return found


def policy_of(policy: Policy) -> AppLockerPolicy | None:
    """The AppLocker policy that a Policy asks for, None where it asks for none; the errors of made_policy."""
    programs = [change.setting for change in policy.changes if isinstance(change.setting, AppLockerSetting)]
    return made_policy(programs, policy.mode, group_of(policy.site, policy.go)) if programs else None


def made_policy(programs: Sequence[AppLockerSetting], mode: str, group: tuple[str, str] | None) -> AppLockerPolicy:
    """The policy that keeps these programs from everybody, or from everybody but a group (name, SID). ContentError for
    a SID that is none; OutputError where nothing would start."""
    if group is not None and (not is_group_sid(group[1]) or not is_name(group[0], also="\\")):
        raise ContentError("mshta_sid", f"{group[1][:60]!r} is not the SID of a group of a domain or computer.",
                           "Write it as S-1-5-21-..., and the group's name beside it.")
    excepted = tuple(condition for setting in programs for condition in _conditions(setting)) if group else ()
    rules = [_rule(f"allow {path} {sid}", f"Allow {name}", "One of the default rules.", sid, "Allow",
                   Condition("path", path=path), (*excepted, *(_WRITABLE if path == _WINDOWS else ())))
             for name, path, sid in _DEFAULTS]
    for setting in programs:
        rules += _allow(setting, *group) if group else _deny(setting)
    made = AppLockerPolicy((RuleCollection("Exe", _MODES[mode], tuple(rules)),))
    refuse_bricks(made)
    return made


def group_of(site: Site, go: GoRecord | None) -> tuple[str, str] | None:
    """The group that may go on using the program, and its SID: the site's, else the only exception of the pre-flight.
    OutputError where there are several exceptions."""
    if site.mshta_sid:
        return site.mshta_group, site.mshta_sid
    groups = set(go.groups) if go is not None else set()
    if len(groups) > 1:
        raise OutputError("applocker", f"the pre-flight excepts {len(groups)} groups; one policy allows one.",
                          "Put them into one group, and name it as mshta_group and mshta_sid in the site's file.")
    return groups.pop() if groups else None


def refuse_bricks(policy: AppLockerPolicy) -> None:
    """OutputError for a policy under which Windows' own programs could not start, in whichever mode: an audited policy
    is one click from an enforced one."""
    for collection in policy.collections:
        allows = [rule for rule in collection.rules if rule.action == "Allow"]
        enforced = AppLockerPolicy((RuleCollection(collection.type, "Enabled", collection.rules),))
        stopped = [probe.paths[0] for probe in _PROBES if collection.type == "Exe" and not _starts(enforced, probe)]
        if collection.rules and (not allows or stopped):
            what = "has only deny rules" if not allows else f"would not let {stopped[0]} start"
            raise OutputError("applocker", f"the {collection.type} collection {what}: nothing would start any more.",
                              "Keep the default allow rules of the collection.")


def _starts(policy: AppLockerPolicy, program: Program) -> bool:
    return decide(policy, program, policy.collections[0].type).state == "allowed"


def _conditions(setting: AppLockerSetting) -> tuple[Condition, ...]:
    publisher = Condition("publisher", publisher=setting.publisher, product=setting.product_name, binary=setting.binary,
                          low="*", high="*")
    return (publisher, *(Condition("path", path=path) for path in setting.paths))


def _deny(setting: AppLockerSetting) -> Iterator[AppLockerRule]:
    for condition in _conditions(setting):
        what = "by its publisher, in any version" if condition.kind == "publisher" else f"at {condition.path}"
        yield _rule(f"deny {setting.binary} {condition.path or condition.publisher}", f"Deny {setting.binary} {what}",
                    "Infostealers begin with it (ATT&CK T1218.005).", EVERYONE, "Deny", condition)


def _allow(setting: AppLockerSetting, group: str, sid: str) -> Iterator[AppLockerRule]:
    """One rule for the group: the signed program of any version, wherever Windows keeps it."""
    yield _rule(f"allow {setting.binary} {sid}", f"Allow {setting.binary} for {group}",
                "Members of this group go on using it.", sid, "Allow", _conditions(setting)[0])


def _rule(identity: str, name: str, description: str, sid: str, action: str, condition: Condition,
          exceptions: tuple[Condition, ...] = ()) -> AppLockerRule:
    id_ = guid_for(f"applocker {identity}").strip("{}").lower()
    if not set(sid) <= set("S-0123456789"):
        raise ContentError("applocker", f"{sid[:60]!r} is no SID.")
    return AppLockerRule(id_, name, description, sid, action, (condition,), exceptions)


def _about(policy: Policy) -> str:
    group = group_of(policy.site, policy.go)
    mode = "only records what it would refuse" if policy.mode == "audit" else "is enforced"
    rest = ("People who are no administrators then start nothing that lies outside Program Files and Windows, or in "
            "the folders of Windows that they can write to.")
    if group:
        return (f"AppLocker policy; it {mode}. The default rules allow everything except the program, which only "
                f"{group[0]} may start; administrators outside the group may not. It denies nothing, as a deny would "
                f"win over the group's allow. {rest}")
    return (f"AppLocker policy; it {mode}. Default allow rules, and deny rules by publisher and path for everybody. "
            f"{rest}")


def _instructions(site: Site) -> str:
    domain = site.domain or "example.com"
    place = f"CN={{GPO-GUID}},CN=Policies,CN=System,{','.join(f'DC={label}' for label in domain.split('.'))}"
    return "\r\n".join(_TEXT).format(domain=domain, place=place)


_TEXT = (
    "Never run by the tool that wrote it; written for Windows PowerShell 5.1.",
    "",
    "1. BEFORE ENFORCING, look at all programs, not only at the one this is about. AppLocker is an allow list: as soon",
    "   as the Exe collection has rules, what lies outside Program Files and Windows starts for administrators only",
    "   (programs in user profiles, on other drives, on shares). Many sites need more rules than these. In the audit",
    "   window, event 8003 of Microsoft-Windows-AppLocker/EXE and DLL names each program that would be refused.",
    "2. AppLocker works only while the service Application Identity (AppIDSvc) runs: make it automatic (control H07).",
    "3. Keep what is there:",
    "     Get-AppLockerPolicy -Local -Xml | Out-File before.xml",
    "4. One computer, to try it. -Merge keeps the rules that are there; rules of theirs can allow what these do not:",
    "     Set-AppLockerPolicy -XmlPolicy .\\applocker.xml -Merge",
    "5. A GPO; put its GUID in:",
    "     Set-AppLockerPolicy -XmlPolicy .\\applocker.xml -Merge -Ldap 'LDAP://{domain}/{place}'",
    "6. Once it is enforced, event 8004 names what was refused.",
    "",
    "Back: Set-AppLockerPolicy -XmlPolicy .\\before.xml (without -Merge), or take these rules out of the GPO in the",
    "editor of policies; they are named as in applocker.xml.",
    "")
