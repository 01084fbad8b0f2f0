"""A survey of logs, or the matrix of techniques, on the terminal: the document of report/coverage.py in, bytes out.

First what it comes to, then host by host what is odd and what is there, then what to switch on with the exact words to
type. A screen has the worst hosts in full; a file, html and json have all. Everything from evidence passes `plain`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import Page
from douse.cli.screen import FILE_WIDTH, Glyphs, Grid, drawn, plain
from douse.cli.show_matrix import matrix
from douse.hunt.coverage_result import CoverageResult
from douse.report import coverage_story as story
from douse.report.coverage import survey_document
from douse.report.coverage_schema import (
    HostRow,
    JudgedSequenceRow,
    PrerequisiteRow,
    SettingRow,
    StandingRow,
    SurveyChannelRow,
    SurveyDocument,
)
from douse.report.story import count, moment

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

MAX_HOSTS = 3
"""Hosts that a screen shows in full."""
MAX_ROWS = 40
MAX_ERRORS = 8
MAX_TEXT = 400

STYLES = {"yes": "green", "present": "green", "partly": "yellow", "partial": "yellow", "no": "bold red",
          "absent": "red", "file": "cyan", "blind": "dim", "not needed": "dim"}
WORDS = {"yes": "judged", "partly": "in part", "no": "not", "not needed": "spared"}
"""Short enough for a column: what became of a sequence."""


def coverage_table_bytes(result: CoverageResult, color: str = "auto", *, to_file: bool = False) -> Iterator[bytes]:
    """The screen as bytes: for a file in UTF-8 and FILE_WIDTH, else as standard output takes it."""
    stream: TextIO = StringIO() if to_file else sys.stdout
    yield coverage_table(survey_document(result), color=color, stream=stream, width=FILE_WIDTH if to_file else None)


def coverage_table(document: SurveyDocument, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """A survey, or the matrix where nothing was surveyed."""

    def draw(console: Console, glyphs: Glyphs) -> None:
        screen = _Screen(Page(console, glyphs, whole=width is not None))
        screen.draw(document)

    return drawn(draw, stream, color, width)


class _Screen:
    """Draws a document block by block."""

    def __init__(self, page: Page) -> None:
        self.page, self.console = page, page.console

    def draw(self, document: SurveyDocument) -> None:
        self.page.say(story.headline(document), "bold")
        self.page.say(self.page.glyphs.rule * self.console.width, "dim")
        self.page.say(story.lead(document))
        if document["surveyed"]:
            self._hosts(document)
            self._network(document)
            self._todo(document)
            self._summary(document)
        else:
            matrix(self.page, document["techniques"], document["provenance"]["attack_version"])
        self._errors(document)

    # --- hosts ----------------------------------------------------------------------------------------------------

    def _hosts(self, document: SurveyDocument) -> None:
        hosts = sorted(document["hosts"], key=lambda host: ("no", "partly", "yes").index(host["usable"]))
        if len(hosts) > 1:
            self._overview(hosts)
        shown = hosts if self.page.whole else hosts[:MAX_HOSTS]
        known = {row["id"]: row for row in document["prerequisites"]}
        for host in shown:
            self._host(host, known, document["summary"]["rules"])
        self._more(len(hosts) - len(shown), "host")

    def _overview(self, hosts: Sequence[HostRow]) -> None:
        self.page.title("Hosts")
        grid = Grid((1, 7))
        for host in hosts if self.page.whole else hosts[:MAX_ROWS]:
            line = plain(story.label(host["host"]), "bold", MAX_TEXT)
            line.append_text(plain(f"  {count(host['records'], 'record')}, {moment(host['first_seen'])} to "
                                   f"{moment(host['last_seen'])}", "dim"))
            grid.add_row("", _word(host["usable"]), line)
            grid.add_row("", "", plain(_judged(host)))
        self.console.print(grid)
        self._more(len(hosts) - MAX_ROWS, "host")

    def _host(self, host: HostRow, known: dict[str, PrerequisiteRow], rules: int) -> None:
        self.page.title(f"Host {story.label(host['host'])}")
        read = f"{host['rules']:,} of {count(rules, 'rule')} read some of them"
        self.page.facts(
            ("Records", f"{host['records']:,} of {count(len(host['channels']), 'log')}; {read}"),
            ("Time", f"{moment(host['first_seen'])} to {moment(host['last_seen'])} UTC"),
            ("Can be", _judged(host)),
            ("ATT&CK", ", ".join(f"{len(ids):,} {words}" for words, ids in story.techniques(host).items())),
            ("Not seen", ", ".join(story.techniques(host).get(story.STATES["no"], []))),
        )
        self._sequences(host["sequences"])
        self._remarks(host)
        self._standings(host["prerequisites"], known)
        self._channels(host["channels"])

    def _sequences(self, rows: Sequence[JudgedSequenceRow]) -> None:
        self.page.say("  Sequences", "underline")
        grid = Grid((1, 7, 2))
        for row in rows:
            line = plain(row["title"])
            if row["reason"]:
                line.append_text(plain(f"  {row['reason']}", "dim"))
            if not row["hunted"]:
                line.append_text(plain("  A hunt does not look for it yet.", "dim"))
            grid.add_row("", _word(row["state"], WORDS[row["state"]]), plain(row["id"]), line)
        self.console.print(grid)

    def _remarks(self, host: HostRow) -> None:
        remarks = story.remarks(host)
        if remarks:
            self.page.say("  What is odd about these logs", "underline")
            self.page.bullets(plain(remark, "", MAX_TEXT) for remark in remarks)
            if any(row["missing"] for row in host["channels"]):
                self.page.say(f"    {story.GAPS_MEAN}", "dim")

    def _standings(self, rows: Sequence[StandingRow], known: dict[str, PrerequisiteRow]) -> None:
        self.page.say("  What is logged", "underline")
        grid = Grid((1, 7))
        for row in sorted(rows, key=lambda row: ("present", "partial", "absent").index(row["state"])):
            one = known[row["id"]]
            line = plain(one["title"], "" if row["state"] == "absent" else "bold")
            records = f", {count(row['records'], 'record')}" if row["records"] else ""
            line.append_text(plain(f"  {one['events']}{records}", "dim"))
            if row["reason"] and row["state"] != "absent":
                line.append_text(plain(f"  {row['reason']}", "yellow" if row["state"] == "partial" else "dim"))
            grid.add_row("", _word(row["state"]), line)
        self.console.print(grid)

    def _channels(self, rows: Sequence[SurveyChannelRow]) -> None:
        self.page.say("  Logs", "underline")
        grid = Grid((1, 9))
        for row in rows if self.page.whole else rows[:MAX_ROWS]:
            line = plain(row["channel"], "", MAX_TEXT)
            line.append_text(plain(f"  {moment(row['first_seen'])} to {moment(row['last_seen'])}"
                                   f"{_ids(row)}", "dim"))
            grid.add_row("", plain(f"{row['records']:>9,}"), line)
        self.console.print(grid)
        self._more(len(rows) - MAX_ROWS, "log")

    # --- the rest -------------------------------------------------------------------------------------------------

    def _network(self, document: SurveyDocument) -> None:
        known = {row["id"]: row for row in document["prerequisites"]}
        self.page.title("Logs of network sensors, of no single host")
        self._standings(document["network"]["prerequisites"], known)

    def _todo(self, document: SurveyDocument) -> None:
        todo, others = story.todo(document), story.others(document)
        if not (todo or others):
            return
        self.page.title("What to switch on")
        for one in todo if self.page.whole else todo[:MAX_ROWS]:
            self.page.bullets([plain(f"{story.task(one)} ({count(len(one.hosts), 'host')})", "bold", MAX_TEXT)])
            for number, option in enumerate(one.options):
                self._option(option, full=number == 0)
        if others and self.page.whole:
            self.page.bullets([plain("Further telemetry that is absent", "bold")])
            for row in others:
                self._option(row, full=True)
        elif others:
            names = ", ".join(f"{row['title']} ({row['events']})" for row in others)
            self.page.bullets([plain(f"Further telemetry that is absent: {names}. -o FILE, --format html or json has "
                                     "the settings.")])

    def _option(self, option: PrerequisiteRow, *, full: bool) -> None:
        if not full:
            grid = Grid((3,))
            grid.add_row("", plain(f"or {option['title']} ({option['events']}), id {option['id']}", "dim"))
            self.console.print(grid)
            return
        grid = Grid((3,))
        grid.add_row("", plain(f"{option['title']} ({option['events']}), id {option['id']}"))
        self.console.print(grid)
        grid = Grid((3, 12))
        grid.add_row("", plain("volume", "dim"), plain(option["volume"]))
        for setting in option["settings"]:
            grid.add_row("", plain(setting["by"], "dim"), _setting(setting))
        self.console.print(grid)

    def _summary(self, document: SurveyDocument) -> None:
        summary = document["summary"]
        self.page.title("Summary")
        ignored = f" ({summary['ignored_files']:,} ignored)" if summary["ignored_files"] else ""
        empty = f", {summary['empty_files']:,} without a record" if summary["empty_files"] else ""
        lost = f", {summary['records_lost']:,} lost" if summary["records_lost"] else ", none lost"
        self.page.facts(
            ("Files", f"{summary['files']:,}{ignored}{empty}"),
            ("Records", f"{summary['records_read']:,} read{lost}"),
            ("Events", f"{moment(summary['first_event'])} to {moment(summary['last_event'])} UTC"),
            ("Hosts", f"{summary['hosts']:,}" + (f", {summary['hosts_unusable']:,} of them cannot be judged at all"
                                                 if summary["hosts_unusable"] else "")),
        )

    def _errors(self, document: SurveyDocument) -> None:
        errors = document["errors"]
        if errors:
            self.page.title("This result is partial")
            grid = Grid((1, 5))
            for error in errors[:MAX_ERRORS]:
                said = plain(error["where"], "bold", MAX_TEXT)
                said.append_text(plain(f": {error['what'].rstrip('.')}. {error['next_step']}".rstrip(), "", MAX_TEXT))
                grid.add_row("", plain(error["error"], "yellow"), said)
            self.console.print(grid)
            self._more(len(errors) - MAX_ERRORS, "problem")
        if document["notes"]:
            self.page.title("Notes")
            self.page.listed((plain(note, "", MAX_TEXT) for note in document["notes"]), len(document["notes"]))

    def _more(self, number: int, thing: str) -> None:
        if number > 0 and not self.page.whole:
            self.page.say(f"  and {count(number, f'more {thing}')}; -o FILE, --format html or json has all", "dim")


def _word(state: str, shown: str = "") -> Text:
    return plain(shown or state, STYLES.get(state, ""))


def _judged(host: HostRow) -> str:
    """`judged S1 S2; in part S3; not S4 S5`."""
    groups = (("judged", "yes"), ("in part", "partly"), ("not", "no"))
    said = [f"{word} {' '.join(found)}" for word, state in groups if (found := story.judged(host, state))]
    return "; ".join(said)


def _ids(row: SurveyChannelRow) -> str:
    if row["missing"] is None:
        return ""
    if not row["missing"]:
        return f", records {row['first_id']} to {row['last_id']} without a gap"
    least = "" if row["ids_known"] else "at least "
    return f", records {row['first_id']} to {row['last_id']}, {least}{row['missing']:,} missing"


def _setting(setting: SettingRow) -> Text:
    line = plain(setting["do"])
    if not setting["verified"]:
        line.append_text(plain("  (unverified)", "yellow"))
    return line
