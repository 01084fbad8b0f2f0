"""What the audit's page shows of each subject, worked out of its rows: what is wrong, what nobody can tell, what is in
place, and the files behind it by number.

A page is for people, so a fleet's is shorter than a computer's: of many subjects it holds what is wrong, with the
worst settings and their evidence, and of the rest only the names. Rows come in (audit_schema.py) and are not changed;
whatever is left out is counted. JSON and CSV have all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from douse.report import audit_story as story
from douse.report.audit_schema import AuditDocument, CheckRow, CitedRow, FindingRow, SourceRow, SubjectRow
from douse.report.phrases import count

FEW_SUBJECTS: Final = 12
"""Up to so many subjects each is shown with the evidence of all its settings, and is printed."""
MAX_CHECKS: Final = 60
MAX_CHECKS_OF_MANY: Final = 2
"""Settings of a finding that are not as they should be."""
MAX_CITED: Final = 4
MAX_CITED_OF_MANY: Final = 1
"""Pieces of evidence of a setting."""

_FINE = ("pass", "not-applicable")


@dataclass(frozen=True, slots=True)
class Evidence:
    """A piece of evidence: its value, its place where that is not the setting's own, and the number of its file among
    the subject's, or its name where it is none of these."""

    value: str
    place: str
    file: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """A setting with its evidence; `why` is empty where the finding said it. `more` pieces of evidence are left out."""

    row: CheckRow
    why: str
    cited: Sequence[Evidence]
    more: int


@dataclass(frozen=True, slots=True)
class FindingView:
    """A control on a subject: `wrong` settings, `more` of which are left out, those that are `fine`, and the number of
    all that are fine, in words."""

    row: FindingRow
    title: str
    wrong: Sequence[CheckView]
    more: int
    fine: Sequence[CheckView]
    fine_words: str


@dataclass(frozen=True, slots=True)
class SubjectView:
    """A subject with its findings by what they ask for, and its files, numbered from 1."""

    row: SubjectRow
    files: Sequence[tuple[int, SourceRow]]
    wrong: Sequence[FindingView]
    unknown: Sequence[FindingView]
    kept: Sequence[FindingView]
    spared: Sequence[FindingView]


def subject_views(document: AuditDocument, most: int) -> list[SubjectView]:
    """The subjects that the page shows in full, the worst where there are more than that."""
    titles = {row["id"]: row["title"] for row in document["controls"]}
    every = document["subjects"]
    chosen = sorted(range(len(every)), key=lambda number: _worst(every[number]))[:most]
    many = len(every) > FEW_SUBJECTS
    return [_subject(every[number], titles, many) for number in sorted(chosen)]


def _worst(subject: SubjectRow) -> tuple[bool, int, int]:
    """The order in which subjects are chosen: what is no host first, as there are few; then the worst hosts."""
    counts = subject["counts"]
    return (subject["kind"] == "host", -counts["fail"] - counts["conflict"] - counts["partial"], -counts["unknown"])


def _subject(row: SubjectRow, titles: Mapping[str, str], many: bool) -> SubjectView:
    numbers = {(one["kind"], one["file"]): number for number, one in enumerate(row["sources"], 1)}
    found = [_finding(one, titles[one["control"]], numbers, many) for one in story.worst_first(row["findings"])]
    if not row["seen"] and row["kind"] == "host":
        found = []  # all of it is unknown, which one sentence says
    files = list(enumerate(row["sources"], 1))
    return SubjectView(row, files, *(_in(found, states) for states in (
        ("fail", "conflict", "partial"), ("unknown",), ("pass",), ("not-applicable",))))


def _in(found: Iterable[FindingView], states: Sequence[str]) -> list[FindingView]:
    return [one for one in found if one.row["state"] in states]


def _finding(row: FindingRow, title: str, numbers: Mapping[tuple[str, str], int], many: bool) -> FindingView:
    alone = len(row["checks"]) == 1
    wrong = [one for one in row["checks"] if one["state"] not in _FINE]
    fine = [one for one in row["checks"] if one["state"] in _FINE]
    shown = wrong[:MAX_CHECKS_OF_MANY if many else MAX_CHECKS]
    if many and row["state"] == "unknown":
        shown = []  # its reason says what evidence is missing
    return FindingView(row, title, [_check(one, numbers, many, alone) for one in shown], len(wrong) - len(shown),
                       [] if many else [_check(one, numbers, many, alone) for one in fine], _fine(fine))


def _fine(rows: Sequence[CheckRow]) -> str:
    """How many settings pass or do not apply, in words; empty where none does."""
    passing = sum(one["state"] == "pass" for one in rows)
    spared = len(rows) - passing
    words = [count(passing, "setting") + " in place"] if passing else []
    words += [f"{count(spared, 'setting')} not applicable"] if spared else []
    return ", ".join(words)


def _check(row: CheckRow, numbers: Mapping[tuple[str, str], int], many: bool, alone: bool) -> CheckView:
    pieces = list(dict.fromkeys(_evidence(one, row, numbers) for one in row["cited"]))
    shown = pieces[:MAX_CITED_OF_MANY if many else MAX_CITED]
    return CheckView(row, "" if alone else row["why"], shown, len(pieces) - len(shown))


def _evidence(one: CitedRow, row: CheckRow, numbers: Mapping[tuple[str, str], int]) -> Evidence:
    same = one["where"].casefold() == row["where"].casefold()
    file = numbers.get((one["kind"], one["file"]), one["file"])
    return Evidence(one["value"], "" if same else one["where"], str(file))
