"""Sigma correlations, filters and placeholders through the command: several files in, one alert for what they join."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse.hunt import spread

Hunt = Callable[..., dict[str, Any]]

RULES = """
title: Many failed logons, then one that worked
id: 0b1f7a52-6b8e-4a5b-9d0c-0a4e6f0d7a10
level: high
tags: [attack.t1110]
correlation: {type: temporal_ordered, rules: [many, logon], group-by: [TargetUserName], timespan: 10m}
---
title: Many failed logons
name: many
correlation: {type: event_count, rules: [failed], group-by: [TargetUserName], timespan: 5m, condition: {gte: 5}}
---
title: Failed logon
name: failed
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4625}, condition: selection}
---
title: Logon
name: logon
logsource: {product: windows, service: security}
detection: {selection: {EventID: 4624, TargetUserName|expand: '%people%'}, condition: selection}
---
title: Not from the scanner
logsource: {product: windows, service: security}
filter: {rules: [failed], selection: {IpAddress: 10.0.0.9}, condition: not selection}
"""


def record(number: int, event_id: int, minute: int, address: str = "10.0.0.5", host: str = "DC-1") -> str:
    return json.dumps({"Channel": "Security", "EventID": event_id, "Computer": host, "RecordNumber": number,
                       "TimeCreated": f"2026-11-24T09:{minute:02}:{number % 60:02}Z", "IpAddress": address,
                       "TargetUserName": "Anna", "ProviderName": "Microsoft-Windows-Security-Auditing"})


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    folder = tmp_path / "logs"
    folder.mkdir()
    (folder / "a-later.jsonl").write_text(record(90, 4624, 8) + "\n", encoding="utf-8")
    (folder / "b-dc2.jsonl").write_text(
        "\n".join(record(n, 4625, 3, host="dc-2") for n in range(10, 13)) + "\n", encoding="utf-8")
    (folder / "c-dc1.jsonl").write_text("\n".join(record(n, 4625, 2) for n in range(2)) + "\n", encoding="utf-8")
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
    (tmp_path / "lists.yml").write_text("people: [anna, bert]\n", encoding="utf-8")
    return folder


def arguments(logs: Path) -> list[str | Path]:
    return [logs, "--rules", logs.parent / "rules.yml", "--no-builtin", "--placeholders", logs.parent / "lists.yml"]


def test_files_in_the_wrong_order_are_joined_and_parts_are_not_listed(logs: Path, hunt_json: Hunt) -> None:
    document = hunt_json(*arguments(logs))
    (alert,) = document["alerts"]
    assert alert["title"] == "Many failed logons, then one that worked"
    assert alert["level"] == "high"
    assert alert["fields"]["TargetUserName"] == "Anna"
    assert document["summary"]["alerts_by_level"]["low"] == 0


def test_a_filter_takes_matches_from_a_correlation(logs: Path, hunt_json: Hunt) -> None:
    scanner = "\n".join(record(n, 4625, 2, address="10.0.0.9") for n in range(2))
    (logs / "c-dc1.jsonl").write_text(scanner + "\n", encoding="utf-8")
    assert hunt_json(*arguments(logs))["alerts"] == []


def test_a_window_of_the_hunt_limits_what_is_joined(logs: Path, hunt_json: Hunt) -> None:
    assert hunt_json(*arguments(logs), "--since", "2026-11-24T09:03:00Z")["alerts"] == []


def test_without_the_list_the_rule_and_the_correlation_are_idle(logs: Path, hunt_json: Hunt) -> None:
    document = hunt_json(*arguments(logs)[:-2])
    assert document["summary"]["rules_idle"] == 2
    assert {alert["title"] for alert in document["alerts"]} == {"Many failed logons"}


def test_the_number_of_workers_changes_nothing_and_what_is_left_out_is_told(
        logs: Path, hunt_json: Hunt, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spread, "workers_for", lambda _units, jobs: jobs)  # as if the files were large
    nobody = record(70, 4625, 3).replace('"Anna"', '""')
    (logs / "d-nobody.jsonl").write_text(nobody + "\n" + record(1, 4625, 2) + "\n", encoding="utf-8")
    one, two = hunt_json(*arguments(logs), "--jobs", "1"), hunt_json(*arguments(logs), "--jobs", "2")
    assert len(one["alerts"]) == 1
    assert one["alerts"] == two["alerts"]
    told = "correlation 'Many failed logons': 1 match(es) left out, because they lack a field of group-by"
    assert one["notes"].count(told) == two["notes"].count(told) == 1
