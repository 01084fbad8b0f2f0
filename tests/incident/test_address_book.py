"""Whose an address was: the one host that had it then, and nobody where it may have been two."""

from __future__ import annotations

import pytest

import builders as b
from douse.incident.address_book import AddressBook
from incident.sensors import CLIENT, REGASM, facts, socket

HOST = b.HOST.lower()
HOUR = 3600


def book(*seen: tuple[float, str], more: tuple[b.Event, ...] = ()) -> AddressBook:
    """What is learnt of an address that these hosts had at these seconds."""
    return AddressBook(facts(*(socket(REGASM, seconds, 1, host=host) for seconds, host in seen), *more))


def test_the_only_host_with_an_address() -> None:
    found = book((0, b.HOST), more=(socket(REGASM, 5, 3, host="WS-03", source="10.0.0.16"),))
    assert [found.host(CLIENT, b.at(seconds)) for seconds in (-11 * HOUR, 0, 11 * HOUR)] == [HOST] * 3
    assert [found.host(CLIENT, b.at(seconds)) for seconds in (-13 * HOUR, 13 * HOUR)] == ["", ""]
    assert found.host("::ffff:10.0.0.16", b.at(0)) == "ws-03"
    assert [found.host(address, b.at(0)) for address in ("10.0.0.17", "x", "")] == ["", "", ""]


def test_an_address_that_was_given_to_another_host_is_nobodys_in_between() -> None:
    found = book((0, b.HOST), (HOUR, b.HOST), (3 * HOUR, "WS-02"), (4 * HOUR, "WS-02"))
    asked = (-60, 0.5 * HOUR, HOUR + 200, HOUR + 400, 2 * HOUR, 3 * HOUR - 200, 3.5 * HOUR, 5 * HOUR, 14 * HOUR)
    assert [found.host(CLIENT, b.at(seconds)) for seconds in asked] == [
        HOST, HOST, HOST, "", "", "ws-02", "ws-02", "", "ws-02"]


@pytest.mark.parametrize("turns", [(0, HOUR, 2 * HOUR), (0, 30, 60)])
def test_an_address_with_which_hosts_take_turns_is_nobodys(turns: tuple[float, ...]) -> None:
    """Two laptops at home, both 192.168.1.10."""
    found = book(*((seconds, host) for seconds, host in zip(turns, (b.HOST, "WS-02", b.HOST), strict=True)))
    assert [found.host(CLIENT, b.at(seconds)) for seconds in turns] == ["", "", ""]


def test_two_hosts_with_one_address_at_one_time() -> None:
    found = book((0, b.HOST), (0, "WS-02"))
    assert found.host(CLIENT, b.at(0)) == ""
