"""What a connection of a process carried, as sensors saw it, and how a process's connections are asked for it.

network.py makes Transfers, outbound.py asks what they say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from douse.incident.addresses import is_public
from douse.incident.facts import Connection
from douse.incident.marks import UPLOAD_FROM
from douse.incident.network_records import Socket

ONE_STORY: Final = timedelta(minutes=12)
"""How far apart two connections of one theft may be, from before the first read to after the last (outbound.py)."""
FIVE_TUPLE, OTHER_CLOCK, TIME_APART, NO_CLIENT_PORT, THROUGH_PROXY = (
    "five-tuple", "five-tuple, other clock", "five-tuple, time apart", "no client port", "through proxy")
"""What a Transfer was joined by, the surest first."""
_CERTAIN: Final = frozenset({FIVE_TUPLE, OTHER_CLOCK})


@dataclass(frozen=True, slots=True)
class Transfer:
    """What a connection carried, as sensors saw it. Bytes are None where no log says; `offset` is how much later the
    sensor's clock has its start; `evidence` is the sensors' records, by channel and record id, what counts first.
    `whole` says that sensors saw all connections that the process made to there within ONE_STORY."""

    socket: Socket
    sent: int | None
    received: int | None
    hostname: str
    methods: tuple[str, ...]
    offset: timedelta
    basis: str
    evidence: tuple[tuple[str, int], ...]
    whole: bool = True

    @property
    def certain(self) -> bool:
        """Whether there is no doubt that sensor and endpoint tell of the same connection."""
        return self.basis in _CERTAIN

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
        return ", ".join(part for part in parts if part) or "a connection, its bytes not counted"


Carried = Mapping[tuple[object, ...], Sequence[Transfer]]
"""Transfers by what `connection_key` names, in time order."""


def carried_by(transfers: Iterable[Transfer]) -> Carried:
    """What sensors saw, to be asked connection by connection."""
    found: defaultdict[tuple[object, ...], list[Transfer]] = defaultdict(list)
    for transfer in transfers:
        socket = transfer.socket
        found[socket.process, *place_of(socket.address, socket.port, transfer.hostname)].append(transfer)
    return found


def connection_key(connection: Connection) -> tuple[object, ...]:
    """Under which `carried_by` has a connection's transfers."""
    return (connection.pid or connection.guid,
            *place_of(connection.address, connection.port, connection.hostname))


def place_of(address: str, port: int, hostname: str) -> tuple[str, int, str]:
    """Where a connection goes to: behind a proxy inside the network lies every name that it was asked for."""
    return address, port, "" if is_public(address) else hostname


def through_proxy(transfers: Iterable[Transfer]) -> list[Connection]:
    """Requests to a proxy as the connections they stand for: the endpoint's own record shows the proxy alone."""
    return [Connection(one.socket.time, one.socket.pid, one.socket.guid, one.socket.image, one.socket.address,
                       one.hostname, one.socket.port, *one.evidence[0])
            for one in transfers if one.basis == THROUGH_PROXY]
