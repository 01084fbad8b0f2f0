r"""Which keys of a hive are read: whole trees where policies lie, and the single keys that a setting or a fact needs.

    keys_of("SOFTWARE")    Keys(trees=(r"Policies", ...), single=(r"Microsoft\Windows NT\CurrentVersion", ...))

A hive has a million values and a control looks at one; what is not read here is not known, and nobody claims that it is
absent. The single keys of settings come from the controls themselves, so that a new control needs no change here.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from douse.content.controls import controls
from douse.content.settings import ChannelSetting, RegistrySetting, ServiceSetting

CHANNELS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\WINEVT\Channels"
SERVICES = r"SYSTEM\CurrentControlSet\Services"
APP_PATHS = r"SOFTWARE\Microsoft\Windows\CurrentVersion\App Paths"
VERSION = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion"
PROFILE_LIST = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
PRODUCT_OPTIONS = r"SYSTEM\CurrentControlSet\Control\ProductOptions"
TCPIP = r"SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
FIREWALL = r"SYSTEM\CurrentControlSet\Services\SharedAccess\Parameters\FirewallPolicy"
DEFENDER_ASR = r"SOFTWARE\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules"

PROGRAMS = {"chrome.exe": "chrome", "msedge.exe": "edge", "firefox.exe": "firefox", "winword.exe": "office",
            "excel.exe": "office", "outlook.exe": "office", "pwsh.exe": "powershell-core"}
"""A program under App Paths, and the product it belongs to."""

_SERVICES = ("AppIDSvc", "BFE", "EventLog", "MpsSvc", "Schedule", "Sense", "Sysmon", "Sysmon64", "WinDefend")
_TREES = {
    "SOFTWARE": (r"SOFTWARE\Policies", r"SOFTWARE\Microsoft\Windows\CurrentVersion\Policies", DEFENDER_ASR,
                 PROFILE_LIST),
    "SYSTEM": (FIREWALL,),
    "NTUSER.DAT": (r"Software\Policies", r"Software\Microsoft\Windows\CurrentVersion\Policies"),
    "UsrClass.dat": (),
}
HIVES = {"SOFTWARE": ("HKLM", "SOFTWARE"), "SYSTEM": ("HKLM", "SYSTEM"), "NTUSER.DAT": ("HKCU", ""),
         "UsrClass.dat": ("HKCU", r"Software\Classes")}
"""A hive's file, the part of the registry it is, and the key it is mounted at."""


@dataclass(frozen=True, slots=True)
class Keys:
    """Keys by their path in the registry, without the hive: `trees` with all below them, `single` without."""

    trees: tuple[str, ...]
    single: tuple[str, ...]


@cache
def keys_of(file: str) -> Keys:
    """What to read of a hive, by its file's name as in HIVES."""
    part, mount = HIVES[file]
    wanted = {setting.key.casefold(): setting.key for control in controls() for setting in control.settings
              if isinstance(setting, RegistrySetting) and setting.hive == part}
    for key in _facts(file):
        wanted.setdefault(key.casefold(), key)
    single = [key for folded, key in sorted(wanted.items())
              if folded.startswith(f"{mount}\\".lstrip("\\").casefold())
              and not (file == "NTUSER.DAT" and folded.startswith("software\\classes\\"))
              and not any(f"{folded}\\".startswith(f"{tree}\\".casefold()) for tree in _TREES[file])]
    return Keys(_TREES[file], tuple(single))


def _facts(file: str) -> list[str]:
    """Keys that say what a computer is and which services and logs it has."""
    settings = [setting for control in controls() for setting in control.settings]
    if file == "SOFTWARE":
        channels = [setting.channel for setting in settings if isinstance(setting, ChannelSetting)]
        return [VERSION, *(f"{APP_PATHS}\\{program}" for program in PROGRAMS),
                *(f"{CHANNELS}\\{channel}" for channel in channels)]
    if file == "SYSTEM":
        services = [setting.service for setting in settings if isinstance(setting, ServiceSetting)]
        return [PRODUCT_OPTIONS, TCPIP, *(f"{SERVICES}\\{name}" for name in dict.fromkeys((*_SERVICES, *services)))]
    if file == "NTUSER.DAT":
        return [APP_PATHS.replace("SOFTWARE", "Software", 1) + f"\\{program}" for program in PROGRAMS]
    return []
