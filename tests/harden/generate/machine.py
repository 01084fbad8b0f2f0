r"""A model of a Windows computer that the generated files are applied to, as no Windows is at hand.

    machine = Machine(users=("anna", "bob"))
    machine.import_reg(data)                  machine.set_gpo(files)      machine.run_apply(script)
    machine.evidence()                        what an audit would be given of it
    machine.snapshot()                        all of it as bytes

It reads the files themselves, by readers of its own where the project's would share a mistake with the writers (.reg,
GptTmpl.inf, audit.csv). What it does with a value is what Windows' documentation says; what Windows really does nobody
here can know. Group Policy is a layer: values of policy keys go with it, others stay (they "tattoo").
"""

from __future__ import annotations

import json
import re
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from defusedxml import ElementTree

from douse.content.controls import controls
from douse.content.settings import AuditSetting, ChannelSetting, FeatureSetting
from douse.harden import pol
from douse.harden.app_control_policy import parse as parse_app_control
from douse.harden.applocker_policy import parse as parse_applocker
from douse.harden.applocker_policy import rule_text
from douse.harden.firewall_rule import FirewallRule, block_rule
from douse.harden.gathered import Evidence
from douse.harden.generate.intune import AUDIT_NODES
from douse.harden.generate.script import embedded
from douse.harden.observed import AuditState, Sacl, Service, StoredAppControl, StoredAppLocker, StoredRule, Sysmon
from douse.harden.observed import Machine as MachineFacts
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import decode
from douse.harden.seen import Seen, Source
from douse.harden.stores_folders import profile_store_folders

Place = tuple[str, str, str, str]
"""Hive, key and name (both in lower case), and the user, "" for HKLM."""

SOURCE = Source("model", "model", "0" * 64)
POLICY_KEYS = ("software\\policies\\", "software\\microsoft\\windows\\currentversion\\policies\\")
EXTENSIONS = {"registry.pol": "{35378EAC-683F-11D2-A89A-00C04FBBCFA2}",
              "GptTmpl.inf": "{827D319E-6EAC-11D2-A4EA-00C04F79F83A}",
              "audit.csv": "{F3CCC681-B74C-4060-9F26-CD84525DCA2A}"}
"""Which extension of Group Policy applies a file ([MS-GPREG] 1.9, [MS-GPSB] 1.9, [MS-GPAC] 1.9)."""
SERVICE_STARTS = {2: "automatic", 3: "manual", 4: "disabled"}
SYSMON_TAGS = {1: "ProcessCreate", 3: "NetworkConnect", 7: "ImageLoad", 8: "CreateRemoteThread", 10: "ProcessAccess",
               11: "FileCreate", 12: "RegistryEvent", 13: "RegistryEvent", 15: "FileCreateStreamHash", 22: "DnsQuery",
               25: "ProcessTampering", 26: "FileDeleteDetected"}
"""What an event's element is called in a configuration (Microsoft, Sysmon)."""


