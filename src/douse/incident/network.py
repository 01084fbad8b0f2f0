"""What the network saw of a process's connections: endpoint sockets and sensors' records in, joined Transfers out.

    flows = Flows(facts.pieces(), skew)              the pieces of one conversation together, once for all hosts
    flows.transfers(facts.sockets(host))             what each connection of a host carried: bytes, host name, method

A wrong join is worse than a missing one: it would say of an innocent upload that a thief made it.

- *Five-tuple*: addresses, ports and protocol are equal, and the socket's time lies in the conversation's life, give or
  take the clock skew. Certain. What several sensors saw of it is put together.
- *Other clock*: the same five up to FURTHEST_CLOCK apart, where no connection of the host is joined at its time and
  most are apart by the same. Certain if two agree; a single one may be a port that was used again.
- *No client port*: a log without it is joined to the process that made a connection to that server at that moment, if
  no other process had made one for KEEP_ALIVE. Not certain, as the endpoint may not record what browsers do.
- *Through a proxy*: the same with connections to a proxy inside the network, whatever server it was asked for.

Behind an address translation nothing joins: the client has another address there. All is pure and independent of
order. What is kept, and how much of it: network_facts.py. What a Transfer is: transfers.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from douse.incident.addresses import is_public
from douse.incident.conversations import Conversation, Timeline, conversations
from douse.incident.network_records import PROXY_ACCESS, PROXY_PORTS, Piece, Socket
from douse.incident.transfers import (
    FIVE_TUPLE,
    NO_CLIENT_PORT,
    ONE_STORY,
    OTHER_CLOCK,
    THROUGH_PROXY,
    TIME_APART,
    Transfer,
)

CLOCK_SKEW: Final = timedelta(seconds=2)
FURTHEST_CLOCK: Final = timedelta(minutes=15)
STEADY: Final = timedelta(seconds=5)
"""How much the distance of two clocks may seem to vary, because an endpoint writes its record a moment later."""
FIRST_REQUEST: Final = timedelta(seconds=3)
"""How far from the making of a connection its first request is written, besides the clock skew."""
KEEP_ALIVE: Final = timedelta(minutes=10)
"""How long a connection may carry requests; browsers keep theirs for five minutes."""

_SENSORS: Final = ("Zeek", "Firewall", "Proxy")
"""Whose word counts first, where several saw a connection: how their channels begin."""


class Flows:
    """The conversations of all sensors, to be asked host by host. `skew` is how far two clocks may differ."""

    def __init__(self, pieces: Iterable[Piece], skew: timedelta = CLOCK_SKEW) -> None:
        self._skew = skew
        self._requests: defaultdict[str, list[Conversation]] = defaultdict(list)
        self._by_four: defaultdict[tuple[object, ...], list[Conversation]] = defaultdict(list)
        by_five: dict[str, defaultdict[tuple[object, ...], list[Conversation]]] = {
            sensor: defaultdict(list) for sensor in _SENSORS}
        for talk in conversations(pieces):
            first = talk.first
            if first.server and first.client_port:
                sensor = first.channel.partition("/")[0].capitalize()
                by_five[sensor][*_four(first), first.client_port].append(talk)
            elif first.server:
                self._by_four[_four(first)].append(talk)
            if first.channel == PROXY_ACCESS:
                self._requests[first.client].append(talk)
        self._by_five = {sensor: {key: Timeline(talks) for key, talks in found.items()}
                         for sensor, found in by_five.items()}

    def transfers(self, sockets: Iterable[Socket]) -> tuple[Transfer, ...]:
        """What the connections of one host carried, in their order; one that no sensor saw has none. A connection that
        two channels recorded (Sysmon 3 and 5156) has two, with the same evidence."""
        made = sorted(sockets)
        found = list(self._of_five(made))
        joined = {transfer.socket for transfer in found}
        found += self._of_four(made, joined)
        told = {record for transfer in found for record in transfer.evidence}
        found += self._through_proxy(made, told)
        unseen = _Unseen(set(made) - {transfer.socket for transfer in found})
        found = [replace(one, whole=False) if unseen.near(one.socket) else one for one in found]
        return tuple(sorted(found, key=lambda one: (one.socket, one.offset, one.evidence)))

    def _of_five(self, made: Sequence[Socket]) -> Iterator[Transfer]:
        """Joins by all five, at their time or, sensor by sensor, over another clock."""
        at_its_time: defaultdict[Socket, list[Conversation]] = defaultdict(list)
        apart: dict[str, list[tuple[Socket, Conversation]]] = {}
        for sensor, lines in self._by_five.items():
            found = [(socket, talk) for socket in made if (line := lines.get(_five(socket))) is not None
                     and (talk := line.around(socket.time, self._skew)) is not None]
            alive = [(socket, talk) for socket, talk in found if talk.lives(socket.time, self._skew)]
            for socket, talk in alive:
                at_its_time[socket].append(talk)
            if not alive:  # else the clocks are right, and what is far apart is another connection
                apart[sensor] = [(socket, talk) for socket, talk in found
                                 if abs(talk.start - socket.time) <= FURTHEST_CLOCK]
        for socket, talks in at_its_time.items():
            yield _transfer(socket, talks, FIVE_TUPLE)
        for pairs in apart.values():
            yield from self._by_other_clock([pair for pair in pairs if pair[0] not in at_its_time])

    def _by_other_clock(self, pairs: Sequence[tuple[Socket, Conversation]]) -> Iterator[Transfer]:
        """Those of the pairs that are about as far apart as most of them are."""
        offsets = sorted(talk.start - socket.time for socket, talk in pairs)
        if not offsets:
            return
        usual, near = offsets[len(offsets) // 2], self._skew + STEADY
        alike = [(socket, talk) for socket, talk in pairs if abs(talk.start - socket.time - usual) <= near]
        if 2 * len(alike) <= len(pairs):
            return
        basis = OTHER_CLOCK if len({id(talk) for _, talk in alike}) > 1 else TIME_APART
        for socket, talk in alike:
            yield _transfer(socket, [talk], basis)

    def _of_four(self, made: Sequence[Socket], joined: set[Socket]) -> Iterator[Transfer]:
        """Conversations without the client's port."""
        by_ends: defaultdict[tuple[object, ...], list[Socket]] = defaultdict(list)
        for socket in made:
            by_ends[_five(socket)[:-1]].append(socket)
        for ends, sockets in by_ends.items():
            for socket, talk in self._requests_of(sockets, self._by_four.get(ends, ())):
                if socket not in joined:
                    yield _transfer(socket, [talk], NO_CLIENT_PORT)

    def _through_proxy(self, made: Iterable[Socket], told: set[tuple[str, int]]) -> Iterator[Transfer]:
        """Requests to a proxy that lies inside the network."""
        by_source: defaultdict[str, list[Socket]] = defaultdict(list)
        for socket in made:
            if socket.port in PROXY_PORTS and not is_public(socket.address):
                by_source[socket.source].append(socket)
        for source, sockets in by_source.items():
            for socket, talk in self._requests_of(sockets, self._requests.get(source, ())):
                if talk.evidence[0] not in told:
                    yield _transfer(socket, [talk], THROUGH_PROXY)

    def _requests_of(self, sockets: Sequence[Socket],
                     talks: Iterable[Conversation]) -> Iterator[tuple[Socket, Conversation]]:
        """Each conversation with the socket that was made for it, if one process alone can have begun it."""
        crowd, near = _Crowd(sockets), self._skew + FIRST_REQUEST
        for talk in talks:
            socket = crowd.only(talk.start, talk.start - KEEP_ALIVE, talk.start + near)
            if socket is not None and abs(socket.time - talk.start) <= near:
                yield socket, talk


