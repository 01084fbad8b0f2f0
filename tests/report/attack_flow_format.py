"""The rules of Attack Flow 2.0 as a JSON Schema for each of its objects, and of the document as a whole.

Written after the language specification (center-for-threat-informed-defense/attack-flow): which properties an object
has, which it must have, and what its references may point to. STIX's own rules are stix2-validator's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

EXTENSION = "extension-definition--fb9c968a-745b-4ade-9b25-c324172197f4"
_NEXT = "attack-action|attack-operator|attack-condition"
_COMMON = ("type", "spec_version", "id", "created_by_ref", "created", "modified", "revoked", "labels", "confidence",
           "lang", "external_references", "object_marking_refs", "granular_markings")
_TEXT = {"type": "string", "minLength": 1}
_TIME = {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$"}


def _ref(kinds: str) -> dict[str, Any]:
    return {"type": "string", "pattern": f"^({kinds})--[0-9a-f]{{8}}(-[0-9a-f]{{4}}){{3}}-[0-9a-f]{{12}}$"}


def _refs(kinds: str) -> dict[str, Any]:
    return {"type": "array", "minItems": 1, "items": _ref(kinds)}


def _object(kind: str, required: tuple[str, ...], **own: dict[str, Any]) -> dict[str, Any]:
    """The schema of an object of the flow; a property that is neither its own nor STIX's common is refused."""
    extension = {"type": "object", "required": ["extension_type"],
                 "properties": {"extension_type": {"const": "new-sdo"}}}
    return {
        "type": "object",
        "required": ["type", "spec_version", "id", "created", "modified", "extensions", *required],
        "additionalProperties": False,
        "properties": {**dict.fromkeys(_COMMON, True), **own, "type": {"const": kind}, "id": _ref(kind),
                       "spec_version": {"const": "2.1"},
                       "extensions": {"type": "object", "required": [EXTENSION],
                                      "properties": {EXTENSION: extension}}},
    }


SCHEMAS = {
    "attack-flow": _object(
        "attack-flow", ("name", "start_refs", "scope"), name=_TEXT, description=_TEXT,
        scope={"enum": ["incident", "campaign", "threat-actor", "malware", "attack-tree", "other"]},
        start_refs=_refs("attack-action|attack-condition")),
    "attack-action": _object(
        "attack-action", ("name",), name=_TEXT, description=_TEXT, tactic_id=_TEXT, technique_id=_TEXT,
        tactic_ref=_ref("x-mitre-tactic"), technique_ref=_ref("attack-pattern"), execution_start=_TIME,
        execution_end=_TIME, command_ref=_ref("process"), asset_refs=_refs("attack-asset"), effect_refs=_refs(_NEXT)),
    "attack-asset": _object("attack-asset", ("name",), name=_TEXT, description=_TEXT, object_ref=_ref(r"[a-z0-9-]+")),
    "attack-condition": _object(
        "attack-condition", ("description",), description=_TEXT, pattern=_TEXT, pattern_type=_TEXT,
        pattern_version=_TEXT, on_true_refs=_refs(_NEXT), on_false_refs=_refs(_NEXT)),
    "attack-operator": _object("attack-operator", ("operator",), operator={"enum": ["AND", "OR"]},
                               effect_refs=_refs(_NEXT)),
}


def references(one: Any) -> Iterator[str]:
    """Every id that an object's `…_ref` and `…_refs` name, at any depth."""
    if isinstance(one, dict):
        for name, value in one.items():
            if name.endswith("_ref"):
                yield value
            elif name.endswith("_refs"):
                yield from value
            else:
                yield from references(value)
    elif isinstance(one, list):
        for item in one:
            yield from references(item)


def problems(bundle: dict[str, Any]) -> Iterator[str]:
    """One flow, its extension's definition, references that resolve, and no object without a way to the flow."""
    objects = {one["id"]: one for one in bundle["objects"]}
    flows = [one for one in bundle["objects"] if one["type"] == "attack-flow"]
    if len(flows) != 1:
        yield f"{len(flows)} flows"
        return
    if not flows[0].get("description"):
        yield "the flow has no description"
    if EXTENSION not in objects:
        yield "no definition of the extension"
    near: dict[str, set[str]] = {identity: set() for identity in objects}
    for identity, one in objects.items():
        for other in references(one):
            if other not in objects:
                yield f"{identity} names {other}, which is not there"
            elif not other.startswith(("marking-definition--", "identity--")) or identity.startswith("attack-asset--"):
                near[identity].add(other)
                near[other].add(identity)
    reached, ahead = set(), [flows[0]["id"]]
    while ahead:
        here = ahead.pop()
        if here not in reached:
            reached.add(here)
            ahead += near[here]
    for identity in objects.keys() - reached:
        if not identity.startswith(("marking-definition--", "identity--", "extension-definition--")):
            yield f"{identity} has no way to the flow"
