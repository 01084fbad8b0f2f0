"""A computer for ps_run.py: registry, firewall, services, audit policy, event logs, features, AppLocker, files.

    windows = Windows()                 windows.snapshot() -> all of it, to compare

What Windows' tools answer is modelled from their documentation, with what our scripts must bear: a rule that is not
there is an error, auditpol's words are translated and only its numbers are not, a value's type must fit its data.
"""

from __future__ import annotations

import base64
import copy
import hashlib
import re
from collections.abc import Mapping
from typing import Any
from xml.etree import ElementTree

from harden.generate.ps_run import Folded, PsError, Run, Thing, Unknown, from_json, text_of, to_json

ADMINS, SYSTEM, USERS, ANNA = "S-1-5-32-544", "S-1-5-18", "S-1-5-32-545", "S-1-5-21-1-2-3-1001"
PROFILES = r"SOFTWARE\Microsoft\Windows NT\CurrentVersion\ProfileList"
SERVICES = r"SYSTEM\CurrentControlSet\Services"
CONNECTIONS = "0CCE9226-69AE-11D9-BED3-505054503030"


class Key(Thing):
    """A RegistryKey."""

    def __init__(self, windows: Windows, path: str, writable: bool) -> None:
        super().__init__()
        self._windows, self._path, self._writable = windows, path, writable

    def _below(self, rest: str) -> str:
        return f"{self._path}\\{rest}" if rest else self._path

    def OpenSubKey(self, path: str, writable: bool) -> Any:  # noqa: N802 -- .NET's names, in all of this file
        full = self._below(path)
        return Key(self._windows, full, writable) if full in self._windows.registry else None

    def CreateSubKey(self, path: str) -> Any:  # noqa: N802
        full = self._path
        for part in path.split("\\"):
            full = f"{full}\\{part}"
            if full not in self._windows.registry:
                self._windows.registry[full] = Folded()
        return Key(self._windows, full, True)

    def DeleteSubKey(self, path: str, _complain: bool) -> None:  # noqa: N802
        full = self._below(path)
        assert not self._windows.registry[full]
        del self._windows.registry.data[full.lower()]

    def GetValueNames(self) -> list[str]:  # noqa: N802
        return list(self._windows.registry[self._path])

    def GetSubKeyNames(self) -> list[str]:  # noqa: N802
        return sorted({one[len(self._path) + 1:].split("\\")[0] for one in self._windows.registry.spelled()
                       if one.lower().startswith(self._path.lower() + "\\")})

    def GetValue(self, name: str, default: Any, *_options: Any) -> Any:  # noqa: N802
        return self._windows.registry[self._path].get(name, ("", default))[1]

    def GetValueKind(self, name: str) -> str:  # noqa: N802
        kind: str = self._windows.registry[self._path][name][0]
        return kind

    def SetValue(self, name: str, value: Any, kind: str) -> None:  # noqa: N802
        kinds = {"DWord": int, "QWord": int, "String": str, "ExpandString": str, "MultiString": list, "Binary": list,
                 "None": list}
        if not self._writable or not isinstance(value, kinds[kind]):
            raise PsError(f"the value does not fit {kind}")
        if kind == "DWord" and not -2**31 <= value < 2**31:
            raise PsError("no 32-bit number")
        self._windows.registry[self._path][name] = (kind, value)

    def DeleteValue(self, name: str, _complain: bool) -> None:  # noqa: N802
        self._windows.registry[self._path].pop(name)

    def Close(self) -> None:  # noqa: N802
        """Nothing to free here."""

    @property
    def ValueCount(self) -> int:  # noqa: N802
        return len(self.GetValueNames())

    @property
    def SubKeyCount(self) -> int:  # noqa: N802
        return len(self.GetSubKeyNames())


class Registry:
    """Keys by path, any case; values as (kind, data)."""

    def __init__(self) -> None:
        self.data: dict[str, tuple[str, Folded]] = {}

    def __contains__(self, path: str) -> bool:
        return path.lower() in self.data

    def __getitem__(self, path: str) -> Folded:
        return self.data[path.lower()][1]

    def __setitem__(self, path: str, values: Folded) -> None:
        self.data[path.lower()] = (path, values)

    def spelled(self) -> list[str]:
        return [path for path, _ in self.data.values()]

    def put(self, path: str, name: str, kind: str, value: Any) -> None:
        """Set a value with all keys above it."""
        parts = path.split("\\")
        for end in range(1, len(parts) + 1):
            part = "\\".join(parts[:end])
            if part not in self:
                self[part] = Folded()
        self[path][name] = (kind, value)


