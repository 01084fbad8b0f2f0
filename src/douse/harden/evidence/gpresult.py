r"""Read reports of Group Policy: `gpresult /x` of a host, `Get-GPOReport -ReportType Xml` of one or many policies.

The first says what Group Policy set on a computer and becomes a host; the second what a policy would set. Namespaces
are numbered anew in each report (q1, q2, ...), so that elements are told by their own names. What is read has a key, a
GUID or a number in it: a setting of an administrative template stands there only by its name in the report's language
(`Policy`), and stays unknown. Of several policies the one with precedence 1 is in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree.ElementTree import Element  # the type only

from douse.errors import EvidenceError
from douse.harden import pol
from douse.harden.applocker_policy import MODES, UNKNOWN_MODE, AppLockerPolicy, RuleCollection, rule_from
from douse.harden.evidence import preferences, xml
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.naming import named_for_file
from douse.harden.firewall_rule import FirewallRule
from douse.harden.gathered import Evidence
from douse.harden.observed import AuditState, Service, StoredAppLocker, StoredRule, Subject
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import encode, shown
from douse.harden.seen import Seen, Source

_FIREWALL = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"
_PROFILE_VALUES = ("EnableFirewall", "AllowLocalPolicyMerge", "DefaultOutboundAction")
_STARTS = {"automatic": "automatic", "manual": "manual", "disabled": "disabled"}


@dataclass(slots=True)
class _Part:
    """A computer's or a user's part of a report: whose it is, where its values belong, and what could not be read."""

    subject: Subject
    hive: str
    profile: str
    source: Source
    shown: str
    evidence: Evidence
    unnamed: int = 0
    collections: list[RuleCollection] = field(default_factory=list)

    def lost(self, what: str) -> None:
        self.evidence.lost(self.shown, what, "Export the report again, or read the policy's registry.pol.")


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add what a report says. Raises EvidenceError where it is no such report."""
    root = xml.parse(file, evidence)
    if xml.name_of(root) == "Rsop":
        _rsop(root, file, evidence)
        return
    policies = [root] if xml.name_of(root) == "GPO" else list(xml.children(root, "GPO"))
    if not policies:
        raise EvidenceError(file.shown, "is no report of Group Policy: it has neither Rsop nor GPO.",
                            "Make it with gpresult /x or Get-GPOReport -ReportType Xml.")
    if file.name.casefold() == "gpreport.xml" and file.beside("bkupInfo.xml") is not None:
        return  # the backup's own files say the same, and more exactly
    for policy in policies:
        _policy(policy, file, evidence)


def _rsop(root: Element, file: EvidenceFile, evidence: Evidence) -> None:
    source = file.source("gpresult", evidence.not_future(_time(xml.text(root, "ReadTime")), file.shown))
    computer, user = xml.child(root, "ComputerResults"), xml.child(root, "UserResults")
    domain, _, name = xml.text(computer, "Name").rstrip("$").rpartition("\\")
    if not name:
        subject = named_for_file(file, evidence, "this gpresult has no computer's part")
    elif xml.text(root, "DataType").casefold() == "planneddata":
        subject = evidence.policy(f"Group Policy modelled for {name}")
    else:
        subject = evidence.host(name, xml.text(computer, "Domain") or domain)
    if computer is not None:
        _take(computer, _Part(subject, "HKLM", "", source, file.shown, evidence))
    if user is not None:
        profile = xml.text(user, "Name").rpartition("\\")[2] if subject.kind == "host" else ""
        _take(user, _Part(subject, "HKCU", profile, source, file.shown, evidence))


