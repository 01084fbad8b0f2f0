"""The connections and sensor records that a hunt keeps for the network join: bounded, mergeable, in any order.

Everything is keyed by content, so reading a record twice, in another order or in another worker (`merge`) changes
nothing. Over LIMITS the newest are kept and `trimmed` is set. Bytes kept, measured with tracemalloc on CPython 3.11:
660 for a socket, 720 for a piece, and up to a quarter more than the bound before the oldest go: at most 41 MB a host
and 225 MB for all sensors. What a record tells: network_records.py. How they are joined: network.py.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

from douse.incident.network_records import PIECES, SOCKETS, Piece, Socket, piece_of, socket_of
from douse.incident.newest import Key, Newest
from douse.model import Event, Interest

LIMITS: Final = {"sockets": 50_000, "pieces": 250_000}
"""How many sockets one host, and how many pieces all sensors together may keep."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_INTERESTS: Final = SOCKETS | PIECES


class NetworkFacts:
    """Sockets by host, and the pieces of all sensors. Plain data: it can be pickled from one worker to another."""

    def __init__(self) -> None:
        self._sockets: dict[str, Newest[Socket]] = {}
        self._pieces: Newest[Piece] = Newest(LIMITS["pieces"])

    def observe(self, event: Event) -> None:
        """Keep what the event says about a connection; events of other kinds are ignored."""
        kind = event.channel.lower(), event.event_id
        if kind not in _INTERESTS:  # most records: one look-up is all they cost
            return
        if (socket := socket_of(event)) is not None:
            kept = self._sockets.setdefault(event.host.lower(), Newest(LIMITS["sockets"]))
            kept.add(_key(socket.time, socket.channel, socket.record_id, socket.source, socket.source_port), socket)
        elif (piece := piece_of(event)) is not None:
            self._pieces.add(_key(piece.start, piece.channel, piece.record_id), piece)

    def merge(self, other: NetworkFacts) -> None:
        """Take in what another reader of the same hunt has seen."""
        for host, sockets in other._sockets.items():
            self._sockets.setdefault(host, Newest(LIMITS["sockets"])).merge(sockets)
        self._pieces.merge(other._pieces)

    def hosts(self) -> tuple[str, ...]:
        """The hosts that have sockets, in lower case."""
        return tuple(sorted(self._sockets))

    def sockets(self, host: str) -> tuple[Socket, ...]:
        """The sockets of a host (any case), in time order."""
        kept = self._sockets.get(host.lower())
        return kept.in_order() if kept else ()

    def pieces(self) -> tuple[Piece, ...]:
        """All pieces, in time order."""
        return self._pieces.in_order()

    @property
    def trimmed(self) -> bool:
        """Whether older facts had to be forgotten."""
        return self._pieces.trimmed or any(kept.trimmed for kept in self._sockets.values())


def _key(time: datetime, *parts: object) -> Key:
    return (time - _EPOCH) // timedelta(seconds=1), parts


def interests() -> frozenset[Interest]:
    """The records that `observe` keeps something of."""
    return _INTERESTS
