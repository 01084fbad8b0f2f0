"""A document becomes one HTML file that needs nothing else and runs nothing but its own small script.

The policy in its <meta> names the style and the script by hash, so markup that slipped through would still be dead.
Every value a template prints is cleaned (`finalize`) and then escaped (autoescape): a template cannot forget it, and
none uses the `safe` filter. What is long is cut and says so: the report is for people, json and jsonl hold everything.
What an incident's chapter draws is worked out in views.py; templates/ has a file for each part.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from douse.model import EVIDENCE_CLASSES, LEVELS
from douse.report import glossary, matrix, story, taken
from douse.report.gathered import gather
from douse.report.schema import AlertRow, Document
from douse.report.views import IncidentView, complete, fleet_chart, view_of
from douse.text import clean

MAX_INCIDENTS = 50
MAX_ALERTS = 2000
MAX_FIRST_STEPS = 5
MAX_PROOF = 20
MAX_PROCESSES = 400
MAX_SUPPRESSED = 500
MAX_ENTRIES = 500
"""Alerts that somebody expects, lines that say so, and losses, which are listed."""
MAX_PRINTED = 60
"""Longer lists of alerts are printed without the evidence that the story has not already given."""

_LIMITS = {
    "MAX_FIRST_STEPS": MAX_FIRST_STEPS, "MAX_PROOF": MAX_PROOF, "MAX_PROCESSES": MAX_PROCESSES,
    "MAX_PRINTED": MAX_PRINTED, "MAX_ENTRIES": MAX_ENTRIES, "MAX_HOSTS": 200, "MAX_STORES": 200, "MAX_CONTROLS": 100,
    "MAX_INDICATORS": 300, "MAX_FILES": 500, "MAX_SIGHTS": 8, "MIN_FILTERED": 8, "LONG_COMMAND": 160,
}
"""How much of each list is shown, and from how many entries on it can be filtered."""

_INDICATORS = {"domain-name": "domain", "url": "URL", "ipv4-addr": "IPv4 address", "ipv6-addr": "IPv6 address",
               "file": "file hash", "file-path": "file path", "registry-key": "registry key"}
_PHASES = {"contain": "Now: contain", "eradicate": "Then: remove it", "recover": "Then: recover",
           "prevent": "Afterwards: prevent"}

_TEMPLATES = Path(__file__).parent / "templates"
_POLICY = (
    "default-src 'none'; style-src '{style}'; script-src '{script}'; img-src data:; base-uri 'none'; form-action 'none'"
)


def render(document: Document) -> str:
    """The report of a hunt, as one HTML text."""
    incidents = [complete(row) for row in story.worst_first(document)]
    alerts = gather(document, incidents[:MAX_INCIDENTS], MAX_ALERTS, MAX_PROOF)
    views = [view_of(number, row, alerts, document["coverage"])
             for number, row in enumerate(incidents[:MAX_INCIDENTS], 1)]
    suppressed = document.get("suppressed", [])
    weak = story.only_weak(incidents)
    hosts = document.get("hosts", [])
    return page(
        "report.html.j2",
        "incident.css",
        document=document,
        weak=weak,
        hosts=hosts,
        chart=fleet_chart(views),
        contents=_contents(document, views, weak),
        incidents=views,
        incident_anchors={view.row["incident_id"]: view.anchor for view in views},
        unlisted_incidents=incidents[MAX_INCIDENTS:],
        alerts=alerts.listed,
        alert_hosts=_hosts(alerts.listed),
        allowances=document.get("allowances", []),
        suppressed=suppressed[:MAX_SUPPRESSED],
        suppressed_total=len(suppressed),
        told={alert["alert_id"] for view in views for step in view.steps for alert in step.proof},
        anchors={alert["alert_id"]: f"alert-{number}" for number, alert in enumerate(alerts.listed, 1)},
    )


def pieces(document: Document) -> Iterator[bytes]:
    """The report as the bytes of its file."""
    yield render(document).encode("utf-8")


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


def _contents(document: Document, views: Sequence[IncidentView], weak: bool) -> list[tuple[str, str]]:
    """The table of contents: anchors and words, in the order of the page."""
    worst = None if weak or not views else views[0]
    entries = [("hosts", "Computers")] if len(document.get("hosts", [])) > 1 else []
    if worst:
        entries += [(f"{worst.anchor}-{name}", words) for name, words, there in (
            ("taken", "Taken", worst.row["stores"]), ("change", "To change", worst.row["rotation"]),
            ("todo", "What to do", worst.row["plan"] or len(worst.row["next_steps"]) > MAX_FIRST_STEPS),
            ("story", "What happened", True), ("time", "Timeline", worst.chart), ("tree", "Processes", worst.tree),
            ("indicators", "Indicators", worst.row["indicators"]), ("attack", "ATT&CK", worst.matrix),
            ("family", "Family", worst.row["attribution"]), ("controls", "Controls", worst.row["controls"]),
            ("lessons", "Lessons", worst.row["lessons"]), ("level", "Level", True), ("blind", "Not seen", True),
        ) if there]
    else:
        entries += [("incidents", "Weak signs")] if weak else []
        entries += [("blind", "Not judged")]
    entries += [("incidents", "Further incidents")] if len(views) > 1 and not weak else []
    entries += [("coverage", "Telemetry"), ("alerts", "Alerts")]
    entries += [("suppressed", "Suppressed")] if document.get("allowances") else []
    return [*entries, ("problems", "Losses"), ("provenance", "Provenance"), ("glossary", "Glossary")]


def _hosts(alerts: Sequence[AlertRow]) -> list[str]:
    """The hosts of the listed alerts, by name."""
    return sorted({alert["host"] for alert in alerts}, key=str.lower)


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
        "mega": _mega,
        "moment": story.moment,
        "one_line": story.one_line,
        "number": lambda value: f"{value:,}",
        "points": lambda value: f"{value:g}",
        "rank": story.rank,
        "short": clean,
    }
    environment.globals |= _LIMITS | {
        "LEVELS": LEVELS,
        "CLASSES": EVIDENCE_CLASSES,
        "BASIS_WORDS": taken.BASIS_WORDS,
        "CELL_STATES": matrix.STATES,
        "INDICATOR_WORDS": _INDICATORS,
        "PHASE_WORDS": _PHASES,
        "STORE_MEANS": taken.STATE_MEANS,
        "STORE_WORDS": taken.STATE_WORDS,
        "BELOW_MEDIUM": story.BELOW_MEDIUM,
        "WEAK_SIGNS": story.WEAK_SIGNS,
        "asset_words": story.asset_words,
        "count": story.count,
        "event_name": glossary.event_name,
        "found": story.found,
        "glossary": glossary.GLOSSARY,
        "holds": taken.holds,
        "listed": story.listed,
        "nothing_in": story.nothing,
        "questions": story.questions,
        "span": story.span,
        "technique_name": glossary.technique_name,
        "weak_signs": story.weak_signs,
    }
    return environment


def _finalize(value: Any) -> Any:
    """Clean every text that a template prints; markup comes from our macros, whose texts were cleaned inside them."""
    return clean(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _mega(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _block(text: str) -> Markup:
    """A text of several lines: cleaned but for its line feeds and tabs, and escaped."""
    return escape(clean(text.replace("\r\n", "\n"), multiline=True))


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
