"""A document becomes one HTML file that needs nothing else and runs nothing but its own small script.

The policy in its <meta> names the style and the script by hash, so markup that slipped through would still be dead.
Every value a template prints is cleaned (`finalize`) and then escaped (autoescape): a template cannot forget it, and
none uses the `safe` filter. What is long is cut and says so: the report is for people, json and jsonl hold everything.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from douse.model import EVIDENCE_CLASSES, LEVELS
from douse.report import glossary, story
from douse.report.charts.bars import bars
from douse.report.charts.lanes import Chart, Item, Period, lanes
from douse.report.schema import AlertRow, Document, IncidentRow, StageRow
from douse.text import clean

MAX_INCIDENTS = 50
MAX_ALERTS = 2000
MAX_FIRST_STEPS = 5
MAX_PROOF = 20
MAX_STEPS = 300
MAX_PROCESSES = 400
MAX_SUPPRESSED = 500
MAX_ENTRIES = 500
"""Alerts that somebody expects, and lines that say so, which are listed."""
MAX_PRINTED = 60
"""Longer lists of alerts are printed without the evidence that the story has not already given."""

_TEMPLATES = Path(__file__).parent / "templates"
_POLICY = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; base-uri 'none'; form-action 'none'"
)
_NO_LANE = "Other"


@dataclass(frozen=True, slots=True)
class IncidentView:
    """An incident with what its chapter draws."""

    anchor: str
    row: IncidentRow
    steps: tuple[story.Told, ...]
    untold: int
    stages: tuple[tuple[int, StageRow | None], ...]
    tree: tuple[story.Branch, ...]
    chart: Chart | None
    bars: tuple[float, ...]


def render(document: Document) -> str:
    """The report of a hunt, as one HTML text."""
    alerts = story.alerts_by_id(document)
    incidents = story.worst_first(document)
    views = [_view(number, row, alerts) for number, row in enumerate(incidents[:MAX_INCIDENTS], 1)]
    suppressed = document.get("suppressed", [])
    listed = story.by_level_then_time(document["alerts"])[:MAX_ALERTS]
    return page(
        "report.html.j2",
        document=document,
        weak=story.only_weak(incidents),
        incidents=views,
        unlisted_incidents=incidents[MAX_INCIDENTS:],
        alerts=listed,
        allowances=document.get("allowances", []),
        suppressed=suppressed[:MAX_SUPPRESSED],
        suppressed_total=len(suppressed),
        told={alert["alert_id"] for view in views for step in view.steps for alert in step.proof[:MAX_PROOF]},
        anchors={alert["alert_id"]: f"alert-{number}" for number, alert in enumerate(listed, 1)},
    )


def page(template: str, *more_styles: str, **values: object) -> str:
    """A template of ours as one HTML text, with our style and script in it and the policy that allows only these.

    `more_styles` are further files of style; `values` is what the template shows.
    """
    style, script = "\n".join(_asset(name) for name in ("report.css", *more_styles)), _asset("report.js")
    return (
        _environment()
        .get_template(template)
        .render(
            **values,
            style=Markup(style),  # noqa: S704 - our own file, not evidence
            script=Markup(script),  # noqa: S704 - our own file, not evidence
            policy=_POLICY.format(style=_hash(style), script=_hash(script)),
        )
    )


def _view(number: int, row: IncidentRow, alerts: Mapping[str, AlertRow]) -> IncidentView:
    told = story.told(row, alerts)
    steps = story.most_telling(told, MAX_STEPS)
    return IncidentView(
        anchor=f"incident-{number}",
        row=row,
        steps=steps,
        untold=len(told) - len(steps),
        stages=story.stages(row),
        tree=story.tree(row, steps),
        chart=_chart(row, steps),
        bars=bars([score["points"] for score in row["classes"]]),
    )


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


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "base_name": story.base_name,
        "block": _block,
        "clock": story.clock,
        "mega": lambda size: f"{size / 1e6:,.1f} MB",
        "moment": story.moment,
        "one_line": story.one_line,
        "number": lambda value: f"{value:,}",
        "points": lambda value: f"{value:g}",
        "short": clean,
    }
    environment.globals |= {
        "LEVELS": LEVELS,
        "CLASSES": EVIDENCE_CLASSES,
        "MAX_FIRST_STEPS": MAX_FIRST_STEPS,
        "MAX_PROOF": MAX_PROOF,
        "MAX_PROCESSES": MAX_PROCESSES,
        "MAX_PRINTED": MAX_PRINTED,
        "MAX_ENTRIES": MAX_ENTRIES,
        "asset_words": story.asset_words,
        "count": story.count,
        "event_name": glossary.event_name,
        "found": story.found,
        "nothing_in": story.nothing,
        "questions": story.questions,
        "weak_signs": story.weak_signs,
        "BELOW_MEDIUM": story.BELOW_MEDIUM,
        "WEAK_SIGNS": story.WEAK_SIGNS,
        "glossary": glossary.GLOSSARY,
        "span": story.span,
        "technique_name": glossary.technique_name,
    }
    return environment


def _finalize(value: Any) -> Any:
    """Clean every text that a template prints; markup comes from our macros, whose texts were cleaned inside them."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _block(text: str) -> Markup:
    """A text of several lines: cleaned but for its line feeds and tabs, and escaped."""
    return escape(clean(text.replace("\r\n", "\n"), multiline=True))


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
