"""The document holds what other programs were promised, under the promised names."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

from douse.model import LEVELS
from douse.report.document import document, rows
from report import sample

ALERT = {
    "rule_id", "title", "level", "time", "host", "channel", "event_id", "record_id", "source", "techniques",
    "evidence_class", "matched", "alert_id", "fields", "stage", "store",
}  # fmt: skip
INCIDENT = {
    "incident_id", "level", "title", "verdict", "host", "users", "first_seen", "last_seen", "stages", "family",
    "family_detail", "coverage", "alerts", "steps", "sequences", "classes", "score", "processes", "next_steps",
    "blind_spots", "supersedes",
}  # fmt: skip
SUMMARY = {
    "files", "records_read", "records_skipped", "records_lost", "alerts", "incidents", "partial", "rules_loaded",
    "rules_rejected", "rules_idle", "ignored_files", "alerts_by_level", "first_event", "last_event", "elapsed_seconds",
}  # fmt: skip
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


def test_the_document_is_one_hunt() -> None:
    whole = document(sample.lumma())
    assert list(whole) == [
        "kind", "schema", "summary", "hosts", "incidents", "alerts", "suppressed", "allowances", "coverage",
        "errors",
        "notes", "provenance",
    ]  # fmt: skip
    assert (whole["kind"], whole["schema"]) == ("hunt", "douse.hunt/1")
    assert [len(whole[part]) for part in ("incidents", "alerts", "coverage", "errors")] == [2, 13, 2, 2]


def test_alerts_have_the_promised_fields() -> None:
    for alert in document(sample.lumma())["alerts"]:
        assert set(alert) >= ALERT
        assert alert["level"] in LEVELS
        assert TIME.fullmatch(alert["time"])
    read = document(sample.lumma())["alerts"][8]
    assert read["matched"] == [
        {"selection": "selection", "field": "ObjectName", "value": sample.CHROME_LOGINS, "pattern": "*\\Login Data"}
    ]
    assert read["fields"]["ObjectName"] == sample.CHROME_LOGINS
    assert (read["store"], read["evidence_class"], read["event_id"]) == ("chromium", "C", 4663)


def test_a_source_names_file_and_member() -> None:
    alert = document(sample.lumma())["alerts"][-1]
    assert alert["source"] == "case-0412/triage-hr.zip!WS-HR-02/Sysmon.evtx"
    assert (alert["file"], alert["member"], alert["format"]) == (
        "case-0412/triage-hr.zip",
        "WS-HR-02/Sysmon.evtx",
        "evtx",
    )


def test_incidents_have_the_promised_fields() -> None:
    incident = document(sample.lumma())["incidents"][0]
    assert set(incident) >= INCIDENT
    assert isinstance(incident["host"], str)
    assert incident["family"] == "unattributed infostealer"
    assert incident["alerts"] == [alert.alert_id for alert in sample.lumma().alerts[:12]]
    assert [stage["stage"] for stage in incident["stages"]] == [1, 2, 3]
    assert incident["coverage"]["channels"][8] == {
        "channel": "Security",
        "event_id": 4663,
        "records": 57,
        "first_seen": "2026-11-18T07:44:02.118000Z",
        "last_seen": "2026-11-18T10:22:22.118000Z",
    }


def test_the_summary_has_the_promised_fields_and_every_level() -> None:
    summary = document(sample.empty())["summary"]
    assert set(summary) >= SUMMARY
    assert summary["alerts_by_level"] == dict.fromkeys(LEVELS, 0)


def test_problems_become_errors() -> None:
    loss, rule = document(sample.lumma())["errors"]
    assert (loss["error"], loss["records"]) == ("loss", 41)
    assert (rule["error"], rule["records"], rule["where"]) == ("rule", None, "rules/local/store_read.yml:14")


def test_coverage_carries_the_hosts_blind_spots() -> None:
    finance, _ = document(sample.lumma())["coverage"]
    assert finance["host"] == sample.HOST
    assert [spot["requirement"] for spot in finance["blind_spots"]][:2] == ["sysmon-7", "powershell-4104"]


def test_rows_are_the_documents_objects_one_by_one() -> None:
    whole = document(sample.lumma())
    streamed = list(rows(document(sample.lumma())))
    kinds = [row["kind"] for row in streamed]
    assert kinds == ["alert"] * 13 + ["incident"] * 2 + ["coverage"] * 2 + ["error"] * 2 + ["summary"]
    assert streamed[:-1] == [*whole["alerts"], *whole["incidents"], *whole["coverage"], *whole["errors"]]
    assert streamed[-1] == {**whole["summary"], **{key: whole[key] for key in ("schema", "notes", "provenance")}}


def test_times_are_utc_whatever_zone_they_came_in() -> None:
    berlin = datetime(2026, 11, 18, 10, 14, 2, tzinfo=timezone(timedelta(hours=1)))
    alert = replace(sample.lumma().alerts[0], time=berlin)
    result = replace(sample.lumma(), alerts=(alert,))
    assert document(result)["alerts"][0]["time"] == "2026-11-18T09:14:02Z"
    assert datetime.fromisoformat(document(result)["alerts"][0]["time"]) == berlin.astimezone(UTC)


def test_a_host_without_times_has_nulls() -> None:
    summary = replace(sample.empty().summary, first_event=None, last_event=None)
    whole = document(replace(sample.empty(), summary=summary))
    assert whole["summary"]["first_event"] is whole["summary"]["last_event"] is None


def test_what_lists_took_out_is_there_whole() -> None:
    result = sample.tuned()
    whole, streamed = document(result), list(rows(document(result)))
    left_out = [row["alert"]["alert_id"] for row in whole["suppressed"]]
    assert left_out == [one.alert.alert_id for one in result.suppressed]
    assert {row["allowed_by"] for row in whole["suppressed"]} == {whole["allowances"][0]["where"]}
    assert whole["summary"]["alerts_suppressed"] == len(whole["suppressed"]) == 7
    assert [row for row in streamed if row["kind"] == "suppressed"] == whole["suppressed"]
    assert [row for row in streamed if row["kind"] == "allowance"] == whole["allowances"]
    assert [row["expires"] for row in whole["allowances"]] == ["2027-03-31"] * 4
    hosts = [row["asset"] and row["asset"]["criticality"][:4] for row in whole["coverage"]]
    assert hosts == [whole["incidents"][0]["asset"]["criticality"][:4], None] == ["high", None]
    assert [row["impact"] != [] for row in whole["incidents"]] == [True, False]
