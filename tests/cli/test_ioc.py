"""`douse hunt --ioc` as users meet it: what is shown, what a mistake in a file does, and that no text gets out raw."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse.cli import exits
from douse.cli.main import main

Scenario = Callable[..., Path]
Hunt = Callable[..., dict[str, Any]]

HOSTILE = "\x1b[31mred\u202egpj.exe\u200b<script>alert(1)</script>{{7*7}}"


@pytest.fixture(scope="module")
def lumma(scenario: Scenario) -> Path:
    """An intrusion."""
    return scenario("lumma-clickfix")


@pytest.fixture
def feed(tmp_path: Path) -> Callable[..., Path]:
    """Write a file of indicators."""

    def write(text: str, name: str = "feed.txt") -> Path:
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_a_clean_list_changes_no_exit_code_and_names_its_source(lumma: Path, hunt_json: Hunt, feed: Callable[..., Path]
                                                                ) -> None:
    path = feed("verify[.]example  # Lumma, lure page\n")
    found = hunt_json(lumma, "--ioc", path)
    alerts = [alert for alert in found["alerts"] if alert["title"] == "Indicator seen: domain verify.example"]
    assert alerts
    assert {alert["fields"]["IndicatorSource"] for alert in alerts} == {f"{path}:1 ('Lumma, lure page')"}
    assert [row["path"] for row in found["provenance"]["lists"]] == [str(path)]
    assert found["errors"] == []
    assert f"{path}: 1 indicator (1 domain)" in found["notes"]
    (incident,) = found["incidents"]
    assert {alert["alert_id"] for alert in alerts} <= set(incident["alerts"])


def test_several_files_of_several_kinds(lumma: Path, hunt_json: Hunt, feed: Callable[..., Path]) -> None:
    bundle = {"type": "bundle", "id": "bundle--1", "objects": [
        {"type": "indicator", "id": "indicator--1", "pattern_type": "stix", "name": "C2",
            "valid_from": "2026-01-01T00:00:00Z",
         "pattern": "[ipv4-addr:value = '203.0.113.41'] OR [domain-name:value = 'never.example']"},
        {"type": "malware", "id": "malware--1", "name": "Lumma Stealer", "is_family": True},
        {"type": "relationship", "id": "relationship--1", "relationship_type": "indicates",
            "source_ref": "indicator--1",
         "target_ref": "malware--1"}]}
    found = hunt_json(lumma, "--ioc", feed(json.dumps(bundle), "b.json"),
                      "--ioc", feed("indicator,family\n43a047e5c396dfaf30c02d5407d2735a,loader\n", "c.csv"))
    seen = {(alert["fields"]["IndicatorValue"], alert["fields"]["IndicatorFamily"]) for alert in found["alerts"]
            if "IndicatorValue" in alert["fields"]}
    assert seen == {("203.0.113.41", "Lumma Stealer"), ("43a047e5c396dfaf30c02d5407d2735a", "loader")}


def test_a_bad_line_is_skipped_shown_and_makes_the_result_partial(
        lumma: Path, hunt_json: Hunt, feed: Callable[..., Path], capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = feed("verify.example\nnot an indicator\n10.0.0.1\n")
    found = hunt_json(lumma, "--ioc", path, code=exits.PARTIAL)
    assert [(row["error"], row["where"]) for row in found["errors"]] == [
        ("ioc", f"{path}:2"), ("ioc", f"{path}:3")]
    assert all(row["next_step"] for row in found["errors"])
    assert main(["hunt", str(lumma), "-q", "--ioc", str(path)]) == exits.PARTIAL
    shown = " ".join(capsysbinary.readouterr().out.decode().split())
    assert "'not an indicator' has a blank in it." in shown
    assert "Write one value a line" in shown


@pytest.mark.parametrize(("text", "said"), [
    ("", "names no indicator"), ("what is this\n", "nothing else in the file can be used"), ("{", "begins as JSON"),
])
def test_a_file_of_no_use_ends_the_run_with_its_place(lumma: Path, feed: Callable[..., Path], text: str, said: str,
                                                      capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = feed(text)
    assert main(["hunt", str(lumma), "--ioc", str(path), "-q"]) == exits.NO_RULES
    out, err = capsysbinary.readouterr()
    assert out == b""
    assert f"{path}" in err.decode()
    assert said in err.decode()


def test_hostile_texts_of_a_feed_are_shown_cleaned(lumma: Path, feed: Callable[..., Path],
                                                   capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    path = feed(f"verify.example # {HOSTILE}\n{HOSTILE}\n")
    for format_ in ("table", "html"):
        assert main(["hunt", str(lumma), "-q", "--ioc", str(path), "--format", format_]) == exits.PARTIAL
        out, err = capsysbinary.readouterr()
        assert b"alert(1)" in out
        assert format_ == "table" or b"<script>alert" not in out
        for raw in ("\x1b[31mred", "\u202e", "\u200b"):
            assert raw not in out.decode() + err.decode()


def test_a_sweep_without_rules(lumma: Path, hunt_json: Hunt, feed: Callable[..., Path]) -> None:
    found = hunt_json(lumma, "--no-builtin", "--ioc", feed("verify.example\n"))
    assert {alert["title"] for alert in found["alerts"]} == {"Indicator seen: domain verify.example"}