class Windows:
    """The computer. `broken` are places whose change silently does not hold, as under tamper protection, or that answer
    with an error; `written_as` is how Windows writes an AppLocker policy that replaces another; `audited_people` is
    what is audited of single people, and `forgets_delay` says that a new start type ends a delayed one."""

    script_root = r"C:\bundle\powershell"
    switches: Mapping[str, tuple[str, ...]] = {
        "get-applockerpolicy": ("local", "xml"), "set-applockerpolicy": ("merge",), "get-item": ("force",),
        "get-windowsoptionalfeature": ("online",), "enable-windowsoptionalfeature": ("online", "norestart"),
        "disable-windowsoptionalfeature": ("online", "norestart"), "remove-netfirewallrule": ("confirm",),
        "sort-object": ("unique",), "new-state": (), "start-transcript": ("whatif",)}

    def __init__(self) -> None:
        self.language_mode = "FullLanguage"
        self.is_64_bit = True
        self.env = {"systemroot": r"C:\Windows", "programdata": r"C:\ProgramData", "computername": "PC-7"}
        self.registry = Registry()
        self.registry.put(rf"HKLM\{PROFILES}\{ANNA}", "ProfileImagePath", "ExpandString", r"C:\Users\anna")
        self.registry.put(rf"HKLM\{PROFILES}\S-1-5-21-1-2-3-1002", "ProfileImagePath", "ExpandString", r"C:\Users\bob")
        self.registry.put(rf"HKLM\{PROFILES}\{SYSTEM}", "ProfileImagePath", "ExpandString", r"C:\Windows\x")
        self.registry.put(rf"HKLM\{SERVICES}\AppIDSvc", "Start", "DWord", 3)
        self.registry.put(rf"HKU\{ANNA}\Software", "x", "DWord", 1)
        self.registry.put(rf"HKU\{ANNA}_Classes", "x", "DWord", 1)
        self.registry.put(r"HKU\.DEFAULT\Software", "x", "DWord", 1)
        self.firewall: dict[str, Folded] = {"PersistentStore": Folded(), "corp.example\\GPO": Folded()}
        self.audit: dict[str, int] = {}
        self.audited_people: dict[str, int] = {}
        self.forgets_delay = False
        self.written_as = ""
        self.channels: dict[str, bool] = {"Microsoft-Windows-Crypto-DPAPI/Debug": False,
                                          "Microsoft-Windows-TaskScheduler/Operational": True}
        self.features: dict[str, str] = {"MicrosoftWindowsPowerShellV2Root": "Enabled",
                                         "MicrosoftWindowsPowerShellV2": "Enabled"}
        self.applocker = '<AppLockerPolicy Version="1" />'
        self.files: dict[str, str] = {}
        self.folders: dict[str, tuple[str, tuple[str, ...]]] = {r"C:\ProgramData": (SYSTEM, (USERS,))}
        self.links: set[str] = set()
        self.sacls: dict[str, set[str]] = {}
        self.broken: set[str] = set()
        self.commands = {name.replace("_", "-"): getattr(self, f"_{name}") for name in COMMANDS}

    def snapshot(self) -> dict[str, Any]:
        """All that a script could change, but the files."""
        return copy.deepcopy({"registry": {path: dict(values.items()) for path, values in self.registry.data.values()},
                              "firewall": {store: {name: dict(rule.properties.items()) for name, rule in rules.items()}
                                           for store, rules in self.firewall.items()},
                              "audit": {guid: bits for guid, bits in self.audit.items() if bits},
                              "channels": self.channels, "features": self.features, "applocker": self.applocker,
                              "sacls": {path: entries for path, entries in self.sacls.items() if entries}})

    # ---- commands

    def _set_strictmode(self, _run: Run, *_: Any) -> None:
        """It is always on here."""

    def _out_null(self, _run: Run, *_: Any) -> None:
        """Swallows what comes."""

    def _convertfrom_json(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> Any:
        return from_json(named["InputObject"])

    def _convertto_json(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> str:
        return to_json(named["InputObject"], named.get("Depth", 2))

    def _join_path(self, _run: Run, given: list[Any], *_: Any) -> str:
        return given[0].rstrip("\\") + "\\" + given[1]

    def _split_path(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> str:
        path: str = named["Path"]
        return path.rpartition("\\")[0]

    def _test_path(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> bool:
        return named["LiteralPath"] in self.files or named["LiteralPath"] in self.folders

    def _sort_object(self, _run: Run, _given: list[Any], named: Folded, came: list[Any]) -> list[Any]:
        found = sorted(came, key=lambda one: text_of(one).lower())
        return list(dict.fromkeys(found)) if "Unique" in named else found

    def _get_item(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> Thing:
        path = named["LiteralPath"]
        owner, writers = self.folders.get(path) or self.folders[path.rpartition("\\")[0]]
        rules = [Thing(FileSystemRights=0x116, AccessControlType="Allow", IdentityReference=Thing(Value=one))
                 for one in writers]
        security = Thing(GetOwner=lambda _kind: Thing(Value=owner), GetAccessRules=lambda *_: rules)
        return Thing(Attributes=0x400 if path in self.links else 0, GetAccessControl=lambda: security)

    def _get_filehash(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> Thing:
        return Thing(Hash=hashlib.sha256(self.files[named["LiteralPath"]].encode()).hexdigest().upper())

    def _start_transcript(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> str:
        self.files[named["Path"]] = ""
        return "started"

    def _stop_transcript(self, _run: Run, *_: Any) -> str:
        return "stopped"

    def _new_object(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> Any:
        kind = named["TypeName"].lower().removeprefix("system.")
        given = named.get("ArgumentList", [])
        given = given if isinstance(given, list) else [given]
        if kind == "diagnostics.eventing.reader.eventlogconfiguration":
            if given[0] in self.broken:
                raise PsError("the RPC server is unavailable", kind="diagnostics.eventing.reader.eventlogexception")
            if given[0] not in self.channels:
                raise PsError("the specified channel could not be found",
                              kind="diagnostics.eventing.reader.eventlognotfoundexception")
            return Thing(IsEnabled=self.channels[given[0]])
        if kind == "security.accesscontrol.directorysecurity":
            return Security(self, *given)
        if kind == "security.principal.securityidentifier":
            return Thing(Value=given[0])
        if kind == "security.accesscontrol.filesystemauditrule":
            who, rights, inherit, propagate, flags = given
            return Thing(IdentityReference=who, FileSystemRights=rights, InheritanceFlags=inherit,
                         PropagationFlags=propagate, AuditFlags=flags)
        raise Unknown(f"New-Object {kind}")

    def _get_netfirewallrule(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> list[Thing]:
        store = named["PolicyStore"]
        stores = list(self.firewall.values()) if store == "ActiveStore" else [self.firewall[store]]
        found = [rules[named["Name"]] for rules in stores if named["Name"] in rules]
        if not found:
            raise PsError("No MSFT_NetFirewallRule objects found", "ObjectNotFound")
        return found

    def _get_netfirewallportfilter(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> Thing:
        rule = named["AssociatedNetFirewallRule"]
        return Thing(Protocol=rule.get("Protocol"), RemotePort=rule.get("RemotePort"),
                     LocalPort=rule.properties.get("LocalPort", "Any"))

    def _get_netfirewallapplicationfilter(self, _run: Run, _given: list[Any], named: Folded, *_: Any) -> Thing:
        rule = named["AssociatedNetFirewallRule"]
        return Thing(Program=rule.get("Program"), Package=rule.properties.get("Package"))

    def _limits(self, named: Folded, *names: str) -> Thing:
        """A filter of a rule: what it was not made with is Any."""
        rule = named["AssociatedNetFirewallRule"]
        return Thing(**{name: rule.properties.get(name, "Any") for name in names})

    def _get_netfirewalladdressfilter(self, _run: Run, _given: list[Any], named: Folded, *_: Any) -> Thing:
        return self._limits(named, "LocalAddress", "RemoteAddress")

    def _get_netfirewallservicefilter(self, _run: Run, _given: list[Any], named: Folded, *_: Any) -> Thing:
        return self._limits(named, "Service")

    def _get_netfirewallinterfacetypefilter(self, _run: Run, _given: list[Any], named: Folded, *_: Any) -> Thing:
        return self._limits(named, "InterfaceType")

    def _get_netfirewallsecurityfilter(self, _run: Run, _given: list[Any], named: Folded, *_: Any) -> Thing:
        return self._limits(named, "LocalUser")

    def _new_netfirewallrule(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> Thing:
        rules, name = self.firewall[named["PolicyStore"]], named["Name"]
        if name in rules:
            raise PsError("cannot create a file when that file already exists", "ResourceExists")
        others = ("PolicyStore", "Name", "ErrorAction")
        rule = Thing(**{key: value for key, value in named.items() if key not in others})
        rule.properties["RemotePort"] = named.get("RemotePort", "Any")
        is_local = named["PolicyStore"] == "PersistentStore"
        rule.properties["PolicyStoreSourceType"] = "Local" if is_local else "GroupPolicy"
        if isinstance(ports := rule.properties["RemotePort"], list) and len(ports) == 1:
            rule.properties["RemotePort"] = ports[0]
        rules[name] = rule
        return rule

    def _remove_netfirewallrule(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> None:
        rules = self.firewall[named["PolicyStore"]]
        assert named["Name"] in rules
        rules.pop(named["Name"])

    def _get_windowsoptionalfeature(self, _run: Run, _given: list[Any], named: Folded, *_: Any) -> list[Thing]:
        if "features" in self.broken:
            raise PsError("an attempt was made to load a program with an incorrect format")
        if "FeatureName" in named:
            raise Unknown("a feature by its name: its errors tell nothing")
        return [Thing(FeatureName=name, State=state) for name, state in self.features.items()]

    def _disable_windowsoptionalfeature(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> str:
        self.features[named["FeatureName"]] = "DisablePending"
        return "RestartNeeded"

    def _enable_windowsoptionalfeature(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> str:
        self.features[named["FeatureName"]] = "Enabled"
        return "RestartNeeded"

    def _get_applockerpolicy(self, _run: Run, *_: Any) -> str:
        return self.applocker

    def _set_applockerpolicy(self, _run: Run, _given: list[Any], named: Folded, _input: list[Any]) -> None:
        fresh = self.files[named["XmlPolicy"]]
        self.applocker = _merged(self.applocker, fresh) if named.get("Merge") else self.written_as or fresh

    # ---- programs

    def program(self, path: str, given: list[str]) -> tuple[int, list[str]]:
        """A program by its path; its exit code and output."""
        match path.rpartition("\\")[2], given:
            case "auditpol.exe", ["/backup", file]:
                rows = [f"PC-7,System,Verbindungen, gefiltert,{{{guid.lower()}}},Erfolg,,{bits}"
                        for guid, bits in self.audit.items()]
                rows[:0] = [f"PC-7,{ANNA},Verbindungen,{{{guid.lower()}}},Erfolg,,{bits}"
                            for guid, bits in self.audited_people.items()]
                self.files[file.removeprefix("/file:")] = "\r\n".join(
                    ["Computername,Richtlinienziel,Unterkategorie,GUID,Einschluss,Ausschluss,Wert", *rows, ""])
                return 0, ["Der Befehl wurde erfolgreich ausgeführt."]
            case "auditpol.exe", ["/set", subcategory, *switches]:
                self._audit(re.fullmatch(r"/subcategory:\{(.*)\}", subcategory), switches)
                return 0, ["Der Befehl wurde erfolgreich ausgeführt."]
            case "sc.exe", ["config", name, "start=", word]:
                start = {"auto": 2, "delayed-auto": 2, "demand": 3, "disabled": 4}[word]
                values = self.registry[rf"HKLM\{SERVICES}\{name}"]
                values["Start"] = ("DWord", start)
                if word == "delayed-auto":
                    values["DelayedAutostart"] = ("DWord", 1)
                elif self.forgets_delay and "DelayedAutostart" in values:
                    values["DelayedAutostart"] = ("DWord", 0)
                return 0, ["[SC] ChangeServiceConfig SUCCESS"]
            case "wevtutil.exe", ["sl", channel, enabled, "/q:true"] if channel in self.channels:
                self.channels[channel] = {"/e:true": True, "/e:false": False}[enabled]
                return 0, []
        raise Unknown(f"{path} {given}")

    def _audit(self, subcategory: re.Match[str] | None, switches: list[str]) -> None:
        assert subcategory is not None
        bits = self.audit.get(subcategory[1], 0)
        for switch in switches:
            word, _, state = switch.lstrip("/").partition(":")
            bit = {"success": 1, "failure": 2}[word]
            bits = bits | bit if state == "enable" else bits & ~bit
        if subcategory[1] not in self.broken:
            self.audit[subcategory[1]] = bits

    # ---- types

    def static(self, kind: str, name: str, given: list[Any] | None = None) -> Any:
        """A static member, of a type without `System.` in front."""
        word = f"{kind}.{name}".lower()
        found = STATICS.get(word)
        if found is not None:
            return found(self, *(given or []))
        if given is None:  # a word of an enumeration; those that scripts count with are numbers
            return NUMBERS.get(word, name)
        raise Unknown(f"[{kind}]::{name}({given})")

    def cast(self, kind: str, value: Any) -> Any:
        if kind == "xml":
            return Xml(ElementTree.fromstring(value))  # noqa: S314 -- a test's own
        if kind.endswith("registryvaluekind"):
            return value
        if kind.endswith("inheritanceflags"):
            return 3
        raise Unknown(f"[{kind}]{value!r}")


class Security(Thing):
    """A DirectorySecurity: of a folder with its audit entries, or a new one."""

    def __init__(self, windows: Windows, path: str = "", _sections: Any = None) -> None:
        super().__init__()
        self._entries = set(windows.sacls.get(path, ()))
        self._sddl = ""

    def SetSecurityDescriptorSddlForm(self, sddl: str) -> None:  # noqa: N802
        self._sddl = sddl

    def GetAuditRules(self, *_: Any) -> list[Thing]:  # noqa: N802
        return [Thing(IdentityReference=Thing(Value=who), FileSystemRights=1, InheritanceFlags=3, AuditFlags=1,
                      PropagationFlags="None") for who in sorted(self._entries)]

    def AddAuditRule(self, rule: Thing) -> None:  # noqa: N802
        self._entries.add(rule.get("IdentityReference").get("Value"))

    def RemoveAuditRule(self, rule: Thing) -> bool:  # noqa: N802
        self._entries.discard(rule.get("IdentityReference").get("Value"))
        return True


class Xml(Thing):
    """An XmlDocument or element."""

    def __init__(self, element: Any, above: Any = None) -> None:
        super().__init__()
        self._element, self._above = element, above

    def SelectNodes(self, path: str) -> list[Xml]:  # noqa: N802
        assert path in ("//RuleCollection/*[@Id]", "//RuleCollection/*")
        return [Xml(rule, collection) for collection in self._element.iter("RuleCollection")
                for rule in collection if rule.get("Id") or not path.endswith("]")]

    @property
    def OuterXml(self) -> str:  # noqa: N802
        return ElementTree.tostring(self._element, encoding="unicode").strip()

    def GetAttribute(self, name: str) -> str:  # noqa: N802
        text: str = self._element.get(name, "")
        return text

    @property
    def ParentNode(self) -> Xml:  # noqa: N802
        return Xml(self._above)


def _merged(old: str, fresh: str) -> str:
    """Set-AppLockerPolicy -Merge: rules of the same id once, and the old enforcement mode stays."""
    root = ElementTree.fromstring(old)  # noqa: S314 -- a test's own, as below
    for collection in ElementTree.fromstring(fresh):  # noqa: S314
        there = next((one for one in root if one.get("Type") == collection.get("Type")), None)
        if there is None:
            root.append(collection)
            continue
        known = {rule.get("Id") for rule in there}
        there.extend(rule for rule in collection if rule.get("Id") not in known)
    return ElementTree.tostring(root, encoding="unicode")


def _signed(number: int, bits: int) -> int:
    return number - 2**bits if number >= 2**(bits - 1) else number


def _write(windows: Windows, path: str, text: str) -> None:
    assert path.rpartition("\\")[0] in windows.folders, path
    windows.files[path] = text


def _replace(windows: Windows, fresh: str, path: str, backup: Any) -> None:
    if backup == "" or backup is None:  # PowerShell makes "" of $null for a text
        raise PsError("the path is empty")
    windows.files[path] = windows.files.pop(fresh)


def _create(windows: Windows, path: str, security: Security) -> str:
    assert security._sddl.startswith("O:BA")
    windows.folders[path] = (ADMINS, (ADMINS, SYSTEM))
    return path


def _set_sacl(windows: Windows, path: str, security: Security) -> None:
    windows.sacls[path] = security._entries


def _move(windows: Windows, old: str, new: str) -> None:
    windows.files[new] = windows.files.pop(old)


NULL = object()
NUMBERS = {"io.fileattributes.reparsepoint": 0x400, "security.accesscontrol.filesystemrights.readdata": 1,
           "security.accesscontrol.auditflags.success": 1}
STATICS = {
    "convert.tobase64string": lambda _, data: base64.b64encode(bytes(data)).decode(),
    "convert.frombase64string": lambda _, text: list(base64.b64decode(text)),
    "convert.tobyte": lambda _, text, base: int(text, base),
    "text.encoding.unicode": lambda _: Thing(
        GetBytes=lambda text: list(text.encode("utf-16-le", "surrogatepass")),
        GetString=lambda data: bytes(data).decode("utf-16-le", "surrogatepass")),
    "bitconverter.getbytes": lambda _, number: number,
    "bitconverter.touint32": lambda _, number, _at: number % 2**32,
    "bitconverter.touint64": lambda _, number, _at: number % 2**64,
    "bitconverter.toint32": lambda _, number, _at: _signed(number, 32),
    "bitconverter.toint64": lambda _, number, _at: _signed(number, 64),
    "microsoft.win32.registrykey.openbasekey": lambda windows, hive, _view: Key(
        windows, {"LocalMachine": "HKLM", "Users": "HKU"}[hive], True),
    "environment.is64bitoperatingsystem": lambda _: True,
    "environment.is64bitprocess": lambda windows: windows.is_64_bit,
    "io.path.ispathrooted": lambda _, path: re.match(r"[A-Za-z]:|\\\\", path) is not None,
    "io.path.gettemppath": lambda _: "C:\\Windows\\Temp\\",
    "io.path.combine": lambda _, first, second: f"{first}\\{second}",
    "io.path.getdirectoryname": lambda _, path: path.rpartition("\\")[0],
    "guid.newguid": lambda _: "7d0c1a2b",
    "io.file.readalllines": lambda windows, path: windows.files[path].split("\r\n"),
    "io.file.readalltext": lambda windows, path: windows.files[path],
    "io.file.writealltext": _write,
    "io.file.delete": lambda windows, path: windows.files.pop(path) and None,
    "io.file.replace": _replace,
    "io.file.move": _move,
    "io.file.getattributes": lambda windows, path: 0x400 if path in windows.links else 0x10,
    "io.directory.createdirectory": _create,
    "io.directory.exists": lambda windows, path: path in windows.folders,
    "io.directory.setaccesscontrol": _set_sacl,
    "array.reverse": lambda _, items: items.reverse(),
    "nullstring.value": lambda _: NULL,
}
COMMANDS = ("set_strictmode", "out_null", "convertfrom_json", "convertto_json", "join_path", "split_path", "test_path",
            "sort_object", "get_item", "get_filehash", "start_transcript", "stop_transcript", "new_object",
            "get_netfirewallrule", "get_netfirewallportfilter", "get_netfirewallapplicationfilter",
            "get_netfirewalladdressfilter", "get_netfirewallservicefilter", "get_netfirewallinterfacetypefilter",
            "get_netfirewallsecurityfilter",
            "new_netfirewallrule", "remove_netfirewallrule", "get_windowsoptionalfeature",
            "disable_windowsoptionalfeature", "enable_windowsoptionalfeature", "get_applockerpolicy",
            "set_applockerpolicy")
