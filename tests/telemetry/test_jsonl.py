"""Windows events from JSON, nested and flattened: fields, time, provenance, and every loss with its line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from douse.telemetry import Limits, Wanted
from douse.telemetry import jsonl as jsonl_module
from douse.telemetry.readers import choose

from .conftest import ReadBytes


def nested(record_id: int, event_id: int = 1, **data: object) -> dict[str, Any]:
    """A record as evtx_dump writes it."""
    return {"Event": {"System": {
        "Provider": {"#attributes": {"Name": "Microsoft-Windows-Sysmon"}}, "EventID": event_id,
        "TimeCreated": {"#attributes": {"SystemTime": f"2026-03-02T12:00:{record_id:02}.5Z"}},
        "EventRecordID": record_id, "Channel": "Microsoft-Windows-Sysmon/Operational", "Computer": "PC1",
    }, "EventData": data}}


def export(minute: int, channel: str = "Security", **more: object) -> dict[str, Any]:
    """A record as the PowerShell exports of the OTRF data have it: local time, here UTC-4."""
    return {"Hostname": "PC1", "Channel": channel, "EventID": 4688, "TimeCreated": f"2026-03-02 08:{minute:02}:00.250",
            "SourceName": "Microsoft-Windows-Security-Auditing", "Task": "13312", **more}


def lines(*documents: object) -> bytes:
    """JSON Lines."""
    return "\n".join(json.dumps(document) for document in documents).encode()


def test_a_nested_record(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(lines(nested(7, Image="C:\\a.exe", ProcessId=5)), "dump.jsonl")
    assert (event.channel, event.event_id, event.host, event.provider, event.record_id) == (
        "Microsoft-Windows-Sysmon/Operational", 1, "PC1", "Microsoft-Windows-Sysmon", 7)
    assert event.time == datetime(2026, 3, 2, 12, 0, 7, 500_000, tzinfo=UTC)
    assert (str(event.source), event.source.format) == ("dump.jsonl", "jsonl")
    assert (event.get("Image"), event.get("processid"), event.get("Execution_ProcessID")) == ("C:\\a.exe", 5, None)
    assert (tally.records_read, tally.losses) == (1, [])


def test_what_nobody_wants_is_counted_and_not_yielded(read_bytes: ReadBytes) -> None:
    wanted = Wanted([("microsoft-windows-sysmon/operational", 3)])
    events, tally = read_bytes(lines(nested(1), nested(2, 3), export(1)), wanted=wanted)
    assert [event.record_id for event in events] == [2]
    assert (tally.records_read, tally.records_skipped) == (3, 2)
    assert [(c.channel, c.event_id) for c in tally.coverage()[0].counts] == [
        ("Microsoft-Windows-Sysmon/Operational", 1), ("Microsoft-Windows-Sysmon/Operational", 3), ("Security", 4688)]


def test_every_broken_line_is_a_loss_with_its_line_and_the_run_goes_on(read_bytes: ReadBytes) -> None:
    data = lines(nested(1)) + b'\n{"Event":{"System":\n' + lines(nested(3)) + b"\n\xff\n" + lines(
        {"name": "package"}, nested(6)) + b'\n{"Event": {"Sys'
    events, tally = read_bytes(data, "x.jsonl")
    assert [event.record_id for event in events] == [1, 3, 6]
    assert [(loss.where, loss.records) for loss in tally.losses] == [
        ("line 2", 1), ("line 4", 1), ("line 5", 1), ("line 7", 1)]
    assert "no Windows event" in tally.losses[2].reason
    assert tally.records_lost == 4


def test_a_line_over_the_limit_says_which_option_lifts_it(read_bytes: ReadBytes) -> None:
    data = lines(nested(1), nested(2, Text="x" * 5_000), nested(3))
    events, tally = read_bytes(data, limits=Limits(max_line=2_000))
    assert [event.record_id for event in events] == [1, 3]
    (loss,) = tally.losses
    assert (loss.where, loss.records) == ("line 2", 1)
    assert "--max-line" in loss.next_step


def test_one_broken_element_of_a_pretty_array_is_one_loss(read_bytes: ReadBytes) -> None:
    text = json.dumps([nested(n, Rules=[{"a": 1}, {"b": 2}]) for n in range(1, 6)], indent=2)
    data = text.replace('"EventRecordID": 3,', '"EventRecordID": 3 oops')
    events, tally = read_bytes(data.encode(), "x.json")
    assert [event.record_id for event in events] == [1, 2, 4, 5]
    assert tally.records_lost == 1


def test_flattened_local_time_is_corrected_by_sysmons_own_utc_time(read_bytes: ReadBytes) -> None:
    sysmon = export(2, "Microsoft-Windows-Sysmon/Operational", EventID=1, UtcTime="2026-03-02 12:02:00.249",
                    SourceName="Microsoft-Windows-Sysmon", Image="C:\\a.exe", ProcessId="0x1f")
    events, tally = read_bytes(lines(export(1), export(2), sysmon, export(3)), "flat.json")
    assert [event.time for event in events] == [
        datetime(2026, 3, 2, 12, minute, 0, 250_000, tzinfo=UTC) for minute in (1, 2, 2, 3)]
    assert [event.event_id for event in events] == [4688, 4688, 1, 4688]
    assert tally.notes == ["flat.json: stated times are 4 h behind UTC by its own evidence; corrected"]
    assert events[2].fields["TimeCreated_SystemTime"] == "2026-03-02T12:02:00.250000Z"
    assert (events[2].fields["Image"], events[2].fields["ProcessId"]) == ("C:\\a.exe", "0x1f")


def test_a_z_that_sysmon_contradicts_is_not_believed(read_bytes: ReadBytes) -> None:
    sysmon = export(0, "Microsoft-Windows-Sysmon/Operational", UtcTime="2026-03-02 12:00:00.200",
                    TimeCreated="2026-03-02T08:00:00.250Z")
    (event,), _ = read_bytes(lines(sysmon))
    assert event.time == datetime(2026, 3, 2, 12, 0, 0, 250_000, tzinfo=UTC)


def test_times_that_nothing_corrects_are_taken_as_stated_and_said_so(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(lines(export(1)), "flat.json")
    assert event.time == datetime(2026, 3, 2, 8, 1, 0, 250_000, tzinfo=UTC)
    assert tally.notes == ["flat.json: times state no zone and nothing tells it; taken as UTC"]
    (zoned,), tally = read_bytes(lines(export(1, TimeCreated="2026-03-02T09:00:00+01:00")))
    assert (zoned.time, tally.notes) == (datetime(2026, 3, 2, 8, tzinfo=UTC), [])


def test_records_wait_for_the_clock_only_so_long(read_bytes: ReadBytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_module, "MAX_WAITING", 3)
    sysmon = export(9, "Microsoft-Windows-Sysmon/Operational", UtcTime="2026-03-02 12:09:00.249")
    events, tally = read_bytes(lines(*(export(minute) for minute in range(5)), sysmon, export(10)))
    assert [event.time.hour for event in events] == [8, 8, 8, 8, 8, 12, 12]
    assert len(tally.notes) == 2


def test_numbers_beyond_anything_of_windows_are_text_or_no_number(read_bytes: ReadBytes) -> None:
    digits = "9" * 5_000
    data = lines(nested(1, Size=0)).replace(b'"Size": 0', b'"Size": ' + digits.encode())
    data += b"\n" + lines(nested(2)).replace(b'"EventRecordID": 2', b'"EventRecordID": ' + digits.encode())
    (first, second), tally = read_bytes(data)
    assert first.text("Size") == digits
    assert (second.record_id, second.text("EventRecordID")) == (0, "0")
    assert tally.losses == []


def test_mixed_shapes_keep_their_order(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(lines(export(1, RecordNumber=100), nested(2), export(3, RecordNumber="300"), nested(4)))
    assert [event.record_id for event in events] == [100, 2, 300, 4]
    assert tally.losses == []


def test_what_powershells_own_objects_lack_is_said(read_bytes: ReadBytes) -> None:
    row = {"Id": 1, "LogName": "Security", "ProviderName": "x", "TimeCreated": "/Date(1793693640000)/"}
    text = json.dumps([row, row], indent=4)
    reader = choose(text.encode(), "events.json", named=False)
    assert reader is not None, "it is no foreign file that a walk may pass over"
    events, tally = read_bytes(text.encode("utf-16"))
    assert (events, tally.records_lost) == ([], 2)
    assert "ToXml()" in tally.losses[0].next_step
