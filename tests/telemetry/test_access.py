"""Access logs: a proxy's and a web server's requests are told apart; quotes, zones, lines that are no request."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.access import NO_LINE, _parse
from douse.telemetry.textlog import NETWORK, Record

from .conftest import ReadBytes

PROXY = ('10.1.2.3 - CORP\\anna [24/Nov/2026:10:11:12 +0100] "GET http://dl.example/setup.exe HTTP/1.1" 200 512 '
         '"http://lure.example/" "Mozilla/5.0 \\"x\\"" TCP_MISS:HIER_DIRECT')
SERVER = ('www.example.com:443 198.51.100.7 - - [24/Nov/2026:10:11:12 +0000] '
          '"GET /owa/a.aspx?x=1 HTTP/1.1" 404 12 "-" "curl/8"')
COMMON = '198.51.100.7 - - [24/Nov/2026:10:11:12 +0000] "POST /api HTTP/1.0" 200 -'


def test_a_request_to_a_proxy_and_to_a_server(read_bytes: ReadBytes) -> None:
    (proxy, server, common), tally = read_bytes(f"{PROXY}\n{SERVER}\n{COMMON}".encode(), "access.log")
    assert tally.losses == []
    assert (proxy.channel, proxy.host, proxy.time) == (
        "Proxy/access", "10.1.2.3", datetime(2026, 11, 24, 9, 11, 12, tzinfo=UTC))
    expected = {"c-uri-extension": "exe", "cs-host": "dl.example", "c-useragent": 'Mozilla/5.0 \\"x\\"',
                "sc-bytes": "512", "cs-referrer": "http://lure.example/", "User": "CORP\\anna", "s-action": "TCP_MISS"}
    assert {name: proxy.text(name) for name in expected} == expected
    assert (server.channel, server.host, server.text("cs-host")) == (
        "WebServer/access", "www.example.com", "www.example.com")
    assert server.get("cs-uri-query") == ["x=1", "/owa/a.aspx?x=1"]
    assert (common.host, common.text("cs-method"), common.has("sc-bytes")) == (NETWORK, "POST", False)


def test_a_tunnel_is_asked_of_a_proxy(read_bytes: ReadBytes) -> None:
    (event,), _ = read_bytes(COMMON.replace("POST /api", "CONNECT c2.example:443").encode())
    assert (event.channel, event.text("cs-host")) == ("Proxy/access", "c2.example")


def test_what_is_no_request_is_a_record_all_the_same(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(COMMON.replace("POST /api HTTP/1.0", r"\x16\x03\x01").encode())
    assert (event.text("c-uri"), event.has("cs-method"), tally.losses) == (r"\x16\x03\x01", False, [])


@pytest.mark.parametrize("line", [
    "garbage", COMMON[:50], COMMON.replace("Nov", "Foo"), COMMON.replace('"', ""), COMMON.replace(" 200", " OK"),
])
def test_each_damaged_line_is_one_loss(line: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(f"{COMMON}\n{line}\n{PROXY}\n".encode())
    assert len(events) == 2
    assert [(loss.where, loss.reason, loss.records) for loss in tally.losses] == [("line 2", NO_LINE, 1)]


@given(st.text(max_size=200))
def test_a_hostile_agent_changes_no_other_field(agent: str) -> None:
    quoted = agent.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "").replace("\r", "")
    parsed = _parse(PROXY.replace('Mozilla/5.0 \\"x\\"', quoted))
    assert isinstance(parsed, Record)
    fields = parsed.decode()
    assert (fields["c-ip"], fields["sc-status"], fields["cs-host"]) == ("10.1.2.3", "200", "dl.example")
    shown = "" if quoted == "-" else quoted  # a dash is how the log writes that there was none
    assert fields.get("c-useragent", shown) == shown


def test_long_runs_of_quotes_and_backslashes_cost_no_time() -> None:
    for run in ('"' * 100_000, "\\" * 100_001, '\\"' * 100_000):
        assert _parse(PROXY.replace("Mozilla", run)) is not None
