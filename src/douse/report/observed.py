"""What one alert's record names, whatever log it is from: process, file, registry value, connection, script.

An AlertRow goes in, an Observed comes out, for formats that have an object for each (STIX, OCSF). Which field means
what is asked of incident/entities.py, so that an export never reads a record differently from the incident. Texts
are raw; unknown is "", 0 or None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from douse.incident.entities import (
    POWERSHELL,
    SYSMON,
    Actor,
    Destination,
    Get,
    actor_of,
    destination_of,
    getter,
    kind_of,
)
from douse.report.schema import AlertRow

HASHES: Final = {"MD5": 32, "SHA-1": 40, "SHA-256": 64}
"""The hashes that are passed on: STIX's name and the length in hexadecimal digits."""

_HEX: Final = re.compile(r"[0-9a-f]+")
_FIELDS: Final = {"md5": "MD5", "sha1": "SHA-1", "sha256": "SHA-256"}
_KEYS: Final = frozenset({12, 14})
_VALUES: Final = frozenset({13})


@dataclass(frozen=True, slots=True)
class RegistryValue:
    """A registry key, and of a record that sets a value its name and data."""

    key: str
    name: str = ""
    data: str = ""


@dataclass(frozen=True, slots=True)
class Observed:
    """The objects of one record. `hashes` (STIX's names, lower case) are of `file` where there is one, else of the
    process's image. `script` is a PowerShell script block, `url` an address that a proxy saw."""

    actor: Actor
    file: str
    hashes: Mapping[str, str]
    registry: RegistryValue | None
    destination: Destination | None
    url: str
    script: str


def observed(alert: AlertRow) -> Observed:
    """What the record of an alert names."""
    get = getter(alert["fields"])
    channel, event_id = alert["channel"], alert["event_id"]
    return Observed(
        actor_of(channel, event_id, get),
        _file(get),
        hashes_of(alert["fields"]),
        _registry(channel, event_id, get),
        destination_of(channel, event_id, get),
        get("c-uri") if "://" in get("c-uri") else "",
        get("ScriptBlockText") if channel.lower() in POWERSHELL else "",
    )


def hashes_of(fields: Mapping[str, str]) -> dict[str, str]:
    """The well-formed hashes of a record; readers split Sysmon's `Hashes` into a field for each."""
    named = {_FIELDS[name.lower()]: value.strip().lower() for name, value in fields.items() if name.lower() in _FIELDS}
    return {name: named[name] for name, length in HASHES.items()
            if len(named.get(name, "")) == length and _HEX.fullmatch(named[name])}


def hash_kind(value: str) -> str:
    """Which of HASHES a text is by its length, "" where it is none."""
    folded = value.strip().lower()
    return next((name for name, length in HASHES.items() if len(folded) == length and _HEX.fullmatch(folded)), "")


def _file(get: Get) -> str:
    if get("ObjectName") and get("ObjectType").lower() == "file":
        return get("ObjectName")
    return get("TargetFilename") or get("ImageLoaded")


def _registry(channel: str, event_id: int, get: Get) -> RegistryValue | None:
    if kind_of(channel) == SYSMON and event_id in _KEYS and get("TargetObject"):
        return RegistryValue(get("TargetObject"))
    if kind_of(channel) == SYSMON and event_id in _VALUES and get("TargetObject"):
        key, _, name = get("TargetObject").rpartition("\\")
        return RegistryValue(key, name, get("Details")) if key else RegistryValue(name)
    if get("ObjectName") and get("ObjectType").lower() == "key":
        return RegistryValue(get("ObjectName"), get("ObjectValueName"), get("NewValue"))
    return None
