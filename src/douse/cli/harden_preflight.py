"""`douse harden preflight` and `douse harden verify`: parse, one call to the api, show or write, choose the exit code.

The verdict is the exit code of a pre-flight, so that a deployment can stop on it: 0 GO (with or without exceptions),
10 NO-GO, 11 INSUFFICIENT. A path of -o that ends in .json, .csv or .html chooses the format where --format does not.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from douse.cli import exits
from douse.cli.times import Instant, check_window, tell_window

if TYPE_CHECKING:
    from douse.report.preflight_schema import PreflightDocument, VerifyDocument

NO_GO = 10
INSUFFICIENT = 11
CODES = (exits.DONE, NO_GO, INSUFFICIENT, exits.USAGE, exits.NO_RULES, exits.INTERRUPTED)
OWN = {exits.DONE: "GO, or GO WITH EXCEPTIONS", NO_GO: "NO-GO: a use case is open",
       INSUFFICIENT: "INSUFFICIENT: nobody can tell yet", exits.NO_RULES: "a list of yours is not as it must be"}
VERIFY_CODES = (exits.DONE, exits.FINDINGS, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES,
                exits.INTERRUPTED)
VERIFY_OWN = {exits.FINDINGS: "somebody was hit, with --fail-on-hits",
              exits.NO_RULES: "a list of yours is not as it must be",
              exits.PARTIAL: "some of the logs could not be read"}
FORMATS = ("table", "json", "csv", "html")
VERIFY_FORMATS = ("table", "json", "csv")
_BY_VERDICT = {"GO": exits.DONE, "GO WITH EXCEPTIONS": exits.DONE, "NO-GO": NO_GO, "INSUFFICIENT": INSUFFICIENT}


@click.command("preflight", epilog=exits.epilog(
    "douse harden preflight mshta --logs logs/ --inventory hosts.csv -o preflight.json",
    "douse harden preflight mshta --logs logs/ --logs proxy/ --inventory hosts.csv --write-decisions decisions.yml",
    "douse harden preflight mshta --logs logs/ --inventory hosts.csv --decisions decisions.yml -o preflight.html",
    "douse harden preflight wscript --logs logs/ --inventory hosts.csv --days 90 --need 95", codes=CODES, own=OWN))
@click.argument("program", metavar="PROGRAM")
@click.option("--logs", multiple=True, required=True, metavar="PATH",
              help="Logs of endpoints, proxies and sensors: files, folders, archives or -; may be given again.")
@click.option("--inventory", required=True, type=click.Path(path_type=Path), metavar="FILE",
              help="The computers that must be covered, as CSV: host,ip,role,owner,criticality.")
@click.option("--days", type=click.IntRange(1, 1_000), default=30, show_default=True,
              help="How many days each host must have been watched.")
@click.option("--need", type=click.IntRange(1, 100), default=100, show_default=True, metavar="PERCENT",
              help="The share of hosts that must be covered.")
@click.option("--until", type=Instant(),
              help="The end of these days (UTC); without it the last record. Uses count whenever they were.")
@click.option("--decisions", type=click.Path(path_type=Path), metavar="FILE", help="Signed decisions (YAML).")
@click.option("--write-decisions", type=click.Path(path_type=Path), metavar="FILE",
              help="Write a file of decisions to fill in, with an entry for each use case.")
@click.option("--ioc", multiple=True, type=click.Path(path_type=Path), metavar="FILE",
              help="Indicators: one a line, CSV or STIX; a use that names one is suspect. May be given again.")
@click.option("--internal", multiple=True, metavar="NETWORK",
              help="A network of yours, as 10.20.0.0/16, that counts as one place; may be given again.")
@click.option("--format", "format_", type=click.Choice(FORMATS),
              help="What to write; without it the ending of -o decides, else table.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
              help="Write there instead of to standard output; as JSON it is the record that generate asks for.")
@click.option("--force", is_flag=True, help="Overwrite the output files.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True,
              help="Colour in the table; auto means on a terminal.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.pass_context
def preflight(ctx: click.Context, program: str, logs: tuple[str, ...], inventory: Path, days: int, need: int,
              until: datetime | None, decisions: Path | None, write_decisions: Path | None, ioc: tuple[Path, ...],
              internal: tuple[str, ...], format_: str | None, output: Path | None, force: bool, color: str,
              quiet: bool) -> None:
    """Find out whether PROGRAM can be kept off the network without hurting anybody.

    PROGRAM is a file name, as mshta or wscript.exe. The logs say who was watched, what used PROGRAM and where it
    connected to; the verdict is GO, GO WITH EXCEPTIONS, NO-GO or INSUFFICIENT. Silence never passes: a host without
    records of connections and of process starts is not covered. A suspect use is an incident, never an exception.
    """
    from douse import api
    from douse.cli import output as out
    from douse.cli.progress import Progress
    from douse.errors import OutputError
    from douse.hunt.run import Silent
    from douse.report.preflight import preflight_document

    lists = [str(path) for path in (inventory, decisions, *ioc) if path]
    target = out.target(output, force=force, evidence=[*logs, *lists])
    skeleton = out.target(write_decisions, force=force, evidence=[*logs, *lists]) if write_decisions else None
    if write_decisions and _resolved(skeleton) == _resolved(target):
        raise OutputError(str(write_decisions), "is where the result goes, too.",
                          "Write the decisions to another file.")
    if not quiet:
        tell_window(None, until)
    result = api.preflight(api.PreflightOptions(
        program=program, logs=logs, inventory=inventory, days=days, need=need, decisions=decisions, until=until,
        command_line=out.command_line(sys.argv), ioc=ioc, internal=internal),
        Silent() if quiet else Progress(alerts=False))
    document = preflight_document(result)
    chosen = format_ or _by_ending(output, FORMATS)
    out.write(target, _chunks(document, chosen, color, to_file=target is not None))
    if write_decisions:
        from douse.report.preflight_decisions import skeleton as skeleton_of

        out.write(skeleton, [skeleton_of(document)])
    if target or chosen != "table":
        click.echo(f"douse: {document['verdict']}; exit code {_BY_VERDICT[document['verdict']]}", err=True)
    ctx.exit(exits.INTERRUPTED if _interrupted(document) else _BY_VERDICT[document["verdict"]])


def _resolved(path: Path | None) -> Path | None:
    return path.resolve() if path else None


def _interrupted(document: PreflightDocument | VerifyDocument) -> bool:
    return any(error["what"].startswith("interrupted") for error in document["errors"])


def _by_ending(output: Path | None, formats: tuple[str, ...]) -> str:
    """The format that a file's name asks for."""
    ending = output.suffix.lower().lstrip(".") if output else ""
    return ending if ending in formats else "table"


