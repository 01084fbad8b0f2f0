"""Evidence class O, which no rule can give: connections that may have carried stolen data.

Sysmon 3 and Security 5156 show that a connection was made, never how much went over it, so the wording is "possible
exfiltration (bytes unknown)" and the fidelity 0.7. A connection to a public address counts when its process, or one it
comes from, read a known credential store from 10 minutes before to 2 minutes after it (stealers send while they still
collect); or when its own process was injected into, or asked a dead drop, up to 10 minutes before. The destination of
the dead drop itself, and of the record that raised the alert, never count. Programs that cut the tree never count.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from douse.incident.entities import Actor, Destination, image_name
from douse.incident.facts import Connection
from douse.incident.link import Links
from douse.incident.marks import Mark, Outbound

BEFORE_READ = timedelta(minutes=2)
AFTER_READ = timedelta(minutes=10)
AFTER_CONTROL = timedelta(minutes=10)
LOOKUP_TO_CONNECT = timedelta(seconds=60)
FIDELITY = 0.7

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
                   links: Links) -> list[Mark]:
    """The O marks of a group: for each process and destination the first connection after a read, else the first."""
    reads: defaultdict[int, list[Mark]] = defaultdict(list)
    control: defaultdict[int, list[Mark]] = defaultdict(list)
    for mark in marks:
        if mark.process is not None and mark.letter == "C" and mark.store:
            reads[mark.process].append(mark)
        if mark.process is not None and (mark.letter == "I" or (mark.letter == "R" and mark.role == "dead-drop")):
            control[mark.process].append(mark)
    found: list[Mark] = []
    for process in processes:
        made = connections.get(process, [])
        if made:
            lineage_reads = [mark for origin in links.lineage(process) for mark in reads.get(origin, ())]
            found += _of_process(process, made, lineage_reads, control.get(process, []))
    return sorted(found, key=lambda mark: (mark.time, mark.process or 0))


def _of_process(process: int, made: Sequence[Connection], reads: Sequence[Mark],
                control: Sequence[Mark]) -> list[Mark]:
    if not reads and not control:
        return []
    dead_drops = _dead_drop_places(made, control)
    chosen: dict[tuple[str, int], Mark] = {}
    for connection in made:
        to = (connection.address, connection.port)
        known = chosen.get(to)
        if connection.address in dead_drops or connection.hostname in dead_drops - {""}:
            continue
        if known is not None and known.outbound and known.outbound.after_read:
            continue
        read = _nearest(reads, connection.time, AFTER_READ, BEFORE_READ)
        led = _nearest([m for m in control if not _same_place(m, connection)], connection.time, AFTER_CONTROL,
                       timedelta(0))
        if (read or led) and (known is None or (read and read.time <= connection.time)):
            chosen[to] = _mark(process, connection, read, led)
    return list(chosen.values())


def _mark(process: int, connection: Connection, read: Mark | None, led: Mark | None) -> Mark:
    cause = read or led
    weak = cause is not None and cause.weak
    if read:
        reason = f"{_distance(connection.time, read.time)} reading a credential store"
    elif led and led.letter == "I":
        reason = f"{_distance(connection.time, led.time)} signs of injection into this process"
    else:
        reason = f"{_distance(connection.time, led.time if led else connection.time)} asking a dead drop for an address"
    outbound = Outbound(connection.time, process, connection.address, connection.hostname, connection.port,
                        connection.channel, connection.record_id, reason,
                        read is not None and read.time <= connection.time)
    return Mark(connection.time, "O", FIDELITY * (0.5 if weak else 1.0), weak, process, outbound=outbound)


def _distance(time: datetime, other: datetime) -> str:
    seconds = round(abs((time - other).total_seconds()))
    return f"{seconds} s {'after' if time >= other else 'before'}"


def _nearest(marks: Sequence[Mark], time: datetime, before: timedelta, after: timedelta) -> Mark | None:
    """The mark nearest to a connection: at most `before` earlier than it, or `after` later."""
    near = [m for m in marks if time - before <= m.time <= time + after]
    return min(near, key=lambda m: (abs(m.time - time), m.time, m.alert_ids), default=None)


def _same_place(mark: Mark, connection: Connection) -> bool:
    to = mark.placed.destination if mark.placed else None
    return to is not None and _goes_to(connection, to)


def _goes_to(connection: Connection, to: Destination) -> bool:
    return connection.address in to.addresses or (bool(to.hostname) and connection.hostname == to.hostname)


def _dead_drop_places(made: Sequence[Connection], control: Sequence[Mark]) -> set[str]:
    """Addresses and names of the dead drops a process asked. A look-up without an answer in the log hides the address:
    then the first connection within a minute is taken for it, so that reading a profile page is not called a theft."""
    places: set[str] = set()
    for mark in control:
        to = mark.placed.destination if mark.placed and mark.role == "dead-drop" else None
        if to is None:
            continue
        places |= {*to.addresses, to.hostname}
        if not to.addresses:
            first = next((c for c in made if mark.time <= c.time <= mark.time + LOOKUP_TO_CONNECT), None)
            places |= {first.address} if first else set()
    return places


def describe(outbound: Outbound, links: Links) -> str:
    """The connection in words, for the story."""
    process = links.table[outbound.process]
    return f"{image_name(process.image) or 'a process'} connected to {outbound.destination}, {outbound.reason}"
