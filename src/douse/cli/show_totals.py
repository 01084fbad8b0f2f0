"""The end of a hunt's screen: how much was read and judged, what was set apart, what could not be used, remarks."""

from __future__ import annotations

from collections.abc import Sequence

from douse.cli.hunt_page import HuntPage
from douse.cli.screen import Grid, plain
from douse.model import LEVELS
from douse.report import story
from douse.report.schema import Document, ErrorRow

MAX_LISTED = 10
MAX_ERRORS = 8


def totals(page: HuntPage, document: Document) -> None:
    """Draw the summary and what belongs to it."""
    summary = document["summary"]
    page.title("Summary")
    levels = [f"{summary['alerts_by_level'][level]:,} {level}" for level in reversed(LEVELS)
              if summary["alerts_by_level"][level]]  # fmt: skip
    lost = f", {summary['records_lost']:,} lost" if summary["records_lost"] else ", none lost"
    ignored = f" ({summary['ignored_files']:,} ignored)" if summary["ignored_files"] else ""
    rejected = f", {summary['rules_rejected']:,} rejected" if summary["rules_rejected"] else ""
    idle = f", {summary['rules_idle']:,} idle" if summary["rules_idle"] else ""
    page.facts(
        ("Files", f"{summary['files']:,}{ignored}"),
        ("Records", f"{summary['records_read']:,} read, {summary['records_skipped']:,} asked for by no rule{lost}"),
        ("Events", f"{story.moment(summary['first_event'])} to {story.moment(summary['last_event'])} UTC"),
        ("Rules", f"{summary['rules_loaded']:,}{rejected}{idle}"),
        ("Alerts", f"{summary['alerts']:,}" + (f": {', '.join(levels)}" if levels else "")),
        ("Incidents", story.found(document) if document["incidents"] else "0"),
        ("Elapsed", f"{summary['elapsed_seconds']:,.1f} s"),
        gap=False,
    )
    _allowed(page, document)
    _errors(page, document["errors"])
    _notes(page, document["notes"])


def _allowed(page: HuntPage, document: Document) -> None:
    """What was set apart because somebody expects it: how much, and by which lines."""
    said = story.suppressed(document)
    if not said:
        return
    page.title(f"{said} (see --format json)")
    used = [row for row in document["allowances"] if row["state"] == "used"]
    grid = Grid((1, 7))
    for row in sorted(used, key=lambda row: -row["alerts"])[:MAX_LISTED]:
        what = plain(page.short(f"{story.base_name(row['where'])}  {row['rule']}"), "bold")
        what.append_text(plain(page.short(f"  {row['host']}, {row['process']}: {row['reason']}")))
        grid.add_row("", plain(f"{row['alerts']:>6,}"), what)
    page.show(grid)
    page.more(len(used) - MAX_LISTED, "entry")


def _errors(page: HuntPage, errors: Sequence[ErrorRow]) -> None:
    if not errors:
        return
    page.title("This result is partial", "yellow")
    grid = Grid((1, 5))
    for error in errors[:MAX_ERRORS]:
        said = plain(page.short(error["where"]), "bold")
        said.append_text(plain(f": {_sentence(page.short(error['what']))} {error['next_step']}".rstrip()))
        grid.add_row("", plain(error["error"], "yellow"), said)
    page.show(grid)
    page.more(len(errors) - MAX_ERRORS, "problem")


def _notes(page: HuntPage, notes: Sequence[str]) -> None:
    """Remarks on how the evidence was read; they change no number."""
    if notes:
        page.title("Notes")
        page.bullets(page.short(note) for note in notes[:MAX_ERRORS])
        page.more(len(notes) - MAX_ERRORS, "note")


def _sentence(words: str) -> str:
    return words if words.endswith((".", "?", "!")) else f"{words}."
