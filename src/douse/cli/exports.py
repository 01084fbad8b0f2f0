"""What `--format a,b,c` and `-o` mean: which words there are, which file each is written to, and the writing.

One format goes to standard output or to the file of -o. Several go into the folder of -o, each under its own name, all
of them or none: each is written beside its place first, and moved there when all are complete.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from douse.cli import output as out
from douse.errors import OutputError
from douse.report.formats import FORMATS
from douse.text import clean

if TYPE_CHECKING:
    from douse.report.schema import Document

TABLE = "table"
FILES: Mapping[str, str] = {TABLE: "hunt.txt", **{word: one.file for word, one in FORMATS.items()}}
"""The words and the names of their files."""

HELP = f"What to write: {', '.join(FILES)}; several with commas between them, into the folder of -o."


class Formats(click.ParamType[tuple[str, ...]]):
    """One format, or several with commas between them; each word once, in the order given."""

    name = "FORMAT[,FORMAT]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words of a text; fails with the nearest one where there is no such word."""
        words = value if isinstance(value, tuple) else tuple(
            dict.fromkeys(word.strip().lower() for word in str(value).split(",")))
        for word in words:
            if word not in FILES:
                near = get_close_matches(word, FILES, 1)
                hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join(FILES)}."
                self.fail(f"'{clean(word, 40)}' is no format. {hint}", param, ctx)
        return words

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that the last of those typed may become."""
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{word}") for word in FILES if word.startswith(last)]


def targets(words: tuple[str, ...], output: Path | None, *, force: bool,
            evidence: Iterable[str] = ()) -> dict[str, Path | None]:
    """Where each format goes, None for standard output. Raises OutputError for a place that must not be written."""
    evidence = tuple(evidence)
    if len(words) == 1:
        return {words[0]: out.target(output, force=force, evidence=evidence)}
    listed = ",".join(words)
    if output is None or output == out.STDOUT:
        raise OutputError(f"--format {listed}", "several formats cannot go to standard output.",
                          "Name a folder for them with -o.")
    if output.exists() and not output.is_dir():
        raise OutputError(str(output), f"is no folder, and --format {listed} writes several files.", "Name a folder.")
    if not output.exists():
        out.target(output, force=force, evidence=evidence)  # the folder is made when there is something to put there
        return {word: output / FILES[word] for word in words}
    return {word: out.target(output / FILES[word], force=force, evidence=evidence) for word in words}


def write(document: Document, places: Mapping[str, Path | None], color: str) -> None:
    """Write the document in each format to its place: all of them, or none."""
    if len(places) == 1:
        ((word, place),) = places.items()
        out.write(place, chunks(document, word, color, to_file=place is not None))
        return
    out.write_together({place: chunks(document, word, color, to_file=True)
                        for word, place in places.items() if place is not None})


def chunks(document: Document, word: str, color: str, *, to_file: bool) -> Iterator[bytes]:
    """The bytes of the document in a format; the table has no colour in a file unless asked for."""
    if word != TABLE:
        return FORMATS[word].render(document)
    from douse.cli.show import hunt_table_bytes

    return hunt_table_bytes(document, "never" if to_file and color == "auto" else color, to_file=to_file)
