"""The table of `douse harden for`: the measures of each incident, the most useful first, and the commands that follow.

Rows of report/for_incident.py in, bytes for a stream out. Text of an incident comes from evidence, so all is cleaned.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import NO, YES, Page
from douse.cli.screen import Glyphs, Grid, drawn, level_word, plain
from douse.report.for_incident import SAID, ForIncidentRow, MeasureRow, for_rows
from douse.report.phrases import count

if TYPE_CHECKING:
    from rich.console import Console

    from douse.harden.for_incident import ForIncident

MAX_SETTINGS = 4
"""So many settings of a control are shown; JSON and Markdown have all."""


def for_table(found: Sequence[ForIncident], *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """All incidents, each with its measures."""
    rows = for_rows(found)

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        for number, row in enumerate(rows):
            if number:
                console.print()
            _incident(page, row)

    return drawn(draw, stream, color, width)


def _incident(page: Page, row: ForIncidentRow) -> None:
    line = level_word(row["level"])
    line.append_text(plain("  "))
    line.append_text(plain(row["title"], "bold", 200))
    page.console.print(line)
    page.say(page.glyphs.rule * page.console.width, "dim")
    page.facts(("Host", row["host"]), ("Incident", row["incident_id"]), ("Profile", row["profile"]))
    missing = sum(one["state"] != "pass" for one in row["measures"])
    page.title(f"{count(len(row['measures']), 'control')} would have broken this chain"
               + (f", {missing} of them not known to be in place" if row["looked"] else ""))
    for note in row["notes"]:
        page.say(note, NO)
    if not row["looked"]:
        page.say("No evidence of the computer was given (--evidence), so nothing is known to be in place.", NO)
    for number, measure in enumerate(row["measures"], 1):
        _measure(page, number, measure)
    if row["needed"]:
        page.title(f"They need {', '.join(row['needed'])} as well, and do nothing without")
    if row["unknown"]:
        page.say(f"Not in this version's catalogue: {', '.join(row['unknown'])}.", NO)
    _commands(page, row)


def _measure(page: Page, number: int, one: MeasureRow) -> None:
    head = Grid((3,))
    title = plain(f"{one['control_id']} {one['title']}", "bold")
    title.append_text(plain(f"  {one['effect']} step {one['step']}, severity {one['severity']}", "dim"))
    if one["state"]:
        title.append_text(plain(f"  {SAID[one['state']]}", YES if one["state"] == "pass" else NO))
    head.add_row(plain(f"{number}."), title)
    page.console.print(head)
    grid = Grid((3, 10))
    facts = [("Step", one["step_title"]), ("Why", one["why"]), ("Found", one["state_why"]), ("Costs", one["cost"]),
             ("Sets", _settings(one)), ("Written as", ", ".join(one["formats"]) or "no format; by hand, or by asking"),
             ("Pre-flight", f"{one['preflight']} must be proven dispensable before this is enforced"
              if one["preflight"] else ""), ("Unverified", one["unverified"])]
    for name, value in facts:
        if value:
            grid.add_row("", plain(name, "dim"), plain(value))
    page.console.print(grid)


def _settings(one: MeasureRow) -> str:
    said = [f"{setting['where']}: {setting['wanted']}" for setting in one["settings"][:MAX_SETTINGS]]
    more = len(one["settings"]) - len(said)
    return "; ".join(said) + (f"; and {more} more (douse harden show {one['control_id']})" if more else "")


def _commands(page: Page, row: ForIncidentRow) -> None:
    """The last lines: what to run next."""
    if row["preflights"]:
        page.title("Before anything is enforced")
        for line in row["preflights"]:
            _command(page, line)
    if row["command"]:
        page.title("Write the policies, in audit mode first")
        _command(page, row["command"])


def _command(page: Page, line: str) -> None:
    """A command on one line however narrow the terminal is, so that it can be copied."""
    page.console.print(plain(line, "cyan"), soft_wrap=True)
