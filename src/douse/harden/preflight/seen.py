"""What a record says of the program in question: an Event in; a Start, Connection, Query, Request or Execution out.

All are small, comparable and bounded in size; watch.py keeps them and runs.py joins them. A command line is looked at
in full here, because what is kept of it is cut. Field names: incident/entities.py; those of AppLocker and Code
Integrity are the vendor's (content/fields.yml).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from typing import Final

from douse.harden.preflight.commands import odd, shown, template, urls
from douse.harden.preflight.programs import Program
from douse.incident.addresses import address_of, spelled
from douse.incident.entities import (
    Get,
    actor_of,
    destination_of,
    event_getter,
    number,
    parent_of,
    present,
    process_of,
)
from douse.incident.newest import path_kept, text_kept
from douse.model import Event

OUTBOUND: Final = frozenset({"true", "%%14593", "outbound"})
INBOUND: Final = frozenset({"false", "0", "%%14592", "14592", "inbound", "ingress"})
"""Of a record of the program whatever is not said to be inbound is outbound: logs are translated, and a use that is
missed is worse than one too many."""
ASKED: Final = frozenset({"connectionsuccess", "connectionfound", "connectionacknowledged", "connectionfailed",
                          "connectionrequest", "connectionattempt", "httpconnectioninspected",
                          "sslconnectioninspected"})
"""Defender's words for a connection that the computer made or tried."""

UNKNOWN: Final = "unknown destination"
_PROTOCOLS: Final = {"6": "tcp", "17": "udp", "": "tcp"}
_LONGEST_NAME: Final = 255
_MAX_URLS: Final = 4

Named = tuple[str, ...]
"""Indicators that a record names."""


@dataclass(frozen=True, slots=True, order=True)
class Record:
    """Where a record stands."""

    time: datetime
    channel: str
    event_id: int
    record_id: int
    source: str

    def __str__(self) -> str:
        return f"{self.source} {self.channel} {self.event_id} #{self.record_id} {self.time:%Y-%m-%dT%H:%M:%SZ}"


class _Timed:
    """What a record tells, at the record's time."""

    __slots__ = ()
    record: Record

    @property
    def time(self) -> datetime:
        """When, in UTC."""
        return self.record.time


@dataclass(frozen=True, slots=True, order=True)
class Start(_Timed):
    """The program began. `renamed` says that only its version resource names it; `odd` what is odd about its command,
    `urls` the hosts and ports that it names."""

    record: Record
    pid: int
    guid: str
    image: str
    parent: str
    template: str
    command: str
    user: str
    renamed: bool
    odd: Named
    urls: tuple[tuple[str, int], ...]
    named: Named


@dataclass(frozen=True, slots=True, order=True)
class Connection(_Timed):
    """The program connected, or tried and was `refused`. What only Defender says with it, parent and command, is in
    `began`. Of a `nameless` one the record knows no more than the pid: the process had ended already."""

    record: Record
    pid: int
    guid: str
    address: str
    hostname: str
    port: int
    protocol: str
    user: str
    refused: bool
    named: Named
    began: Start | None = None
    nameless: bool = False

    @property
    def image(self) -> str:
        """The program's path in small letters, where its start is told with it."""
        return self.began.image.lower() if self.began else ""


@dataclass(frozen=True, slots=True, order=True)
class Query(_Timed):
    """The program asked for a name and got these addresses."""

    record: Record
    pid: int
    guid: str
    name: str
    addresses: tuple[str, ...]
    named: Named


@dataclass(frozen=True, slots=True, order=True)
class Request:
    """A proxy's or sensor's record of a request that calls itself as the program does; any program can."""

    record: Record
    client: str
    host: str
    address: str
    port: int
    user: str
    named: Named


@dataclass(frozen=True, slots=True, order=True)
class Execution:
    """A policy looked at the program: `word` is allowed, would be blocked, or blocked."""

    record: Record
    path: str
    user: str
    word: str
    policy: str


def record_of(event: Event) -> Record:
    """Where an event stands."""
    return Record(event.time, intern(event.channel), event.event_id, event.record_id, intern(str(event.source)))


def start_of(event: Event, program: Program, named: Callable[[Event], Named]) -> Start | None:
    """The start of the program, under its own name or another; None for other programs' starts."""
    get = event_getter(event)
    image = process_of(event.channel, event.event_id, get)[2]
    own = program.is_image(image)
    if not own and not program.is_original(get("OriginalFileName")):
        return None
    new, parent = actor_of(event.channel, event.event_id, get), parent_of(event.channel, get)
    return _start(record_of(event), program, new.pid, new.guid, image, parent.image, new.command_line,
                  new.user_name or new.user_sid, named(event))


def _start(record: Record, program: Program, pid: int, guid: str, image: str, parent: str, command: str, user: str,
           named: Named) -> Start:
    return Start(
        record, pid, guid, path_kept(image), path_kept(parent), intern(template(command)), shown(command),
        text_kept(user), not program.is_image(image), odd(command, runs_scripts=program.runs_scripts),
        tuple((host[:_LONGEST_NAME], port) for host, _, port in urls(command))[:_MAX_URLS], named)