@dataclass
class Machine:
    """One computer."""

    users: tuple[str, ...] = ("anna",)
    registry: dict[Place, tuple[str, str, RegistryValue]] = field(default_factory=dict)
    """Key and name as spelled, and the value."""
    services: dict[str, str] = field(default_factory=lambda: {"AppIDSvc": "manual"})
    audit: dict[str, int] = field(default_factory=dict)
    channels: dict[str, bool] = field(default_factory=dict)
    features: dict[str, str] = field(default_factory=dict)
    local_rules: dict[str, FirewallRule] = field(default_factory=dict)
    mdm_rules: dict[str, FirewallRule] = field(default_factory=dict)
    mdm_applocker: bytes = b""
    app_control: bytes = b""
    sysmon: Sysmon = field(default_factory=lambda: Sysmon(running=False))
    sacls: bool = False
    beneath: dict[Place, tuple[str, str, RegistryValue] | None] = field(default_factory=dict)
    """What policy values covered, by place: it comes back with the layer's end."""

    def __post_init__(self) -> None:
        for control in controls():
            for setting in control.settings:
                match setting:
                    case AuditSetting():
                        self.audit[setting.guid] = 0
                    case ChannelSetting():
                        self.channels[setting.channel] = False
                    case FeatureSetting():
                        self.features[setting.feature] = "Enabled"

    # ---- the registry

    def put(self, hive: str, key: str, name: str, value: RegistryValue, user: str = "") -> None:
        """Set a value. One that is there keeps the spelling of its name, as Windows has it."""
        place = _place(hive, key, name, user)
        spelled = self.registry.get(place, (key, name))
        self.registry[place] = (spelled[0], spelled[1], value)

    def drop(self, hive: str, key: str, name: str, user: str = "") -> None:
        """Delete a value, if it is there."""
        self.registry.pop(_place(hive, key, name, user), None)

    def drop_key(self, hive: str, key: str, user: str = "") -> None:
        """Delete a key with all below it."""
        folded = key.lower()
        for place in list(self.registry):
            if place[0] == hive and place[3] == user and (place[1] == folded or place[1].startswith(folded + "\\")):
                del self.registry[place]

    # ---- the artefacts

    def import_reg(self, data: bytes, user: str = "") -> None:
        """What regedit does with a .reg file; `user` is whose HKEY_CURRENT_USER it is."""
        for hive, key, name, value in read_reg(data):
            if name is None:
                self.drop_key(hive, key, user if hive == "HKCU" else "")
            elif value is None:
                self.drop(hive, key, name, user if hive == "HKCU" else "")
            else:
                self.put(hive, key, name, value, user if hive == "HKCU" else "")

    def import_pol(self, data: bytes, hive: str) -> None:
        """What LGPO.exe does with a registry.pol: into the computer's own policy, which is written at once."""
        for whose in self.users if hive == "HKCU" else ("",):
            for entry in pol.read(data, "registry.pol").entries:
                for effect in pol.effects(entry):
                    self._effect(effect, hive, whose)

    def _effect(self, effect: pol.Effect, hive: str, user: str) -> None:
        if effect.kind == "set" and effect.value is not None:
            self.put(hive, effect.key, effect.name, effect.value, user)
        elif effect.kind == "delete":
            self.drop(hive, effect.key, effect.name, user)
        elif effect.kind == "prune":
            self.drop_key(hive, effect.key, user)
        else:
            raise AssertionError(f"a bundle holds no {effect.kind}")

    def set_gpo(self, files: Iterable[tuple[str, bytes]]) -> None:
        """A GPO, given by its backup's paths, is imported, linked and refreshed: of its files those are imported that
        Backup.xml names, and those applied whose extension it names for their side."""
        held = dict(files)
        root = ElementTree.fromstring(next(data for path, data in held.items() if path.endswith("/Backup.xml")))
        for path, data in held.items():
            _, _, below = path.partition("DomainSysvol/GPO/")
            if not below or not _is_applied(root, below):
                continue
            if path.endswith("Machine/registry.pol"):
                self._layer(data, "HKLM")
            elif path.endswith("User/registry.pol"):
                self._layer(data, "HKCU")
            elif path.endswith("GptTmpl.inf"):
                self.import_template(data)
            elif path.endswith("audit.csv"):
                self.import_audit(data)
            else:
                raise AssertionError(f"no file of a GPO: {path}")

    def _layer(self, data: bytes, hive: str) -> None:
        for whose in self.users if hive == "HKCU" else ("",):
            for entry in pol.read(data, "registry.pol").entries:
                place = _place(hive, entry.key, entry.name, whose)
                if entry.key.lower().startswith(POLICY_KEYS):
                    self.beneath.setdefault(place, self.registry.get(place))
                self.put(hive, entry.key, entry.name, entry.value, whose)

    def unlink_gpo(self) -> None:
        """The GPO is unlinked and refreshed: its policy values go, and what another policy sets comes back."""
        for place, old in self.beneath.items():
            if old is None:
                self.registry.pop(place, None)
            else:
                self.registry[place] = old
        self.beneath.clear()

    def import_template(self, data: bytes) -> None:
        """What a security template says of services."""
        text = data.decode("utf-16")
        assert "[Unicode]\r\nUnicode=yes\r\n" in text
        assert 'signature="$CHICAGO$"' in text
        section = text.partition("[Service General Setting]\r\n")[2].partition("[")[0]
        for line in section.splitlines():
            found = re.fullmatch(r'"([^",]+)",([234]),""', line)
            assert found, line
            self.services[found[1]] = SERVICE_STARTS[int(found[2])]

    def import_audit(self, data: bytes) -> None:
        """What an audit.csv says."""
        rows = data.decode("utf-8").splitlines()
        assert rows[0].startswith("Machine Name,Policy Target,Subcategory,Subcategory GUID,")
        for row in rows[1:]:
            _, target, _, guid, _, _, value = row.split(",")
            assert target == "System"
            self.audit[guid.strip("{}").upper()] = int(value)

    def set_applocker(self, data: bytes) -> None:
        """What Set-AppLockerPolicy does on this computer: its registry form."""
        for collection in parse_applocker(data).collections:
            key = f"SOFTWARE\\Policies\\Microsoft\\Windows\\SrpV2\\{collection.type}"
            mode = {"AuditOnly": 0, "Enabled": 1}[collection.mode]
            self.put("HKLM", key, "EnforcementMode", RegistryValue("REG_DWORD", mode))
            for rule in collection.rules:
                self.put("HKLM", f"{key}\\{rule.id}", "Value", RegistryValue("REG_SZ", rule_text(rule)))

    def run_apply(self, script: bytes, applocker: bytes = b"") -> None:
        """What apply.ps1 -Execute does with its document."""
        self.run_document(embedded(script), applocker)

    def run_document(self, wanted: dict[str, Any], applocker: bytes = b"") -> None:
        """The same, given the document."""
        for row in wanted["registry"]:
            for user in self.users if row["hive"] == "HKCU" else ("",):
                self.put(row["hive"], row["key"], row["name"], _value(row["type"], row["data"]), user)
        for row in wanted["firewall"]:
            self.local_rules[row["id"]] = block_rule(program=row["program"], name=row["name"], tcp=row["tcp"],
                                                     active=row["active"])
        self.services.update((row["service"], row["start"]) for row in wanted["services"])
        for row in wanted["audit"]:
            self.audit[row["guid"]] |= row["success"] + 2 * row["failure"]
        self.channels.update((row["channel"], True) for row in wanted["channels"])
        self.features.update((row["feature"], row["state"].title()) for row in wanted["features"])
        if applocker:
            self.set_applocker(applocker)

    def set_profile(self, data: bytes) -> None:
        """What the MDM client does with an Intune profile of custom OMA-URIs."""
        rules: dict[str, dict[str, Any]] = {}
        for row in json.loads(data)["omaSettings"]:
            uri, value = row["omaUri"], row["value"]
            if found := re.fullmatch(r"\./Vendor/MSFT/Firewall/MdmStore/FirewallRules/([^/]+)/(.+)", uri):
                rules.setdefault(found[1], {})[found[2]] = value
            elif uri.endswith("/Defender/AttackSurfaceReductionRules"):
                self.put("HKLM", r"SOFTWARE\Policies\Microsoft\Windows Defender\Policy Manager", "ASRRules",
                         RegistryValue("REG_SZ", value))
            elif re.fullmatch(r"\./Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/[^/]+/EXE/Policy", uri):
                self.mdm_applocker = f'<AppLockerPolicy Version="1">{value}</AppLockerPolicy>'.encode()
            elif uri.startswith("./Device/Vendor/MSFT/Policy/Config/Audit/"):
                guid, = (guid for guid, node in AUDIT_NODES.items() if uri.endswith("/" + node))
                self.audit[guid] = value
            else:
                raise AssertionError(f"no node that MDM knows: {uri}")
        for name, nodes in rules.items():
            self.mdm_rules[name] = _mdm_rule(nodes)

    def set_sysmon(self, data: bytes) -> None:
        """What Sysmon does with a configuration: an event is recorded unless it is only included and nothing is."""
        root = ElementTree.fromstring(data)
        groups = root.findall("./EventFiltering/RuleGroup/*")
        recorded = {group.tag for group in groups if group.get("onmatch") == "exclude" or len(group)}
        ids = {id_ for id_, tag in SYSMON_TAGS.items() if tag in recorded}
        self.sysmon = Sysmon(True, frozenset(ids), frozenset((root.findtext("HashAlgorithms") or "").split(",")))

    # ---- what an audit is given, and all of it

    def evidence(self) -> Evidence:
        """The computer as one host of whom everything was collected."""
        evidence = Evidence()
        host = evidence.host("MODEL")
        host.machine.append(Seen(MachineFacts(22631, "Windows 11", "workstation", "example.com"), SOURCE, "model"))
        host.registry.complete("HKLM", "", SOURCE)
        host.registry.all_profiles(SOURCE)
        for user in self.users:
            host.registry.complete("HKCU", "", SOURCE, user)
        for (hive, _, _, user), (key, name, value) in self.registry.items():
            host.registry.add(hive, key, name, value, SOURCE, profile=user)
        for product in ("chrome", "edge", "firefox", "office", "powershell-core"):
            host.products[product] = [Seen(True, SOURCE, product)]
        for service, start in {"MpsSvc": "automatic", "WinDefend": "automatic", **self.services}.items():
            host.services[service] = [Seen(Service(start, "running"), SOURCE, service)]
            number = next(number for number, word in SERVICE_STARTS.items() if word == start)
            host.registry.add("HKLM", f"SYSTEM\\CurrentControlSet\\Services\\{service}", "Start",
                              RegistryValue("REG_DWORD", number), SOURCE)
        for guid, value in self.audit.items():
            host.audit[guid] = [Seen(AuditState(bool(value & 1), bool(value & 2)), SOURCE, guid)]
        host.channels = {name: [Seen(on, SOURCE, name)] for name, on in self.channels.items()}
        host.features = {name: [Seen(state, SOURCE, name)] for name, state in self.features.items()}
        stores = (("local", self.local_rules), ("mdm", self.mdm_rules))
        host.firewall = [Seen(StoredRule(store, name, rule), SOURCE, f"{store} {name}")
                         for store, rules in stores for name, rule in rules.items()]
        if self.mdm_applocker:
            held = StoredAppLocker("mdm", parse_applocker(self.mdm_applocker))
            host.applocker = [Seen(held, SOURCE, "MDM")]
        host.firewall_whole = [Seen(store, SOURCE, store) for store in ("gpo", "mdm", "local")]
        host.app_control_whole.append(SOURCE)
        if self.app_control:
            policy = parse_app_control(self.app_control)
            host.app_control = [Seen(StoredAppControl(policy.id, policy.name, True, policy), SOURCE, policy.id)]
        host.sysmon = [Seen(self.sysmon, SOURCE, "Sysmon")]
        host.sacls_whole.append(SOURCE)
        host.sacls = [Seen(Sacl(user, folder, self.sacls, self.sacls, self.sacls), SOURCE, folder)
                      for user in self.users for folder in profile_store_folders()]
        return evidence

    def snapshot(self) -> bytes:
        """All that the files could change, as bytes."""
        state: Mapping[str, object] = {
            "registry": {"|".join(place): [key, name, value.type, repr(value.data)]
                         for place, (key, name, value) in self.registry.items()},
            "services": self.services, "audit": self.audit, "channels": self.channels, "features": self.features,
            "rules": {name: rule.text() for name, rule in (*self.local_rules.items(), *self.mdm_rules.items())},
            "mdm applocker": self.mdm_applocker.hex(),
            "app control": self.app_control.hex(), "sysmon": repr(self.sysmon), "sacls": self.sacls}
        return json.dumps(state, indent=1, sort_keys=True).encode()


