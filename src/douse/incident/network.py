"""What the network saw of a process's connections: endpoint sockets and sensors' records in, joined Transfers out.

    flows = Flows(facts.pieces(), skew)              the pieces of one conversation together, once for all hosts
    flows.transfers(facts.sockets(host))             what each connection of a host carried: bytes, host name, method
    AddressBook(facts).host(address, time)           whose address it was: an alert from a network log is that host's

A socket and a conversation are the same if addresses, ports and protocol are equal and the socket's time lies in the
conversation's life, give or take the clock skew. The same five with times further apart, up to FURTHEST_CLOCK, are
taken for two clocks that differ: joined, and not `certain`. A log without the client's port joins by client, server
and time; a request to an explicit proxy is joined to a process only where it alone had lately made a connection to
one. Neither is certain. Behind an address translation nothing joins: the client has another address there.
All is pure and independent of order. What is kept, and how much of it: network_facts.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from douse.incident.facts import Connection
from douse.incident.marks import UPLOAD_FROM
from douse.incident.network_facts import NetworkFacts
from douse.incident.network_records import CONN, PROXY_ACCESS, PROXY_PORTS, Piece, Socket, address_of

CLOCK_SKEW: Final = timedelta(seconds=2)
FURTHEST_CLOCK: Final = timedelta(minutes=15)
KEEP_ALIVE: Final = timedelta(seconds=60)
"""How long after it was made a connection to a proxy may still carry requests."""
ADDRESS_KEPT: Final = timedelta(hours=12)
"""How far from a record of a host an address is still taken for that host's."""

FIVE_TUPLE, OTHER_CLOCK, NO_CLIENT_PORT, THROUGH_PROXY = (
    "five-tuple", "five-tuple, other clock", "no client port", "through proxy")
