"""App Control policies as `CiTool -lp -json` lists them: their names, and whether Windows enforces them.

What is in a policy is not in this list, only that it is there; `PolicyOptions` of newer versions is left aside,
because without its rules a policy would look as if it denied nothing. The list is whole: what it lacks is not deployed.
`IsEnforced` is whether a policy is active, in audit mode too; one that waits for a token (`IsAuthorized` false) may be
either. Sources: Microsoft, CiTool technical reference; names of the fields: public scripts that read them; never seen
on a machine of ours.
"""

from __future__ import annotations

import re

from douse.errors import EvidenceError
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.json_tree import Json, listed, mapping, parse_text, text
from douse.harden.evidence.naming import named_for_file
from douse.harden.gathered import Evidence
from douse.harden.observed import StoredAppControl, Subject
from douse.harden.seen import Seen, Source

_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,5}){3}", re.ASCII)
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)


def looks(file: EvidenceFile) -> bool:
    """Whether it is such a list by itself."""
    start = texts.start_of(file.data)
    return start.lstrip()[:1] == "{" and '"PolicyID"' in start and '"IsEnforced"' in start


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the list to the host that the file is named for."""
    host = named_for_file(file, evidence, "CiTool -lp -json does not name its host")
    add(texts.read(file, evidence), host, file.source("ci_tool"), evidence)


def add(shown: str, host: Subject, source: Source, evidence: Evidence) -> None:
    """Keep the policies of a list; EvidenceError where it is none."""
    where = f"{source.file}: app_control"
    document = mapping(parse_text(shown, where))
    if document.get("OperationResult") not in (None, 0):
        raise EvidenceError(where, f"CiTool failed ({str(document['OperationResult'])[:20]}).",
                            "Run CiTool -lp -json elevated.")
    if not isinstance(document.get("Policies"), (list, dict)):
        raise EvidenceError(where, "is no list of policies.", "Run CiTool -lp -json elevated.")
    bad = 0
    for entry in map(mapping, listed(document["Policies"])):
        policy = _policy(entry)
        if policy is None:
            bad += 1
        else:
            host.app_control.append(Seen(policy, source, f"CiTool {policy.id}", _shown(entry)))
    if bad:
        evidence.lost(where, f"{bad} policies have no id or do not say whether they are enforced.",
                      "Run CiTool -lp -json again.")
    else:
        host.app_control_whole.append(source)


def _policy(entry: dict[str, Json]) -> StoredAppControl | None:
    id_, enforced = text(entry.get("PolicyID")).strip("{} "), entry.get("IsEnforced")
    if isinstance(enforced, str) and enforced.casefold() in ("true", "false"):
        enforced = enforced.casefold() == "true"
    if not id_ or not isinstance(enforced, bool):
        return None
    needs_token = str(entry.get("IsAuthorized", True)).casefold() == "false"
    active = None if enforced and needs_token else enforced
    return StoredAppControl("{" + id_.upper() + "}", text(entry.get("FriendlyName")), active, None,
                            _version(entry.get("VersionString"), entry.get("Version")))


def _version(shown: Json, number: Json) -> str:
    """A version as the policy's XML writes it: as text, or of the number whose four 16-bit parts it is; else ""."""
    if isinstance(shown, str) and _VERSION.fullmatch(shown.strip()):
        return shown.strip()
    digits = number.strip() if isinstance(number, str) else str(number) if type(number) is int else ""
    if not _NUMBER.fullmatch(digits) or int(digits) >> 64:
        return ""
    return ".".join(str(int(digits) >> shift & 0xFFFF) for shift in (48, 32, 16, 0))


def _shown(entry: dict[str, Json]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in entry.items() if isinstance(value, (str, bool)))[:500]
