r"""Policies of browsers as they say them themselves: `chrome://policy` and `edge://policy` (export to JSON), Firefox's
policies.json, and the managed JSON files of Chrome and Edge on Linux. Their form: Chromium's sources, read, not run.

They name a policy without its registry value, so each becomes the value that Group Policy would have written, below the
browser's key. An export is of one host (its file's name; the browser does not know it unless it is enrolled) and lists
every policy that is set, so that the others are known to be absent. A file of policies is a policy: it sets nothing
until it lies in its place. What is set for the user alone, or only recommended, protects nobody by itself: it is noted,
and kept under the key that says so or not at all.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache

from douse.content.controls import controls
from douse.content.settings import RegistrySetting
from douse.errors import EvidenceError
from douse.harden.evidence import json_tree, texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.json_tree import Json, mapping, text
from douse.harden.evidence.naming import named_for_file
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue
from douse.harden.seen import Source

CHROME, EDGE, FIREFOX = (
    r"SOFTWARE\Policies\Google\Chrome", r"SOFTWARE\Policies\Microsoft\Edge", r"SOFTWARE\Policies\Mozilla\Firefox")
CHROMIUM = r"SOFTWARE\Policies\Chromium"
KEYS = {"google chrome": CHROME, "chromium": CHROMIUM, "microsoft edge": EDGE}
"""`chromeMetadata.application` and the key of its policies."""

_FOLDERS = (("opt/edge/", EDGE), ("chromium/", CHROMIUM), ("opt/chrome/", CHROME), ("edge", EDGE),
            ("chromium", CHROMIUM), ("chrome", CHROME))
"""What the path of a managed file holds, the most certain first."""

_NAME = re.compile(r"[A-Z][A-Za-z0-9]{2,80}")
_MOST, _LEVELS = 5, 8


def looks(file: EvidenceFile) -> bool:
    """Whether it is an export, Firefox's file, or one whose names are policies that a control asks for."""
    start = texts.start_of(file.data, 64 << 10).lstrip()
    if start[:1] != "{":
        return False
    is_export = any(f'"{word}"' in start[:4096] for word in ("chromeMetadata", "policyValues", "chromePolicies"))
    return is_export or bool(re.match(r'\{\s*"policies"\s*:', start)) or _is_managed(file, start)


def _is_managed(file: EvidenceFile, start: str) -> bool:
    names = set(re.findall(r'"([A-Z][A-Za-z0-9]+)"\s*:', start))
    return bool(names & known_names()) and file.name.casefold().endswith(".json")