def connection_of(event: Event, program: Program, named: Callable[[Event], Named]) -> Connection | None:
    """An outbound connection of the program, or of a process that the record cannot name; None for all others."""
    get = event_getter(event)
    pid, guid, image = process_of(event.channel, event.event_id, get)
    own = program.is_image(image) or program.is_original(get("InitiatingProcessVersionInfoOriginalFileName"))
    if not own and (image or not pid):
        return None
    if not _is_outbound(event, get):
        return None
    written = get("DestinationIp") or get("DestAddress")
    to, hostname = address_of(written), get("DestinationHostname").lower().rstrip(".")[:_LONGEST_NAME]
    protocol = _protocol(get("Protocol"))
    if not to and (itself := spelled(written)):  # to the host itself, where a proxy may listen
        if protocol != "tcp" or not is_loopback(itself):
            return None
        to = itself
    hostname = hostname if to or hostname else written.lower()[:_LONGEST_NAME] or UNKNOWN
    user = get("User")
    return Connection(
        record_of(event), pid, guid, intern(to), text_kept(hostname),
        port_of(get("DestinationPort") or get("DestPort")), protocol, text_kept(user),
        _is_refused(event, get), named(event), _began(event, program, get, (pid, guid, image)) if own else None,
        not own)


def is_loopback(address: str) -> bool:
    """Whether an address, as `spelled` writes it, leads to the computer itself."""
    return address.startswith("127.") or address == "::1"


def source_of(event: Event) -> str:
    """The host's own address in a record of an outbound connection; empty where it is not known."""
    get = event_getter(event)
    if (get("Initiated") or get("Direction")).lower() not in OUTBOUND:
        return ""
    return address_of(get("SourceIp") or get("SourceAddress"))


def _is_outbound(event: Event, get: Get) -> bool:
    if (get("Initiated") or get("Direction")).strip().lower() in INBOUND:
        return False
    return not event.channel.lower().startswith("mde/") or get("ActionType").lower() in ASKED | {""}


def _is_refused(event: Event, get: Get) -> bool:
    return event.event_id in (5152, 5157) or get("ActionType").lower() == "connectionfailed"


def _began(event: Event, program: Program, get: Get, process: tuple[int, str, str]) -> Start | None:
    """The start that a row of Defender tells with the connection."""
    command = get("InitiatingProcessCommandLine")
    if not command:
        return None
    parent = get("InitiatingProcessParentFileName")
    return _start(record_of(event), program, *process, parent, command, get("User"), ())


def query_of(event: Event, program: Program, named: Callable[[Event], Named]) -> Query | None:
    """A name that the program asked for."""
    get = event_getter(event)
    pid, guid, image = process_of(event.channel, event.event_id, get)
    asked = destination_of(event.channel, event.event_id, get) if program.is_image(image) else None
    if asked is None or not asked.hostname:
        return None
    return Query(record_of(event), pid, guid, text_kept(asked.hostname[:_LONGEST_NAME]),
                 tuple(sorted(set(asked.addresses)))[:32], named(event))


def request_of(event: Event, program: Program, named: Callable[[Event], Named]) -> Request | None:
    """A request of somebody who calls himself as the program does."""
    agent = _text(event, "c-useragent") or _text(event, "user_agent")
    if program.agents is None or not agent or program.agents.search(agent[:1_000]) is None:
        return None
    client = address_of(_text(event, "src_ip") or _text(event, "id.orig_h"))
    host = (_text(event, "cs-host") or _text(event, "host")).lower()[:_LONGEST_NAME]
    if not client or not host:
        return None
    address = address_of(_text(event, "dst_ip") or _text(event, "id.resp_h"))
    port = port_of(_text(event, "dst_port") or _text(event, "id.resp_p")) or _port_of(_text(event, "c-uri"))
    return Request(record_of(event), client, host, address, port, text_kept(_text(event, "User")), named(event))


def execution_of(event: Event, program: Program, word: str) -> Execution | None:
    """What AppLocker or App Control said of the program."""
    get = event_getter(event)
    path = get("FullFilePath") or get("FilePath") or get("FileName") or get("FileNameBuffer")
    original = get("OriginalFileName") or _binary(get("Fqbn"))
    if path.lower().endswith(program.files or "\0"):
        original = program.name
    if not program.is_image(path) and not program.is_original(original):
        return None
    user = get("TargetUser") or get("Security_UserID")
    return Execution(record_of(event), path_kept(path), text_kept(user), word, text_kept(get("PolicyName")))


def _binary(fqbn: str) -> str:
    r"""The name in AppLocker's `O=PUBLISHER\PRODUCT\BINARY.EXE\1.2.3.4`."""
    parts = fqbn[:2_000].rsplit("\\", 2)
    return parts[1] if len(parts) == 3 else ""


def _text(event: Event, name: str) -> str:
    value = event.get(name)
    return present(str(value[0]) if isinstance(value, list) and value else event.text(name))


def _protocol(text: str) -> str:
    return intern(_PROTOCOLS.get(text.lower(), text.lower()[:20]))


def port_of(text: str) -> int:
    """A port as a log writes it, 0 where it is none."""
    port = number(text) if len(text) <= 6 else 0
    return port if 0 <= port < 1 << 16 else 0


def _port_of(url: str) -> int:
    """The port of an absolute URL or of `host:443`."""
    scheme, separator, rest = url[:2_048].partition("://")
    port = (rest if separator else url[:2_048]).partition("/")[0].rpartition(":")[2]
    return port_of(port) if port.isdecimal() else {"https": 443, "http": 80, "ftp": 21}.get(scheme.lower(), 0)
