"""The Attack Flow: valid, one flow a file, its actions in the order of time and connected."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from douse.report import attack_flow
from report import attack_flow_format, exported
from report.exported import EVERY, whole


def parts(document: dict[str, Any]) -> tuple[dict[str, Any], dict[str, dict[str, Any]]]:
    """The flow and all objects by id."""
    objects = {one["id"]: one for one in whole(attack_flow.render(document))["objects"]}
    (flow,) = [one for one in objects.values() if one["type"] == "attack-flow"]
    return flow, objects


def walk(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The actions and conditions from the start on."""
    flow, objects = parts(document)
    found, here = [], flow["start_refs"]
    while here:
        (one,) = here
        found.append(objects[one])
        here = objects[one].get("effect_refs") or objects[one].get("on_true_refs")
    return found


@pytest.mark.parametrize("name", EVERY)
def test_the_flow_is_valid(name: str) -> None:
    assert exported.attack_flow_problems(b"".join(attack_flow.render(EVERY[name]()))) == []


@pytest.mark.parametrize("name", EVERY)
def test_two_runs_give_the_same_bytes(name: str) -> None:
    assert b"".join(attack_flow.render(EVERY[name]())) == b"".join(attack_flow.render(EVERY[name]()))


def test_every_step_is_an_action_in_the_order_of_time() -> None:
    document = exported.hunted("lumma-clickfix")
    chain = walk(document)
    actions = [one for one in chain if one["type"] == "attack-action"]
    steps = document["incidents"][0]["steps"]
    assert [one["execution_start"] for one in actions] == sorted(step["time"] for step in steps)
    by_name = {one["description"].splitlines()[0]: one for one in actions}
    stores = by_name["Chromium Credential Store Read by a Non-Owner"]
    assert (stores["tactic_id"], stores["technique_id"]) == ("TA0006", "T1555.003")
    assert stores["name"] == "Credentials from Password Stores: Credentials from Web Browsers"
    _, objects = parts(document)
    assert "RegAsm.exe" in objects[stores["command_ref"]]["command_line"]
    assert {"WS-042.corp.example", "CORP\\anna"} <= {objects[one]["name"] for one in stores["asset_refs"]}
    assert any(one["type"] == "attack-condition" and one["description"].startswith("S6 ") for one in chain)


def test_a_sequence_is_a_condition_behind_the_step_that_completes_it() -> None:
    document = exported.rich()
    chain = walk(document)
    incident = document["incidents"][0]
    for hit in incident["sequences"]:
        place = next(number for number, one in enumerate(chain) if one.get("description", "").startswith(
            f"{hit['sequence_id']} {hit['title']}"))
        before = [one["description"] for one in chain[:place] if one["type"] == "attack-action"]
        titles = [step["title"] for step in incident["steps"] if set(step["alerts"]) & set(hit["alerts"])]
        assert titles
        assert all(any(text.startswith(title) for text in before) for title in titles)


def test_stores_are_assets_and_opened_ones_a_condition() -> None:
    _, objects = parts(exported.rich())
    assets = {one["name"]: one["description"] for one in objects.values() if one["type"] == "attack-asset"}
    assert assets["Chrome of CORP\\m.keller"] == "Credential store, observed: passwords, sessions."
    assert assets["Exodus of CORP\\m.keller"] == "Credential store, presumed: seed. Security record 9"
    conditions = [one["description"] for one in objects.values() if one["type"] == "attack-condition"]
    assert "What lies in these stores may be in other hands: Chrome (passwords, sessions)." in conditions


def test_the_worst_incident_is_told_and_the_others_are_counted() -> None:
    document = exported.rich()
    document["incidents"].reverse()
    flow, _ = parts(document)
    assert flow["external_references"][0]["external_id"] == exported.rich()["incidents"][0]["incident_id"]
    assert "1 further incidents of this hunt are not in this flow." in flow["description"]
    document["incidents"] = document["incidents"][:1]
    alone, _ = parts(document)
    assert alone["name"].endswith("on WS-HR-02.corp.example")
    assert "further incidents" not in alone["description"]


def test_an_incident_without_steps_and_a_hunt_without_incidents_still_give_a_flow() -> None:
    document = exported.rich()
    document["incidents"][0]["steps"] = []
    assert exported.attack_flow_problems(b"".join(attack_flow.render(document))) == []
    assert [one["type"] for one in walk(document)] == ["attack-condition"]
    flow, _ = parts(exported.empty())
    assert flow["name"] == "No incident"
    assert "no proof of absence" in flow["description"]


def test_a_parent_of_itself_does_not_end_in_a_circle() -> None:
    document = exported.rich()
    for number, row in enumerate(document["incidents"][0]["processes"]):
        row["parent"] = number
    assert exported.attack_flow_problems(b"".join(attack_flow.render(document))) == []


@pytest.mark.parametrize("damage", [
    lambda flow: flow["objects"].append(next(one for one in flow["objects"] if one["type"] == "attack-flow")),
    lambda flow: next(one for one in flow["objects"] if one["type"] == "attack-flow").update(scope="everything"),
    lambda flow: next(one for one in flow["objects"] if one["type"] == "attack-action").update(effect_refs=[]),
    lambda flow: next(one for one in flow["objects"] if one["type"] == "attack-action").update(surprise=1),
    lambda flow: next(one for one in flow["objects"] if one["type"] == "attack-action").pop("extensions"),
    lambda flow: next(one for one in flow["objects"] if one["type"] == "attack-action").update(
        effect_refs=["attack-action--00000000-0000-4000-8000-000000000000"]),
], ids=["two flows", "scope", "no effects", "unknown property", "no extension", "dangling"])
def test_the_check_sees_what_is_wrong(damage: Any) -> None:
    flow = copy.deepcopy(whole(attack_flow.render(exported.rich())))
    damage(flow)
    schemas = exported.tool("jsonschema")
    told = [error for one in flow["objects"] if one["type"] in attack_flow_format.SCHEMAS for error in
            schemas.Draft202012Validator(attack_flow_format.SCHEMAS[one["type"]]).iter_errors(one)]
    assert told or list(attack_flow_format.problems(flow))
