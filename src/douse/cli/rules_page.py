"""The blocks that the tables of `douse rules` are made of: a heading, facts, a list, a rule's head line.

Every text is somebody else's rule or evidence, so all of them pass `plain` (screen.py).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import TYPE_CHECKING

from douse.cli.screen import Glyphs, Grid, level_word, plain
from douse.report.rules_schema import RuleRow

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

YES, NO = "green", "yellow"
"""The colours of a word that is good news or not; the word itself always says it too."""

MAX_LISTED = 20
MAX_TITLE = 200
"""How much of a title is shown in a list; one may be as long as a rule file."""


class Page:
    """Draws blocks onto a console, as the screen of a hunt does. `whole` lists have no end, as is right in a file."""

    def __init__(self, console: Console, glyphs: Glyphs, *, whole: bool = False) -> None:
        self.console, self.glyphs, self.whole = console, glyphs, whole

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

    def listed(self, lines: Iterable[Text], number: int) -> None:
        """A list of that many, on a screen MAX_LISTED of them and how many more there are."""
        shown = number if self.whole else min(number, MAX_LISTED)
        self.bullets(islice(lines, shown))
        if number > shown:
            self.say(f"  and {number - shown:,} more; -o FILE or --format json has all", "dim")

    def headline(self, row: RuleRow) -> None:
        """A rule's level and title, and a line below."""
        line = level_word(row["level"])
        line.append_text(plain("  "))
        line.append_text(plain(row["title"], "bold", MAX_TITLE))
        self.console.print(line)
        self.say(self.glyphs.rule * self.console.width, "dim")
