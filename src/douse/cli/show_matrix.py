"""The matrix of techniques on the terminal: what shows each, which rules look for it, and what no log shows.

A screen names a few rules of each technique, a file all of them; json has everything.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from douse.cli.rules_page import Page
from douse.cli.screen import Grid, plain
from douse.detection.techniques import TechniqueDocument
from douse.report.story import count

MAX_RULES = 6


def matrix(page: Page, rows: Sequence[TechniqueDocument], attack_version: str) -> None:
    """Draw the techniques stage by stage, then how many there are."""
    for stage in sorted({row["stage"] for row in rows}):
        of_stage = [row for row in rows if row["stage"] == stage]
        page.title(f"Stage {stage} ({len(of_stage):,})")
        grid = Grid((1, 9, 5))
        for row in of_stage:
            grid.add_row("", plain(row["id"], "bold"), "", plain(row["name"], "bold"))
            for name, value in _seen(row, len(row["rules"]) if page.whole else MAX_RULES):
                grid.add_row("", "", plain(name, "dim"), plain(value))
        page.console.print(grid)
    page.title(f"{count(len(rows), 'technique')}, ATT&CK {attack_version}")


def _seen(row: TechniqueDocument, rules: int) -> Iterator[tuple[str, str]]:
    """What there is to say of a technique, each with a short name; so many rules are named."""
    if row["visible_in"]:
        more = f" and {len(row['rules']) - rules} more" if len(row["rules"]) > rules else ""
        yield "log", "; ".join(sight["events"] for sight in row["visible_in"])
        yield "rules", (", ".join(row["rules"][:rules]) or "none looks for it") + more
    if row["needs_file"]:
        yield "file", row["needs_file"]
    if row["blind"]:
        yield "blind", row["blind"]
