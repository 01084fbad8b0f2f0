"""`douse harden list|show`: the catalogue of controls. Each parses, takes the rows, shows or writes them.

All formats are made of the same rows (report/controls.py). What the verbs need is imported by the verbs, so that
`douse harden list --help` loads no YAML.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from douse.cli import exits

if TYPE_CHECKING:
    from douse.report.controls_schema import ControlRow

FORMATS = ("table", "json", "html", "markdown")
PROFILES = ("seed", "recommended")
SEVERITIES = ("high", "medium", "low")
TAGS = ("EDR", "MFA", "TRAIN", "MAIL", "EXEC", "WL", "FW", "IOC", "LINK", "PWD", "BROWSER", "CREDMAN", "CLEAR")
CODES = (exits.DONE, exits.USAGE, exits.NO_RULES)
NONE_LEFT = {exits.NO_RULES: "no such control, or none is left"}

Command = Callable[..., None]


def _output_options(command: Command) -> Command:
    """What list and show share, in the order that --help lists it."""
    for option in (
        click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True,
                     help="Colour in the table; auto means on a terminal."),
        click.option("--force", is_flag=True, help="Overwrite the output file."),
        click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
                     help="Write there instead of to standard output."),
        click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True,
                     help="What to write."),
        click.option("--profile", type=click.Choice(PROFILES),
                     help="Only the settings of this profile: the mission's advice to the letter, or more."),
    ):
        command = option(command)
    return command


@click.command("list", epilog=exits.epilog(
    "douse harden list", "douse harden list --seed BROWSER --seed CREDMAN --severity medium",
    "douse harden list --format json | jq -r '.[] | select(.verified | not) | .id'",
    "douse harden list --format html -o controls.html", codes=CODES, own=NONE_LEFT))
@click.option("--seed", multiple=True, type=click.Choice(TAGS, case_sensitive=False),
              help="Only what serves this sentence of the mission's advice; may be given again.")
@click.option("--severity", type=click.Choice(SEVERITIES), default=SEVERITIES[-1], show_default=True,
              help="Leave out what matters less.")
@_output_options
@click.pass_context
def list_controls(ctx: click.Context, seed: tuple[str, ...], severity: str, profile: str | None, format_: str,
                  output: Path | None, force: bool, color: str) -> None:
    """List the controls: what to set against infostealers, what matters most first.

    JSON is an array with an object for each control, which holds everything about it.
    """
    from douse.content.controls import controls
    from douse.report.controls import control_rows

    wanted = SEVERITIES[: SEVERITIES.index(severity) + 1]
    found = [one for one in controls() if one.severity in wanted and (not seed or set(seed) & set(one.seed))]
    rows = [row for row in control_rows(found, profile or "") if row["settings"]]
    _write(rows, profile or "", format_, output, force=force, color=color, whole=False)
    if not rows:
        click.echo(f"douse: no control is left of {len(controls())}. Try: douse harden list", err=True)
    ctx.exit(exits.DONE if rows else exits.NO_RULES)


@click.command("show", epilog=exits.epilog(
    "douse harden show H01", "douse harden show laps H20,H21 --profile recommended",
    "douse harden show --format markdown -o controls.md", codes=CODES, own=NONE_LEFT))
@click.argument("ids", nargs=-1, metavar="[ID]...")
@_output_options
def show_controls(ids: tuple[str, ...], profile: str | None, format_: str, output: Path | None, force: bool,
                  color: str) -> None:
    """Show all about a control: what it is for, where each value lies, how to check it, what it costs and misses, how
    to undo it, what of it nobody verified.

    ID is H01 to H44 or the control's name, as laps; several with spaces or commas between; all where none is given.
    """
    from douse.content.controls import named
    from douse.report.controls import control_rows

    rows = control_rows(named(ids), profile or "")
    _write(rows, profile or "", format_, output, force=force, color=color, whole=True)


def _write(rows: Sequence[ControlRow], profile: str, format_: str, output: Path | None, *, force: bool, color: str,
           whole: bool) -> None:
    """Write the rows where they were asked for; a table in a file has no colour of its own accord."""
    from douse.cli import output as out

    target = out.target(output, force=force)
    out.write(target, _chunks(rows, profile, format_, color, whole=whole, to_file=target is not None))


def _chunks(rows: Sequence[ControlRow], profile: str, format_: str, color: str, *, whole: bool,
            to_file: bool) -> Iterable[bytes]:
    if format_ != "table":
        from douse.report.controls_formats import FORMATS as EXPORTERS

        return EXPORTERS[format_](rows, profile, whole)
    from douse.cli.screen import FILE_WIDTH
    from douse.cli.show_controls import control_list, control_pages

    draw = control_pages if whole else control_list
    if to_file:
        return [draw(rows, color="never" if color == "auto" else color, stream=StringIO(), width=FILE_WIDTH)]
    return [draw(rows, color=color, stream=sys.stdout)]
