"""An AppLocker policy as its rules: XML (`Get-AppLockerPolicy -Xml`, a GPO's SrpV2 values) in, AppLockerPolicy out.

    policy = parse(data, "applocker.xml")        a whole policy
    rule = parse_rule(text, r"...\\SrpV2\\Exe")   one rule, as a SrpV2 value holds it
    write(policy)    rule_text(rule)             and back

Own model on the XML, because the one library for it (`applocker` on PyPI) fails on RuleCollectionExtensions. What of a
policy is not understood is told in `left_out` and makes its meaning uncertain; what it means is in
applocker_decision.py.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from douse.errors import EvidenceError
from douse.harden.policy_xml import add, local_name, named, parse_xml, within, write_xml

COLLECTIONS = ("Exe", "Dll", "Msi", "Script", "Appx")
MODES = ("NotConfigured", "AuditOnly", "Enabled")
UNKNOWN_MODE = ""
"""Of a collection whose EnforcementMode nobody understands, or which sets several."""

RULES = {"FilePublisherRule": "publisher", "FilePathRule": "path", "FileHashRule": "hash"}
"""The element of a rule and the kind of its conditions."""

_MODE_NUMBERS = {0: "AuditOnly", 1: "Enabled"}


@dataclass(frozen=True, slots=True)
class Condition:
    """What a rule is about: `kind` is publisher, path or hash. Empty fields do not apply to the kind."""

    kind: str
    publisher: str = ""
    product: str = ""
    binary: str = ""
    low: str = ""
    high: str = ""
    path: str = ""
    hashes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AppLockerRule:
    """One rule: who (`sid`), what is done (`Allow` or `Deny`), and about which files."""

    id: str
    name: str
    description: str
    sid: str
    action: str
    conditions: tuple[Condition, ...]
    exceptions: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class RuleCollection:
    """The rules for one kind of file and how they are enforced (one of MODES, or UNKNOWN_MODE). `left_out` says what of
    it was not understood."""

    type: str
    mode: str
    rules: tuple[AppLockerRule, ...]
    left_out: tuple[str, ...] = ()

    @property
    def enforced(self) -> bool:
        """Whether it refuses anything. `NotConfigured` does so as soon as there are rules (Microsoft, "Understand
        AppLocker enforcement settings")."""
        return bool(self.rules) and self.mode not in ("AuditOnly", UNKNOWN_MODE)


@dataclass(frozen=True, slots=True)
class AppLockerPolicy:
    """A policy: its collections in the order of the XML."""

    collections: tuple[RuleCollection, ...]

    def collection(self, type_: str) -> RuleCollection | None:
        """The collection of a kind, None where there is none. Two of a kind, which no tool writes, become one that was
        not understood as a whole."""
        held = [one for one in self.collections if one.type == type_]
        if len(held) < 2:
            return held[0] if held else None
        left = (f"there are {len(held)} collections of {type_}", *(what for one in held for what in one.left_out))
        modes = {one.mode for one in held}
        mode = held[0].mode if len(modes) == 1 else UNKNOWN_MODE
        return RuleCollection(type_, mode, tuple(rule for one in held for rule in one.rules), left)


def mode_of(number: int) -> str:
    """The mode that a SrpV2 key's EnforcementMode says; ValueError for another number."""
    if number not in _MODE_NUMBERS:
        raise ValueError(f"EnforcementMode {number} is neither 0 (audit) nor 1 (enforce).")
    return _MODE_NUMBERS[number]


def parse(data: bytes | str, where: str = "AppLocker policy") -> AppLockerPolicy:
    """A policy from its XML; EvidenceError where it is none."""
    root = parse_xml(data, where)
    if local_name(root) != "AppLockerPolicy":
        raise EvidenceError(where, f"is no AppLocker policy: the root is <{local_name(root)[:40]}>.",
                            "Export it with Get-AppLockerPolicy -Xml.")
    return policy_from(root)


def policy_from(element: Element) -> AppLockerPolicy:
    """A policy from an element that holds RuleCollection elements, of any namespace."""
    return AppLockerPolicy(tuple(map(_collection, named(element, "RuleCollection"))))


def parse_rule(text: bytes | str, where: str = "AppLocker rule") -> AppLockerRule:
    """One rule from its element, as a SrpV2 value holds it; EvidenceError where it is none."""
    return rule_from(parse_xml(text, where), where)


def rule_from(element: Element, where: str = "AppLocker rule") -> AppLockerRule:
    """One rule from its element; EvidenceError where something of it is missing or unknown."""
    kind = RULES.get(local_name(element), "")
    action, sid = element.get("Action", ""), element.get("UserOrGroupSid", "").strip()
    conditions = tuple(_conditions(element, "Conditions"))
    wrong = ""
    if not kind:
        wrong = f"<{local_name(element)[:40]}> is no kind of rule"
    elif action not in ("Allow", "Deny"):
        wrong = f"Action is {action[:20]!r}, neither Allow nor Deny"
    elif not sid:
        wrong = "UserOrGroupSid is missing"
    elif not conditions or any(one.kind != kind for one in conditions):
        wrong = f"has no condition of its kind, {kind}"
    if wrong:
        raise EvidenceError(where, f"is no AppLocker rule: {wrong}.", "The rule was left out.")
    return AppLockerRule(element.get("Id", ""), element.get("Name", ""), element.get("Description", ""), sid, action,
                         conditions, tuple(_conditions(element, "Exceptions")))


def _collection(element: Element) -> RuleCollection:
    type_, mode = element.get("Type", ""), element.get("EnforcementMode", "NotConfigured")
    type_ = next((one for one in COLLECTIONS if one.casefold() == type_.casefold()), type_)
    rules, left_out = [], []
    if mode not in MODES:
        left_out.append(f"EnforcementMode is {mode[:20]!r}")
        mode = UNKNOWN_MODE
    for child in element:
        if local_name(child) == "RuleCollectionExtensions" or not isinstance(child.tag, str):
            continue  # managed installers and services: no rules of files; or a comment
        try:
            rules.append(rule_from(child, f"{type_} rule {child.get('Id', '')[:40]}"))
        except EvidenceError as error:
            left_out.append(f"{error.where}: {error.what}")
    return RuleCollection(type_, mode, tuple(rules), tuple(left_out))


def _conditions(element: Element, name: str) -> Iterator[Condition]:
    for child in (child for held in named(element, name) for child in held):
        if local_name(child) == "FilePublisherCondition":
            version = next(iter(named(child, "BinaryVersionRange")), None)
            yield Condition(
                "publisher", publisher=child.get("PublisherName", "*"), product=child.get("ProductName", "*"),
                binary=child.get("BinaryName", "*"), low=version.get("LowSection", "*") if version is not None else "*",
                high=version.get("HighSection", "*") if version is not None else "*")
        elif local_name(child) == "FilePathCondition":
            yield Condition("path", path=child.get("Path", ""))
        elif local_name(child) == "FileHashCondition":
            yield Condition("hash", hashes=tuple(one.get("Data", "") for one in within(child, "FileHash")))
        elif isinstance(child.tag, str):
            yield Condition(local_name(child))


def write(policy: AppLockerPolicy) -> bytes:
    """A policy as the XML that Set-AppLockerPolicy reads: UTF-8, the same bytes each time."""
    root = ET.Element("AppLockerPolicy", {"Version": "1"})
    for collection in policy.collections:
        held = add(root, "RuleCollection", Type=collection.type, EnforcementMode=collection.mode)
        for rule in collection.rules:
            _add_rule(held, rule)
    return write_xml(root)


def rule_text(rule: AppLockerRule) -> str:
    """A rule as one line of XML, as a SrpV2 value holds it."""
    holder = ET.Element("RuleCollection")
    _add_rule(holder, rule)
    return ET.tostring(holder[0], encoding="unicode")


def _add_rule(parent: Element, rule: AppLockerRule) -> None:
    kinds = {kind: name for name, kind in RULES.items()}
    element = add(parent, kinds[rule.conditions[0].kind], Id=rule.id, Name=rule.name, Description=rule.description,
                  UserOrGroupSid=rule.sid, Action=rule.action)
    for name, conditions in (("Conditions", rule.conditions), ("Exceptions", rule.exceptions)):
        if conditions:
            held = add(element, name)
            for condition in conditions:
                _add_condition(held, condition)


def _add_condition(parent: Element, condition: Condition) -> None:
    if condition.kind == "publisher":
        held = add(parent, "FilePublisherCondition", PublisherName=condition.publisher, ProductName=condition.product,
                   BinaryName=condition.binary)
        add(held, "BinaryVersionRange", LowSection=condition.low, HighSection=condition.high)
    elif condition.kind == "path":
        add(parent, "FilePathCondition", Path=condition.path)
    else:
        held = add(parent, "FileHashCondition")
        for digest in condition.hashes:
            add(held, "FileHash", Type="SHA256", Data=digest)
