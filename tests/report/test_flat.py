"""CSV, Timesketch and SARIF: every alert once, nothing a spreadsheet would run, nothing an index would refuse."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.report import csv_, sarif, timesketch
from douse.text import cell, clean
from report import exported

FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1", "@SUM(A1)", "\t=1+1", "  =1+1", "\uff1d1", "|calc", "\r=1")


def table(document: exported.Document) -> list[dict[str, str]]:
    text = b"".join(csv_.render(document)).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_is_a_formula(text: str) -> None:
    assert cell(text).lstrip()[0] not in "=+-@|\uff1d"


@given(st.text())
def test_a_cell_is_one_line_and_ends(text: str) -> None:
    made = cell(text)
    assert made == clean(made)
    assert not set("\r\n\t") & set(made)
    assert made.lstrip()[:1] not in {"=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20"}
    assert len(cell("x" * 40_000)) <= 32_767


@pytest.mark.parametrize("name", exported.EVERY)
def test_csv_has_a_row_for_each_alert(name: str) -> None:
    document = exported.EVERY[name]()
    rows = table(document)
    assert [row["alert_id"] for row in rows] == [cell(one["alert_id"]) for one in document["alerts"]]
    mine = {alert: one["incident_id"] for one in document["incidents"] for alert in one["alerts"]}
    assert [row["incident_id"] for row in rows] == [cell(mine.get(one["alert_id"], "")) for one in document["alerts"]]
    for row in rows:
        assert set(row) == set(csv_.COLUMNS)
        assert all(value[:1] not in "=+-@" for value in row.values() if value)


def test_csv_says_who_and_why() -> None:
    (row,) = [row for row in table(exported.hunted("lumma-clickfix")) if row["rule"].startswith("Command Pasted")]
    assert row["user"] == "CORP\\anna"
    assert "mshta" in row["evidence"]
    assert row["techniques"] == "T1204.004"
    assert row["tactics"] == "execution"


@pytest.mark.parametrize("name", exported.EVERY)
def test_timesketch_takes_every_event(name: str) -> None:
    document = exported.EVERY[name]()
    rows = [json.loads(line) for line in b"".join(timesketch.render(document)).splitlines()]
    assert len(rows) == len(document["alerts"]) + sum(len(one["steps"]) for one in document["incidents"])
    names = set()
    for row in rows:
        assert {"message", "datetime", "timestamp", "timestamp_desc", "tag"} <= set(row)
        assert isinstance(row["timestamp"], int)
        assert datetime.fromisoformat(row["datetime"]).timestamp() * 1e6 == pytest.approx(row["timestamp"], abs=1)
        assert row["datetime"].endswith("+00:00")
        assert isinstance(row["tag"], list)
        assert not [key for key in row if key.startswith("__ts_") or key in ("_id", "_type", "_index", "_source")]
        names |= set(row)
    assert len(names) < 50  # an attacker's field names would fill the index


def test_timesketch_cuts_by_bytes() -> None:
    document = exported.rich()
    document["alerts"][0]["fields"]["CommandLine"] = "ü" * 40_000
    longest = max((value for line in b"".join(timesketch.render(document)).splitlines()
                   for value in json.loads(line).values() if isinstance(value, str)), key=len)
    assert 32_000 < len(longest.encode()) <= timesketch.MAX_BYTES


@pytest.mark.parametrize("name", exported.EVERY)
def test_sarif_is_valid(name: str) -> None:
    document = exported.EVERY[name]()
    log = json.loads(b"".join(sarif.render(document)))
    assert exported.sarif_problems(log) == []
    run = log["runs"][0]
    assert len(run["results"]) == len(document["alerts"]) + len(document["incidents"])
    rules = run["tool"]["driver"]["rules"]
    taxa = {one["id"] for one in run["taxonomies"][0]["taxa"]}
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["partialFingerprints"]
        assert {one["id"] for one in result["taxa"]} <= taxa


def test_sarif_levels() -> None:
    results = json.loads(b"".join(sarif.render(exported.rich())))["runs"][0]["results"]
    assert {(one["properties"]["level"], one["level"]) for one in results} == {
        ("critical", "error"), ("high", "error"), ("medium", "warning"), ("low", "note")}


@pytest.mark.parametrize(("path", "uri"), [
    ("logs/a b.evtx", "logs/a%20b.evtx"), ("C:\\Logs\\a#1.evtx", "file:///C:/Logs/a%231.evtx"),
    ("/cases/ü.evtx", "file:///cases/%C3%BC.evtx"), ("\\\\srv\\share\\a.evtx", "file://srv/share/a.evtx"),
    ("Sysmon%4Operational.evtx", "Sysmon%254Operational.evtx"), ("a:b.evtx", "a%3Ab.evtx")])
def test_a_path_becomes_a_uri(path: str, uri: str) -> None:
    assert sarif.uri(path) == uri
