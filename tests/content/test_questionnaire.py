"""questionnaire.yml and mission.yml: every question and sentence loads, and a wrong one is named with its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from douse.content import mission as mission_file
from douse.content import questionnaire as questionnaire_file
from douse.content.controls import controls
from douse.content.mission import mission
from douse.content.questionnaire import questions
from douse.content.settings import QuestionSetting
from douse.errors import ContentError

VENDORS = ("microsoft", "crowdstrike", "sentinelone", "sophos", "trend", "proofpoint", "mimecast", "defender")


def test_a_question_belongs_to_a_control_that_asks_it() -> None:
    asked = {(one.id, setting.question) for one in controls() for setting in one.settings
             if isinstance(setting, QuestionSetting)}
    assert [question.id for question in questions() if (question.control, question.id) not in asked] == []


def test_a_question_names_no_vendor_and_says_what_proves_it() -> None:
    for question in questions():
        said = f"{question.text} {question.proof}".lower()
        assert not any(vendor in said for vendor in VENDORS), question.id
        assert len(question.proof) > 40, question.id
        assert question.proof.endswith("."), question.id


def test_the_questions_ask_what_the_advice_asks() -> None:
    said = {question.id for question in questions()}
    assert said >= {"edr-behaviour", "edr-sandbox", "edr-tamper", "edr-watched", "edr-isolation", "mail-attachments",
                    "mail-links", "training-regular", "mfa-sensitive-systems", "indicators-endpoint",
                    "indicators-network"}


QUESTION = "questions:\n  - id: a-b\n    control: H14\n    text: Is it so?\n    proof: A list.\n"


@pytest.mark.parametrize(("text", "said"), [
    (QUESTION.replace("a-b", "A b"), r"q.yml:2: id 'A b' is not of the form"),
    (QUESTION.replace("so?", "so."), r"q.yml:4: text is no question"),
    (QUESTION.replace("    proof: A list.\n", ""), r"q.yml:2: proof is missing"),
    (QUESTION + QUESTION.partition("\n")[2], r"q.yml:6: 'a-b' is asked twice"),
    (QUESTION + "    prof: x\n", r"q.yml:6: unknown key 'prof'. Did you mean 'proof'"),
    (QUESTION + "answers: []\n", r"q.yml:6: unknown key 'answers'"),
])
def test_a_wrong_question_is_named_with_its_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "q.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(questionnaire_file, "FILE", tmp_path / "q.yml")
    with pytest.raises(ContentError, match=said):
        questions.__wrapped__()


SENTENCE = "sentences:\n  - {id: a, list: g6, tag: FW, text: b}\n"


@pytest.mark.parametrize(("text", "said"), [
    (SENTENCE.replace("g6", "g7"), r"m.yml:2: list must be one of g6, training"),
    (SENTENCE.replace("FW", "FWALL"), r"m.yml:2: tag must be one of"),
    (SENTENCE.replace("text: b", "txt: b"), r"m.yml:2: text is missing"),
    (SENTENCE + "  - {id: a, list: g6, tag: FW, text: c}\n", r"m.yml:3: 'a' is there twice"),
])
def test_a_wrong_sentence_is_named_with_its_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "m.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(mission_file, "FILE", tmp_path / "m.yml")
    with pytest.raises(ContentError, match=said):
        mission.__wrapped__()


def test_every_sentence_has_words_of_its_own() -> None:
    assert len({one.text for one in mission()}) == len({one.id for one in mission()}) == len(mission())
    assert {one.list for one in mission()} == {"g6", "training"}
