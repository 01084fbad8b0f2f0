"""One network record of an endpoint or a sensor in, the Socket or the Piece it tells of out.

A Socket is a connection as the computer that made it recorded it: Sysmon 3, Security 5156, Defender's
DeviceNetworkEvents. A Piece is what one record of Zeek, a proxy or a firewall says about traffic to the internet. Both
are small and comparable; network_facts.py keeps them, network.py joins them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from sys import intern
from typing import Final

from douse.incident.addresses import address_of, is_public
from douse.incident.entities import SECURITY, SYSMON, Get, event_getter, number, present, process_of
from douse.incident.newest import path_kept
from douse.model import Event, Interest

PROXY_PORTS: Final = frozenset({3128, 8000, 8080, 8081, 8443, 8888})
"""Ports on which a proxy inside the network listens."""
CONN: Final = "Zeek/conn"
PROXY_ACCESS: Final = "Proxy/access"

_MDE: Final = "mde/devicenetworkevents"
_PROTOCOLS: Final = {"6": "tcp", "17": "udp", "": "tcp"}
_SCHEMES: Final = {"https": 443, "http": 80, "ftp": 21}
_REFUSED: Final = re.compile(r"denied|deny|block|drop|reject", re.IGNORECASE)
"""What proxies say they did with a request that never left."""
_MOST_BYTES: Final = 1 << 62
_LONGEST: Final = 30 * 86_400
_LONGEST_NAME: Final = 255
_LONGEST_WORD: Final = 20

Texts = Callable[[str], str]


@dataclass(frozen=True, slots=True, order=True)
class Socket:
    """A connection as the computer that made it recorded it. Port 0 is unknown."""

    time: datetime
    source: str
    source_port: int
    address: str
    port: int
    protocol: str
    pid: int
    guid: str
    image: str
    channel: str
    record_id: int

    @property
    def process(self) -> int | str:
        """What tells one process of a host from another for a few minutes, in whatever channel it was recorded."""
        return self.pid or self.guid


@dataclass(frozen=True, slots=True, order=True)
class Piece:
    """What one record of a sensor says about a conversation. Bytes are -1 and ports 0 where it does not say; records of
    one conversation share a `uid` (Zeek). `server` is empty where only the name that a proxy was asked for is known."""

    start: datetime
    end: datetime
    client: str
    client_port: int
    server: str
    port: int
    protocol: str
    sent: int
    received: int
    hostname: str
    method: str
    uid: str
    channel: str
    record_id: int


def socket_of(event: Event) -> Socket | None:
    """The connection an endpoint's record tells of, None where it is inbound, local, or of no such kind."""
    if (event.channel.lower(), event.event_id) not in SOCKETS:
        return None
    return _socket(event, event_getter(event))


def piece_of(event: Event) -> Piece | None:
    """What a sensor's record says about a conversation with the internet, None where it says nothing."""
    make = _MAKERS.get((event.channel.lower(), event.event_id))
    piece = make(event, _texts(event)) if make is not None else None
    return piece if piece is not None and piece.client else None


def _texts(event: Event) -> Texts:
    def text(name: str) -> str:
        value = event.get(name)
        return present(str(value[0]) if isinstance(value, list) and value else event.text(name))

    return text


def _socket(event: Event, get: Get) -> Socket | None:
    """The connection an endpoint made, if it can have left for the internet: to a public address or to a proxy."""
    if (get("Initiated") or get("Direction")).lower() not in {"true", "%%14593", "outbound"}:
        return None
    source = address_of(get("SourceIp") or get("SourceAddress"))
    address = address_of(get("DestinationIp") or get("DestAddress"))
    port = _port(get("DestinationPort") or get("DestPort"))
    if not source or not address or not (is_public(address) or port in PROXY_PORTS):
        return None
    pid, guid, image = process_of(event.channel, event.event_id, get)
    return Socket(event.time, intern(source), _port(get("SourcePort")), intern(address), port,
                  _protocol(get("Protocol")), pid, guid, path_kept(image), intern(event.channel), event.record_id)


