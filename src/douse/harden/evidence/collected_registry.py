r"""The registry part of a collector's document: values, whole lists, and what values say of programs, logs and Sysmon.

    add(collected)      values that were asked for (present or not), keys that were read whole, products, channels

A value is `data` as .NET gives it, or `text` as reg.exe prints it where the script ran under constrained language. A
DWORD is signed there and unsigned here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from douse.content.settings import REGISTRY_TYPES, Data
from douse.harden.collect import APP_PATHS, CHANNELS, PROGRAMS, USER_PROGRAMS
from douse.harden.evidence.json_tree import Json, listed, number, text
from douse.harden.registry import RegistryValue
from douse.harden.seen import Seen

if TYPE_CHECKING:
    from douse.harden.evidence.collector import Collected

_SIZES = {"REG_DWORD": 32, "REG_QWORD": 64}
_HEX = re.compile(r"(?:[0-9A-Fa-f]{2})*")


def add(collected: Collected) -> None:
    """Keep the values, the lists, and what follows from them."""
    bad = sum(not _value(collected, entry) for entry in collected.entries("registry"))
    if bad:
        collected.lost("registry", f"{bad} values are not as the collector writes them")
    damaged = sum(not _list(collected, entry) for entry in collected.entries("lists"))
    if damaged:
        collected.lost("lists", f"{damaged} entries are not as the collector writes them")
    _channels(collected)
    _products(collected)


def _value(collected: Collected, entry: dict[str, Json]) -> bool:
    """Keep one value, or that it is absent; False where the entry is damaged."""
    hive, key, name = text(entry.get("hive")), text(entry.get("key")), entry.get("name")
    whose = _profile(collected, hive, entry)
    if whose is None or not key or not isinstance(name, str) or not isinstance(entry.get("present"), bool):
        return False
    value = value_of(entry) if entry["present"] else None
    if entry["present"] and value is None:
        return False
    raw = "absent" if value is None else shown(value)
    collected.keep(hive, key, name, value, profile=whose, where=_where(hive, key, name, entry), raw=raw)
    return True


def _profile(collected: Collected, hive: str, entry: dict[str, Json]) -> str | None:
    """The profile an entry is about, "" for the computer's; None where that cannot be."""
    sid = text(entry.get("profile"))
    if hive == "HKLM":
        return "" if not sid else None
    return collected.profiles.get(sid) if hive == "HKCU" else None


def _where(hive: str, key: str, name: str, entry: dict[str, Json]) -> str:
    root = f"HKU\\{text(entry.get('profile'))}" if hive == "HKCU" else hive
    return f"{root}\\{key}!{name or '(default)'}"


def value_of(entry: dict[str, Json]) -> RegistryValue | None:
    """The value of an entry; None where type and data do not fit."""
    kind, data = text(entry.get("type")), entry.get("data")
    if kind not in REGISTRY_TYPES:
        return None
    if "data" not in entry:
        data = _printed(kind, entry.get("text"))
    found: Data | None
    if kind in _SIZES:
        found = _whole(data, _SIZES[kind])
    elif kind == "REG_MULTI_SZ":
        found = _texts(data)
    elif kind in ("REG_BINARY", "REG_NONE"):
        found = _bytes(data)
    else:
        found = data if isinstance(data, str) else None
    return None if found is None else RegistryValue(kind, found)


def _whole(data: Json, bits: int) -> int | None:
    """A number of so many bits, unsigned."""
    found = number(data)
    return found % (1 << bits) if found is not None and -(1 << bits - 1) <= found < 1 << bits else None


def _texts(data: Json) -> tuple[str, ...] | None:
    found = tuple(one for one in listed(data) if isinstance(one, str))
    return found if len(found) == len(listed(data)) else None


def _bytes(data: Json) -> bytes | None:
    plain = text(data).replace("-", "")
    return bytes.fromhex(plain) if isinstance(data, str) and _HEX.fullmatch(plain) else None


def _printed(kind: str, shown: Json) -> Json:
    """What reg.exe printed, as .NET would have given it."""
    if not isinstance(shown, str):
        return None
    if kind in _SIZES:
        return int(shown, 16) if re.fullmatch(r"0x[0-9A-Fa-f]{1,16}", shown.strip()) else None
    if kind == "REG_MULTI_SZ":
        return [part for part in shown.split("\\0") if part]
    return shown


def shown(value: RegistryValue) -> str:
    """A value as one text."""
    if isinstance(value.data, bytes):
        return value.data.hex()
    return "; ".join(value.data) if isinstance(value.data, tuple) else str(value.data)


def _list(collected: Collected, entry: dict[str, Json]) -> bool:
    """Keep a key that was read whole; a damaged value in it leaves open what else is there. False where the entry
    itself is damaged."""
    hive, key = text(entry.get("hive")), text(entry.get("key")).strip("\\")
    whose = _profile(collected, hive, entry)
    if whose is None or not key or not isinstance(entry.get("present"), bool):
        return False
    bad = 0
    for found in listed(entry.get("values")):
        value = value_of(found) if isinstance(found, dict) else None
        if value is None or not isinstance(found, dict) or not isinstance(found.get("name"), str):
            bad += 1
            continue
        below, name = f"{key}\\{text(found.get('key'))}".strip("\\"), text(found["name"])
        collected.keep(hive, below, name, value, profile=whose, where=_where(hive, below, name, entry),
                       raw=shown(value))
    if bad:
        collected.lost(f"lists {hive}\\{key}", f"{bad} values are not as the collector writes them")
    else:
        collected.host.registry.complete(hive, key, collected.source, whose)
    return True


def _channels(collected: Collected) -> None:
    """Event logs are on or off by a value of their key; one without a key does not exist, so it is off."""
    for entry in collected.entries("registry"):
        key = text(entry.get("key"))
        if key.casefold().startswith(CHANNELS.casefold() + "\\"):
            channel, seen = key[len(CHANNELS) + 1:], collected.value("HKLM", key, "Enabled")
            if seen is not None:
                on = seen.value is not None and seen.value.data == 1
                collected.host.channels.setdefault(channel, []).append(Seen(on, seen.source, seen.where, seen.raw))


def _products(collected: Collected) -> None:
    """A program is installed where somebody registered it, and is not only where every place was looked at."""
    for word, programs in PROGRAMS.items():
        found = _registered(collected, word, programs)
        if found is not None:
            collected.host.products.setdefault(word, []).append(found)


def _registered(collected: Collected, word: str, programs: tuple[str, ...]) -> Seen[bool] | None:
    certain, where, unseen = True, f"HKLM\\{APP_PATHS}", frozenset(collected.not_loaded)
    for hive, profile in (("HKLM", ""), *(("HKCU", name) for name in collected.profiles.values())):
        for program in programs:
            seen = collected.value(hive, f"{APP_PATHS}\\{program}", "", profile)
            if seen is not None and seen.value is not None:
                return Seen(True, seen.source, seen.where, seen.raw)
            certain = certain and (seen is not None or profile in unseen)
    in_profiles = {text(entry.get("profile")): entry.get("present") for entry in collected.entries("user_programs")
                   if entry.get("word") == word}
    for sid, present in in_profiles.items():
        if present is True:
            return Seen(True, collected.source, f"user_programs {sid} {word}", word)
    if any(word == known for known, _ in USER_PROGRAMS):
        certain = certain and all(in_profiles.get(sid) is False for sid in collected.profiles)
    return Seen(False, collected.source, where, "not registered") if certain else None
