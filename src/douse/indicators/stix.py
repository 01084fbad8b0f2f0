"""Read STIX 2.1 (and 2.0): a bundle, a TAXII envelope, a list of objects or one object in, entries out.

    indicator                          its pattern, name, labels, valid_from, valid_until; a revoked one is left out
    domain-name, url, ipv4-addr, ...   an observable is an indicator, except where an observed-data says only that it
    file (hashes)                      was seen: that is a victim's, not a thief's
    relationship                       indicator `indicates` malware, and malware `communicates-with`, `downloads` or
                                       `drops` an observable: the malware's name is the family
    identity, marking-definition       who made it, and the Traffic Light Protocol's word

Pattern parts that are no equality joined by OR are Skips, each with the object's id. A malformed object is a Skip; what
is no STIX at all is the caller's error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from douse.indicators.entries import Entries, moment
from douse.indicators.known import TLP, Origin
from douse.indicators.lines import MAX_NAME
from douse.indicators.patterns import read_pattern

Object = Mapping[str, Any]

TLP_IDS: Final[Mapping[str, str]] = {
    "613f2e26-407d-48c7-9eca-b8e91df99dc9": "clear", "34098fce-860f-48ae-8e50-ebd3cc5e41da": "green",
    "f88d31f6-486f-44da-b317-01333bde0b82": "amber", "5e57c739-391a-4eb3-b6be-7d15ca92d5ed": "red",
    "94868c89-83c2-464b-929b-a1a8aa3c8487": "clear", "bab4a63c-aed9-4cf5-a766-dfca5abac2bb": "green",
    "55d920b0-5e8b-4f79-9ee9-91f868d9b421": "amber", "939a9414-2ddd-4d32-a0cd-375ea402b003": "amber+strict",
    "e828b379-4e03-4974-9ac4-e53a884c97c1": "red"}
"""Marking definitions that every producer names by the same id: STIX 2.1, 7.2.1.4 (TLP 1, white is clear today), and
the TLP 2.0 extension of the OASIS common objects."""

_OBSERVABLES: Final = frozenset({"domain-name", "url", "ipv4-addr", "ipv6-addr"})
_MALWARE_USES: Final = frozenset({"communicates-with", "downloads", "drops", "beacons-to", "exfiltrates-to"})
_HASHES: Final = ("SHA-256", "SHA256", "SHA-1", "SHA1", "MD5")
_CONVERT: Final = "Name its values in a list of their own, one a line."


def objects_of(document: object) -> Sequence[object] | None:
    """The objects of a JSON document, None where it is no STIX."""
    if isinstance(document, dict):
        if isinstance(document.get("objects"), list):
            listed: list[object] = document["objects"]
            return listed
        return [document] if _is_object(document) else None
    if isinstance(document, list) and document and _is_object(document[0]):
        return document
    return None


def _is_object(thing: object) -> bool:
    return isinstance(thing, dict) and isinstance(thing.get("type"), str) and "--" in str(thing.get("id", ""))


def read_objects(file: str, objects: Sequence[object]) -> Entries:
    """The entries of a file's objects; `file` is how the user names it. Raises ContentError (patterns.py)."""
    entries, around = Entries(), _Around(objects)
    for number, thing in enumerate(objects, start=1):
        if not isinstance(thing, dict) or not isinstance(thing.get("type"), str):
            entries.skip(f"{file}: object {number}", "is no STIX object (it has no type)", "Correct or remove it.")
            continue
        where = f"{file}: {_text(thing, 'id') or f'object {number}'}"
        if thing["type"] == "indicator":
            _indicator(entries, where, thing, around)
        elif thing["type"] in _OBSERVABLES or thing["type"] == "file":
            _observable(entries, where, thing, around)
    return entries


def _indicator(entries: Entries, where: str, thing: Object, around: _Around) -> None:
    if thing.get("revoked") is True:
        entries.left_out["revoked by their author"] += 1
        return
    kind, pattern = _text(thing, "pattern_type") or "stix", thing.get("pattern")
    if kind != "stix" or not isinstance(pattern, str):
        what = f"is not convertible: its pattern is of the type {kind[:40]}" if kind != "stix" else "has no pattern"
        entries.skip(where, what, "Load Sigma rules with --rules; of others name the values in a list.")
        return
    until = _text(thing, "valid_until")
    ends = moment(until)
    if until and ends is None:
        entries.skip(where, f"its valid_until '{until[:40]}' is no time", "Write it as in 2027-03-31T00:00:00Z.")
        return
    read = read_pattern(pattern)
    for reason in read.rest:
        entries.skip(where, f"is not convertible{' as a whole' if read.values else ''}: {reason}", _CONVERT)
    for value in read.values:
        entries.name(value, around.origin(where, thing), families=around.families(thing), labels=_labels(thing),
                     valid_from=moment(_text(thing, "valid_from")), valid_until=ends)


