"""`douse harden generate`: parse, one call, write the bundle whole, say what is in it and what was left out.

Standard output carries the paths of the files, one a line; the summary goes to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.shell_completion import CompletionItem

from douse.cli import exits
from douse.text import clean

if TYPE_CHECKING:
    from douse.harden.generate.bundle import Bundle

WORDS = ("gpo", "pol", "reg", "powershell", "applocker", "wdac", "intune", "browser", "sysmon", "auditpol")
ALL = "all"
MODES = ("audit", "enforce")
PROFILES = ("seed", "recommended")

EXAMPLES = (
    "douse harden generate --controls H01,H02,H06,H07 --as gpo,powershell -o bundle/",
    "douse harden generate --controls FW --mode enforce --preflight preflight.json --as gpo -o bundle.zip",
    "douse harden generate --controls all --profile recommended --site site.yml --as all -o bundle/",
    "douse harden generate --controls BROWSER --mode enforce --as reg --before PC-7.json -o pc-7/",
)
CODES = (exits.DONE, exits.USAGE, exits.UNREADABLE, exits.PARTIAL, exits.NO_RULES)
OWN = {exits.USAGE: "usage error, no pre-flight that lets it be enforced, or a bundle that cannot be written",
       exits.UNREADABLE: "the evidence of --before is of no computer, or of several",
       exits.PARTIAL: "the bundle is complete, but some evidence of --before could not be used",
       exits.NO_RULES: "no such control, or a wrong site.yml or pre-flight"}


class Words(click.ParamType[tuple[str, ...]]):
    """Formats with commas between them, or `all`; each once, in the order of a bundle."""

    name = "FORMAT[,FORMAT]"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """The words of a text; fails with the nearest one where there is no such word."""
        given = value if isinstance(value, tuple) else tuple(word.strip().lower() for word in str(value).split(","))
        for word in given:
            if word not in (*WORDS, ALL):
                near = get_close_matches(word, (*WORDS, ALL), 1)
                hint = f"Did you mean '{near[0]}'?" if near else f"Known: {', '.join((*WORDS, ALL))}."
                self.fail(f"'{clean(word, 40)}' is no format of policies. {hint}", param, ctx)
        return WORDS if ALL in given else tuple(word for word in WORDS if word in given)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The words that the last of those typed may become."""
        before, comma, last = incomplete.rpartition(",")
        return [CompletionItem(f"{before}{comma}{word}") for word in (*WORDS, ALL) if word.startswith(last)]


@click.command("generate", epilog=exits.epilog(*EXAMPLES, codes=CODES, own=OWN))
@click.option("--controls", multiple=True, required=True, metavar="ID,TAG,...",
              help="What to set: ids (H01), slugs, tags of the advice (FW), or all; with commas, or given again.")
@click.option("--as", "formats", type=Words(), default=("gpo",), show_default="gpo",
              help=f"What to write: {', '.join(WORDS)}, or all; several with commas between them.")
@click.option("--mode", type=click.Choice(MODES), default=MODES[0], show_default=True,
              help="audit refuses nothing and records what would be refused; enforce refuses.")
@click.option("--profile", type=click.Choice(PROFILES), default=PROFILES[0], show_default=True,
              help="The mission's advice to the letter, or also what closes the ways around it.")
@click.option("--preflight", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="The record of `douse harden preflight` that lets a block be enforced.")
@click.option("--site", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE",
              help="What only you know: domain, proxy ports, extensions, the group that may use mshta (YAML).")
@click.option("--before", multiple=True, metavar="PATH",
              help="Evidence of one computer, for undo files with its own old values; may be given again.")
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path, allow_dash=True), metavar="DIR|FILE.zip",
              help="The folder to make, or one .zip.")
@click.option("--force", is_flag=True, help="Replace an older bundle.")
@click.pass_context
def generate(ctx: click.Context, controls: tuple[str, ...], formats: tuple[str, ...], mode: str, profile: str,
             preflight: Path | None, site: Path | None, before: tuple[str, ...], output: Path, force: bool) -> None:
    """Write policies that set controls: for Group Policy, Intune, PowerShell and others, each with its undo.

    Nothing is set on this computer. The bundle's README.md says in which order it goes out, how to take it back, and
    what was left out. In mode audit nothing is refused; what would block mshta is enforced only with a pre-flight.
    """
    from douse import api
    from douse.cli import folders
    from douse.cli import output as out

    given = [str(path) for path in (preflight, site) if path is not None]
    place = folders.target(output, force=force, evidence=[*before, *given])
    bundle = api.generate(api.GenerateOptions(
        controls=controls, formats=formats, mode=mode, profile=profile, preflight=preflight, site=site, before=before,
        command_line=out.command_line(sys.argv)))
    folders.write(place, [(file.path, file.data) for file in bundle.files])
    for file in bundle.files if not folders.is_zip(place) else ():
        click.echo(str(place / file.path))
    if folders.is_zip(place):
        click.echo(str(place))
    for line in summary(bundle, place):
        click.echo(clean(line), err=True)
    ctx.exit(exits.PARTIAL if bundle.problems else exits.DONE)


def summary(bundle: Bundle, place: Path) -> Iterator[str]:
    """What was made, what was left and why, and what to do next, a sentence a line."""
    from douse.masking import mask

    policy = bundle.policy
    yield (f"douse: {len(bundle.files):,} files in {place}: {_counted(len(policy.controls), 'control')}, "
           f"{_counted(len(policy.registry), 'registry value')}, {_counted(len(policy.changes), 'other setting')}; "
           f"mode {policy.mode}, profile {policy.profile}")
    reasons: dict[str, list[str]] = {}
    for left in policy.left:
        reasons.setdefault(left.why.partition(". ")[0].rstrip("."), []).append(left.control)
    for why, controls in sorted(reasons.items(), key=lambda pair: -len(pair[1])):
        yield f"douse: left out, {_counted(len(controls), 'setting')} of {_named(controls)}: {why}."
    if bundle.unsaid:
        yield (f"douse: none of these formats says {_counted(len(bundle.unsaid), 'setting')} of "
               f"{_named(control for control, _ in bundle.unsaid)}; README.md names the formats that do.")
    if bundle.replaced:
        yield (f"douse: good already on the computer of --before, and replaced by values that may be weaker: "
               f"{', '.join(bundle.replaced[:6])}{', ...' if len(bundle.replaced) > 6 else ''}")
    for problem in bundle.problems[:3]:  # may quote evidence, and standard error ends in job logs
        yield mask(f"douse: --before: {problem.where}: {problem.what} {problem.next_step}").rstrip()
    if len(bundle.problems) > 3:
        yield f"douse: and {len(bundle.problems) - 3:,} more of --before that could not be used."
    yield f"douse: never run on Windows by us. Next: read {place / 'README.md' if place.is_dir() else 'its README.md'}."


def _counted(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _named(controls: Iterable[str]) -> str:
    names = sorted(set(controls))
    return ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
