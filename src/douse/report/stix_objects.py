"""The ground of every STIX 2.1 object that Douse writes: ids that stay the same, times, marking, the bundle.

    own_id("indicator", "url", "https://…")        the same id for the same thing, whoever imports it how often
    bundle(bundle_id, objects)                     bytes, one object a line, each id once

The id of a cyber-observable is a UUIDv5 of what it is (STIX 2.1, 2.9; stix_observables.py). Of other objects the
specification recommends a random one; ours are UUIDv5 too, in a namespace of ours, so that a second import updates what
the first one made. `created` is fixed by what the object is about, `modified` is the end of the run that said so.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from douse.report.machine import json_lines
from douse.report.schema import Document

StixObject = dict[str, Any]

SPEC: Final = "2.1"
NAMESPACE: Final = uuid.UUID("d0d5e5a1-5f0c-5c3e-9d0e-6f1ce2a7b0c4")
"""Of ids that are ours to choose. Never to be changed: an importer would get everything twice."""
SHARED: Final = "2026-01-01T00:00:00.000Z"
"""`created` of objects that no single incident owns: Douse, hosts, techniques, families, controls."""
TLP_AMBER: Final[StixObject] = {
    "type": "marking-definition",
    "spec_version": SPEC,
    "id": "marking-definition--f88d31f6-486f-44da-b317-01333bde0b82",
    "created": "2017-01-20T00:00:00.000Z",
    "definition_type": "tlp",
    "name": "TLP:AMBER",
    "definition": {"tlp": "amber"},
}
"""STIX's own predefined object (specification 7.2.1.4), which every importer knows."""

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def whole(text: str) -> str:
    """The text as JSON will have it: lone surrogates, which are no characters, written out."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def own_id(kind: str, *parts: str) -> str:
    """The id of the object of this kind that these parts name."""
    return f"{kind}--{uuid.uuid5(NAMESPACE, whole(chr(31).join((kind, *parts))))}"


def process_id(*parts: str) -> str:
    """The id of the process that these parts name. A process must have a UUIDv4; this one has its form, but is not
    random, so that it too is the same in every run."""
    named = uuid.uuid5(NAMESPACE, whole(chr(31).join(("process", *parts))))
    return f"process--{uuid.UUID(bytes=named.bytes, version=4)}"


def id_from(kind: str, known: str) -> str:
    """An id that carries a UUID which Douse shows elsewhere, so that it can be searched for."""
    return f"{kind}--{known}" if _UUID.fullmatch(known) else own_id(kind, known)


DOUSE: Final[StixObject] = {
    "type": "identity",
    "spec_version": SPEC,
    "id": own_id("identity", "douse"),
    "created": SHARED,
    "modified": SHARED,
    "name": "Douse",
    "description": "Finds infostealers in Windows logs. Its findings are a program's, unless a person says otherwise.",
    "identity_class": "system",
}


def millis(moment: str) -> str:
    """A time as `created` and `modified` need it: to the millisecond (the rest is cut)."""
    seconds, _, fraction = moment.removesuffix("Z").partition(".")
    return f"{seconds}.{fraction[:3]:0<3}Z"


@dataclass(frozen=True, slots=True)
class Stamp:
    """The times of what one run says. `finished` is the end of the run, to the millisecond."""

    finished: str

    @classmethod
    def of(cls, document: Document) -> Stamp:
        """The stamp of a document's run."""
        return cls(millis(document["provenance"]["finished"]))

    def sdo(self, kind: str, identity: str, created: str = SHARED, **properties: object) -> StixObject:
        """A domain or relationship object; properties without a value are left out, as STIX has no empty ones."""
        began = millis(created)
        return {
            "type": kind,
            "spec_version": SPEC,
            "id": identity,
            "created_by_ref": DOUSE["id"],
            "created": began,
            "modified": max(began, self.finished),  # a clock that ran ahead must not end before it began
            **given(properties),
            "object_marking_refs": [TLP_AMBER["id"]],
        }

    def relationship(self, source: str, kind: str, target: str, created: str = SHARED, *parts: str,
                     **properties: object) -> StixObject:
        """One object's relationship to another; the same pair, kind and `parts` are the same relationship."""
        return self.sdo("relationship", own_id("relationship", source, kind, target, *parts), created,
                        relationship_type=kind, source_ref=source, target_ref=target, **properties)

    def host(self, name: str) -> StixObject:
        """A host as an identity of class system; its name in any case is the same host."""
        return self.sdo("identity", host_id(name), name=name or "(host unknown)", identity_class="system")


def host_id(name: str) -> str:
    """The id of a host's identity."""
    return own_id("identity", "host", name.lower())


def given(properties: Mapping[str, object]) -> StixObject:
    """The properties that have a value; False and 0 are values."""
    return {name: value for name, value in properties.items() if value is not None and value not in ("", [], {}, ())}


def bundle(identity: str, objects: Iterable[StixObject]) -> Iterator[bytes]:
    """The bundle as JSON, an object a line; of objects with one id the first. Only ids are kept in memory."""
    yield f'{{"type":"bundle","id":"{identity}","objects":['.encode()
    separator = b"\n"
    for line in json_lines(_once(objects)):
        yield separator + line.removesuffix(b"\n")
        separator = b",\n"
    yield b"\n]}\n"


def _once(objects: Iterable[StixObject]) -> Iterator[StixObject]:
    seen: set[str] = set()
    for one in objects:
        if one["id"] not in seen:
            seen.add(one["id"])
            yield one
