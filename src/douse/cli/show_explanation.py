"""An explanation on the terminal: the event, the verdict, and the condition as a tree of yes and no.

A part is always marked with a word, the colour only repeats it. Each part is one line, its middle left out where it is
too long, because a wrapped line would break the rails; --format json has all of it. show_correlation.py draws what a
correlation makes of a log.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import NO, YES, Page
from douse.cli.screen import Glyphs, drawn, plain
from douse.report.rules_schema import ExplanationRow, PartRow, SurveyRow
from douse.report.story import count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MAX_PATTERNS = 4


def explanation(row: ExplanationRow, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """Which parts of a condition an event meets."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        event = row["event"]
        page.headline(row["rule"])
        page.facts(
            ("Event", f"{event['channel']} {event['event_id']}, record {event['record_id']}, {event['time']}"),
            ("Host", event["host"]),
            ("Source", event["source"]),
            ("One of", _survey(row["survey"])),
            ("Reads it", "yes" if row["read"] else "no: " + "; ".join(row["unread"])),
            ("Fires", _verdict(row)),
        )
        if row["condition"] is not None:
            page.title("Condition")
            _tree(page, row["condition"], "", "")

    return drawn(draw, stream, color, width)


def _survey(survey: SurveyRow) -> str:
    """What the event is one of, empty where there was no choice."""
    if survey["events"] < 2 or not survey["read"]:
        return ""
    said = f"{count(survey['events'], 'event')}; the rule reads {survey['read']:,} and fires on {survey['fires']:,}"
    if not survey["fires"]:
        return f"{said}; this one comes nearest"
    more = ", ..." if survey["fires"] > len(survey["record_ids"]) else ""
    return f"{said}: record {', '.join(map(str, survey['record_ids']))}{more}"


def _verdict(row: ExplanationRow) -> str:
    if row["fires"]:
        return "yes"
    if row["reasons"]:
        return f"no: {'; '.join(row['reasons'])}"
    if row["condition"] is None or row["read"]:
        return "no"
    return "no: the condition holds, but the rule is never asked about such an event"


_WORDS = {"all": "all of", "any": "any of", "not": "not"}


def _tree(page: Page, part: PartRow, rail: str, below: str) -> None:
    """A part and those below it, each on one line; a group of one is not drawn."""
    if part["kind"] in ("all", "any") and len(part["parts"]) == 1:
        _tree(page, part["parts"][0], rail, below)
        return
    mark = plain("yes" if part["holds"] else "no ", YES if part["holds"] else NO)
    if part["kind"] == "item":
        _branch(page, rail, mark, _asked(part))
        _branch(page, f"{below}    ", plain(_wanted(part), "dim"))
        return
    name, parts = part["name"] or _WORDS.get(part["kind"], part["kind"]), part["parts"]
    if part["kind"] == "filter":
        name = f"the filter '{name}'"
    if part["kind"] == "selection" and parts[0]["kind"] in ("all", "any"):
        name, parts = f"{part['name']}: {_WORDS[parts[0]['kind']]}", parts[0]["parts"]
    _branch(page, rail, mark, name, "bold")
    rails = page.glyphs.rails
    for index, inner in enumerate(parts):
        last = index == len(parts) - 1
        _tree(page, inner, below + rails["end" if last else "tee"], below + rails["blank" if last else "pass"])


def _branch(page: Page, rail: str, said: Text, more: str = "", style: str = "") -> None:
    """One line of the tree, its middle left out where it is too long: a wrapped one would break the rails."""
    line = plain(f"  {rail}", "dim")
    line.append_text(said)
    if more:
        line.append_text(plain(f" {more}", style))
    room = page.console.width
    if line.cell_len > room:
        cut = page.glyphs.cut
        head = room - room // 3 - len(cut)
        tail = line[len(line) - room // 3:]
        line = line[:head]
        line.append(cut)
        line.append_text(tail)
        line.truncate(room)
    page.console.print(line)


def _asked(part: PartRow) -> str:
    """An item's field and what the event has there."""
    field, value = part["field"] or "any field", part["value"]
    if value is None:
        return f"{field}: the event has no such field" if part["field"] else f"{field}: none has it"
    return f"{field} = {value}" if value else f"{field} is empty"


def _wanted(part: PartRow) -> str:
    """What the rule wants of the field, found or missing."""
    found = [tried["pattern"] for tried in part["tried"] if tried["found"]]
    missing = [tried["pattern"] for tried in part["tried"] if not tried["found"]]
    if part["negated"]:
        return f"must not match, and does: {_several(found)}" if found else f"must not match {_several(missing)}"
    if part["every"] and missing:
        return f"needs all, lacks {_several(missing)}"
    return f"matches {_several(found)}" if found else f"matches none of {_several(missing)}"


def _several(patterns: Sequence[str]) -> str:
    more = f" and {len(patterns) - MAX_PATTERNS} more" if len(patterns) > MAX_PATTERNS else ""
    return ", ".join(patterns[:MAX_PATTERNS]) + more
