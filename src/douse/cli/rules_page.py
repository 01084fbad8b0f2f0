"""The blocks that the tables of `douse rules` are made of: a heading, facts, a list, a rule's head line.

Every text is somebody else's rule or evidence, so all of them pass `plain` (screen.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from douse.cli.screen import Glyphs, Grid, level_word, plain
from douse.report.rules import RuleRow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

YES, NO = "green", "yellow"
"""The colours of a word that is good news or not; the word itself always says it too."""


class Page:
    """Draws blocks onto a console, as the screen of a hunt does."""

    def __init__(self, console: Console, glyphs: Glyphs) -> None:
        self.console, self.glyphs = console, glyphs

    def say(self, words: str, style: str = "") -> None:
        """A line of text."""
        self.console.print(plain(words, style))

    def title(self, words: str) -> None:
        """A heading with an empty line above."""
        self.console.print()
        self.say(words, "bold")

    def facts(self, *facts: tuple[str, str]) -> None:
        """Names and values; a name without a value is left out."""
        grid = Grid((1, 9))
        for name, value in facts:
            if value:
                grid.add_row("", plain(name, "dim"), plain(value))
        self.console.print(grid)

    def bullets(self, lines: Iterable[Text]) -> None:
        """A list."""
        grid = Grid((1, 1))
        for line in lines:
            grid.add_row("", self.glyphs.bullet, line)
        self.console.print(grid)

    def more(self, number: int) -> None:
        """How many are not shown."""
        if number > 0:
            self.say(f"  and {number:,} more; --format json has all", "dim")

    def headline(self, row: RuleRow) -> None:
        """A rule's level and title, and a line below."""
        line = level_word(row["level"])
        line.append_text(plain(f"  {row['title']}", "bold"))
        self.console.print(line)
        self.say(self.glyphs.rule * self.console.width, "dim")
