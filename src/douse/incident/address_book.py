"""Whose an address was at a time: the connections that endpoints recorded in, a host's name out.

    AddressBook(facts).host(address, time)    an alert from a network log is that host's

Addresses are given out anew, and every home network has the same few. So an address is a host's only while the records
before and after agree on it; between two hosts it is nobody's, unless one of them was there minutes ago, and where
hosts take turns with it, it is one that many have.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from douse.incident.addresses import address_of
from douse.incident.network_facts import NetworkFacts

ADDRESS_KEPT: Final = timedelta(hours=12)
"""How far from a record of a host an address is still taken for that host's."""
HANDED_OVER: Final = timedelta(minutes=5)
"""How far from a record of a host an address is still its own, although another host has it later or had it before."""


class _Stay(NamedTuple):
    """A host had an address from its first to its last record with it; no other host had it in between."""

    first: datetime
    last: datetime
    host: str


class AddressBook:
    """Who had which address when, learnt from the sockets of all hosts."""

    def __init__(self, facts: NetworkFacts) -> None:
        seen: defaultdict[str, list[tuple[datetime, str]]] = defaultdict(list)
        for host in facts.hosts():
            for socket in facts.sockets(host):
                seen[socket.source].append((socket.time, host))
        self._stays = {address: _stays(sorted(times)) for address, times in seen.items()}

    def host(self, address: str, time: datetime) -> str:
        """The host, in lower case, that had the address then; "" where none is known, or more than one may be it."""
        stays = self._stays.get(address_of(address), ())
        at = bisect_left(stays, time, key=lambda stay: stay.last)  # the first stay that is not over yet
        near = [stay for stay in stays[max(at - 2, 0):at + 3] if _distance(stay, time) <= ADDRESS_KEPT]
        hosts = {stay.host for stay in near}
        if len(hosts) == 1:
            return near[0].host
        if len(hosts) < len(near):
            return ""
        close = {stay.host for stay in near if _distance(stay, time) <= HANDED_OVER}
        return close.pop() if len(close) == 1 else ""


def _stays(seen: Iterable[tuple[datetime, str]]) -> list[_Stay]:
    stays: list[_Stay] = []
    for time, host in seen:
        if stays and stays[-1].host == host and time - stays[-1].last <= ADDRESS_KEPT:
            stays[-1] = stays[-1]._replace(last=time)
        else:
            stays.append(_Stay(time, time, host))
    return stays


def _distance(stay: _Stay, time: datetime) -> timedelta:
    return max(stay.first - time, time - stay.last, timedelta())
