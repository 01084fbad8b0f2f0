"""What the verbs of `douse rules` share: options, and where and how a result is written.

A verb takes one `result` instead of --format, -o, --force and --color, and calls `result.write`. Whether the place may
be written to is asked before any work. A table in a file is not cut, as nobody scrolls there; its JSON is the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import wraps
from io import StringIO
from pathlib import Path
from typing import Any

import click

FORMATS = ("table", "json")

Command = Callable[..., None]
Decorator = Callable[[Command], Command]


def rule_options(command: Command) -> Command:
    """--rules, --placeholders and --no-builtin."""
    return _all(
        click.option("--rules", "rules_", multiple=True, type=click.Path(path_type=Path), metavar="DIR|FILE",
                     help="Sigma rules besides our own; may be given again."),
        placeholders_option,
        click.option("--no-builtin", is_flag=True, help="Without our own rules."),
    )(command)


placeholders_option = click.option(
    "--placeholders", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
    help="Lists for the placeholders of rules (YAML, name: [values]); may be given again.")


@dataclass(frozen=True, slots=True)
class Result:
    """Where a result goes (None: standard output) and as what."""

    target: Path | None
    format: str
    color: str

    def write(self, table: str, rows: Any, *more: str) -> None:
        """Write the rows as JSON, or as the table of that name in show_rules.TABLES."""
        from douse.cli import output

        output.write(self.target, [self._bytes(table, rows, *more)])

    def _bytes(self, table: str, rows: Any, *more: str) -> bytes:
        if self.format == "json":
            from douse.report.machine import json_document

            return json_document(rows)
        from douse.cli.screen import FILE_WIDTH
        from douse.cli.show_rules import TABLES

        if self.target is None:
            return TABLES[table](rows, *more, color=self.color, stream=sys.stdout)
        color = "never" if self.color == "auto" else self.color
        return TABLES[table](rows, *more, color=color, stream=StringIO(), width=FILE_WIDTH)


def result_options(*evidence: str) -> Decorator:
    """--format, -o, --force and --color as one `result`; nothing is written into what these arguments name."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def run(*, format_: str, output: Path | None, force: bool, color: str, **arguments: Any) -> None:
            from douse.cli.output import target

            where = target(output, force=force, evidence=_named(arguments[name] for name in evidence))
            command(**arguments, result=Result(where, format_, color))

        return _all(
            click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True,
                         help="What to write."),
            click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
                         help="Write there instead of to standard output."),
            click.option("--force", is_flag=True, help="Overwrite the output file."),
            click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True,
                         help="Colour in the table; auto means on a terminal."),
        )(run)

    return decorate


def _named(values: Iterable[str | tuple[str, ...]]) -> list[str]:
    """The paths in arguments that hold one or several."""
    return [path for value in values for path in ((value,) if isinstance(value, str) else value)]


def _all(*options: Decorator) -> Decorator:
    """Several options as one decorator, in the order that --help lists them."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate
