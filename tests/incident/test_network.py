"""The join of endpoint and network: by all five, over two clocks, without the client's port, through a proxy."""

from __future__ import annotations

import random
import time
from datetime import timedelta

import pytest

import builders as b
from douse.incident.network import Flows
from douse.incident.transfers import FIVE_TUPLE, NO_CLIENT_PORT, OTHER_CLOCK, THROUGH_PROXY, TIME_APART, Transfer
from douse.model import Event
from incident.sensors import CHROME, PROXY_HOST, REGASM, SERVER, conn, facts, firewall, proxied, socket, zeek


def joined(*events: Event, skew: float = 2.0, host: str = b.HOST) -> tuple[Transfer, ...]:
    kept = facts(*events)
    return Flows(kept.pieces(), timedelta(seconds=skew)).transfers(kept.sockets(host))


@pytest.mark.parametrize("shape", ["sysmon", "security", "mde"])
def test_all_five_and_the_time(shape: str) -> None:
    (found,) = joined(socket(REGASM, 10, 49712, shape=shape), conn(10.4, "C1"), conn(10.4, "C2", client_port=49713),
                      conn(10.4, "C3", client="10.0.0.16"), zeek("conn", 10.4, "C4", server="203.0.113.8"))
    assert (found.basis, found.certain, found.sent, found.received) == (FIVE_TUPLE, True, 20_480, 507)
    assert (found.offset, found.socket.pid) == (timedelta(seconds=0.4), 5008)
    assert (found.is_upload, found.words) == (True, "20,480 bytes sent, 507 received")


def test_what_the_pieces_of_one_connection_say_is_one_transfer() -> None:
    (found,) = joined(
        socket(REGASM, 10, 49712), conn(10, "C1", lasted=30), zeek("ssl", 10.1, "C1", server_name="exfil.example"),
        zeek("http", 10.2, "C1", host="exfil.example", method="POST", request_body_len="9000"),
        zeek("http", 12.0, "C1", host="exfil.example", method="GET", request_body_len="0"))
    assert (found.sent, found.hostname, found.methods) == (20_480, "exfil.example", ("POST", "GET"))
    assert [channel for channel, _ in found.evidence] == ["Zeek/conn", "Zeek/ssl", "Zeek/http", "Zeek/http"]
    assert found.words == "POST/GET, 20,480 bytes sent, 507 received, to exfil.example"


def test_without_conn_log_the_bodies_are_added_up_once_each() -> None:
    posts = [zeek("http", 10 + n, "C1", host="x.example", method="POST", request_body_len="3000") for n in range(3)]
    (found,) = joined(socket(REGASM, 10, 49712), *posts, *posts)
    assert (found.sent, found.received, found.is_upload) == (9_000, None, True)


def test_a_record_of_tls_alone_says_whom_and_not_how_much() -> None:
    (found,) = joined(socket(REGASM, 10, 49712), zeek("ssl", 10, "C1", server_name="exfil.example"))
    assert (found.sent, found.received, found.is_upload, found.words) == (None, None, False, "to exfil.example")


@pytest.mark.parametrize(("off", "skew", "basis"), [
    (1.9, 2, FIVE_TUPLE), (-1.9, 2, FIVE_TUPLE), (2.5, 2, TIME_APART), (-4.9, 2, FIVE_TUPLE), (-5.1, 2, TIME_APART),
    (600, 2, TIME_APART), (-600, 2, TIME_APART), (600, 601, FIVE_TUPLE), (901, 2, ""), (-1000, 2, ""),
    (5, 0, TIME_APART),
])
def test_clocks_that_differ(off: float, skew: float, basis: str) -> None:
    """The sensor has the start `off` seconds later; the connection lasts 3 s, in which the endpoint may log it."""
    found = joined(socket(REGASM, 2_000, 49712), conn(2_000 + off, "C1"), skew=skew)
    assert [one.basis for one in found] == ([basis] if basis else [])
    assert all(one.offset == timedelta(seconds=off) for one in found)


