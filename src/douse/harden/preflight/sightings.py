"""A Run becomes Sightings: what it used the network for, or that it only started, in the terms that use cases count by.

A connection to an internal address on a port of proxies, or to the computer itself, is one through a proxy: where it
led is what the proxy's log says at that time, and unknown without one. A proxy's request alone, which calls itself as
the program does, counts as possible where the program was started on that host within NEAR of it, and only for a run of
which no connection was recorded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from douse.harden.preflight.places import Place, Places
from douse.harden.preflight.runs import Run, later, runs_of
from douse.harden.preflight.seen import Connection, Execution, Record, Request, Start, is_loopback
from douse.harden.preflight.watch import HostSeen
from douse.incident.entities import image_name
from douse.incident.network_records import PROXY_PORTS

NEAR: Final = timedelta(seconds=5)
NOWHERE: Final = Place("")
ITSELF: Final = Place("this computer")

HostOf = Callable[[str], str]
"""The host that has an address, as the inventory or the logs name it; "" where none is known, or several."""


@dataclass(frozen=True, slots=True)
class Sighting:
    """One use of the program by one run. `parent` is a file name in small letters; `names` are host names seen for the
    place; `unseen` says that the host's log of that day would not have shown a connection of the program."""

    host: str
    user: str
    first: datetime
    last: datetime
    place: Place
    port: int
    protocol: str
    parent: str
    template: str
    command: str
    basis: str
    through_proxy: bool = False
    refused: bool = False
    nameless: bool = False
    unseen: bool = False
    renamed: str = ""
    odd: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    verdicts: tuple[Execution, ...] = ()
    records: tuple[Record, ...] = ()


class Sighter:
    """Makes the sightings of all hosts. `host_of` says whose an address is."""

    def __init__(self, places: Places, requests: Iterable[Request], host_of: HostOf) -> None:
        self._places = places
        by_host: defaultdict[str, list[Request]] = defaultdict(list)
        self.unplaced = 0
        for request in requests:
            host = host_of(request.client)
            if host:
                by_host[host].append(request)
            else:
                self.unplaced += 1
        self._requests = {host: sorted(several) for host, several in by_host.items()}
        self._used: set[Request] = set()

    @property
    def unmatched(self) -> int:
        """Requests of known hosts that fit none of the runs seen so far."""
        return sum(map(len, self._requests.values())) - len(self._used)

    def of(self, host: HostSeen, name: str, network_days: set[int]) -> Iterator[Sighting]:
        """The sightings of one host."""
        for run in runs_of(host):
            yield from self._of_run(run, name, network_days)

    def _of_run(self, run: Run, name: str, network_days: set[int]) -> Iterator[Sighting]:
        base = _base(run, name)
        if run.connections:
            yield from self._connected(run, base)
            return
        near = self._near(name, base.first)
        if near:
            for request in near:
                place = self._places.of(request.address, request.host)
                yield replace(
                    base, place=place, port=request.port, protocol="tcp", basis="possible",
                    names=_different(request.host, place), last=max(base.last, request.record.time),
                    named=_union(base.named, request.named), records=(*base.records, request.record))
        else:
            yield from self._only_started(run, base, network_days)

    def _connected(self, run: Run, base: Sighting) -> Iterator[Sighting]:
        for connection in run.connections:
            proxied, place = self._proxy(connection)
            requests = self._near(base.host, connection.time) if proxied else []
            if requests:
                for request in requests:
                    place = self._places.of("", request.host)
                    yield _connection(base, connection, place, request.port, request)
            elif proxied:
                yield replace(_connection(base, connection, place, connection.port), through_proxy=True)
            else:
                name = run.name_of(connection)
                place = self._places.of(connection.address, name)
                reverse = f"{connection.hostname} (by a reverse look-up)" if connection.hostname and not name else ""
                yield replace(_connection(base, connection, place, connection.port),
                              names=_different(name or reverse, place))

    def _proxy(self, connection: Connection) -> tuple[bool, Place]:
        """Whether a connection may lead through a proxy, and which: one inside, or a program on the computer itself."""
        address = connection.address
        if is_loopback(address):
            return True, ITSELF
        inside = bool(address) and connection.port in PROXY_PORTS and self._places.is_internal(address)
        return inside, Place(f"proxy {address}")

    def _only_started(self, run: Run, base: Sighting, network_days: set[int]) -> Iterator[Sighting]:
        """A run without a connection; where its command or its questions say that it wanted one, it goes there."""
        unseen = base.first.toordinal() not in network_days
        wanted = wanted_of(run)
        for host, port in wanted:
            place = self._places.of("", host)
            yield replace(base, place=place, port=port, protocol="tcp" if port else "", names=_different(host, place),
                          unseen=unseen, records=(*base.records, *(one.record for one in run.queries)))
        if not wanted:
            yield replace(base, unseen=unseen)

    def _near(self, host: str, time: datetime) -> list[Request]:
        several = self._requests.get(host, [])
        begin = bisect_left(several, later(time, -NEAR), key=lambda one: one.record.time)
        end = bisect_right(several, later(time, NEAR), key=lambda one: one.record.time)
        self._used.update(several[begin:end])
        return several[begin:end]


def _base(run: Run, name: str) -> Sighting:
    """What all sightings of a run have in common."""
    start = run.start
    records = [one.record for one in run.starts] + [one.record for one in run.executions]
    began = run.began
    return Sighting(
        host=name, user=run.user, first=began, last=began, place=NOWHERE, port=0, protocol="",
        parent=_file_name(start.parent) if start else "", template=start.template if start else "",
        command=start.command if start else "", basis="started", renamed=_renamed(start),
        odd=_union(*(one.odd for one in _starts(run))),
        named=_union(*(one.named for one in _starts(run)), *(one.named for one in run.queries)),
        verdicts=tuple(run.executions), records=tuple(sorted(records)))


def wanted_of(run: Run) -> list[tuple[str, int]]:
    """Hosts, with their ports, that a run wanted to reach: the first that its command names, else those whose address
    it asked for (port 0). Looking for the network's own settings (WPAD) is no use of it."""
    if run.start and run.start.urls:
        return [run.start.urls[0]]
    return [(name, 0) for name in sorted({one.name for one in run.queries}) if name.partition(".")[0] != "wpad"]


def _starts(run: Run) -> list[Start]:
    return run.starts or ([run.start] if run.start else [])


def _renamed(start: Start | None) -> str:
    return image_name(start.image) if start and start.renamed else ""


def _connection(base: Sighting, connection: Connection, place: Place, port: int,
                request: Request | None = None) -> Sighting:
    seen = (connection.record, request.record) if request else (connection.record,)
    return replace(
        base, place=place, port=port, protocol=connection.protocol, basis="connected", refused=connection.refused,
        nameless=connection.nameless,
        last=connection.time, named=_union(base.named, connection.named, request.named if request else ()),
        names=_different(request.host, place) if request else (), records=(*base.records, *seen))


def _file_name(path: str) -> str:
    return image_name(path).lower()[:128]


def _different(name: str, place: Place) -> tuple[str, ...]:
    """A host's name, where the place does not say it already."""
    return (name,) if name and name != place.name else ()


def _union(*several: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for words in several for one in words))
