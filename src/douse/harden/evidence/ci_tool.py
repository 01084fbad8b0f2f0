"""App Control policies as `CiTool -lp -json` lists them: their names, and whether Windows enforces them.

What is in a policy is not in this list, only that it is there; `PolicyOptions` of newer versions is left aside,
because without its rules a policy would look as if it denied nothing. The list is whole: what it lacks is not deployed.
Names of the fields: public scripts that read them; never seen on a machine of ours.
"""

from __future__ import annotations

from douse.errors import EvidenceError
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.json_tree import Json, listed, mapping, parse_text, text
from douse.harden.evidence.naming import named_for_file
from douse.harden.observed import Evidence, Seen, Source, StoredAppControl, Subject


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
    return StoredAppControl("{" + id_.upper() + "}", text(entry.get("FriendlyName")), enforced, None)


def _shown(entry: dict[str, Json]) -> str:
    return ", ".join(f"{name}: {value}" for name, value in entry.items() if isinstance(value, (str, bool)))[:500]