def as_on_any_day() -> Machine:
    """A computer that has a past: values of its own, some of them in the places that the controls set."""
    machine = Machine(users=("anna", "bob"))
    put = machine.put
    put("HKLM", r"SYSTEM\CurrentControlSet\Control\Lsa", "RunAsPPL", RegistryValue("REG_DWORD", 0))
    put("HKLM", r"SOFTWARE\Classes\JSFile\shell\open\command", "", RegistryValue(
        "REG_EXPAND_SZ", r'%SystemRoot%\System32\WScript.exe "%1" %*'))
    put("HKLM", r"Software\Policies\Google\Chrome", "passwordManagerEnabled", RegistryValue("REG_DWORD", 1))
    put("HKLM", r"SOFTWARE\Policies\Microsoft\WindowsFirewall\FirewallRules", "{own}", RegistryValue(
        "REG_SZ", "v2.26|Action=Allow|Active=TRUE|Dir=In|Name=Ours, with ] and ;|"))
    put("HKLM", r"SOFTWARE\Example", "Untouched", RegistryValue("REG_MULTI_SZ", ("one", "two ] ; three")))
    put("HKCU", r"Software\Microsoft\Windows\CurrentVersion\Explorer\Advanced", "DisabledHotkeys",
        RegistryValue("REG_SZ", "E\nnothing \"else\" $(calc) `x`|;]"), "bob")
    return machine


