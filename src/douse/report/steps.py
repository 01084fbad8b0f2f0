"""The steps of an incident as a story: numbered, with the time since the first and the alerts that prove each.

Rows come in (schema.py), small frozen records of the same rows go out. A step has one number everywhere: in the story,
on the timeline, at the processes and in the plan, so that a reader can follow it with a finger.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from douse.model import LEVELS
from douse.report.phrases import offset, when
from douse.report.schema import AlertRow, Document, IncidentRow, StepRow


@dataclass(frozen=True, slots=True)
class Told:
    """A step with its number in the story, the time since the first step and its proof, as far as it is listed."""

    number: int
    offset: str
    row: StepRow
    proof: tuple[AlertRow, ...]


def alerts_by_id(document: Document) -> dict[str, AlertRow]:
    """The document's alerts by id."""
    return {alert["alert_id"]: alert for alert in document["alerts"]}


def told(incident: IncidentRow, alerts: Mapping[str, AlertRow]) -> tuple[Told, ...]:
    """The incident's steps in the order in which it tells them, numbered from 1."""
    steps = incident["steps"]
    begun: list[str] = []  # what is told before an earlier record began no later: a typed command and its child
    for step in reversed(steps):
        begun.append(min(step["time"], begun[-1] if begun else step["time"], key=when))
    begun.reverse()
    return tuple(
        Told(
            number=number,
            offset=offset(begun[0], time),
            row=step,
            proof=tuple(alerts[name] for name in step["alerts"] if name in alerts),
        )
        for number, (step, time) in enumerate(zip(steps, begun, strict=True), 1)
    )


def most_telling(steps: tuple[Told, ...], most: int) -> tuple[Told, ...]:
    """At most so many steps, in order: the strongest, the earlier of equals. A log can be made to tell thousands."""
    if len(steps) <= most:
        return steps
    strongest = sorted(steps, key=lambda step: (-rank(step.row["level"]), step.number))[:most]
    return tuple(sorted(strongest, key=lambda step: step.number))


def by_level_then_time(alerts: Iterable[AlertRow]) -> list[AlertRow]:
    """Alerts strongest first, and in time order within a level."""
    return sorted(alerts, key=lambda alert: (-rank(alert["level"]), when(alert["time"])))


def rank(level: str) -> int:
    """A level's position in LEVELS; 0 for a word that is none, as a foreign document may have."""
    return LEVELS.index(level) if level in LEVELS else 0
