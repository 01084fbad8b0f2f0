"""The table of prerequisites: its format, and that it hangs together with the other tables."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from douse.content import prerequisites as content
from douse.content.prerequisites import needed_by_sequences, prerequisites
from douse.content.telemetry import requirements
from douse.errors import ContentError
from douse.incident.quality import CONDITIONS
from douse.incident.sequences import HUNTED

GOOD = """prerequisites:
  - id: one
    order: 1
    title: One
    records:
      - {channel: Security, ids: [4688]}
      - {channel: Setup}
    complete: command-line
    partial: No command line.
    need: core
    classes: [X]
    without: What was run.
    volume: Low.
    settings:
      - {by: auditpol, do: auditpol /x, verified: true, source: A page}
"""
SEQUENCE = """sequences:
  - id: S1
    title: A sequence
    needs:
      - {what: a thing, any_of: [one]}
    only_without: [one]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(content, "FOLDER", tmp_path)
    monkeypatch.setattr(content, "prerequisites", prerequisites.__wrapped__)
    (tmp_path / "one.yml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "sequences.yml").write_text(SEQUENCE, encoding="utf-8")
    return tmp_path


def test_a_file_becomes_prerequisites(folder: Path) -> None:
    [one] = prerequisites.__wrapped__()
    assert (one.events, one.sensor, one.missed, one.rare) == ("Security 4688 or Setup", False, True, False)
    assert one.settings[0].verified
    [sequence] = needed_by_sequences.__wrapped__()
    assert (sequence.needs[0].any_of, sequence.only_without) == (("one",), ("one",))


@pytest.mark.parametrize(("old", "new", "what"), [
    ("order: 1", "order: first", "whole number"),
    ("[4688]}", "[x]}", "event ids"),
    ("complete: command-line", "complete: colour", "one of"),
    ("    partial: No command line.\n", "", "go together"),
    ("need: core", "need: much", "one of"),
    ("[X]", "[Z]", "letters"),
    ("by: auditpol", "by: hand", "one of"),
    ("verified: true", "verified: maybe", "one of"),
    ("volume: Low.", "volum: Low.", "is missing"),
    ("id: one", "id: one\n    colour: red", "unknown key"),
])
def test_a_wrong_file_is_named_with_its_line(old: str, new: str, what: str, folder: Path) -> None:
    (folder / "one.yml").write_text(GOOD.replace(old, new), encoding="utf-8")
    with pytest.raises(ContentError, match=rf"one\.yml:\d+: .*{what}"):
        prerequisites.__wrapped__()


def test_an_id_is_there_once(folder: Path) -> None:
    (folder / "two.yml").write_text(GOOD, encoding="utf-8")
    with pytest.raises(ContentError, match="twice"):
        prerequisites.__wrapped__()


@pytest.mark.parametrize(("old", "new"), [("any_of: [one]", "any_of: [two]"), ("any_of: [one]", "any_of: []"),
                                          ("only_without: [one]", "only_without: [two]")])
def test_a_sequence_names_prerequisites_that_exist(old: str, new: str, folder: Path) -> None:
    (folder / "sequences.yml").write_text(SEQUENCE.replace(old, new), encoding="utf-8")
    with pytest.raises(ContentError, match=r"sequences\.yml:\d+"):
        needed_by_sequences.__wrapped__()


def test_every_sequence_of_a_hunt_has_its_needs() -> None:
    assert {one.id for one in needed_by_sequences()} == HUNTED
    assert [one.id for one in needed_by_sequences()] == [f"S{number}" for number in range(1, 10)]


def test_every_condition_means_something_and_is_used() -> None:
    assert set(CONDITIONS) == set(content.COMPLETE) == {one.complete for one in prerequisites()} - {""}


def test_whatever_a_blind_spot_asks_for_is_a_prerequisite_too() -> None:
    """One table speaks of evidence classes, the other of records; neither may know a log that the other does not."""
    known = {(records.channel.lower(), event_id) for one in prerequisites() for records in one.records
             for event_id in records.event_ids or {None}}
    asked = {(records.channel.lower(), event_id) for one in requirements() for records in one.any_of
             for event_id in records.event_ids or {None}}
    assert asked - known - {("mde/devicefileevents", 11)} == set()


def test_the_rows_of_the_threat_model_are_there() -> None:
    text = " ".join(one.events for one in prerequisites())
    for number in (4688, 4663, 4657, 5156, 5157, 5379, 5382, 16385, 4103, 4104, 1121, 3076, 106, 5857, 59):
        assert re.search(rf"\b{number}\b", text), number
    for event_id in (1, 3, 7, 8, 10, 11, 12, 13, 15, 22, 23, 24, 25, 26):
        assert re.search(rf"Sysmon (?:\d+, )*{event_id}\b", text), event_id
    for channel in ("AppLocker", "Windows Defender", "Zeek/conn", "Proxy/access", "Firewall/traffic"):
        assert channel in text


def test_settings_can_be_copied() -> None:
    for one in prerequisites():
        for setting in one.settings:
            assert setting.do
            assert setting.source
            assert setting.do.isprintable()
            if setting.by == "auditpol":
                assert re.fullmatch(r'auditpol /set /subcategory:"\{0CCE92[0-9A-F]{2}-69AE-11D9-BED3-505054503030\}"'
                                    r"(?: /(?:success|failure):enable)+", setting.do), setting.do
            if setting.by == "group policy":
                assert setting.do.startswith("Computer Configuration > Policies > ")
            if setting.by == "wevtutil":
                assert re.fullmatch(r"wevtutil sl \S+ /e:true", setting.do)


def test_what_is_private_is_optional() -> None:
    clipboard = next(one for one in prerequisites() if one.id == "sysmon-clipboard")
    assert clipboard.need == "optional"
    assert "data protection" in clipboard.volume