def _policy(policy: Element, file: EvidenceFile, evidence: Evidence) -> None:
    name, guid = xml.text(policy, "Name"), xml.text(policy, "Identifier", "Identifier")
    subject = evidence.policy(name or guid or file.shown, guid)
    source = file.source("gpresult", evidence.not_future(_time(xml.text(policy, "ReadTime")), file.shown))
    links = list(xml.children(policy, "LinksTo"))
    if not any(xml.text(link, "Enabled").casefold() == "true" for link in links):
        evidence.note(file.shown, f"{name or guid!r} has no link that is switched on, so that it applies nowhere.")
    if xml.child(policy, "FilterName") is not None:
        evidence.note(file.shown, f"{name or guid!r} applies only where its WMI filter "
                      f"{xml.text(policy, 'FilterName')[:80]!r} is true.")
    for word, hive in (("Computer", "HKLM"), ("User", "HKCU")):
        part = xml.child(policy, word)
        if part is not None and xml.text(part, "Enabled").casefold() == "false":
            evidence.note(file.shown, f"{word} settings of {name or guid!r} are switched off, so they set nothing.")
        elif part is not None:
            _take(part, _Part(subject, hive, "", source, file.shown, evidence))


def _take(results: Element, part: _Part) -> None:
    """Read every extension of a part by what its elements are called."""
    for data in xml.children(results, "ExtensionData"):
        for extension in xml.children(data, "Extension"):
            for element in extension:
                take = _ELEMENTS.get(xml.name_of(element))
                if take is not None and xml.text(element, "Precedence") in ("", "1"):
                    try:
                        take(element, part)
                    except (ValueError, EvidenceError) as error:
                        part.lost(f"a {xml.name_of(element)} cannot be read: {str(error)[:120]}.")
    if part.collections:
        part.subject.applocker.append(Seen(StoredAppLocker("gpo", AppLockerPolicy(tuple(part.collections))),
                                           part.source, "RuleCollection"))
    if part.unnamed:
        part.evidence.note(part.shown, f"{part.unnamed} settings of administrative templates are there by their name in"
                           " the report's language only; without key and value they stay unknown.",
                           "Add the policy's backup, or the hives or a collection of the host.")


def _registry(element: Element, part: _Part) -> None:
    key = xml.text(element, "KeyPath").strip("\\")
    for entry in xml.children(element, "Value"):
        name = xml.text(entry, "Name")
        value = _value(entry)
        if name.startswith("**"):
            for effect in pol.effects(pol.PolEntry.of(key, name, value)):
                if effect.kind == "delete":
                    part.subject.registry.add(part.hive, effect.key, effect.name, None, part.source, raw="deleted",
                                              profile=part.profile)
        elif key:
            part.subject.registry.add(part.hive, key, name, value, part.source, raw=shown(value.data),
                                      profile=part.profile)


def _value(entry: Element) -> RegistryValue:
    """The data of a RegistrySetting's value, by the element it is in."""
    for element in entry:
        word, text = xml.name_of(element), element.text or ""
        if word == "Number":
            number = int(text)
            return _checked(RegistryValue("REG_DWORD" if number < 1 << 32 else "REG_QWORD", number))
        if word in ("String", "ExpandString"):
            return RegistryValue("REG_SZ" if word == "String" else "REG_EXPAND_SZ", text)
        if word in ("Strings", "MultiString"):
            return RegistryValue("REG_MULTI_SZ", tuple(one.text for one in element if one.text))
        if word == "Binary":
            return RegistryValue("REG_BINARY", bytes.fromhex(text))
    return RegistryValue("REG_SZ", "")


def _checked(value: RegistryValue) -> RegistryValue:
    """The value, after trying that its data is of its type (ValueError)."""
    encode(value)
    return value


def _template(element: Element, part: _Part) -> None:
    part.unnamed += bool(xml.text(element, "Name"))


def _preference(element: Element, part: _Part) -> None:
    preferences.take(element, part.subject, part.source, part.shown, part.evidence, part.profile)


def _security_option(element: Element, part: _Part) -> None:
    root, _, place = xml.text(element, "KeyName").partition("\\")
    key, _, name = place.rpartition("\\")
    number = xml.text(element, "SettingNumber")
    if root.upper() != "MACHINE" or not (number or xml.child(element, "SettingString") is not None):
        return
    value = (_checked(RegistryValue("REG_DWORD", int(number))) if number
             else RegistryValue("REG_SZ", xml.text(element, "SettingString")))
    part.subject.registry.add("HKLM", key, name, value, part.source, raw=shown(value.data))


