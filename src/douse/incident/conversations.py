"""The records of sensors that tell of one conversation, put together: Pieces in, Conversations out, asked by time.

Zeek's records of a connection share a uid: conn.log counts the bytes of all of it, http.log those of each request,
ssl.log and http.log know the server's name. A record of a proxy or a firewall is a conversation of its own. What they
are for: network.py.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from douse.incident.network_records import CONN, Piece


@dataclass(slots=True, eq=False)
class Conversation:
    """All pieces of one conversation, and what they say together."""

    pieces: list[Piece]
    start: datetime = field(init=False)
    end: datetime = field(init=False)
    sent: int | None = field(init=False)
    received: int | None = field(init=False)
    hostname: str = field(init=False)
    methods: tuple[str, ...] = field(init=False)
    evidence: tuple[tuple[str, int], ...] = field(init=False)

    def __post_init__(self) -> None:
        self.pieces.sort()
        self.start = self.pieces[0].start
        self.end = max(piece.end for piece in self.pieces)
        self.sent, self.received = self._bytes()
        self.hostname = next((piece.hostname for piece in self.pieces if piece.hostname), "")
        self.methods = tuple(dict.fromkeys(piece.method for piece in self.pieces if piece.method))
        records = sorted(self.pieces, key=lambda piece: piece.channel != CONN)  # what counts the bytes comes first
        self.evidence = tuple((piece.channel, piece.record_id) for piece in records)

    @property
    def first(self) -> Piece:
        """The piece that says between whom it was."""
        return next((piece for piece in self.pieces if piece.channel == CONN), self.pieces[0])

    def lives(self, time: datetime, skew: timedelta) -> bool:
        """Whether it can be of that time."""
        return self.start - skew <= time <= self.end + skew

    def _bytes(self) -> tuple[int | None, int | None]:
        """Of the whole connection where a record counts it, else the sum of its requests, each of them once."""
        whole = [piece for piece in self.pieces if piece.channel == CONN]
        if whole:
            return _known([max(piece.sent for piece in whole)]), _known([max(piece.received for piece in whole)])
        requests = {(piece.start, piece.method, piece.hostname, piece.sent, piece.received) for piece in self.pieces}
        return _known([one[3] for one in requests]), _known([one[4] for one in requests])


class Timeline:
    """Conversations between the same ends, by their start. With all five of them equal, no two are at one time."""

    def __init__(self, talks: list[Conversation]) -> None:
        self._talks = sorted(talks, key=lambda talk: (talk.start, talk.pieces))
        self._starts = [talk.start for talk in self._talks]

    def around(self, time: datetime, skew: timedelta) -> Conversation | None:
        """The latest to have begun if it still lives at that time, else the one whose start is nearest."""
        at = bisect_right(self._starts, time + skew)
        before, after = self._talks[at - 1] if at else None, self._talks[at] if at < len(self._talks) else None
        if before is None or after is None or time <= before.end + skew:
            return before or after
        return before if time - before.start <= after.start - time else after


def conversations(pieces: Iterable[Piece]) -> list[Conversation]:
    """Pieces with one uid and the same ends are one conversation; a piece without uid is one of its own."""
    found: defaultdict[tuple[object, ...], list[Piece]] = defaultdict(list)
    for piece in pieces:
        ends = piece.client, piece.client_port, piece.server, piece.port
        key = (piece.uid, *ends) if piece.uid else (piece.channel, piece.record_id, piece.client)
        found[key].append(piece)
    return [Conversation(parts) for parts in found.values()]


def _known(counts: Iterable[int]) -> int | None:
    """The sum of the counts that are known, None where none is."""
    known = [count for count in counts if count >= 0]
    return sum(known) if known else None
