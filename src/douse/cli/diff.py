"""`douse diff`: what changed between two saved hunts, for a scheduled task and for whoever reads its mail."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from douse.cli import exits
from douse.model import LEVELS

if TYPE_CHECKING:
    from douse.report.diff import Difference

FORMATS = ("table", "json", "markdown")
EXAMPLES = (
    "douse diff monday.json tuesday.json",
    "douse diff monday.json tuesday.json --fail-on-new high --format markdown > news.md",
)
CODES = (exits.DONE, exits.FINDINGS, exits.USAGE, exits.UNREADABLE)
NEW = {exits.FINDINGS: "something new at or above --fail-on-new"}


@click.command("diff", epilog=exits.epilog(*EXAMPLES, codes=CODES, own=NEW))
@click.argument("before", metavar="A", type=click.Path(allow_dash=True))
@click.argument("after", metavar="B", type=click.Path(allow_dash=True))
@click.option("--format", "format_", type=click.Choice(FORMATS), default="table", show_default=True,
              help="What to write.")
@click.option("--fail-on-new", type=click.Choice(LEVELS),
              help="Exit with 1 if an alert or incident is new at or above this level, or an incident rose to it.")
@click.option("-o", "--output", type=click.Path(path_type=Path, allow_dash=True), metavar="FILE",
              help="Write there instead of to standard output.")
@click.option("--force", is_flag=True, help="Overwrite the output file.")
@click.option("--no-redact", is_flag=True, help="Show passwords, tokens and keys as the files have them.")
@click.pass_context
def diff(ctx: click.Context, before: str, after: str, format_: str, fail_on_new: str | None, output: Path | None,
         force: bool, no_redact: bool) -> None:
    """Say what is new, gone and changed from one saved hunt to the next.

    A and B are what `douse hunt --format json` or jsonl wrote, the older one first. A host that no longer reports is
    told, because nothing found on it means nothing.
    """
    from douse import api
    from douse.cli import output as out

    if before == after == "-":
        raise click.UsageError("A and B cannot both be standard input.")
    target = out.target(output, force=force, evidence=(before, after))
    difference = api.compare(api.read_document(before), api.read_document(after))
    shown = difference if no_redact else api.redacted(difference)
    out.write(target, _chunks(shown, format_))
    failed = fail_on_new and api.is_at_least(difference["highest_new"], fail_on_new)
    ctx.exit(exits.FINDINGS if failed else exits.DONE)


def _chunks(difference: Difference, format_: str) -> Iterator[bytes]:
    if format_ == "json":
        from douse.report.machine import json_pieces

        return json_pieces(difference)
    from douse.report.diff_text import as_markdown, as_text

    return (as_markdown if format_ == "markdown" else as_text)(difference)
