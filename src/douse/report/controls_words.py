r"""A setting in words: where it lies, what is wanted there, and how somebody at the computer looks at it.

    where(setting)     HKLM\SOFTWARE\Policies\Google\Chrome!PasswordManagerEnabled
    wanted(setting)    0 (REG_DWORD)
    check(setting)     Get-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\Policies\Google\Chrome'

A Setting goes in (content/settings.py), a text comes out. None of these commands was run on Windows here; they only
read. Names in them come from our catalogue, never from evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from douse.content import settings as kinds
from douse.content.questionnaire import questions
from douse.content.settings import Accept, Setting

NOT_TRIED = "None of these settings and commands was run on Windows by us; the sources say how far each was verified."

_POLICIES = "HKLM\\SOFTWARE\\Policies\\Microsoft"
_RULES = f"{_POLICIES}\\WindowsFirewall\\FirewallRules"
_ASR = f"{_POLICIES}\\Windows Defender\\Windows Defender Exploit Guard\\ASR\\Rules"
_APPLOCKER = f"{_POLICIES}\\Windows\\SrpV2\\Exe"
_APP_CONTROL = "C:\\Windows\\System32\\CodeIntegrity\\CiPolicies\\Active"

MFA_WORDS: Mapping[str, str] = {
    "admins-registered": "every administrator has registered a second factor",
    "users-registered": "nearly every user has registered a second factor",
    "admins-phishing-resistant": "every administrator has a factor that cannot be phished (passkey, security key, "
                                 "certificate)",
    "no-sms-only": "nobody's only factor is SMS or a call",
    "policies-enforced": "a policy that demands it is enforced, not only reported",
    "no-exclusions": "the policy excludes nobody but named emergency accounts",
    "legacy-blocked": "sign-in by old protocols, which ask for no factor, is blocked",
}

_READS: dict[type[Setting], str] = {
    kinds.RegistrySetting: "registry", kinds.FirewallSetting: "firewall", kinds.AppLockerSetting: "applocker",
    kinds.AppControlSetting: "app_control", kinds.ServiceSetting: "service", kinds.AuditSetting: "audit_policy",
    kinds.EffectiveSetting: "effective", kinds.AsrSetting: "asr", kinds.FeatureSetting: "feature",
    kinds.ChannelSetting: "channel", kinds.SysmonSetting: "sysmon", kinds.SaclSetting: "sacl",
    kinds.TenantSetting: "mfa", kinds.QuestionSetting: "question"}


def kind(setting: Setting) -> str:
    """The word of a setting's kind, which is its key in the catalogue."""
    return _READS[type(setting)]


def where(setting: Setting) -> str:
    """The place of a setting."""
    return _WHERE[kind(setting)](setting)


def wanted(setting: Setting) -> str:
    """What is good there."""
    return _WANTED[kind(setting)](setting)


def check(setting: Setting) -> str:
    """A command that shows it, or where no command can, what to do."""
    return _CHECK[kind(setting)](setting)


def accepted(accept: Accept) -> str:
    """What a value may be: `0`, `4, 1 or 2`, `16384 or more`."""
    first = accept.operands[0] if accept.operands else ""
    match accept.operator:
        case "one-of":
            return " or ".join(filter(None, (", ".join(accept.operands[:-1]), accept.operands[-1])))
        case ">=":
            return f"{first} or more"
        case "<=":
            return f"{first} or less"
        case "contains":
            return f"a text with {first} in it"
        case "present":
            return "there, with any data"
        case "!=":
            return f"anything but {first}"
    return first or "empty"


def _registry_wanted(one: Any) -> str:
    said = f"{accepted(one.accept)} ({' or '.join(one.types)})"
    if one.good is not None and one.accept.operator != "=":
        said += ", written as an empty text" if one.good == "" else f", written as {one.good}"
    return said + (", or not there" if one.absent else "")


def _audit_wanted(one: Any) -> str:
    return " and ".join(word for word, there in (("success", one.success), ("failure", one.failure)) if there)


def _ports(one: Any) -> str:
    return f"outbound TCP {' and '.join(map(str, one.tcp))} blocked" if one.tcp else "all outbound traffic blocked"


def _asr_wanted(one: Any) -> str:
    return f"{one.title}: 1 (block){'' if one.start == 'block' else ', begin with 2 (audit)'}"


