"""Exports of `Get-MpPreference` and `Get-MpComputerStatus`: as JSON, as `Format-List` text, or as CliXml.

The host is the server's name that CIM writes into an object, else the file's (naming.py): ComputerID is a number.
`Format-List` cuts lists after four entries; then the rules stay unknown, because those that were cut off may be any.
Of all properties, those are kept that a control asks for or that explain one (harden/collect.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from douse.errors import EvidenceError
from douse.harden.collect import asked
from douse.harden.evidence import defender, json_tree, texts, xml
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.json_tree import Json, listed, mapping
from douse.harden.evidence.naming import named_for_file
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject

RULE_IDS, RULE_ACTIONS = "attacksurfacereductionrules_ids", "attacksurfacereductionrules_actions"
_PREFERENCE = "DisableRealtimeMonitoring"
_STATUS = "RealTimeProtectionEnabled"
_MARKS = {"MpPreference": _PREFERENCE, "MpComputerStatus": _STATUS}
"""A property that only this object has."""

_LINE = re.compile(r"([A-Za-z_][\w.]*) *: ?(.*)")
_XML_TRUTH = {"true": True, "false": False}

Properties = dict[str, Json]
"""The properties of one object, their names in lower case."""


def looks(file: EvidenceFile) -> bool:
    """Whether it names properties that only these objects have."""
    start = texts.start_of(file.data, 64 << 10)
    if _PREFERENCE not in start and _STATUS not in start:
        return False
    if "schemas.microsoft.com/powershell" in start[:400]:
        return True
    quote = '"' if start.lstrip()[:1] in ("{", "[") else ""
    begin = "" if quote else "^"
    return re.search(rf"{begin}{quote}(?:{_PREFERENCE}|{_STATUS}){quote}\s*:", start, re.MULTILINE) is not None


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add each object to its host."""
    found = 0
    for properties in _objects(file, evidence):
        found += _add(properties, file, evidence)
    if not found:
        raise EvidenceError(file.shown, "holds no object of Get-MpPreference or Get-MpComputerStatus.",
                            "Export it with Get-MpPreference | ConvertTo-Json.")


def _objects(file: EvidenceFile, evidence: Evidence) -> Iterator[Properties]:
    shown = texts.read(file, evidence).lstrip("\ufeff")
    first = shown.lstrip()[:1]
    if first in ("{", "["):
        for value in listed(json_tree.parse_text(shown, file.shown)):
            yield _folded(mapping(value))
    elif first == "<":
        for element in xml.children(xml.parse_text(shown, file.shown), "Obj"):
            yield _folded(dict(_from_xml(element)))
    else:
        yield from _from_text(shown)


def _folded(properties: dict[str, Json]) -> Properties:
    return {name.casefold(): value for name, value in properties.items()}


def _add(properties: Properties, file: EvidenceFile, evidence: Evidence) -> bool:
    """Keep one object; False where it is of another kind."""
    of = next((kind for kind, name in _MARKS.items() if name.casefold() in properties), "")
    if not of:
        return False
    wanted = asked().preferences if of == "MpPreference" else asked().statuses
    host = _host(properties, file, evidence, of)
    source = file.source("mppreference")
    defender.add_states(host, of, {name: properties.get(name.casefold()) for name in wanted}, source)
    if RULE_IDS in properties and of == "MpPreference":
        ids, actions = listed(properties[RULE_IDS]), listed(properties.get(RULE_ACTIONS))
        if any(isinstance(one, str) and one in ("...", "…") for one in (*ids, *actions)):
            evidence.lost(file.shown, "the list of attack surface reduction rules was cut off, so that they stay "
                          "unknown.", "Export it with Get-MpPreference | ConvertTo-Json.")
        else:
            defender.add_rules(host, ids, [_number(action) for action in actions], source, evidence)
    return True


def _number(action: Json) -> Json:
    """An action as a number, also where it is one as text; Defender's own words are those of its enumeration."""
    words = {"disabled": 0, "enabled": 1, "block": 1, "auditmode": 2, "audit": 2, "notconfigured": 5, "warn": 6}
    if isinstance(action, str):
        return words.get(action.casefold(), json_tree.number(action))
    return action


def _host(properties: Properties, file: EvidenceFile, evidence: Evidence, of: str) -> Subject:
    server = mapping(properties.get("cimsystemproperties")).get("ServerName")
    for name in (properties.get("pscomputername"), server):
        if isinstance(name, str) and name.strip() and name.casefold() not in ("localhost", "."):
            return evidence.host(name.strip())
    return named_for_file(file, evidence, f"Get-{of} does not name its host")


def _from_xml(element: Element) -> Iterator[tuple[str, Json]]:
    """The properties of a CliXml object: one element each, its type the element's name, its name the attribute N."""
    for holder in ("Props", "MS"):
        for held in (child for part in xml.children(element, holder) for child in part):
            if name := held.get("N", ""):
                yield name, _xml_value(held)


def _xml_value(element: Element) -> Json:
    kind, text = xml.name_of(element), element.text or ""
    if kind == "Obj":
        items = [one for part in ("LST", "IE") for held in xml.children(element, part) for one in held]
        named = dict(_from_xml(element))
        return named or [_xml_value(one) for one in items]
    if kind == "B":
        return _XML_TRUTH.get(text.strip().casefold())
    if kind in ("By", "I16", "I32", "I64", "U16", "U32", "U64", "SB"):
        return json_tree.number(text)
    return None if kind in ("Nil", "Ref") else text


def _from_text(shown: str) -> Iterator[Properties]:
    """The objects of `Format-List`: `Name : value` lines; blank lines part objects, deeper lines go on."""
    for block in re.split(r"\n\s*\n", shown.replace("\r\n", "\n")):
        found: dict[str, list[str]] = {}
        last = ""
        for line in block.splitlines():
            named = _LINE.fullmatch(line.rstrip())
            if named and not line[:1].isspace():
                last = named[1].casefold()
                found[last] = [named[2].strip()]
            elif last:
                found[last].append(line.strip())
        if found:
            yield {name: _text_value("".join(lines)) for name, lines in found.items()}


def _text_value(value: str) -> Json:
    if value.startswith("{"):
        return [part.strip() for part in value.strip("{}").split(",") if part.strip()]
    if value.casefold() in _XML_TRUTH:
        return _XML_TRUTH[value.casefold()]
    number = json_tree.number(value)
    return value if number is None else number
