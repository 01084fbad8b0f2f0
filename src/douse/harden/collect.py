r"""The read-only collector: a PowerShell script made from the catalogue, which an administrator runs on each host.

    script()    the text of collect.ps1        asked()    what it asks for

Nothing of evidence goes into it: what varies are constants of our own catalogue, each single-quoted and checked to be
plain ASCII, because Windows PowerShell 5.1 reads a script without a BOM in the machine's code page. What it prints is
described by content/collect/collected.schema.json; evidence/collector.py reads it. Never run on Windows by us.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse import __version__
from douse.content.controls import controls
from douse.content.settings import (
    AppLockerSetting,
    ChannelSetting,
    EffectiveSetting,
    FeatureSetting,
    FirewallSetting,
    RegistrySetting,
    ServiceSetting,
    Setting,
)
from douse.errors import ContentError
from douse.harden.stores_folders import profile_store_folders

TEMPLATE = Path(__file__).parent.parent / "content" / "collect" / "collect.ps1"
BEGIN, END = "# <constants>\n", "# </constants>\n"

CHANNELS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels"
"""Where Windows keeps whether an event log is on: `<channel>!Enabled`."""

APP_PATHS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths"
"""Where installed programs name their file, for the computer and for a user."""

PROGRAMS = {
    "chrome": ("chrome.exe",), "edge": ("msedge.exe",), "firefox": ("firefox.exe",),
    "office": ("winword.exe", "excel.exe", "outlook.exe"), "powershell-core": ("pwsh.exe",)}
"""A product (Setting.product) and the programs that show it to be installed."""

USER_PROGRAMS = (
    ("chrome", r"AppData\Local\Google\Chrome\Application\chrome.exe"),
    ("firefox", r"AppData\Local\Mozilla Firefox\firefox.exe"),
    ("powershell-core", r"AppData\Local\Microsoft\WindowsApps\pwsh.exe"))
"""Where people install them for themselves, below their profile."""

SYSMON = (r"SYSTEM\CurrentControlSet\Services\SysmonDrv\Parameters", "HashingAlgorithm")
"""Sysmon's driver keeps its hashes here; its rules are in a binary form that nobody describes."""

SYSMON_CONFIG = (SYSMON[0], "ConfigHash")
"""The hash of the configuration that was loaded, by which people can tell which one it is."""

