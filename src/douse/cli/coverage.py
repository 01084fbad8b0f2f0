"""`douse coverage`: parse the command line, one call to the api, show or write the result, choose the exit code.

Without a path it is the matrix of techniques; with paths the survey of these logs. Table and html are drawn from the
same document that `--format json` writes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from douse.cli import exits
from douse.cli.rules_options import placeholders_option
from douse.cli.times import Instant, check_window, tell_window
from douse.text import clean

if TYPE_CHECKING:
    from douse.hunt.coverage_result import CoverageResult

FORMATS = ("table", "json", "html", "navigator")
EXAMPLES = (
    "douse coverage",
    "douse coverage C:\\Windows\\System32\\winevt\\Logs",
    "douse coverage triage/ --format html -o coverage.html",
    "douse coverage --format json | jq -r '.[] | select(.rules == []) | .id'",
    "douse coverage logs/ --format navigator -o layer.json",
)
CODES = (exits.DONE, exits.FINDINGS, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES, exits.INTERRUPTED)
LACKING = {exits.FINDINGS: "a host lacks what --require names"}


class Length(click.ParamType[timedelta]):
    """A length of time on the command line: 90m, 6h, 2d."""

    name = "LENGTH"
    _WORD = re.compile(r"(\d{1,5})([mhd])", re.IGNORECASE | re.ASCII)
    _UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}  # noqa: RUF012  read only

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """The length a text means; fails with what would be accepted."""
        if isinstance(value, timedelta):
            return value
        found = self._WORD.fullmatch(str(value).strip())
        length = int(found[1]) * self._UNITS[found[2].lower()] if found else timedelta()
        if not length:
            self.fail(f"{value!r} is no length of time. Try 90m, 6h or 2d.", param, ctx)
        return length


@click.command("coverage", epilog=exits.epilog(*EXAMPLES, codes=CODES, own=LACKING))
@click.argument("paths", nargs=-1, metavar="[PATH]...")
@click.option("--rules", multiple=True, type=click.Path(path_type=Path), metavar="DIR|FILE",
              help="Sigma rules besides our own; may be given again.")
@placeholders_option
@click.option("--no-builtin", is_flag=True, help="Without our own rules.")
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True,
              help="What to write; navigator is a layer for the ATT&CK Navigator.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
              help="Write there instead of to standard output.")
@click.option("--force", is_flag=True, help="Overwrite the output file.")
@click.option("--since", type=Instant(), help="Only events from then on: 24h, 7d, 2026-11-01, RFC 3339 (UTC).")
@click.option("--until", type=Instant(), help="Only events before then.")
@click.option("--gap", type=Length(), default="6h", show_default=True,
              help="How long a log without records is a silence: 90m, 6h, 2d.")
@click.option("--require", multiple=True, metavar="ID",
              help="Exit with 1 unless every host logs this in full, as security-store-read; may be given again.")
@click.option("--strict", is_flag=True, help="Stop at the first evidence that cannot be read.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True,
              help="Colour in the table; auto means on a terminal.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.pass_context
def coverage(ctx: click.Context, paths: tuple[str, ...], rules: tuple[Path, ...], placeholders: tuple[Path, ...],
             no_builtin: bool, format_: str, output: Path | None, force: bool, since: datetime | None,
             until: datetime | None, gap: timedelta, require: tuple[str, ...], strict: bool, color: str,
             quiet: bool) -> None:
    """Show what logs can show of an infostealer, what they cannot, and the settings that change it.

    Without PATH: each technique, the logs that show it, the rules that look for it, and what is blind. JSON is an array
    with an object for each technique.

    With PATH (files, folders or - for standard input, in every format that hunt reads): for each host which telemetry
    is there, complete or missing; gaps in record ids and in time; cleared logs; clocks that disagree; and so which
    sequences and techniques can be judged. No host is called clean.
    """
    from douse import api
    from douse.cli import output as out
    from douse.cli.progress import Progress
    from douse.hunt.run import Silent

    _refuse_contradictions(paths, require, since, until)
    target = out.target(output, force=force, evidence=paths)
    if not quiet:
        tell_window(since, until)
    options = api.CoverageOptions(
        paths=paths, rules=rules, placeholders=placeholders, builtin=not no_builtin, since=since, until=until, gap=gap,
        strict=strict, command_line=out.command_line(sys.argv))
    result = api.coverage(options, Silent() if quiet or not paths else Progress(alerts=False))
    out.write(target, _chunks(result, format_, color, to_file=target is not None))
    if result.problems and (target or format_ != "table"):  # who reads a terminal's table has seen them
        click.echo(f"douse: {out.partial(result.problems)}", err=True)
    ctx.exit(_exit_code(result, require))


def _refuse_contradictions(paths: tuple[str, ...], require: tuple[str, ...], since: datetime | None,
                           until: datetime | None) -> None:
    check_window(since, until)
    if not paths and (since or until or require):
        raise click.UsageError("--since, --until and --require are about logs. Name a file or a folder of them.")
    if require:
        from douse.content.prerequisites import prerequisites

        known = [one.id for one in prerequisites() if not one.sensor]
        for name in set(require) - set(known):
            raise click.UsageError(f"--require: {clean(name, 80)} is no prerequisite. Known: {', '.join(known)}.")


def _chunks(result: CoverageResult, format_: str, color: str, *, to_file: bool) -> Iterator[bytes]:
    if format_ != "table":
        from douse.report.coverage_formats import FORMATS as EXPORTERS

        return EXPORTERS[format_](result)
    from douse.cli.show_coverage import coverage_table_bytes

    return coverage_table_bytes(result, "never" if to_file and color == "auto" else color, to_file=to_file)


def _exit_code(result: CoverageResult, require: tuple[str, ...]) -> int:
    """The code for how the run went and, with --require, for what the hosts log."""
    codes = {exits.DONE}
    if result.summary.interrupted:
        codes.add(exits.INTERRUPTED)
    if result.summary.partial:
        codes.add(exits.PARTIAL)
        if result.surveyed and not result.summary.records_read:
            codes.add(exits.UNREADABLE)
    logged = [{one.prerequisite.id for one in host.standings if one.state == "present"} for host in result.hosts]
    if require and not (logged and all(ids.issuperset(require) for ids in logged)):
        codes.add(exits.FINDINGS)
    return exits.worst(codes)
