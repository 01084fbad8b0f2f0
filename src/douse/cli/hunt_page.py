"""The blocks that the screen of a hunt is made of: headline, title, facts, lists, and how long texts are shortened.

Every text comes from evidence or from somebody's list, so all of them pass `plain` (screen.py). What is left out is
always counted, with the format that has it. The tables of `douse rules` have blocks of their own (rules_page.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from douse.cli.screen import LEVEL_WIDTH, Glyphs, Grid, level_word, plain
from douse.report import story
from douse.text import clean

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

WIDE = 100
EVERYTHING = "--format html"
"""Where a reader finds all of an incident."""


class HuntPage:
    """Draws blocks onto a console."""

    def __init__(self, console: Console, glyphs: Glyphs) -> None:
        self.console, self.glyphs = console, glyphs

    @property
    def width(self) -> int:
        """Columns of the screen."""
        return self.console.width

    @property
    def is_wide(self) -> bool:
        """Whether there is room for more on a line."""
        return self.width >= WIDE

    def say(self, words: str, style: str = "") -> None:
        """A paragraph."""
        self.console.print(plain(words, style))

    def remark(self, words: str, style: str = "dim") -> None:
        """An indented paragraph."""
        grid = Grid((1,))
        grid.add_row("", plain(words, style))
        self.show(grid)

    def show(self, what: Grid | Text) -> None:
        """A grid or a line that is ready."""
        self.console.print(what)

    def headline(self, word: str, style: str, title: str) -> None:
        """A word on its colour, a title beside it and a line below."""
        grid = Grid((len(word) + 2,))
        grid.add_row(plain(f" {word} ", style), plain(title, "bold"))
        self.show(grid)
        self.say(self.glyphs.rule * self.width, "dim")

    def title(self, words: str, style: str = "") -> None:
        """A heading with an empty line above."""
        self.console.print()
        self.say(words, f"bold {style}".strip())

    def facts(self, *facts: tuple[str, str], gap: bool = True) -> None:
        """Names and values; a name without a value is left out."""
        if gap:
            self.console.print()
        grid = Grid((1, 9))
        for name, value in facts:
            if value:
                grid.add_row("", plain(name, "dim"), plain(value))
        self.show(grid)

    def numbered(self, title: str, lines: Sequence[str], most: int, thing: str) -> None:
        """Numbered paragraphs."""
        self.title(title)
        grid = Grid((1, 3))
        for number, line in enumerate(lines[:most], 1):
            grid.add_row("", plain(f"{number:>2}."), plain(line))
        self.show(grid)
        self.more(len(lines) - most, thing, EVERYTHING)

    def findings(self, title: str, found: Sequence[tuple[str, str, str, str]], most: int, thing: str) -> None:
        """A list of findings, each with level, title, host and time; nothing where there is none."""
        if not found:
            return
        self.title(title)
        grid = Grid((1, LEVEL_WIDTH))
        for level, name, host, time in found[:most]:
            what = plain(name, "bold")
            what.append_text(plain(f"  {host}, {story.moment(time)}", "dim"))
            grid.add_row("", level_word(level), what)
        self.show(grid)
        self.more(len(found) - most, thing)

    def bullets(self, lines: Iterable[Text | str]) -> None:
        """A list; a text in it is somebody's, a Text is ready."""
        grid = Grid((1, 1))
        for line in lines:
            grid.add_row("", self.glyphs.bullet, plain(line) if isinstance(line, str) else line)
        self.show(grid)

    def more(self, number: int, thing: str, where: str = "--format json") -> None:
        """How many were left out, nothing where none was."""
        if number > 0:
            plural = thing if number == 1 else f"{thing}es" if thing.endswith("ss") else f"{thing}s"
            self.say(f"  and {number:,} more {plural}; {where} has all", "dim")

    def middle(self, text: str, limit: int) -> str:
        """The text with its middle left out where it is too long: a path's end and a command's start both matter."""
        if len(text) <= limit:
            return text
        head = 2 * limit // 3
        tail = limit - head - len(self.glyphs.cut)
        return f"{text[:head]}{self.glyphs.cut}{text[-tail:]}"

    def short(self, text: str, lines: int = 3) -> str:
        """At most so many lines of it: a member of an archive may have a name of 60,000 characters."""
        return self.middle(clean(text), lines * self.width)
