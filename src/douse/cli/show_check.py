"""What became of a folder of rules, on the terminal: what is not loaded and why, the lints, and all of it in numbers.

The numbers come last, where the eye is when a long list has run by.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import Page
from douse.cli.screen import LEVEL_WIDTH, Glyphs, Grid, drawn, plain
from douse.detection.lint.lint import lint_names
from douse.report.rules_schema import CheckRow, CheckSummaryRow, ErrorRow, FindingRow, LogsRow
from douse.report.story import count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text


def check(row: CheckRow, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """What became of every file, then the lints, then all of it in numbers."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs, whole=width is not None)
        _problems(page, "Rejected", row["rejected"])
        _reasons(page, "Idle", [(one["idle"], one["title"]) for one in row["idle"]])
        _reasons(page, "Skipped", [(one["reason"], one["file"]) for one in row["skipped"]])
        if row["unread"] is not None:
            _reasons(page, "Loaded, but the logs hold no record for them",
                     [(one["reads"], one["title"]) for one in row["unread"]])
        for severity in ("warning", "note"):
            found = [one for one in row["findings"] if one["severity"] == severity]
            _problems(page, f"Lints: {severity}s", found)
        _lints(page, row["findings"])
        page.console.print()
        if row["logs"] is not None:
            page.say(_compared(row["logs"], row["summary"]))
        if others := row["summary"]["other_files"]:
            page.say(f"{count(others, 'file')} without the suffix of a rule, not looked at", "dim")
        page.say(_sum(row["summary"]), "bold")

    return drawn(draw, stream, color, width)


def _lints(page: Page, findings: Sequence[FindingRow]) -> None:
    """How often each lint found something, and what it is about; the last list, because it sums up the two before."""
    if not findings:
        return
    page.title(f"Lints by kind ({len(findings):,})")
    grid = Grid((1, 6, 24, LEVEL_WIDTH))
    known = lint_names()
    for name, number in Counter(one["name"] for one in findings).most_common():
        grid.add_row("", plain(f"{number:>6,}"), plain(name, "bold"), known[name].severity, plain(known[name].says))
    page.console.print(grid)


def _compared(logs: LogsRow, summary: CheckSummaryRow) -> str:
    """How the rules compare with the logs that were read."""
    lost = f", {count(len(logs['losses']), 'part')} not readable" if logs["losses"] else ""
    return (f"{count(logs['records'], 'record')} of the logs read{lost}: "
            f"{summary['loaded'] - (summary['unread'] or 0):,} of {summary['loaded']:,} loaded rules read some of them")


def _sum(summary: CheckSummaryRow) -> str:
    """The account in one line; files and documents are two numbers only where a file holds several."""
    documents = "" if summary["documents"] == summary["files"] else f" with {count(summary['documents'], 'document')}"
    filters = f"{count(summary['filters'], 'filter')}, " if summary["filters"] else ""
    return (f"{count(summary['files'], 'file')}{documents}: {summary['loaded']:,} loaded, {filters}"
            f"{summary['idle']:,} idle, {summary['rejected']:,} rejected, {summary['skipped']:,} skipped")


def _problems(page: Page, title: str, rows: Sequence[ErrorRow]) -> None:
    if not rows:
        return
    page.title(f"{title} ({len(rows):,})")
    page.listed((_problem(row) for row in rows), len(rows))


def _problem(row: ErrorRow) -> Text:
    name = row.get("name")
    line = plain(f"{row['file']}:{row['line']}", "bold")
    line.append_text(plain(f": {row['what']} {row['next_step']}" + (f" [{name}]" if name else "")))
    return line


def _reasons(page: Page, title: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Many things for few reasons: each reason with how many it is about, and some of them."""
    if not pairs:
        return
    groups: dict[str, list[str]] = {}
    for reason, name in pairs:
        groups.setdefault(reason, []).append(name)
    page.title(f"{title} ({len(pairs):,})")
    ordered = sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))
    page.listed((_reason(page, reason, names) for reason, names in ordered), len(ordered))


def _reason(page: Page, reason: str, names: Sequence[str]) -> Text:
    """A reason and some of those that it is about; in a file all of them."""
    shown = names if page.whole else names[:2]
    line = plain(f"{len(names):>5,}  {reason}")
    line.append_text(plain(f"  {', '.join(shown)}" + (", ..." if len(names) > len(shown) else ""), "dim"))
    return line
