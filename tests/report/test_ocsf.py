"""OCSF Detection Findings: valid by the schema of 1.8.0, a line for each incident and for each alert without one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from douse.report import ocsf
from douse.report.ocsf_parts import device, file, milliseconds
from report import exported
from report.exported import EVERY


def lines(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in b"".join(ocsf.render(document)).splitlines()]


@pytest.mark.parametrize("name", EVERY)
def test_every_finding_is_valid(name: str) -> None:
    document = EVERY[name]()
    made = lines(document)
    assert [problem for event in made for problem in exported.ocsf_problems(event)] == []
    grouped = {alert for incident in document["incidents"] for alert in incident["alerts"]}
    alone = [alert["alert_id"] for alert in document["alerts"] if alert["alert_id"] not in grouped]
    assert [one["finding_info"]["uid"] for one in made] == [
        *(one["incident_id"] for one in document["incidents"]), *alone]


@pytest.mark.parametrize("name", EVERY)
def test_two_runs_give_the_same_bytes(name: str) -> None:
    assert b"".join(ocsf.render(EVERY[name]())) == b"".join(ocsf.render(EVERY[name]()))


def test_the_check_sees_what_is_wrong() -> None:
    made = lines(exported.rich())[0]
    for damage in ({"severity_id": 42}, {"surprise": 1}, {"time": "yesterday"}, {"evidences": [{"name": "no proof"}]}):
        assert exported.ocsf_problems({**made, **damage}), damage


def test_an_incident_carries_what_a_console_shows() -> None:
    document = exported.rich()
    event, incident = lines(document)[0], document["incidents"][0]
    assert (event["severity"], event["severity_id"], event["type_uid"]) == ("Critical", 5, 200401)
    assert (event["confidence"], event["verdict"]) == ("High", "Suspicious")
    assert event["is_alert"] is event["is_suspected_breach"] is True
    assert event["message"] == incident["verdict"]
    assert event["device"]["hostname"] == "WS-FIN-07.corp.example"
    assert event["remediation"]["desc"] == "Contain:\n1. Isolate it.\nRecover:\n2. Rebuild it."
    assert event["time"] == milliseconds(incident["last_seen"])
    assert [(one["name"], one["labels"]) for one in event["resources"]] == [
        ("Chrome", ["observed", "passwords", "sessions"]), ("Exodus", ["presumed", "seed"])]
    values = [(one["type_id"], one["value"]) for one in event["observables"]]
    assert values[:3] == [(1, "verify-human.example"), (6, "https://verify-human.example/s/7f3a.mp4"),
                          (2, "203.0.113.41")]
    assert len(values) == len(set(values))
    assert event["unmapped"]["attribution"]["family"] == "LummaC2"
    assert event["finding_info"]["types"] == ["Infostealer"]
    weak = lines(document)[1]
    assert "types" not in weak["finding_info"]
    assert (weak["confidence"], weak["verdict"]) == ("Low", "Insufficient Data")


def test_evidence_is_of_the_steps_of_a_real_incident() -> None:
    document = exported.hunted("lumma-clickfix")
    (event,) = lines(document)[:1]
    evidence = {one["name"]: one for one in event["evidences"]}
    assert [one["name"] for one in event["evidences"]] == [one["title"] for one in document["incidents"][0]["steps"]]
    pasted = evidence["Command Pasted Into the Run Dialog"]
    assert pasted["reg_value"]["name"] == "a"
    assert pasted["reg_value"]["data"].startswith("mshta https://verify.example/x.mp3")
    started = evidence["Mshta Started With a URL or Inline Script"]["process"]
    assert (started["name"], started["parent_process"]["name"]) == ("mshta.exe", "explorer.exe")
    assert evidence["Mshta Connected to the Internet"]["dst_endpoint"] == {"ip": "198.51.100.77", "port": 443}
    assert evidence["Dead-Drop Site Looked Up by a Non-Browser"]["query"] == {"hostname": "t.me"}
    read = evidence["Chromium Credential Store Read by a Non-Owner"]["file"]
    assert (read["name"], read["parent_folder"]) == (
        "Local State", "C:\\Users\\anna\\AppData\\Local\\Google\\Chrome\\User Data")
    script = evidence["PowerShell Script Block Downloads and Runs Code"]["script"]
    assert "DownloadString" in script["script_content"]["value"]
    (theft,) = [one for one in event["finding_info"]["attacks"]
                if one.get("sub_technique", {}).get("uid") == "T1555.003"]
    assert theft["technique"] == {"uid": "T1555", "name": "Credentials from Password Stores"}
    assert theft["tactics"] == [{"uid": "TA0006", "name": "Credential Access"}]
    assert event["finding_info"]["related_events_count"] == len(event["finding_info"]["related_events"])
    assert {"S5", "S6"} <= {one["uid"] for one in event["finding_info"]["related_analytics"]}


def test_an_alert_without_an_incident_is_a_finding_with_its_record() -> None:
    document = exported.rich()
    event, alert = lines(document)[-1], document["alerts"][-1]
    assert (event["finding_info"]["uid"], event["confidence_id"]) == (alert["alert_id"], 1)
    assert event["finding_info"]["analytic"]["uid"] == alert["rule_id"]
    assert event["evidences"][0]["data"] == {"channel": alert["channel"], "event_id": 13, "source": alert["source"],
                                             "record_id": alert["record_id"]}
    assert event["evidences"][0]["process"]["pid"] == 4312
    assert event["unmapped"]["fields"] == alert["fields"]


def test_long_lists_are_cut_and_the_cut_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ocsf, "MAX_EVENTS", 3)
    monkeypatch.setattr(ocsf, "MAX_EVIDENCES", 2)
    document = exported.hunted("lumma-clickfix")
    event, incident = lines(document)[0], document["incidents"][0]
    assert len(event["finding_info"]["related_events"]) == 3
    assert event["finding_info"]["related_events_count"] == len(incident["alerts"])
    assert event["unmapped"]["related_events_left_out"] == len(incident["alerts"]) - 3
    assert len(event["evidences"]) == 2
    assert event["unmapped"]["steps_without_evidence"] == len(incident["steps"]) - 2
    assert exported.ocsf_problems(event) == []


def test_nothing_found_is_no_line() -> None:
    assert lines(exported.empty()) == []


def test_parts() -> None:
    assert milliseconds("2026-11-18T09:14:02.118999Z") == 1794993242118 == milliseconds("2026-11-18T09:14:02.118Z")
    asset = {"name": "ws", "role": "EWS", "owner": "Plant 2", "criticality": "", "marked": "", "where": "a.csv:2"}
    assert device("ws", asset) == {"hostname": "ws", "type_id": 0, "type": "Unknown", "desc": "EWS, a.csv:2",
                                   "owner": {"name": "Plant 2"}}
    assert file("C:\\a\\b.exe")["parent_folder"] == "C:\\a"
    assert file("C:\\a\\")["name"] == "C:\\a\\"
