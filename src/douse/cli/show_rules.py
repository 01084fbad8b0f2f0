"""The tables of `douse rules`: the rows of report/rules.py in, bytes for a stream out.

TABLES is what rules.py asks for by name. The text of a rule is somebody else's, so it passes `plain` like evidence.
show_explanation.py draws the tree of a condition.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import YES, Page
from douse.cli.screen import LEVEL_WIDTH, Glyphs, Grid, drawn, level_word, plain
from douse.cli.show_explanation import explanation
from douse.model import LEVELS
from douse.report.rules import (
    CORRELATION,
    CheckRow,
    CheckSummaryRow,
    ErrorRow,
    ProofsRow,
    RulePage,
    RuleRow,
    evidence_name,
)
from douse.report.story import count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MAX_LISTED = 20


def rule_list(rows: Sequence[RuleRow], by: str, *, color: str, stream: TextIO) -> bytes:
    """The rules, grouped by level or by tag."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        for heading, group in _groups(rows, by).items():
            page.title(f"{heading} ({len(group):,})")
            grid = Grid((1, LEVEL_WIDTH))
            for row in group:
                grid.add_row("", level_word(row["level"]), _listed(row))
            console.print(grid)
        idle = sum(1 for row in rows if row["idle"])
        page.title(count(len(rows), "rule") + (f", {idle:,} of them idle" if idle else ""))

    return drawn(draw, stream, color)


def _groups(rows: Sequence[RuleRow], by: str) -> Mapping[str, list[RuleRow]]:
    groups: dict[str, list[RuleRow]] = {}
    if by == "level":
        groups = {level: [row for row in rows if row["level"] == level] for level in reversed(LEVELS)}
    else:
        for tag in sorted({tag for row in rows for tag in row["tags"]} | {""}):
            groups[tag or "no tag"] = [row for row in rows if tag in row["tags"] or not (tag or row["tags"])]
    return {heading: group for heading, group in groups.items() if group}


def _listed(row: RuleRow) -> Text:
    line = plain(row["title"], "bold")
    line.append_text(plain(f"  {row['stem']}, {_source(row)}", "dim"))
    if row["techniques"]:
        line.append_text(plain(f", {' '.join(row['techniques'])}", "dim"))
    if row["idle"]:
        line.append_text(plain(f"  idle: {row['idle']}", "yellow"))
    return line


def _source(row: RuleRow) -> str:
    if row["kind"] == CORRELATION:
        return CORRELATION
    return "/".join(part for part in row["logsource"].values() if isinstance(part, str) and part) or "any log"


def rule_page(row: RulePage, *, color: str, stream: TextIO) -> bytes:
    """Everything about one rule."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        page.headline(row)
        page.facts(
            ("Finds", row["description"]),
            ("Misses", row["misses"]),
            ("Mistaken", "; ".join(row["falsepositives"])),
            ("Evidence", _evidence(row)),
            ("ATT&CK", ", ".join(row["techniques"])),
            ("Status", row["status"]),
            ("Id", row["id"]),
            ("File", row["path"]),
        )
        page.title("Reads")
        if row["kind"] == CORRELATION:
            page.say(f"  the alerts of {', '.join(row['joins'])}, and asks for {row['asks']}")
        page.bullets(plain(" ".join([read["channel"],
                                     ", ".join(map(str, read["event_ids"])),
                                     *(f"where {field} is {' or '.join(words)}"
                                       for field, words in read["where"].items())])) for read in row["reads"])
        if row["idle"]:
            page.say(f"  nothing: it is idle, because {row['idle']}", "yellow")
        if row["references"]:
            page.title("Sources")
            page.bullets(plain(source) for source in row["references"])
        page.title("Sigma")
        for line in row["sigma"].splitlines():
            page.say(f"  {line}")

    return drawn(draw, stream, color)


def _evidence(row: RuleRow) -> str:
    stage = f", stage {row['stage']}" if row["stage"] else ""
    store = f", store {row['store']}" if row["store"] else ""
    return f"{evidence_name(row['evidence_class'])}{store}{stage}, fidelity {row['fidelity']:g}"


def proofs(row: ProofsRow, *, color: str, stream: TextIO) -> bytes:
    """Pass or fail for each rule, and what failed."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        grid = Grid((1, 4))
        for proof in row["proofs"]:
            word = plain("pass", YES) if proof["passed"] else plain("FAIL", "bold red")
            line = plain(proof["title"] or proof["cases"], "bold")
            fired = [result for result in proof["results"] if result["must_fire"]]
            line.append_text(plain(f"  {len(fired)} match, {len(proof['results']) - len(fired)} benign", "dim"))
            grid.add_row("", word, line)
            if proof["problem"]:
                grid.add_row("", "", plain(proof["problem"], "yellow"))
            for result in proof["results"]:
                if not result["passed"]:
                    said = "does not fire on" if result["must_fire"] else "fires on the benign"
                    grid.add_row("", "", plain(f"{said} '{result['name']}' ({result['where']})", "yellow"))
        console.print(grid)
        if row["unproven"]:
            page.title("Without a case")
            page.bullets(plain(path) for path in row["unproven"][:MAX_LISTED])
            page.more(len(row["unproven"]) - MAX_LISTED)
        failed = sum(1 for proof in row["proofs"] if not proof["passed"])
        cases = sum(len(proof["results"]) for proof in row["proofs"])
        page.title(f"{count(len(row['proofs']), 'rule')}, {count(cases, 'case')}, {failed:,} failed")

    return drawn(draw, stream, color)


