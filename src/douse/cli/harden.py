"""`douse harden`: a group whose verbs are listed in VERBS and imported when somebody runs or completes them.

The table holds enough to print `douse harden --help`. A verb is one function in a module harden_*.py, which does as
rules.py does: parse, one call to the api, show the rows, choose a code.
"""

from __future__ import annotations

from importlib import import_module

import click

from douse.cli import exits

VERBS = (
    ("list", "douse.cli.harden_list:list_controls", "List the controls: what to set against infostealers."),
    ("show", "douse.cli.harden_list:show_controls", "Show all about a control: values, cost, undo, sources."),
    ("collect-script", "douse.cli.harden_audit:collect_script", "Print the script that collects evidence on a host."),
    ("audit", "douse.cli.harden_audit:audit", "Say which controls are in place, from evidence."),
    ("for", "douse.cli.harden_audit:for_incident", "Rank the controls that would have broken an incident."),
    ("preflight", "douse.cli.harden_preflight:preflight", "Find out whether a program can be kept off the network."),
    ("generate", "douse.cli.harden_generate:generate", "Write policies that set controls, with their undo."),
    ("verify", "douse.cli.harden_preflight:verify", "Say who was hit by a block after it was deployed."),
)
"""Name, where it is defined (`module:attribute`), and what the group's --help says about it."""

EXAMPLES = (
    "douse harden list",
    "douse harden list --seed FW --profile seed",
    "douse harden show H01",
    "douse harden show --format html -o controls.html",
    "douse harden collect-script > collect.ps1",
    "douse harden audit collected/ --inventory hosts.csv --format html -o audit.html",
    "douse harden for hunt.json --evidence PC-7.json",
    "douse harden generate --controls H01,H02 --as gpo -o bundle/",
)


class VerbGroup(click.Group):
    """The group; its verbs come from the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The verbs in the order of the work."""
        return [name for name, _, _ in VERBS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the verb of that name, None where there is none."""
        for name, target, _ in VERBS:
            if name == cmd_name and name not in self.commands:
                module, attribute = target.split(":")
                self.add_command(getattr(import_module(module), attribute), name)
        return self.commands.get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click's, but an unknown verb is compared with all of the table."""
        try:
            return super().resolve_command(ctx, args)
        except click.exceptions.NoSuchCommand as unknown:
            raise click.exceptions.NoSuchCommand(
                unknown.command_name, possibilities=self.list_commands(ctx), ctx=ctx) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the verbs from the table, importing none of them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, _, summary in VERBS])


@click.group("harden", cls=VerbGroup, epilog=exits.epilog(*EXAMPLES))
def harden() -> None:
    """Harden Windows against infostealers: what to set, what is set, and policies to set it.

    Nothing is changed on any computer: evidence is read, and files are written for those who deploy them.
    """
