"""What the HTML report needs of a hunt's alerts, taken in one pass: a hunt may have 100,000, and makes them when asked.

Kept are the rows that are listed (the strongest), the rows that prove a step of a shown incident, and of every other
alert of those incidents no more than its title and level.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from douse.report.phrases import when
from douse.report.schema import AlertRow, Document, IncidentRow
from douse.report.steps import rank


@dataclass(frozen=True, slots=True)
class Gathered:
    """`listed` are the strongest alerts, in time order within a level. `proof` has the rows that steps show, by id,
    `said` title and level of every alert of the incidents. `techniques` are those of all alerts and steps."""

    listed: tuple[AlertRow, ...]
    proof: dict[str, AlertRow]
    said: dict[str, tuple[str, str]]
    techniques: frozenset[str]


def gather(document: Document, incidents: Sequence[IncidentRow], most_listed: int, most_proof: int) -> Gathered:
    """Go through a document's alerts once; a step keeps at most so many as its proof."""
    of_step = _steps_by_alert(incidents)
    wanted = {name for row in incidents for name in row["alerts"]} | of_step.keys()
    wanted.update(name for row in incidents for node in row["processes"] for name in node["alerts"])
    room: dict[tuple[int, int], int] = {}
    proof: dict[str, AlertRow] = {}
    said: dict[str, tuple[str, str]] = {}
    techniques = {name for row in document["incidents"] for step in row["steps"] for name in step["techniques"]}

    def seen(alerts: Iterable[AlertRow]) -> Iterator[AlertRow]:
        for alert in alerts:
            name = alert["alert_id"]
            techniques.update(alert["techniques"])
            if name in wanted:
                said[name] = alert["title"], alert["level"]
            for step in of_step.get(name, ()):
                room[step] = room.get(step, most_proof) - 1
                if room[step] >= 0:
                    proof[name] = alert
            yield alert

    listed = heapq.nsmallest(most_listed, seen(document["alerts"]), key=_strongest_first)
    return Gathered(tuple(listed), proof, said, frozenset(techniques))


def _steps_by_alert(incidents: Sequence[IncidentRow]) -> dict[str, list[tuple[int, int]]]:
    """Alert -> the steps that it proves, each as its places in incident and story."""
    found: dict[str, list[tuple[int, int]]] = {}
    for number, row in enumerate(incidents):
        for position, step in enumerate(row["steps"]):
            for name in step["alerts"]:
                found.setdefault(name, []).append((number, position))
    return found


def _strongest_first(alert: AlertRow) -> tuple[int, float]:
    return -rank(alert["level"]), when(alert["time"]).timestamp()