def _observable(entries: Entries, where: str, thing: Object, around: _Around) -> None:
    if _text(thing, "id") in around.observed:
        entries.left_out["observables that were only observed (observed-data)"] += 1
        return
    if thing["type"] in _OBSERVABLES:
        values = [_text(thing, "value")]
    else:
        hashes = thing.get("hashes")
        found = hashes if isinstance(hashes, dict) else {}
        values = [found[name] for name in _HASHES if isinstance(found.get(name), str)]
    if not any(values):
        if thing["type"] != "file":
            entries.skip(where, "has no value", "Correct or remove it.")
        else:
            entries.left_out["files without an MD5, SHA-1 or SHA-256"] += 1
    for value in filter(None, values):
        entries.name(value, around.origin(where, thing), families=around.families(thing), labels=_labels(thing))


class _Around:
    """What the objects beside an indicator say of it."""

    def __init__(self, objects: Sequence[object]) -> None:
        known = {_text(thing, "id"): thing for thing in objects if isinstance(thing, dict)}
        self._names = {key: _text(thing, "name") for key, thing in known.items()}
        self._tlp = {key: _tlp_of(thing) for key, thing in known.items() if thing.get("type") == "marking-definition"}
        self._families: dict[str, dict[str, None]] = {}
        self.observed = {ref for thing in known.values() if thing.get("type") == "observed-data"
                         for ref in _refs(thing, "object_refs")}
        for thing in known.values():
            if thing.get("type") == "relationship":
                self._relate(thing)
            elif thing.get("type") == "malware":
                for sample in _refs(thing, "sample_refs"):
                    self._belongs(sample, _text(thing, "id"))

    def _relate(self, thing: Object) -> None:
        kind, source, target = (_text(thing, key) for key in ("relationship_type", "source_ref", "target_ref"))
        if kind == "indicates" and target.startswith("malware--"):
            self._belongs(source, target)
        elif kind in _MALWARE_USES and source.startswith("malware--"):
            self._belongs(target, source)
        elif kind == "based-on":  # somebody made an indicator of what was observed
            self.observed.discard(target)

    def _belongs(self, thing: str, malware: str) -> None:
        if name := self._names.get(malware, ""):
            self._families.setdefault(thing, {})[name] = None

    def families(self, thing: Object) -> tuple[str, ...]:
        """The malware that it indicates."""
        return tuple(self._families.get(_text(thing, "id"), ()))

    def origin(self, where: str, thing: Object) -> Origin:
        """Where it stands, what it is called, who made it, how far it may be passed on."""
        words = [self._tlp.get(ref) or TLP_IDS.get(ref.partition("--")[2], "")
                 for ref in _refs(thing, "object_marking_refs")]
        return Origin(where, _text(thing, "name"), self._names.get(_text(thing, "created_by_ref"), ""),
                      max(words, key=TLP.index, default=""))


def _tlp_of(thing: Object) -> str:
    """The word of a marking definition, in whichever of three ways it says it; empty where it marks something else."""
    said = [_text(thing, "name")]
    if isinstance(definition := thing.get("definition"), dict):
        said.append(_text(definition, "tlp"))
    if isinstance(extensions := thing.get("extensions"), dict):
        said += [_text(each, "tlp_2_0") for each in extensions.values() if isinstance(each, dict)]
    words = (text.lower().removeprefix("tlp:").replace("white", "clear") for text in said)
    return next((word for word in words if word and word in TLP), "")


def _labels(thing: Object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(text[:MAX_NAME] for key in ("labels", "indicator_types") for text in _refs(thing, key)))


def _refs(thing: Object, key: str) -> Iterator[str]:
    listed = thing.get(key)
    yield from (each for each in (listed if isinstance(listed, list) else ()) if isinstance(each, str))


def _text(thing: Object, key: str) -> str:
    value = thing.get(key)
    return value[:MAX_NAME] if isinstance(value, str) and key != "value" else value if isinstance(value, str) else ""
