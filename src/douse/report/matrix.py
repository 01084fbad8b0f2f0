"""ATT&CK for one incident, limited to what infostealers do: tactics as columns, and the three stages beside them.

The cells are the techniques of content/techniques, a sub-technique within its technique, each in one column although
ATT&CK lists some under several tactics: the first is where a reader looks. A cell is "seen" in this incident, "seen
elsewhere" in the hunt, "not seen" where this host's logs would show some of it, and "not visible" where they hold no
record that could: then its absence means nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from douse.content.attack import attack
from douse.content.techniques import techniques
from douse.content.telemetry import Records
from douse.report.schema import ChannelRow, IncidentRow
from douse.report.steps import Told

SEEN, ELSEWHERE, NOT_SEEN, NOT_VISIBLE = "seen", "seen elsewhere", "not seen", "not visible"
STATES = {
    SEEN: "in this incident",
    ELSEWHERE: "in the hunt, not in this incident",
    NOT_SEEN: "the logs of this host can show some of it, and did not",
    NOT_VISIBLE: "nothing that was read of this host could show it",
}


@dataclass(frozen=True, slots=True)
class Cell:
    """A technique, what became of it, which of its sub-techniques were seen, and the numbers of the steps."""

    id: str
    name: str
    state: str
    parts: tuple[str, ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Column:
    """A tactic and its techniques, those that were seen first."""

    id: str
    name: str
    cells: tuple[Cell, ...]
    seen: int


@dataclass(frozen=True, slots=True)
class TacticInStages:
    """A tactic and, for each of the three stages, the techniques and the number of alerts that both have."""

    id: str
    name: str
    stages: tuple[tuple[tuple[str, ...], int], ...]


def matrix(incident: IncidentRow, steps: Iterable[Told], elsewhere: Iterable[str],
           channels: Sequence[ChannelRow]) -> tuple[Column, ...]:
    """The columns in ATT&CK's order. `elsewhere` are technique ids of the whole hunt, `channels` what was read."""
    numbers = _numbers(steps)
    for tactic in incident["tactics"]:
        for name in tactic["techniques"]:
            numbers.setdefault(attack().current(name), [])
    others = {attack().current(name) for name in elsewhere}
    rows = _by_technique({*numbers, *others})
    logged = _Logged(channels)
    columns = []
    for tactic_name, groups in rows.items():
        cells = [_cell(parent, parts, numbers, others, logged) for parent, parts in groups.items()]
        order = list(STATES)
        cells.sort(key=lambda cell: order.index(cell.state))
        about = attack().tactics[tactic_name]
        columns.append(Column(about.id, about.title, tuple(cells), sum(cell.state == SEEN for cell in cells)))
    return tuple(columns)


def tactics_in_stages(incident: IncidentRow, numbers: Sequence[int]) -> tuple[TacticInStages, ...]:
    """The incident's tactics against these stages."""
    stages = {stage["stage"]: stage for stage in incident["stages"]}
    found = []
    for tactic in incident["tactics"]:
        own, cells = set(tactic["alerts"]), []
        for number in numbers:
            stage = stages.get(number)
            both = [name for name in tactic["techniques"] if stage and name in stage["techniques"]]
            cells.append((tuple(both), len(own.intersection(stage["alerts"])) if stage else 0))
        found.append(TacticInStages(tactic["tactic_id"], tactic["name"], tuple(cells)))
    return tuple(found)


def _numbers(steps: Iterable[Told]) -> dict[str, list[int]]:
    """Technique as it is called today -> the steps that show it."""
    numbers: dict[str, list[int]] = {}
    for step in steps:
        for name in step.row["techniques"]:
            numbers.setdefault(attack().current(name), []).append(step.number)
    return numbers


def _by_technique(more: Iterable[str]) -> dict[str, dict[str, list[str]]]:
    """Tactic -> technique -> itself and its sub-techniques: those of our pages, and others that were seen."""
    table = attack()
    named = dict.fromkeys([*_pages(), *sorted(more)])
    rows: dict[str, dict[str, list[str]]] = {name: {} for name in table.tactics}
    for name in named:
        technique = table.techniques.get(name)
        if technique and technique.matrix == "enterprise" and technique.tactics:
            home = table.techniques.get(technique.parent, technique)
            column = home.tactics[0] if home.tactics else technique.tactics[0]
            rows[column].setdefault(technique.parent, []).append(name)
    return {name: groups for name, groups in rows.items() if groups}


def _cell(parent: str, parts: Sequence[str], numbers: Mapping[str, Sequence[int]], others: set[str],
          logged: _Logged) -> Cell:
    seen = [name for name in parts if name in numbers]
    if seen:
        state = SEEN
    elif others.intersection(parts):
        state = ELSEWHERE
    else:
        state = NOT_SEEN if any(logged.shows(name) for name in parts) else NOT_VISIBLE
    technique = attack().techniques.get(parent)
    steps = sorted({number for name in seen for number in numbers[name]})
    return Cell(parent, technique.name if technique else parent, state,
                tuple(name for name in seen if name != parent), tuple(steps))


class _Logged:
    """Whether any record that shows a technique is of a kind that was read."""

    def __init__(self, channels: Iterable[ChannelRow]) -> None:
        self._ids: dict[str, set[int]] = {}
        for row in channels:
            if row["records"]:
                self._ids.setdefault(row["channel"].lower(), set()).add(row["event_id"])

    def shows(self, technique: str) -> bool:
        return any(self._has(records) for records in _pages().get(technique, ()))

    def _has(self, records: Records) -> bool:
        ids = self._ids.get(records.channel.lower())
        return ids is not None and (records.event_ids is None or bool(ids & records.event_ids))


@cache
def _pages() -> Mapping[str, tuple[Records, ...]]:
    """The techniques that we have a page on, with the records that show each. Outcomes and whole stealers are none."""
    return {page.id: tuple(records for sight in page.visible_in for records in sight.records)
            for page in techniques() if not page.uses and page.impact is None}
