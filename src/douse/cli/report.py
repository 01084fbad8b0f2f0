"""`douse report`: a saved hunt in another format, without its evidence; all of it, or one incident."""

from __future__ import annotations

from pathlib import Path

import click

from douse.cli import exits, exports

EXAMPLES = (
    "douse report case-42/hunt.json",
    "douse report case-42/hunt.json --format html -o case-42/report.html",
    "douse report hunt.jsonl --incident 5ad6bd6c --format markdown > ticket.md",
    "douse report hunt.json --format stix,attack_flow,navigator -o intel/",
)
CODES = (exits.DONE, exits.USAGE, exits.UNREADABLE)


@click.command("report", epilog=exits.epilog(*EXAMPLES, codes=CODES))
@click.argument("file", metavar="FILE", type=click.Path(allow_dash=True))
@click.option("--format", "formats", type=exports.Formats(), default="table", show_default=True, help=exports.HELP)
@click.option("--incident", metavar="ID", help="Only this incident, with its alerts and its host; the beginning of the "
                                               "id is enough.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE|DIR",
              help="Write there instead of to standard output.")
@click.option("--force", is_flag=True, help="Overwrite the output file.")
@click.option("--no-redact", is_flag=True, help="Show passwords, tokens and keys as the file has them.")
@click.option("--color", type=click.Choice(("auto", "always", "never")), default="auto", show_default=True,
              help="Colour in the table; auto means on a terminal.")
@click.pass_context
def report(ctx: click.Context, file: str, formats: tuple[str, ...], incident: str | None, output: Path | None,
           force: bool, no_redact: bool, color: str) -> None:
    """Write a saved hunt in another format, without its evidence.

    FILE is what `douse hunt --format json` or jsonl wrote, or - for standard input.
    """
    from douse import api

    places = exports.targets(formats, output, force=force, evidence=(file,))
    document = api.read_document(file)
    if incident is not None:
        document = api.narrowed(document, incident)
    exports.write(document if no_redact else api.redacted(document), places, color)
    ctx.exit(exits.DONE)
