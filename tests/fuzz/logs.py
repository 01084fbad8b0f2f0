"""Exports and network logs: XML, CSV, what Elastic, Splunk and Defender write, and the logs of proxies and of Zeek.

Each is read by its content, under a name that says nothing. The checks are those of all evidence (evidence.py); for
formats with a record a line, a damaged line must cost no other line (test_fuzz.py).
"""

from __future__ import annotations

import csv
import functools
import io
import json
import re
from collections.abc import Mapping
from typing import Any

from evtx import PyEvtxParser

from fuzz import seeds
from fuzz.evidence import JSON_WORDS, read
from fuzz.mutate import TEXT
from fuzz.target import Target
from telemetry.exported import dotted, evtxecmd, splunk, winlogbeat

_ANSWER = re.compile(rb'"(?:results|records)"\s*:\s*\[[\s\]}]*\Z', re.IGNORECASE)


def log(data: bytes) -> None:
    """Whatever it is by its content."""
    read(data, "fuzz.log", only_headers=_only_headers(data))


def _only_headers(data: bytes) -> bool:
    """One line, which may be a table's, or directives, or the head of an answer without a row behind it.

    The first line of a table may open a quote and go on in the next.
    """
    if _ANSWER.search(data):
        return True
    lines = re.sub(rb"\A(?:\xef\xbb\xbf)?sep=.\s", b"", data).strip().splitlines()
    return len(lines) <= 1 or all(line[:1] == b"#" or not line.strip() for line in lines) or data.count(b'"') % 2 == 1


@functools.cache
def _events() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(line)["Event"] for line in seeds.json_lines(seeds.records(4)[:6]).splitlines())


@functools.cache
def _elements() -> tuple[str, ...]:
    parser = PyEvtxParser(io.BytesIO(seeds.evtx_of(seeds.records(4)[:4])))
    return tuple(str(record["data"]).partition("?>")[2].strip() for record in parser.records() if record)


@functools.cache
def xml_files() -> tuple[bytes, ...]:
    """A document, elements one a line, and in UTF-16 as Event Viewer saves them."""
    head, lines = '<?xml version="1.0" encoding="utf-8"?>\n', [" ".join(each.split()) for each in _elements()]
    whole = f"{head}<Events>{''.join(_elements()[:3])}</Events>"
    return (whole.encode(), "\n".join(lines).encode(), whole.replace("utf-8", "utf-16").encode("utf-16"),
            "\ufeff".encode() + "\r\n".join(lines[:3]).encode())


@functools.cache
def csv_files() -> tuple[bytes, ...]:
    """EvtxECmd, a Winlogbeat document by its paths, Splunk's `_raw`, any table, and Defender's portal."""
    raw, table, defender = (io.StringIO(newline="") for _ in range(3))
    writer = csv.writer(raw)
    writer.writerow(["_time", "_raw", "host"])
    writer.writerows(["2026-11-24T09:00:00.000+0000", each, "ws"] for each in _elements())
    rows = seeds.flattened(seeds.records(4)[:4])
    named = csv.DictWriter(table, list(dict.fromkeys(name for row in rows for name in row)), delimiter=";")
    named.writeheader()
    named.writerows(rows)
    portal = csv.DictWriter(defender, list(_HUNTED[0]), quoting=csv.QUOTE_ALL)
    portal.writeheader()
    portal.writerows(_HUNTED)
    return (evtxecmd(_events()[:3]).encode(), dotted(_events()[:3]).encode(), raw.getvalue().encode(),
            table.getvalue().encode(), defender.getvalue().encode())


_HUNTED = tuple({
    "Timestamp": f"2026-11-24T09:00:0{number}.1234567Z", "DeviceId": "d" * 40, "DeviceName": "ws-01.corp.example",
    "ActionType": action, "FileName": "x.exe", "FolderPath": "C:\\Users\\anna\\x.exe", "ProcessId": 4711 + number,
    "ProcessCommandLine": 'x.exe "a\nb" --c', "AccountDomain": "corp", "AccountName": "anna", "RemoteIP": "203.0.113.7",
    "RemotePort": 443, "InitiatingProcessFileName": "explorer.exe", "InitiatingProcessId": 800, "ReportId": number,
    "RegistryKey": "", "AdditionalFields": '{"a": 1}',
} for number, action in enumerate(("ProcessCreated", "ConnectionSuccess", "FileCreated", "RegistryValueSet")))


