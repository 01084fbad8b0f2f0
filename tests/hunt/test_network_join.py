"""Network logs beside endpoint logs: bytes and names reach the incident, clocks that differ, whose an alert is."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from douse import api
from douse.hunt.options import HuntOptions
from douse.hunt.result import HuntResult
from douse.incident.story import UPLOAD

SERVER = "203.0.113.41"
PROXY_RULE = """
title: Upload to a bare address
logsource: {category: proxy}
detection: {selection: {cs-method: POST, cs-host: 203.0.113.41}, condition: selection}
tags: [attack.t1041]
"""


def connections(logs: Path) -> list[dict[str, Any]]:
    """The records of Sysmon 3 to the thief's server."""
    lines = (logs / "Microsoft-Windows-Sysmon%4Operational.jsonl").read_text(encoding="utf-8").splitlines()
    events = [json.loads(line)["Event"] for line in lines]
    return [event for event in events if event["EventData"].get("DestinationIp") == SERVER]


def zeek(event: dict[str, Any], number: int, later: float, sent: int) -> list[dict[str, Any]]:
    """What Zeek has of a connection, its clock `later` seconds ahead."""
    stated = event["System"]["TimeCreated"]["#attributes"]["SystemTime"]
    time = datetime.fromisoformat(stated) + timedelta(seconds=later)
    data = event["EventData"]
    ends = {"ts": time.timestamp(), "uid": f"C{number}", "id.orig_h": data["SourceIp"], "id.orig_p": data["SourcePort"],
            "id.resp_h": SERVER, "id.resp_p": 443}
    return [{**ends, "_path": "conn", "proto": "tcp", "duration": 0.5, "orig_bytes": sent, "resp_bytes": 300,
             "conn_state": "SF"}, {**ends, "_path": "ssl", "server_name": "exfil.example", "established": True,
                                   "resumed": False}]


@pytest.fixture
def joined(scenario: Callable[..., Path], tmp_path: Path) -> Callable[..., HuntResult]:
    """Hunt the Lumma scenario beside Zeek's view of its connections."""

    def run(later: float = 0.4, sent: int = 50_000, skew: float = 2.0, jobs: int = 1) -> HuntResult:
        folder = tmp_path / "logs"
        shutil.copytree(scenario("lumma-clickfix", "jsonl"), folder)
        rows = [row for number, event in enumerate(connections(folder)) for row in zeek(event, number, later, sent)]
        (folder / "zeek.log").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        return api.hunt(HuntOptions(paths=(str(folder),), clock_skew=skew, jobs=jobs))

    return run


def test_bytes_and_name_reach_the_incident(joined: Callable[..., HuntResult]) -> None:
    incident = joined().incidents[0]
    (step,) = [step for step in incident.steps if step.evidence_class == "O"]
    assert (step.title, incident.level) == (UPLOAD, "critical")
    assert "50,000 bytes sent, 300 received, to exfil.example" in step.detail
    assert "Zeek/conn record" in step.evidence
    assert "bytes sent to exfil.example (203.0.113.41:443)" in incident.verdict


def test_without_the_sensor_the_bytes_stay_unknown(scenario: Callable[..., Path]) -> None:
    result = api.hunt(HuntOptions(paths=(str(scenario("lumma-clickfix", "jsonl")),)))
    assert "Possible exfiltration (bytes unknown)" in [step.title for step in result.incidents[0].steps]


def test_ten_minutes_between_two_clocks(joined: Callable[..., HuntResult]) -> None:
    incident = joined(later=600).incidents[0]
    assert UPLOAD in [step.title for step in incident.steps]


def test_a_transfer_too_small_to_be_data_weighs_less(joined: Callable[..., HuntResult]) -> None:
    (score,) = [score for score in joined(sent=10).incidents[0].classes if score.evidence_class == "O"]
    assert score.points == 8.0


def test_an_alert_of_a_proxy_is_the_hosts_that_had_the_address(
        scenario: Callable[..., Path], tmp_path: Path) -> None:
    folder, rule = tmp_path / "logs", tmp_path / "proxy.yml"
    shutil.copytree(scenario("lumma-clickfix", "jsonl"), folder)
    rule.write_text(PROXY_RULE, encoding="utf-8")
    (folder / "access.log").write_text(
        "1793693709.123 245 10.20.4.42 TCP_MISS/200 507 POST http://203.0.113.41/api - HIER_DIRECT/203.0.113.41 -\n",
        encoding="utf-8")
    result = api.hunt(HuntOptions(paths=(str(folder),), rules=(rule,)))
    (alert,) = [alert for alert in result.alerts if alert.title == "Upload to a bare address"]
    assert alert.host == "WS-042.corp.example"
    assert {incident.host for incident in result.incidents} == {"WS-042.corp.example"}
    assert "(network)" not in result.blind_spots


def test_an_alert_on_an_address_that_two_hosts_take_turns_with_is_nobodys(
        scenario: Callable[..., Path], tmp_path: Path) -> None:
    folder, rule = tmp_path / "logs", tmp_path / "proxy.yml"
    shutil.copytree(scenario("lumma-clickfix", "jsonl"), folder)
    rule.write_text(PROXY_RULE, encoding="utf-8")
    others = []
    for event, seconds in zip(connections(folder) * 2, (-600, 600), strict=False):
        event = json.loads(json.dumps(event))
        stated = event["System"]["TimeCreated"]["#attributes"]
        stated["SystemTime"] = (datetime.fromisoformat(stated["SystemTime"]) + timedelta(seconds=seconds)).isoformat()
        others.append({"Event": {**event, "System": {**event["System"], "Computer": "WS-099.home"}}})
    (folder / "other.jsonl").write_text("\n".join(map(json.dumps, others)), encoding="utf-8")
    (folder / "access.log").write_text(
        "1793693709.123 245 10.20.4.42 TCP_MISS/200 507 POST http://203.0.113.41/api - HIER_DIRECT/203.0.113.41 -\n",
        encoding="utf-8")
    result = api.hunt(HuntOptions(paths=(str(folder),), rules=(rule,)))
    (alert,) = [alert for alert in result.alerts if alert.title == "Upload to a bare address"]
    assert alert.host == "10.20.4.42"
