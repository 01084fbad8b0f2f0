"""Flattened records: names, what the shipper added, and times checked against the real OTRF archives."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from douse.telemetry import Limits, Tally, Wanted, read_path
from douse.telemetry.flattened import Clock, flattened_fields, flattened_head, provider_of

NXLOG: dict[str, Any] = {
    "@timestamp": "2026-03-02T12:00:03.537Z", "@version": "1", "tags": ["x"], "host": "wec", "port": 62387,
    "EventTime": "2026-03-02 08:00:01", "EventReceivedTime": "2026-03-02 08:00:03", "Hostname": "PC1.corp",
    "Channel": "security", "EventID": 4673, "SourceName": "Microsoft-Windows-Security-Auditing",
    "ProviderGuid": "{54849625-5478-4994-A5BA-3E3B0328C30D}", "RecordNumber": 120871, "ExecutionProcessID": 4,
    "ThreadID": 1064, "Task": 13056, "Version": 0, "Opcode": "Info", "OpcodeValue": 0, "Keywords": -9218868437227405312,
    "Severity": "ERROR", "SeverityValue": 4, "EventType": "AUDIT_FAILURE", "Category": "Sensitive Privilege Use",
    "SourceModuleName": "eventlog", "SourceModuleType": "im_msvistalog", "AccountType": "User", "UserID": "S-1-5-18",
    "Message": "A privileged service was called.", "ProcessId": "0x1834", "Client SID:": "S-1-5-21",
}


def read(record: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
    """Head and fields of a record on its own."""
    head = flattened_head(record, Clock().learn(record) or timedelta())
    assert head is not None
    return head, flattened_fields(record, head)


def test_nxlog_time_comes_from_its_two_clocks() -> None:
    head, _ = read(NXLOG)
    assert head.time == datetime(2026, 3, 2, 12, 0, 1, tzinfo=UTC)


def test_names_are_sigmas_and_the_shippers_own_fields_are_gone() -> None:
    head, fields = read(NXLOG)
    assert head[:5] == ("Security", 4673, "PC1.corp", "Microsoft-Windows-Security-Auditing", 120871)
    assert fields == {
        "Channel": "Security", "EventID": 4673, "Computer": "PC1.corp", "EventRecordID": 120871,
        "Provider_Name": "Microsoft-Windows-Security-Auditing", "Execution_ProcessID": 4, "Execution_ThreadID": 1064,
        "Provider_Guid": "{54849625-5478-4994-A5BA-3E3B0328C30D}", "Security_UserID": "S-1-5-18", "Task": 13056,
        "Version": 0, "Opcode": 0, "Keywords": "0x8010000000000000", "Message": "A privileged service was called.",
        "ProcessId": "0x1834", "ClientSID:": "S-1-5-21", "TimeCreated_SystemTime": "2026-03-02T12:00:01.000000Z",
    }


def test_sysmons_own_event_type_stays() -> None:
    sysmon = {**NXLOG, "Channel": "Microsoft-Windows-Sysmon/Operational", "EventID": 13, "EventType": "SetValue",
              "EventTypeOrignal": "INFO", "UtcTime": "2026-03-02 12:00:01.631", "Hashes": "MD5=AA"}
    head, fields = read(sysmon)
    assert (fields["EventType"], fields["md5"]) == ("SetValue", "AA")
    assert "EventTypeOrignal" not in fields
    assert head.time == datetime(2026, 3, 2, 12, 0, 1, 631_000, tzinfo=UTC), "whole seconds take UtcTime's fraction"


def test_data_fields_are_not_taken_for_the_shippers() -> None:
    record = {"Channel": "Security", "EventID": "5156", "Hostname": "PC1", "TimeCreated": "2026-03-02T12:00:00Z",
              "ProcessID": "3488", "UserID": "x", "Category": "y", "Severity": "z", "host": "h", "tags": ["a", 1]}
    head, fields = read(record)
    assert head.event_id == fields["EventID"] == 5156
    assert {name: fields[name] for name in ("ProcessID", "UserID", "Category", "Severity", "host", "tags")} == {
        "ProcessID": "3488", "UserID": "x", "Category": "y", "Severity": "z", "host": "h", "tags": ["a", "1"]}


def test_a_missing_provider_is_the_channels() -> None:
    assert provider_of("Microsoft-Windows-Sysmon/Operational", 1) == "Microsoft-Windows-Sysmon"
    assert provider_of("Security", 4688) == "Microsoft-Windows-Security-Auditing"
    assert provider_of("Security", 1102) == "Microsoft-Windows-Eventlog"
    assert provider_of("System", 7045) == ""


@pytest.mark.parametrize("utc", ["1970-01-01 00:00:00", "2026-03-02 12:05:00", "soon", None, 5])
def test_a_utc_time_that_fits_no_zone_proves_nothing(utc: object) -> None:
    clock = Clock()
    record = {"Channel": "Microsoft-Windows-Sysmon/Operational", "TimeCreated": "2026-03-02 12:00:00", "UtcTime": utc}
    assert clock.learn(record) is None
    assert clock.offset is None


def test_only_sysmons_utc_time_counts_and_extreme_times_do_not_break_it() -> None:
    assert Clock().learn({"Channel": "Security", "TimeCreated": "2026-03-02 08:00:00",
                          "UtcTime": "2026-03-02 12:00:00"}) is None
    record = {"Channel": "Security", "EventID": 1, "TimeCreated": "9999-12-31T23:59:59Z"}
    head = flattened_head(record, timedelta(hours=5))
    assert head is not None
    assert head.time.year == 9999


def test_what_is_no_event() -> None:
    for missing in ("Channel", "EventID", "TimeCreated"):
        record = {"Channel": "Security", "EventID": 1, "TimeCreated": "2026-03-02T12:00:00Z"}
        del record[missing]
        assert flattened_head(record, timedelta()) is None


def test_all_otrf_archives_are_read_whole_and_every_sysmon_time_is_near_its_utc_time(shared: Path) -> None:
    tally = Tally()
    furthest, sysmon, hosts = timedelta(), 0, set()
    archives = sorted((shared / "data" / "otrf").glob("*.zip"))
    wanted = Wanted([("microsoft-windows-sysmon/operational", 1), ("microsoft-windows-sysmon/operational", 5)])
    for path in archives:
        for event in read_path(path, wanted, tally, Limits(), named=True):
            utc = datetime.fromisoformat(event.text("UtcTime")).replace(tzinfo=UTC)
            furthest = max(furthest, abs(event.time - utc))
            sysmon += 1
            hosts.add(event.host)
            assert event.provider == event.fields["Provider_Name"] == "Microsoft-Windows-Sysmon"
            assert event.fields["Computer"] == event.host
    assert len(archives) == 18
    assert (tally.records_read, tally.losses, tally.ignored) == (51_709, [], 0)
    assert sysmon > 150
    assert furthest < timedelta(seconds=2)
    assert {note.split(" h ")[0].rsplit(" ", 1)[1] for note in tally.notes} == {"4", "5", "8", "16"}
    channels = {count.channel for host in tally.coverage() for count in host.counts}
    assert "Security" in channels
    assert "security" not in channels
    assert "MORDORDC.theshire.local" in hosts