def check(row: CheckRow, *, color: str, stream: TextIO) -> bytes:
    """What became of every file, then the lints."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        summary = row["summary"]
        _problems(page, "Rejected", row["rejected"])
        _reasons(page, "Idle", [(one["idle"], one["title"]) for one in row["idle"]])
        _reasons(page, "Skipped", [(one["reason"], one["file"]) for one in row["skipped"]])
        if row["unread"] is not None:
            _reasons(page, "Loaded, but the logs hold no record for them",
                     [(one["reads"], one["title"]) for one in row["unread"]])
        for severity in ("warning", "note"):
            found = [one for one in row["findings"] if one["severity"] == severity]
            _problems(page, f"Lints: {severity}s", found)
        page.title("Summary")
        findings = summary["findings"]
        page.facts(
            ("Files", f"{count(summary['files'], 'rule file')}, {count(summary['other_files'], 'other file')}"),
            ("Documents", _sum(summary)),
            ("Lints", f"{count(findings.get('warning', 0), 'warning')}, {count(findings.get('note', 0), 'note')}"),
            ("Logs", "" if summary["unread"] is None else
             f"{summary['loaded'] - summary['unread']:,} of the loaded rules read a record of them"),
        )

    return drawn(draw, stream, color)


def _sum(summary: CheckSummaryRow) -> str:
    filters = f" + {summary['filters']:,} filters" if summary["filters"] else ""
    return (f"{summary['documents']:,} = {summary['loaded']:,} loaded{filters} + {summary['idle']:,} idle + "
            f"{summary['rejected']:,} rejected + {summary['skipped']:,} skipped")


def _problems(page: Page, title: str, rows: Sequence[ErrorRow]) -> None:
    if not rows:
        return
    page.title(f"{title} ({len(rows):,})")
    lines = []
    for row in rows[:MAX_LISTED]:
        line = plain(f"{row['file']}:{row['line']}", "bold")
        name = row.get("name")
        line.append_text(plain(f": {row['what']} {row['next_step']}" + (f" [{name}]" if name else "")))
        lines.append(line)
    page.bullets(lines)
    page.more(len(rows) - MAX_LISTED)


def _reasons(page: Page, title: str, pairs: Sequence[tuple[str, str]]) -> None:
    """Many things for few reasons: each reason with how many it is about, and some of them."""
    if not pairs:
        return
    groups: dict[str, list[str]] = {}
    for reason, name in pairs:
        groups.setdefault(reason, []).append(name)
    page.title(f"{title} ({len(pairs):,})")
    lines = []
    for reason, names in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0]))[:MAX_LISTED]:
        line = plain(f"{len(names):>5,}  {reason}")
        line.append_text(plain(f"  {', '.join(names[:2])}" + (", ..." if len(names) > 2 else ""), "dim"))
        lines.append(line)
    page.bullets(lines)
    page.more(len(groups) - MAX_LISTED)


TABLES: Mapping[str, Callable[..., bytes]] = {
    "rule_list": rule_list, "rule_page": rule_page, "explanation": explanation, "proofs": proofs, "check": check,
}
"""What `douse rules` can draw, by name."""