"""What a Transfer was joined by, the surest first."""


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a connection carried, as a sensor saw it. Bytes are None where no log says; `offset` is how much later the
    sensor's clock has its start; `evidence` is the sensor's records, by channel and record id."""

    socket: Socket
    sent: int | None
    received: int | None
    hostname: str
    methods: tuple[str, ...]
    offset: timedelta
    basis: str
    evidence: tuple[tuple[str, int], ...]

    @property
    def certain(self) -> bool:
        """Whether there is no doubt that sensor and endpoint tell of the same connection."""
        return self.basis == FIVE_TUPLE

    @property
    def is_upload(self) -> bool:
        """Whether more was sent than received, and enough to be data."""
        return self.sent is not None and self.sent >= UPLOAD_FROM and self.sent > (self.received or 0)

    @property
    def words(self) -> str:
        """`POST, 20,480 bytes sent, 507 received, to exfil.example`, for the story. Evidence text in it is raw."""
        parts = ("/".join(self.methods), "" if self.sent is None else f"{self.sent:,} bytes sent",
                 "" if self.received is None else f"{self.received:,} received",
                 f"to {self.hostname}" if self.hostname else "")
        return ", ".join(part for part in parts if part)


@dataclass(slots=True)
class _Conversation:
    """All pieces of one conversation."""

    pieces: list[Piece]
    start: datetime = field(init=False)
    end: datetime = field(init=False)

    def __post_init__(self) -> None:
        self.pieces.sort()
        self.start = self.pieces[0].start
        self.end = max(piece.end for piece in self.pieces)

    def transfer(self, socket: Socket, basis: str) -> Transfer:
        """What the conversation carried, as that of a socket."""
        sent, received = self._bytes()
        records = sorted(self.pieces, key=lambda piece: piece.channel != CONN)  # what counts the bytes comes first
        return Transfer(
            socket, sent, received, next((piece.hostname for piece in self.pieces if piece.hostname), ""),
            tuple(dict.fromkeys(piece.method for piece in self.pieces if piece.method)), self.start - socket.time,
            basis, tuple((piece.channel, piece.record_id) for piece in records))

    def _bytes(self) -> tuple[int | None, int | None]:
        """Of the whole connection where a record counts it, else the sum of its requests, each of them once."""
        whole = [piece for piece in self.pieces if piece.channel == CONN]
        if whole:
            return _known([max(piece.sent for piece in whole)]), _known([max(piece.received for piece in whole)])
        requests = {(piece.start, piece.method, piece.hostname, piece.sent, piece.received) for piece in self.pieces}
        return _known([one[3] for one in requests]), _known([one[4] for one in requests])


class Flows:
    """The conversations of all sensors, to be asked host by host. `skew` is how far two clocks may differ."""

    def __init__(self, pieces: Iterable[Piece], skew: timedelta = CLOCK_SKEW) -> None:
        self._skew = skew
        self._requests: defaultdict[str, list[_Conversation]] = defaultdict(list)
        by_five: defaultdict[object, list[_Conversation]] = defaultdict(list)
        by_four: defaultdict[object, list[_Conversation]] = defaultdict(list)
        for talk in _conversations(pieces):
            first = next((piece for piece in talk.pieces if piece.channel == CONN), talk.pieces[0])
            to = first.client, first.server, first.port, first.protocol
            if first.server and first.client_port:
                by_five[(*to, first.client_port)].append(talk)
            elif first.server:
                by_four[to].append(talk)
            if first.channel == PROXY_ACCESS:
                self._requests[first.client].append(talk)
        self._by_five = {key: _Timeline(talks) for key, talks in by_five.items()}
        self._by_four = {key: _Timeline(talks) for key, talks in by_four.items()}

    def transfers(self, sockets: Iterable[Socket]) -> tuple[Transfer, ...]:
        """What the connections of one host carried, in their order; one that no sensor saw has none. A connection that
        two channels recorded (Sysmon 3 and 5156) has two, with the same evidence."""
        made = sorted(sockets)
        found = [transfer for socket in made if (transfer := self._of_five(socket)) is not None]
        joined = {transfer.socket for transfer in found}
        found += self._of_four([socket for socket in made if socket not in joined])
        told = {record for transfer in found for record in transfer.evidence}
        found += self._through_proxy([socket for socket in made if socket.port in PROXY_PORTS], told)
        return tuple(sorted(found, key=lambda one: (one.socket, one.offset, one.evidence)))

    def _of_five(self, socket: Socket) -> Transfer | None:
        line = self._by_five.get((socket.source, socket.address, socket.port, socket.protocol, socket.source_port))
        talk = line.around(socket.time, self._skew) if line else None
        if talk is None:
            return None
        if talk.start - self._skew <= socket.time <= talk.end + self._skew:
            return talk.transfer(socket, FIVE_TUPLE)
        return talk.transfer(socket, OTHER_CLOCK) if abs(talk.start - socket.time) <= FURTHEST_CLOCK else None

    def _of_four(self, sockets: Iterable[Socket]) -> list[Transfer]:
        """Conversations without the client's port; one that several sockets could have had is the nearest's."""
        claims: dict[int, Transfer] = {}
        for socket in sockets:
            line = self._by_four.get((socket.source, socket.address, socket.port, socket.protocol))
            talk = line.around(socket.time, self._skew) if line else None
            if talk is None or not talk.start - self._skew <= socket.time <= talk.end + self._skew:
                continue
            claim, other = talk.transfer(socket, NO_CLIENT_PORT), claims.get(id(talk))
            if other is None or abs(claim.offset) < abs(other.offset):
                claims[id(talk)] = claim
        return list(claims.values())

    def _through_proxy(self, sockets: Iterable[Socket], told: set[tuple[str, int]]) -> list[Transfer]:
        """Requests to a proxy, where only one process of the client had lately made a connection to one."""
        found: list[Transfer] = []
        by_source: defaultdict[str, list[Socket]] = defaultdict(list)
        for socket in sockets:
            by_source[socket.source].append(socket)
        for source, made in by_source.items():
            times, runs = [socket.time for socket in made], _runs(made)
            for talk in self._requests.get(source, ()):
                low = bisect_left(times, talk.start - KEEP_ALIVE)
                high = bisect_right(times, talk.start + self._skew)
                record = talk.pieces[0].channel, talk.pieces[0].record_id
                if high > low and runs[high - 1] <= low and record not in told:
                    found.append(talk.transfer(made[high - 1], THROUGH_PROXY))
        return found


Carried = Mapping[tuple[object, ...], Sequence[Transfer]]
"""Transfers by process, address and port, as `connection_key` names them, in time order."""


def carried_by(transfers: Iterable[Transfer]) -> Carried:
    """What sensors saw, to be asked connection by connection."""
    found: defaultdict[tuple[object, ...], list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        socket = transfer.socket
        found[socket.process, socket.address, socket.port].append(transfer)
    return found


def connection_key(connection: Connection) -> tuple[object, ...]:
    """Under which `carried_by` has a connection's transfers."""
    return connection.pid or connection.guid, connection.address, connection.port