def test_two_connections_that_are_apart_by_the_same_prove_another_clock() -> None:
    found = joined(socket(REGASM, 10, 49712), socket(CHROME, 70, 49713), conn(610, "C1"), conn(672, "C2", 49713))
    assert [(one.basis, one.certain, one.socket.source_port) for one in found] == [
        (OTHER_CLOCK, True, 49712), (OTHER_CLOCK, True, 49713)]


def test_two_that_are_apart_by_different_times_prove_nothing() -> None:
    assert joined(socket(REGASM, 10, 49712), socket(CHROME, 70, 49713), conn(310, "C1"), conn(672, "C2", 49713)) == ()
    three = joined(socket(REGASM, 10, 49712), socket(CHROME, 70, 49713), socket(CHROME, 80, 49714), conn(310, "C1"),
                   conn(670, "C2", 49713), conn(681, "C3", 49714))
    assert [one.socket.source_port for one in three] == [49713, 49714]


def test_where_clocks_agree_a_port_that_was_used_again_is_another_connection() -> None:
    """The sensor saw the browser's connection of ten minutes later with the thief's port, and not the thief's."""
    found = joined(socket(REGASM, 10, 49712), socket(CHROME, 70, 49713), conn(610, "C1"), conn(70.2, "C2", 49713))
    assert [(one.socket.source_port, one.basis) for one in found] == [(49713, FIVE_TUPLE)]


def test_what_several_sensors_saw_of_one_connection_is_put_together() -> None:
    (found,) = joined(socket(REGASM, 10, 49712), zeek("ssl", 10.2, "C1", server_name="exfil.example"),
                      firewall(12, lasted=2))
    assert (found.sent, found.received, found.hostname, found.basis) == (20_480, 507, "exfil.example", FIVE_TUPLE)
    assert [channel for channel, _ in found.evidence] == ["Firewall/traffic", "Zeek/ssl"]
    (found,) = joined(socket(REGASM, 10, 49712), conn(10.2, "C1", sent=5), firewall(12, lasted=2))
    assert (found.sent, found.evidence[0][0]) == (5, "Zeek/conn")


def test_a_port_that_is_used_again_is_joined_to_its_time() -> None:
    found = joined(socket(REGASM, 10, 49712), socket(REGASM, 400, 49712), socket(REGASM, 800, 49712),
                   conn(10, "C1", sent=1), conn(400.5, "C2", sent=2), conn(800, "C3", sent=3))
    assert [one.sent for one in found] == [1, 2, 3]


def test_a_long_connection_is_joined_while_it_lives() -> None:
    (found,) = joined(socket(REGASM, 3_000, 49712), conn(10, "C1", lasted=4_000))
    assert found.basis == FIVE_TUPLE


def test_a_transparent_proxy_has_no_client_port() -> None:
    found = joined(socket(REGASM, 10, 49712), socket(CHROME, 300, 49713), proxied(10.4, server=SERVER))
    assert [(one.basis, one.socket.pid, one.certain, one.sent) for one in found] == [
        (NO_CLIENT_PORT, 5008, False, 20_480)]


def test_one_request_is_told_of_one_socket_only() -> None:
    request = proxied(10.3, server=SERVER, took=200)
    (found,) = joined(socket(REGASM, 9, 49712), socket(REGASM, 10, 49713), socket(CHROME, 16, 49714), request)
    assert (found.socket.source_port, found.offset) == (49713, timedelta(seconds=0.1))
    for other in (11, 8, -500):
        assert joined(socket(REGASM, 10, 49713), socket(CHROME, other, 49714), request) == (), "it may have been either"


def test_an_explicit_proxy_is_joined_where_one_process_used_it() -> None:
    alone = socket(REGASM, 1_010, 49712, PROXY_HOST, 3128)
    found = joined(alone, proxied(1_010.5), proxied(1_013, "https://other.example/"), proxied(1_030), proxied(1_400))
    assert [(one.basis, one.certain, one.hostname, one.socket.pid) for one in found] == [
        (THROUGH_PROXY, False, "exfil.example", 5008), (THROUGH_PROXY, False, "other.example", 5008)]
    for other in (1_012, 1_000, 500):
        assert joined(alone, socket(CHROME, other, 49713, PROXY_HOST, 3128), proxied(1_011)) == (), "may be either's"
    assert joined(alone, socket(CHROME, 300, 49713, PROXY_HOST, 3128), proxied(1_011)), "over long before"
    assert joined(alone, proxied(1_010.5, client="10.0.0.16")) == (), "another computer"
    assert joined(socket(REGASM, 1_010, 49712, SERVER, 8080), proxied(1_010.5)) == (), "no proxy, but a server outside"