@functools.cache
def export_files() -> tuple[bytes, ...]:
    """Winlogbeat's documents, Elastic's hits, Splunk's results, rows, an answer and streamed events of Defender."""
    beats = [winlogbeat(event) for event in _events()[:3]]
    hits = {"hits": {"hits": [{"_index": "winlogbeat", "_source": beat} for beat in beats]}}
    streamed = [{"time": row["Timestamp"], "tenantId": "t", "category": "AdvancedHunting-DeviceProcessEvents",
                 "properties": row} for row in _HUNTED]
    return ("\n".join(map(json.dumps, beats)).encode(), json.dumps(beats, indent=1).encode(),
            "\n".join(json.dumps({"_source": beat}) for beat in beats).encode(), json.dumps(hits).encode(),
            "\n".join(json.dumps(splunk(each)) for each in _elements()[:3]).encode(),
            "\n".join(map(json.dumps, _HUNTED)).encode(),
            json.dumps({"Schema": [{"Name": "Timestamp", "Type": "DateTime"}], "Results": _HUNTED}).encode(),
            "\n".join(map(json.dumps, streamed)).encode(), json.dumps({"records": streamed}).encode())


_ZEEK = ("#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\thttp\n"
         "#open\t2026-11-24-09-00-00\n"
         "#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\tstatus_code\ttags\n"
         "#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\tcount\tset[enum]\n"
         + "".join(f"179551471{number}.123456\tC{number}\t10.1.2.3\t50000\t203.0.113.7\t80\tPOST\texample.com\t/api"
                   "\t200\t(empty)\n" for number in range(5)) + "#close\t2026-11-24-10-00-00\n")
_NETWORK = (
    _ZEEK,
    "".join(json.dumps({"ts": 1795514712.5 + number, "uid": "C1", "id.orig_h": "10.1.2.3", "id.orig_p": 50000,
                        "id.resp_h": "203.0.113.7", "id.resp_p": 443, "proto": "tcp", "orig_bytes": 4096,
                        "query": "example.com", "_path": path}) + "\n"
            for number, path in enumerate(("conn", "dns", "x"))),
    "#Software: Microsoft Internet Information Services 10.0\n#Version: 1.0\n#Date: 2026-11-24 09:00:00\n"
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) sc-status "
    "sc-bytes\n" + "2026-11-24 09:00:01 10.0.0.1 GET /a.aspx x=%20y 443 - 10.1.2.3 Mozilla/5.0+(X) 200 512\n" * 4,
    "#Fields: time c-ip cs-method cs(Host) cs-uri-path cs(User-Agent) sc-status\n#Date: 2026-11-24\n"
    + '09:00:01 10.1.2.3 POST example.com /api "a b" 200\n' * 3,
    "1795514712.123    245 10.1.2.3 TCP_MISS/200 507 POST http://example.com/api anna HIER_DIRECT/203.0.113.7 -\n"
    "1795514713.001     -1 10.1.2.3 TCP_TUNNEL/- - CONNECT example.com:443 - HIER_NONE/- -\n" * 2,
    '10.1.2.3 - anna [24/Nov/2026:10:11:12 +0100] "GET http://example.com/ HTTP/1.1" 200 512 "-" "Mozilla/5.0"\n'
    'www.example.com:443 10.1.2.4 - - [24/Nov/2026:10:11:13 +0000] "\\x16\\x03" 400 0 "-" "-" TCP_MISS:NONE\n' * 2,
    "<134>1 2026-11-24T10:11:12Z fw1 app - - - CEF:0|Vendor|Pro\\|duct|1.0|100|Web request|3|rt=1795514712123 "
    "src=10.1.2.3 dst=203.0.113.7 request=http://example.com/a\\=b requestMethod=GET out=4096 msg=a\\nb\n"
    "CEF:0|V|P|1|2|n|Low|src=10.1.2.3 spt=1 start=Nov 24 2026 10:11:12 act=block\n" * 2,
    "".join(f"11/18/2026 09:00:0{number}.120 AM\nLogName=Security\nEventCode=4688\nEventType=0\nComputerName=WS\n"
            "SourceName=Windows auditing.\nRecordNumber=7\nMessage=A new process has been created.\n\n"
            "Creator Subject:\n\tAccount Name:\t\tanna\n\nProcess Information:\n\tNew Process ID:\t\t0x1f4\n"
            "\tNew Process Name:\tC:\\x.exe\n\n" for number in range(3)),
)

