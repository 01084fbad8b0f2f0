"""The STIX 2.1 bundle: valid, the same in every run, and saying no more than the evidence does."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.report import stix
from douse.report.machine import json_lines
from douse.report.observed import RegistryValue
from douse.report.stix_objects import TLP_AMBER
from douse.report.stix_observables import account, address, directory, domain, file, registry, url
from douse.report.stix_patterns import literal
from report import exported
from report.attack_flow_format import references
from report.exported import EVERY, whole


def bundle(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The objects of a document's bundle by id; none is there twice."""
    objects = whole(stix.render(document))["objects"]
    assert not [identity for identity, times in Counter(one["id"] for one in objects).items() if times > 1]
    return {one["id"]: one for one in objects}


def of(objects: dict[str, dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [one for one in objects.values() if one["type"] == kind]


@pytest.mark.parametrize("name", EVERY)
def test_the_bundle_is_valid(name: str) -> None:
    assert exported.stix_problems(b"".join(stix.render(EVERY[name]()))) == []


@pytest.mark.parametrize("name", EVERY)
def test_every_reference_resolves_and_everything_is_marked(name: str) -> None:
    objects = bundle(EVERY[name]())
    for one in objects.values():
        assert not set(references(one)) - objects.keys(), one["id"]
        if "created_by_ref" in one:
            assert one["object_marking_refs"] == [TLP_AMBER["id"]]


@pytest.mark.parametrize("name", EVERY)
def test_two_runs_give_the_same_bytes(name: str) -> None:
    assert b"".join(stix.render(EVERY[name]())) == b"".join(stix.render(EVERY[name]()))


def test_a_second_hunt_updates_what_the_first_one_made() -> None:
    first, second = exported.rich(), exported.rich()
    second["provenance"]["finished"] = "2026-12-01T00:00:00Z"
    before, after = bundle(first), bundle(second)
    assert {one for one in before if not one.startswith("note--")} == {
        one for one in after if not one.startswith("note--")}
    assert all(before[one]["created"] == after[one]["created"] < after[one]["modified"]
               for one in before.keys() & after.keys() if before[one]["type"] in {"incident", "indicator", "malware"})


def test_what_incidents_share_is_created_once_whichever_of_them_tells_it() -> None:
    """An object's `created` must not differ between its versions, and an incident must not answer for another's."""
    first, second = exported.rich(), exported.rich()
    second["incidents"][0].update(incident_id="0f6f2a4e-6a1c-5b7e-9d1e-3a2b6f0c0413", host="other.corp.example",
                                  first_seen="2026-11-17T00:00:00Z")
    for row in second["incidents"][0]["indicators"]:
        row["first_seen"] = "2026-11-17T00:00:00Z"
    before, after = bundle(first), bundle(second)
    shared = before.keys() & after.keys()
    assert {"indicator", "malware", "attack-pattern", "course-of-action", "relationship", "identity"} <= {
        before[one]["type"] for one in shared}
    assert all(before[one].get("created") == after[one].get("created") for one in shared)


def test_two_steps_that_look_alike_are_two_observations() -> None:
    document = exported.rich()
    steps = document["incidents"][0]["steps"]
    steps[1] = {**steps[0], "alerts": steps[1]["alerts"]}
    assert len(of(bundle(document), "observed-data")) == len(of(bundle(exported.rich()), "observed-data"))


def test_the_confidence_of_the_attribution_is_the_incidents() -> None:
    objects = bundle(exported.rich())
    assert {objects[one["target_ref"]]["name"]: one["confidence"] for one in of(objects, "relationship")
            if one["relationship_type"] == "uses" and one["source_ref"].startswith("incident--")
            and one["target_ref"].startswith("malware--")} == {"LummaC2": 50, "HijackLoader": 15}


def test_a_clock_that_ran_ahead_does_not_end_before_it_began() -> None:
    document = exported.rich()
    document["provenance"]["finished"] = "2020-01-01T00:00:00Z"
    assert all(one["modified"] >= one["created"] for one in bundle(document).values() if "modified" in one)


def test_ids_of_observables_are_those_that_another_tool_gives() -> None:
    library = exported.tool("stix2")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for one in bundle(exported.rich()).values():
            if "created" not in one and one["type"] != "process":
                again = {name: value for name, value in one.items() if name != "id"}
                assert library.parse(again, version="2.1").id == one["id"]


def test_only_what_is_to_be_blocked_is_an_indicator() -> None:
    objects = bundle(exported.rich())
    patterns = {one["pattern"] for one in of(objects, "indicator")}
    assert patterns == {
        "[domain-name:value = 'verify-human.example']",
        "[url:value = 'https://verify-human.example/s/7f3a.mp4']",
        "[ipv4-addr:value = '203.0.113.41']",
        "[ipv6-addr:value = '2001:db8::7']",
        f"[file:hashes.'SHA-256' = '{'ab' * 32}']",
        f"[file:hashes.'MD5' = '{'cd' * 16}']",
        r"[file:name = 'it\'s.exe' AND file:parent_directory_ref.path = 'C:\\Users\\m.keller\\AppData\\Roaming']",
        r"[windows-registry-key:key = 'HKEY_USERS\\S-1-5-21-1\\Software\\Microsoft\\Windows\\CurrentVersion\\Run']",
    }
    assert any(one["value"] == "t.me" for one in of(objects, "domain-name"))
    (note,) = [one for one in of(objects, "note") if "not of the form" in one["abstract"]]
    assert note["content"] == "ipv4-addr: 'not an address'"


def test_each_indicator_was_seen_where_and_how_often() -> None:
    objects = bundle(exported.rich())
    sightings = {one["sighting_of_ref"]: one for one in of(objects, "sighting")}
    for indicator in of(objects, "indicator"):
        sighting = sightings[indicator["id"]]
        assert [objects[one]["name"] for one in sighting["where_sighted_refs"]] == ["WS-FIN-07.corp.example"]
        (data,) = sighting["observed_data_refs"]
        assert objects[data]["number_observed"] == sighting["count"] == 2
    assert {objects[one["target_ref"]]["name"] for one in of(objects, "relationship")
            if one["relationship_type"] == "indicates"} == {"LummaC2"}


def test_each_technique_was_seen_in_the_observed_data_of_its_steps() -> None:
    document = exported.hunted("lumma-clickfix")
    objects = bundle(document)
    sightings = {objects[one["sighting_of_ref"]]["external_references"][0]["external_id"]: one
                 for one in of(objects, "sighting") if one["sighting_of_ref"].startswith("attack-pattern--")}
    assert set(sightings) == {one for step in document["incidents"][0]["steps"] for one in step["techniques"]}
    seen = [objects[ref] for data in sightings["T1555.003"]["observed_data_refs"]
            for ref in objects[data]["object_refs"]]
    assert {"Login Data", "logins.json"} <= {one.get("name") for one in seen}
    assert any("RegAsm" in one.get("command_line", "") for one in seen)
    (exfiltration,) = sightings["T1041"]["observed_data_refs"]  # only a network record proves it
    assert [objects[one]["type"] for one in objects[exfiltration]["object_refs"]] == ["process"]


def test_malware_has_a_name_only_where_the_attribution_has_one() -> None:
    named = {one["name"]: one for one in of(bundle(exported.rich()), "malware")}
    assert {name: one["is_family"] for name, one in named.items()} == {"LummaC2": True, "HijackLoader": True}
    document = exported.rich()
    document["incidents"][0]["attribution"].update(family="unattributed infostealer", confidence="", loader="")
    (unnamed,) = of(bundle(document), "malware")
    assert (unnamed["name"], unnamed["is_family"]) == ("unattributed infostealer", False)
    assert of(bundle(document), "incident")[0]["labels"] == ["level-critical", "infostealer"]
    document["incidents"][0]["level"] = "medium"
    weak = bundle(document)
    assert not of(weak, "malware")
    assert of(weak, "incident")[0]["labels"] == ["level-medium"]
    document["incidents"][0].update(attribution=None, level="critical")
    objects = bundle(document)
    assert not of(objects, "malware")
    assert [one for one in of(objects, "relationship") if one["relationship_type"] == "uses"]


def test_a_control_mitigates_the_techniques_that_were_seen() -> None:
    objects = bundle(exported.rich())
    (action,) = of(objects, "course-of-action")
    (link,) = [one for one in of(objects, "relationship") if one["source_ref"] == action["id"]]
    assert objects[link["target_ref"]]["external_references"][0]["external_id"] == "T1218.005"
    assert link["description"] == "stops: mshta.exe was started"


def test_the_grouping_holds_the_incident_and_the_notes_say_what_to_do() -> None:
    objects = bundle(exported.rich())
    first, second = of(objects, "grouping")
    assert {f"incident--{one['incident_id']}" for one in exported.rich()["incidents"]} <= objects.keys()
    assert set(first["object_refs"]) >= {one["id"] for one in of(objects, "indicator")}
    assert not set(second["object_refs"]) & {one["id"] for one in of(objects, "indicator")}
    notes = {one["abstract"]: one["content"] for one in of(objects, "note")}
    assert notes["What to do, in this order"] == "Contain:\n1. Isolate it.\nRecover:\n2. Rebuild it."
    assert notes["What was taken and what to change"].splitlines()[0] == (
        "Chrome of CORP\\m.keller, observed: passwords, sessions")
    assert "Alerts outside of incidents, not in this bundle: 1" in notes["What was read, and what could not be seen"]


def test_nothing_found_is_told_with_what_could_not_be_seen() -> None:
    objects = bundle(exported.empty())
    assert {one["type"] for one in objects.values()} == {"marking-definition", "identity", "note"}
    (note,) = of(objects, "note")
    assert "Incidents: 0." in note["content"]
    assert "Not to be judged on WS-FIN-07.corp.example:" in note["content"]


def test_alerts_may_be_made_while_they_are_read() -> None:
    document = exported.rich()
    expected = b"".join(stix.render(document))

    class Lazy(list[dict[str, Any]]):
        def __getitem__(self, _: object) -> Any:
            raise AssertionError("copied or indexed")

        def __len__(self) -> int:
            raise AssertionError("counted")

    document["alerts"] = Lazy(document["alerts"])
    assert b"".join(stix.render(document)) == expected


def test_an_object_a_line() -> None:
    lines = b"".join(stix.render(exported.hostile())).splitlines()
    assert all(json.loads(line.rstrip(b",")) for line in lines[1:-1])


# --- observables ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", ["", "a b.example", "x" * 64, "a..example", "évil\n.example", "a/b", "-\x00-"])
def test_what_is_no_domain_becomes_none(text: str) -> None:
    assert domain(text) == ()


@pytest.mark.parametrize("text", ["t.me", "_dmarc.example.org", "xn--bcher-kva.example", "bücher.example", "host."])
def test_domains(text: str) -> None:
    assert domain(text)[-1]["value"] == text


@pytest.mark.parametrize("text", ["", "203.0.113", "203.0.113.999", "203.0.113.1:80", "::g", "1" * 500])
def test_what_is_no_address_becomes_none(text: str) -> None:
    assert address(text) == ()


def test_addresses_and_urls() -> None:
    assert address("fe80::1%eth0")[-1] | {"id": ""} == {
        "type": "ipv6-addr", "spec_version": "2.1", "id": "", "value": "fe80::1"}
    assert url("https://a.example/x?y")[-1]["value"] == "https://a.example/x?y"
    assert url("not a url") == url("https://a b") == ()


def test_files_have_their_folder_and_their_hashes() -> None:
    folder, found = file("C:\\Temp\\a.exe", {"MD5": "0" * 32, "SHA-256": "1" * 64})
    assert folder == directory("C:\\Temp")[-1]
    assert (found["name"], found["parent_directory_ref"]) == ("a.exe", folder["id"])
    assert len(file("a.exe")) == 1
    assert file("") == ()


@pytest.mark.parametrize(("written", "full"), [
    ("HKLM\\SOFTWARE\\X", "HKEY_LOCAL_MACHINE\\SOFTWARE\\X"), ("HKU\\S-1-5", "HKEY_USERS\\S-1-5"),
    ("\\REGISTRY\\MACHINE\\SAM", "HKEY_LOCAL_MACHINE\\SAM"), ("\\registry\\user\\S-1", "HKEY_USERS\\S-1"),
    ("HKEY_USERS\\S-1", "HKEY_USERS\\S-1"), ("HKUX\\a", "HKUX\\a")])
def test_registry_keys_are_written_in_full(written: str, full: str) -> None:
    assert registry(RegistryValue(written))[-1]["key"] == full


def test_accounts_of_the_host_and_of_a_domain() -> None:
    assert account("WS-042\\anna", "WS-042.corp.example")[-1]["account_type"] == "windows-local"
    assert account("CORP\\anna", "WS-042.corp.example")[-1]["account_type"] == "windows-domain"
    assert account("anna", "h")[-1]["account_login"] == "anna"
    assert account("", "h") == ()


def test_a_pattern_cannot_be_broken_out_of() -> None:
    assert literal("a'] OR [b\\") == "'a\\'] OR [b\\\\'"


@given(st.text(st.characters(min_codepoint=0, exclude_categories=()), max_size=40))
def test_any_text_gives_an_object_that_json_can_hold_or_none(text: str) -> None:
    for made in (domain(text), url(text), address(text), file(text), registry(RegistryValue(text, text, text)),
                 account(text, text)):
        for line, one in zip(json_lines(made), made, strict=True):
            assert json.loads(line)["id"] == one["id"]
            assert json.loads(line) == one  # nothing changes after the id is made
