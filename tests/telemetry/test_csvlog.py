"""Windows events from CSV: EvtxECmd, Elastic, Splunk and plain tables; what is none says which columns it lacks."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest

from douse.telemetry import Limits, Tally, Wanted, read_path
from douse.telemetry.readers import choose

from .conftest import ReadBytes
from .exported import EVTXECMD, events_of, evtxecmd
from .test_xmllog import record

FLAT = "Channel,EventID,TimeCreated,Computer,EventRecordID,Image,ProcessId\n"


def flat(number: int, time: str = "2026-03-02T12:00:00Z", channel: str = "Security") -> str:
    return f"{channel},4688,{time},PC1,{number},C:\\a.exe,0x1f\n"


def table(columns: tuple[str, ...], *rows: tuple[object, ...], delimiter: str = ",") -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, delimiter=delimiter).writerows([columns, *rows])
    return out.getvalue().encode()


def test_a_plain_table_with_sigmas_names(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes((FLAT + flat(7)).encode(), "x.csv")
    assert (event.channel, event.event_id, event.host, event.provider, event.record_id) == (
        "Security", 4688, "PC1", "Microsoft-Windows-Security-Auditing", 7)
    assert (event.time, event.source.format) == (datetime(2026, 3, 2, 12, tzinfo=UTC), "csv")
    assert (event.fields["Image"], event.fields["ProcessId"], event.fields["EventID"]) == ("C:\\a.exe", "0x1f", 4688)
    assert (tally.losses, tally.notes) == ([], [])


@pytest.mark.parametrize("header", [
    "channel;eventid;timecreated;computer;eventrecordid;Image;ProcessId",
    "LogName\tEvent_ID\tSystemTime\tMachineName\tRecordId\tImage\tProcessId",
    '"Channel"|"EventId"|"EventTime"|"Hostname"|"RecordNumber"|"Image"|"ProcessId"',
])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_other_names_delimiters_and_encodings(header: str, encoding: str, read_bytes: ReadBytes) -> None:
    delimiter = next(d for d in ";\t|" if d in header)
    text = f"{header}\r\n{flat(7).strip().replace(',', delimiter)}\r\n"
    (event,), tally = read_bytes(text.encode(encoding), "x.csv")
    assert (event.channel, event.event_id, event.host, event.record_id) == ("Security", 4688, "PC1", 7)
    assert (event.text("Image"), tally.losses) == ("C:\\a.exe", [])


def test_local_times_are_corrected_by_sysmons_own(read_bytes: ReadBytes) -> None:
    text = "Channel,EventID,TimeCreated,Computer,UtcTime\n" + "".join(
        f"{channel},1,2026-03-02 08:00:0{n}.250,PC1,{utc}\n" for n, (channel, utc) in enumerate((
            ("Security", ""), ("Microsoft-Windows-Sysmon/Operational", "2026-03-02 12:00:01.249"))))
    events, tally = read_bytes(text.encode(), "x.csv")
    assert [event.time.hour for event in events] == [12, 12]
    assert tally.notes == ["x.csv: stated times are 4 h behind UTC by its own evidence; corrected"]


def test_evtxecmds_output_of_a_real_log(shared: Path, read_bytes: ReadBytes) -> None:
    log = next(path for path in sorted((shared / "data" / "evtx").glob("*.evtx"))
               if path.stat().st_size < 70_000 and all(event.get("EventData") for event in events_of(path)))
    tally = Tally()
    originals = list(read_path(log, Wanted.everything(), tally, Limits(), named=True))
    events, read = read_bytes(evtxecmd(events_of(log)).encode(), "EvtxECmd_Output.csv")
    assert (len(events), read.losses) == (len(originals), [])
    for event, original in zip(events, originals, strict=True):
        assert (event.channel, event.event_id, event.host, event.provider, event.record_id, event.time) == (
            original.channel, original.event_id, original.host, original.provider, original.record_id, original.time)
        for name, value in original.fields.items():
            if name not in {"Keywords", "Version", "Task", "Opcode", "Provider_Guid", "Correlation_ActivityID",
                            "TimeCreated_SystemTime", "Level"}:
                assert str(event.fields[name]) == str(value if value is not None else "")


def ecmd(payload: str, **more: str) -> bytes:
    row = {"EventRecordId": "9", "TimeCreated": "2026-03-02 12:00:00.1234567", "EventId": "104", "Level": "Info",
           "Provider": "Microsoft-Windows-Eventlog", "Channel": "System", "Computer": "PC1", "ProcessId": "4",
           "Keywords": "Audit failure", "Payload": payload, **more}
    return table(EVTXECMD, tuple(row.get(name, "") for name in EVTXECMD))


def test_shapes_of_evtxecmds_payload(read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(ecmd('{"UserData":{"LogFileCleared":{"Channel":"Security","SubjectUserName":"a"}}}'))
    assert (event.channel, event.get("Channel"), event.get("SubjectUserName")) == ("System", "Security", "a")
    assert (event.get("Level"), event.get("Keywords"), event.time.microsecond) == (4, "0x8010000000000000", 123_456)
    (event,), _ = read_bytes(ecmd('{"EventData":{"Data":{"@Name":"Threat Name"},"Binary":""}}'))
    assert event.get("ThreatName") == ""
    (event,), _ = read_bytes(ecmd('{"EventData":{"Data":"one, two","Binary":"00"}}'))
    assert (event.get("Data"), event.get("ProcessId"), event.get("Execution_ProcessID")) == (["one, two"], None, "4")
    (event,), _ = read_bytes(ecmd("{}"))
    assert event.event_id == 104


def test_a_damaged_payload_is_a_loss(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(ecmd('{"EventData":{"Da'))
    assert (events, [(loss.where, loss.reason, loss.records) for loss in tally.losses]) == (
        [], [("line 2", "the column Payload is no JSON", 1)])


def test_kibanas_times_have_no_zone_and_are_corrected_or_said_to_be_none(read_bytes: ReadBytes) -> None:
    columns = ("@timestamp", "winlog.channel", "winlog.event_id", "winlog.computer_name", "winlog.event_data.UtcTime")
    security = ("Mar 2, 2026 @ 13:00:00.000", "Security", "4688", "PC1", "")
    sysmon = ("Mar 2, 2026 @ 13:00:00.250", "Microsoft-Windows-Sysmon/Operational", "1", "PC1",
              "2026-03-02 12:00:00.249")
    events, tally = read_bytes(table(columns, security, sysmon), "x.csv")
    assert [event.time.hour for event in events] == [12, 12]
    assert tally.notes == ["x.csv: stated times are 1 h ahead of UTC by its own evidence; corrected"]
    _, tally = read_bytes(table(columns, security), "x.csv")
    assert tally.notes == ["x.csv: times state no zone and nothing tells it; taken as UTC"]


def test_kibana_writes_a_dash_for_what_a_record_has_not_and_groups_digits(read_bytes: ReadBytes) -> None:
    columns = ("@timestamp", "message", "winlog.channel", "winlog.event_id", "winlog.computer_name",
               "winlog.process.pid", "winlog.user.identifier", "winlog.event_data.Image", "winlog.event_data.Path",
               "winlog.record_id")
    row = ("Mar 2, 2026 @ 13:00:00.000", "said", "Microsoft-Windows-PowerShell/Operational", "4104", "PC1", "9,580",
           "S-1-5-18", "-", "1,234", "7,306")
    (event,), tally = read_bytes(table(columns, row), "x.csv")
    assert (event.record_id, event.get("Execution_ProcessID"), event.get("Security_UserID"), event.get("Message")) == (
        7306, "9580", "S-1-5-18", "said")
    assert (event.has("Image"), event.get("Path"), tally.losses) == (False, "1,234", [])
    (event,), _ = read_bytes(table(columns, ("2026-03-02T12:00:00.000Z", *row[1:])), "x.csv")
    assert event.get("Image") == "-", "only Kibana's own shape of a time says that Kibana wrote it"


@pytest.mark.parametrize("between", ["", "\ufeff"])
def test_tables_strung_together(between: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes((FLAT + flat(1) + between + FLAT + flat(2)).encode(), "x.csv")
    assert ([event.record_id for event in events], tally.losses, tally.notes) == ([1, 2], [], [])
    events, tally = read_bytes(FLAT.encode(), "x.csv")
    assert (events, tally.notes) == ([], ["x.csv: a header and no record"])


def test_splunks_raw_column(read_bytes: ReadBytes) -> None:
    columns = ("_time", "_raw", "host", "punct")
    events, tally = read_bytes(table(columns, ("2026-03-02T12:00:00.000+0000", record(5), "h", "<"),
                                     ("2026-03-02T12:00:00.000+0000", "<Event><System>", "h", "<")), "x.csv")
    assert [event.record_id for event in events] == [5]
    assert [(loss.where, loss.reason) for loss in tally.losses] == [("line 3", "the event's XML is broken")]


def test_damage_is_counted_row_by_row_with_its_line(read_bytes: ReadBytes) -> None:
    text = (FLAT + flat(1) + "Security,4688\n" + flat(2) + 'x,"y\n' + flat(3) + flat(4, "03/02/2026 12:00:00") + "\n"
            + flat(5).replace("4688", "abc") + "".join(map(flat, range(6, 500))) + flat(9).replace("\n", "")[:-20])
    events, tally = read_bytes(text.encode(), "x.csv")
    assert [event.record_id for event in events] == [1, 2, 3, *range(6, 500)]
    assert [(loss.where, loss.records) for loss in tally.losses if "line" in loss.where] == [
        ("line 3", 1), ("line 5", 1), ("line 7", 1), ("line 504", 1), ("line 9", 1)]  # jsonl.py counts the last
    assert tally.records_lost == 5
    assert tally.losses[2].reason == "a time that is not in ISO 8601"


@pytest.mark.parametrize(("header", "lacks", "advice"), [
    ("Level,Date and Time,Source,Event ID,Task Category", "no column for Channel and EventID and TimeCreated", ".evtx"),
    ('"Message","Id","LogName","ProviderName","TimeCreated","MachineName"', "no column for EventID", "ToXml()"),
    ("Channel,TimeCreated,Image", "no column for EventID", "Channel, EventID, TimeCreated"),
    ("RecordNumber,EventRecordId,TimeCreated,EventId,Channel,Computer,MapDescription,PayloadData1",
     "no columns with event data", "column Payload"),
    ("name,price", "no column for Channel and EventID and TimeCreated", "_raw"),
    (",".join(f"column{n}" * 20 for n in range(50)), "(it has: column0column0", "_raw"),
    ('#TYPE System.Diagnostics.Eventing.Reader.EventLogRecord\n"Message","Id","LogName","ProviderName","TimeCreated"',
     "no column for EventID", "ToXml()"),
    ("Ebene\tDatum und Uhrzeit\tQuelle\tEreignis-ID\tAufgabenkategorie", "no column for Channel", ".evtx"),
])
def test_a_csv_that_is_no_event_log_says_what_it_lacks(header: str, lacks: str, advice: str,
                                                       read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(f"{header}\n1,2,3,4,5,6,7,8\n".encode(), "x.csv")
    (loss,) = tally.losses
    assert events == []
    assert (loss.where, loss.records) == ("line 1", None)
    assert loss.reason.startswith("a CSV that is no event log: ")
    assert lacks in loss.reason
    assert advice in loss.next_step
    assert len(loss.reason) < 600


def test_a_walk_takes_only_what_looks_like_an_event_log() -> None:
    for header in (FLAT, "sep=;\nComputer;EventID;Channel\n", '"_time","_raw"\n', "@timestamp,winlog.event_id\n",
                   ",".join(EVTXECMD) + "\n", "Level,Date and Time,Source,Event ID,Task Category\n"):
        reader = choose(header.encode(), "export.csv", named=False)
        assert reader is not None
        assert reader.name == "csv"
    for header in (FLAT, ",".join(EVTXECMD) + "\n", '#TYPE x\n"Id","LogName","ProviderName"\n', "a,_raw\n"):
        reader = choose(header.encode(), "a name that says nothing", named=False)
        assert reader is not None
        assert reader.name == "csv"
    for header in ("name,price\n", "Timestamp,Description\n", "a sentence, with EventIDs\n", ""):
        assert choose(header.encode(), "export.csv", named=False) is None


def test_hostile_fields(read_bytes: ReadBytes) -> None:
    long = '"' + "x" * 10_000_000 + '"'
    text = FLAT + flat(1).replace("C:\\a.exe", long) + flat(2).replace("C:\\a.exe", "a\0\x1b[31m")
    events, tally = read_bytes(text.encode(), "x.csv")
    assert (len(events[0].text("Image")), events[1].text("Image"), tally.losses) == (10_000_000, "a\0\x1b[31m", [])
    events, tally = read_bytes(text.encode(), "x.csv", limits=Limits(max_line=1_000_000))
    assert [event.record_id for event in events] == [2]
    assert "--max-line" in tally.losses[0].next_step