def _is_applied(root: Any, below: str) -> bool:
    """Whether an imported GPO has a file and its side's list names the extension that applies it."""
    space = "{http://www.microsoft.com/GroupPolicy/GPOOperations}"
    location = "DomainSysvol\\GPO\\" + below.replace("/", "\\")
    named = any(one.get(space + "Location") == location for one in root.iter(space + "FSObjectFile"))
    side = "Machine" if below.startswith("Machine/") else "User"
    list_ = root.findtext(f".//{space}{side}ExtensionGuids") or ""
    extension = next(guid for end, guid in EXTENSIONS.items() if below.endswith(end))
    version = int(root.findtext(f".//{space}{side}VersionNumber") or 0)
    return named and version > 0 and f"[{extension}" in list_


def _mdm_rule(nodes: Mapping[str, Any]) -> FirewallRule:
    """The rule that the nodes of the Firewall CSP make; what is not sent has the default of its page."""
    assert set(nodes) <= {"App/FilePath", "Protocol", "RemotePortRanges", "Direction", "Action/Type", "Enabled", "Name"}
    fields = [("Action", "Allow" if nodes.get("Action/Type", 1) else "Block"),
              ("Active", "TRUE" if nodes.get("Enabled", False) else "FALSE"),
              ("Dir", "Out" if nodes.get("Direction", "OUT") == "OUT" else "In")]
    if "Protocol" in nodes:
        fields.append(("Protocol", str(nodes["Protocol"])))
    ports = [port for port in nodes.get("RemotePortRanges", "").split(",") if port]
    if ports and nodes.get("Protocol") not in (6, 17):  # a rule with ports of no protocol is refused
        fields[1] = ("Active", "FALSE")
    fields += [("RPort", port) for port in ports]
    return FirewallRule("v2.26", (*fields, ("App", nodes["App/FilePath"]), ("Name", nodes["Name"])))


