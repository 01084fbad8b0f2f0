"""An incident on the terminal: what happened in one sentence and what to do first, then what was taken, then the story.

The first screen must do for somebody who has never heard of a rule. What an analyst asks next (evidence, processes, why
this level) follows below, and everything else that is answered about the incident is in show_answers.py.
"""

from __future__ import annotations

from collections.abc import Iterable

from douse.cli.hunt_page import EVERYTHING, HuntPage
from douse.cli.screen import LEVEL_STYLES, LEVEL_WIDTH, Grid, level_word, plain
from douse.cli.show_answers import change, controls, indicators, lessons, taken
from douse.report import story
from douse.report.schema import BlindSpotRow, IncidentRow

MAX_PROCESSES = 12
MAX_STEPS = 10
MAX_TODO = 5
MAX_GAPS = 3
MAX_PLAN = 400


def incident(page: HuntPage, row: IncidentRow, steps: tuple[story.Told, ...]) -> None:
    """Draw one incident; `steps` are its story."""
    page.headline(row["level"].upper(), LEVEL_STYLES.get(row["level"], "bold"), row["title"])
    page.say(row["verdict"])
    page.facts(
        ("Host", _host(row)),
        ("User", ", ".join(row["users"]) or "unknown"),
        ("Seen", _seen(row)),
        ("Family", "" if row["level"] in story.BELOW_MEDIUM else row["family"]),
        ("Impact", story.impact_words(row)),
    )
    todo(page, "What to do first", row["next_steps"])
    taken(page, row.get("stores", []))
    change(page, row.get("rotation", []))
    _story(page, row, steps)
    _tree(page, story.tree(row, steps))
    page.title(f"Why {row['level']}")
    page.remark(row["level_reason"], "")
    controls(page, row.get("controls", []))
    lessons(page, row.get("lessons", []))
    indicators(page, row.get("indicators", []))
    gaps(page, "What could not be seen", row["blind_spots"], settings=False)


def todo(page: HuntPage, title: str, steps: Iterable[str]) -> None:
    """The first things to do."""
    page.numbered(title, [page.middle(step, MAX_PLAN) for step in steps], MAX_TODO, "step")


def gaps(page: HuntPage, title: str, spots: Iterable[BlindSpotRow], *, settings: bool) -> None:
    """What was not logged; the settings that provide it only where no incident needs the room."""
    rows = list(spots)
    most = len(rows) if settings else MAX_GAPS
    page.title(title)
    grid = Grid((1, 1))
    for spot in rows[:most]:
        judged = plain(spot["cannot_judge"])
        judged.append_text(plain(f" (needs {spot['events']})"))
        grid.add_row("", page.glyphs.bullet, judged)
        if settings:
            unverified = "" if spot["verified"] else " (unverified)"
            grid.add_row("", "", plain(f"{spot['enable']}{unverified}", "dim"))
    if not rows:
        grid.add_row("", page.glyphs.bullet, plain("All telemetry that our rules ask for was present."))
    page.show(grid)
    page.more(len(rows) - most, "gap", EVERYTHING)


def _host(row: IncidentRow) -> str:
    words = story.asset_words(row.get("asset"))
    return f"{row['host']} ({words})" if words else row["host"]


def _seen(row: IncidentRow) -> str:
    first, last = row["first_seen"], row["last_seen"]
    return f"{story.moment(first)} to {story.clock(last)} UTC ({story.span(first, last)})"


def _story(page: HuntPage, row: IncidentRow, steps: tuple[story.Told, ...]) -> None:
    page.title(f"What happened ({story.moment(row['first_seen'])[:10]}, UTC)")
    names = {stage["stage"]: stage for stage in row["stages"]}
    stage = 0
    for step in _most_telling(steps):
        if step.row["stage"] != stage:
            stage = step.row["stage"]
            name = names[stage]["name"] if stage in names else ""
            page.say(f"  Stage {stage}  {name}" if stage else "  No stage", "underline")
        _step(page, step)
    page.more(len(steps) - MAX_STEPS, "step", EVERYTHING)


def _most_telling(steps: tuple[story.Told, ...]) -> list[story.Told]:
    """At most MAX_STEPS, in order: the strongest, the theft among equals, then the earlier."""
    strongest = sorted(steps, key=lambda step: (-story.rank(step.row["level"]), step.row["evidence_class"] != "C",
                                                step.number))
    return sorted(strongest[:MAX_STEPS], key=lambda step: step.number)


def _step(page: HuntPage, step: story.Told) -> None:
    """A step and its evidence, on one line each."""
    row = step.row
    grid = Grid((4, 8, LEVEL_WIDTH))
    grid.add_row(plain(f"{step.number:>4}"), plain(story.clock(row["time"])), level_word(row["level"]),
                 plain(row["title"], "bold"))  # fmt: skip
    proof = row["evidence"] if not step.proof else ""
    for said in filter(None, (row["detail"], proof)):
        grid.add_row("", "", "", plain(page.middle(story.one_line(said), page.width - 24)))
    page.show(grid)


def _tree(page: HuntPage, branches: tuple[story.Branch, ...]) -> None:
    if not branches:
        return
    page.title("Processes (numbers are the steps above)")
    for branch in branches[:MAX_PROCESSES]:
        line = plain("  " + "".join(page.glyphs.rails[rail] for rail in branch.rails), "dim")
        line.append_text(plain(branch.name, "bold"))
        line.append_text(plain(f" {branch.row['pid']}"))
        if branch.link:
            line.append_text(plain(f", {branch.link}", "yellow"))
        if branch.steps:
            line.append_text(plain(f" [{story.ranges(branch.steps)}]", "bold cyan"))
        page.show(line)
    page.more(len(branches) - MAX_PROCESSES, "process", EVERYTHING)
