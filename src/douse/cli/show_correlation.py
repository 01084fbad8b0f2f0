"""What a correlation makes of a log, on the terminal: its rules with their matches, and the groups that came near."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import MAX_TITLE, NO, YES, Page
from douse.cli.screen import Glyphs, drawn, plain
from douse.report.rules_schema import CorrelationRow, GroupRow
from douse.report.story import count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def correlation(row: CorrelationRow, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """How often the rules of a correlation matched, and how near each group came to its condition."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs, whole=width is not None)
        page.headline(row["rule"])
        survey = row["survey"]
        page.facts(
            ("Log", f"{count(survey['events'], 'event')}, of which its rules read {survey['read']:,}"),
            ("Asks", row["asks"]),
            ("Equal", ", ".join(row["group_by"]) or "nothing: events of all hosts are one group"),
            ("Fires", f"yes, {count(survey['fires'], 'alert')}" if row["fires"] else f"no: {_why_not(row)}"),
        )
        page.title("Matches")
        page.bullets(plain(f"{one['matches']:>7,}  {one['title']}") for one in row["joined"])
        for reason, number in row["left_out"].items():
            page.say(f"  {number:,} left out, because they {reason}", NO)
        if row["groups"]:
            page.title(f"Groups ({row['group_count']:,})")
            page.listed((_group(one) for one in row["groups"]), len(row["groups"]))

    return drawn(draw, stream, color, width)


def _why_not(row: CorrelationRow) -> str:
    missing = [one["title"] for one in row["joined"] if not one["matches"]]
    if missing and (len(missing) == len(row["joined"]) or row["asks"].startswith("temporal")):
        return f"no match of {', '.join(missing)}"
    return "no group meets that" if row["groups"] else "no match could be used"


def _group(row: GroupRow) -> Text:
    """One group: its values, what its best window has, and when."""
    line = plain("yes " if row["alerts"] else "no  ", YES if row["alerts"] else NO)
    values = ", ".join(f"{name} = {value}" for name, value in row["group"].items()) or "all events"
    line.append_text(plain(values, "bold", MAX_TITLE))
    alerts = f"{count(row['alerts'], 'alert')}, " if row["alerts"] else ""
    matches = "1 match" if row["matches"] == 1 else f"{row['matches']:,} matches"
    line.append_text(plain(f"  {alerts}{matches}, {'best' if row['alerts'] else 'nearest'} {row['value']:g} from "
                           f"{row['first_seen']} to {row['last_seen']}", "dim"))
    return line
