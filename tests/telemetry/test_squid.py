"""Squid's own access.log: what each place of a line becomes, URLs with blanks, damage, hostile text."""

from __future__ import annotations

import gzip
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.squid import NO_LINE, _parse
from douse.telemetry.textlog import Record

from .conftest import ReadBytes

GET = ("1795514712.123    245 10.1.2.3 TCP_MISS/200 507 POST http://exfil.example/api/set?x=1 anna "
       "HIER_DIRECT/203.0.113.7 text/html")
TUNNEL = "1795514713.001  60123 10.1.2.3 TCP_TUNNEL/200 39 CONNECT c2.example:443 - HIER_DIRECT/203.0.113.8 -"
DENIED = "1795514714.001      0 10.1.2.4 TCP_DENIED/403 3900 GET http://a.example/ - HIER_NONE/- text/html"


def test_a_request_and_a_tunnel(read_bytes: ReadBytes) -> None:
    (request, tunnel, denied), tally = read_bytes(f"{GET}\n{TUNNEL}\n{DENIED}\n".encode(), "access.log")
    assert tally.losses == []
    assert (request.channel, request.event_id, request.provider) == ("Proxy/access", 0, "Squid")
    assert (request.host, request.source.format) == ("10.1.2.3", "squid")
    assert request.time == datetime(2026, 11, 24, 10, 5, 12, 123000, tzinfo=UTC)
    expected = {"cs-host": "exfil.example", "cs-method": "POST", "sc-status": "200", "sc-bytes": "507", "User": "anna",
                "dst_ip": "203.0.113.7", "time-taken": "245", "s-action": "TCP_MISS", "cs-mime-type": "text/html"}
    assert {name: request.text(name) for name in expected} == expected
    assert request.get("c-uri") == ["http://exfil.example/api/set?x=1", "/api/set?x=1"]
    assert (tunnel.text("c-uri"), tunnel.text("cs-host"), tunnel.has("User")) == ("c2.example:443", "c2.example", False)
    assert (denied.text("sc-status"), denied.has("dst_ip")) == ("403", False)


def test_rotated_logs_are_packed(read_bytes: ReadBytes) -> None:
    (event,), tally = read_bytes(gzip.compress(GET.encode() + b"\n"), "access.log.1.gz")
    assert (event.source.member, event.source.format, tally.losses) == ("access.log.1", "squid", [])


def test_a_url_with_blanks_and_columns_that_were_added() -> None:
    line = GET.replace("set?x=1", "a b c d") + " [User-Agent: x] extra"
    parsed = _parse(line)
    assert isinstance(parsed, Record)
    fields = parsed.decode()
    assert (fields["c-uri-stem"], fields["User"], fields["dst_ip"]) == ("/api/a b c d", "anna", "203.0.113.7")


@pytest.mark.parametrize("line", [
    "", "garbage", GET[:60], GET.replace("TCP_MISS/200", "GET"), GET.replace("1795514712.123", "yesterday"),
    GET.replace("HIER_DIRECT/203.0.113.7", "-"), "x " * 20,
])
def test_each_damaged_line_is_one_loss(line: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(f"{GET}\n{line}\n{TUNNEL}\n".encode())
    assert len(events) == 2
    assert [(loss.where, loss.reason, loss.records) for loss in tally.losses] == (
        [("line 2", NO_LINE, 1)] if line else [])


@given(st.text(max_size=200), st.integers(0, 12))
def test_hostile_text_in_any_place_gives_a_record_or_a_reason(text: str, place: int) -> None:
    parts = GET.split()
    parts[place % len(parts)] = text
    parsed = _parse(" ".join(parts))
    assert parsed == NO_LINE or (isinstance(parsed, Record) and parsed.decode())
