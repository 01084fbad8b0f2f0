"""Load questionnaire.yml: what no file of a computer shows, asked of the organisation, for any vendor's product.

    questions()    in the order of the file

A control asks by `settings: [{question: ID}]`; the answers come as evidence (a filled-in questionnaire). The format is
in controls/README.md; what breaks it is a ContentError with file and line.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section

FILE = Path(__file__).with_name("questionnaire.yml")
_ID = re.compile(r"[a-z]+(-[a-z]+)*")


@dataclass(frozen=True, slots=True)
class Question:
    """One question: the control it belongs to first, its text, and what counts as proof of a yes."""

    id: str
    control: str
    text: str
    proof: str


@cache
def questions() -> tuple[Question, ...]:
    """All questions, in order."""
    data = document.read(FILE)
    found: dict[str, Question] = {}
    for entry in data.listed("questions"):
        question = _question(entry)
        if question.id in found:
            entry.fail(f"{question.id!r} is asked twice.", key="id")
        found[question.id] = question
    data.end()
    return tuple(found.values())


def _question(entry: Section) -> Question:
    found = Question(entry.text("id"), entry.text("control"), entry.text("text"), entry.text("proof"))
    if not _ID.fullmatch(found.id):
        entry.fail(f"id {found.id!r} is not of the form word-word.", key="id")
    if not found.text.endswith("?"):
        entry.fail("text is no question.", "End it with a question mark.", key="text")
    entry.end()
    return found


@cache
def question_ids() -> tuple[str, ...]:
    """The ids of all questions."""
    return tuple(question.id for question in questions())
