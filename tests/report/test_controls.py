"""The rows, words and pages of the catalogue of controls."""

from __future__ import annotations

import html
import json
import re
from typing import Any, get_args, get_origin, get_type_hints, is_typeddict

import pytest

from douse.content.controls import controls, named
from douse.content.settings import Accept, RegistrySetting
from douse.report.controls import control_rows, sentence_rows
from douse.report.controls_formats import FORMATS
from douse.report.controls_html import render
from douse.report.controls_schema import ControlRow
from douse.report.controls_story import facts, headline, serving
from douse.report.controls_words import accepted, check, kind, wanted, where

ROWS = control_rows(controls())


def row(control: str, profile: str = "") -> ControlRow:
    return control_rows(named([control]), profile)[0]


def conforms(value: Any, kind_: Any, path: str) -> None:
    """Whether a value is what a TypedDict says, all the way down; a key more or less fails too."""
    if is_typeddict(kind_):
        hints = get_type_hints(kind_)
        assert value.keys() == hints.keys(), path
        for key, hint in hints.items():
            conforms(value[key], hint, f"{path}.{key}")
    elif get_origin(kind_) is list:
        assert isinstance(value, list), path
        for number, item in enumerate(value):
            conforms(item, get_args(kind_)[0], f"{path}[{number}]")
    elif kind_ in (str, int, bool):
        assert type(value) is kind_, path


@pytest.mark.parametrize("one", ROWS, ids=lambda one: one["id"])
def test_a_row_is_what_its_type_says(one: ControlRow) -> None:
    conforms(one, ControlRow, one["id"])
    assert json.loads(json.dumps(one)) == one
    assert one["mapping"] == "ours"


def test_a_row_says_all_of_its_control() -> None:
    one = row("H37")
    assert one["techniques"] == [{"id": "T1003.001", "name": "LSASS Memory"}]
    assert [sentence["id"] for sentence in one["mission"]] == ["credential-manager"]
    assert one["frameworks"] == {"nist_800_53r5": ["SC-39"], "cis_v8": ["4.1"], "weak": []}
    assert row("H07")["needed_by"] == ["H06"]
    [lsa] = [setting for setting in one["settings"] if setting["id"] == "H37/RunAsPPL"]
    assert lsa["detail"] == {
        "hive": "HKLM", "key": "SYSTEM\\CurrentControlSet\\Control\\Lsa", "name": "RunAsPPL", "types": ["REG_DWORD"],
        "good": 1, "accept": "one-of 1, 2", "absent": False, "in_audit": None, "effective": "",
        "since": [["2", 22621]]}


def test_a_profile_cuts_the_settings() -> None:
    assert [setting["profile"] for setting in row("H01", "seed")["settings"]] == ["seed"]
    assert [setting["detail"]["tcp"] for setting in row("H01", "seed")["settings"]] == [[80, 443]]
    assert [setting["detail"]["tcp"] for setting in row("H01", "recommended")["settings"]] == [[]]
    assert len(row("H28", "recommended")["settings"]) > len(row("H28", "seed")["settings"])


def test_why_names_nobody() -> None:
    said = [one["why"] for control in ROWS for one in control["breaks"]]
    assert len(said) > 40
    assert [why for why in said if re.search(r"[{}]", why)] == []
    assert row("H13")["breaks"][0]["why"] == (
        'outlook.exe started a program; the rule "Outlook starts no other programs" refuses that.')
    assert row("H43")["breaks"][0]["why"].startswith("Not logged here: ")


# --- words ------------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize(("accept", "words"), [
    (Accept("=", ("0",)), "0"), (Accept("one-of", ("4", "1", "2")), "4, 1 or 2"), (Accept("one-of", ("1",)), "1"),
    (Accept(">=", ("3",)), "3 or more"), (Accept("<=", ("30",)), "30 or less"),
    (Accept("!=", ("*",)), "anything but *"),
    (Accept("contains", ("notepad.exe",)), "a text with notepad.exe in it"),
    (Accept("present"), "there, with any data"),
    (Accept("=", ("",)), "empty")])
def test_what_is_accepted_in_words(accept: Accept, words: str) -> None:
    assert accepted(accept) == words


def test_every_setting_has_words() -> None:
    for control in controls():
        for setting in control.settings:
            assert all((where(setting), wanted(setting), check(setting))), setting.id
            if isinstance(setting, RegistrySetting):
                assert kind(setting) == "registry"
                assert where(setting) == setting.path


