"""Fluent Bit's and Fluentd's records, whose data have no names: read from the message, or told as unreadable."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from douse.telemetry import Wanted

from .conftest import ReadBytes
from .test_jsonl import lines
from .test_messages import PROCESS
from .test_xmllog import record


def bit(number: int, **more: Any) -> dict[str, Any]:
    """A process start as Fluent Bit's winevtlog writes it."""
    return {"date": 1772452800.6, "ProviderName": "Microsoft-Windows-Security-Auditing", "ProviderGuid": "{5}",
            "Qualifiers": "", "EventID": 4688, "Version": 2, "Level": 0, "Task": 13312, "Opcode": 0,
            "Keywords": "0x8020000000000000", "TimeCreated": "2026-03-02 13:00:00 +0100", "EventRecordID": number,
            "ActivityID": "", "RelatedActivityID": "", "ProcessID": 4, "ThreadID": 8, "Channel": "Security",
            "Computer": "PC1", "UserID": "", "Message": PROCESS.format("a.exe"), "StringInserts": ["S-1-5-18", 500],
            **more}


def fluentd(number: int) -> dict[str, Any]:
    """The same as Fluentd's windows_eventlog2 writes it."""
    document = {**bit(number), "ProviderGUID": "", "EventID": "4688", "EventRecordID": str(number), "ProcessID": "4",
                "Description": PROCESS.format("a.exe"), "TimeCreated": "2026/03/02 12:00:00.942406300",
                "EventData": ["S-1-5-18", "500"]}
    return {name: value for name, value in document.items() if name not in {"Message", "StringInserts", "ProviderGuid"}}


def test_both_shapes(read_bytes: ReadBytes) -> None:
    (first, second), tally = read_bytes(lines(bit(1), fluentd(2)), "x.json")
    for event in (first, second):
        assert (event.channel, event.event_id, event.host, event.provider, event.source.format) == (
            "Security", 4688, "PC1", "Microsoft-Windows-Security-Auditing", "export")
        assert (event.get("CommandLine"), event.get("NewProcessId"), event.get("Execution_ProcessID")) in {
            ("a.exe", "0x1f4", 4), ("a.exe", "0x1f4", "4")}
        assert not event.has("ProcessID")
        assert event.text("Message").startswith("A new process")
    assert first.time == datetime(2026, 3, 2, 12, tzinfo=UTC)
    assert second.time == datetime(2026, 3, 2, 12, 0, 0, 942_406, tzinfo=UTC)
    assert tally.losses == []
    _, tally = read_bytes(lines(fluentd(2)), "x.json")
    assert tally.notes == ["x.json: times state no zone and nothing tells it; taken as UTC"]


def test_data_without_names_are_a_loss_if_somebody_wants_them(read_bytes: ReadBytes) -> None:
    data = lines(bit(1, EventID=4738, Message="A user account was changed."), bit(2), bit(3, Message="Prozess"),
                 bit(4, EventID=4634, Message="", StringInserts=[]), bit(5, EventID="x"), bit(6, TimeCreated="soon"))
    events, tally = read_bytes(data, "x.json")
    assert [event.record_id for event in events] == [2, 4]
    assert [loss.reason[:14] for loss in tally.losses[:3]] == ["an event whose", "a message whos", "an event whose"]
    assert "Render_Event_As_XML" in tally.losses[0].next_step
    assert tally.records_lost == 4
    _, tally = read_bytes(data, "x.json", wanted=Wanted([("security", 4688)]))
    assert (tally.records_read, tally.records_lost) == (3, 3)


def test_the_records_xml_keeps_the_names(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(lines({"date": 1.5, "System": record(7), "Message": "x"}), "x.json")
    assert (event.record_id, event.get("Image"), tally.losses) == (7, "C:\\a.exe", [])


def test_an_event_id_of_any_length_is_a_loss_and_no_error(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(lines(bit(1, EventID="9" * 5_000), bit(2), bit(3, EventID=4688.0)), "x.json")
    assert [event.record_id for event in events] == [2, 3]
    assert tally.records_lost == 1
