"""The lexicon of pasted commands: its lists, and that the rules made of them are the score which it defines."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
import re2
from hypothesis import given
from hypothesis import strategies as st

from douse.content import lexicons as loader
from douse.content.cases import load_cases
from douse.content.families import families
from douse.content.lexicons import lexicons, placeholder_lists
from douse.content.rules import FOLDER as RULES
from douse.detection.language.documents import Node, read_documents
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import ContentError
from douse.model import Event, Source

(LEXICON,) = [lexicon for lexicon in lexicons() if lexicon.id == "clickfix"]
EXPRESSIONS = {one.name: one for one in LEXICON.expressions}
COMPILED = {one.name: re2.compile(f"(?{one.flags}){one.expression}" if one.flags else one.expression)
            for one in LEXICON.expressions}
LISTS = {words.name: words for words in LEXICON.lists}
OURS = [path for path in sorted(RULES.glob("*.yml")) if "%clickfix_" in path.read_text(encoding="utf-8")]
LANGUAGES = {"en", "de", "fr", "es", "it", "pt", "pl", "ru", "ja", "nl"}


def test_the_numbers_are_those_of_the_threat_model() -> None:
    assert LEXICON.points == {"launcher": 2, "transfer": 2, "concealment": 2, "lure": 2}
    assert LEXICON.levels == {"medium": 4, "high": 6}
    assert LEXICON.needs == "launcher"


def test_lures_are_there_in_ten_languages_and_no_value_is_a_wildcard() -> None:
    assert set(LISTS["clickfix_lures"].languages) == set(LISTS["clickfix_lure_words"].languages) == LANGUAGES
    assert all(len(values) >= 7 for values in LISTS["clickfix_lures"].languages.values())
    assert placeholder_lists().keys() - LISTS.keys() == {"stealer_names", "loader_names"}
    assert not [value for values in placeholder_lists().values() for value in values if "*" in value or "?" in value]


def test_the_names_of_stealers_and_loaders_are_lists_too() -> None:
    names, loaders = placeholder_lists()["stealer_names"], placeholder_lists()["loader_names"]
    assert {"Lumma", "LummaStealer", "AgentTesla", "Amatera"} <= set(names)
    assert {"HijackLoader", "IDATLoader"} <= set(loaders)
    assert not [name for name in (*names, *loaders) if " " in name or not families().named(name)]
    assert len(names) >= sum(1 for _ in families())


# ── the rules are made of the lexicon ─────────────────────────────────────────────────────────────────────────────


def asked(node: Node, name: str = "", key: str = "") -> Iterator[tuple[str, str, str]]:
    """Selection, field with modifiers and value of every line of a detection."""
    if isinstance(node, dict):
        for below, value in node.items():
            yield from asked(value, name or below, below if name else "")
    elif isinstance(node, list):
        for value in node:
            yield from asked(value, name, key)
    elif isinstance(node, str) and name != "condition":
        yield name, key, node


def lines(path: Path) -> list[tuple[str, str, str]]:
    (document,) = read_documents(path.read_text(encoding="utf-8"), path.name)
    assert isinstance(document.data, dict)
    return list(asked(document.data["detection"]))


@pytest.mark.parametrize("path", OURS, ids=lambda path: path.stem)
def test_a_rule_repeats_expressions_word_for_word(path: Path) -> None:
    known = {(one.expression, group) for one in LEXICON.expressions for group in (one.group, "lure")}
    groups = set(LEXICON.points)
    for name, key, value in lines(path):
        group = name.removeprefix("selection_")
        if "|re" in key and group in groups:
            assert (value, group) in known, f"{path.stem}: {name} asks {value}, which the lexicon does not have"


def test_every_list_and_expression_is_used() -> None:
    used = {value for path in OURS for _, _, value in lines(path)}
    text = "\n".join(used)
    assert [name for name in LISTS if f"%{name}%" not in text] == []
    assert [one.name for one in LEXICON.expressions if one.expression not in used] == []


def test_the_pasted_command_has_a_rule_for_each_place() -> None:
    assert {path.stem for path in OURS} == {
        "run_dialog_paste", "run_dialog_command", "address_bar_paste", "explorer_child_paste", "explorer_child_command",
        "browser_child_paste", "terminal_child_paste", "terminal_paste"}


# ── the rules are the score ───────────────────────────────────────────────────────────────────────────────────────


def groups_of(text: str, without: str, launched: bool | None = None) -> set[str]:
    """The groups of the lexicon that a text has, by the lists and expressions alone."""
    folded = text.casefold()
    found = {LISTS[name].group for name in LISTS if name not in ("clickfix_programs", "clickfix_lure_words")
             and any(value.casefold() in folded for value in LISTS[name].values)}
    found |= {one.group for one in LEXICON.expressions if not one.name.endswith(without)
              and COMPILED[one.name].search(text)}
    if COMPILED["comment"].search(text) or COMPILED["sign"].search(text):
        found |= {"lure" for word in LISTS["clickfix_lure_words"].values if word.casefold() in folded}
    if launched is not None:
        found = found - {"launcher"} | ({"launcher"} if launched else set())
    return found


def level_of(groups: set[str]) -> str:
    points = sum(LEXICON.points[group] for group in groups) if LEXICON.needs in groups else 0
    return next((level for level, least in sorted(LEXICON.levels.items(), key=lambda one: -one[1]) if points >= least),
                "")


@pytest.fixture(scope="module")
def rules() -> RuleSet:
    return load_rules(OURS, builtin=False)


def levels(rules: RuleSet, event: Event) -> list[str]:
    alerts = list(rules.match(event))
    assert alerts == list(rules.match_slowly(event))
    return [alert.level for alert in alerts]


def typed(details: str) -> Event:
    key = "HKU\\S-1-5-21-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU\\a"
    return event(13, {"EventType": "SetValue", "TargetObject": key, "Details": details})


def started(image: str, line: str) -> Event:
    return event(1, {"Image": f"C:\\Windows\\System32\\{image}.exe", "CommandLine": line,
                     "ParentImage": "C:\\Windows\\explorer.exe"})


def event(number: int, fields: dict[str, str]) -> Event:
    channel = "Microsoft-Windows-Sysmon/Operational"
    time = load_cases(RULES.parent / "cases" / "run_dialog_paste.yml").match[0].time
    return Event(channel=channel, event_id=number, time=time, host="A", provider="Microsoft-Windows-Sysmon",
                 record_id=1, source=Source("test", format="case"), decode=lambda: dict(fields))


PIECES = ["mshta", "powershell", "cmd /c", "cmd", "regedit", "node ", "https://a.example/x", "irm a.example",
          "-Confirm $x", "\\\\srv@SSL\\x", "\\\\srv\\x", "| iex", "-w hidden", "-enc SQBFAFgA", " --headless", " /min ",
          "p^o", "# ", "#1", " rem ", "\u2705", " " * 12, "\u2003" * 12, "r\u043ebot", "veri\u200bfy", "not a robot",
          "Human", "HumanResources", "update", "kein Roboter", "\u043d\u0435 \u0440\u043e\u0431\u043e\u0442", "A" * 120,
          "C:\\a.ps1", "ray id", "array id", "\\1"]


@given(st.lists(st.sampled_from(PIECES), min_size=1, max_size=6))
def test_a_typed_text_has_the_level_of_its_score(rules: RuleSet, pieces: list[str]) -> None:
    text = " ".join(pieces)
    wanted = level_of(groups_of(text, "_started"))
    assert levels(rules, typed(text)) == ([wanted] if wanted else []), text


@given(st.sampled_from(["mshta", "powershell", "notepad", "cmd"]), st.lists(st.sampled_from(PIECES), max_size=6))
def test_a_command_line_under_explorer_has_the_level_of_its_score(rules: RuleSet, image: str,
                                                                  pieces: list[str]) -> None:
    line = " ".join(['"C:\\x.exe"', *pieces])
    wanted = level_of(groups_of(line, "_typed", launched=image != "notepad"))
    assert levels(rules, started(image, line)) == ([wanted] if wanted else []), line


def test_every_two_groups_beside_the_launcher_are_high(rules: RuleSet) -> None:
    signs = {"transfer": "https://a.example/x", "concealment": "p^o", "lure": "not a robot"}
    for count, level in ((0, []), (1, ["medium"]), (2, ["high"]), (3, ["high"])):
        for chosen in itertools.combinations(signs.values(), count):
            assert levels(rules, typed(" ".join(["msiexec", *chosen]))) == level
            assert levels(rules, typed(" ".join(["regedit", *chosen]))) == []


@pytest.mark.parametrize("text", [
    "cmd.exe\\1", "cmd\\1", "regedit\\1", "\\\\server\\share\\1", "ms-settings:network\\1", "notepad.exe\\1",
    "powershell\\1", "control\\1", "https://captcha.example/not a robot\\1", "C:\\Documents\\update # 2.docx\\1"])
def test_negative_controls_are_worth_nothing(rules: RuleSet, text: str) -> None:
    assert levels(rules, typed(text)) == []
    assert "launcher" not in groups_of(text, "_started") or len(groups_of(text, "_started")) == 1


@pytest.mark.parametrize("value", LISTS["clickfix_lures"].values)
def test_each_lure_is_heard(rules: RuleSet, value: str) -> None:
    assert levels(rules, typed(f"mshta https://a.example/x {value.upper()}\\1")) == ["high"]


# ── the folder ────────────────────────────────────────────────────────────────────────────────────────────────────

GOOD = """id: one
title: One
points: {launcher: 2, lure: 2}
needs: launcher
levels: {medium: 4}
lists:
  - {name: one_words, group: launcher, meaning: Words, values: [a, b]}
  - {name: two_words, group: lure, meaning: Words, languages: {en: [c], de: [d]}}
