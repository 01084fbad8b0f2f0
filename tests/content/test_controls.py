"""controls/ and lessons/: every file loads, answers the mission's advice, and a wrong one is named with its line."""

from __future__ import annotations

import re
import subprocess
import sys
import uuid
from collections import Counter
from pathlib import Path

import pytest

from douse.content import controls as controls_file
from douse.content import lessons as lessons_file
from douse.content.attack import attack
from douse.content.controls import EFFECTS, SEVERITIES, Control, controls, named
from douse.content.lessons import lessons
from douse.content.mission import mission
from douse.content.settings import PROFILES
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
    assert {tag for one in controls() for tag in one.seed} == set(TAGS)
    assert {one.tag for one in mission()} == set(TAGS)
    served = {sentence for one in controls() for sentence in one.mission}
    assert [sentence.id for sentence in mission() if sentence.id not in served] == []
    assert "TRAIN" in {tag for one in lessons() for tag in one.seed}


@pytest.mark.parametrize("profile", PROFILES)
def test_every_control_asks_for_something_in_each_profile(profile: str) -> None:
    assert [one.id for one in controls() if not one.settings_of(profile)] == []


def test_recommended_is_never_less_than_the_seed() -> None:
    """Where a value is asked for in one profile only, the other asks for something of the same kind, or for more."""
    for one in controls():
        kinds = {profile: Counter(type(setting) for setting in one.settings_of(profile)) for profile in PROFILES}
        assert kinds["seed"] <= kinds["recommended"], one.id


def test_each_severity_is_used_and_the_mission_s_own_rule_is_high() -> None:
    assert {one.severity for one in controls()} == set(SEVERITIES)
    assert {by_id(name).severity for name in ("H01", "H02", "H06", "H14", "H28", "H42", "H43")} == {"high"}


def test_ids_of_frameworks_look_like_theirs_and_weak_ones_are_among_them() -> None:
    for one in controls():
        assert one.frameworks.nist, one.id
        assert all(re.fullmatch(r"[A-Z]{2}-\d{1,2}(\(\d{1,2}\))?", name) for name in one.frameworks.nist), one.id
        assert all(re.fullmatch(r"\d{1,2}\.\d{1,2}", name) for name in one.frameworks.cis), one.id
        assert set(one.frameworks.weak) <= set(one.frameworks.cis), one.id
    weak = {(one.id, name) for one in controls() for name in one.frameworks.weak}
    assert {name for name, cis in weak if cis == "9.1"} == {"H19", "H20", "H31"}
    assert {name for name, cis in weak if cis == "9.6"} == {"H09", "H21", "H22", "H23"}


def test_builds_are_those_of_windows() -> None:
    """10.0.10240 was the first of Windows 10; the list is Microsoft's release history."""
    known = {0, 14393, 16299, 17763, 22000, 22621}
    assert {one.min_build for one in controls()} <= known
    assert {setting.min_build for one in controls() for setting in one.settings} <= known
    assert by_id("H20").min_build == 22621


def test_a_hunt_reads_no_settings() -> None:
    """Their classes and files cost it more than all else of a control; in an interpreter of its own."""
    program = ("import sys; from douse.content.controls import controls; assert len(controls()) == 44\n"
               "assert not {'douse.content.settings', 'douse.content.questionnaire'} & set(sys.modules)\n"
               "assert controls()[0].settings is controls()[0].settings")
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)


def test_only_mshta_asks_for_a_pre_flight() -> None:
    assert {one.id: one.preflight for one in controls() if one.preflight} == dict.fromkeys(
        ("H01", "H02", "H06", "H08"), "mshta.exe")


def test_what_is_missed_costs_and_is_undone_is_said_in_sentences() -> None:
    for one in controls():
        for text in (one.misses, one.cost, one.undo):
            assert re.fullmatch(r"[A-Z].{10,400}\.", text), (one.id, text)
        assert one.sources, one.id


def test_what_a_setting_leaves_unverified_is_said_of_its_control() -> None:
    for one in controls():
        if not one.verified or not all(setting.verified for setting in one.settings):
            assert one.unverified, one.id


