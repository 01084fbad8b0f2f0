"""JSON that Elastic and Splunk export: every wrapping, what their shippers change, and losses with their line."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from douse.model import Event
from douse.telemetry import Limits, Wanted
from douse.telemetry.elastic import with_unnamed
from douse.telemetry.readers import choose

from .conftest import ReadBytes
from .exported import splunk
from .test_jsonl import export, lines, nested
from .test_xmllog import record

SYSMON = "Microsoft-Windows-Sysmon/Operational"


def beat(number: int, **more: Any) -> dict[str, Any]:
    """A document of Winlogbeat 8."""
    return {
        "@timestamp": f"2026-03-02T12:00:{number:02}.250Z", "ecs": {"version": "8.0.0"}, "host": {"name": "pc1"},
        "agent": {"type": "winlogbeat"}, "event": {"code": "1", "provider": "Microsoft-Windows-Sysmon"},
        "log": {"level": "information"}, "message": "Process Create:\nImage: C:\\a.exe", "process": {"pid": 31},
        "winlog": {"channel": SYSMON, "event_id": "1", "computer_name": "PC1", "record_id": number, "opcode": "Info",
                   "provider_name": "Microsoft-Windows-Sysmon", "provider_guid": "{b}", "version": 5,
                   "task": "Process Create", "process": {"pid": 3308, "thread": {"id": 12}},
                   "user": {"identifier": "S-1-5-18", "name": "SYSTEM"},
                   "event_data": {"Image": "C:\\a.exe", "Hashes": "MD5=AA", "Threat Name": "x"}, **more}}


def numbers(events: list[Event]) -> list[int]:
    return [event.record_id for event in events]


def test_a_document_of_winlogbeat(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(lines(beat(7)), "x.json")
    assert (event.channel, event.event_id, event.host, event.provider, event.record_id, event.source.format) == (
        SYSMON, 1, "PC1", "Microsoft-Windows-Sysmon", 7, "export")
    assert event.time == datetime(2026, 3, 2, 12, 0, 7, 250_000, tzinfo=UTC)
    assert event.fields == {
        "Provider_Name": "Microsoft-Windows-Sysmon", "Provider_Guid": "{b}", "EventID": 1, "Version": 5, "Level": 4,
        "Task": "Process Create", "Opcode": "Info", "TimeCreated_SystemTime": "2026-03-02T12:00:07.250Z",
        "EventRecordID": 7, "Execution_ProcessID": 3308, "Execution_ThreadID": 12, "Channel": SYSMON, "Computer": "PC1",
        "Security_UserID": "S-1-5-18", "Image": "C:\\a.exe", "Hashes": "MD5=AA", "md5": "AA", "ThreatName": "x",
        "Message": "Process Create:\nImage: C:\\a.exe"}
    assert tally.losses == []


@pytest.mark.parametrize("data", [
    lines(beat(1), beat(2)),
    json.dumps([beat(1), beat(2)]).encode(),
    json.dumps([beat(1), beat(2)], indent=2).encode(),
    lines({"_index": "a", "_type": "_doc", "_source": beat(1)}, {"_source": beat(2), "sort": [1]}),
    lines({"index": {"_index": "a"}}, beat(1), {"create": {}}, beat(2)),
    json.dumps({"took": 1, "timed_out": False, "_shards": {"total": 1, "failures": []}, "hits": {
        "total": {"value": 2}, "max_score": None, "hits": [{"_source": beat(1)}, {"_source": beat(2)}]}}).encode(),
    json.dumps({"hits": {"hits": [{"_source": beat(1)}, {"_source": beat(2)}]}, "took": 1, "aggregations": {
        "a": {"buckets": [{"key": "}]"}]}}}, indent=1).encode(),
    json.dumps({"id": "x", "is_partial": False, "response": {"took": 1, "hits": {"hits": [
        {"_source": beat(1)}, {"_source": beat(2)}]}}}).encode(),
    lines(*({"_id": n, "fields": {
        "@timestamp": [f"2026-03-02T12:00:0{n}.250Z"], "winlog.channel": [SYSMON], "winlog.event_id": ["1"],
        "winlog.computer_name": ["PC1"], "winlog.record_id": [n], "winlog.event_data.Image": ["C:\\a.exe"]}}
        for n in (1, 2))),
    lines(*({"@timestamp": f"2026-03-02T12:00:0{n}.250Z", "winlog.channel": SYSMON, "event.code": "1",
             "host.name": "PC1", "winlog.record_id": str(n), "winlog.event_data.Image": "C:\\a.exe"} for n in (1, 2))),
    lines(*({"@timestamp": f"2026-03-02T12:00:0{n}.250Z", "log_name": SYSMON, "event_id": 1, "computer_name": "PC1",
             "source_name": "Microsoft-Windows-Sysmon", "record_number": str(n), "event_data": {"Image": "C:\\a.exe"},
             "process_id": 5, "level": "Information", "type": "wineventlog"} for n in (1, 2))),
    lines(splunk(record(1)), splunk(record(2)), {"preview": False, "lastrow": True}),
    json.dumps({"preview": False, "init_offset": 0, "messages": [], "fields": [{"name": "_raw"}], "results": [
        splunk(record(n))["result"] for n in (1, 2)], "highlighted": {}}).encode(),
    lines(*({"time": 1772452800.25, "host": "h", "sourcetype": "XmlWinEventLog", "event": record(n)} for n in (1, 2))),
    lines(*({"time": "1772452800", "sourcetype": "_json", "event": beat(n)} for n in (1, 2))),
    lines(*({"@timestamp": "x", "message": record(n), "tags": []} for n in (1, 2))),
    lines(*(splunk(json.dumps(beat(n))) for n in (1, 2))),
    lines(*({"EventRecordId": n, "EventId": 1, "Channel": SYSMON, "Computer": "PC1", "Level": "Info",
             "TimeCreated": "2026-03-02T12:00:00.2504567+00:00", "Provider": "Microsoft-Windows-Sysmon",
             "Payload": json.dumps({"EventData": {"Data": [{"@Name": "Image", "#text": "C:\\a.exe"}]}})}
            for n in (1, 2))),
])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_every_wrapping(data: bytes, encoding: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(data.decode().encode(encoding), "x.json")
    assert (numbers(events), tally.losses) == ([1, 2], [])
    for event in events:
        assert (event.channel, event.event_id, event.host, event.text("Image"), event.source.format) == (
            SYSMON, 1, "PC1", "C:\\a.exe", "export")
        assert event.provider == "Microsoft-Windows-Sysmon"
        assert event.time.date().isoformat() == "2026-03-02"


def test_the_records_own_xml_is_read_where_it_was_kept(read_bytes: ReadBytes) -> None:
    document = beat(1)
    document["event"]["original"] = record(9, "<Data Name='Empty'></Data>")
    (event,), _ = read_bytes(lines(document), "x.json")
    assert (event.record_id, event.get("Empty")) == (9, "")
    document["event"]["original"] = "<Event><broken"
    assert numbers(read_bytes(lines(document), "x.json")[0]) == [1]


def test_audit_keywords_unnamed_data_and_user_data(read_bytes: ReadBytes) -> None:
    documents = (beat(1, keywords=["Audit Failure"], event_data={f"param{n}": str(n) for n in range(1, 12)}),
                 beat(2, keywords=["Classic"], event_data=None,
                      user_data={"xml_name": "LogFileCleared", "SubjectUserName": "anna"}))
    (first, second), _ = read_bytes(lines(*documents), "x.json")
    assert first.get("Keywords") == "0x8010000000000000"
    assert first.get("Data") == [str(n) for n in range(1, 12)]
    assert (first.get("param2"), second.get("SubjectUserName"), second.get("Keywords")) == ("2", "anna", ["Classic"])
    assert with_unnamed({"param1": "a", "Image": "b"}) == {"param1": "a", "Image": "b"}


def test_a_mixed_export_is_read_document_by_document(read_bytes: ReadBytes) -> None:
    data = lines({"_source": {"@timestamp": "2026-03-02T12:00:00Z", "event": {"code": "x"}, "agent": {}}},
                 {"_source": nested(3)}, {"_source": export(1, RecordNumber=4)}, nested(5), beat(6))
    events, tally = read_bytes(data, "x.json")
    assert numbers(events) == [3, 4, 5, 6]
    assert [(loss.where, loss.reason[:16]) for loss in tally.losses] == [("line 1", "no Windows event")]


def test_fields_that_splunk_extracted(read_bytes: ReadBytes) -> None:
    result = {"_time": "2026-03-02T13:00:00.500+01:00", "EventCode": "4688", "LogName": "Security", "_bkt": "x",
              "ComputerName": "PC1", "RecordNumber": "7", "New_Process_Name": "C:\\a.exe"}
    (event,), _ = read_bytes(lines({"preview": False, "result": result}), "x.json")
    assert (event.channel, event.event_id, event.time.hour, event.record_id) == ("Security", 4688, 12, 7)
    assert (event.get("New_Process_Name"), event.has("_bkt")) == ("C:\\a.exe", False)


def test_every_broken_document_is_a_loss_with_its_line(read_bytes: ReadBytes) -> None:
    data = lines(beat(1)) + b'\n{"winlog": {"chan\n' + lines(beat(3), splunk("<Event><System>"), splunk("{"), splunk(
        "plain text"), beat(7)) + b"\n\xff\n" + lines(beat(9), beat(10, channel="")) + b'\n{"winl'
    events, tally = read_bytes(data, "x.json")
    assert numbers(events) == [1, 3, 7, 9]
    assert sorted((int(loss.where.split()[1]), loss.records) for loss in tally.losses) == [
        (2, 1), (4, 1), (5, 1), (6, 1), (8, 1), (10, 1), (11, 1)]


def test_one_broken_hit_of_an_answer_is_one_loss(read_bytes: ReadBytes) -> None:
    hits = ",\n".join(json.dumps({"_index": "a", "_source": beat(n)}) for n in range(1, 6))
    text = '{"took": 1, "hits": {"total": 5, "hits": [' + hits.replace('"record_id": 3', '"record_id": 3 oops') + "]}}"
    events, tally = read_bytes(text.encode(), "x.json")
    assert (numbers(events), tally.records_lost) == ([1, 2, 4, 5], 1)
    events, tally = read_bytes(text[:text.index('"record_id": 5')].encode(), "x.json")
    assert (numbers(events), tally.records_lost) == ([1, 2, 4], 2)


def test_an_answer_of_any_size_is_read_within_the_limit_of_one_document(read_bytes: ReadBytes) -> None:
    hits = ",".join(json.dumps({"_source": beat(n % 60)}) for n in range(4_000))
    events, tally = read_bytes(f'{{"took":1,"hits":{{"hits":[{hits}]}}}}'.encode(), "x.json",
                               limits=Limits(max_line=100_000))
    assert (len(events), tally.losses) == (4_000, [])


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("between", ["", "\n", ",\n"])
def test_the_pages_of_a_search_behind_each_other(indent: int | None, between: str, read_bytes: ReadBytes) -> None:
    def page(*hits: dict[str, Any]) -> str:
        shards = {"total": 1, "failed": 0}
        return json.dumps({"_scroll_id": "DX", "took": 5, "timed_out": False, "_shards": shards, "hits": {
            "total": {"value": 4, "relation": "eq"}, "max_score": None, "hits": list(hits)}}, indent=indent)

    pages = [page(*({"_source": beat(number)} for number in part)) for part in ((1, 2), (3,), (4,), ())]
    events, tally = read_bytes(between.join(pages).encode(), "x.json")
    assert (numbers(events), tally.losses) == ([1, 2, 3, 4], [])
    results = [json.dumps({"preview": False, "init_offset": 0, "messages": [], "results": rows}, indent=indent)
               for rows in ([{"_raw": json.dumps(beat(1))}], [{"_raw": json.dumps(beat(2))}], [])]
    events, tally = read_bytes(between.join(results).encode(), "x.json")
    assert (numbers(events), tally.losses) == ([1, 2], [])


@pytest.mark.parametrize("hits", [1, 500])
def test_what_follows_the_hits_may_be_longer_than_what_is_read_at_once(hits: int, read_bytes: ReadBytes) -> None:
    found = [{"_source": beat(number % 60)} for number in range(hits)]
    text = json.dumps({"took": 5, "hits": {"hits": found}, "aggregations": {"a": ["x" * 90] * 25_000}, "status": 1})
    events, tally = read_bytes((text + "\n" + text).encode(), "x.json")
    assert (len(events), tally.losses) == (2 * hits, [])


def test_what_nobody_wants_is_counted(read_bytes: ReadBytes) -> None:
    _, tally = read_bytes(lines(beat(1), beat(2)), "x.json", wanted=Wanted([("security", 1)]))
    assert (tally.records_read, tally.records_skipped) == (2, 2)


def test_hostile_documents(read_bytes: ReadBytes) -> None:
    deep = '{"winlog":{"channel":"S","event_id":1,"event_data":' + '{"a":' * 5_000 + "1" + "}" * 5_000 + "}}"
    data = lines(beat(1), beat(2, event_data={"Image": "x" * 10_000_000}), beat(3, event_data={"Image": "a\0\ud800b"}),
                 {"winlog.channel": "S", "winlog." + "." * 100_000: 1}, {"_source": {"_source": {"_source": beat(4)}}},
                 {"winlog": {"event_id": {}, "channel": [], "event_data": []}}) + b"\n" + deep.encode() + lines(beat(5))
    events, tally = read_bytes(data, "x.json")
    assert numbers(events) == [1, 2, 3, 4, 5]
    assert (len(events[1].text("Image")), events[2].text("Image")) == (10_000_000, "a\0?b")
    assert tally.records_lost == 3


@pytest.mark.parametrize(("document", "name", "expected"), [
    (beat(1), "x.json", "export"), (beat(1), "export.txt", "export"), (nested(1), "x.json", "jsonl"),
    (nested(1, Payload="CommandInvocation", result="ok", fields="x"), "x.json", "jsonl"),
    (export(1), "x.json", "jsonl"),
    ({"_source": {"a": 1}}, "notes", None), ({"name": "package", "fields": {"a": 1}}, "notes", None),
])
def test_what_is_taken_for_an_export(document: dict[str, Any], name: str, expected: str | None) -> None:
    reader = choose(lines(document), name, named=False)
    assert (reader.name if reader else None) == expected
