"""The tables of `douse rules`: the rows of report/rules.py in, bytes for a stream out.

TABLES is what rules.py asks for by name. The text of a rule is somebody else's, so it passes `plain` like evidence.
show_explanation.py draws the tree of a condition, show_check.py the account of a folder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import MAX_TITLE, YES, Page
from douse.cli.screen import LEVEL_WIDTH, Glyphs, Grid, drawn, level_word, plain
from douse.cli.show_check import check
from douse.cli.show_correlation import correlation
from douse.cli.show_explanation import explanation
from douse.content.attack import attack_version
from douse.model import LEVELS
from douse.report.rules import evidence_name
from douse.report.rules_schema import CORRELATION, ProofsRow, RulePage, RuleRow
from douse.report.story import count

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

def rule_list(rows: Sequence[RuleRow], by: str, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
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

    return drawn(draw, stream, color, width)


def _groups(rows: Sequence[RuleRow], by: str) -> Mapping[str, list[RuleRow]]:
    groups: dict[str, list[RuleRow]] = {}
    if by == "level":
        groups = {level: [row for row in rows if row["level"] == level] for level in reversed(LEVELS)}
    else:
        for tag in sorted({tag for row in rows for tag in row["tags"]} | {""}):
            groups[tag or "no tag"] = [row for row in rows if tag in row["tags"] or not (tag or row["tags"])]
    return {heading: group for heading, group in groups.items() if group}


def _listed(row: RuleRow) -> Text:
    line = plain(row["title"], "bold", MAX_TITLE)
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


def rule_page(row: RulePage, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """Everything about one rule."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs)
        page.headline(row)
        page.facts(
            ("Finds", row["description"]),
            ("Misses", row["misses"]),
            ("Mistaken", "; ".join(row["falsepositives"])),
            ("Evidence", _evidence(row)),
            (f"ATT&CK {attack_version()}", ", ".join(row["techniques"])),
            ("Status", row["status"]),
            ("Id", row["id"]),
            ("File", row["path"]),
        )
        _reads(page, row)
        if row["references"]:
            page.title("Sources")
            page.bullets(plain(source) for source in row["references"])
        page.title("Sigma")
        for line in row["sigma"].splitlines():
            page.say(f"  {line}")

    return drawn(draw, stream, color, width)


def _reads(page: Page, row: RulePage) -> None:
    """Which records a rule looks at, or which rules a correlation joins, and what narrows it."""
    if row["kind"] == CORRELATION and not row["idle"]:
        page.title("Joins")
        page.bullets(plain(f"{one['title']}, {one['level']}, {one['path']}") for one in row["joins"])
        page.facts(("Asks", row["asks"]),
                   ("Equal", ", ".join(row["group_by"]) or "nothing: events of all hosts are one group"))
        return
    page.title("Reads")
    page.bullets(plain(" ".join([read["channel"], ", ".join(map(str, read["event_ids"])),
                                 *(f"where {name} is {' or '.join(words)}" for name, words in read["where"].items())]))
                 for read in row["reads"])
    if row["idle"]:
        page.say(f"  nothing: it is idle, because {row['idle']}", "yellow")
    if row["filters"]:
        page.title("Narrowed by the filters")
        page.bullets(plain(title) for title in row["filters"])


def _evidence(row: RuleRow) -> str:
    stage = f", stage {row['stage']}" if row["stage"] else ""
    store = f", store {row['store']}" if row["store"] else ""
    return f"{evidence_name(row['evidence_class'])}{store}{stage}, fidelity {row['fidelity']:g}"


def proofs(row: ProofsRow, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """Pass or fail for each rule, and what failed."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs, whole=width is not None)
        grid = Grid((1, 4))
        for proof in row["proofs"]:
            word = plain("pass", YES) if proof["passed"] else plain("FAIL", "bold red")
            line = plain(proof["title"] or proof["cases"], "bold", MAX_TITLE)
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
            page.listed((plain(path) for path in row["unproven"]), len(row["unproven"]))
        failed = sum(1 for proof in row["proofs"] if not proof["passed"])
        cases = sum(len(proof["results"]) for proof in row["proofs"])
        page.title(f"{count(len(row['proofs']), 'rule')}, {count(cases, 'case')}, {failed:,} failed")

    return drawn(draw, stream, color, width)


TABLES: Mapping[str, Callable[..., bytes]] = {
    "rule_list": rule_list, "rule_page": rule_page, "explanation": explanation, "correlation": correlation,
    "proofs": proofs, "check": check,
}
"""What `douse rules` can draw, by name."""