@cache
def known_names() -> frozenset[str]:
    """The names of browser policies in the catalogue."""
    settings = (one for control in controls() for one in control.settings if isinstance(one, RegistrySetting))
    return frozenset(one.name for one in settings if one.key in (CHROME, EDGE))


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the policies of an export to its host, those of a file of policies to a policy."""
    document = mapping(json_tree.parse(file, evidence))
    if "chromeMetadata" in document or "policyValues" in document or "chromePolicies" in document:
        _export(document, file, evidence)
    elif isinstance(document.get("policies"), dict):
        subject = evidence.policy(file.name, file.sha256[:12])
        _keep(FIREFOX, mapping(document["policies"]), subject, file.source("browser"), evidence)
    elif any(_NAME.fullmatch(name) for name in document):
        _managed(document, file, evidence)
    else:
        raise EvidenceError(file.shown, "holds no policies of a browser.", "Export them at chrome://policy.")


# ── an export of a running browser ────────────────────────────────────────────────────────────────────────────────────


def _export(document: dict[str, Json], file: EvidenceFile, evidence: Evidence) -> None:
    application = text(mapping(document.get("chromeMetadata")).get("application"))
    key = KEYS.get(application.strip().casefold())
    if key is None:
        raise EvidenceError(file.shown, f"is an export of {application[:60]!r}, whose policies are not known here.",
                            f"Known are {', '.join(sorted(KEYS))}.")
    policies = mapping(mapping(mapping(document.get("policyValues")).get("chrome")).get("policies"))
    if not policies and "policyValues" not in document:
        policies = mapping(document.get("chromePolicies"))
    host = _device(document, evidence) or named_for_file(file, evidence, f"an export of {application} names no host")
    source, weak, bad = file.source("browser"), list[str](), 0
    for name, entry in policies.items():
        outcome = _exported(name, mapping(entry), key, host, source)
        bad += outcome is None
        if outcome:
            weak.append(outcome)
    _tell(file, weak, bad, evidence)
    if not bad:
        host.registry.complete("HKLM", key, source)


def _device(document: dict[str, Json], evidence: Evidence) -> Subject | None:
    """The machine that an enrolled browser names in its status."""
    for part in mapping(document.get("status")).values():
        name = text(mapping(part).get("machine")).strip()
        if name:
            return evidence.host(name)
    return None


def _exported(name: str, entry: dict[str, Json], key: str, host: Subject, source: Source) -> str | None:
    """Keep one policy; gives "" where it is in force, what is weak of it, or None where it is damaged."""
    level, scope = text(entry.get("level")).casefold(), text(entry.get("scope")).casefold()
    if not _NAME.fullmatch(name) or "value" not in entry or level not in ("mandatory", "recommended"):
        return None
    if text(entry.get("error")) or entry.get("ignored") is True:  # wrong type, unknown to this version, overruled
        return f"{name} is ignored by the browser"
    if scope not in ("machine", "device", "all users"):
        return f"{name} is set for the user only"
    place = key if level == "mandatory" else f"{key}\\Recommended"
    told = f"{level}, {scope}, source {text(entry.get('source')) or 'not told'}"
    for below, value_name, value in as_registry(name, entry["value"]):
        host.registry.add("HKLM", f"{place}\\{below}".strip("\\"), value_name, value, source,
                          where=f"policy {name} ({told})", raw=json.dumps(entry["value"])[:2000])
    return "" if level == "mandatory" else f"{name} is only recommended"


def _tell(file: EvidenceFile, weak: list[str], bad: int, evidence: Evidence) -> None:
    if weak:
        more = f" and {len(weak) - _MOST} more" if len(weak) > _MOST else ""
        evidence.note(file.shown, f"not enforced for the computer: {'; '.join(weak[:_MOST])}{more}.",
                      "Set them for the computer, as mandatory policies.")
    if bad:
        evidence.lost(file.shown, f"{bad} policies have no name, level or value.", "Export it again.")


# ── a file of policies ────────────────────────────────────────────────────────────────────────────────────────────────


def _managed(document: dict[str, Json], file: EvidenceFile, evidence: Evidence) -> None:
    path = file.shown.replace("\\", "/").casefold()
    key = next((key for sign, key in _FOLDERS if sign in path), "")
    if not key:
        key = CHROME
        evidence.note(file.shown, "does not say of which browser it is; it is taken as Chrome's.",
                      "Put it below a folder called chrome or edge.")
    subject = evidence.policy(file.name, file.sha256[:12])
    _keep(key, document, subject, file.source("browser"), evidence)


def _keep(key: str, policies: dict[str, Json], subject: Subject, source: Source, evidence: Evidence) -> None:
    bad = 0
    for name, value in policies.items():
        if not _NAME.fullmatch(name):
            bad += 1
            continue
        for below, value_name, found in as_registry(name, value, _LEVELS if key == FIREFOX else 0):
            subject.registry.add("HKLM", f"{key}\\{below}".strip("\\"), value_name, found, source,
                                 where=f"policy {name}", raw=json.dumps(value)[:2000])
    if bad:
        evidence.lost(source.file, f"{bad} names are none of policies.", "Check the file against the browser's list.")


def as_registry(name: str, value: Json, nested: int = 0) -> Iterator[tuple[str, str, RegistryValue]]:
    """The registry values of a policy: key below the browser's, value name, value.

    Chrome and Edge write an object as JSON text, Firefox as a key of its own, as far as `nested` levels go; all write a
    list as a key of numbered values.
    """
    if isinstance(value, list):
        for number, item in enumerate(value, start=1):
            yield name, str(number), _scalar(item)
    elif isinstance(value, dict) and nested > 0:
        for inner, held in value.items():
            for below, inner_name, found in as_registry(inner, held, nested - 1):
                yield f"{name}\\{below}".strip("\\"), inner_name, found
    else:
        yield "", name, _scalar(value)


def _scalar(value: Json) -> RegistryValue:
    if isinstance(value, (bool, int)):
        return RegistryValue("REG_DWORD", int(value))
    return RegistryValue("REG_SZ", value if isinstance(value, str) else json.dumps(value))
