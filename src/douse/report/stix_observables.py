"""STIX cyber-observables (SCOs): the things that records name, with the ids that the specification gives them.

Each function returns objects of which the last is the one meant and the others are what it refers to, or nothing where
the value is not of its kind: text of an attacker's choice must not become an "address". The id is the UUIDv5 of the
contributing properties as canonical JSON (STIX 2.1, 2.9), so that any other tool makes the same one. A process has no
contributing properties; its id is made of host, GUID, pid, start and image.
"""

from __future__ import annotations

import ipaddress
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Final

from douse.report.observed import Observed, RegistryValue, hash_kind
from douse.report.schema import ProcessRow
from douse.report.stix_objects import SPEC, StixObject, given, process_id, whole

Objects = tuple[StixObject, ...]

SCO_NAMESPACE: Final = uuid.UUID("00abedb4-aa42-466c-9c01-fed23315a9b7")
"""Given by STIX 2.1, section 2.9."""

_DOMAIN: Final = re.compile(r"(?=.{1,253}\Z)(?:[\w-]{1,63}\.)*[\w-]{1,63}\.?")
_URL: Final = re.compile(r"[a-z][a-z0-9+.-]*://[^\s\x00-\x1f\x7f]+", re.IGNORECASE)
_FOR_IDS: Final = ("MD5", "SHA-1", "SHA-256")
"""Where a file has several hashes, the first of these alone contributes to its id (STIX 2.1, 2.9)."""
_HIVES: Final = {
    "HKLM": "HKEY_LOCAL_MACHINE", "HKU": "HKEY_USERS", "HKCU": "HKEY_CURRENT_USER", "HKCR": "HKEY_CLASSES_ROOT",
    "HKCC": "HKEY_CURRENT_CONFIG", "\\REGISTRY\\MACHINE": "HKEY_LOCAL_MACHINE", "\\REGISTRY\\USER": "HKEY_USERS",
}
_LONGEST: Final = 253 + 64


