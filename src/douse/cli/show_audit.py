"""The table of `douse harden audit`: the mission's question for each host, a matrix, the worst findings with what was
seen, what was not seen, and what could not be read.

It is drawn from the rows of report/audit.py, as every other format is, so that all of them say the same. A state is a
letter in the matrix and a word elsewhere; colour only repeats it. Every text passes `plain`: names and values in
evidence are a stranger's. In a file nothing is cut but values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TextIO, TypeVar

from douse.cli.rules_page import Page
from douse.cli.screen import Glyphs, Grid, drawn, plain
from douse.report import audit_story as story
from douse.report.audit import audit_document
from douse.report.audit_schema import AuditDocument, CheckRow, ControlSummaryRow, FindingRow, SubjectRow
from douse.report.phrases import count, listed

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from douse.harden.finding import AuditResult

T = TypeVar("T")

LETTERS = {"pass": "+", "fail": "x", "partial": "~", "conflict": "!", "unknown": "?", "not-applicable": "-"}
STYLES = {"pass": "green", "fail": "red", "partial": "yellow", "conflict": "magenta", "unknown": "cyan",
          "not-applicable": "dim"}
ANSWER_STYLES = {"unrestricted": "red", "conflict": "magenta", "unknown": "cyan", "allowed-for-group": "yellow",
                 "denied": "green", "dead": "green"}

MAX_COLUMNS = 20
"""So many hosts have a column of their own; of more the worst ones do."""

MAX_NAMES = 5
"""So many hosts of one answer are named."""

MAX_SUBJECTS, MAX_FINDINGS, MAX_CHECKS, MAX_VALUE, MAX_LISTED = 10, 5, 2, 160, 12
_BAD = ("conflict", "fail", "partial")
"""States that ask for somebody; a conflict first, as it is rare and hides what is true."""


def audit_table(result: AuditResult, *, color: str, stream: TextIO, width: int | None = None) -> bytes:
    """The whole audit."""
    document = audit_document(result)

    def draw(console: Console, glyphs: Glyphs) -> None:
        page = Page(console, glyphs, whole=width is not None)
        page.say(story.headline(document), "bold")
        page.say(page.glyphs.rule * console.width, "dim")
        page.say(story.lead(document))
        hosts = [one for one in document["subjects"] if one["kind"] == "host"]
        _question(page, hosts)
        _matrix(page, document, hosts)
        _subjects(page, document)
        _unseen(page, document)
        _problems(page, document, result)
        _next(page, document)

    return drawn(draw, stream, color, width)


# ── the mission's question ────────────────────────────────────────────────────────────────────────────────────────────


def _question(page: Page, hosts: Sequence[SubjectRow]) -> None:
    """May mshta run here? A line for the hosts of which the same is to be said."""
    alike: dict[tuple[str, str, str], list[str]] = {}
    for one in hosts:
        if mshta := one["mshta"]:
            alike.setdefault((mshta["answer"], mshta["egress"], mshta["sentence"]), []).append(story.shown(one))
    if not alike:
        return
    page.title("May mshta.exe run?")
    shown = _first(page, list(alike), MAX_SUBJECTS)
    for answer, egress, sentence in shown:
        names = alike[answer, egress, sentence]
        line = plain(listed(names, len(names) if page.whole else MAX_NAMES), "bold")
        line.append_text(plain(f"  {story.ANSWERS[answer]}", ANSWER_STYLES[answer]))
        line.append_text(plain(f"  egress: {story.STATES[egress]}", STYLES[egress]))
        page.bullets([line])
        _indented(page, 3, plain(sentence, "dim", 0 if page.whole else 4 * MAX_VALUE))
    _more(page, sum(map(len, alike.values())) - sum(len(alike[one]) for one in shown), "host")


# ── the matrix ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _matrix(page: Page, document: AuditDocument, hosts: Sequence[SubjectRow]) -> None:
    """A row for each control, a column for each host, or for the tenant and the organisation where it is theirs."""
    others = [one for one in document["subjects"] if one["kind"] in ("tenant", "organisation")]
    columns = [*sorted(hosts, key=_badness)[:MAX_COLUMNS], *others]
    columns.sort(key=document["subjects"].index)
    if not columns:
        return
    page.title("Controls")
    for number, one in enumerate(columns, 1):
        page.say(f"  {_mark(number)} {story.shown(one)}{'' if one['seen'] else '  (no evidence)'}")
    _more(page, len(hosts) + len(others) - len(columns), "host")
    page.say("  " + "  ".join(f"{letter} {story.STATES[state]}" for state, letter in LETTERS.items()), "dim")
    states = [{finding["control"]: finding["state"] for finding in one["findings"]} for one in columns]
    grid = Grid((1, 3, 6, len(columns)))
    grid.add_row("", "", "", plain("".join(_mark(number) for number in range(1, len(columns) + 1)), "dim"), "")
    for control in document["controls"]:
        grid.add_row("", plain(control["id"], "bold"), plain(control["severity"], "dim"),
                     _cells([state.get(control["id"], "") for state in states]), plain(control["title"], "", 90))
    page.console.print(grid)


def _mark(number: int) -> str:
    """One letter for a column: 1 to 9, then a to z."""
    return "123456789abcdefghijklmnopqrstuvwxyz"[min(number, 35) - 1]


def _cells(states: Iterable[str]) -> Text:
    line = plain("")
    for state in states:
        line.append_text(plain(LETTERS.get(state, " "), STYLES.get(state, "")))
    return line


def _badness(subject: SubjectRow) -> tuple[int, int, str]:
    """The worst host first: what fails, then what nobody can tell."""
    counts = subject["counts"]
    return -sum(counts[state] for state in _BAD), -counts["unknown"], subject["name"].casefold()


# ── findings ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _subjects(page: Page, document: AuditDocument) -> None:
    """What is wrong on each subject, with the evidence for it."""
    severities = {control["id"]: control for control in document["controls"]}
    told = [one for one in document["subjects"] if _worst(one, severities) or one["lints"] or one["notes"]]
    shown = _first(page, told, MAX_SUBJECTS)
    for one in shown:
        _subject(page, one, severities)
    _more(page, len(told) - len(shown), "subject")


def _subject(page: Page, one: SubjectRow, controls: dict[str, ControlSummaryRow]) -> None:
    counts = ", ".join(f"{number} {story.STATES[state]}" for state, number in one["counts"].items() if number)
    role = "" if one["role"] in one["system"] else one["role"]
    about = ", ".join(filter(None, (one["system"], role, one["owner"], one["criticality"])))
    page.title(f"{story.KINDS[one['kind']]} {story.shown(one)}: {counts or 'nothing to judge'}")
    if about:
        page.say(about, "dim")
    for note in one["notes"]:
        page.say(note, "yellow")
    worst = _worst(one, controls)
    shown = _first(page, worst, MAX_FINDINGS)
    for finding in shown:
        _finding(page, finding, controls[finding["control"]])
    _more(page, len(worst) - len(shown), "finding")
    lints = _first(page, one["lints"], MAX_LISTED)
    page.bullets(plain(f"{lint['severity']} {lint['code']}: {lint['what']} {lint['next_step']} "
                       f"({lint['cited']['file']} {lint['cited']['where']})") for lint in lints)
    _more(page, len(one["lints"]) - len(lints), "lint")


def _worst(one: SubjectRow, controls: dict[str, ControlSummaryRow]) -> list[FindingRow]:
    """The findings that are bad, by how much a thief gains and then by urgency."""
    ranks = {"high": 0, "medium": 1, "low": 2}
    found = [finding for finding in one["findings"] if finding["state"] in _BAD]
    return sorted(found, key=lambda row: (ranks[controls[row["control"]]["severity"]], _BAD.index(row["state"]),
                                          row["control"]))


def _finding(page: Page, finding: FindingRow, control: ControlSummaryRow) -> None:
    line = plain(story.STATES[finding["state"]], STYLES[finding["state"]])
    line.append_text(plain(f"  {control['id']} {control['title']}", "bold", 120))
    line.append_text(plain(f"  {control['severity']}", "dim"))
    page.bullets([line])
    _indented(page, 3, plain(finding["why"], "", 0 if page.whole else 3 * MAX_VALUE))
    for check in [check for check in finding["checks"] if check["state"] in _BAD][:None if page.whole else MAX_CHECKS]:
        _evidence(page, check)
    for note in finding["notes"]:
        _indented(page, 3, plain(note, "dim", 0 if page.whole else 2 * MAX_VALUE))


def _evidence(page: Page, check: CheckRow) -> None:
    """Where it was seen: source, place, raw value."""
    for cited in check["cited"][:None if page.whole else MAX_CHECKS]:
        seen = plain(f"{cited['kind']} ", "dim")
        seen.append_text(plain(cited["file"], "cyan", MAX_VALUE))
        seen.append_text(plain(f"  {cited['where']}", "", MAX_VALUE))
        seen.append_text(plain(" = ", "dim"))
        seen.append_text(plain(cited["value"], "", MAX_VALUE))
        _indented(page, 5, seen)


# ── what was not seen ─────────────────────────────────────────────────────────────────────────────────────────────────


def _unseen(page: Page, document: AuditDocument) -> None:
    """Of what nobody can tell, and what evidence would."""
    subjects = [(one, [finding for finding in one["findings"] if finding["state"] == "unknown"])
                for one in document["subjects"] if one["counts"]["unknown"]]
    if not subjects:
        return
    page.title("Not seen, and so not counted as in place")
    shown = _first(page, subjects, MAX_SUBJECTS)
    for one, findings in shown:
        names = listed([finding["control"] for finding in findings], len(findings) if page.whole else MAX_LISTED)
        page.bullets([plain(f"{story.shown(one)}: {names}")])
        if one["seen"]:
            _indented(page, 3, plain(findings[0]["why"], "dim", 2 * MAX_VALUE))
    _more(page, len(subjects) - len(shown), "subject")


def _problems(page: Page, document: AuditDocument, result: AuditResult) -> None:
    """Evidence that could not be used, and remarks on how it was read."""
    from douse.masking import mask

    if document["problems"]:
        page.title(f"{count(len(document['problems']), 'part')} of the evidence could not be used")
        page.listed((plain(f"{one['where']}: {one['what']} {one['next_step']}".rstrip())
                     for one in document["problems"]), len(document["problems"]))
    if result.notes:
        page.title("Remarks on the evidence")
        page.listed((plain(mask(f"{one.where}: {one.what} {one.next_step}".rstrip())) for one in result.notes),
                    len(result.notes))


def _next(page: Page, document: AuditDocument) -> None:
    """The last lines: what was read, what it rests on, what to run next."""
    page.title(f"{count(len(document['files']), 'file')} of evidence, profile {document['profile']}")
    page.say(story.NEVER_RUN, "dim")
    rows = story.to_change(document)
    for program in story.preflights(rows):
        page.say(f"Before {program} is blocked: douse harden preflight {program.removesuffix('.exe')} --logs PATH "
                 "--inventory FILE -o preflight.json", "dim")
    if command := story.command(rows, document["profile"]):
        page.say("Next:")
        page.console.print(plain(command, "cyan"), soft_wrap=True)  # on one line, to be copied


# ── drawing ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _first(page: Page, rows: Sequence[T], most: int) -> Sequence[T]:
    return rows if page.whole else rows[:most]


def _more(page: Page, number: int, what: str) -> None:
    if number > 0:
        page.say(f"  and {count(number, f'more {what}')}; -o FILE or --format html has all", "dim")


def _indented(page: Page, width: int, text: Text) -> None:
    grid = Grid((width,))
    grid.add_row("", text)
    page.console.print(grid)
