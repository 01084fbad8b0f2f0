"""What single records tell of a connection: which are kept, addresses and ports in one spelling, hostile values."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import builders as b
from douse.incident.network_records import PIECES, SOCKETS, Piece, Socket, piece_of, socket_of
from incident.sensors import CHROME, CLIENT, SERVER, conn, proxied, socket, zeek


@pytest.mark.parametrize("shape", ["sysmon", "security", "mde"])
def test_a_socket_of_every_kind_of_endpoint(shape: str) -> None:
    found = socket_of(socket(CHROME, 1, 49712, shape=shape))
    assert isinstance(found, Socket)
    assert (found.source, found.source_port, found.address, found.port, found.protocol, found.pid) == (
        CLIENT, 49712, SERVER, 443, "tcp", 6100)
    assert (found.guid != "") is (shape != "security")


@pytest.mark.parametrize("changed", [
    {"Initiated": "false"}, {"DestinationIp": "10.0.0.9"}, {"DestinationIp": "127.0.0.1"}, {"DestinationIp": "-"},
    {"SourceIp": "::1"}, {"SourceIp": ""},
])
def test_what_cannot_have_left_for_the_internet_is_no_socket(changed: dict[str, str]) -> None:
    assert socket_of(b.event(b.SYSMON, 3, 0, {**socket(CHROME, 0, 1).fields, **changed})) is None


def test_a_connection_to_a_proxy_inside_is_a_socket() -> None:
    assert socket_of(socket(CHROME, 0, 1, "10.0.0.8", 3128)) is not None


def test_other_records_are_neither() -> None:
    for event in (b.process_start(CHROME), zeek("dns", 0), b.event("Proxy/access", 7, 0, {})):
        assert (socket_of(event), piece_of(event)) == (None, None)


def test_pieces_of_zeek() -> None:
    whole = piece_of(conn(1, "C1", sent=9, received=8, lasted=2.5))
    assert isinstance(whole, Piece)
    assert (whole.end - whole.start, whole.sent, whole.received, whole.uid) == (timedelta(seconds=2.5), 9, 8, "C1")
    web = piece_of(zeek("http", 1, "C1", host="Exfil.Example.", method="post", request_body_len="7"))
    assert web is not None
    assert (web.hostname, web.method, web.sent, web.received) == ("exfil.example", "POST", 7, -1)
    tls = piece_of(zeek("ssl", 1, "C1", server_name="c2.example"))
    assert tls is not None
    assert (tls.hostname, tls.sent) == ("c2.example", -1)
    assert piece_of(zeek("conn", 1, server="10.0.0.9")) is None, "it stays inside"


def test_a_request_to_a_proxy_began_before_it_was_written() -> None:
    piece = piece_of(proxied(10, "https://exfil.example:8443/api", took=2_000))
    assert piece is not None
    assert (piece.start, piece.end) == (b.at(8), b.at(10))
    assert (piece.server, piece.port, piece.sent, piece.method) == ("", 8443, 20_480, "POST")
    assert [found.port for url in ("https://a.example/", "http://a.example", "CONNECT://a.example:993/")
            if (found := piece_of(proxied(1, url)))] == [443, 80, 993]


def test_a_firewalls_record() -> None:
    fields: dict[str, Any] = {"src_ip": CLIENT, "src_port": "1", "dst_ip": SERVER, "dst_port": "443",
                              "cs-bytes": "9", "sc-bytes": "8", "proto": "TCP", "duration": "5"}
    piece = piece_of(b.event("Firewall/traffic", 0, 0, fields))
    assert piece is not None
    assert (piece.sent, piece.received, piece.protocol, piece.client_port) == (9, 8, "tcp", 1)
    assert (piece.end - piece.start).total_seconds() == 5
    for kept_back in ({"blocked": "true"}, {"act": "start"}, {"DeviceEventClassID": "start"}):
        assert piece_of(b.event("Firewall/traffic", 0, 0, fields | kept_back)) is None


@pytest.mark.parametrize("action", ["TCP_DENIED", "Blocked", "DENIED", "denied"])
def test_a_request_that_a_proxy_refused_carried_nothing(action: str) -> None:
    request: dict[str, Any] = {"src_ip": CLIENT, "c-uri": "http://x.example/", "s-action": "TCP_MISS"}
    assert piece_of(b.event("Proxy/access", 0, 0, request)) is not None
    assert piece_of(b.event("Proxy/access", 0, 0, {**request, "s-action": action})) is None


@given(st.sampled_from(sorted({*SOCKETS, *PIECES})), st.dictionaries(st.sampled_from([
    "SourceIp", "DestinationIp", "SourcePort", "DestinationPort", "Protocol", "Initiated", "id.orig_h", "id.resp_h",
    "id.orig_p", "duration", "orig_bytes", "uid", "host", "method", "src_ip", "dst_ip", "dst_port", "cs-bytes", "c-uri",
    "time-taken", "cs-host", "out"]), st.sampled_from([
        "true", "203.0.113.7", "10.0.0.1", "443", "-1", "1e400", "nan", "9" * 400, "x" * 5_000, "", "0x1bb", "²"])))
def test_hostile_values_make_a_small_record_or_none(kind: tuple[str, int], fields: dict[str, Any]) -> None:
    event = b.event(kind[0], kind[1], 0, fields)
    piece = piece_of(event)
    found = socket_of(event)
    if piece is not None:
        assert all(len(text) <= 255 for text in (piece.hostname, piece.method, piece.uid, piece.protocol))
        assert 0 <= piece.port < 65_536
        assert piece.start <= piece.end
        assert piece.sent < 1 << 63
    if found is not None:
        assert 0 <= found.source_port < 65_536
