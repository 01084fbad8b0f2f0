"""The formats of a bundle by the word of `--as`: where each is made, what it can say, how to deploy it and undo it.

A format is a function that is imported when it is asked for. `says` are the kinds of settings that it has a word for;
one that none of the chosen formats says is named in the bundle's README and by the command, as it would else be
believed to be set.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib import import_module

from douse.content.settings import (
    AppControlSetting,
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    FeatureSetting,
    FirewallSetting,
    RegistrySetting,
    SaclSetting,
    ServiceSetting,
    Setting,
    SysmonSetting,
)
from douse.harden.generate.policy import Maker, Policy

VALUES = (RegistrySetting, FirewallSetting, AppLockerSetting, AsrSetting)
BROWSERS = ("chrome", "edge", "firefox")


@dataclass(frozen=True, slots=True)
class Format:
    """A format: `target` is `module:function`. `products` are the programs whose registry values it says, none where it
    says all. `deploy` and `undo` are steps for people, one sentence each."""

    word: str
    target: str
    title: str
    says: tuple[type[Setting], ...]
    deploy: tuple[str, ...]
    undo: str
    products: tuple[str, ...] = ()

    def load(self) -> Maker:
        """Import the function."""
        module, name = self.target.split(":")
        found: Maker = getattr(import_module(module), name)
        return found

    def can_say(self, setting: Setting) -> bool:
        """Whether the format has a word for a setting."""
        return isinstance(setting, self.says) and (
            not isinstance(setting, RegistrySetting) or not self.products or setting.product in self.products)


def _here(module: str) -> str:
    return f"douse.harden.generate.{module}:files"


FORMATS: Mapping[str, Format] = {one.word: one for one in (
    Format("gpo", _here("gpo"), "Backup of a Group Policy Object", (*VALUES, ServiceSetting, AuditSetting), (
        "Copy the folder `gpo` to a computer with the Group Policy Management tools.",
        "Import it into a new GPO: `Import-GPO -BackupId BACKUP -Path FOLDER -TargetName NAME -CreateIfNeeded`.",
        "There BACKUP is the name of the folder in braces below `gpo`, FOLDER the full path of `gpo`.",
        "The backup holds no report (gpreport.xml): look at the settings in the imported GPO.",
        "Link it to the organisational unit of ring 1, with security filtering on that ring's group."),
        "Unlink the GPO, then `gpupdate /force`; `gpo-undo/`, where it is there, takes back values that stay."),
    Format("pol", _here("pol"), "registry.pol for LGPO.exe", VALUES, (
        "On a computer without a domain, as administrator: `LGPO.exe /m pol\\Machine\\registry.pol`.",
        "For its users: `LGPO.exe /u pol\\User\\registry.pol`."), "The same with the files below `pol\\undo`."),
    Format("reg", _here("reg"), "Registry files for single computers", VALUES, (
        "For a laboratory, as administrator: `reg import reg\\apply.reg`.",
        "And as each user: `reg import reg\\apply-user.reg`.",
        "Where a domain policy sets the same keys, it overwrites them at its next refresh."),
        "`reg import reg\\undo.reg`, and the user's file as that user."),
    Format("powershell", _here("powershell"), "PowerShell scripts for single computers", (
        *VALUES, ServiceSetting, AuditSetting, ChannelSetting, FeatureSetting, SaclSetting), (
        "In Windows PowerShell 5.1, as administrator: `powershell\\apply.ps1` says what it would change.",
        "`powershell\\apply.ps1 -Execute` changes it and keeps what it found; `verify.ps1` says what is set.",
        "`powershell\\set-sacl.ps1 -Execute`, where it is there, as a start-up script: it audits the stores' folders."),
        "`powershell\\undo.ps1 -Execute` puts back what was found; `undo-sacl.ps1 -Execute` the audit entries."),
    Format("applocker", "douse.harden.generate.applocker:applocker", "AppLocker policy", (AppLockerSetting,), (
        "`applocker/APPLY.txt` has the commands, for one computer and for a GPO.",),
        "`applocker/APPLY.txt` has the commands."),
    Format("wdac", "douse.harden.generate.wdac:wdac", "App Control policy", (AppControlSetting,), (
        "`wdac/APPLY.txt` has the commands; the binary policy is made on Windows.",),
        "`wdac/APPLY.txt` has the commands."),
    Format("intune", _here("intune"), "Intune profiles (custom OMA-URI)", (
        FirewallSetting, AppLockerSetting, AsrSetting, AuditSetting), (
        "`intune/APPLY.txt` has the commands; assign each profile to the group of ring 1 first.",),
        "Remove the assignment, then the profile."),
    Format("browser", _here("browser"), "Browser policies as JSON, for Linux and macOS", (RegistrySetting,), (
        "Put each file where its line above says; on Windows the same policies are registry values.",),
        "Delete the file, and start the browser again.", BROWSERS),
    Format("sysmon", _here("sysmon"), "Sysmon configuration", (SysmonSetting,), (
        ("Keep what is configured: `sysmon64 -c > before.txt`; then, as administrator, `sysmon64 -c sysmon.xml`, or "
        "`sysmon64 -accepteula -i sysmon.xml` where Sysmon is not installed."),),
        "Give Sysmon the configuration that it had, or uninstall it: `sysmon64 -u`."),
    Format("auditpol", _here("auditpol"), "Audit policy", (AuditSetting, ChannelSetting, SaclSetting), (
        "As administrator: `auditpol\\apply.ps1 -Execute`, which only adds.",
        "Or `auditpol /restore /file:audit.csv`, which replaces.",
        "`auditpol\\set-sacl.ps1 -Execute`, where it is there, as a start-up script."),
        "`auditpol\\undo.ps1 -Execute`; `auditpol\\undo-sacl.ps1 -Execute` the audit entries."),
)}
"""The formats in the order in which a bundle holds them."""


def unsaid(policy: Policy, words: Iterable[str]) -> Iterator[tuple[str, Setting, tuple[str, ...]]]:
    """The settings of a policy that none of the formats says: control, setting, and the formats that would say it."""
    chosen = tuple(words)
    for control, setting in realised_settings(policy):
        able = tuple(word for word, one in FORMATS.items() if one.can_say(setting))
        if not set(able) & set(chosen):
            yield control, setting, able


def realised_settings(policy: Policy) -> Iterator[tuple[str, Setting]]:
    """Every setting that the policy sets, each once, by control."""
    settings = {setting.id: (control.id, setting) for control in policy.controls for setting in control.settings}
    ids = [*(change.setting for change in policy.registry), *(change.setting.id for change in policy.firewall)]
    for change in policy.changes:
        settings.setdefault(change.setting.id, (change.control, change.setting))
        ids.append(change.setting.id)
    for id_ in dict.fromkeys(ids):
        if id_ in settings:  # but what only goes with another, such as the version of a firewall policy
            yield settings[id_]