expressions:
  - {name: e, group: lure, meaning: An expression, re: 'x+', flags: i}
sources:
  - {text: A page., verified: false}
"""


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> tuple[loader.Lexicon, ...]:
    (folder / "one.yml").write_text(text, encoding="utf-8")
    monkeypatch.setattr(loader, "FOLDER", folder)
    return loader.lexicons.__wrapped__()


def test_a_lexicon_is_read_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (found,) = load(tmp_path, monkeypatch, GOOD)
    assert [words.values for words in found.lists] == [("a", "b"), ("c", "d")]
    assert found.lists[1].languages == {"en": ("c",), "de": ("d",)}
    assert (found.expressions[0].expression, found.expressions[0].flags, found.verified) == ("x+", "i", False)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("id: one", "id: two", r"one\.yml:1: id must be the file's name"),
    ("needs: launcher", "needs: luck", r"one\.yml:4: needs must be one of"),
    ("medium: 4", "worst: 4", r"one\.yml:5: 'worst' is no level"),
    ("medium: 4", "medium: four", r"one\.yml:5: medium must be a whole number"),
    ("name: one_words", "name: 'One Words'", r"one\.yml:7: 'One Words' cannot be named between percent signs"),
    ("name: two_words", "name: one_words", r"the list 'one_words' is there twice"),
    ("group: launcher", "group: lunch", r"one\.yml:7: group must be one of"),
    ("values: [a, b]", "values: [a, '*']", r"one\.yml:7: one_words has no value, or an empty one"),
    ("values: [a, b]", "values: [a, a]", r"one\.yml:7: one_words has 'a' twice"),
    ("values: [a, b]", "valeus: [a, b]", r"one\.yml:7: one_words has no value"),
    ("flags: i", "flags: x", r"one\.yml:10: flags must be one of"),
    ("verified: false", "verified: maybe", r"one\.yml:12: verified must be one of"),
])
def test_a_wrong_file_is_named_with_its_line(old: str, new: str, says: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    assert old in GOOD
    with pytest.raises(ContentError, match=says):
        load(tmp_path, monkeypatch, GOOD.replace(old, new, 1))
