"""`douse harden collect-script|audit|for`: each parses, makes one call, shows the rows, chooses a code.

What the verbs need is imported by the verbs, so that `--help` loads no YAML. Paths of evidence are never written into.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Sequence
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import click

from douse.cli import exits
from douse.text import clean

if TYPE_CHECKING:
    from douse.harden.finding import AuditResult
    from douse.harden.for_incident import ForIncident
    from douse.harden.gathered import Problem

AUDIT_FORMATS = ("table", "json", "csv", "html", "navigator")
FOR_FORMATS = ("table", "json", "markdown")
PROFILES = ("seed", "recommended")
FAIL_ON = ("fail", "partial", "unknown", "conflict")
ENOUGH = 3
"""So many problems are told one by one on standard error."""

AUDITED = {exits.FINDINGS: "a finding in a state of --fail-on",
           exits.UNREADABLE: "nothing of the evidence could be read",
           exits.PARTIAL: "some of the evidence could not be read",
           exits.NO_RULES: "the inventory is none, or no such control"}

Command = Callable[..., None]

color_option = click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto",
                            show_default=True, help="Colour in the table; auto means on a terminal.")
force_option = click.option("--force", is_flag=True, help="Overwrite the output file.")
output_option = click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
                             help="Write there instead of to standard output.")
profile_option = click.option("--profile", type=click.Choice(PROFILES), default=PROFILES[0], show_default=True,
                              help="The mission's advice to the letter, or also what closes the ways around it.")


@click.command("collect-script", epilog=exits.epilog(
    "douse harden collect-script > collect.ps1", "douse harden collect-script -o collect.ps1",
    "douse harden collect-script --questionnaire -o answers.yml",
    codes=(exits.DONE, exits.USAGE)))
@click.option("--questionnaire", is_flag=True, help="The questions to the organisation instead, to be filled in.")
@output_option
@force_option
@click.pass_context
def collect_script(ctx: click.Context, questionnaire: bool, output: Path | None, force: bool) -> None:
    """Print the read-only script that collects evidence on a Windows host.

    It is Windows PowerShell 5.1, needs no module, changes nothing and sends nothing: it writes JSON to standard output.
    Run it elevated on each host, `powershell -File collect.ps1 > HOST.json`, and give the files to douse harden audit.
    Its SHA-256 goes to standard error, so that you can say later which script ran. It was never run on Windows by us.
    """
    from douse.cli import output as out

    place = out.target(output, force=force)
    data = _questions() if questionnaire else _script()
    out.write(place, [data])
    click.echo(f"douse: SHA-256 {hashlib.sha256(data).hexdigest()}", err=True)
    ctx.exit(exits.DONE)


def _script() -> bytes:
    """The script; Windows reads its own line ends in any editor."""
    from douse.harden.collect import script

    return script().replace("\r\n", "\n").replace("\n", "\r\n").encode("ascii")


def _questions() -> bytes:
    from douse.harden.questionnaire import blank

    return blank().encode()


class States(click.ParamType[tuple[str, ...]]):
    """States of findings with commas between them."""

    name = "STATE[,STATE]"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words of a text; fails where there is no such state."""
        words = value if isinstance(value, tuple) else tuple(word.strip().lower() for word in str(value).split(","))
        for word in words:
            if word not in FAIL_ON:
                self.fail(f"'{clean(word, 40)}' is none of {', '.join(FAIL_ON)}.", param, ctx)
        return tuple(dict.fromkeys(words))


@click.command("audit", epilog=exits.epilog(
    "douse harden audit collected/ --inventory hosts.csv",
    "douse harden audit PC-7.json gpo-backup.zip entra/ --profile recommended --format html -o audit.html",
    "douse harden audit hives/ --controls FW,WL --format csv > audit.csv",
    "douse harden audit collected/ --inventory hosts.csv --fail-on fail,unknown,conflict",
    codes=(exits.DONE, exits.FINDINGS, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES), own=AUDITED))
@click.argument("evidence", nargs=-1, required=True, metavar="EVIDENCE...", type=click.Path(allow_dash=True))
@click.option("--inventory", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="The computers there should be, CSV with host,ip,role,owner,criticality; those without evidence "
                   "appear too.")
@profile_option
@click.option("--controls", multiple=True, metavar="ID,TAG,...",
              help="Only these: ids (H01), slugs, tags of the advice (FW); with commas, or given again.")
@click.option("--format", "format_", type=click.Choice(AUDIT_FORMATS), default="table", show_default=True,
              help="What to write.")
@output_option
@force_option
@click.option("--fail-on", type=States(), default=None, metavar="STATE,...",
              help=f"Exit with 1 where a finding is in one of these states: {', '.join(FAIL_ON)}.")