@pytest.mark.parametrize(("names", "found"), [
    (("H01",), ["H01"]), (("h03, H1",), ["H01", "H03"]), (("laps", "H01", "h38"), ["H01", "H38"]),
    ((), [f"H{number:02}" for number in range(1, 45)]), ((" ,",), [f"H{number:02}" for number in range(1, 45)])])
def test_controls_are_found_by_id_and_by_name(names: tuple[str, ...], found: list[str]) -> None:
    assert [one.id for one in named(names)] == found


@pytest.mark.parametrize(("name", "said"), [
    ("mshta", r"mshta: is no control. Did you mean H01 \(firewall-mshta-system32\) or H02"),
    ("smartscren", r"Did you mean H19 \(smartscreen\)\?"), ("H00", "Controls are H01 to H44"),
    ("zz\x1b[31m", r"zz\\x1b\[31m: is no control. Controls are H01 to H44")])
def test_an_unknown_control_is_named_with_those_that_are_near(name: str, said: str) -> None:
    with pytest.raises(ContentError, match=said):
        named([name])


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
mission: [mshta-egress]
severity: low
frameworks: {nist_800_53r5: [SC-7], cis_v8: []}
misses: d
cost: e
undo: f
sources: [g]
settings: [{service: MpsSvc, start: automatic}]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ENTRY.replace("id: H01", "id: H02"), r"H01.yml:1: id must be the file's name"),
        (ENTRY.replace("[FW]", "[FWALL]"), r"H01.yml:5: seed has 'FWALL'"),
        (ENTRY.replace("seed: [FW]\n", ""), r"H01.yml:1: seed is missing"),
        (ENTRY.replace("attack: {techniques: [], mitigations: []}\n", ""), "attack is missing"),
        (ENTRY.replace("true", "maybe"), r"H01.yml:7: verified must be one of true, false"),
        (ENTRY + "needs: [H99]\n", r"H01.yml:16: needs names 'H99'"),
        (ENTRY + "slgu: x\n", r"H01.yml:16: unknown key 'slgu'"),
        (ENTRY.replace("true", "false"), r"H01.yml:7: verified is false, but what was not verified"),
        (ENTRY.replace("mshta-egress", "mshta"), r"H01.yml:8: mission has 'mshta', which is none of"),
        (ENTRY.replace("mshta-egress", "edr"), r"H01.yml:8: mission and seed .* For FW name mshta-egress"),
        (ENTRY.replace("mission: [mshta-egress]\n", ""), r"H01.yml:5: mission and seed are not about the same"),
        (ENTRY.replace("low", "lower"), r"H01.yml:9: severity must be one of high, medium, low"),
        (ENTRY.replace("frameworks: {nist_800_53r5: [SC-7], cis_v8: []}\n", ""), r"H01.yml:1: frameworks is missing"),
        (ENTRY.replace("cis_v8", "cis_v9"), r"H01.yml:10: unknown key 'cis_v9'. Did you mean 'cis_v8'"),
        (ENTRY.replace("misses: d\n", ""), r"H01.yml:1: misses is missing"),
        (ENTRY.replace("[g]", "[]"), r"H01.yml:1: has no sources"),
        (ENTRY.partition("settings")[0], r"H01.yml:1: has no settings"),
        (ENTRY + "roles: [printer]\n", r"H01.yml:16: roles has 'printer'"),
        (ENTRY + "min_build: x\n", r"H01.yml:16: min_build must be a whole number"),
        (ENTRY + "rules: [{id: a, guid: zz, title: b, start: block}]\n", r"H01.yml:16: 'zz' is no GUID"),
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


def test_a_wrong_setting_is_named_when_settings_are_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "H01.yml").write_text(ENTRY.replace("automatic", "maybe"), encoding="utf-8")
    monkeypatch.setattr(controls_file, "FOLDER", tmp_path)
    [found] = controls.__wrapped__()
    with pytest.raises(ContentError, match=r"H01.yml:15: start must be one of automatic, manual, disabled"):
        found.settings_of("seed")


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
