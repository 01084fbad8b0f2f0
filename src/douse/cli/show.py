"""A hunt's document on the terminal: what to do first, then what happened, then the hosts and the totals.

Everything that came from evidence passes text.clean and becomes a rich Text, never markup, so that nothing in a log
can colour, move or link; how a screen is put on a stream is in screen.py, its blocks in hunt_page.py. rich is imported
by the first drawing, because most commands never draw. The HTML report (report/html.py) tells the same story; what both
say is in report/story.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TextIO

from douse.cli.hunt_page import EVERYTHING, HuntPage
from douse.cli.screen import COLORS, FILE_WIDTH, LEVEL_WIDTH, Grid, drawn, level_word, plain
from douse.cli.show_fleet import fleet
from douse.cli.show_incident import gaps, incident, todo
from douse.cli.show_totals import MAX_LISTED, totals
from douse.report import story
from douse.report.schema import Document, IncidentRow

__all__ = ["COLORS", "hunt_table", "hunt_table_bytes"]

MAX_OTHERS = 10
MAX_WEAK_STEPS = 3
NEXT = "What to do next"


def hunt_table(document: Document, stream: TextIO, color: str = "auto", width: int | None = None) -> None:
    """Write the screen of a hunt to a stream; `color` is one of COLORS, a width of None asks the terminal."""
    stream.write(_drawn(document, stream, color, width).decode(getattr(stream, "encoding", None) or "utf-8"))


def hunt_table_bytes(document: Document, color: str = "auto", *, to_file: bool = False) -> Iterator[bytes]:
    """The same screen as bytes: for a file in UTF-8 and FILE_WIDTH, else as standard output takes it."""
    if to_file:
        yield _drawn(document, StringIO(), color, FILE_WIDTH)
    else:
        yield _drawn(document, sys.stdout, color, None)


def _drawn(document: Document, stream: TextIO, color: str, width: int | None) -> bytes:
    return drawn(lambda console, glyphs: _draw(HuntPage(console, glyphs), document), stream, color, width)


def _draw(page: HuntPage, document: Document) -> None:
    incidents = story.worst_first(document)
    if story.only_weak(incidents):
        _weak_signs(page, incidents, document)
    elif incidents:
        incident(page, incidents[0], story.told(incidents[0], story.alerts_by_id(document)))
        others = [(one["level"], one["title"], one["host"], one["first_seen"]) for one in incidents[1:]]
        page.findings("Other incidents", others, MAX_OTHERS, "incident")
    else:
        _nothing(page, document)
    fleet(page, document.get("hosts", []))
    totals(page, document)


def _weak_signs(page: HuntPage, incidents: Sequence[IncidentRow], document: Document) -> None:
    page.headline("WEAK SIGNS", "bold", story.WEAK_SIGNS)
    page.say(story.weak_signs(document))
    todo(page, NEXT, story.questions(incidents))
    page.title("Worth a look")
    grid = Grid((1, LEVEL_WIDTH))
    alerts = story.alerts_by_id(document)
    for row in incidents[:MAX_OTHERS]:
        where = ", ".join((row["host"], story.moment(row["first_seen"]), *row["users"]))
        for step in story.told(row, alerts)[:MAX_WEAK_STEPS]:
            detail = story.one_line(step.row["detail"])
            grid.add_row("", level_word(row["level"]), plain(step.row["title"], "bold"))
            grid.add_row("", "", plain(page.middle(detail, 2 * (page.width - 12))))
            grid.add_row("", "", plain(where, "dim"))
    page.show(grid)
    page.more(len(incidents) - MAX_OTHERS, "incident", EVERYTHING)
    _unjudged(page, document)


def _unjudged(page: HuntPage, document: Document) -> None:
    """What could not be judged on any host, with the settings that close the gaps."""
    spots = {spot["requirement"]: spot for host in document["coverage"] for spot in host["blind_spots"]}
    if document["coverage"]:
        gaps(page, "What could not be judged", spots.values(), settings=True)


def _nothing(page: HuntPage, document: Document) -> None:
    said = story.nothing(document)
    page.headline(said.word, "bold", said.title)
    page.say(said.lead)
    todo(page, NEXT, said.steps)
    alerts = story.by_level_then_time(document["alerts"])
    page.findings("Single alerts", [(one["level"], one["title"], one["host"], one["time"]) for one in alerts],
                  MAX_LISTED, "alert")
    _unjudged(page, document)