def _of_zeek(event: Event, get: Texts) -> Piece | None:
    """conn.log says when and how many bytes, http.log and ssl.log whom the client asked for."""
    server = address_of(get("id.resp_h"))
    if not is_public(server):
        return None
    return Piece(
        start=event.time, end=_later(event.time, _seconds(get("duration"))),
        client=intern(address_of(get("id.orig_h"))), client_port=_port(get("id.orig_p")),
        server=intern(server), port=_port(get("id.resp_p")), protocol=_protocol(get("proto")),
        sent=_bytes(get("orig_bytes") or get("request_body_len")),
        received=_bytes(get("resp_bytes") or get("response_body_len")),
        hostname=_name(get("host") or get("server_name")), method=_method(get("method")),
        uid=get("uid")[:_LONGEST_NAME], channel=intern(event.channel), record_id=event.record_id)


def _of_proxy(event: Event, get: Texts) -> Piece | None:
    """A request that a proxy let through. Its record is written when it ended, and `time-taken` is milliseconds."""
    server = address_of(get("dst_ip"))
    if _REFUSED.search(get("s-action")):
        return None
    return Piece(
        start=_later(event.time, -_seconds(get("time-taken")) / 1000), end=event.time,
        client=intern(address_of(get("src_ip"))), client_port=_port(get("src_port")),
        server=intern(server if is_public(server) else ""), port=_port(get("dst_port")) or _port_of(get("c-uri")),
        protocol="tcp", sent=_bytes(get("cs-bytes")), received=_bytes(get("sc-bytes")),
        hostname=_name(get("cs-host")), method=_method(get("cs-method")), uid="",
        channel=intern(event.channel), record_id=event.record_id)


def _of_firewall(event: Event, get: Texts) -> Piece | None:
    """A connection that a firewall let through. Its record is written when it ended, and `duration` is seconds; one
    that is written when it begins counts nothing yet."""
    server = address_of(get("dst_ip"))
    if not is_public(server) or get("blocked") == "true" or "start" in (get("act"), get("DeviceEventClassID")):
        return None
    return Piece(
        start=_later(event.time, -_seconds(get("duration"))), end=event.time,
        client=intern(address_of(get("src_ip"))), client_port=_port(get("src_port")),
        server=intern(server), port=_port(get("dst_port")), protocol=_protocol(get("proto")),
        sent=_bytes(get("cs-bytes")), received=_bytes(get("sc-bytes")), hostname=_name(get("dhost")), method="", uid="",
        channel=intern(event.channel), record_id=event.record_id)


def _protocol(text: str) -> str:
    return intern(_PROTOCOLS.get(text.lower(), text.lower()[:_LONGEST_WORD]))


def _name(text: str) -> str:
    return intern(text.lower().rstrip(".")[:_LONGEST_NAME])


def _method(text: str) -> str:
    return intern(text.upper()[:_LONGEST_WORD])


def _port(text: str) -> int:
    port = number(text) if len(text) <= 6 else 0
    return port if 0 <= port < 1 << 16 else 0


def _port_of(url: str) -> int:
    """The port of a URL or of `host:443`; that of its scheme where it names none."""
    scheme, separator, rest = url.partition("://")
    port = (rest if separator else url).partition("/")[0].rpartition(":")[2]
    return _port(port) if port.isdecimal() else _SCHEMES.get(scheme.lower(), 0)


def _bytes(text: str) -> int:
    """A count of bytes, -1 where it is none."""
    return min(int(text), _MOST_BYTES) if text.isascii() and text.isdecimal() and len(text) <= 20 else -1


def _seconds(text: str) -> float:
    try:
        return min(max(float(text), 0.0), _LONGEST) if text else 0.0
    except ValueError:
        return 0.0


def _later(time: datetime, seconds: float) -> datetime:
    try:
        return time + timedelta(seconds=seconds)
    except (OverflowError, ValueError):
        return time


SOCKETS: Final[frozenset[Interest]] = frozenset({(SYSMON, 3), (SECURITY, 5156), (_MDE, 3)})
_MAKERS: Final[Mapping[Interest, Callable[[Event, Texts], Piece | None]]] = {
    ("zeek/conn", 0): _of_zeek, ("zeek/http", 0): _of_zeek, ("zeek/ssl", 0): _of_zeek,
    ("proxy/access", 0): _of_proxy, ("firewall/traffic", 0): _of_firewall,
}
PIECES: Final[frozenset[Interest]] = frozenset(_MAKERS)
