"""Controls become one HTML file, made as the hunt's report is (html.py): it needs nothing else and calls nothing.

First which sentence of the mission's advice is served by what, then a list that can be filtered, each control with all
there is to know of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from douse import __version__
from douse.content.controls import SEVERITIES
from douse.report import controls_story as story
from douse.report.controls import sentence_rows
from douse.report.controls_schema import ControlRow
from douse.report.controls_words import NOT_TRIED
from douse.report.html import page

MAX_OPEN = 3
"""So many controls are shown unfolded."""


def render(rows: Sequence[ControlRow], profile: str = "") -> str:
    """The page of these controls; `profile` says which settings they were cut to."""
    ranks = tuple(reversed(SEVERITIES))
    return page(
        "controls.html.j2",
        "controls.css",
        rows=rows,
        profile=profile,
        story=story,
        ranks=ranks,
        rank={severity: number for number, severity in enumerate(ranks)},
        served=[(sentence, found) for sentence, found in story.serving(rows, sentence_rows()) if found],
        doubtful=[row for row in rows if row["unverified"]],
        not_tried=NOT_TRIED,
        opened=len(rows) <= MAX_OPEN,
        version=__version__,
    )