def test_places_and_commands_are_those_of_windows() -> None:
    said = {setting["id"]: setting for control in ROWS for setting in control["settings"]}
    assert said["H09/htafile/(default)"]["wanted"] == (
        'a text with notepad.exe in it (REG_EXPAND_SZ or REG_SZ), written as %SystemRoot%\\System32\\notepad.exe "%1"')
    assert said["H22/Windows.IsoFile/ProgrammaticAccessOnly"]["wanted"].endswith("written as an empty text")
    assert said["H14/DisableIOAVProtection"]["wanted"] == "0 (REG_DWORD), or not there"
    assert said["H11/NoRun"]["check"] == (
        "Get-ItemProperty -LiteralPath 'HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Policies\\Explorer'"
        "  # as each user")
    assert said["H18/IsTamperProtected"]["check"] == "(Get-MpComputerStatus).IsTamperProtected"
    assert said["H13/lsass"]["where"].endswith("ASR\\Rules!9e6c4e1f-7d60-472f-ba1a-a39ef669e4b2")
    assert said["H41/Process Creation"]["check"] == (
        'auditpol /get /subcategory:"{0CCE922B-69AE-11D9-BED3-505054503030}"')


def test_commands_only_read() -> None:
    """Nobody who copies one of these lines changes anything."""
    reading = re.compile(r"\(?Get-|auditpol /get |wevtutil gl |CiTool --list-policies|Sysmon64\.exe -c$|Export \w")
    for control in ROWS:
        for setting in control["settings"]:
            if setting["kind"] != "question":
                assert reading.match(setting["check"]), setting["id"]
                assert not re.search(r"\b(Set|New|Remove|Enable|Disable)-|/set\b", setting["check"]), setting["id"]


def test_every_sentence_is_served() -> None:
    served = serving(ROWS, sentence_rows())
    assert [sentence["id"] for sentence, found in served if not found] == []
    assert "H20" in {found["id"] for sentence, rows in served if sentence["tag"] == "TRAIN" for found in rows}


def test_headline_counts() -> None:
    assert headline(ROWS).startswith("44 controls against infostealers: ")
    assert headline(ROWS[:1]) == "1 control against infostealers"
    assert dict(facts(row("H09")))["CIS Controls 8"] == "9.6 (weak fit)"
    assert dict(facts(row("H01")))["Ask first"] == "douse harden preflight mshta.exe"


# --- formats ----------------------------------------------------------------------------------------------------------

def test_json_is_an_array_of_all() -> None:
    assert json.loads(b"".join(FORMATS["json"](ROWS, "", False))) == ROWS


def test_the_page_shows_every_control_setting_and_doubt() -> None:
    page = render(ROWS)
    text = html.unescape(re.sub(r"<[^>]+>", " ", page))
    for one in ROWS:
        assert f'id="{one["id"]}"' in page
        assert one["title"] in text
        assert one["misses"] in text
        assert one["unverified"] in text
        for setting in one["settings"]:
            assert setting["where"] in text, setting["id"]
            assert setting["wanted"] in text, setting["id"]
    assert "was run on Windows by us" in text
    assert not re.search(r"https?://", page.replace("http://www.w3.org/2000/svg", ""))


def test_the_page_links_only_to_itself() -> None:
    for rows in (ROWS, ROWS[:1], []):
        page = render(rows, "seed")
        ids = set(re.findall(r'\bid="([^"]+)"', page))
        assert len(re.findall(r'\bid="', page)) == len(ids), "an id is there twice"
        assert set(re.findall(r'href="#([^"]+)"', page)) <= ids
        assert not re.search(r'\s(?:style|on\w+)="', page), "the policy would refuse it"


def test_the_page_of_one_control_is_open_and_has_no_filter() -> None:
    assert '<details id="H01" data-print open>' in render(ROWS[:1])
    assert "data-filter" not in render(ROWS[:1]).partition("<script>")[0]
    assert 'data-filter="control-list"' in render(ROWS)


def test_text_of_a_page_cannot_act() -> None:
    hostile = {**ROWS[0], "title": "<script>alert(1)</script>\x1b[31m\u202e", "slug": "x"}
    page = render([hostile])  # type: ignore[list-item]  # a changed row
    assert "<script>alert" not in page
    assert "\\x1b[31m\\u202e" in page


def test_markdown_lists_and_explains() -> None:
    listed = b"".join(FORMATS["markdown"](ROWS, "", False)).decode()
    assert len(re.findall(r"^\| H\d\d \|", listed, re.MULTILINE)) == 44
    whole = b"".join(FORMATS["markdown"](ROWS, "", True)).decode()
    assert len(re.findall(r"^# H\d\d ", whole, re.MULTILINE)) == 44
    one = b"".join(FORMATS["markdown"]([row("H37")], "", True)).decode()
    assert "- `HKLM\\SYSTEM\\CurrentControlSet\\Control\\Lsa!RunAsPPL`" in one
    assert "2 counts only from Windows 11 22H2" in one
    assert "**Not verified in part: " in one
