r"""Read Group Policy Preferences: Registry.xml and Services.xml of a policy, machine's or user's part.

    <Registry name="x"><Properties action="U" hive="HKEY_LOCAL_MACHINE" key="..." name="..." type="REG_DWORD"
                                   value="00000001"/></Registry>

Action D deletes; C (create) writes only where there is none, so that it does not count as set. An entry that is off,
or that is for some computers or users only (`Filters`), says nothing of all, and is told.
"""

from __future__ import annotations

from dataclasses import dataclass
from xml.etree.ElementTree import Element  # the type only

from douse.harden.evidence import gpo, xml
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import Service, Subject
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import shown
from douse.harden.seen import Seen, Source

HIVES = {"HKEY_LOCAL_MACHINE": "HKLM", "HKEY_CURRENT_USER": "HKCU"}
_STARTS = {"AUTOMATIC": "automatic", "BOOT": "automatic", "SYSTEM": "automatic", "AUTOMATIC_DELAYED": "automatic",
           "MANUAL": "manual", "DISABLED": "disabled"}
_NUMBERS = {"REG_DWORD": 4, "REG_QWORD": 8}


@dataclass(frozen=True, slots=True)
class _Reading:
    subject: Subject
    source: Source
    shown: str
    evidence: Evidence
    profile: str


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add what the preferences set."""
    root = xml.parse(file, evidence)
    subject, _ = gpo.policy_of(file, evidence)
    take(root, subject, file.source("preferences"), file.shown, evidence)


def take(root: Element, subject: Subject, source: Source, where: str, evidence: Evidence, profile: str = "") -> None:
    """Add what an element with entries sets, `profile` in whose part of the registry where it is a user's."""
    reading = _Reading(subject, source, where, evidence, profile)
    for entry, narrowed in _entries(root):
        properties = xml.child(entry, "Properties")
        if properties is None or entry.get("disabled") == "1":
            continue
        if narrowed:
            name = str(properties.get("name") or properties.get("serviceName") or entry.get("name", ""))
            evidence.note(where, f"sets {name[:80]!r} for some computers or users only (item-level targeting); it is "
                          "not counted as set.")
        elif xml.name_of(entry) == "NTService":
            _service(properties, reading)
        else:
            _registry(properties, reading)


def _entries(root: Element) -> list[tuple[Element, bool]]:
    """The entries in order, with those of collections, and whether they or a collection around them are targeted."""
    found: list[tuple[Element, bool]] = []
    waiting = [(child, False) for child in reversed(list(root))]
    while waiting:
        element, narrowed = waiting.pop()
        narrowed = narrowed or _is_targeted(element)
        if xml.name_of(element) in ("Registry", "NTService"):
            found.append((element, narrowed))
        elif xml.name_of(element) == "Collection" and element.get("disabled") != "1":
            waiting.extend((child, narrowed) for child in reversed(list(element)))
    return found


def _is_targeted(element: Element) -> bool:
    filters = xml.child(element, "Filters")
    return filters is not None and len(filters) > 0


def _service(properties: Element, reading: _Reading) -> None:
    start = _STARTS.get(properties.get("startupType", "").upper())
    name = properties.get("serviceName", "")
    if start and name:
        reading.subject.services.setdefault(name, []).append(
            Seen(Service(start), reading.source, f"NTService {name}", properties.get("startupType", "")))


def _registry(properties: Element, reading: _Reading) -> None:
    part, key = HIVES.get(properties.get("hive", "")), properties.get("key", "").strip("\\")
    name = "" if properties.get("default") == "1" else properties.get("name", "")
    if part is None or not key:
        return
    action, place = properties.get("action", "U"), f"{part}\\{key}!{name}"
    registry, profile = reading.subject.registry, reading.profile if part == "HKCU" else ""
    if action == "D" and not name and properties.get("default") != "1":
        registry.complete(part, key, reading.source, profile)
    elif action == "D":
        registry.add(part, key, name, None, reading.source, raw="deleted", profile=profile)
    elif action == "C":
        reading.evidence.note(reading.shown, f"sets {place} only where there is none yet; it is not counted as set.")
    elif name or properties.get("default") == "1":
        try:
            value = _value(properties)
        except ValueError:
            reading.evidence.lost(reading.shown, f"{place} has data that is not of its type.",
                                  "Export the policy again.")
        else:
            registry.add(part, key, name, value, reading.source, raw=shown(value.data), profile=profile)


def _value(properties: Element) -> RegistryValue:
    """What an entry sets: numbers and bytes are in hexadecimal."""
    type_, text = properties.get("type", "REG_SZ"), properties.get("value", "")
    if type_ in _NUMBERS:
        number = int(text or "0", 16)
        if not 0 <= number < 1 << 8 * _NUMBERS[type_]:
            raise ValueError(text)
        return RegistryValue(type_, number)
    if type_ == "REG_BINARY":
        return RegistryValue(type_, bytes.fromhex(text))
    if type_ == "REG_MULTI_SZ":
        values = xml.child(properties, "Values")
        listed = [one.text or "" for one in xml.children(values, "Value")] if values is not None else text.split(" ")
        return RegistryValue(type_, tuple(one for one in listed if one))
    if type_ not in ("REG_SZ", "REG_EXPAND_SZ"):
        raise ValueError(type_)
    return RegistryValue(type_, text)