def _chunks(document: PreflightDocument, format_: str, color: str, *, to_file: bool) -> Iterator[bytes]:
    if format_ != "table":
        from douse.report.preflight_formats import FORMATS as EXPORTERS

        return EXPORTERS[format_](document)
    from douse.cli.show_preflight import preflight_table_bytes

    return preflight_table_bytes(document, "never" if to_file and color == "auto" else color, to_file=to_file)


@click.command("verify", epilog=exits.epilog(
    "douse harden verify --logs logs/ --since 14d --preflight preflight.json",
    "douse harden verify wscript cscript --logs logs/ --inventory hosts.csv --since 2026-12-01 -o hits.csv",
    codes=VERIFY_CODES, own=VERIFY_OWN))
@click.argument("programs", nargs=-1, metavar="[PROGRAM]...")
@click.option("--logs", multiple=True, required=True, metavar="PATH",
              help="Logs of endpoints since the block: files, folders, archives or -; may be given again.")
@click.option("--inventory", type=click.Path(path_type=Path), metavar="FILE",
              help="The computers that have the block, as CSV: host,ip,role,owner,criticality.")
@click.option("--preflight", type=click.Path(path_type=Path), metavar="FILE",
              help="The record of the pre-flight: which hits it knew.")
@click.option("--since", type=Instant(), help="When the block came: 14d, 2026-12-01, RFC 3339 (UTC).")
@click.option("--until", type=Instant(), help="Only records before then.")
@click.option("--internal", multiple=True, metavar="NETWORK", help="The same networks as for the pre-flight.")
@click.option("--fail-on-hits", is_flag=True, help="Exit with 1 if somebody was hit.")
@click.option("--format", "format_", type=click.Choice(VERIFY_FORMATS),
              help="What to write; without it the ending of -o decides, else table.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
              help="Write there instead of to standard output.")
@click.option("--force", is_flag=True, help="Overwrite the output file.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True,
              help="Colour in the table; auto means on a terminal.")
@click.option("-q", "--quiet", is_flag=True, help="No progress on standard error.")
@click.pass_context
def verify(ctx: click.Context, programs: tuple[str, ...], logs: tuple[str, ...], inventory: Path | None,
           preflight: Path | None, since: datetime | None, until: datetime | None, internal: tuple[str, ...],
           fail_on_hits: bool, format_: str | None, output: Path | None, force: bool, color: str, quiet: bool) -> None:
    """Say who was hit by a block after it was deployed, or would have been by one that only audits.

    PROGRAM is a file name; without one that of the pre-flight, else mshta. Reads Security 5157 and 5152, AppLocker
    8003 to 8007 and App Control 3076, 3077, 8028 and 8029. Hosts that have no such records are named: nobody can say
    whether somebody was hit there.
    """
    from douse import api
    from douse.cli import output as out
    from douse.cli.progress import Progress
    from douse.hunt.run import Silent
    from douse.report.preflight_verify import verify_document

    check_window(since, until)
    lists = [str(path) for path in (inventory, preflight) if path]
    target = out.target(output, force=force, evidence=[*logs, *lists])
    if not quiet:
        tell_window(since, until)
    result = api.verify(api.VerifyOptions(
        programs=programs, logs=logs, inventory=inventory, preflight=preflight, since=since, until=until,
        command_line=out.command_line(sys.argv), internal=internal), Silent() if quiet else Progress(alerts=False))
    document = verify_document(result)
    out.write(target, _verify_chunks(document, format_ or _by_ending(output, VERIFY_FORMATS), color,
                                     to_file=target is not None))
    if result.problems and (target or format_ not in (None, "table")):
        click.echo(f"douse: {out.partial(result.problems)}", err=True)
    codes = {exits.INTERRUPTED if result.interrupted else exits.DONE, exits.PARTIAL if result.problems else exits.DONE}
    codes |= {exits.UNREADABLE} if not result.records else set()
    ctx.exit(exits.worst(codes | ({exits.FINDINGS} if fail_on_hits and result.hits else set())))


def _verify_chunks(document: VerifyDocument, format_: str, color: str, *, to_file: bool) -> Iterator[bytes]:
    if format_ != "table":
        from douse.report.preflight_verify import FORMATS as EXPORTERS

        return EXPORTERS[format_](document)
    from douse.cli.show_preflight import verify_table_bytes

    return verify_table_bytes(document, "never" if to_file and color == "auto" else color, to_file=to_file)