LINES: Mapping[str, str] = {
    "squid": "179551471@.123    245 10.1.2.3 TCP_MISS/200 507 POST http://example.com/api anna HIER_NONE/- text/html",
    "access": '10.1.2.3 - anna [24/Nov/2026:10:11:1@ +0100] "GET /a HTTP/1.1" 200 512 "-" "Mozilla/5.0"',
    "cef": "CEF:0|V|P|1|2|n|Low|rt=179551471@123 src=10.1.2.3 dst=203.0.113.7 spt=5000@ act=block",
    "zeek_json": '{"ts": 179551471@.5, "uid": "C@", "id.orig_h": "10.1.2.3", "id.resp_h": "10.0.0.1", "_path": "x"}',
}
"""A record of each format that needs no header; @ is a digit that tells it from others."""

_XML_WORDS = (b"<Event>", b"</Event>", b"<Event xmlns='http://schemas.microsoft.com/win/2004/08/events/event'>",
              b"<Events>", b"<System>", b"</System>", b"<EventData>", b"</EventData>", b"<Data Name=\"Image\">",
              b"</Data>", b"<EventID>1</EventID>", b"<![CDATA[", b"]]>", b"<!DOCTYPE x [<!ENTITY a 'b'>]>", b"&a;",
              b"&#0;", b"&#xD800;", b"&lt;", b"<?xml version='1.0' encoding='utf-16'?>", b"<!--", b"-->", b"<", b">",
              b"/>", b"\x00", b"\xff", b"xmlns:x='y'", b"<UserData>", b"<x:Event>",
              b"SystemTime=\"0001-01-01T00:00:00Z\"", b"\n", b"\xff\xfe<\x00")
_TABLE_WORDS = (b",", b";", b"\t", b'"', b'""', b"\n", b"\r\n", b"\r", b'"\n"', b"sep=;\n", b"EventID", b"event.code",
                b"winlog.event_id", b"_raw", b"Payload", b"Channel", b"TimeCreated", b"Timestamp", b"\xef\xbb\xbf",
                b"\x00", b"\xff", b"1e999", b"2026-11-24 09:00:00", b"{}", b"{\"EventData\":{\"Data\":[]}}", b"=cmd()",
                b"'")
_EXPORT_WORDS = (*JSON_WORDS, b'"winlog":{', b'"event_data":{', b'"_source":{', b'"hits":[', b'"result":{',
                 b'"_raw":"', b'"Schema":[', b'"Results":[', b'"properties":{', b'"records":[',
                 b'"ActionType":"ProcessCreated"', b'"Timestamp":"2026-11-24T09:00:00Z"', b'"DeviceName":',
                 b'"event":"<Event>', b'"Payload":"{\\"')
_LOG_WORDS = (b"\t", b" ", b"-", b"|", b"\\|", b"=", b"\\=", b"\\x09", b"\n", b"\r", b"\x00" * 20, b"\xff",
              b"\xed\xa0\x80", b"#Fields: date time c-ip\n", b"#Date: 2026-11-24\n", b"#fields\tts\tuid\n",
              b"#separator \\x09\n", b"#path\tdns\n", b"#unset_field\t-\n", b"CEF:0|", b"rt=", b"src=", b"<134>",
              b"[24/Nov/2026:10:11:12 +0100]", b'"', b"\\x", b"\\", b"1795514712.123", b"99999999999999999999", b"-1",
              b"nan", b"TCP_MISS/200", b"CONNECT a:443", b"http://[::1", b"10.1.2.3", b"::ffff:1.2.3.4",
              b"fe80::1%eth0", b"0001-01-01 00:00:00", b"9999-12-31", b"LogName=", b"EventCode=", b"Message=",
              b"11/18/2026 09:00:05.120 AM\n", b"{\"ts\": 1e999, \"uid\": 1}", b"\xe2\x80\xa8")

LOGS: Mapping[str, Target] = {
    "xml": Target(xml_files, _XML_WORDS, TEXT, log),
    "csv": Target(csv_files, _TABLE_WORDS, TEXT, log),
    "export": Target(export_files, _EXPORT_WORDS, TEXT, log),
    "network": Target(lambda: tuple(text.encode() for text in _NETWORK), _LOG_WORDS, TEXT, log,
                      lambda seed: [found.end() for found in re.finditer(rb"\n", seed)]),
}
