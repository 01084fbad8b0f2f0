"""The layer of a hunt's incidents: valid by MITRE's own library, scored by level, with its evidence."""

from __future__ import annotations

from typing import Any

import pytest

from douse.content.attack import attack_version
from douse.report.navigator import MAX_LINES, layer, render
from report import exported
from report.exported import EVERY, whole


def entries(made: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    return {(one["techniqueID"], one.get("tactic", "")): one for one in made["techniques"]}


@pytest.mark.parametrize("name", EVERY)
def test_the_layer_is_valid(name: str) -> None:
    made = whole(render(EVERY[name]()))
    assert exported.navigator_problems(made) == []
    assert len(entries(made)) == len(made["techniques"])  # no technique twice under one tactic
    assert made["versions"] == {"attack": attack_version().partition(".")[0], "navigator": "5.1.0", "layer": "4.5"}
    assert made["domain"] == "enterprise-attack"


@pytest.mark.parametrize("name", EVERY)
def test_two_runs_give_the_same_bytes(name: str) -> None:
    assert b"".join(render(EVERY[name]())) == b"".join(render(EVERY[name]()))


def test_every_technique_of_a_real_incident_is_there_under_its_tactics() -> None:
    document = exported.hunted("lumma-clickfix")
    (incident,) = document["incidents"]
    made = entries(layer(document))
    assert {technique for technique, _ in made} == {one for step in incident["steps"] for one in step["techniques"]}
    assert ("T1555.003", "credential-access") in made
    assert {("T1055.012", "privilege-escalation"), ("T1055.012", "stealth")} <= made.keys()
    stores = made["T1555.003", "credential-access"]
    assert "Chromium Credential Store Read by a Non-Owner (WS-042.corp.example, RegAsm.exe" in stores["comment"]
    facts = {pair["name"]: pair["value"] for pair in stores["metadata"]}
    assert facts["rules"].split("; ") == [
        "Chromium Credential Store Read by a Non-Owner", "Firefox Credential Store Read by a Non-Owner"]
    assert facts["alerts"] == "9"
    assert facts["hosts"] == "WS-042.corp.example"


def test_the_score_is_the_strongest_level() -> None:
    document = exported.rich()
    steps = document["incidents"][0]["steps"]
    for step in steps:
        step["techniques"], step["level"] = ["T1204.004"], "low"
    assert {one["score"] for one in layer(document)["techniques"] if one["techniqueID"] == "T1204.004"} == {40.0}
    steps[-1]["level"] = "critical"
    assert {one["score"] for one in layer(document)["techniques"] if one["techniqueID"] == "T1204.004"} == {100.0}


def test_what_the_matrix_does_not_have_is_named_instead() -> None:
    document = exported.rich()
    document["incidents"][0]["steps"][0]["techniques"] = ["T0882", "T1204.004"]
    made = layer(document)
    assert "T0882" not in {one["techniqueID"] for one in made["techniques"]}
    assert "T1496" not in {one["techniqueID"] for one in made["techniques"]}
    assert "Not in the Enterprise matrix: T0882." in made["description"]
    assert "T1496 (The inventory marks this computer as OT.)" in made["description"]


def test_a_long_comment_says_how_much_more_there_is() -> None:
    document = exported.rich()
    first = document["incidents"][0]
    first["steps"] = [first["steps"][0]] * (MAX_LINES + 3)
    (entry,) = [one for one in layer(document)["techniques"] if one["techniqueID"] == "T1204.004"]
    assert entry["comment"].splitlines()[-1] == "and 3 more"


def test_a_hunt_without_incidents_gives_an_empty_layer_that_says_so() -> None:
    made = layer(exported.empty())
    assert (made["techniques"], made["name"]) == ([], "Douse: no incidents")
    assert "no proof of absence" in made["description"]
