"""The objects in an OCSF 1.8.0 Detection Finding: device, process, evidence, attacks, observables. Rows in, dicts out.

Names, required fields and the numbers of enumerations are those of schema.ocsf.io/1.8.0. Times are milliseconds since
1970 in UTC. A property without a value is left out.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from douse.content.attack import about, attack
from douse.report.observed import HASHES, Observed
from douse.report.schema import AssetRow, IncidentRow, IndicatorRow, ProcessRow

Part = dict[str, Any]

SEVERITY: Final = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
SEVERITY_NAME: Final = ("Unknown", "Informational", "Low", "Medium", "High", "Critical")
HOSTNAME, IP_ADDRESS, USER_NAME, URL_STRING, HASH, PROCESS_NAME, COMMAND_LINE, FILE_PATH, REGISTRY_KEY = (
    1, 2, 4, 6, 8, 9, 13, 45, 46)
_OBSERVABLE_OF: Final = {"domain-name": HOSTNAME, "url": URL_STRING, "ipv4-addr": IP_ADDRESS, "ipv6-addr": IP_ADDRESS,
                         "file": HASH, "file-path": FILE_PATH, "registry-key": REGISTRY_KEY}
_ALGORITHM: Final = dict(zip(HASHES, (1, 2, 3), strict=True))
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MAX_OBSERVABLES: Final = 200
_LONGEST_ADDRESS: Final = 64


def milliseconds(moment: str) -> int:
    """A time of a document as OCSF writes it."""
    return (datetime.fromisoformat(moment) - _EPOCH) // timedelta(milliseconds=1)


def filled(part: Mapping[str, object]) -> Part:
    """The properties that have a value; False and 0 are values."""
    return {name: value for name, value in part.items() if value is not None and value not in ("", [], {}, ())}


def device(host: str, asset: AssetRow | None = None) -> Part:
    """A host; what an inventory says of it in the inventory's words."""
    return filled({
        "hostname": host or "(host unknown)",
        "type_id": 0,
        "type": "Unknown",
        "desc": asset and ", ".join(filter(None, (asset["role"], asset["criticality"], asset["where"]))),
        "owner": {"name": asset["owner"]} if asset and asset["owner"] else None,
    })


def user(name: str) -> Part:
    r"""A user by the name that logs give, `DOMAIN\name`."""
    domain, _, login = name.rpartition("\\")
    return filled({"name": login or name, "domain": domain})


def file(path: str, hashes: Mapping[str, str] | None = None) -> Part:
    """A file by its Windows path."""
    folder, _, name = path.rpartition("\\")
    prints = [{"algorithm": kind, "algorithm_id": _ALGORITHM[kind], "value": value}
              for kind, value in (hashes or {}).items()]
    return filled({"name": name or path, "path": path, "parent_folder": folder, "type_id": 1, "type": "Regular File",
                   "hashes": prints})


def process(rows: Sequence[ProcessRow], number: int) -> Part:
    """A process of an incident's tree with its parent; one without a pid or GUID is told by its image alone, as {}."""
    row = rows[number]
    parent = row["parent"]
    above = _one_process(rows[parent]) if parent is not None and 0 <= parent < len(rows) else {}
    made = _one_process(row)
    return {**made, "parent_process": above} if made and above else made


def _one_process(row: ProcessRow) -> Part:
    if not row["pid"] and not row["guid"]:
        return {}
    return filled({
        "pid": row["pid"] or None,
        "uid": row["guid"],
        "name": row["image"].rpartition("\\")[2],
        "path": row["image"],
        "cmd_line": row["command_line"],
        "file": file(row["image"]) if row["image"] else None,
        "user": user(row["user"]) if row["user"] else None,
        "created_time": milliseconds(row["started"]) if row["started"] else None,
    })


def actor_process(seen: Observed) -> Part:
    """The process that a record itself names."""
    actor = seen.actor
    if not actor.pid and not actor.guid:
        return {}
    hashes = {} if seen.file else seen.hashes
    return filled({
        "pid": actor.pid or None,
        "uid": actor.guid,
        "name": actor.image.rpartition("\\")[2],
        "path": actor.image,
        "cmd_line": actor.command_line,
        "file": file(actor.image, hashes) if actor.image else None,
        "user": user(actor.user_name) if actor.user_name else None,
    })


def of_record(seen: Observed) -> Part:
    """What else a record names: file, registry key or value, where a connection went, the name looked up, script."""
    evidence: Part = {}
    if seen.file:
        evidence["file"] = file(seen.file, seen.hashes)
    if seen.registry and seen.registry.name:
        evidence["reg_value"] = filled({"name": seen.registry.name, "path": seen.registry.key,
                                        "data": seen.registry.data})
    elif seen.registry:
        evidence["reg_key"] = {"path": seen.registry.key}
    if seen.destination:
        evidence.update(_network(seen))
    if seen.url:
        evidence["url"] = {"url_string": seen.url}
    if seen.script:
        evidence["script"] = {"type_id": 2, "type": "PowerShell", "script_content": {"value": seen.script}}
    return evidence


def _network(seen: Observed) -> Part:
    to = seen.destination
    if to is None:
        return {}
    address = next((one for one in to.addresses if is_address(one)), "")
    endpoint = filled({"ip": address, "hostname": to.hostname, "port": to.port or None})
    asked = {"query": {"hostname": to.hostname}} if to.hostname and not to.port else {}
    return {**asked, "dst_endpoint": endpoint} if address or to.hostname else asked


def is_address(text: str) -> bool:
    """Whether the text is an IPv4 or IPv6 address."""
    try:
        return len(text) < _LONGEST_ADDRESS and bool(ipaddress.ip_address(text))
    except ValueError:
        return False


def attacks(techniques: Iterable[str], version: str) -> Iterator[Part]:
    """Techniques with their names and tactics; one that our ATT&CK does not have by its id alone."""
    tactics = about().tactics
    for identity in dict.fromkeys(techniques):
        known = attack().techniques.get(identity)
        parent = attack().techniques.get(known.parent) if known else None
        of = [{"uid": tactics[name].id, "name": tactics[name].title} for name in (known.tactics if known else ())]
        part: Part = {"version": version, "technique": {
            "uid": identity.partition(".")[0], "name": parent.name if parent else identity}}
        if "." in identity:
            part["sub_technique"] = {"uid": identity, "name": known.name if known else identity}
        yield {**part, **({"tactics": of} if of else {})}


def observables(incident: IncidentRow) -> list[Part]:
    """What to search for elsewhere: indicators, then host, users and processes; each once, at most 200."""
    found = [*map(_indicator, incident["indicators"]), _observable("device.hostname", HOSTNAME, incident["host"])]
    found += [_observable("user.name", USER_NAME, name) for name in incident["users"]]
    for row in incident["processes"]:
        found.append(_observable("process.path", FILE_PATH, row["image"]))
        found.append(_observable("process.cmd_line", COMMAND_LINE, row["command_line"]))
    unique = {(one["type_id"], one["value"]): one for one in reversed(found) if one["value"]}
    return list(reversed(unique.values()))[:_MAX_OBSERVABLES]


def _indicator(row: IndicatorRow) -> Part:
    return _observable(f"indicator: {row['role']}", _OBSERVABLE_OF.get(row["type"], 99), row["value"])


def _observable(name: str, kind: int, value: str) -> Part:
    return {"name": name, "type_id": kind, "value": value}