def through_proxy(transfers: Iterable[Transfer]) -> list[Connection]:
    """Requests to a proxy as the connections they stand for: the endpoint's own record shows the proxy alone."""
    return [Connection(one.socket.time, one.socket.pid, one.socket.guid, one.socket.image, one.socket.address,
                       one.hostname, one.socket.port, *one.evidence[0])
            for one in transfers if one.basis == THROUGH_PROXY]


class AddressBook:
    """Whose an address was at a time, learnt from the sockets of all hosts: addresses are given out anew."""

    def __init__(self, facts: NetworkFacts) -> None:
        seen: defaultdict[str, set[tuple[datetime, str]]] = defaultdict(set)
        for host in facts.hosts():
            for socket in facts.sockets(host):
                seen[socket.source].add((socket.time, host))
        self._seen = {address: sorted(times) for address, times in seen.items()}

    def host(self, address: str, time: datetime) -> str:
        """The host, in lower case, whose record with this address is nearest in time; "" where none is near."""
        seen = self._seen.get(address_of(address), [])
        at = bisect_left(seen, (time, ""))
        near = [(abs(seen[place][0] - time), seen[place][1]) for place in (at - 1, at) if 0 <= place < len(seen)]
        distance, host = min(near, default=(timedelta.max, ""))
        return host if distance <= ADDRESS_KEPT else ""


class _Timeline:
    """Conversations between the same ends, by their start. With all five of them equal, no two are at one time."""

    def __init__(self, talks: list[_Conversation]) -> None:
        self._talks = sorted(talks, key=lambda talk: (talk.start, talk.pieces))
        self._starts = [talk.start for talk in self._talks]

    def around(self, time: datetime, skew: timedelta) -> _Conversation | None:
        """The latest to have begun if it still lives at that time, else the one whose start is nearest."""
        at = bisect_right(self._starts, time + skew)
        before, after = self._talks[at - 1] if at else None, self._talks[at] if at < len(self._talks) else None
        if before is None or after is None or time <= before.end + skew:
            return before or after
        return before if time - before.start <= after.start - time else after


def _conversations(pieces: Iterable[Piece]) -> list[_Conversation]:
    """Pieces with one uid are one conversation; a piece without is one of its own."""
    found: defaultdict[tuple[object, ...], list[Piece]] = defaultdict(list)
    for piece in pieces:
        key = (piece.uid, piece.client) if piece.uid else (piece.channel, piece.record_id, piece.client)
        found[key].append(piece)
    return [_Conversation(parts) for parts in found.values()]


def _runs(sockets: Sequence[Socket]) -> list[int]:
    """For each socket, where the run of sockets of its process begins."""
    starts = [0]
    for at, (one, following) in enumerate(pairwise(sockets), start=1):
        starts.append(starts[-1] if one.process == following.process else at)
    return starts


def _known(counts: Iterable[int]) -> int | None:
    """The sum of the counts that are known, None where none is."""
    known = [count for count in counts if count >= 0]
    return sum(known) if known else None
