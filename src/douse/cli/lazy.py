"""A group of commands that are listed in a table and imported when somebody runs or completes one.

The table holds enough to print the group's --help without importing any command. Subclasses say which table; `main.py`
is the `douse` command itself, `harden.py` a group below it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import click


@dataclass(frozen=True, slots=True)
class Entry:
    """A command by name: where it is defined (`module:attribute`) and what the group's --help says about it."""

    name: str
    target: str
    summary: str


class Listed(click.Group, ABC):
    """A group whose commands are the entries of a table."""

    @abstractmethod
    def entries(self) -> Sequence[Entry]:
        """The table, in the order of --help."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names in the order of the table: the main job first, not the alphabet."""
        return [entry.name for entry in self.entries()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command of that name, None where there is none."""
        for entry in self.entries():
            if entry.name == cmd_name:
                module, attribute = entry.target.split(":")
                command: click.Command = getattr(import_module(module), attribute)
                return command
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but an unknown name is compared with the lazy names, so that the nearest one is suggested."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as unknown:
            raise click.exceptions.NoSuchCommand(
                unknown.command_name, possibilities=self.list_commands(ctx), ctx=ctx
            ) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(entry.name, entry.summary) for entry in self.entries()])
