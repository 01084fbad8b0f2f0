"""Splunk's classic text: as a raw export, in JSON and in CSV; what its Message does not state is told, not guessed."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest

from douse.telemetry import Limits, Wanted
from douse.telemetry.splunk_text import Unreadable, begins_record, from_classic

from .conftest import ReadBytes
from .exported import splunk
from .test_messages import PROCESS, SYSMON

HEADER = ("LogName={}\nEventCode={}\nEventType=0\nComputerName=PC1\nSourceName={}\nType=Information\n"
          "RecordNumber={}\nKeywords=Audit Success\nTaskCategory=x\nOpCode=Info\nSid=S-1-5-18\nMessage={}")


def start(number: int, command: str = "a.exe") -> str:
    """A process start as Splunk's classic input writes it."""
    header = HEADER.format("Security", 4688, "Microsoft Windows security auditing.", number, PROCESS.format(command))
    return f"03/02/2026 08:00:{number % 60:02}.250 AM\n{header}".replace("\r\n", "\n")


def sysmon(number: int, utc: str = "2026-03-02 12:00:00.249") -> str:
    message = f"Process Create:\nRuleName: -\nUtcTime: {utc}\nProcessId: 31\nImage: C:\\b.exe\nCommandLine: b.exe"
    return f"03/02/2026 08:00:00.250 AM\n{HEADER.format(SYSMON, 1, 'Microsoft-Windows-Sysmon', number, message)}\n"


def logoff(number: int) -> str:
    return start(number).replace("EventCode=4688", "EventCode=4634")


def test_a_record(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(start(7).encode(), "export.raw")
    assert (event.channel, event.event_id, event.host, event.provider, event.record_id, event.source.format) == (
        "Security", 4688, "PC1", "Microsoft-Windows-Security-Auditing", 7, "splunk")
    assert (event.get("CommandLine"), event.get("NewProcessName"), event.get("SubjectUserName")) == (
        "a.exe", "C:\\a.exe", "PC1$")
    assert (event.get("Keywords"), event.get("Security_UserID")) == ("0x8020000000000000", "S-1-5-18")
    assert event.text("Message").startswith("A new process has been created.")
    assert tally.losses == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("between", ["", "\n", "\r\n\r\n"])
def test_a_raw_export_takes_its_zone_from_sysmon(encoding: str, between: str, read_bytes: ReadBytes) -> None:
    text = between.join((start(1), sysmon(2), start(3)))
    events, tally = read_bytes(text.encode(encoding), "export.txt")
    assert [event.record_id for event in events] == [1, 2, 3]
    assert [event.time for event in events] == [
        datetime(2026, 3, 2, 12, 0, second, 250_000, tzinfo=UTC) for second in (1, 0, 3)]
    assert (tally.losses, len(tally.notes)) == ([], 1)
    assert (events[1].get("Image"), events[1].get("CommandLine")) == ("C:\\b.exe", "b.exe")


def test_json_and_csv_exports_state_the_zone(read_bytes: ReadBytes) -> None:
    times = ("2026-03-02T13:00:01.250+01:00", "1772452801.25")
    data = "\n".join(json.dumps(splunk(start(1), time)) for time in times).encode()
    events, tally = read_bytes(data, "x.json")
    out = io.StringIO(newline="")
    csv.writer(out).writerows([("_time", "_raw"), *((time, start(1)) for time in times)])
    more, also = read_bytes(out.getvalue().encode(), "x.csv")
    assert {event.time for event in (*events, *more)} == {datetime(2026, 3, 2, 12, 0, 1, 250_000, tzinfo=UTC)}
    assert (len(events), len(more), tally.losses, also.losses, tally.notes) == (2, 2, [], [], [])


def test_an_event_that_cannot_be_read_is_a_loss_only_if_somebody_wants_it(read_bytes: ReadBytes) -> None:
    text = "\n".join((start(1), logoff(2), start(3)))
    events, tally = read_bytes(text.encode(), "x.txt")
    assert [event.record_id for event in events] == [1, 3]
    (loss,) = tally.losses
    assert (loss.where, loss.records) == (f"line {start(1).count(chr(10)) + 2}", 1)
    assert "classic text" in loss.reason
    assert "renderXml = true" in loss.next_step
    events, tally = read_bytes(text.encode(), "x.txt", wanted=Wanted([("security", 4688)]))
    assert (len(events), tally.losses, tally.records_read, tally.records_skipped) == (2, [], 3, 1)


def test_a_faked_field_is_told_as_uncertain(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(start(1, "x\n\tNew Process Name:\tC:\\good.exe").encode(), "x.txt")
    assert (events, [loss.reason for loss in tally.losses]) == (
        [], ["a message whose fields cannot be told with certainty"])


def test_a_block_over_the_limit_and_one_that_is_cut_off(read_bytes: ReadBytes) -> None:
    text = start(1) + start(2, "x\n" * 5_000) + start(3) + start(4)[:60]
    events, tally = read_bytes(text.encode(), "x.txt", limits=Limits(max_line=2_000))
    assert [event.record_id for event in events] == [1, 3]
    assert [loss.reason.split(" (")[0] for loss in tally.losses] == [
        "longer than --max-line allows", "a message whose fields cannot be told with certainty"]
    assert tally.records_lost == 2


def test_what_begins_a_record_and_what_is_none() -> None:
    assert begins_record("03/02/2026 08:00:00 AM")
    assert begins_record(" 3/2/2026 8:00:00.123 PM \r")
    for line in ("03/02/2026", "x 03/02/2026 08:00:00 AM", "03/02/2026 08:00:00 AM LogName=x", "1" * 100_000, ""):
        assert not begins_record(line)
    for text in ("", "LogName=S", "EventCode=1", "LogName=S\nEventCode=x", "LogName=S\nEventCode=99999999999",
                 "LogName=S\nEventCode=" + "9" * 5_000):
        assert isinstance(from_classic(text, ""), Unreadable)