FIREWALL_KEYS = (
    r"SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules",
    r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\Mdm\FirewallRules",
    r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy\FirewallRules")
"""The firewall's stores: Group Policy, MDM, local."""

LISTS = (
    *(("HKLM", key) for key in FIREWALL_KEYS),
    ("HKLM", r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR"),
    ("HKLM", r"SOFTWARE\Policies\Microsoft\Windows Defender\Policy Manager"),
    ("HKLM", r"SOFTWARE\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR"),
    ("HKLM", r"SOFTWARE\Policies\Microsoft\Windows\SrpV2"),
    ("HKLM", r"SOFTWARE\Policies\Google\Chrome\ExtensionInstallAllowlist"),
    ("HKLM", r"SOFTWARE\Policies\Google\Chrome\ExtensionInstallBlocklist"),
    ("HKLM", r"SOFTWARE\Policies\Microsoft\Edge\ExtensionInstallAllowlist"),
    ("HKLM", r"SOFTWARE\Policies\Microsoft\Edge\ExtensionInstallBlocklist"),
    ("HKCU", r"SOFTWARE\Policies\Google\Chrome\ExtensionInstallAllowlist"),
    ("HKCU", r"SOFTWARE\Policies\Google\Chrome\ExtensionInstallBlocklist"),
    ("HKCU", r"SOFTWARE\Policies\Microsoft\Edge\ExtensionInstallAllowlist"),
    ("HKCU", r"SOFTWARE\Policies\Microsoft\Edge\ExtensionInstallBlocklist"),
)
"""Keys whose values have no fixed names: they are read whole."""

PREFERENCES = (
    "DisableRealtimeMonitoring", "DisableBehaviorMonitoring", "DisableIOAVProtection", "DisableScriptScanning",
    "DisableBlockAtFirstSeen", "MAPSReporting", "SubmitSamplesConsent", "CloudBlockLevel", "CloudExtendedTimeout",
    "PUAProtection", "EnableNetworkProtection", "EnableControlledFolderAccess")
STATUSES = (
    "AMRunningMode", "AMServiceEnabled", "AntivirusEnabled", "RealTimeProtectionEnabled", "BehaviorMonitorEnabled",
    "IoavProtectionEnabled", "OnAccessProtectionEnabled", "NISEnabled", "IsTamperProtected", "AntivirusSignatureAge")
GUARDS = (
    "CodeIntegrityPolicyEnforcementStatus", "UsermodeCodeIntegrityPolicyEnforcementStatus",
    "VirtualizationBasedSecurityStatus", "SecurityServicesConfigured", "SecurityServicesRunning")
"""Properties that are read whether or not a control names them: they explain the others."""

SERVICES = ("MpsSvc", "AppIDSvc", "WinDefend", "Sense")
"""The services of the firewall, AppLocker, Defender and its sensor; any Sysmon is told whatever it is called."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What the script reads. `values` are (hive, key, name), `lists` (hive, key); `preferences`, `statuses` and
    `guards` are properties of Get-MpPreference, Get-MpComputerStatus and Win32_DeviceGuard; `programs` are file names
    whose firewall rules are looked at; `folders` hold credential stores, below a profile."""

    values: tuple[tuple[str, str, str], ...]
    lists: tuple[tuple[str, str], ...]
    preferences: tuple[str, ...]
    statuses: tuple[str, ...]
    guards: tuple[str, ...]
    programs: tuple[str, ...]
    services: tuple[str, ...]
    features: tuple[str, ...]
    channels: tuple[str, ...]
    folders: tuple[str, ...]
    products: tuple[str, ...] = tuple(PROGRAMS)


@cache
def asked() -> Asked:
    """Everything that a setting of the catalogue is checked by, each once, in the order of the controls."""
    settings = [setting for control in controls() for setting in control.settings]
    states = [state.partition(".") for state in map(_state, settings) if state]
    channels = _once(one.channel for one in settings if isinstance(one, ChannelSetting))
    return Asked(
        values=_values(settings, channels), lists=LISTS,
        preferences=_once((*PREFERENCES, *(name for of, _, name in states if of == "MpPreference"))),
        statuses=_once((*STATUSES, *(name for of, _, name in states if of == "MpComputerStatus"))),
        guards=_once((*GUARDS, *(name for of, _, name in states if of == "DeviceGuard"))),
        programs=_once(_program(one) for one in settings if isinstance(one, (FirewallSetting, AppLockerSetting))),
        services=_once((*SERVICES, *(one.service for one in settings if isinstance(one, ServiceSetting)))),
        features=_once(one.feature for one in settings if isinstance(one, FeatureSetting)),
        channels=channels, folders=profile_store_folders())


def _values(settings: Iterable[Setting], channels: Iterable[str]) -> tuple[tuple[str, str, str], ...]:
    wanted = [(one.hive, one.key, one.name) for one in settings if isinstance(one, RegistrySetting)]
    wanted += [("HKLM", f"{CHANNELS}\\{channel}", "Enabled") for channel in channels]
    wanted += [(hive, f"{APP_PATHS}\\{program}", "") for programs in PROGRAMS.values() for program in programs
               for hive in ("HKLM", "HKCU")]
    wanted += [("HKLM", *SYSMON), ("HKLM", *SYSMON_CONFIG)]
    first: dict[tuple[str, str, str], tuple[str, str, str]] = {}
    for hive, key, name in wanted:
        first.setdefault((hive, key.casefold(), name.casefold()), (hive, key, name))
    return tuple(first.values())


def _state(setting: Setting) -> str:
    if isinstance(setting, EffectiveSetting):
        return setting.state
    return setting.effective if isinstance(setting, RegistrySetting) else ""


def _program(setting: FirewallSetting | AppLockerSetting) -> str:
    name = setting.program if isinstance(setting, FirewallSetting) else setting.binary
    return name.rpartition("\\")[2].lower()


def _once(names: Iterable[str]) -> tuple[str, ...]:
    first: dict[str, str] = {}
    for name in names:
        first.setdefault(name.casefold(), name)
    return tuple(first.values())


def script() -> str:
    """The whole script; the same catalogue gives the same text."""
    before, _, rest = TEMPLATE.read_text(encoding="utf-8").partition(BEGIN)
    _, found, after = rest.partition(END)
    if not found:
        raise ContentError(str(TEMPLATE), "has no place for the constants.", f"Keep {BEGIN.strip()} and {END.strip()}.")
    return before + BEGIN + constants(asked()) + END + after


def constants(wanted: Asked) -> str:
    """The lines of the script that the catalogue decides."""
    lists = {
        "askedValues": ["|".join(value) for value in wanted.values],
        "askedLists": ["|".join(one) for one in wanted.lists],
        "preferences": wanted.preferences, "statuses": wanted.statuses, "guards": wanted.guards,
        "programs": wanted.programs, "services": wanted.services, "features": wanted.features,
        "userPrograms": ["|".join(one) for one in USER_PROGRAMS], "folders": wanted.folders}
    for value in (*wanted.values, *wanted.lists, *USER_PROGRAMS):
        if any("|" in part for part in value):
            raise ContentError("controls", f"{value!r} has a '|', which the script separates names with.",
                               "Name another key.")
    lines = [f"$toolVersion = {quoted(__version__)}"]
    for name, texts in lists.items():
        lines += [f"${name} = @(", *(f"    {quoted(text)}" for text in texts), ")"]
    return "".join(line + "\n" for line in lines)


def quoted(text: str) -> str:
    """A text as a PowerShell constant, in which nothing has a meaning."""
    if not text.isascii() or not text.isprintable():
        raise ContentError("controls", f"{text!r} has signs that are not plain ASCII.",
                           "The script must hold in every code page; name it otherwise.")
    return "'" + text.replace("'", "''") + "'"
