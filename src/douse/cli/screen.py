"""A screen drawn into memory and handed on as bytes: what every table of the command line has in common.

It is drawn whole first: what the stream's encoding cannot say is then written out instead of failing halfway. Text that
came from evidence or from somebody's rule becomes `plain`: cleaned (text.py) and never markup. Colour is the terminal's
own 16, and never alone: the word is always there too. rich is imported by the first drawing.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from io import StringIO
from typing import TYPE_CHECKING, Literal, TextIO

from douse.cli.progress import wants_plain_text
from douse.text import clean

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.text import Text

COLORS = ("auto", "always", "never")
MIN_WIDTH = 60
MAX_WIDTH = 120
FILE_WIDTH = 120

LEVEL_WIDTH = 8
LEVEL_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "yellow",
    "low": "cyan",
    "informational": "dim",
}


@dataclass(frozen=True, slots=True)
class Glyphs:
    """The few signs we draw with."""

    rails: dict[str, str]
    rule: str
    bullet: str
    cut: str


UNICODE = Glyphs({"pass": "│  ", "blank": "   ", "tee": "├─ ", "end": "└─ "}, "─", "•", " … ")
ASCII = Glyphs({"pass": "|  ", "blank": "   ", "tee": "|- ", "end": "`- "}, "-", "*", " ... ")


def drawn(draw: Callable[[Console, Glyphs], None], stream: TextIO, color: str, width: int | None = None) -> bytes:
    """What `draw` prints, in the stream's encoding; what that cannot say is written out."""
    encoding = _encoding(stream)
    glyphs = UNICODE if encoding.lower().replace("-", "").startswith("utf") else ASCII
    buffer = StringIO()
    draw(_console(buffer, stream, color, width), glyphs)
    lines = (line.rstrip(" ") for line in buffer.getvalue().split("\n"))
    return "\n".join(lines).encode(encoding, "backslashreplace")


def _encoding(stream: TextIO) -> str:
    return getattr(stream, "encoding", None) or "utf-8"


def _console(buffer: StringIO, stream: TextIO, color: str, width: int | None) -> Console:
    from rich.console import Console

    wanted = width or shutil.get_terminal_size((80, 24)).columns
    return Console(
        file=buffer,
        width=min(max(wanted, MIN_WIDTH), MAX_WIDTH),
        color_system=_color_system(stream, color),
        force_terminal=True,
        no_color=False,
        legacy_windows=False,
        markup=False,
        emoji=False,
        highlight=False,
    )


def _color_system(stream: TextIO, color: str) -> Literal["standard"] | None:
    """The terminal's own 16 colours, which its user has chosen to be readable, or none at all."""
    if color == "never" or (color == "auto" and not _colorful(stream)):
        return None
    return "standard"


def _colorful(stream: TextIO) -> bool:
    """What NO_COLOR, FORCE_COLOR and TERM say, in this order, and only then whether it is a terminal."""
    if wants_plain_text():
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return stream.isatty() and not _old_windows_console()


def _old_windows_console() -> bool:
    """Whether this is a Windows console that would print colour codes instead of obeying them."""
    from rich.console import detect_legacy_windows

    return detect_legacy_windows()


def plain(value: object, style: str = "", limit: int = 0) -> Text:
    """A text from outside, safe to show; a limit of 0 does not cut."""
    from rich.text import Text

    return Text(clean(value, limit), style=style, overflow="fold")


def level_word(level: str) -> Text:
    """The level's word in its colour; the longest one shortened, because it would widen every table."""
    return plain({"informational": "info"}.get(level, level), LEVEL_STYLES.get(level, ""))


class Grid:
    """Columns of fixed widths and a last one that takes the rest and wraps."""

    def __init__(self, widths: tuple[int, ...]) -> None:
        from rich.table import Table

        self._table = Table.grid(padding=(0, 1, 0, 0), expand=True)
        for width in widths:
            self._table.add_column(width=width, no_wrap=True)
        self._table.add_column(ratio=1, overflow="fold")

    @property
    def row_count(self) -> int:
        """How many rows there are."""
        return self._table.row_count

    def add_row(self, *cells: Text | str) -> None:
        """Add a row, its cells from left to right."""
        self._table.add_row(*cells)

    def __rich__(self) -> RenderableType:
        return self._table
