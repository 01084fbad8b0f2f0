"""A hunt's document on the terminal: one screen that an analyst can show their boss, then the totals.

Everything that came from evidence passes text.clean and becomes a rich Text, never markup, so that nothing in a log
can colour, move or link; how a screen is put on a stream is in screen.py. rich is imported by the first drawing,
because most commands never draw. The HTML report (report/html.py) tells the same story; what both say is in
report/story.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from douse.cli.progress import Progress
from douse.cli.screen import COLORS, FILE_WIDTH, LEVEL_STYLES, LEVEL_WIDTH, Glyphs, Grid, drawn, level_word, plain
from douse.hunt.result import HuntResult
from douse.model import LEVELS
from douse.report import story
from douse.report.document import document as as_document
from douse.report.schema import BlindSpotRow, Document, IncidentRow
from douse.text import clean

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["COLORS", "Progress", "hunt_table", "hunt_table_bytes"]

WIDE = 100
MAX_PROCESSES = 24
MAX_OTHERS = 10
MAX_STEPS = 40
MAX_WEAK_STEPS = 3
MAX_ERRORS = 8
MAX_TODO = 5
MAX_LISTED = 10


def hunt_table(document: Document, stream: TextIO, color: str = "auto", width: int | None = None) -> None:
    """Write the screen of a hunt to a stream; `color` is one of COLORS, a width of None asks the terminal."""
    stream.write(_drawn(document, stream, color, width).decode(getattr(stream, "encoding", None) or "utf-8"))


def hunt_table_bytes(result: HuntResult, color: str = "auto", *, to_file: bool = False) -> Iterator[bytes]:
    """The same screen as bytes: for a file in UTF-8 and FILE_WIDTH, else as standard output takes it."""
    if to_file:
        yield _drawn(as_document(result), StringIO(), color, FILE_WIDTH)
    else:
        yield _drawn(as_document(result), sys.stdout, color, None)


def _drawn(document: Document, stream: TextIO, color: str, width: int | None) -> bytes:
    return drawn(lambda console, glyphs: _Screen(console, glyphs).draw(document), stream, color, width)


def _sentence(words: str) -> str:
    return words if words.endswith((".", "?", "!")) else f"{words}."


class _Screen:
    """Draws a document block by block onto a console."""

    def __init__(self, console: Console, glyphs: Glyphs) -> None:
        self.console, self.glyphs = console, glyphs

    def draw(self, document: Document) -> None:
        incidents = story.worst_first(document)
        if story.only_weak(incidents):
            self._weak_signs(incidents, document)
        elif incidents:
            self._incident(incidents[0], document)
            self._others(incidents[1:])
        else:
            self._nothing(document)
        self._summary(document)

    # --- the worst incident ---------------------------------------------------------------------------------------

    def _incident(self, incident: IncidentRow, document: Document) -> None:
        steps = story.told(incident, story.alerts_by_id(document))
        self._headline(incident["level"].upper(), LEVEL_STYLES.get(incident["level"], "bold"), incident["title"])
        self.console.print(plain(incident["verdict"]))
        self._facts(
            ("Host", self._host(incident)),
            ("User", ", ".join(incident["users"]) or "unknown"),
            ("Seen", self._seen(incident)),
            *([] if incident["level"] in story.BELOW_MEDIUM else [("Family", incident["family"])]),
            ("Level", incident["level_reason"]),
            *([("Impact", story.impact_words(incident))] if incident.get("impact") else []),
        )
        self._story(incident, steps)
        self._tree(story.tree(incident, steps))
        self._blind("What could not be seen", incident["blind_spots"], settings=False)
        self._todo(incident["next_steps"])

    def _host(self, incident: IncidentRow) -> str:
        words = story.asset_words(incident.get("asset"))
        return f"{incident['host']} ({words})" if words else incident["host"]

    def _seen(self, incident: IncidentRow) -> str:
        first, last = incident["first_seen"], incident["last_seen"]
        return f"{story.moment(first)} to {story.clock(last)} UTC ({story.span(first, last)})"

    def _story(self, incident: IncidentRow, steps: tuple[story.Told, ...]) -> None:
        self._title(f"What happened ({story.moment(incident['first_seen'])[:10]}, UTC)")
        names = {stage["stage"]: stage for stage in incident["stages"]}
        stage = 0
        for step in story.most_telling(steps, MAX_STEPS):
            if step.row["stage"] != stage:
                stage = step.row["stage"]
                name = names[stage]["name"] if stage in names else ""
                self.console.print(plain(f"  Stage {stage}  {name}" if stage else "  No stage", "underline"))
            self._step(step)
        self._more(len(steps) - MAX_STEPS, "step")

    def _step(self, step: story.Told) -> None:
        row = step.row
        grid = self._grid(4, 8, LEVEL_WIDTH)
        grid.add_row(plain(f"{step.number:>4}"), plain(story.clock(row["time"])), level_word(row["level"]),
                     plain(row["title"], "bold"))  # fmt: skip
        room = (1 if self.console.width >= WIDE else 2) * (self.console.width - 24)
        proof = row["evidence"] if not step.proof else ""
        for said in filter(None, (row["detail"], proof)):
            grid.add_row("", "", "", plain(self._middle(story.one_line(said), room)))
        self.console.print(grid)

    def _tree(self, branches: tuple[story.Branch, ...]) -> None:
        if not branches:
            return
        self._title("Processes (numbers are the steps above)")
        for branch in branches[:MAX_PROCESSES]:
            line = plain("  " + "".join(self.glyphs.rails[rail] for rail in branch.rails), "dim")
            line.append_text(plain(branch.name, "bold"))
            line.append_text(plain(f" {branch.row['pid']}"))
            if branch.link:
                line.append_text(plain(f", {branch.link}", "yellow"))
            if branch.steps:
                line.append_text(plain(f" [{story.ranges(branch.steps)}]", "bold cyan"))
            self.console.print(line)
        self._more(len(branches) - MAX_PROCESSES, "process")

    def _todo(self, steps: Sequence[str]) -> None:
        self._title("What to do next")
        grid = self._grid(1, 3)
        for number, step in enumerate(steps[:MAX_TODO], 1):
            grid.add_row("", plain(f"{number:>2}."), plain(step))
        self.console.print(grid)
        self._more(len(steps) - MAX_TODO, "step", "the report (--format html)")

    def _blind(self, title: str, spots: Iterable[BlindSpotRow], *, settings: bool) -> None:
        """The gaps; the settings that close them only where no incident needs the room."""
        self._title(title)
        grid = self._grid(1, 1)
        for spot in spots:
            judged = plain(spot["cannot_judge"])
            judged.append_text(plain(f" (needs {spot['events']})"))
            grid.add_row("", self.glyphs.bullet, judged)
            unverified = "" if spot["verified"] else " (unverified)"
            if settings:
                grid.add_row("", "", plain(f"{spot['enable']}{unverified}", "dim"))
        if grid.row_count == 0:
            grid.add_row("", self.glyphs.bullet, plain("All telemetry that our rules ask for was present."))
        elif not settings:
            grid.add_row("", "", plain("The Windows setting for each is in the report: --format html", "dim"))
        self.console.print(grid)

    # --- everything else ------------------------------------------------------------------------------------------

    def _others(self, incidents: list[IncidentRow]) -> None:
        named = [(i["level"], i["title"], i["host"], i["first_seen"]) for i in incidents]
        self._named("Other incidents", named, MAX_OTHERS, "incident")

    def _named(self, title: str, found: Sequence[tuple[str, str, str, str]], most: int, thing: str) -> None:
        """A list of findings, each with level, title, host and time; nothing where there is none."""
        if not found:
            return
        self._title(title)
        grid = self._grid(1, LEVEL_WIDTH)
        for level, name, host, time in found[:most]:
            what = plain(name, "bold")
            what.append_text(plain(f"  {host}, {story.moment(time)}", "dim"))
            grid.add_row("", level_word(level), what)
        self.console.print(grid)
        self._more(len(found) - most, thing)

    def _weak_signs(self, incidents: list[IncidentRow], document: Document) -> None:
        self._headline("WEAK SIGNS", "bold", story.WEAK_SIGNS)
        self.console.print(plain(story.weak_signs(document)))
        self._title("Worth a look")
        grid = self._grid(1, LEVEL_WIDTH)
        alerts = story.alerts_by_id(document)
        for incident in incidents[:MAX_OTHERS]:
            where = ", ".join((incident["host"], story.moment(incident["first_seen"]), *incident["users"]))
            for step in story.told(incident, alerts)[:MAX_WEAK_STEPS]:
                detail = story.one_line(step.row["detail"])
                grid.add_row("", level_word(incident["level"]), plain(step.row["title"], "bold"))
                grid.add_row("", "", plain(self._middle(detail, 2 * (self.console.width - 12))))
                grid.add_row("", "", plain(where, "dim"))
        self.console.print(grid)
        self._more(len(incidents) - MAX_OTHERS, "incident")
        self._gaps(document)
        self._todo(story.questions(incidents))

    def _gaps(self, document: Document) -> None:
        """What could not be judged on any host, with the settings that close the gaps."""
        spots = {spot["requirement"]: spot for host in document["coverage"] for spot in host["blind_spots"]}
        if document["coverage"]:
            self._blind("What could not be judged", spots.values(), settings=True)

    def _nothing(self, document: Document) -> None:
        said = story.nothing(document)
        self._headline(said.word, "bold", said.title)
        self.console.print(plain(said.lead))
        self._single_alerts(document)
        self._gaps(document)
        self._todo(said.steps)

    def _single_alerts(self, document: Document) -> None:
        alerts = story.by_level_then_time(document["alerts"])
        named = [(a["level"], a["title"], a["host"], a["time"]) for a in alerts]
        self._named("Single alerts", named, MAX_LISTED, "alert")

    def _summary(self, document: Document) -> None:
        summary = document["summary"]
        self._title("Summary")
        levels = [f"{summary['alerts_by_level'][level]:,} {level}" for level in reversed(LEVELS)
                  if summary["alerts_by_level"][level]]  # fmt: skip
        lost = f", {summary['records_lost']:,} lost" if summary["records_lost"] else ", none lost"
        ignored = f" ({summary['ignored_files']:,} ignored)" if summary["ignored_files"] else ""
        rejected = f", {summary['rules_rejected']:,} rejected" if summary["rules_rejected"] else ""
        idle = f", {summary['rules_idle']:,} idle" if summary["rules_idle"] else ""
        self._facts(
            ("Files", f"{summary['files']:,}{ignored}"),
            ("Records", f"{summary['records_read']:,} read, {summary['records_skipped']:,} asked for by no rule{lost}"),
            ("Events", f"{story.moment(summary['first_event'])} to {story.moment(summary['last_event'])} UTC"),
            ("Rules", f"{summary['rules_loaded']:,}{rejected}{idle}"),
            ("Alerts", f"{summary['alerts']:,}" + (f": {', '.join(levels)}" if levels else "")),
            ("Incidents", story.found(document) if document["incidents"] else "0"),
            ("Elapsed", f"{summary['elapsed_seconds']:,.1f} s"),
            gap=False,
        )
        self._allowed(document)
        self._errors(document)
        self._notes(document["notes"])

    def _allowed(self, document: Document) -> None:
        """What was set apart because somebody expects it: how much, and by which lines."""
        said = story.suppressed(document)
        if not said:
            return
        self._title(f"{said} (see --format json)")
        used = [row for row in document["allowances"] if row["state"] == "used"]
        grid = self._grid(1, 7)
        for row in sorted(used, key=lambda row: -row["alerts"])[:MAX_LISTED]:
            what = plain(self._short(f"{story.base_name(row['where'])}  {row['rule']}"), "bold")
            what.append_text(plain(self._short(f"  {row['host']}, {row['process']}: {row['reason']}")))
            grid.add_row("", plain(f"{row['alerts']:>6,}"), what)
        self.console.print(grid)
        self._more(len(used) - MAX_LISTED, "entry")

    def _notes(self, notes: Sequence[str]) -> None:
        """Remarks on how the evidence was read; they change no number."""
        if notes:
            self._title("Notes")
            grid = self._grid(1, 1)
            for note in notes[:MAX_ERRORS]:
                grid.add_row("", self.glyphs.bullet, plain(self._short(note)))
            self.console.print(grid)
            self._more(len(notes) - MAX_ERRORS, "note")

    def _errors(self, document: Document) -> None:
        errors = document["errors"]
        if not errors:
            return
        self._title("This result is partial", "yellow")
        grid = self._grid(1, 5)
        for error in errors[:MAX_ERRORS]:
            said = plain(self._short(error["where"]), "bold")
            said.append_text(plain(f": {_sentence(self._short(error['what']))} {error['next_step']}".rstrip()))
            grid.add_row("", plain(error["error"], "yellow"), said)
        self.console.print(grid)
        self._more(len(errors) - MAX_ERRORS, "problem")

    # --- pieces ---------------------------------------------------------------------------------------------------

    def _headline(self, word: str, style: str, title: str) -> None:
        line = plain(f" {word} ", style)
        grid = self._grid(len(word) + 2)
        grid.add_row(line, plain(title, "bold"))
        self.console.print(grid)
        self.console.print(plain(self.glyphs.rule * self.console.width, "dim"))

    def _title(self, words: str, style: str = "") -> None:
        self.console.print()
        self.console.print(plain(words, f"bold {style}".strip()))

    def _facts(self, *facts: tuple[str, str], gap: bool = True) -> None:
        if gap:
            self.console.print()
        grid = self._grid(1, 9)
        for name, value in facts:
            grid.add_row("", plain(name, "dim"), plain(value))
        self.console.print(grid)

    def _middle(self, text: str, limit: int) -> str:
        """The text with its middle left out where it is too long: a path's end and a command's start both matter."""
        if len(text) <= limit:
            return text
        head = 2 * limit // 3
        tail = limit - head - len(self.glyphs.cut)
        return f"{text[:head]}{self.glyphs.cut}{text[-tail:]}"

    def _short(self, text: str) -> str:
        """At most three lines of it: a member of an archive may have a name of 60,000 characters."""
        return self._middle(clean(text), 3 * self.console.width)

    def _more(self, number: int, thing: str, where: str = "--format json") -> None:
        if number > 0:
            plural = thing if number == 1 else f"{thing}es" if thing.endswith("ss") else f"{thing}s"
            self.console.print(plain(f"  and {number:,} more {plural}; {where} has all", "dim"))

    def _grid(self, *widths: int) -> Grid:
        return Grid(widths)
