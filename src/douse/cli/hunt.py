"""`douse hunt`: parse the command line, one call to the api, show or write the result, choose the exit code.

The result goes to standard output or to -o, everything else to standard error. rich and jinja2 are imported only when
the format needs them. The table and the HTML are drawn from the same document that `--format json` writes.
"""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from douse.cli import exits, exports
from douse.cli.times import Instant, check_window, tell_window
from douse.model import LEVELS

if TYPE_CHECKING:
    from douse.hunt.result import HuntResult

EXAMPLES = (
    "douse hunt C:\\Windows\\System32\\winevt\\Logs",
    "douse hunt triage.zip --format html -o report.html",
    "douse hunt triage.zip --format html,json,stix -o case-42/",
    "douse hunt logs/ --since 7d --fail-on high --format jsonl > alerts.jsonl",
    "cat sysmon.jsonl | douse hunt -",
    "douse hunt logs/ --rules sigma/rules/windows --no-builtin",
    "douse hunt logs/ --allow allow.csv --assets assets.csv",
    "douse hunt logs/ --ioc feed.txt --ioc bundle.json",
)
CODES = (exits.DONE, exits.FINDINGS, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES, exits.INTERRUPTED)


@click.command(epilog=exits.epilog(*EXAMPLES, codes=CODES))
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--rules", multiple=True, type=click.Path(path_type=Path), metavar="DIR|FILE",
              help="Sigma rules to run besides our own; may be given again.")
@click.option("--placeholders", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Lists for the placeholders of rules (YAML, name: [values]); may be given again.")
@click.option("--allow", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="What is expected here (CSV: rule,host,process,reason,expires): such alerts are set apart, counted "
                   "and listed; may be given again.")
@click.option("--assets", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Whose computers these are (CSV: host,ip,role,owner,criticality); may be given again.")
@click.option("--ioc", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Indicators to look for (one domain, URL, address or hash a line, CSV, or STIX 2.1); may be given "
                   "again.")
@click.option("--no-builtin", is_flag=True, help="Run without our own rules.")
@click.option("--format", "formats", type=exports.Formats(), default="table", show_default=True, help=exports.HELP)
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|DIR",
              help="Write there instead of to standard output.")
@click.option("--force", is_flag=True, help="Overwrite the output file.")
@click.option("--no-redact", is_flag=True, help="Show passwords, tokens and keys in evidence as they are.")
@click.option("--since", type=Instant(), help="Only events from then on: 24h, 7d, 2026-11-01, RFC 3339 (UTC).")
@click.option("--until", type=Instant(), help="Only events before then.")
@click.option("--level", type=click.Choice(LEVELS), default=LEVELS[0], show_default=True,
              help="Leave out weaker alerts and incidents; changes no verdict.")
@click.option("--fail-on", type=click.Choice(LEVELS), help="Exit with 1 if anything is at or above this level.")
@click.option("--strict", is_flag=True, help="Stop at the first evidence that cannot be read.")
@click.option("--max-line", type=click.IntRange(min=1), metavar="BYTES",
              help="Longest JSON line or document to read.  [default: 64 MiB]")
@click.option("--clock-skew", type=click.FloatRange(min=0, max=86_400), default=2.0, show_default=True,
              metavar="SECONDS", help="How far the clocks of endpoints and network sensors may differ.")
@click.option("--jobs", type=click.IntRange(min=1), metavar="N",
              help="Processes to read with; the result is the same.  [default: one for each core]")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True,
              help="Colour in the table; auto means on a terminal.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.pass_context
def hunt(ctx: click.Context, paths: tuple[str, ...], rules: tuple[Path, ...], placeholders: tuple[Path, ...],
         allow: tuple[Path, ...], assets: tuple[Path, ...], ioc: tuple[Path, ...], no_builtin: bool,
         formats: tuple[str, ...], output: Path | None, force: bool, no_redact: bool, since: datetime | None,
         until: datetime | None, level: str, fail_on: str | None, strict: bool, max_line: int | None,
         clock_skew: float, jobs: int | None, color: str, quiet: bool) -> None:
    """Find infostealers in Windows logs and explain each incident.

    PATH is a file, a folder or - for standard input. Windows logs (EVTX, XML, JSON, CSV, Splunk), Defender's tables
    and network logs are told apart by their content, also packed. Damaged evidence is skipped, counted and shown.
    """
    from douse import api
    from douse.cli import output as out
    from douse.cli.progress import Progress
    from douse.hunt.options import HuntOptions
    from douse.hunt.run import Silent

    check_window(since, until)
    places = exports.targets(formats, output, force=force, evidence=paths)
    if not quiet:
        tell_window(since, until)
    options = HuntOptions(
        paths=paths, rules=rules, placeholders=placeholders, allow=allow, assets=assets, ioc=ioc,
        builtin=not no_builtin, since=since, until=until, level=level, strict=strict, max_line=max_line or 0,
        clock_skew=clock_skew, jobs=jobs or 0, command_line=out.command_line(sys.argv),
    )
    result = api.hunt(options, Silent() if quiet else Progress())
    exports.write(api.document(result, redact=not no_redact), places, color)
    if result.problems and places != {exports.TABLE: None}:  # who reads a terminal's table has seen them
        click.echo(f"douse: {out.partial(result.problems)}", err=True)
    ctx.exit(_exit_code(result, fail_on))


def _exit_code(result: HuntResult, fail_on: str | None) -> int:
    """The code for how the run went and, with --fail-on, for what it found."""
    summary, codes = result.summary, {exits.DONE}
    if summary.interrupted:
        codes.add(exits.INTERRUPTED)
    if summary.partial:
        codes.add(exits.PARTIAL)
        if not summary.records_read:
            codes.add(exits.UNREADABLE)
    if fail_on and summary.highest_level and LEVELS.index(summary.highest_level) >= LEVELS.index(fail_on):
        codes.add(exits.FINDINGS)
    return exits.worst(codes)
