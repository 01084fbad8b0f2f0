"""The pages of techniques: which there are, what they must say, and that a wrong one is named with its line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from douse.content import techniques as loader
from douse.content.attack import attack
from douse.content.incidents import stages
from douse.content.logsources import log_sources
from douse.content.stores import stores
from douse.content.techniques import Page, page_of, techniques
from douse.content.telemetry import requirements
from douse.errors import ContentError

MISSION = ("T0882", "T1204.002", "T1115", "T1112", "T1010", "T1012", "T1129", "T1497.001", "T1055.003", "T1027",
           "T1140")
STEALERS = ("T1555.003", "T1539", "T1555.004", "T1552.001", "T1217", "T1041", "T1071.001", "T1102.001", "T1218.005",
            "T1059.001", "T1204.004", "T1036", "T1547.001", "T1053.005", "T1574.001", "T1055.012", "T1685", "T1113",
            "T1082", "T1518.001", "T1614.001", "T1119", "T1005", "T1176.001", "T1657", "S1213")
FOOTPRINT = ("T1010", "T1012", "T1112", "T1115", "T1129")
"""What a script runtime's abilities look like to a file scanner."""


def page(technique: str) -> Page:
    found = page_of(technique)
    assert found is not None, f"{technique} has no page"
    return found


def test_every_technique_of_the_threat_model_has_a_page_of_its_own() -> None:
    assert [technique for technique in (*MISSION, *STEALERS) if page(technique).id != technique] == []


def test_a_page_stands_in_a_stage_that_lists_its_technique() -> None:
    listed: dict[str, set[int]] = {}
    for stage in stages():
        for technique in stage.techniques:
            listed.setdefault(technique, set()).add(stage.stage)
    assert listed.keys() == set(MISSION)
    assert [technique for technique, where in listed.items() if page(technique).stage not in where] == []


def test_names_come_from_attack_and_pages_stand_in_order() -> None:
    pages = techniques()
    for one in pages:
        if not one.uses:
            assert (one.title, one.tactics) == (attack().techniques[one.id].title, attack().techniques[one.id].tactics)
    assert [one.stage for one in pages] == sorted(one.stage for one in pages)
    assert len({one.id for one in pages}) == len(pages)


@pytest.mark.parametrize(("asked", "found"), [
    ("T1562.001", "T1685"), ("t1574.002", "T1574.001"), ("T1036.003", "T1036"), ("T1055.003", "T1055.003"),
    ("S1213", "S1213")])
def test_a_page_is_found_by_an_older_id_and_by_a_part(asked: str, found: str) -> None:
    assert page(asked).id == found


def test_what_has_no_page_has_none() -> None:
    assert page_of("T1498") is page_of("T9999") is page_of("") is None


def test_t0882_is_an_impact_of_ot_assets_after_a_transfer_and_nothing_else() -> None:
    one = page("T0882")
    assert one.impact == loader.Impact(loader.OT, "O", ())
    assert not one.visible_in
    assert "marked as operational technology" in one.note
    assert "outbound transfer" in one.note


def test_an_outcome_is_never_said_to_be_logged_and_names_real_stores() -> None:
    outcomes = [one for one in techniques() if one.impact]
    assert {one.id for one in outcomes} == {"T0882", "T1657"}
    for one in outcomes:
        assert not one.visible_in
        assert one.impact
        assert set(one.impact.stores) <= stores().families.keys()


def test_hits_in_a_file_alone_stay_informational_for_what_a_script_runtime_has() -> None:
    assert {one.id for one in techniques() if one.static_ceiling} == set(FOOTPRINT)
    for technique in FOOTPRINT:
        assert page(technique).static_ceiling == "informational"
        assert "A hit in a file alone never exceeds informational" in page(technique).note.replace(" a hit", " A hit")


@pytest.mark.parametrize("technique", ["T1010", "T1622", "T1106", "T0882", "T1657"])
def test_what_no_log_shows_is_said_to_be_blind(technique: str) -> None:
    assert not page(technique).visible_in
    assert page(technique).blind


@pytest.mark.parametrize(("technique", "needs"), [
    ("T1555.003", "store-reads"), ("T1539", "store-reads"), ("T1217", "store-reads"), ("T1005", "store-reads"),
    ("T1552.001", "store-reads"), ("T1055.003", "injection"), ("T1055.012", "tampering"), ("T1204.004", "registry"),
    ("T1218.005", "network"), ("T1102.001", "dns"), ("T1555.004", "vault"), ("T1685", "defender")])
def test_what_a_log_shows_only_with_a_setting_names_it(technique: str, needs: str) -> None:
    sight = next(sight for sight in page(technique).visible_in if sight.needs == needs)
    requirement = next(one for one in requirements() if one.id == needs)
    assert sight.setting == requirement.enable
    assert {one.channel for one in sight.records} <= {one.channel for one in requirement.any_of}


def test_only_the_wanted_records_of_a_requirement_are_named() -> None:
    sight = next(sight for sight in page("T1055.003").visible_in if sight.needs == "injection")
    assert {number for one in sight.records for number in one.event_ids or ()} == {10}
    assert sight.events.startswith("Sysmon 10")


def test_channels_of_a_page_are_those_that_rules_can_read() -> None:
    table = log_sources()
    known = {place.channel for places in table.categories.values() for place in places}
    known |= {channel for channels in table.services.values() for channel in channels}
    known |= {channel for services in table.products.values() for channels in services.values()
              for channel in channels}
    named = {(one.id, record.channel) for one in techniques() for sight in one.visible_in if not sight.needs
             for record in sight.records}
    assert [pair for pair in sorted(named) if pair[1] not in known] == []


