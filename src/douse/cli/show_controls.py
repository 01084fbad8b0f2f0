"""The tables of `douse harden list|show`: the rows of report/controls.py in, bytes for a stream out.

Registry values of one key stand together below it. Every text passes `plain`, as in all tables.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import MAX_TITLE, NO, Page
from douse.cli.screen import LEVEL_WIDTH, Glyphs, Grid, drawn, level_word, plain
from douse.content.controls import SEVERITIES
from douse.report.controls_schema import ControlRow, SettingRow
from douse.report.controls_story import MAPPING, facts, headline, remarks, unverified_note
from douse.report.controls_words import NOT_TRIED

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WIDEST = max(map(len, ("NIST SP 800-53r5", "CIS Controls 8")))


def control_list(rows: Sequence[ControlRow], *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """The controls by severity, each with its sentence and the advice that it serves."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        for severity in SEVERITIES:
            group = [row for row in rows if row["severity"] == severity]
            if not group:
                continue
            page.title(f"{severity} ({len(group):,})")
            grid = Grid((1, 3, LEVEL_WIDTH))
            for row in group:
                grid.add_row("", plain(row["id"], "bold"), level_word(severity), _listed(row))
                grid.add_row("", "", "", plain(row["takeaway"]))
            console.print(grid)
        page.title(headline(rows))
        page.say("Everything about one: douse harden show ID", "dim")

    return drawn(draw, stream, color, width)


def _listed(row: ControlRow) -> Text:
    line = plain(row["title"], "bold", MAX_TITLE)
    line.append_text(plain(f"  {row['slug']}, {' '.join(row['seed'])}", "dim"))
    if not row["verified"]:
        line.append_text(plain("  not verified", NO))
    return line


def control_pages(rows: Sequence[ControlRow], *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """Everything about each control."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs, whole=True)
        for number, row in enumerate(rows):
            if number:
                console.print()
            _page(page, row)
        page.title(MAPPING)
        page.say(NOT_TRIED, "dim")

    return drawn(draw, stream, color, width)


def _page(page: Page, row: ControlRow) -> None:
    line = level_word(row["severity"])
    line.append_text(plain(f"  {row['id']}  "))
    line.append_text(plain(row["title"], "bold", MAX_TITLE))
    page.console.print(line)
    page.say(page.glyphs.rule * page.console.width, "dim")
    page.say(row["takeaway"])
    if note := unverified_note(row):
        page.say(note, NO)
    grid = Grid((1, _WIDEST))
    for name, value in facts(row):
        if name != "Severity":  # stands above
            grid.add_row("", plain(name, "dim"), plain(value))
    page.console.print(grid)
    page.title("Settings" if row["settings"] else "No settings in this profile")
    for place, group in groupby(row["settings"], key=_place):
        _settings(page, place, list(group))
    if row["breaks"]:
        page.title("What it does to an incident")
        page.bullets(plain(f"{one['effect']}: {one['why']}") for one in row["breaks"])
    if row["sources"]:
        page.title("Sources")
        page.bullets(map(plain, row["sources"]))


def _settings(page: Page, place: str, rows: Sequence[SettingRow]) -> None:
    """A place, and below it what is wanted there and how to look; a look that shows all of them is said once."""
    _indented(page, 1, plain(place, "bold"))
    same = len({one["check"] for one in rows}) == 1
    for number, one in enumerate(rows, 1):
        _indented(page, 3, plain(f"{one['where'][len(place) + 1:]}: {one['wanted']}".removeprefix(": ")))
        if more := remarks(one):
            _indented(page, 5, plain(more, "dim" if one["verified"] else NO))
        if number == len(rows) or not same:
            _indented(page, 5, plain(one["check"], "cyan"))


def _place(one: SettingRow) -> str:
    """The key of a registry value and of what lies like one; else where the setting is."""
    return one["where"].rpartition("!")[0] or one["where"]


def _indented(page: Page, width: int, text: Text) -> None:
    grid = Grid((width,))
    grid.add_row("", text)
    page.console.print(grid)
