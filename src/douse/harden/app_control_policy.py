"""An App Control (WDAC) policy as what matters of it: SiPolicy XML in, AppControlPolicy out.

    policy = parse(data, "policy.xml")
    policy.has("Enabled:UMCI")

What a policy means for a program is in app_control_effect.py. The binary form (.cip, .p7b) is not read: converting it
back takes tools that are not part of Windows.
"""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element

from douse.errors import EvidenceError
from douse.harden.policy_xml import add, local_name, named, parse_xml, within, write_xml

NAMESPACE = "urn:schemas-microsoft-com:sipolicy"
KERNEL, USER = 131, 12
"""The signing scenarios: what runs in the kernel, and programs."""

UMCI, AUDIT = "Enabled:UMCI", "Enabled:Audit Mode"
NO_SCRIPTS = "Disabled:Script Enforcement"
"""Option 11, without which script hosts ask the policy too, and mshta runs no code at all."""

BASE, SUPPLEMENTAL, TAGGING = "Base Policy", "Supplemental Policy", "AppID Tagging Policy"
"""What a policy is. One that tags marks processes for other rules, such as the firewall's, and refuses nothing."""

SHARED_IDS = frozenset({"a244370e-44c9-4c06-b551-f6016e563076"})
"""The id of every policy of the format before Windows 10 1903, and of Microsoft's templates: it tells no two apart."""

_KINDS = ("Allow", "Deny", "FileAttrib")
_READ = ("ID", "FriendlyName", "FileName", "MinimumFileVersion", "MaximumFileVersion", "FilePath", "Hash")


@dataclass(frozen=True, slots=True)
class FileRule:
    """A rule about files: `kind` is Allow, Deny or FileAttrib; versions are "" where not given. `other` are further
    attributes, which narrow it (ProductName, InternalName, AppIDs, ...)."""

    kind: str
    id: str
    friendly_name: str
    file_name: str
    minimum: str
    maximum: str
    path: str
    hash: str
    other: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AppControlPolicy:
    """A policy: ids, its type (BASE, SUPPLEMENTAL, TAGGING, or what else stands there), options by Microsoft's text
    (`Enabled:UMCI`), file rules, and which of them its signing scenarios refer to (131 is kernel, 12 is user mode).

    `allowed_signers` are the scenarios that allow anything by its signer; `denied_attributes` the FileAttrib rules that
    narrow a denied signer, by scenario; `left_out` what was not understood.
    """

    id: str
    base_id: str
    type: str
    name: str
    options: frozenset[str]
    rules: tuple[FileRule, ...]
    scenarios: tuple[tuple[int, tuple[str, ...]], ...]
    allowed_signers: frozenset[int] = frozenset()
    denied_attributes: tuple[tuple[int, tuple[str, ...]], ...] = ()
    left_out: tuple[str, ...] = ()
    version: str = ""

    def has(self, option: str) -> bool:
        """Whether an option is set; Microsoft's spelling, without case."""
        return option.casefold() in {one.casefold() for one in self.options}

    def rules_of(self, scenario: int) -> tuple[FileRule, ...]:
        """The file rules that a signing scenario refers to."""
        wanted = {id_ for value, ids in self.scenarios if value == scenario for id_ in ids}
        return tuple(rule for rule in self.rules if rule.id in wanted)


def parse(data: bytes | str, where: str = "App Control policy") -> AppControlPolicy:
    """A policy from its XML; EvidenceError where it is none."""
    root = parse_xml(data, where)
    if local_name(root) != "SiPolicy":
        raise EvidenceError(where, f"is no App Control policy: the root is <{local_name(root)[:40]}>.",
                            "Give the XML from which the policy was made.")
    left_out: list[str] = []
    signers = {one.get("ID", ""): one for one in within(root, "Signers", "Signer")}
    scenarios = within(root, "SigningScenarios", "SigningScenario")
    numbered = [(_scenario_number(one, left_out), one) for one in scenarios]
    id_ = _text(root, "PolicyID") or _text(root, "PolicyTypeID")
    return AppControlPolicy(
        id=id_, base_id=_text(root, "BasePolicyID") or id_, type=_type(root, left_out), name=_name(root),
        options=frozenset(_text(one, "Option") for one in within(root, "Rules", "Rule")) - {""},
        rules=tuple(_rules(root, left_out)),
        scenarios=tuple((number, tuple(ref.get("RuleID", "") for ref in within(
            one, "ProductSigners", "FileRulesRef", "FileRuleRef"))) for number, one in numbered),
        allowed_signers=frozenset(number for number, one in numbered
                                  if within(one, "ProductSigners", "AllowedSigners", "AllowedSigner")),
        denied_attributes=tuple((number, ids) for number, one in numbered if (ids := _denied(one, signers))),
        left_out=tuple(left_out), version=_text(root, "VersionEx"))


