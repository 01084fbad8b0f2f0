r"""A Policy as three PowerShell scripts: apply.ps1, verify.ps1 and undo.ps1, made from one document of data.

    for file in files(policy): ...              BundleFiles in the folder `powershell`
    embedded(file.data)                         the document again, as a dict

Their code is constant (script.py). A value found that is as good as the one wanted stays,
and the state found is kept before anything changes, so that undo.ps1 can put it back. The SACL scripts go with them.
Nobody has run them on Windows yet: how its tools answer is read from their documentation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree

from douse.content.settings import (
    AppLockerSetting,
    AsrSetting,
    AuditSetting,
    ChannelSetting,
    Data,
    FeatureSetting,
    RegistrySetting,
    ServiceSetting,
    Setting,
)
from douse.harden.generate.applocker import applocker
from douse.harden.generate.policy import BundleFile, FirewallChange, Policy, RegistryChange
from douse.harden.generate.sacl import sacl_scripts
from douse.harden.generate.script import assembled, embedded, script_data
from douse.harden.registry import RegistryValue

__all__ = ["document", "embedded", "files", "netsh"]

PLACE, XML = PurePosixPath("powershell"), "applocker.xml"
ABOUT = {
    "apply.ps1": "Sets what is in this bundle on a computer; only says what it would do, until run with -Execute.",
    "verify.ps1": "Says of each place whether it is set, to people; changes nothing.",
    "undo.ps1": "Puts back what apply.ps1 found; only says what it would do, until it is run with -Execute.",
}
FIREWALL = "software\\policies\\microsoft\\windowsfirewall"
APPLOCKER = "software\\policies\\microsoft\\windows\\srpv2\\"


def files(policy: Policy) -> Iterator[BundleFile]:
    """The files of the format: the three scripts, and the AppLocker policy that apply.ps1 sets, where one is wanted."""
    xml = next((file.data for file in applocker(policy) if file.path.suffix == ".xml"), b"")
    text = script_data(document(policy, xml))
    for name, about in ABOUT.items():
        yield BundleFile(PLACE / name, assembled(name, text), about)
    if xml:
        yield BundleFile(PLACE / XML, xml, "The AppLocker policy that apply.ps1 sets; it takes no other.")
    if policy.firewall:
        yield BundleFile(PLACE / "netsh.txt", _netsh_text(policy.firewall),
                         "The same firewall rules for a laboratory's command prompt, and how to delete them.")
    yield from sacl_scripts(policy, PLACE)


def document(policy: Policy, xml: bytes = b"") -> dict[str, object]:
    """All that the scripts know of the policy, as JSON values; numbers unsigned, bytes hexadecimal. `xml` is the
    AppLocker policy."""
    settings = {setting.id: setting for control in policy.controls for setting in control.settings}
    return {
        "format": "douse-bundle-1", "version": policy.version, "mode": policy.mode, "profile": policy.profile,
        "controls": [control.id for control in policy.controls],
        "registry": [_registry(change, settings.get(change.setting)) for change in policy.registry
                     if not _has_a_cmdlet(policy, change)],
        "firewall": [_firewall(change) for change in policy.firewall],
        "services": [{**_of(change.control, change.setting), "service": change.setting.service,
                      "start": change.setting.start}
                     for change in policy.of(ServiceSetting) if isinstance(change.setting, ServiceSetting)],
        "audit": [{**_of(change.control, change.setting), "guid": change.setting.guid, "title": change.setting.title,
                   "success": change.setting.success, "failure": change.setting.failure}
                  for change in policy.of(AuditSetting) if isinstance(change.setting, AuditSetting)],
        "channels": [{**_of(change.control, change.setting), "channel": change.setting.channel}
                     for change in policy.of(ChannelSetting) if isinstance(change.setting, ChannelSetting)],
        "features": [{**_of(change.control, change.setting), "feature": change.setting.feature,
                      "state": change.setting.state}
                     for change in policy.of(FeatureSetting) if isinstance(change.setting, FeatureSetting)],
        "applocker": list(_applocker(policy, xml)),
    }


def _of(control: str, setting: Setting) -> dict[str, object]:
    return {"control": control, "setting": setting.id}


def _has_a_cmdlet(policy: Policy, change: RegistryChange) -> bool:
    """Whether a value is set through firewall or AppLocker cmdlets: written by itself it would be a second rule."""
    key = change.key.lower() + "\\"
    rules = {rule.setting.id for rule in policy.firewall}
    return key.startswith(APPLOCKER) or (key.startswith(FIREWALL) and change.setting in rules)


def _registry(change: RegistryChange, setting: Setting | None) -> dict[str, object]:
    return {"control": change.control, "setting": change.setting, "hive": change.hive, "key": change.key,
            "name": change.name, "type": change.value.type, "data": _json(change.value.data),
            "accept": _accept(change.value, setting)}


def _json(data: Data) -> object:
    if isinstance(data, bytes):
        return data.hex()
    return list(data) if isinstance(data, tuple) else data


def _accept(value: RegistryValue, setting: Setting | None) -> dict[str, object] | None:
    """What a value found may be to stay: as good as the control asks. A value that blocks already is never weakened by
    one that only watches."""
    if isinstance(setting, RegistrySetting) and setting.good is not None:
        return {"operator": setting.accept.operator, "operands": list(setting.accept.operands),
                "types": [NET_KINDS[name] for name in setting.types]}
    if isinstance(setting, AsrSetting) and value.type == "REG_SZ":
        words = {"1", str(value.data)} if value.data != "2" else {"1", "2", "6"}
        return {"operator": "one-of", "operands": sorted(words), "types": ["String"]}
    return None


NET_KINDS = {"REG_DWORD": "DWord", "REG_QWORD": "QWord", "REG_SZ": "String", "REG_EXPAND_SZ": "ExpandString",
             "REG_MULTI_SZ": "MultiString", "REG_BINARY": "Binary", "REG_NONE": "None"}
"""What .NET, and so PowerShell, calls the types of registry values."""


def _firewall(change: FirewallChange) -> dict[str, object]:
    return {**_of(change.control, change.setting), "id": change.id, "name": change.name,
            "description": change.description, "program": change.setting.program, "tcp": list(change.tcp),
            "active": change.active}


def _applocker(policy: Policy, xml: bytes) -> Iterator[dict[str, object]]:
    """The policy file with its hash, and each of its rules with the mode of its collection: `guid=auditonly`."""
    changes = policy.of(AppLockerSetting)
    if not xml or not changes:
        return
    rules = [f"{rule.get('Id', '').strip('{}').lower()}={collection.get('EnforcementMode', '').lower()}"
             for collection in ElementTree.fromstring(xml)  # noqa: S314 -- our own, written a moment ago
             for rule in collection if rule.get("Id")]
    yield {**_of(changes[0].control, changes[0].setting), "file": XML, "rules": rules,
           "sha256": hashlib.sha256(xml).hexdigest().upper()}


def netsh(change: FirewallChange) -> tuple[str, str]:
    """The lines that add a rule and delete it again; of its name letters, digits and ` .,()-` are kept."""
    name = re.sub(r"[^A-Za-z0-9 .,()-]", "", change.name)
    ports = f" protocol=TCP remoteport={','.join(map(str, change.tcp))}" if change.tcp else " protocol=any"
    state = "yes" if change.active else "no"
    program = f'program="{change.setting.program}"{ports} enable={state}'
    return (f'netsh advfirewall firewall add rule name="{name}" dir=out action=block {program}',
            f'netsh advfirewall firewall delete rule name="{name}" dir=out')


def _netsh_text(changes: Sequence[FirewallChange]) -> bytes:
    lines = [netsh(change) for change in changes]
    return "".join(f"{line}\r\n" for line in (
        "These lines set rules of this computer alone. apply.ps1 does the same and keeps what it found.",
        "", *(add for add, _ in lines), "", "Back:", *(delete for _, delete in lines))).encode()
