"""A survey as a layer of the ATT&CK Navigator: the document in, the layer's JSON out. Format 4.5.

The score of a technique is how far it can be seen: of logs the average over the hosts (judged 100, in part 50, not 0);
without logs 100 where a rule sees it in some log, 50 where a log shows it and no rule asks, 0 where only a file shows
it, or nothing. A layer is of one domain; what the Enterprise matrix does not have (ICS, a stealer as a whole) is named
in the description. Format: mitre-attack/attack-navigator, layers/LAYERFORMATv4_5.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from douse.detection.techniques import TechniqueDocument
from douse.report.coverage_schema import JudgedTechniqueRow, SurveyDocument
from douse.report.coverage_story import STATES, headline
from douse.report.navigator_layer import frame, in_matrix, technique

MAX_HOSTS: Final = 20
"""Hosts that a technique's comment names."""

_WORTH: Final = {"yes": 100.0, "partly": 50.0}
_LOW, _MIDDLE, _HIGH = "#f3c6c0", "#f6e3a1", "#a8d8a8"


def layer(document: SurveyDocument) -> dict[str, Any]:
    """The layer of a survey, or of the matrix where nothing was surveyed."""
    rows = [row for row in document["techniques"] if in_matrix(row["id"])]
    left_out = [f"{row['id']} {row['name']}" for row in document["techniques"] if row not in rows]
    judged = {host["host"]: {one["id"]: one for one in host["techniques"]} for host in document["hosts"]}
    return frame(
        f"Douse: {'telemetry of ' + str(len(judged)) + ' host(s)' if judged else 'what logs can show'}",
        headline(document) + (f". Not in this matrix: {', '.join(left_out)}" if left_out else ""),
        document["provenance"],
        [_technique(row, {host: rows[row["id"]] for host, rows in judged.items() if row["id"] in rows})
         for row in rows],
        (_LOW, _MIDDLE, _HIGH),
        (("seen", _HIGH), ("seen in part", _MIDDLE), ("not seen", _LOW)),
    )


def _technique(row: TechniqueDocument, judged: Mapping[str, JudgedTechniqueRow]) -> dict[str, Any]:
    score = (sum(_WORTH.get(one["state"], 0.0) for one in judged.values()) / len(judged)) if judged else _general(row)
    facts = [("rules", str(len(row["rules"]))), ("stage", str(row["stage"])),
             ("seen in", "; ".join(sight["events"] for sight in row["visible_in"]) or "no log"),
             ("needs a file", row["needs_file"]), ("blind", row["blind"])]
    return technique(row["id"], score, _comment(judged) or row["note"], facts)


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