def _type(root: Element, left_out: list[str]) -> str:
    text = root.get("PolicyType", BASE)
    known = next((one for one in (BASE, SUPPLEMENTAL, TAGGING) if one.casefold() == text.strip().casefold()), "")
    if not known:
        left_out.append(f"the PolicyType {text[:40]!r}")
    return known or text


def policy_key(id_: str) -> str:
    """A policy's id as it compares: lower case, without braces."""
    return id_.strip("{} ").casefold()


def _text(element: Element, name: str) -> str:
    found = next(iter(named(element, name)), None)
    return (found.text or "").strip() if found is not None else ""


def _scenario_number(element: Element, left_out: list[str]) -> int:
    text = element.get("Value", "")
    if text.isdecimal() and len(text) < 6:
        return int(text)
    left_out.append(f"a signing scenario whose value is {text[:20]!r}")
    return -1


def _rules(root: Element, left_out: list[str]) -> list[FileRule]:
    found = []
    for element in (child for held in named(root, "FileRules") for child in held):
        kind = local_name(element)
        if kind == "FileRule":  # a later form: the kind is an attribute
            kind = {"Match": "Allow", "Exclude": "Deny", "Attribute": "FileAttrib"}.get(element.get("Type", ""), kind)
        if kind not in _KINDS:
            if isinstance(element.tag, str):
                left_out.append(f"a file rule <{kind[:40]}> {element.get('ID', '')[:60]}".rstrip())
            continue
        other = tuple((key, value) for key, value in element.attrib.items() if key not in (*_READ, "Type"))
        id_, friendly, name, low, high, path, digest = (element.get(one, "") for one in _READ)
        found.append(FileRule(kind, id_, friendly, name, low, high, path, digest, other))
    return found


def _denied(scenario: Element, signers: dict[str, Element]) -> tuple[str, ...]:
    """The FileAttrib rules of the signers that a scenario denies."""
    names = [one.get("SignerId", "") for one in within(scenario, "ProductSigners", "DeniedSigners", "DeniedSigner")]
    return tuple(ref.get("RuleID", "") for name in names if name in signers
                 for ref in named(signers[name], "FileAttribRef"))


def _name(root: Element) -> str:
    """The name that Set-CIPolicyIdInfo gave it, in its settings."""
    for setting in within(root, "Settings", "Setting"):
        if setting.get("ValueName") == "Name":
            return next(("".join(one.itertext()).strip() for one in named(setting, "Value")), "")
    return root.get("FriendlyName", "")


def write(policy: AppControlPolicy, options: Sequence[str], platform: str) -> bytes:
    """A policy of file rules alone as the XML that ConvertFrom-CIPolicy reads. `options` are its options in order,
    `platform` the PlatformID. The order of the elements is that of Microsoft's own policies."""
    root = ET.Element("SiPolicy", {"xmlns": NAMESPACE, "PolicyType": policy.type})
    add(root, "VersionEx", policy.version or "10.0.0.0")
    add(root, "PlatformID", platform)
    rules = add(root, "Rules")
    for option in options:
        add(add(rules, "Rule"), "Option", option)
    add(root, "EKUs")
    files = add(root, "FileRules")
    for rule in policy.rules:
        values = (rule.id, rule.friendly_name, rule.file_name, rule.minimum, rule.maximum, rule.path, rule.hash)
        given = (*zip(_READ, values, strict=True), *rule.other)
        add(files, rule.kind, **{name: value for name, value in given if value})
    add(root, "Signers")
    scenarios = add(root, "SigningScenarios")
    for number, ids in policy.scenarios:
        kernel = number == KERNEL
        held = add(scenarios, "SigningScenario", Value=str(number),
                   ID="ID_SIGNINGSCENARIO_DRIVERS_1" if kernel else "ID_SIGNINGSCENARIO_WINDOWS",
                   FriendlyName="Kernel mode" if kernel else "User mode")
        refs = add(add(held, "ProductSigners"), "FileRulesRef")
        for id_ in ids:
            add(refs, "FileRuleRef", RuleID=id_)
    for name, text in (("UpdatePolicySigners", ""), ("CiSigners", ""), ("HvciOptions", "0")):
        add(root, name, text)
    _add_settings(add(root, "Settings"), policy)
    add(root, "BasePolicyID", policy.base_id)
    add(root, "PolicyID", policy.id)
    return write_xml(root)


def _add_settings(settings: Element, policy: AppControlPolicy) -> None:
    for name, value in (("Name", policy.name), ("Id", policy.version)):
        held = add(settings, "Setting", Provider="PolicyInfo", Key="Information", ValueName=name)
        add(add(held, "Value"), "String", value)
