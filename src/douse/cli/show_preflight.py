"""A pre-flight or a verify on the terminal: a document of report/ in, bytes out.

First the verdict and its reason, then who was watched, then the use cases, the open ones first, then what nobody could
have seen. A screen has the first of each; a file, csv and json have all. Everything from evidence passes `plain`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from typing import TYPE_CHECKING, TextIO

from douse.cli.rules_page import Page
from douse.cli.screen import FILE_WIDTH, Glyphs, Grid, drawn, plain
from douse.report.preflight_schema import HitRow, PreflightDocument, UseCaseRow, VerifyDocument
from douse.report.schema import ErrorRow
from douse.report.story import count, listed, moment, one_line

if TYPE_CHECKING:
    from rich.console import Console

MAX_USES = 20
MAX_HOSTS = 20
MAX_ERRORS = 8
MAX_TEXT = 400
MAX_COMMAND = 300
MAX_NAMED = 4

VERDICTS = {"GO": "bold green", "GO WITH EXCEPTIONS": "bold yellow", "NO-GO": "bold red", "INSUFFICIENT": "bold red"}
CLASSES = {"suspect": "bold red", "unknown": "yellow", "business candidate": "cyan"}
STATES = {"new": "bold red", "alike": "yellow", "known": "cyan"}

NO_CONNECTION = "no, but AppLocker and App Control would stop it, and ask for a decision"

Draw = Callable[[Page], None]


def preflight_table_bytes(document: PreflightDocument, color: str, *, to_file: bool) -> Iterator[bytes]:
    """The screen of a pre-flight."""
    yield _bytes(lambda page: _preflight(page, document), color, to_file=to_file)


def verify_table_bytes(document: VerifyDocument, color: str, *, to_file: bool) -> Iterator[bytes]:
    """The screen of a verify."""
    yield _bytes(lambda page: _verify(page, document), color, to_file=to_file)


def _bytes(draw: Draw, color: str, *, to_file: bool) -> bytes:
    """A screen as bytes: for a file in UTF-8 and FILE_WIDTH, else as standard output takes it."""
    stream: TextIO = StringIO() if to_file else sys.stdout
    width = FILE_WIDTH if to_file else None

    def on(console: Console, glyphs: Glyphs) -> None:
        draw(Page(console, glyphs, whole=to_file))

    return drawn(on, stream, color, width)


def _preflight(page: Page, document: PreflightDocument) -> None:
    page.say(f"{document['verdict']}  {document['program']}", VERDICTS[document["verdict"]])
    page.say(page.glyphs.rule * page.console.width, "dim")
    page.say(document["reason"])
    _covered(page, document)
    _uses(page, document["use_cases"])
    page.title("What was not looked at")
    page.bullets(plain(one, "", MAX_TEXT) for one in document["not_seen"])
    _notes(page, document["notes"])
    _errors(page, document["errors"])


def _covered(page: Page, document: PreflightDocument) -> None:
    coverage = document["coverage"]
    page.title("Who was watched")
    page.facts(
        ("Hosts", f"{coverage['covered']:,} of {count(coverage['hosts'], 'host')}, and {document['need']} % must be"),
        ("Window", f"{count(document['days'], 'day')}, {moment(document['since'])} to {moment(document['until'])} UTC"),
        ("Records", f"{document['records']:,} read"),
        ("Unlisted", listed(document["unlisted"], 0 if page.whole else MAX_NAMED)),
    )
    hosts = sorted(document["hosts"], key=lambda host: host["covered"])
    shown = hosts if page.whole else [host for host in hosts if not host["covered"]][:MAX_HOSTS]
    grid = Grid((1, 3))
    for host in shown:
        line = plain(host["host"], "bold", MAX_TEXT)
        line.append_text(plain(f"  {host['why']}", "", MAX_TEXT))
        grid.add_row("", plain("yes", "green") if host["covered"] else plain("no", "bold red"), line)
    page.console.print(grid)
    uncovered = sum(not host["covered"] for host in hosts)
    if not page.whole and uncovered > MAX_HOSTS:
        page.say(f"  and {uncovered - MAX_HOSTS:,} more that were not; -o FILE or --format json has all", "dim")


def _uses(page: Page, uses: Sequence[UseCaseRow]) -> None:
    page.title(f"Use cases ({len(uses):,}, {sum(bool(use['open']) for use in uses):,} open)")
    ordered = sorted(uses, key=lambda use: not use["open"])
    for use in ordered if page.whole else ordered[:MAX_USES]:
        line = plain(use["class"], CLASSES[use["class"]])
        where = f"{use['destination']}:{use['port']}" if use["destination"] else "no connection"
        line.append_text(plain(f"  {use['id']}  {where}", "bold", MAX_TEXT))
        page.bullets([line])
        grid = Grid((3, 8))
        for name, value in _facts(use):
            grid.add_row("", plain(name, "dim"), plain(value, "bold" if name == "open" else "", MAX_TEXT))
        page.console.print(grid)
    if not uses:
        page.say("  none was seen; that means something only for the hosts that were covered", "dim")
    if len(ordered) > MAX_USES and not page.whole:
        page.say(f"  and {len(ordered) - MAX_USES:,} more; -o FILE or --format json has all", "dim")


def _facts(use: UseCaseRow) -> Iterator[tuple[str, str]]:
    yield "open", use["open"] or ("no" if use["decision"] and use["decision"]["decision"] else NO_CONNECTION)
    yield "by", use["parent"] or "unknown"
    if use["command"]:
        yield "command", one_line(use["command"])[:MAX_COMMAND]
    yield "basis", use["basis"]
    yield "who", "; ".join(filter(None, (listed(use["hosts"], MAX_NAMED), listed(use["users"], MAX_NAMED))))
    yield "when", (f"{moment(use['first_seen'])} to {moment(use['last_seen'])} UTC, {count(use['times'], 'run')} on "
                   f"{count(use['days'], 'day')}")
    decision = use["decision"]
    if decision and decision["decision"]:
        yield "decided", f"{decision['decision']} by {decision['owner'] or 'nobody'} until {decision['expires'] or '?'}"
    yield "why", use["why"]


def _verify(page: Page, document: VerifyDocument) -> None:
    hits, deaf = document["hits"], sum(not host["can_say"] for host in document["hosts"])
    people = len({(hit["host"], hit["user"]) for hit in hits})
    programs = listed(document["programs"])
    page.say(f"{count(len(hits), 'hit')} of {programs}" if hits else f"No hit of {programs} was recorded",
             "bold red" if hits else "bold")
    page.say(page.glyphs.rule * page.console.width, "dim")
    new = sum(hit["state"] == "new" for hit in hits)
    said = f"{count(people, 'person or host')} hit; {new:,} of the hits are new to the pre-flight. " if hits else ""
    page.say(f"{said}{count(deaf, 'host')} of {len(document['hosts']):,} cannot say whether anybody was hit.")
    for hit in hits if page.whole else hits[:MAX_USES]:
        _hit(page, hit)
    if len(hits) > MAX_USES and not page.whole:
        page.say(f"  and {len(hits) - MAX_USES:,} more; -o FILE or --format json has all", "dim")
    page.title("Hosts")
    grid = Grid((1, 10))
    for host in document["hosts"] if page.whole else document["hosts"][:MAX_HOSTS]:
        line = plain(host["host"], "bold", MAX_TEXT)
        line.append_text(plain(f"  {host['why']}", "", MAX_TEXT))
        grid.add_row("", plain("can say", "green") if host["can_say"] else plain("cannot say", "yellow"), line)
    page.console.print(grid)
    _notes(page, document["notes"])
    _errors(page, document["errors"])


def _hit(page: Page, hit: HitRow) -> None:
    line = plain(hit["state"], STATES[hit["state"]])
    who = f"  {hit['host']}  {hit['user'] or 'unknown user'}  {hit['program']} {hit['outcome']}"
    line.append_text(plain(who, "bold", MAX_TEXT))
    page.bullets([line])
    where = f"{hit['destination']}:{hit['port']}" if hit["destination"] else "–"
    known = f"{hit['use_case']} {hit['decision'] or '(undecided)'}" if hit["use_case"] else ""
    when = f"{moment(hit['first_seen'])} to {moment(hit['last_seen'])} UTC, {hit['times']:,} times"
    grid = Grid((3, 8))
    for name, value in (("event", hit["event"]), ("where", where), ("by", hit["parent"]), ("use case", known),
                        ("command", one_line(hit["command"])[:MAX_COMMAND]), ("when", when)):
        if value:
            grid.add_row("", plain(name, "dim"), plain(value, "", MAX_TEXT))
    page.console.print(grid)


def _notes(page: Page, notes: Sequence[str]) -> None:
    if notes:
        page.title("Remarks")
        page.listed((plain(note, "", MAX_TEXT) for note in notes), len(notes))


def _errors(page: Page, errors: Sequence[ErrorRow]) -> None:
    if not errors:
        return
    page.title("What could not be used")
    grid = Grid((1, 5))
    for error in errors if page.whole else errors[:MAX_ERRORS]:
        said = plain(error["where"], "bold", MAX_TEXT)
        said.append_text(plain(f": {error['what'].rstrip('.')}. {error['next_step']}".rstrip(), "", MAX_TEXT))
        grid.add_row("", plain(error["error"], "yellow"), said)
    page.console.print(grid)
    if len(errors) > MAX_ERRORS and not page.whole:
        page.say(f"  and {len(errors) - MAX_ERRORS:,} more; -o FILE or --format json has all", "dim")