_WHERE: dict[str, Callable[[Any], str]] = {
    "registry": lambda one: one.path,
    "firewall": lambda one: f"{_RULES}, a rule for {one.program}",
    "applocker": lambda one: f"{_APPLOCKER}, deny rules for {one.binary}",
    "app_control": lambda one: f"{_APP_CONTROL}, a policy that denies {one.file_name}",
    "service": lambda one: f"service {one.service}",
    "audit_policy": lambda one: f"audit subcategory {one.title} {{{one.guid}}}",
    "effective": lambda one: one.state,
    "asr": lambda one: f"{_ASR}!{one.guid}",
    "feature": lambda one: f"optional feature {one.feature}",
    "channel": lambda one: f"event log {one.channel}",
    "sysmon": lambda _one: "Sysmon",
    "sacl": lambda _one: "audit entries of the credential stores' folders in every user profile",
    "mfa": lambda one: f"tenant: {one.check}",
    "question": lambda one: f"questionnaire: {one.question}",
}

_WANTED: dict[str, Callable[[Any], str]] = {
    "registry": _registry_wanted,
    "firewall": _ports,
    "applocker": lambda one: f"nobody may start {one.binary}, any version, nor {' nor '.join(one.paths)}",
    "app_control": lambda one: f"{one.file_name} denied by its original name, in an enforced policy",
    "service": lambda one: f"start type {one.start}",
    "audit_policy": _audit_wanted,
    "effective": lambda one: accepted(one.accept),
    "asr": _asr_wanted,
    "feature": lambda one: one.state,
    "channel": lambda _one: "enabled",
    "sysmon": lambda one: f"running, with events {', '.join(map(str, one.ids))} and hashes {', '.join(one.hashes)}",
    "sacl": lambda _one: "reads by Everyone audited, inherited by what lies below",
    "mfa": lambda one: MFA_WORDS[one.check],
    "question": lambda one: f"yes, with proof: {_question(one)}",
}


def _question(one: Any) -> str:
    return next(question.text for question in questions() if question.id == one.question)


def _quoted(text: str) -> str:
    """A text in PowerShell's single quotes."""
    return "'" + text.replace("'", "''") + "'"


def _registry_check(one: Any) -> str:
    command = f"Get-ItemProperty -LiteralPath {_quoted(f'{one.hive}:{chr(92)}{one.key}')}"
    return f"{command}  # as each user" if one.hive == "HKCU" else command


def _firewall_check(one: Any) -> str:
    program = one.program.rpartition("%")[2]
    return ("Get-NetFirewallRule -PolicyStore ActiveStore -Direction Outbound -Action Block -Enabled True | "
            f"Get-NetFirewallApplicationFilter | Where-Object Program -like {_quoted('*' + program)}")


def _effective_check(one: Any) -> str:
    source, _, name = one.state.partition(".")
    return f"(Get-{source}).{name}"


def _proof(one: Any) -> str:
    return next(question.proof for question in questions() if question.id == one.question)


_CHECK: dict[str, Callable[[Any], str]] = {
    "registry": _registry_check,
    "firewall": _firewall_check,
    "applocker": lambda one: "Get-AppLockerPolicy -Effective | Test-AppLockerPolicy -User Everyone -Path "
                             f"C:\\Windows\\System32\\{one.binary.lower()}",
    "app_control": lambda _one: "CiTool --list-policies -json  # Windows 11 22H2 and Server 2025",
    "service": lambda one: f"Get-Service {one.service} | Select-Object Status, StartType",
    "audit_policy": lambda one: f"auditpol /get /subcategory:\"{{{one.guid}}}\"",
    "effective": _effective_check,
    "asr": lambda _one: "Get-MpPreference | Select-Object AttackSurfaceReductionRules_Ids, "
                        "AttackSurfaceReductionRules_Actions",
    "feature": lambda one: f"(Get-WindowsOptionalFeature -Online -FeatureName {one.feature}).State",
    "channel": lambda one: f"wevtutil gl {one.channel}",
    "sysmon": lambda _one: "Sysmon64.exe -c",
    "sacl": lambda _one: "(Get-Acl -Audit \"$env:LOCALAPPDATA\\Google\\Chrome\\User Data\").Audit  # each store, "
                         "each profile",
    "mfa": lambda one: "Export conditionalAccess/policies from Microsoft Graph"
                       if one.check in ("policies-enforced", "no-exclusions", "legacy-blocked") else
                       "Export userRegistrationDetails from Microsoft Graph",
    "question": _proof,
}