def read_reg(data: bytes) -> Iterable[tuple[str, str, str | None, RegistryValue | None]]:
    """A .reg file as (hive, key, name, value): name None deletes the key, value None the value. Strict: a line that is
    none of ours is an error."""
    assert data[:2] == b"\xff\xfe"
    text = data[2:].decode("utf-16-le", "surrogatepass")
    assert "\n" not in text.replace("\r\n", ""), "a bare line feed"
    lines = text.replace(",\\\r\n  ", ",").split("\r\n")
    assert lines[:2] == ["Windows Registry Editor Version 5.00", ""]
    hives = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_CURRENT_USER": "HKCU"}
    hive = key = ""
    for line in lines[2:]:
        if not line:
            continue
        if heading := re.fullmatch(r"\[(-?)([A-Z_]+)\\(.+)\]", line):
            hive, key = hives[heading[2]], heading[3]
            if heading[1]:
                yield hive, key, None, None
            continue
        entry = re.fullmatch(r'(@|"(?:[^"\\]|\\.)*")=(.*)', line)
        assert entry, f"no line of a .reg file: {line!r}"
        name = "" if entry[1] == "@" else _unquoted(entry[1])
        yield hive, key, name, None if entry[2] == "-" else _reg_value(entry[2])


def _reg_value(text: str) -> RegistryValue:
    if text.startswith('"'):
        return RegistryValue("REG_SZ", _unquoted(text))
    if found := re.fullmatch(r"dword:([0-9a-f]{8})", text):
        return RegistryValue("REG_DWORD", int(found[1], 16))
    found = re.fullmatch(r"hex(?:\(([0-9a-f]+)\))?:((?:[0-9a-f]{2}(?:,[0-9a-f]{2})*)?)", text)
    assert found, f"no data of a .reg file: {text!r}"
    return decode(int(found[1] or "3", 16), bytes.fromhex(found[2].replace(",", "")))


def _unquoted(text: str) -> str:
    assert re.fullmatch(r'"(?:[^"\\]|\\["\\])*"', text), f"no quoted text: {text!r}"
    return re.sub(r"\\(.)", r"\1", text[1:-1])


def _value(type_: str, data: object) -> RegistryValue:
    if isinstance(data, list):
        return RegistryValue(type_, tuple(data))
    if isinstance(data, str) and type_ in ("REG_BINARY", "REG_NONE"):
        return RegistryValue(type_, bytes.fromhex(data))
    assert isinstance(data, int | str)
    return RegistryValue(type_, data)


def _place(hive: str, key: str, name: str, user: str) -> Place:
    return hive, key.lower(), name.lower(), user


def parse_pol_by_hand(data: bytes) -> list[tuple[str, str, int, bytes]]:
    """A registry.pol by nothing but its documented layout; a second pair of eyes beside harden/pol.py."""
    assert data[:8] == b"PReg\x01\0\0\0"
    at, found = 8, []
    while at < len(data):
        assert data[at:at + 2] == b"[\0"
        texts = []
        at += 2
        for _ in range(2):
            end = at
            while data[end:end + 2] != b"\0\0":
                end += 2
            texts.append(data[at:end].decode("utf-16-le"))
            at = end + 4  # the NUL and the semicolon
        type_, = struct.unpack_from("<I", data, at)
        size, = struct.unpack_from("<I", data, at + 6)
        at += 12
        found.append((texts[0], texts[1], type_, data[at:at + size]))
        at += size
        assert data[at:at + 2] == b"]\0"
        at += 2
    return found