@color_option
@click.pass_context
def audit(ctx: click.Context, evidence: tuple[str, ...], inventory: Path | None, profile: str,
          controls: tuple[str, ...], format_: str, output: Path | None, force: bool, fail_on: tuple[str, ...] | None,
          color: str) -> None:
    """Say which controls are in place, from evidence that was collected; nothing is asked of any computer.

    EVIDENCE is files, folders and zip archives: the collector's JSON, registry hives, registry.pol, GPO backups,
    gpresult /x, .reg files, AppLocker and App Control XML, Get-MpPreference, auditpol, browser policies, Entra exports,
    the questionnaire, HardeningKitty reports. What no evidence shows is unknown, never a pass.
    """
    from douse import api
    from douse.cli import output as out

    given = [*evidence, *([str(inventory)] if inventory else [])]
    place = out.target(output, force=force, evidence=given)
    result = api.audit(api.AuditOptions(evidence, inventory=inventory, profile=profile, controls=controls,
                                        command_line=out.command_line(sys.argv)))
    out.write(place, _audit_chunks(result, format_, color, to_file=place is not None))
    tell_problems(result.problems)
    ctx.exit(_audit_code(result, fail_on or ()))


def _audit_chunks(result: AuditResult, format_: str, color: str, *, to_file: bool) -> Iterable[bytes]:
    if format_ != "table":
        from douse.report.audit_formats import FORMATS

        return FORMATS[format_](result)
    from douse.cli.screen import FILE_WIDTH
    from douse.cli.show_audit import audit_table

    if to_file:
        return [audit_table(result, color="never" if color == "auto" else color, stream=StringIO(), width=FILE_WIDTH)]
    return [audit_table(result, color=color, stream=sys.stdout)]


def _audit_code(result: AuditResult, fail_on: Sequence[str]) -> int:
    codes = {exits.DONE}
    if not result.files:
        codes.add(exits.UNREADABLE)
    elif result.problems:
        codes.add(exits.PARTIAL)
    if any(finding.state in fail_on for subject in result.subjects for finding in subject.findings):
        codes.add(exits.FINDINGS)
    return exits.worst(codes)


@click.command("for", epilog=exits.epilog(
    "douse harden for hunt.json", "douse harden for hunt.json --incident 5ad6bd6c --evidence PC-7.json",
    "douse hunt logs/ --format json | douse harden for - --format markdown > ticket.md",
    codes=(exits.DONE, exits.USAGE, exits.UNREADABLE, exits.PARTIAL),
    own={exits.UNREADABLE: "no saved hunt, no such incident, or none that names a control",
         exits.PARTIAL: "some of the evidence could not be read"}))
@click.argument("file", metavar="INCIDENT.json", type=click.Path(allow_dash=True))
@click.option("--incident", metavar="ID", help="Only this incident; the beginning of its id is enough.")
@click.option("--evidence", multiple=True, metavar="PATH", type=click.Path(),
              help="Evidence of the host, to say what is in place by now; may be given again.")
@profile_option
@click.option("--format", "format_", type=click.Choice(FOR_FORMATS), default="table", show_default=True,
              help="What to write.")
@output_option
@force_option
@color_option
@click.pass_context
def for_incident(ctx: click.Context, file: str, incident: str | None, evidence: tuple[str, ...], profile: str,
                 format_: str, output: Path | None, force: bool, color: str) -> None:
    """Rank the controls that would have broken an incident's chain, and say how to set them.

    INCIDENT.json is what `douse hunt --format json` or jsonl wrote, or - for standard input. Without --incident every
    incident of it that has a chain is told, the worst first. Without --evidence nothing is known to be in place.
    """
    from douse import api
    from douse.cli import output as out

    place = out.target(output, force=force, evidence=[file, *evidence])
    document = api.read_document(file)
    if incident is not None:
        document = api.narrowed(document, incident)
    found = api.for_incidents(api.redacted(document), evidence, profile)
    out.write(place, _for_chunks(found, format_, color, to_file=place is not None))
    problems = dict.fromkeys(problem for one in found for problem in one.problems)
    tell_problems(tuple(problems))
    ctx.exit(exits.PARTIAL if problems else exits.DONE)


def _for_chunks(found: Sequence[ForIncident], format_: str, color: str, *, to_file: bool) -> Iterable[bytes]:
    if format_ != "table":
        from douse.report.for_incident import FORMATS

        return FORMATS[format_](found)
    from douse.cli.screen import FILE_WIDTH
    from douse.cli.show_for import for_table

    if to_file:
        return [for_table(found, color="never" if color == "auto" else color, stream=StringIO(), width=FILE_WIDTH)]
    return [for_table(found, color=color, stream=sys.stdout)]


def tell_problems(problems: Sequence[Problem]) -> None:
    """Say on standard error what could not be read. A problem may quote evidence, so secrets are left out."""
    from douse.masking import mask

    for problem in problems[:ENOUGH]:
        said = mask(f"{problem.where}: {problem.what} {problem.next_step}".rstrip())
        click.echo(f"douse: {clean(said, 300)}", err=True)
    if len(problems) > ENOUGH:
        click.echo(f"douse: and {len(problems) - ENOUGH:,} more problems, all of them in the result", err=True)
