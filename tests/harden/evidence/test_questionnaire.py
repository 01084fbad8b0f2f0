"""The questionnaire: a blank one is read back as it was written, answers keep who said what, and odd ones are told."""

from __future__ import annotations

import pytest

from douse.content.questionnaire import question_ids
from douse.harden.observed import Answer
from douse.harden.questionnaire import blank
from harden.evidence.given import given, only, told

HEAD = "format: douse-questionnaire-1\norganisation: Example\nanswers:\n"
YES = "  - {question: edr-behaviour, answer: yes, by: anna, when: 2026-11-24, proof: policy.pdf, comment: all}\n"


def test_a_blank_one_is_all_unknown() -> None:
    evidence = given("q.yml", blank(), reader="questionnaire")
    organisation = only(evidence)
    assert (organisation.kind, organisation.name) == ("organisation", "organisation")
    assert set(organisation.answers) == set(question_ids())
    assert {seen[0].value for seen in organisation.answers.values()} == {Answer("unknown", "", "", "", "")}
    assert (evidence.problems, evidence.notes) == ([], [])


def test_a_blank_one_is_readable() -> None:
    assert max(map(len, blank().splitlines())) <= 120
    assert blank().isascii()
    for question in question_ids():
        assert f"  - question: {question}\n" in blank()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_an_answer(encoding) -> None:
    evidence = given("q.yml", (HEAD + YES).encode(encoding), reader="questionnaire")
    (seen,) = only(evidence).answers["edr-behaviour"]
    assert seen.value == Answer("yes", "anna", "2026-11-24", "policy.pdf", "all")
    assert (seen.where, seen.raw, only(evidence).name) == ("line 4", "yes", "Example")


def test_a_day_that_is_no_date_is_told() -> None:
    evidence = given("q.yml", HEAD + YES.replace("2026-11-24", "24.11.2026"), reader="questionnaire")
    assert [note.what for note in evidence.notes] == [
        "edr-behaviour: '24.11.2026' is no date, so that the answer has none."]


def test_filling_in_a_blank_one() -> None:
    filled = blank().replace("organisation: ''", "organisation: Example").replace(
        "    answer:\n    by: ''", "    answer: Partial\n    by: 'anna'", 1)
    evidence = given("q.yml", filled, reader="questionnaire")
    answer = only(evidence).answers[question_ids()[0]][0].value
    assert (answer.answer, answer.by) == ("partial", "anna")
    assert "without saying by whom and when" in evidence.notes[0].what


@pytest.mark.parametrize(("entry", "message"), [
    ("  - {question: edr-behavior, answer: yes}\n", "q.yml:5: nobody asks 'edr-behavior'."),
    ("  - {question: edr-behaviour, answer: maybe}\n", "q.yml:5: answer is 'maybe'."),
    ("  - {question: edr-behaviour, anwser: yes}\n", "q.yml:5: unknown key 'anwser'."),
    ("  - {answer: yes}\n", "q.yml:5: question is missing."),
    ("  - {question: edr-behaviour, answer: [yes]}\n", "q.yml:5: answer must be one value"),
])
def test_an_odd_entry_costs_only_itself(entry, message) -> None:
    evidence = given("q.yml", HEAD + YES + entry, reader="questionnaire")
    assert [seen.value.answer for seen in only(evidence).answers["edr-behaviour"]] == ["yes"]
    assert told(evidence)[0].startswith(message)
    assert evidence.problems[0].next_step or "missing" in message or "must be one" in message


@pytest.mark.parametrize("text", [
    HEAD + "  - {", "format: douse-questionnaire-1\n", "format: douse-questionnaire-1\norganisation: x\nanswers: 1\n",
    "# format: douse-questionnaire-1\n- a\n", HEAD + "other: 1\n", HEAD + "  - " + "[" * 3000,
    "format: douse-questionnaire-1\norganisation: &a [*a]\n"])
def test_what_cannot_be_used(text) -> None:
    evidence = given("q.yml", text, reader="questionnaire")
    assert len(evidence.problems) == 1
    assert evidence.problems[0].where.startswith("q.yml")
    assert all(not subject.answers for subject in evidence.subjects)
