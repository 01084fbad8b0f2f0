"""Evidence class O from connections: those of an endpoint that may have carried stolen data.

Rules on network logs can give the class too, for an upload that a sensor saw; they know no process.

Sysmon 3 and Security 5156 show that a connection was made, never how much went over it, so the wording is "possible
exfiltration (bytes unknown)" and the fidelity 0.7. Where it is certain that a sensor counted the bytes of that very
connection (network.py), an upload has 1.0 and a transfer too small to be data 0.4; what is not certain is told as such
and changes neither. A connection to a public address counts when its process, or one it
comes from, read a known credential store from 10 minutes before to 2 minutes after it (stealers send while they still
collect); or when its own process was injected into, or asked a dead drop, up to 10 minutes before. The destination of
the dead drop itself, and of the record that raised the alert, never count. Programs that cut the tree never count.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from douse.content.sequences import sequence
from douse.incident.entities import Actor, Destination, image_name
from douse.incident.facts import Connection
from douse.incident.link import Links
from douse.incident.marks import UPLOAD_FROM, WEAK_FACTOR, Mark, Outbound
from douse.incident.transfers import Carried, Transfer, connection_key, place_of

AFTER_CONTROL = timedelta(minutes=10)
LOOKUP_TO_CONNECT = timedelta(seconds=60)
FIDELITY = 0.7
UPLOAD_FIDELITY = 1.0
TOO_SMALL_FIDELITY = 0.4

Connections = dict[int, list[Connection]]
"""The connections of each process of the table, in time order."""


def by_process(connections: Iterable[Connection], links: Links) -> Connections:
    """Every connection under the process that made it; those of unknown processes are left out."""
    found: defaultdict[int, list[Connection]] = defaultdict(list)
    for connection in connections:
        index = links.table.find(Actor(connection.guid, connection.pid, connection.image), connection.time)
        if index is not None and not links.cuts(index, connection.time):
            found[index].append(connection)
    return found


def outbound_marks(marks: Sequence[Mark], processes: Iterable[int], connections: Connections,
                   links: Links, carried: Carried) -> list[Mark]:
    """The O marks of a group: for each process and destination the first connection after a read, else the first.

    `marks` are in time order.
    """
    reads: defaultdict[int, list[int]] = defaultdict(list)  # by number: marks are in time order already
    control: defaultdict[int, list[Mark]] = defaultdict(list)
    for number, mark in enumerate(marks):
        if mark.process is not None and mark.letter == "C" and mark.store:
            reads[mark.process].append(number)
        if mark.process is not None and (mark.letter == "I" or (mark.letter == "R" and mark.role == "dead-drop")):
            control[mark.process].append(mark)
    found: list[Mark] = []
    merged: dict[tuple[int, ...], list[Mark]] = {}  # thousands of children share the reads of one parent
    for process in processes:
        made = connections.get(process, [])
        if made:
            readers = tuple(origin for origin in links.lineage(process) if origin in reads)
            if readers not in merged:
                merged[readers] = [marks[number] for number in sorted(
                    number for origin in readers for number in reads[origin])]
            found += _of_process(process, made, merged[readers], sorted(control.get(process, []), key=_in_order),
                                 carried)
    return sorted(found, key=lambda mark: (mark.time, mark.process or 0))


def _of_process(process: int, made: Sequence[Connection], reads: Sequence[Mark],
                control: Sequence[Mark], carried: Carried) -> list[Mark]:
    if not reads and not control:
        return []
    led_from = [(mark, mark.placed.destination if mark.placed else None) for mark in control]
    dead_drops = _dead_drop_places(made, led_from)
    chosen: dict[tuple[str, int, str], Mark] = {}
    looked_at: dict[tuple[str, int, str], int] = {}
    for connection in made:
        to = place_of(connection.address, connection.port, connection.hostname)
        known = chosen.get(to)
        if connection.address in dead_drops or connection.hostname in dead_drops - {""}:
            continue
        if known is not None and known.outbound and known.outbound.after_read:
            continue
        read = _nearest(reads, connection.time)
        if read and (known is None or read.time <= connection.time):
            chosen[to] = _mark(process, connection, read, carried)
        elif known is None:
            led, looked_at[to] = _led_by(led_from, connection, looked_at.get(to, 0))
            if led:
                chosen[to] = _mark(process, connection, led, carried)
    return list(chosen.values())


def _mark(process: int, connection: Connection, cause: Mark, carried: Carried) -> Mark:
    what = {"C": "reading a credential store", "I": "signs of injection into this process"}.get(
        cause.letter, "asking a dead drop for an address")
    known = sequence("S5")
    once = {one.evidence: one for one in carried.get(connection_key(connection), ())
            if cause.time - known.ahead <= one.socket.time <= cause.time + known.window}
    seen = sorted(once.values(), key=lambda one: not one.certain)
    counted = [one for one in seen if one.certain]
    sent, received = (_total(getattr(one, what) for one in counted) for what in ("sent", "received"))
    partly = not all(one.certain and one.whole and one.sent is not None for one in seen)
    hostname = connection.hostname or next((one.hostname for one in counted if one.hostname), "")
    outbound = Outbound(connection.time, process, connection.address, hostname, connection.port,
                        connection.channel, connection.record_id, f"{_distance(connection.time, cause.time)} {what}",
                        cause.letter == "C" and cause.time <= connection.time, sent, received, partly,
                        "; ".join(_in_words(one) for one in seen[:3]))
    fidelity = UPLOAD_FIDELITY if outbound.is_upload else FIDELITY
    if sent is not None and sent < UPLOAD_FROM and not partly:
        fidelity = TOO_SMALL_FIDELITY
    return Mark(connection.time, "O", fidelity * (WEAK_FACTOR if cause.weak else 1.0), cause.weak, process,
                outbound=outbound)


def _in_words(transfer: Transfer) -> str:
    doubt = "" if transfer.certain else f"perhaps ({transfer.basis}): "
    channel, record = transfer.evidence[0]
    return f"{doubt}{transfer.words}, {channel} record {record}"


def _total(counts: Iterable[int | None]) -> int | None:
    known = [count for count in counts if count is not None]
    return sum(known) if known else None


def _distance(time: datetime, other: datetime) -> str:
    seconds = round(abs((time - other).total_seconds()))
    return f"{seconds} s {'after' if time >= other else 'before'}"


def _time(mark: Mark) -> datetime:
    return mark.time


def _in_order(mark: Mark) -> tuple[datetime, tuple[str, ...]]:
    return mark.time, mark.alert_ids


def _nearest(reads: Sequence[Mark], time: datetime) -> Mark | None:
    """The read nearest to a connection, of those that may have to do with it; the earlier one on a tie."""
    at = bisect_left(reads, time, key=_time)
    known = sequence("S5")
    near = [reads[at]] if at < len(reads) and reads[at].time <= time + known.ahead else []
    if at and reads[at - 1].time >= time - known.window:
        near.insert(0, reads[bisect_left(reads, reads[at - 1].time, key=_time)])
    return min(near, key=lambda mark: abs(mark.time - time), default=None)


def _led_by(control: Sequence[tuple[Mark, Destination | None]], connection: Connection,
            since: int) -> tuple[Mark | None, int]:
    """The latest sign of control before a connection, but not the connection that is such a sign itself.

    Signs before number `since` were looked at for this destination already; the second answer is where to begin next
    time. Else a process that asks one address thousands of times would cost the square of it.
    """
    end = at = bisect_right(control, connection.time, key=lambda sign: sign[0].time)
    while at > since and control[at - 1][0].time >= connection.time - AFTER_CONTROL:
        at -= 1
        mark, to = control[at]
        if to is None or not _goes_to(connection, to):
            return mark, since
    return None, end


def _goes_to(connection: Connection, to: Destination) -> bool:
    return connection.address in to.addresses or (bool(to.hostname) and connection.hostname == to.hostname)


def _dead_drop_places(made: Sequence[Connection], control: Sequence[tuple[Mark, Destination | None]]) -> set[str]:
    """Addresses and names of the dead drops a process asked. A look-up without an answer in the log hides the address:
    then the first connection within a minute is taken for it, so that reading a profile page is not called a theft."""
    places: set[str] = set()
    for mark, to in control:
        if to is None or mark.role != "dead-drop":
            continue
        places |= {*to.addresses, to.hostname}
        if not to.addresses:
            at = bisect_left(made, mark.time, key=lambda connection: connection.time)
            if at < len(made) and made[at].time <= mark.time + LOOKUP_TO_CONNECT:
                places.add(made[at].address)
    return places


def describe(outbound: Outbound, links: Links) -> str:
    """The connection in words, for the story."""
    process = links.table[outbound.process]
    seen = f"; seen on the network: {outbound.seen}" if outbound.seen else ""
    return f"{image_name(process.image) or 'a process'} connected to {outbound.destination}, {outbound.reason}{seen}"
