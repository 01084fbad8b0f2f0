"""W3C logs of proxies and of IIS: columns as #Fields names them, new directives, quoted values, times, damage."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.textlog import Record
from douse.telemetry.w3c import NO_FIELDS, NO_TIME, WRONG_COUNT, _Parser

from .conftest import ReadBytes

PROXY = """\
#Software: SGOS 7.3.1
#Version: 1.0
#Date: 2026-11-24 10:00:00
#Fields: date time time-taken c-ip cs-username cs-method cs-uri-scheme cs-host cs-uri-port cs-uri-path cs-uri-query \
sc-status s-action sc-bytes cs-bytes cs(User-Agent) cs(Referer) r-ip
2026-11-24 10:11:12 245 10.1.2.3 CORP\\anna POST http exfil.example 8080 /api ?x=1 200 TCP_NC_MISS 507 20480 \
"Mozilla/5.0 (Windows NT 10.0)" - 203.0.113.7
"""
IIS = """\
#Software: Microsoft Internet Information Services 10.0
#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) \
sc-status sc-win32-status
2026-11-24 10:11:12 10.0.0.5 GET /owa/x.aspx a=b 443 - 198.51.100.9 Mozilla/5.0+(Windows+NT+10.0) 200 0
"""


def test_a_proxy(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(PROXY.encode(), "SG_main.log")
    assert tally.losses == []
    assert (event.channel, event.host, event.source.format) == ("Proxy/access", "10.1.2.3", "w3c")
    assert event.time == datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)
    expected = {"cs-host": "exfil.example", "cs-method": "POST", "cs-bytes": "20480", "sc-bytes": "507",
                "dst_port": "8080", "User": "CORP\\anna", "c-useragent": "Mozilla/5.0 (Windows NT 10.0)",
                "dst_ip": "203.0.113.7",
                "cs-uri-path": "/api", "cs-uri-scheme": "http", "s-action": "TCP_NC_MISS"}
    assert {name: event.text(name) for name in expected} == expected
    assert event.get("c-uri") == ["http://exfil.example:8080/api?x=1", "/api?x=1"]
    assert not event.has("cs-referrer")


def test_a_web_server(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(IIS.encode(), "u_ex261124.log")
    assert tally.losses == []
    assert (event.channel, event.host, event.text("c-ip")) == ("WebServer/access", "10.0.0.5", "198.51.100.9")
    assert event.get("cs-uri-query") == ["a=b", "/owa/x.aspx?a=b"]
    assert event.text("cs-user-agent") == "Mozilla/5.0 (Windows NT 10.0)"
    assert event.text("cs(User-Agent)") == "Mozilla/5.0+(Windows+NT+10.0)"


def test_tabs_separate_the_columns_of_tmg(read_bytes: ReadBytes) -> None:
    log = ("#Software: Microsoft Forefront TMG\n#Fields: c-ip\tcs-username\tc-agent\tdate\ttime\tr-host\tr-ip\tr-port\t"
           "cs-bytes\tsc-bytes\ts-operation\tcs-uri\tsc-status\n"
           "10.1.2.3\tanna\tMozilla/5.0 (x y)\t2026-11-24\t10:11:12\t"
           "a.example\t203.0.113.7\t80\t900\t100\tPOST\thttp://a.example/p\t200\n")
    (event,), _ = read_bytes(log.encode())
    assert (event.text("c-useragent"), event.text("cs-method"), event.text("cs-bytes"), event.text("c-uri-stem")) == (
        "Mozilla/5.0 (x y)", "POST", "900", "/p")


@pytest.mark.parametrize(("columns", "values", "time"), [
    ("time", "10:11:12", datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)),
    ("gmttime", "[24/11/2026:10:11:12", datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)),
    ("x-timestamp-unix-utc", "1795514712", datetime(2026, 11, 24, 10, 5, 12, tzinfo=UTC)),
    ("localtime", '"[24/Nov/2026:10:11:12 +0100]"', datetime(2026, 11, 24, 9, 11, 12, tzinfo=UTC)),
])
def test_where_the_time_is(columns: str, values: str, time: datetime, read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(f"#Date: 2026-11-24 00:00:00\n#Fields: {columns} c-ip\n{values} 10.1.2.3\n".encode())
    assert event.time == time


def test_new_directives_count_from_where_they_stand(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes((PROXY + IIS + PROXY).encode())
    assert [event.channel for event in events] == ["Proxy/access", "WebServer/access", "Proxy/access"]
    assert tally.losses == []


@pytest.mark.parametrize(("line", "reason"), [
    ("2026-11-24 10:11:12 245 10.1.2.3", WRONG_COUNT), ("x " * 18, NO_TIME), ("x " * 19, WRONG_COUNT),
])
def test_each_damaged_line_is_one_loss(line: str, reason: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(f"{PROXY}{line}\n{PROXY}".encode())
    assert len(events) == 2
    assert [(loss.where, loss.reason, loss.records) for loss in tally.losses] == [("line 6", reason, 1)]


def test_lines_before_the_first_fields_line_are_lost(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(b"2026-11-24 10:11:12 245\n" + PROXY.encode())
    assert (len(events), [loss.reason for loss in tally.losses]) == (1, [NO_FIELDS])


def test_a_header_and_nothing_else_is_noted(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(b"#Software: x\n#Fields: date time c-ip\n")
    assert (events, tally.losses, tally.notes) == ([], [], ["input: a header and no record"])


@given(st.text(max_size=200))
def test_a_hostile_agent_changes_no_other_field(agent: str) -> None:
    parser = _Parser()
    *head, line, _ = PROXY.split("\n")
    for directive in head:
        assert parser.parse(directive) is None
    quoted = "".join(letter for letter in agent if letter not in '\n\r\t"')
    parsed = parser.parse(line.replace("Mozilla/5.0 (Windows NT 10.0)", quoted))
    assert isinstance(parsed, Record)
    assert (parsed.decode()["c-ip"], parsed.decode()["dst_ip"]) == ("10.1.2.3", "203.0.113.7")
