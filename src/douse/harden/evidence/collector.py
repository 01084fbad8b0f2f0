r"""The JSON of our collector (content/collect/collect.ps1): one host and all that its script could read of it.

The document's format is content/collect/collected.schema.json; here each part is checked as it is used, so that a
damaged part costs that part. What the script asked for and did not find is known to be absent; what it could not read
stands under `errors`, stays unknown, and is told; what this Windows cannot have stands under `without`. A profile whose
hive was not loaded is known by name only. One document is one computer, and its own word only: nothing proves that
nobody changed it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

from douse.errors import EvidenceError
from douse.harden.evidence import collected_registry, collected_states, texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.json_tree import Json, listed, mapping, number, parse_text, text
from douse.harden.gathered import Evidence
from douse.harden.observed import Machine, Subject
from douse.harden.registry import RegistryValue
from douse.harden.seen import Seen, Source

SCHEMA, VERSION = "douse-collected", 1
ROLES = {1: "workstation", 2: "domain controller", 3: "server"}
"""Win32_OperatingSystem.ProductType."""

_HOST = re.compile(r"[^\s\\/:*?\"<>|\x00-\x1f]{1,255}")
_AGAIN = "Run collect.ps1 again on that host and copy the whole file."
_MOST = 3
"""Errors of one part that are told one by one."""

_LONGEST = 500
_NAMED = 20
"""Profiles that are told by name."""

MAX_PROFILES, MAX_LISTS = 5_000, 20_000
"""Of one document. A server for remote desktops has some hundred profiles; each control of users asks every one."""

PARTS = frozenset({
    "elevated", "script_sha256", "domain", "system", "profiles", "registry", "lists", "firewall_profiles",
    "firewall_active", "mppreference", "asr_ids", "mpcomputerstatus", "device_guard", "applocker_effective",
    "app_control", "auditpol", "services", "features", "user_programs", "antivirus", "sacls"})
"""What the script can fail at."""


@dataclass(frozen=True, slots=True)
class Collected:
    """One document: its parts, whose it is, and where what is wrong with it is told. `profiles` are names by SID,
    `own` what this document, and no other source, says of registry values (`place`)."""

    document: dict[str, Json]
    host: Subject
    source: Source
    evidence: Evidence
    profiles: dict[str, str]
    not_loaded: tuple[str, ...]
    own: dict[tuple[str, str, str, str], Seen[RegistryValue | None]] = field(default_factory=dict)

    def keep(self, hive: str, key: str, name: str, value: RegistryValue | None, *, profile: str, where: str,
             raw: str) -> None:
        """Keep a registry value, once where two parts of the document agree on it."""
        at = place(hive, key, name, profile)
        known = self.own.get(at)
        if known is None or known.value != value:
            self.own[at] = Seen(value, self.source, where, raw)
            self.host.registry.add(hive, key, name, value, self.source, where=where, raw=raw, profile=profile)

    def value(self, hive: str, key: str, name: str, profile: str = "") -> Seen[RegistryValue | None] | None:
        """What this document says of a registry value, None where it does not speak of it."""
        return self.own.get(place(hive, key, name, profile))

    def entries(self, part: str) -> Iterator[dict[str, Json]]:
        """The objects of a part; what is none is counted as lost."""
        bad = 0
        for entry in listed(self.document.get(part)):
            if isinstance(entry, dict):
                yield entry
            else:
                bad += 1
        if bad:
            self.lost(part, f"{bad} entries are no objects")

    def lacks(self, part: str) -> bool:
        """Whether the script told that this Windows cannot have a part."""
        return part in listed(self.document.get("without"))

    def lost(self, part: str, what: str) -> None:
        """Something of a part cannot be used."""
        self.evidence.lost(f"{self.source.file}: {part}", f"{what}.", _AGAIN)

    def failed(self, part: str) -> bool:
        """Whether the script told that it could not read something of a part."""
        return any(text(error.get("part")).partition(" ")[0] == part
                   for error in map(mapping, listed(self.document.get("errors"))))


def place(hive: str, key: str, name: str, profile: str) -> tuple[str, str, str, str]:
    """A registry value's name without case."""
    return hive, key.strip("\\").casefold(), name.casefold(), profile.casefold()