def _transfer(socket: Socket, talks: Sequence[Conversation], basis: str) -> Transfer:
    """What conversations of different sensors say of one socket; the first that counts bytes is believed."""
    counted = next((talk for talk in talks if talk.sent is not None), talks[0])
    others = [talk for talk in talks if talk is not counted]
    return Transfer(
        socket, counted.sent, counted.received, next((talk.hostname for talk in talks if talk.hostname), ""),
        tuple(dict.fromkeys(method for talk in talks for method in talk.methods)), counted.start - socket.time, basis,
        counted.evidence + tuple(record for talk in others for record in talk.evidence) if others else counted.evidence)


class _Unseen:
    """Sockets that no sensor saw, to be asked whether one went where another did, about when it did."""

    def __init__(self, sockets: Iterable[Socket]) -> None:
        self._times: defaultdict[tuple[object, ...], list[datetime]] = defaultdict(list)
        for socket in sorted(sockets):
            self._times[socket.process, socket.address, socket.port].append(socket.time)

    def near(self, socket: Socket) -> bool:
        times = self._times.get((socket.process, socket.address, socket.port), ())
        at = bisect_left(times, socket.time - ONE_STORY)
        return at < len(times) and times[at] <= socket.time + ONE_STORY


class _Crowd:
    """Sockets in time order, to be asked whether one process alone made all of some while."""

    def __init__(self, sockets: Sequence[Socket]) -> None:
        self._sockets = sockets
        self._times = [socket.time for socket in sockets]
        self._runs = [0]  # for each socket, where the run of sockets of its process begins
        for at, (one, following) in enumerate(pairwise(sockets), start=1):
            self._runs.append(self._runs[-1] if one.process == following.process else at)

    def only(self, time: datetime, since: datetime, until: datetime) -> Socket | None:
        """Of the sockets between two times the nearest to `time`; None where there is none or they are several's."""
        low, high = bisect_left(self._times, since), bisect_right(self._times, until)
        if high <= low or self._runs[high - 1] > low:
            return None
        at = bisect_left(self._times, time, low, high)
        near = [place for place in (at - 1, at) if low <= place < high]
        return self._sockets[min(near, key=lambda place: abs(self._times[place] - time))]


def _four(piece: Piece) -> tuple[object, ...]:
    return piece.client, piece.server, piece.port, piece.protocol


def _five(socket: Socket) -> tuple[object, ...]:
    return socket.source, socket.address, socket.port, socket.protocol, socket.source_port
