"""What the HTML chapter of an incident draws: its row made complete, and everything worked out from it.

Rows come in, an IncidentView goes out: steps with numbers, answers, stores by user, plan by phase, process tree, matrix
and the geometry of its drawings. Documents of older versions lack keys; here they get empty ones, so that no template
has to ask.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from douse.model import EVIDENCE_CLASSES, PHASES
from douse.report import answers, matrix, story, taken
from douse.report.charts.bars import bars
from douse.report.charts.lanes import Chart, Item, Period, lanes
from douse.report.gathered import Gathered
from douse.report.schema import ChannelRow, CoverageRow, FamilyEvidenceRow, IncidentRow, PlanRow, StageRow
from douse.telemetry.textlog import NETWORK
from douse.text import clean

MAX_STEPS = 300
MAX_LANES = 12
"""Hosts that the drawing of all incidents has a lane for; more are in its last one."""
MAX_LANE_NAME = 25
_NO_LANE = "Other"

Speaking = tuple[tuple[str, ...], FamilyEvidenceRow]
"""Families, and one thing that speaks for or against all of them."""

_LATER_KEYS: Mapping[str, object] = {
    "asset": None, "impact": [], "impact_reason": "", "tactics": [], "stores": [], "rotation": [], "attribution": None,
    "indicators": [], "plan": [], "controls": [], "lessons": [],
}
"""What documents of earlier versions lack."""


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident with what its chapter draws. `numbers` are those of the steps that are told."""

    anchor: str
    row: IncidentRow
    answers: tuple[answers.Answer, ...]
    steps: tuple[story.Told, ...]
    numbers: frozenset[int]
    untold: int
    stages: tuple[tuple[int, StageRow | None], ...]
    tactics: tuple[matrix.TacticInStages, ...]
    matrix: tuple[matrix.Column, ...]
    users: tuple[taken.UserStores, ...]
    changes: tuple[taken.Change, ...]
    plan: tuple[tuple[str, tuple[PlanRow, ...]], ...]
    control_anchors: Mapping[str, str]
    lesson_anchors: Mapping[str, str]
    speaks_for: tuple[Speaking, ...]
    speaks_against: tuple[Speaking, ...]
    tree: tuple[story.Branch, ...]
    chart: Chart | None
    bars: tuple[float, ...]


def complete(row: IncidentRow) -> IncidentRow:
    """The row with every key of today; those that it lacks are empty."""
    return cast("IncidentRow", {**_LATER_KEYS, **row})


def view_of(number: int, row: IncidentRow, alerts: Gathered, coverage: Sequence[CoverageRow]) -> IncidentView:
    """The view of a complete row, the hunt's `number`th."""
    told = story.told(row, alerts.proof)
    steps = story.most_telling(told, MAX_STEPS)
    anchor = f"incident-{number}"
    telling = row["level"] not in story.BELOW_MEDIUM
    about = row["attribution"]
    return IncidentView(
        anchor=anchor,
        row=row,
        answers=answers.answers(row),
        steps=steps,
        numbers=frozenset(step.number for step in steps),
        untold=len(told) - len(steps),
        stages=story.stages(row),
        tactics=matrix.tactics_in_stages(row, story.STAGES),
        matrix=matrix.matrix(row, told, alerts.techniques, _channels(row, coverage)) if telling else (),
        users=taken.by_user(row),
        changes=taken.changes(row),
        plan=_by_phase(row["plan"]),
        control_anchors=_anchors(f"{anchor}-control", (control["control_id"] for control in row["controls"])),
        lesson_anchors=_anchors(f"{anchor}-lesson", (lesson["lesson_id"] for lesson in row["lessons"])),
        speaks_for=_speaking(about["evidence"]) if about else (),
        speaks_against=_speaking(about["contradictions"]) if about else (),
        tree=story.tree(row, steps, alerts.said),
        chart=_chart(row, steps),
        bars=bars([score["points"] for score in row["classes"]]),
    )


def fleet_chart(views: Sequence[IncidentView]) -> Chart | None:
    """All incidents in lanes of their hosts, the worst host first; None where one incident or none is no line."""
    if len(views) < 2:
        return None
    names = {host: clean(host, MAX_LANE_NAME) for host in dict.fromkeys(view.row["host"] for view in views)}
    own = dict(list(names.items())[:MAX_LANES])
    items = [
        Item(
            time=story.when(view.row["first_seen"]),
            lane=own.get(view.row["host"], _NO_LANE),
            level=view.row["level"],
            label=view.anchor.removeprefix("incident-"),
            title=f"{view.row['host']}: {view.row['title']}",
        )
        for view in views
    ]
    return lanes(items, (*dict.fromkeys(own.values()), _NO_LANE))


def _channels(row: IncidentRow, coverage: Sequence[CoverageRow]) -> list[ChannelRow]:
    """What was read of the incident's host, and of sensors that see the network of all hosts."""
    sensors = [channel for one in coverage if one["host"] == NETWORK for channel in one["channels"]]
    return [*row["coverage"]["channels"], *sensors]


def _by_phase(plan: Sequence[PlanRow]) -> tuple[tuple[str, tuple[PlanRow, ...]], ...]:
    """The steps of the plan in their phases; a phase that is none of ours comes last."""
    names = dict.fromkeys([*PHASES, *(row["phase"] for row in plan)])
    return tuple((name, tuple(row for row in plan if row["phase"] == name)) for name in names)


def _speaking(evidence: Sequence[FamilyEvidenceRow]) -> tuple[Speaking, ...]:
    """What speaks for or against families; what says the same of several is told once, with all of them."""
    families: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    rows: dict[tuple[str, str, tuple[str, ...]], FamilyEvidenceRow] = {}
    for row in evidence:
        key = row["kind"], row["text"], tuple(row["alerts"])
        rows.setdefault(key, row)
        families.setdefault(key, []).append(row["family"])
    return tuple((tuple(families[key]), row) for key, row in rows.items())


def _anchors(prefix: str, ids: Iterable[str]) -> dict[str, str]:
    """Where each is in the page: by position, for an id of a foreign document may be anything."""
    found: dict[str, str] = {}
    for number, name in enumerate(ids, 1):
        found.setdefault(name, f"{prefix}-{number}")
    return found


def _chart(row: IncidentRow, steps: tuple[story.Told, ...]) -> Chart | None:
    """The timeline of the steps by evidence class; None where one step or none is no line."""
    if len(steps) < 2:
        return None
    items = [
        Item(
            time=story.when(step.row["time"]),
            lane=EVIDENCE_CLASSES.get(step.row["evidence_class"], _NO_LANE),
            level=step.row["level"],
            label=str(step.number),
            title=step.row["title"],
        )
        for step in steps
    ]
    periods = [
        Period(
            story.when(stage["first_seen"]), story.when(stage["last_seen"]), f"Stage {stage['stage']}", stage["name"]
        )
        for stage in row["stages"]
    ]
    return lanes(items, (*EVIDENCE_CLASSES.values(), _NO_LANE), periods)
