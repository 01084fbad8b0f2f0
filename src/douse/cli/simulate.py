"""`douse simulate`: write the log records of a scenario. Parse, one call, say where the files are.

Standard output carries only the paths, one a line, so that they can be piped into `douse hunt`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from douse.cli.exits import epilog

WORTH_A_BAR = 20_000
"""Records of noise from which on a progress bar is shown: about half a second of writing."""

EXAMPLES = (
    "douse simulate lumma-clickfix -o demo/logs",
    "douse simulate benign-day -o day.evtx --seed 7",
    "douse simulate cracked-installer -o loud.jsonl --noise 50000",
    "douse simulate --list",
)


def _list_scenarios(ctx: click.Context, _param: click.Parameter, asked: bool) -> None:
    """Print what can be simulated and stop."""
    if not asked or ctx.resilient_parsing:
        return
    from douse.content.scenarios import load_scenario, scenario_ids

    scenarios = [load_scenario(scenario_id) for scenario_id in scenario_ids()]
    width = max(len(scenario.scenario_id) for scenario in scenarios)
    for scenario in scenarios:
        click.echo(f"{scenario.scenario_id:<{width}}  {scenario.title}")
    ctx.exit()


def _known_scenario(ctx: click.Context, _param: click.Parameter, name: str) -> str:
    """Refuse a name that is no scenario as a usage error, with those that are."""
    from douse.content.scenarios import scenario_ids

    known = scenario_ids()
    if name not in known and not ctx.resilient_parsing:
        raise click.BadParameter(f"there is no scenario {name!r}. Known: {', '.join(known)}.")
    return name


@contextmanager
def _progress(noise: int) -> Iterator[Callable[[int], None] | None]:
    """A bar on a terminal where there is enough to write that somebody waits."""
    if noise < WORTH_A_BAR or not sys.stderr.isatty():
        yield None
        return
    with click.progressbar(length=noise, label="Writing records", file=sys.stderr, show_pos=True) as bar:
        yield lambda written: bar.update(min(written, noise) - bar.pos)


@click.command("simulate", epilog=epilog(*EXAMPLES))
@click.argument("scenario", callback=_known_scenario)
@click.option("-o", "--output", required=True, type=click.Path(path_type=Path),
              help="One file (.evtx or .jsonl) for all channels, or a folder for one file per channel.")
@click.option("--format", "format_name", type=click.Choice(["evtx", "jsonl"]),
              help="What to write; by default the suffix of -o says, and a folder gets evtx.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True,
              help="Chooses pids, GUIDs and noise; the same seed gives the same bytes.")
@click.option("--noise", type=click.IntRange(min=0), default=0, show_default=True,
              help="Mix in this many everyday records.")
@click.option("--force", is_flag=True, help="Replace files that exist.")
@click.option("--list", is_flag=True, is_eager=True, expose_value=False, callback=_list_scenarios,
              help="List the scenarios and exit.")
def simulate(scenario: str, output: Path, format_name: str | None, seed: int, noise: int, force: bool) -> None:
    """Write the log records of a SCENARIO: an intrusion or an ordinary day.

    Only records are written, shaped like real ones; nothing is run, and their addresses are reserved for documentation.
    """
    from douse.simulate import simulate as write

    if str(output) == "-":
        raise click.BadParameter("records go to a file or a folder, not to standard output.", param_hint="'-o'")
    with _progress(noise) as progress:
        result = write(scenario, output, format_name, seed, noise, force, progress)
    for file in result.files:
        click.echo(file.path)
    click.echo(f"{result.title}: {result.records:,} records on {result.host}, "
               f"{result.first_seen:%Y-%m-%d %H:%M:%S} to {result.last_seen:%H:%M:%S} UTC, seed {seed}", err=True)
