r"""What a Sysmon configuration of ours records: for each event id its tag, and which of its events are wanted.

    FILTERS[10]  ->  Filter("ProcessAccess", include=(...), exclude=(...))

A filter that is for `all` records everything but what `exclude` fits; in both lists a rule fits where all of its
conditions do, and one rule is enough. The choices follow content/telemetry/prerequisites/sysmon.yml and what our rules
look at; a test holds that every event which must fire a rule is recorded. What is left out as noise names only programs
and folders that a user cannot write to. Tags, fields and conditions are those of Microsoft's Sysmon page. Written down
by sysmon.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from douse.content.paths import expanded
from douse.content.stores import stores


@dataclass(frozen=True, slots=True)
class Condition:
    """A field of the event, Sysmon's word for the comparison, and the value (several are joined by `;`)."""

    field: str
    condition: str
    value: str


Rule = tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class Filter:
    """One event's filter; `tag` is its element. With neither rules nor `all` nothing is recorded."""

    tag: str
    include: tuple[Rule, ...] = ()
    exclude: tuple[Rule, ...] = ()
    all: bool = False


def _any(field: str, values: Iterable[str]) -> Condition:
    return Condition(field, "contains any", ";".join(values))


def _ends(field: str, values: Iterable[str]) -> tuple[Rule, ...]:
    return tuple((Condition(field, "end with", value),) for value in values)


def _starts(field: str, values: Iterable[str]) -> tuple[Rule, ...]:
    return tuple((Condition(field, "begin with", value),) for value in values)


def _owners(field: str, store: str) -> Iterator[Rule]:
    """The programs that own a store and lie where only administrators write, by their full path."""
    found = {at for known in stores() if known.id == store for product in known.products for owner in product.owners
             if owner.admin_only and owner.verified and not owner.helper for at in expanded(owner.at)}
    for at in sorted(found):
        root, _, rest = at.partition("\\")
        for folder in ("C:\\Program Files", "C:\\Program Files (x86)") if root.upper() == "%PROGRAMFILES%" else ():
            path = f"{folder}\\{rest}"
            if "*" not in path:
                yield (Condition(field, "is", path),)
            else:
                start, end = path.partition("*")[0], path.rpartition("*")[2]
                yield Condition(field, "begin with", start), Condition(field, "end with", end)


USER_PLACES = ("\\Users\\", "\\ProgramData\\", "\\Windows\\Temp\\", "\\Windows\\Tasks\\", "\\Windows\\tracing\\",
               "\\System32\\spool\\drivers\\color\\", "\\PerfLogs\\")
SCRIPT_HOSTS = ("\\powershell.exe", "\\pwsh.exe", "\\mshta.exe", "\\wscript.exe", "\\cscript.exe", "\\rundll32.exe",
                "\\regsvr32.exe")
HOSTS = ("\\BitLockerToGo.exe", "\\vbc.exe", "\\RegAsm.exe", "\\RegSvcs.exe", "\\InstallUtil.exe", "\\MSBuild.exe",
         "\\AppLaunch.exe", "\\aspnet_compiler.exe", "\\jsc.exe", "\\CasPol.exe", "\\AddInProcess32.exe",
         "\\cvtres.exe", "\\dialer.exe", "\\more.com", "\\SysWOW64\\explorer.exe")
"""Windows' own programs that stealers hollow out."""

BROWSERS = ("\\chrome.exe", "\\msedge.exe", "\\brave.exe", "\\opera.exe", "\\vivaldi.exe", "\\browser.exe",
            "\\chromium.exe", "\\firefox.exe", "\\msedgewebview2.exe")
RIGHTS = "0x1FFFFF;0x1F3FFF;0x1F0FFF;0x1FFFF;0x1010;0x1410;0x1438;0x143A;0x147A"
"""Full access, and what reading or writing another process's memory takes."""

PROGRAMS = (".exe", ".dll", ".scr", ".pif", ".com", ".cpl", ".ocx", ".sys", ".msi", ".msix", ".appx", ".appinstaller",
            ".xll", ".jar", ".a3x", ".au3", ".node")
SCRIPTS = (".bat", ".cmd", ".ps1", ".psm1", ".vbs", ".vbe", ".js", ".jse", ".wsf", ".wsh", ".hta", ".sct", ".lnk",
           ".url", ".py", ".pyw")
CARRIERS = (".zip", ".rar", ".7z", ".cab", ".iso", ".img", ".vhd", ".vhdx", ".one")
STORE_FILES = ("\\Login Data", "\\Login Data For Account", "\\Login Data-journal", "\\Web Data", "\\Cookies",
               "\\Local State", "\\Ya Passman Data", "\\Ya Autofill Data", "\\Ya Credit Cards", "\\logins.json",
               "\\key4.db", "\\key3.db", "\\signons.sqlite", "\\cookies.sqlite", "\\formhistory.sqlite",
               "\\Preferences", "\\Secure Preferences")
STAGED = ("\\password", "\\passwords", "\\login", "\\credit", "\\card", "\\cc", "\\autofill", "\\cookie", "\\important",
          "\\all password", "\\all_password", "\\all-password", "\\allpassword", "\\pass.")
"""How the names of files begin in which stealers collect what they found."""

