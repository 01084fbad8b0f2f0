"""What is kept for the network join does not depend on order, repetition or workers, and is bounded."""

from __future__ import annotations

import pickle
import random

import pytest

from douse.incident import network_facts
from douse.incident.network_facts import NetworkFacts, interests
from incident.sensors import CHROME, REGASM, conn, facts, proxied, socket, zeek

EVENTS = [socket(REGASM, 1, 49712), socket(CHROME, 2, 49713, host="WS-02"), conn(1.2, "C1"), proxied(3),
          zeek("ssl", 1.3, "C1", server_name="c2.example"), zeek("http", 1.4, "C2", host="a.example", method="GET")]


def test_what_it_asks_for() -> None:
    assert interests() == {
        ("microsoft-windows-sysmon/operational", 3), ("security", 5156), ("mde/devicenetworkevents", 3),
        ("zeek/conn", 0), ("zeek/http", 0), ("zeek/ssl", 0), ("proxy/access", 0), ("firewall/traffic", 0)}


def test_order_repetition_and_workers_change_nothing() -> None:
    expected = facts(*EVENTS)
    assert expected.hosts() == ("ws-01.corp.example", "ws-02")
    assert (len(expected.pieces()), len(expected.sockets("WS-02"))) == (4, 1)
    for seed in range(10):
        mixed = EVENTS * 2
        random.Random(seed).shuffle(mixed)
        first, second = facts(*mixed[:seed]), facts(*mixed[seed:])
        merged = NetworkFacts()
        for part in (first, second):
            merged.merge(pickle.loads(pickle.dumps(part)))
        assert merged.pieces() == expected.pieces()
        assert merged.hosts() == expected.hosts()
        assert all(merged.sockets(host) == expected.sockets(host) for host in merged.hosts())
        assert not merged.trimmed


def test_over_the_bound_the_newest_stay_in_any_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network_facts, "LIMITS", {"sockets": 5, "pieces": 7})
    events = [socket(REGASM, n, 40_000 + n, record_id=n) for n in range(40)] + [conn(n, f"C{n}") for n in range(40)]
    kept = []
    for seed in range(5):
        random.Random(seed).shuffle(events)
        found = facts(*events)
        kept.append((found.sockets("ws-01.corp.example"), found.pieces()))
        assert found.trimmed
    assert all(one == kept[0] for one in kept)
    assert [socket.source_port for socket in kept[0][0]] == list(range(40_035, 40_040))
    assert [piece.uid for piece in kept[0][1]] == [f"C{n}" for n in range(33, 40)]


def test_nothing_is_known_of_a_host_nobody_saw() -> None:
    assert (facts().sockets("x"), facts().pieces(), facts().trimmed) == ((), (), False)