def looks(file: EvidenceFile) -> bool:
    """Whether the script's mark stands at its beginning."""
    return f'"{SCHEMA}"' in texts.start_of(file.data, 200)


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add what the document says of its host."""
    collected = _opened(file, evidence)
    _machine(collected)
    collected_registry.add(collected)
    collected_states.add(collected)
    _tell(collected)


def _opened(file: EvidenceFile, evidence: Evidence) -> Collected:
    document = mapping(_parsed(file, evidence))
    if document.get("schema") != SCHEMA:
        raise EvidenceError(file.shown, f"is no JSON of the collector: schema is not {SCHEMA}.", _AGAIN)
    if document.get("schema_version") != VERSION:
        raise EvidenceError(file.shown, f"has schema_version {document.get('schema_version')!r}; this version reads "
                            f"{VERSION}.", "Use the collector that this version of Douse writes.")
    name = text(document.get("host")).strip()
    if not _HOST.fullmatch(name):
        raise EvidenceError(file.shown, "does not name its host.", _AGAIN)
    source = file.source("collector", _taken(document, file, evidence))
    profiles, not_loaded = _profiles(document)
    lists = len(listed(document.get("lists")))
    if len(profiles) > MAX_PROFILES or lists > MAX_LISTS:
        raise EvidenceError(file.shown, f"has {len(profiles):,} profiles and {lists:,} lists, which no computer has.",
                            _AGAIN)
    host = evidence.host(name, text(document.get("domain")))
    for profile in profiles.values():
        host.registry.add_profile(profile)
    collected = Collected(document, host, source, evidence, profiles, not_loaded)
    if isinstance(document.get("profiles"), (list, dict)) and not collected.failed("profiles"):
        host.registry.all_profiles(source)
    return collected


def _parsed(file: EvidenceFile, evidence: Evidence) -> Json:
    """The document, also where a console broke its one line: no line end of it means anything."""
    shown = texts.read(file, evidence).lstrip("\ufeff")
    if shown.count(f'"schema":"{SCHEMA}"') > 1:
        raise EvidenceError(file.shown, "holds more than one document of the collector.",
                            "Give each a file of its own.")
    try:
        return parse_text(shown, file.shown)
    except EvidenceError:
        joined = shown.strip().replace("\r", "").replace("\n", "")
        if len(joined) == len(shown.strip()):
            raise
        return parse_text(joined, file.shown)


def _taken(document: dict[str, Json], file: EvidenceFile, evidence: Evidence) -> datetime | None:
    """When it was collected, in UTC; None, and a note, where that cannot be told."""
    try:
        found = datetime.fromisoformat(text(document.get("taken")))
        taken = (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        evidence.note(file.shown, "does not say when it was collected.", "Its age is not known.")
        return None
    return evidence.not_future(taken, file.shown)


def _profiles(document: dict[str, Json]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Profile names by SID, and the names of those whose hive was not loaded. A name is that of the folder; two
    profiles of one folder name keep their SIDs."""
    entries = [entry for entry in map(mapping, listed(document.get("profiles"))) if text(entry.get("sid"))]
    names: dict[str, str] = {}
    taken = set[str]()
    for entry in entries:
        sid = text(entry.get("sid"))
        name = text(entry.get("path")).rstrip("\\").rpartition("\\")[2] or sid
        names[sid] = sid if name.casefold() in taken else name
        taken.add(name.casefold())
    return names, tuple(names[text(entry.get("sid"))] for entry in entries if entry.get("loaded") is not True)


def _machine(collected: Collected) -> None:
    system = mapping(collected.document.get("system"))
    build, product = number(system.get("build")) or 0, number(system.get("product_type")) or 0
    machine = Machine(build, text(system.get("caption")), ROLES.get(product, ""),
                      text(collected.document.get("domain")))
    raw = f"{machine.name} {text(system.get('version'))}".strip()
    collected.host.machine.append(Seen(machine, collected.source, "system", raw))


def _tell(collected: Collected) -> None:
    """What the script could not see: profiles whose hive was not loaded, and its own errors."""
    shown, evidence = collected.source.file, collected.evidence
    elevated = collected.document.get("elevated") is True
    if not elevated:
        evidence.note(shown, "was collected without elevation.", "Run collect.ps1 elevated to see the rest.")
    if collected.not_loaded:
        known, names = len(collected.profiles), sorted(name[:60] for name in collected.not_loaded)
        more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
        absent = ", ".join(names[:_NAMED]) + more
        evidence.note(shown, f"{known - len(collected.not_loaded)} of {known} profiles were loaded; the settings of "
                      f"{absent} were not seen.", "Collect while they are signed in, or add their NTUSER.DAT.")
    by_part: dict[str, list[tuple[str, str]]] = {}
    for error in collected.entries("errors"):
        part, what = text(error.get("part")), text(error.get("what"))
        first = part.partition(" ")[0]
        by_part.setdefault(first if first in PARTS else "errors", []).append((part, what))
    for part, errors in by_part.items():
        _tell_part(collected, part, errors, "" if elevated else "Run collect.ps1 elevated.")


def _tell_part(collected: Collected, part: str, errors: list[tuple[str, str]], next_step: str) -> None:
    shown = collected.source.file
    for place, what in errors[:_MOST]:
        said = what.strip() or "no reason"
        collected.evidence.lost(f"{shown}: {place[:_LONGEST]}", f"the collector could not read it: {said[:_LONGEST]}",
                                next_step)
    if len(errors) > _MOST:
        collected.evidence.lost(f"{shown}: {part}", f"the collector could not read {len(errors) - _MOST} more of it.",
                                next_step)
