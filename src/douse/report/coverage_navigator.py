"""A survey as a layer of the ATT&CK Navigator: the document in, the layer's JSON out. Format 4.5.

The score of a technique is how far it can be seen: of logs the average over the hosts (judged 100, in part 50, not 0);
without logs 100 where a rule sees it in some log, 50 where a log shows it and no rule asks, 0 where only a file shows
it, or nothing. A layer is of one domain; what the Enterprise matrix does not have (ICS, a stealer as a whole) is named
in the description. Format: mitre-attack/attack-navigator, layers/LAYERFORMATv4_5.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from douse.detection.techniques import TechniqueDocument
from douse.report.coverage_schema import JudgedTechniqueRow, SurveyDocument
from douse.report.coverage_story import STATES, headline

LAYER_VERSION: Final = "4.5"
NAVIGATOR_VERSION: Final = "5.1.0"
"""The format asks for at least 4.9.0; the Navigator upgrades a layer of an older one by itself."""
MAX_HOSTS: Final = 20
"""Hosts that a technique's comment names."""

_ENTERPRISE: Final = re.compile(r"T[1-9]\d{3}(?:\.\d{3})?")
_WORTH: Final = {"yes": 100.0, "partly": 50.0}
_LOW, _MIDDLE, _HIGH = "#f3c6c0", "#f6e3a1", "#a8d8a8"


def layer(document: SurveyDocument) -> dict[str, Any]:
    """The layer of a survey, or of the matrix where nothing was surveyed."""
    rows = [row for row in document["techniques"] if _ENTERPRISE.fullmatch(row["id"])]
    left_out = [f"{row['id']} {row['name']}" for row in document["techniques"] if row not in rows]
    judged = {host["host"]: {one["id"]: one for one in host["techniques"]} for host in document["hosts"]}
    return {
        "name": f"Douse: {'telemetry of ' + str(len(judged)) + ' host(s)' if judged else 'what logs can show'}",
        "versions": {"attack": document["provenance"]["attack_version"].partition(".")[0],
                     "navigator": NAVIGATOR_VERSION, "layer": LAYER_VERSION},
        "domain": "enterprise-attack",
        "description": headline(document) + (f". Not in this matrix: {', '.join(left_out)}" if left_out else ""),
        "filters": {"platforms": ["Windows"]},
        "sorting": 0,
        "layout": {"layout": "side", "showID": True, "showName": True, "expandedSubtechniques": "annotated"},
        "hideDisabled": False,
        "techniques": [_technique(row, {host: rows[row["id"]] for host, rows in judged.items() if row["id"] in rows})
                       for row in rows],
        "gradient": {"colors": [_LOW, _MIDDLE, _HIGH], "minValue": 0, "maxValue": 100},
        "legendItems": [{"label": "seen", "color": _HIGH}, {"label": "seen in part", "color": _MIDDLE},
                        {"label": "not seen", "color": _LOW}],
        "metadata": [{"name": "made by", "value": f"Douse {document['provenance']['version']}"},
                     {"name": "ATT&CK", "value": document["provenance"]["attack_version"]}],
    }


def _technique(row: TechniqueDocument, judged: Mapping[str, JudgedTechniqueRow]) -> dict[str, Any]:
    score = (sum(_WORTH.get(one["state"], 0.0) for one in judged.values()) / len(judged)) if judged else _general(row)
    facts = [("rules", str(len(row["rules"]))), ("stage", str(row["stage"])),
             ("seen in", "; ".join(sight["events"] for sight in row["visible_in"]) or "no log"),
             ("needs a file", row["needs_file"]), ("blind", row["blind"])]
    return {
        "techniqueID": row["id"],
        "score": round(score, 1),
        "comment": _comment(judged) or row["note"],
        "enabled": True,
        "metadata": [{"name": name, "value": value} for name, value in facts if value],
        "showSubtechniques": "." not in row["id"],
    }


def _general(row: TechniqueDocument) -> float:
    if not row["visible_in"]:
        return 0.0
    return 100.0 if row["rules"] else 50.0


def _comment(judged: Mapping[str, JudgedTechniqueRow]) -> str:
    """Which hosts are in which state."""
    lines = []
    for state, words in STATES.items():
        hosts = [host for host, one in judged.items() if one["state"] == state]
        if hosts:
            more = f" and {len(hosts) - MAX_HOSTS} more" if len(hosts) > MAX_HOSTS else ""
            lines.append(f"{words}: {', '.join(hosts[:MAX_HOSTS])}{more}")
    return "\n".join(lines)