def test_lumma_uses_what_attack_lists_and_each_has_a_page() -> None:
    lumma = page("S1213")
    assert len(lumma.uses) == 35
    assert "T1685" in lumma.uses, "listed as T1562.001 in 18.1"
    pages = {one.id for one in techniques()} | {one.id.partition(".")[0] for one in techniques()}
    assert [technique for technique in lumma.uses if page_of(technique) is None and technique not in pages] == []


@pytest.mark.parametrize("one", techniques(), ids=lambda one: one.id)
def test_a_page_says_what_must_be_said(one: Page) -> None:
    assert one.note.endswith(".")
    assert one.sources
    assert one.blind or one.visible_in
    for sight in one.visible_in:
        assert sight.shows
        assert sight.setting, f"{one.id}: {sight.events} is logged with which setting?"


def test_what_nobody_looked_up_is_marked() -> None:
    doubtful = {one.id for one in techniques() if not all(source.verified for source in one.sources)}
    assert doubtful >= {"T1140", "T1055.012", "T1552.001", "T1555.004"}, "practitioner's knowledge of the threat model"


def test_the_readme_names_every_key() -> None:
    readme = (loader.FOLDER / "README.md").read_text(encoding="utf-8")
    keys = ("id", "stage", "visible_in", "needs", "channels", "ids", "shows", "setting", "needs_file", "blind", "note",
            "static_ceiling", "impact", "after", "assets", "stores", "name", "uses", "sources", "verified")
    assert [key for key in keys if not re.search(rf"`{key}`|^\s*(?:- )?{key}:", readme, re.MULTILINE)] == []


GOOD = """id: T1115
stage: 2
visible_in:
  - {needs: injection, ids: [10], shows: A thing.}
  - {channels: [Security], ids: [1], shows: Other., setting: A policy., verified: true}
blind: The rest.
note: Weak.
static_ceiling: low
impact: {after: O, assets: ot, stores: [wallet]}
sources: [{text: A page., verified: true}]
verified: true
"""
LUMMA = """id: S1213
name: A stealer
stage: 1
uses: [T1562.001, T1685, T1027]
blind: All.
note: None.
sources: []
verified: false
"""


def load(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str, name: str = "T1115.yml") -> Page:
    (folder / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(loader, "FOLDER", folder)
    (found,) = loader.techniques.__wrapped__()
    return found


def test_a_page_is_read_as_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(tmp_path, monkeypatch, GOOD)
    assert [str(one) for one in found.visible_in[1].records] == ["Security 1"]
    assert found.impact == loader.Impact("ot", "O", ("wallet",))
    assert found.static_ceiling == "low"


def test_a_stealers_techniques_are_named_as_today_and_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = load(tmp_path, monkeypatch, LUMMA, "S1213.yml")
    assert (found.title, found.uses, found.verified) == ("A stealer", ("T1685", "T1027"), False)


@pytest.mark.parametrize(("old", "new", "says"), [
    ("id: T1115", "id: T1116", r"T1115\.yml:1: id must be the file's name"),
    ("stage: 2", "stage: 4", r"T1115\.yml:2: stage must be one of 1, 2, 3"),
    ("needs: injection", "needs: luck", r"T1115\.yml:4: needs names 'luck', which is no file"),
    ("ids: [10]", "ids: [10, 11]", r"T1115\.yml:4: ids has some that injection does not have"),
    ("ids: [10]", "ids: [x]", r"T1115\.yml:4: ids must be event ids"),
    ("channels: [Security], ", "", r"T1115\.yml:5: needs or channels is missing"),
    ("setting: A policy., ", "", r"T1115\.yml:5: setting is missing"),
    ("setting: A policy., verified: true", "setting: A policy.", r"T1115\.yml:5: verified is missing"),
    ("shows: A thing.", "show: A thing.", r"T1115\.yml:4: shows is missing"),
    ("note: Weak.\n", "", r"T1115\.yml:1: note is missing"),
    ("static_ceiling: low", "static_ceiling: lowest", r"T1115\.yml:8: static_ceiling must be one of"),
    ("after: O", "after: Q", r"T1115\.yml:9: after must be one of"),
    ("assets: ot", "assets: mine", r"T1115\.yml:9: assets must be one of any, ot"),
    ("sources: [{text: A page., verified: true}]", "sources: [{text: A page., verified: false}]",
     r"T1115\.yml:11: a verified page without a source that was read"),
    ("blind", "blint", r"T1115\.yml:6: unknown key 'blint'\. Did you mean 'blind'"),
])
def test_a_wrong_page_is_named_with_its_line(old: str, new: str, says: str, tmp_path: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    assert old in GOOD
    with pytest.raises(ContentError, match=says):
        load(tmp_path, monkeypatch, GOOD.replace(old, new, 1))


@pytest.mark.parametrize(("name", "text", "says"), [
    ("T1562.001.yml", GOOD.replace("id: T1115", "id: T1562.001"), r"no technique of ATT&CK.*It counts as T1685"),
    ("T9999.yml", GOOD.replace("id: T1115", "id: T9999"), r"T9999\.yml:1: 'T9999' is no technique of ATT&CK"),
    ("S1213.yml", LUMMA.replace("T1027", "T9999"), r"S1213\.yml:4: uses has 'T9999'"),
    ("S1213.yml", LUMMA.replace("blind: All.\n", ""), r"neither where the technique is seen nor that it is not"),
])
def test_a_page_of_an_unknown_technique_is_named(name: str, text: str, says: str, tmp_path: Path,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ContentError, match=says):
        load(tmp_path, monkeypatch, text, name)