KEYS = (
    "\\Explorer\\RunMRU", "\\Explorer\\TypedPaths", "\\CurrentVersion\\Run", "\\Policies\\Explorer\\Run",
    "\\Winlogon\\Shell", "\\Winlogon\\Userinit", "\\Winlogon\\Taskman", "\\Winlogon\\VmApplet",
    "\\Environment\\UserInitMprLogonScript", "\\User Shell Folders\\", "\\Active Setup\\Installed Components\\",
    "\\Image File Execution Options\\", "\\AppInit_DLLs", "\\Windows Defender\\",
    "\\Policies\\Microsoft\\Windows\\PowerShell", "\\Policies\\Microsoft\\PowerShellCore",
    "\\Windows Script\\Settings\\", "\\Windows Script Host\\Settings\\", "\\WINEVT\\Channels\\",
    "\\System\\Audit\\ProcessCreationIncludeCmdLine_Enabled", "\\NativeMessagingHosts\\",
    "\\ExtensionInstallForcelist", "\\ExtensionSettings", "\\ExtensionInstallSources")
"""What a pasted command, an autostart entry, or somebody who switches protection off writes to."""

_NO_UPDATES = _starts("TargetFilename", ("C:\\Windows\\WinSxS\\", "C:\\Windows\\SoftwareDistribution\\",
                                         "C:\\Windows\\assembly\\NativeImages_"))
_DEFENDER = "C:\\ProgramData\\Microsoft\\Windows Defender\\Platform\\"
_OWN_PROFILE = _any("TargetFilename", ("\\User Data\\", "\\Opera Software\\", "\\Mozilla\\Firefox\\",
                                       "\\Microsoft\\Edge\\"))
"""Where browsers write all day; what they write elsewhere is what somebody downloads."""

_DEFENDERS_OWN = _starts("TargetObject", ("HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Signature Updates",
                                          "HKLM\\SOFTWARE\\Microsoft\\Windows Defender\\Diagnostics"))
"""By the beginning of the key: a value may have any name, also `x\\Windows Defender\\Diagnostics` below Run."""
ALSO = (5, 19)
"""Not asked for by a control, few, and used: when a process ended, and WMI's triggers (19 to 21 share a tag)."""


def _own_libraries(rules: Iterable[Rule]) -> Iterator[Rule]:
    """What these programs load from where only administrators write; all else was put into them."""
    system = (Condition("ImageLoaded", "is", f"C:\\Windows\\System32\\{name}.dll")
              for name in ("vaultcli", "rstrtmgr", "winsqlite3"))
    places = (*_starts("ImageLoaded", ("C:\\Program Files\\", "C:\\Program Files (x86)\\")),
              *((one,) for one in system))
    yield from ((*rule, *place) for rule in rules for place in places)


def filters() -> Mapping[int, Filter]:
    """The filters by event id. 12 stands for 13 and 14 too: they share a tag."""
    gecko = tuple(_owners("Image", "gecko"))
    browsers = (*_owners("Image", "chromium"), *gecko)
    unsigned = Condition("Signed", "is", "false")
    registry = Filter("RegistryEvent", include=((_any("TargetObject", KEYS),),), exclude=_DEFENDERS_OWN)
    return {
        1: Filter("ProcessCreate", all=True),
        3: Filter("NetworkConnect", all=True, exclude=browsers),
        7: Filter("ImageLoad", exclude=tuple(_own_libraries(gecko)), include=(
            *_ends("ImageLoaded", ("\\vaultcli.dll", "\\rstrtmgr.dll", "\\nss3.dll", "\\softokn3.dll", "\\freebl3.dll",
                                   "\\winsqlite3.dll", "\\katz_ontop.dll", "\\received_dll.dll")),
            (unsigned, _any("ImageLoaded", USER_PLACES)),
            (unsigned, _any("ImageLoaded", ("\\Chrome\\Application\\", "\\Edge\\Application\\",
                                            "\\Brave-Browser\\Application\\"))))),
        5: Filter("ProcessTerminate", all=True),
        8: Filter("CreateRemoteThread", all=True),
        10: Filter("ProcessAccess", include=(
            (_any("TargetImage", BROWSERS), _any("SourceImage", (*USER_PLACES, *SCRIPT_HOSTS, *HOSTS))),
            (_any("TargetImage", HOSTS), Condition("GrantedAccess", "is any", RIGHTS)),
            (_any("TargetImage", ("\\lsass.exe",)), Condition("GrantedAccess", "is any", RIGHTS)),
            (_any("TargetImage", ("\\winlogon.exe",)), _any("SourceImage", (*USER_PLACES, *SCRIPT_HOSTS, *HOSTS)))),
            exclude=_starts("SourceImage", (_DEFENDER,))),
        11: Filter("FileCreate", exclude=(*_NO_UPDATES, *((*rule, _OWN_PROFILE) for rule in browsers)), include=(
            *_ends("TargetFilename", (*PROGRAMS, *SCRIPTS, *CARRIERS, *STORE_FILES)),
            (_any("TargetFilename", ("\\Start Menu\\Programs\\Startup\\",)),),
            (_any("TargetFilename", STAGED), _any("TargetFilename", (".txt", ".log", ".db"))),
            (_any("TargetFilename", ("\\ProgramData\\", "\\Extensions\\")), _any("Image", USER_PLACES)))),
        12: registry, 13: registry,
        15: Filter("FileCreateStreamHash", all=True),
        19: Filter("WmiEvent", all=True),
        22: Filter("DnsQuery", all=True),
        25: Filter("ProcessTampering", all=True),
        26: Filter("FileDeleteDetected", exclude=_NO_UPDATES,
                   include=_ends("TargetFilename", (*PROGRAMS, *SCRIPTS, *CARRIERS))),
    }


SILENT = ("FileCreateTime", "RawAccessRead", "PipeEvent", "FileDelete", "ClipboardChange")
"""Events that nobody asked for, switched off: FileDelete keeps every deleted file, ClipboardChange what people copy."""
