"""CEF: escapes of head and extension, values with blanks, times and zones, channels, damage, hostile text."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.cef import NO_CEF, NO_TIME, _Parser, extension
from douse.telemetry.textlog import NETWORK, Record

from .conftest import ReadBytes

WEB = (r"CEF:0|Zscaler|NSSWeblog|5.7|Allowed|Allowed|3|act=Allowed app=HTTP dhost=exfil.example dst=203.0.113.7 "
       r"src=10.1.2.3 in=507 out=20480 request=http://exfil.example/api?x\=1&y=2 outcome=200 requestMethod=POST "
       r"requestClientApplication=Mozilla/5.0 (Windows NT 10.0) suser=anna@corp.example rt=1795514712123 cs1=a b\\c "
       r"cs1Label=dept")
WALL = (r"CEF:0|Vendor|Fire\|Wall|1|10\\0|traffic|3|rt=1795514712123 src=10.1.2.3 spt=51000 dst=203.0.113.7 dpt=443 "
        "act=deny")
SYSLOG = "<134>1 2026-11-24T10:05:12.123Z nss zscaler - - - "


def test_a_request(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(f"{SYSLOG}{WEB}\n".encode(), "siem.log")
    assert (tally.losses, tally.notes) == ([], [])
    assert (event.channel, event.host, event.provider) == ("Proxy/access", "10.1.2.3", "CEF")
    assert event.source.format == "cef"
    assert event.time == datetime(2026, 11, 24, 10, 5, 12, 123000, tzinfo=UTC)
    expected = {"cs-host": "exfil.example", "cs-method": "POST", "cs-bytes": "20480", "sc-bytes": "507",
                "sc-status": "200", "c-useragent": "Mozilla/5.0 (Windows NT 10.0)", "User": "anna@corp.example",
                "dst_ip": "203.0.113.7",
                "DeviceProduct": "NSSWeblog", "request": "http://exfil.example/api?x=1&y=2", "cs1": "a b\\c"}
    assert {name: event.text(name) for name in expected} == expected
    assert event.get("c-uri") == ["http://exfil.example/api?x=1&y=2", "/api?x=1&y=2"]


def test_a_connection(read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(WALL.encode())
    assert (event.channel, event.text("DeviceProduct"), event.text("DeviceEventClassID")) == (
        "Firewall/traffic", "Fire|Wall", "10\\0")
    expected = {"src_ip": "10.1.2.3", "src_port": "51000", "dst_port": "443", "action": "deny", "blocked": "true"}
    assert {name: event.text(name) for name in expected} == expected


@pytest.mark.parametrize(("act", "blocked"), [
    ("allow", "false"), ("PERMIT", "false"), ("Blocked", "true"), ("teardown", "")])
def test_whether_it_was_blocked(act: str, blocked: str, read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(WALL.replace("deny", act).encode())
    assert event.text("blocked") == blocked


PAN = ("Nov 24 10:05:20 fw CEF:0|Palo Alto Networks|PAN-OS|10.2.4|end|TRAFFIC|1|rt=Nov 24 2026 10:05:15 GMT "
       "src=10.1.2.3 dst=203.0.113.7 spt=49712 dpt=443 proto=tcp act=allow cn1Label=SessionID cn1=7 in=20480 out=507 "
       "start=Nov 24 2026 10:05:15 GMT cn3Label=Elapsed time in seconds cn3=3")
FORTINET = ("Nov 24 11:05:15 FGT-A CEF: 0|Fortinet|Fortigate|v7.2.4|00013|traffic:forward close|3|FTNTFGTlogid=13 "
            "FTNTFGTeventtime={} src=10.1.2.3 spt=49712 dst=203.0.113.7 dpt=443 proto=6 act=close FTNTFGTduration=3 "
            "out=20480 in=507")


@pytest.mark.parametrize("line", [
    PAN, PAN.replace("|PAN-OS|", "|LF|").replace("in=20480 out=507", "in=507 out=20480"),
    *(FORTINET.format(time) for time in ("1795514715", "1795514715000000000"))])
def test_which_bytes_the_client_sent_and_how_long_a_session_took(line: str, read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(line.encode())
    assert (event.time, tally.losses) == (datetime(2026, 11, 24, 10, 5, 15, tzinfo=UTC), [])
    expected = {"cs-bytes": "20480", "sc-bytes": "507", "duration": "3", "src_port": "49712"}
    assert {name: event.text(name) for name in expected} == expected


@pytest.mark.parametrize(("request_", "uri"), [
    ("exfil.example/api", ["http://exfil.example/api", "/api"]),
    ("exfil.example:8080/api", ["http://exfil.example:8080/api", "/api"]), ("/api", "/api")])
def test_a_url_without_its_scheme(request_: str, uri: object, read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(WEB.replace(r"http://exfil.example/api?x\=1&y=2", request_).encode())
    assert (event.get("c-uri"), event.text("cs-host"), event.text("request")) == (uri, "exfil.example", request_)


def test_of_an_unknown_maker_nobody_knows_which_bytes_were_sent(read_bytes: ReadBytes) -> None:
    (wall, web), _ = read_bytes(f"{WALL} in=9 out=8\n{WEB.replace('Zscaler', 'Acme')}".encode())
    for event in (wall, web):
        assert (event.has("cs-bytes"), event.has("sc-bytes")) == (False, False)
    assert (wall.text("in"), wall.text("out")) == ("9", "8")


def test_any_other_record_is_only_counted(read_bytes: ReadBytes) -> None:
    events, _ = read_bytes(b"CEF:0|A|B|1|x|y|3|rt=1795514712123 msg=hi shost=ws-042\n"
                           b"CEF:1|A|B|1|x|y|3|rt=1795514712123")
    assert [(event.channel, event.host) for event in events] == [("CEF/event", "ws-042"), ("CEF/event", NETWORK)]


@pytest.mark.parametrize(("header", "keys", "note"), [
    ("", "rt=1795514712000", False), ("", "start=1795514712", False), ("", "rt=Nov 24 2026 10:05:12 GMT", False),
    ("", "rt=Nov 24 2026 10:05:12", True), ("", "end=2026-11-24T11:05:12+01:00", False),
    ("", "rt=Nov 24 2026 11:05:12 GMT+01:00", False), ("<134>1 2026-11-24T10:05:12Z h - - - - ", "", False),
    ("<134>Nov 24 2026 10:05:12 fw1 ", "", True), ("2026-11-24T10:05:12Z fw1 ", "rt=never", False),
])
def test_where_the_time_is(header: str, keys: str, note: bool, read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(f"{header}CEF:0|A|B|1|x|y|3|src=10.1.2.3 {keys}".encode())
    assert event.time == datetime(2026, 11, 24, 10, 5, 12, tzinfo=UTC)
    assert tally.notes == (["input: times of 1 CEF records state no zone; taken as UTC"] if note else [])


@pytest.mark.parametrize(("line", "reason"), [
    ("garbage", NO_CEF), ("CEF:0|only|three|parts", NO_CEF), ("CEF:0|A|B|1|x|y|3|src=10.1.2.3", NO_TIME),
    ("<13>Nov 24 10:05:12 fw1 CEF:0|A|B|1|x|y|3|src=10.1.2.3", NO_TIME),
])
def test_each_damaged_line_is_one_loss(line: str, reason: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(f"{WEB}\n{line}\n{WALL}\n".encode())
    assert len(events) == 2
    assert [(loss.where, loss.reason, loss.records) for loss in tally.losses] == [("line 2", reason, 1)]


@pytest.mark.parametrize(("text", "keys"), [
    (r"a=1 b=two words  c=", {"a": "1", "b": "two words", "c": ""}), (r"msg=x\=y z=\\ w=\n\r\q", {
        "msg": "x=y", "z": "\\", "w": "\n\r\\q"}),
    ("src=1.1.1.1 msg=hi src=9.9.9.9", {"src": "1.1.1.1", "msg": "hi"}), ("", {}), ("no keys here", {}),
    ("request=http://a/?b=c&d=e f=g", {"request": "http://a/?b=c&d=e", "f": "g"}),
])
def test_keys_and_values(text: str, keys: dict[str, str]) -> None:
    assert extension(text) == keys


@given(st.text(max_size=200))
def test_a_hostile_agent_changes_no_earlier_field(agent: str) -> None:
    line = WEB.replace("Mozilla/5.0 (Windows NT 10.0)", agent.replace("\n", " "))
    parsed = _Parser().parse(line)
    if isinstance(parsed, Record):
        fields = parsed.decode()
        assert (fields["src_ip"], fields["cs-host"], fields["cs-bytes"]) == ("10.1.2.3", "exfil.example", "20480")
    else:
        assert parsed == NO_TIME


def test_long_runs_cost_no_time() -> None:
    for run in ("a=" * 50_000, "|" * 100_000, "\\" * 100_001, " a=b" * 50_000):
        assert _Parser().parse(f"CEF:0|A|B|1|x|y|3|{run} rt=1795514712123") is not None
        assert _Parser().parse(f"CEF:0|{run}") is not None