def _service(element: Element, part: _Part) -> None:
    name, start = xml.text(element, "Name"), _STARTS.get(xml.text(element, "StartupMode").casefold())
    if name and start:
        part.subject.services.setdefault(name, []).append(
            Seen(Service(start), part.source, f"SystemServices {name}", xml.text(element, "StartupMode")))


def _audit(element: Element, part: _Part) -> None:
    guid, text = xml.text(element, "SubcategoryGuid").strip("{}").upper(), xml.text(element, "SettingValue")
    if guid and xml.text(element, "PolicyTarget").casefold() in ("", "system"):
        number = int(text)
        part.subject.audit.setdefault(guid, []).append(
            Seen(AuditState(bool(number & 1), bool(number & 2)), part.source, f"AuditSetting {guid}", text))


def _firewall_profile(element: Element, part: _Part) -> None:
    for word in _PROFILE_VALUES:
        text = xml.text(element, word, "Value").casefold()
        if text in ("true", "false", "0", "1"):
            part.subject.registry.add("HKLM", f"{_FIREWALL}\\{xml.name_of(element)}", word,
                                      RegistryValue("REG_DWORD", int(text in ("true", "1"))), part.source, raw=text)


def _firewall_rule(element: Element, part: _Part) -> None:
    fields = [(xml.name_of(child), (child.text or "").strip()) for child in element if len(child) == 0]
    told = [(key, value.upper() if value in ("true", "false") else value) for key, value in fields
            if key not in ("Version", "Precedence") and value]
    if not told or any("|" in value for _, value in told):
        raise ValueError("it has no fields, or a | in one")
    version = xml.text(element, "Version")
    rule = FirewallRule(f"v{version}" if version else "v2.10", tuple(told))
    part.subject.firewall.append(
        Seen(StoredRule("gpo", rule.name, rule), part.source, f"rule {rule.name}", rule.text()))


def _collection(element: Element, part: _Part) -> None:
    mode = xml.text(element, "EnforcementMode", "Mode") or element.get("EnforcementMode", "NotConfigured")
    rules, bad = [], 0
    for child in element:
        if xml.name_of(child).endswith("Rule"):
            try:
                rules.append(rule_from(child))
            except EvidenceError:
                bad += 1
    if bad:
        part.lost(f"{bad} AppLocker rules of {element.get('Type', '')} cannot be read.")
    left_out = [f"{bad} rules cannot be read"] if bad else []
    if mode not in MODES:
        left_out.append(f"EnforcementMode is {mode[:40]!r}")
        part.lost(f"{element.get('Type', '')} rules: EnforcementMode is {mode[:40]!r}.")
        mode = UNKNOWN_MODE
    part.collections.append(RuleCollection(element.get("Type", ""), mode, tuple(rules), tuple(left_out)))


_ELEMENTS: Mapping[str, Callable[[Element, _Part], None]] = {
    "RegistrySetting": _registry, "Policy": _template, "RegistrySettings": _preference, "NTServices": _preference,
    "SecurityOptions": _security_option, "SystemServices": _service, "AuditSetting": _audit,
    "DomainProfile": _firewall_profile, "PrivateProfile": _firewall_profile, "PublicProfile": _firewall_profile,
    "InboundFirewallRules": _firewall_rule, "OutboundFirewallRules": _firewall_rule, "RuleCollection": _collection}


def _time(text: str) -> datetime | None:
    """A report's time; Windows writes seven decimals. One without a zone is not used: nobody knows whose it is."""
    try:
        found = datetime.fromisoformat(text[:26].rstrip("Z") + ("+00:00" if text.endswith("Z") else text[27:]))
    except ValueError:
        return None
    return found.astimezone(UTC) if found.tzinfo is not None else None
