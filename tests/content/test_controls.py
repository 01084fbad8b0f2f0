"""controls/ and lessons/: every file loads, answers the mission's advice, and a wrong one is named with its line."""

from __future__ import annotations

import re
import uuid
from pathlib import Path

import pytest

from douse.content import controls as controls_file
from douse.content import lessons as lessons_file
from douse.content.attack import attack
from douse.content.controls import EFFECTS, Control, controls
from douse.content.lessons import lessons
from douse.content.signs import TAGS
from douse.detection.ruleset import load_rules
from douse.errors import ContentError


def by_id(control_id: str) -> Control:
    return next(one for one in controls() if one.id == control_id)


def test_all_are_there_and_none_twice() -> None:
    assert [one.id for one in controls()] == [f"H{number:02}" for number in range(1, 45)]
    assert [one.id for one in lessons()] == [f"L{number:02}" for number in range(1, 11)]
    for titles in ([one.title for one in controls()], [one.takeaway for one in lessons()]):
        assert len(set(titles)) == len(titles)


def test_every_sentence_of_the_advice_is_answered() -> None:
    assert {tag for one in controls() for tag in one.seed} == set(TAGS) - {"TRAIN"}
    assert "TRAIN" in {tag for one in lessons() for tag in one.seed}


def test_a_takeaway_is_one_sentence_in_plain_words() -> None:
    for one in (*controls(), *lessons()):
        assert 20 < len(one.takeaway) < 160, one.id
        assert re.fullmatch(r".*\.", one.takeaway), one.id
        assert not re.search(r"\bT\d{4}|\bM\d{4}|HK(LM|CU)", one.takeaway), one.id


def test_techniques_are_those_of_our_att_and_ck_and_roles_those_of_our_rules() -> None:
    known = attack().techniques
    ruleset = load_rules((), builtin=True)
    roles = {rule.rule.role for rule in ruleset.rules}
    signs = [entry.sign for one in controls() for entry in one.breaks]
    signs += [occasion.sign for one in lessons() for occasion in one.when]
    for one in controls():
        assert set(one.techniques) <= set(known), one.id
    for sign in signs:
        assert set(sign.techniques) <= set(known)
        assert set(sign.roles) <= roles


def test_the_rules_of_defender_are_guids_and_each_is_used_once_at_most_as_a_name() -> None:
    rules = by_id("H13").rules
    assert len({rule.guid for rule in rules}) == len(rules) == 18
    assert all(str(uuid.UUID(rule.guid)) == rule.guid for rule in rules)
    titles = {rule.title for rule in rules}
    assert {entry.rule for entry in by_id("H13").breaks} <= titles
    assert not any(one.rules for one in controls() if one.id != "H13")


def test_logging_shows_and_nothing_else_does() -> None:
    shows = {one.id for one in controls() for entry in one.breaks if entry.effect == "shows"}
    assert shows == {"H39", "H41", "H43", "H44"}
    assert {entry.effect for one in controls() for entry in one.breaks} == set(EFFECTS)


def test_what_nobody_looked_up_is_marked() -> None:
    assert {one.id for one in controls() if not one.verified} == {"H09", "H10", "H12", "H22", "H43"}


ENTRY = """id: H01
slug: a
title: b
takeaway: c
seed: [FW]
attack: {techniques: [], mitigations: []}
verified: true
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY.replace("id: H01", "id: H02"), r"H01.yml:1: id must be the file's name"),
        (ENTRY.replace("[FW]", "[FWALL]"), r"H01.yml:5: seed has 'FWALL'"),
        (ENTRY.replace("seed: [FW]\n", ""), r"H01.yml:1: seed is missing"),
        (ENTRY.replace("attack: {techniques: [], mitigations: []}\n", ""), "attack is missing"),
        (ENTRY.replace("true", "maybe"), r"H01.yml:7: verified must be one of true, false"),
        (ENTRY + "needs: [H99]\n", r"H01.yml:8: needs names 'H99'"),
        (ENTRY + "slgu: x\n", r"H01.yml:8: unknown key 'slgu'"),
        (ENTRY + "breaks: [{effect: stops, why: x.}]\n", "names no evidence, so that it would fit every"),
        (ENTRY + "breaks: [{effect: stops, classes: [X], why: '{prgram} ran.'}]\n", r"why has \{prgram\}"),
        (ENTRY + "breaks: [{effect: stops, classes: [Z], why: x.}]\n", "classes has 'Z'"),
        (ENTRY + "breaks: [{effect: stops, stores: [safe], why: x.}]\n", "stores has 'safe'"),
        (ENTRY + "breaks: [{effect: shows, classes: [X], why: x.}]\n", "effect shows and gaps go together"),
        (ENTRY + "breaks: [{effect: stops, gaps: [dns], why: x.}]\n", "effect shows and gaps go together"),
        (ENTRY + "breaks: [{effect: shows, gaps: [sound], why: x.}]\n", "gaps has 'sound'"),
        (ENTRY + "breaks: [{effect: limits, levels: [high], why: x.}]\n", "which step it would have broken"),
        (ENTRY + "breaks: [{effect: stops, rule: none, classes: [X], why: x.}]\n", "rule must be one of"),
        (ENTRY + "breaks: [{effect: stops, clases: [X], classes: [X], why: x.}]\n", "unknown key 'clases'"),
    ],
)
def test_a_wrong_control_is_named_with_its_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "H01.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(controls_file, "FOLDER", tmp_path)
    with pytest.raises(ContentError, match=said):
        controls.__wrapped__()


def test_two_controls_with_one_slug_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "H01.yml").write_text(ENTRY, encoding="utf-8")
    (tmp_path / "H02.yml").write_text(ENTRY.replace("H01", "H02"), encoding="utf-8")
    monkeypatch.setattr(controls_file, "FOLDER", tmp_path)
    with pytest.raises(ContentError, match=r"H02.yml:2: slug 'a' is that of another"):
        controls.__wrapped__()


LESSON = "id: L01\ntitle: a\naudience: users\nminutes: 5\ntakeaway: b.\nseed: [TRAIN]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LESSON.replace("users", "everybody"), r"L01.yml:3: audience must be one of users, it"),
        (LESSON.replace("5", "90"), r"L01.yml:4: minutes must be from 2 to 15"),
        (LESSON + "when: [{techniques: [T1204.004], why: 'by {program}.'}]\n", r"why has \{program\}"),
        (LESSON + "when: [{why: x.}]\n", "names no evidence"),
        (LESSON + "when: [{sequences: [S99], why: x.}]\n", "sequences has 'S99'"),
    ],
)
def test_a_wrong_lesson_is_named_with_its_line(
    text: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "L01.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(lessons_file, "FOLDER", tmp_path)
    with pytest.raises(ContentError, match=said):
        lessons.__wrapped__()
