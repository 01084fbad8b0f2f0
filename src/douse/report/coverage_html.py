"""A survey becomes one HTML file, made as the hunt's report is (html.py): it needs nothing else and calls nothing.

What is long is cut and says so: the page is for people, json holds everything.
"""

from __future__ import annotations

from douse.report import coverage_story as story
from douse.report.coverage_schema import HostRow, SurveyDocument
from douse.report.html import page

MAX_HOSTS = 200
"""Hosts in full; the overview lists MAX_OVERVIEW."""
MAX_OVERVIEW = 2_000
MAX_FIRST = 5
MAX_EVENTS = 60
"""Event ids of one log."""
MAX_GAPS = 25
MAX_RULES = 6
"""Rules that are named of one technique."""

_ORDER = ("no", "partly", "yes")


def render(document: SurveyDocument) -> str:
    """The page of a survey, or of the matrix of techniques where nothing was surveyed."""
    hosts = sorted(document["hosts"], key=_worst_first)
    return page(
        "coverage.html.j2",
        "coverage.css",
        document=document,
        story=story,
        hosts=hosts[:MAX_HOSTS],
        overview=hosts[:MAX_OVERVIEW],
        unlisted=len(hosts) - len(hosts[:MAX_HOSTS]),
        todo=story.todo(document),
        known={row["id"]: row for row in document["prerequisites"]},
        to_close=[row for row in document["prerequisites"] if row["absent"] or row["partial"]],
        max_first=MAX_FIRST,
        max_events=MAX_EVENTS,
        max_gaps=MAX_GAPS,
        max_rules=MAX_RULES,
    )


def _worst_first(host: HostRow) -> tuple[int, str]:
    return _ORDER.index(host["usable"]), host["host"].lower()
