"""A filled-in questionnaire (harden/questionnaire.py writes a blank one): answers of an organisation, for any vendor.

Answers that do not say by whom and when are kept and noted; what they are worth is the audit's to say. A question that
nobody asks is told as lost, with the nearest one that is asked.
"""

from __future__ import annotations

from datetime import date
from difflib import get_close_matches

from douse.content import document
from douse.content.document import Section
from douse.content.questionnaire import question_ids
from douse.errors import ContentError, EvidenceError
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import Answer, Subject
from douse.harden.questionnaire import FORMAT
from douse.harden.seen import Seen, Source

_LONGEST = 300
ANSWERS = ("yes", "no", "partial", "unknown")


def looks(file: EvidenceFile) -> bool:
    """Whether it says what it is, in the line that a blank one has."""
    return f"format: {FORMAT}" in texts.start_of(file.data, 8 << 10)


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the answers to the organisation that the file names."""
    try:
        top = document.parse(texts.read(file, evidence), file.shown)
        top.choice("format", (FORMAT,))
        organisation = evidence.subject("organisation", top.text("organisation").strip() or "organisation")
        entries = top.listed("answers")
        top.end()
    except ContentError as error:
        raise EvidenceError(error.where, shortened(error.what), error.next_step) from None
    source = file.source("questionnaire")
    for entry in entries:
        try:
            _answer(entry, organisation, source, evidence)
        except ContentError as error:
            evidence.lost(error.where, shortened(error.what), error.next_step)


def shortened(what: str) -> str:
    """A complaint that may quote a value of the file, at a length that a person reads."""
    return what if len(what) <= _LONGEST else what[:_LONGEST] + "…"


def _answer(entry: Section, organisation: Subject, source: Source, evidence: Evidence) -> None:
    question = entry.text("question")
    if question not in question_ids():
        near = get_close_matches(question, question_ids(), 1)
        entry.fail(f"nobody asks {question[:60]!r}.",
                   f"Did you mean {near[0]!r}?" if near else "Take the ids of a blank questionnaire.", key="question")
    said = entry.text("answer", "").strip().casefold()
    if said not in ("", *ANSWERS):
        entry.fail(f"answer is {said[:60]!r}.", f"One of {', '.join(ANSWERS)}, or empty.", key="answer")
    answer = Answer(said or "unknown", *(entry.text(key, "").strip() for key in ("by", "when", "proof", "comment")))
    entry.end()
    organisation.answers.setdefault(question, []).append(Seen(answer, source, f"line {entry.line}", said))
    if answer.when and not _is_date(answer.when):
        evidence.note(entry.where, f"{question}: {answer.when[:60]!r} is no date, so that the answer has none.",
                      "Write it as 2026-11-24.")
    if said and not (answer.by and answer.when):
        evidence.note(entry.where, f"{question} is answered without saying by whom and when.", "Add by and when.")


def _is_date(text: str) -> bool:
    try:
        return bool(date.fromisoformat(text))
    except ValueError:
        return False
