"""What the whole product says about the simulator's scenarios, from the command a user types.

Recall on our own simulator is no recall: these tests hold the pieces together, the real logs are in test_quality.py.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse.content import CONTENT
from douse.model import level_rank

Document = dict[str, Any]
Hunt = Callable[..., Document]
Scenario = Callable[..., Path]

DEMO_RULES = (
    "chromium_store_read",
    "dead_drop_dns",
    "decode_script",
    "explorer_child_paste",
    "gecko_store_read",
    "hollowing_host_bare_start",
    "hollowing_host_network",
    "injection_process_access",
    "mshta_child_shell",
    "mshta_network_connection",
    "mshta_remote_content",
    "powershell_download_run",
    "powershell_hidden_encoded",
    "process_image_replaced",
    "run_dialog_history_deleted",
    "run_dialog_paste",
    "run_key_user_path",
    "wallet_store_read",
)
"""Every rule that the demo's incident names."""


def worst(document: Document) -> Document:
    incident: Document = document["incidents"][0]
    return incident


def rule_of(alert: Document) -> str:
    titles = {rule_title(path): path.stem for path in (CONTENT / "sigma").glob("*.yml")}
    return titles[alert["title"]]


def rule_title(path: Path) -> str:
    return path.read_text(encoding="utf-8").splitlines()[0].removeprefix("title: ")


def story(incident: Document) -> list[str]:
    return [f"{step['title']} | {step['process']} | {step['detail']}" for step in incident["steps"]]


def first(story: list[str], *words: str) -> int:
    """Where the story first has all the words."""
    return next(i for i, line in enumerate(story) if all(word.lower() in line.lower() for word in words))


def test_the_demo_is_one_critical_incident_told_in_order(scenario: Scenario, hunt_json: Hunt) -> None:
    document = hunt_json(scenario("lumma-clickfix"))
    incident = worst(document)
    assert [i["level"] for i in document["incidents"]].count("critical") == 1
    assert (incident["level"], incident["family"]) == ("critical", "unattributed infostealer")
    assert incident["host"] == "WS-042.corp.example"
    assert any("anna" in user for user in incident["users"])
    told = story(incident)
    order = [first(told, "run dialog"), first(told, "mshta"), first(told, "RegAsm"), first(told, "Login Data"),
             first(told, "possible exfiltration")]
    assert order == sorted(order), "\n".join(told)
    assert {hit["sequence_id"] for hit in incident["sequences"]} >= {"S1", "S2", "S3", "S5", "S6"}
    assert [stage["stage"] for stage in incident["stages"]] == [1, 2, 3]
    for words in (("Chrome",), ("Firefox",), ("Exodus",)):
        assert first(told, *words) >= 0
    assert incident["next_steps"]


def test_without_the_audit_theft_cannot_be_excluded(scenario: Scenario, hunt_json: Hunt) -> None:
    incident = worst(hunt_json(scenario("lumma-clickfix-no-audit")))
    assert incident["level"] == "high"
    assert any("4663" in str(spot) for spot in incident["blind_spots"])
    assert "S7" in {hit["sequence_id"] for hit in incident["sequences"]}
    assert "cannot be excluded" in incident["verdict"]


def test_a_cracked_installer_is_high_or_more(scenario: Scenario, hunt_json: Hunt) -> None:
    incident = worst(hunt_json(scenario("cracked-installer")))
    assert level_rank(incident["level"]) >= level_rank("high")
    told = story(incident)
    assert first(told, "AutoIt") < first(told, "BitLockerToGo") or first(told, "antivirus") < first(told, "AutoIt")


@pytest.mark.parametrize("noise", [0, 2_000])
def test_a_working_day_has_nothing_above_low(scenario: Scenario, hunt_json: Hunt, noise: int) -> None:
    document = hunt_json(scenario("benign-day", "evtx", noise))
    assert document["summary"]["records_read"] >= 200 + noise
    assert [i["title"] for i in document["incidents"] if level_rank(i["level"]) > level_rank("low")] == []


def test_noise_changes_no_verdict(scenario: Scenario, hunt_json: Hunt) -> None:
    quiet, noisy = (worst(hunt_json(scenario("lumma-clickfix", "jsonl", noise))) for noise in (0, 2_000))
    assert (quiet["level"], quiet["score"]) == (noisy["level"], noisy["score"])
    assert story(quiet) == story(noisy)


@pytest.mark.parametrize("name", ["lumma-clickfix", "lumma-clickfix-no-audit", "cracked-installer", "benign-day"])
def test_every_format_gives_the_same_incidents(scenario: Scenario, hunt_json: Hunt, name: str) -> None:
    folders = [scenario(name, "evtx"), scenario(name, "jsonl"), scenario(name, "evtx", file="all.evtx"),
               scenario(name, "jsonl", file="all.jsonl")]
    results = [hunt_json(folder)["incidents"] for folder in folders]
    assert results[0] == results[1] == results[2] == results[3]


def test_the_demo_names_exactly_these_rules(scenario: Scenario, hunt_json: Hunt) -> None:
    document = hunt_json(scenario("lumma-clickfix"))
    named = set(worst(document)["alerts"])
    assert tuple(sorted({rule_of(a) for a in document["alerts"] if a["alert_id"] in named})) == DEMO_RULES


@pytest.mark.parametrize("rule", DEMO_RULES)
def test_each_rule_of_the_demo_matters(rule: str, scenario: Scenario, hunt_json: Hunt, tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    shutil.copytree(CONTENT / "sigma", rules, ignore=shutil.ignore_patterns(f"{rule}.yml"))
    logs = scenario("lumma-clickfix")
    whole, without = (story(worst(hunt_json(logs, *more))) for more in ((), ("--no-builtin", "--rules", rules)))
    assert set(whole) - set(without), f"the story is the same without {rule}"