def test_a_request_that_was_joined_by_its_server_is_not_joined_through_a_proxy_again() -> None:
    found = joined(socket(REGASM, 10, 49712), socket(CHROME, 9, 49713, PROXY_HOST, 3128), proxied(10.4, server=SERVER))
    assert [(one.basis, one.socket.pid) for one in found] == [(NO_CLIENT_PORT, 5008)]


def test_behind_an_address_translation_nothing_joins() -> None:
    assert joined(socket(REGASM, 10, 49712), conn(10, "C1", client="198.51.100.1")) == ()


def test_hosts_are_asked_one_by_one() -> None:
    events = (socket(REGASM, 10, 49712), socket(REGASM, 10, 49712, host="WS-02", source="10.0.0.16"), conn(10, "C1"),
              conn(10, "C2", client="10.0.0.16", sent=5))
    assert [one.sent for one in joined(*events)] == [20_480]
    assert [one.sent for one in joined(*events, host="WS-02")] == [5]


def test_the_result_does_not_depend_on_order() -> None:
    events = [socket(REGASM, n, 40_000 + n % 5) for n in range(40)]
    events += [conn(n + 0.3, f"C{n}", 40_000 + n % 5) for n in range(40)]
    events += [socket(CHROME, n + 0.1, 45_000 + n, "203.0.113.9") for n in range(40)]
    events += [proxied(n, server="203.0.113.9") for n in range(0, 40, 3)]
    expected = joined(*events)
    assert [sum(one.basis == basis for one in expected) for basis in (FIVE_TUPLE, NO_CLIENT_PORT)] == [40, 14]
    for seed in range(5):
        random.Random(seed).shuffle(events)
        assert joined(*events) == expected


@pytest.mark.parametrize(("sent", "received", "upload"), [
    (4_096, 0, True), (4_095, 0, False), (100_000, 100_001, False), (100_000, 99_999, True)])
def test_what_looks_like_an_upload(sent: int, received: int, upload: bool) -> None:
    (found,) = joined(socket(REGASM, 10, 49712), conn(10, "C1", sent=sent, received=received))
    assert found.is_upload is upload


def test_many_records_alike_cost_no_time() -> None:
    """Thousands of sockets and records of one five-tuple, as an attacker can have made: asking each of each is slow."""
    many = range(3_000)
    events = [socket(REGASM, n / 100, 49712, record_id=n) for n in many]
    events += [socket(CHROME, n / 100, 49713, PROXY_HOST, 3128, record_id=n) for n in many]
    events += [conn(n / 100, f"C{n}", lasted=1_000) for n in many] + [proxied(n / 100) for n in many]
    kept = facts(*events)
    began = time.process_time()
    found = Flows(kept.pieces()).transfers(kept.sockets(b.HOST))
    assert len(found) == 2 * len(many)
    assert time.process_time() - began < 2, "9,000,000 comparisons take longer"


def test_a_connection_that_two_channels_recorded_is_one_process() -> None:
    twice = [socket(REGASM, 10, 49712, PROXY_HOST, 3128, shape=shape) for shape in ("sysmon", "security")]
    (found,) = joined(*twice, proxied(10.5))
    assert (found.basis, found.socket.pid) == (THROUGH_PROXY, 5008)
    both = joined(*(socket(REGASM, 10, 49712, shape=shape) for shape in ("sysmon", "security")), conn(10, "C1"))
    assert {one.socket.channel for one in both} == {b.SYSMON, b.SECURITY}
    assert (len(both), len({one.evidence for one in both})) == (2, 1)
