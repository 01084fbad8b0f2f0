r"""Intune profiles with custom OMA-URIs (Microsoft Graph's windows10CustomConfiguration), a JSON file for each subject.

    intune/firewall.json    a firewall rule for each program: ./Vendor/MSFT/Firewall/MdmStore/FirewallRules/{rule}/...
    intune/asr.json         attack surface reduction: one string `guid=state|guid=state`
    intune/applocker.json   the Exe collection: ./Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/{group}/EXE/Policy
    intune/audit.json       audit subcategories, as far as Policy CSP - Audit has a node for them

Settings-catalogue profiles are full of the service's own identifiers and change with it; custom ones are documented
paths. Node names, types and values were read in Microsoft's pages of the Firewall, AppLocker and Policy CSPs; no tenant
has taken a file of ours yet. Browser policies are left: there they are ADMX-backed, and the ADMX files must be in the
tenant first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import PurePosixPath
from xml.etree import ElementTree

from douse.content.settings import AppLockerSetting, AsrSetting, AuditSetting
from douse.harden.generate.applocker import applocker
from douse.harden.generate.policy import BundleFile, FirewallChange, Policy, guid_for

PLACE = PurePosixPath("intune")
FIREWALL = "./Vendor/MSFT/Firewall/MdmStore/FirewallRules/"
ASR = "./Vendor/MSFT/Policy/Config/Defender/AttackSurfaceReductionRules"
APPLOCKER = "./Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/"
AUDIT = "./Device/Vendor/MSFT/Policy/Config/Audit/"
AUDIT_NODES = {
    "0CCE922B-69AE-11D9-BED3-505054503030": "DetailedTracking_AuditProcessCreation",
    "0CCE921D-69AE-11D9-BED3-505054503030": "ObjectAccess_AuditFileSystem",
    "0CCE9226-69AE-11D9-BED3-505054503030": "ObjectAccess_AuditFilteringPlatformConnection",
    "0CCE9225-69AE-11D9-BED3-505054503030": "ObjectAccess_AuditFilteringPlatformPacketDrop",
    "0CCE9235-69AE-11D9-BED3-505054503030": "AccountManagement_AuditUserAccountManagement",
}
"""The node of Policy CSP - Audit for each subcategory that a control may ask for: 1 success, 2 failure, 3 both."""

BLOCK, TCP, OUT = 0, 6, "OUT"
"""Action/Type is 1 (allow) where it is not sent, so it always is."""

ABOUT = {
    "firewall": "Profile with the firewall rules, in the MDM store.",
    "asr": "Profile with the attack surface reduction rules; do not mix it with an endpoint security profile of them.",
    "applocker": "Profile with the AppLocker rules for programs.",
    "audit": "Profile with the audit subcategories; its numbers replace what was audited before.",
}
APPLY = """\
How to deploy these profiles
============================
Each .json file is the body of one custom configuration profile (windows10CustomConfiguration). Create it with Microsoft
Graph, without an assignment, look at it in the Intune admin center, then assign it to the group of ring 1:

  Connect-MgGraph -Scopes DeviceManagementConfiguration.ReadWrite.All
  Invoke-MgGraphRequest -Method POST -ContentType application/json -InputFilePath firewall.json `
    -Uri https://graph.microsoft.com/v1.0/deviceManagement/deviceConfigurations

Or type the OMA-URIs in by hand: Devices > Configuration > Create > Templates > Custom.

If you send SyncML yourself: use Replace, not Add. The nodes are dynamic, a rule that is there already answers Add with
418 (Already Exists), and Enabled, Profiles, Action/Type and Direction take no Add.

Firewall rules name C:\\Windows in full: the node takes a path without variables. Where Windows lies elsewhere, change
it. Rules of the MDM store, of Group Policy and of the computer itself all count; a block wins over an allow.

Taking it back: remove the assignment, and check the computer afterwards. AppLocker policies from MDM are known to stay
behind on some versions of Windows.

Nobody has deployed these files to a tenant yet. Ring 1 is where they are tried.
"""


def files(policy: Policy) -> Iterator[BundleFile]:
    """The profiles that have anything in them, and how to deploy them."""
    found = {"firewall": [one for change in policy.firewall for one in _rule(change)], "asr": list(_asr(policy)),
             "applocker": list(_applocker(policy)), "audit": list(_audit(policy))}
    for word, settings in found.items():
        if settings:
            yield BundleFile(PLACE / f"{word}.json", _profile(policy, word, settings), ABOUT[word])
    if any(found.values()):
        yield BundleFile(PLACE / "APPLY.txt", APPLY.replace("\n", "\r\n").encode(), "How to deploy the profiles.")


def _profile(policy: Policy, word: str, settings: Sequence[dict[str, object]]) -> bytes:
    name = f"Douse {word} ({policy.mode})"
    whole = {"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": name,
             "description": f"{ABOUT[word]} Made by Douse {policy.version}.", "omaSettings": list(settings)}
    return (json.dumps(whole, indent=2, ensure_ascii=True) + "\n").encode()


def _setting(kind: str, uri: str, name: str, value: object) -> dict[str, object]:
    return {"@odata.type": f"#microsoft.graph.omaSetting{kind}", "displayName": name, "description": "", "omaUri": uri,
            "value": value}


def _rule(change: FirewallChange) -> Iterator[dict[str, object]]:
    """The nodes of one rule. Without Profiles it is for all of them, without Protocol for every traffic."""
    root, name = FIREWALL + change.id.strip("{}"), re.sub(r"[|/]", " ", change.name)
    nodes: list[tuple[str, str, object]] = [("String", "App/FilePath", full_path(change.setting.program))]
    if change.tcp:
        nodes += [("Integer", "Protocol", TCP), ("String", "RemotePortRanges", ",".join(map(str, change.tcp)))]
    nodes += [("String", "Direction", OUT), ("Integer", "Action/Type", BLOCK), ("Boolean", "Enabled", change.active),
              ("String", "Name", name)]
    for kind, node, value in nodes:
        yield _setting(kind, f"{root}/{node}", f"{change.control} {node}", value)


def full_path(program: str) -> str:
    """A path without variables: the node's page speaks of a full path only."""
    return re.sub(r"%(systemroot|windir)%", lambda _: r"C:\Windows", program, flags=re.IGNORECASE)


def _asr(policy: Policy) -> Iterator[dict[str, object]]:
    rules = [f"{change.setting.guid}={change.state}" for change in policy.of(AsrSetting)
             if isinstance(change.setting, AsrSetting)]
    if rules:
        yield _setting("String", ASR, "Attack surface reduction rules", "|".join(rules))


def _applocker(policy: Policy) -> Iterator[dict[str, object]]:
    """The node takes precisely the XML of a RuleCollection. The group is a GUID of ours, so that no other profile's is
    removed with it."""
    if not policy.of(AppLockerSetting):
        return
    xml = next(file.data for file in applocker(policy) if file.path.suffix == ".xml")
    group = guid_for("intune applocker").strip("{}")
    for collection in ElementTree.fromstring(xml):  # noqa: S314 -- our own, written a moment ago
        if collection.get("Type") == "Exe":
            text = ElementTree.tostring(collection, encoding="unicode").strip()
            yield _setting("String", f"{APPLOCKER}{group}/EXE/Policy", "AppLocker, programs", text)


def _audit(policy: Policy) -> Iterator[dict[str, object]]:
    for change in policy.of(AuditSetting):
        if isinstance(setting := change.setting, AuditSetting) and setting.guid in AUDIT_NODES:
            number = setting.success + 2 * setting.failure
            yield _setting("Integer", AUDIT + AUDIT_NODES[setting.guid], f"{change.control} {setting.title}", number)