def _sco(kind: str, contributing: Mapping[str, object], **more: object) -> StixObject:
    """An observable; `contributing` make its id, `more` only describe it."""
    canonical = json.dumps(contributing, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return {"type": kind, "spec_version": SPEC, "id": f"{kind}--{uuid.uuid5(SCO_NAMESPACE, canonical)}",
            **contributing, **given(more)}


def domain(name: str) -> Objects:
    """A domain name; also one with underscores or of another script, as DNS and logs have them."""
    return (_sco("domain-name", {"value": name}),) if _DOMAIN.fullmatch(name) else ()


def url(text: str) -> Objects:
    """An absolute URL."""
    return (_sco("url", {"value": whole(text)}),) if _URL.fullmatch(text) else ()


def address(text: str) -> Objects:
    """An IPv4 or IPv6 address; one in a scope (`%eth0`) without the scope."""
    try:
        parsed = ipaddress.ip_address(text.partition("%")[0]) if len(text) < _LONGEST else None
    except ValueError:
        return ()
    return () if parsed is None else (_sco(f"ipv{parsed.version}-addr", {"value": str(parsed)}),)


def file(path: str, hashes: Mapping[str, str] | None = None) -> Objects:
    """A file by its Windows path, its hashes, or both."""
    folder, _, name = whole(path).rpartition("\\")
    parts: dict[str, object] = {}
    for_id: dict[str, object] = {}
    if hashes:
        parts["hashes"] = dict(hashes)
        for_id["hashes"] = {kind: hashes[kind] for kind in _FOR_IDS if kind in hashes and kind == _first(hashes)}
    if name:
        parts["name"] = for_id["name"] = name
    if not parts:
        return ()
    before = directory(folder) if folder else ()
    if before:
        parts["parent_directory_ref"] = for_id["parent_directory_ref"] = before[-1]["id"]
    return (*before, {**_sco("file", for_id), **parts})


def _first(hashes: Mapping[str, str]) -> str:
    return next((kind for kind in _FOR_IDS if kind in hashes), "")


def directory(path: str) -> Objects:
    """A folder by its path."""
    return (_sco("directory", {"path": whole(path)}),)


def registry(value: RegistryValue) -> Objects:
    """A registry key, with the value that was set."""
    contributing: dict[str, object] = {"key": full_key(whole(value.key))}
    if value.name or value.data:
        contributing["values"] = [given({"name": whole(value.name), "data": whole(value.data)})]
    return (_sco("windows-registry-key", contributing),)


def full_key(key: str) -> str:
    """The key with its hive's full name, as STIX demands; Sysmon and Windows abbreviate it in their own ways."""
    for short, full in _HIVES.items():
        if key.upper().startswith(f"{short}\\") or key.upper() == short:
            return full + key[len(short):]
    return key


def account(name: str, host: str) -> Objects:
    r"""A user by the name logs give, `DOMAIN\name`; of a domain named as the host it is a local account."""
    if not name:
        return ()
    place, _, login = whole(name).rpartition("\\")
    local = place.lower() == host.partition(".")[0].lower()
    kind = given({"account_type": ("windows-local" if local else "windows-domain") if place else ""})
    return (_sco("user-account", {**kind, "user_id": whole(name), "account_login": login or whole(name)}),)


def connection(destination: str, port: int) -> Objects:
    """A TCP connection to an address; only where it went, so that repeated ones are one."""
    found = address(destination)
    if not found or not 0 < port < 65536:
        return found
    family = str(found[-1]["type"]).removesuffix("-addr")
    contributing = {"dst_ref": found[-1]["id"], "dst_port": port, "protocols": [family, "tcp"]}
    return (*found, _sco("network-traffic", contributing))


def indicator_value(kind: str, value: str) -> Objects:
    """The observable of an indicator of Douse's types, nothing where the value is not of its type."""
    match kind:
        case "domain-name":
            return domain(value)
        case "url":
            return url(value)
        case "ipv4-addr" | "ipv6-addr":
            found = address(value)
            return found if found and found[-1]["type"] == kind else ()
        case "file":
            return file("", {hash_kind(value): value.strip().lower()}) if hash_kind(value) else ()
        case "file-path":
            return file(value)
        case "registry-key":
            return registry(RegistryValue(value)) if value else ()
    return ()


def of_record(seen: Observed) -> Objects:
    """Everything a record names but its process, each observable after what it refers to."""
    found: list[StixObject] = []
    if seen.file:
        found += file(seen.file, seen.hashes)
    elif seen.actor.image and seen.hashes:
        found += file(seen.actor.image, seen.hashes)
    if seen.registry:
        found += registry(seen.registry)
    if seen.destination:
        found += domain(seen.destination.hostname)
        for one in seen.destination.addresses:
            found += connection(one, seen.destination.port)
    if seen.url:
        found += url(seen.url)
    return tuple(found)


def processes(host: str, rows: Sequence[ProcessRow]) -> list[Objects]:
    """The processes of an incident in the order of its rows, with their users, image files and parents."""
    named = [bool(row["pid"] or row["image"] or row["command_line"]) for row in rows]
    identities = [process_id(host.lower(), row["guid"], str(row["pid"]), row["started"] or "", row["image"])
                  for row in rows]
    made: list[Objects] = []
    for row, known, identity in zip(rows, named, identities, strict=True):
        parent = row["parent"]
        above = identities[parent] if parent is not None and 0 <= parent < len(rows) and named[parent] else ""
        made.append(_process(row, host, identity, above) if known else ())
    return made


def _process(row: ProcessRow, host: str, identity: str, parent: str) -> Objects:
    image, user = file(row["image"]), account(row["user"], host)
    properties = given({
        "pid": row["pid"] or None,
        "created_time": row["started"],
        "command_line": row["command_line"],
        "creator_user_ref": user[-1]["id"] if user else "",
        "image_ref": image[-1]["id"] if image else "",
        "parent_ref": parent,
    })
    return (*image, *user, {"type": "process", "spec_version": SPEC, "id": identity, **properties})
