"""Which field of which record can carry an indicator, and in what way: (channel, event id) in, fields out.

The ways are those of watch.py: `name` a host name or address, `address`, `answers` of a name server, `hashes` as Sysmon
lists them, `digest` one hash alone, `url`, and `text` in which names and URLs may stand anywhere, as in a command line.
Fields are named as the readers give them (telemetry/). A field that stands for the parent or the acting process of many
records is left out where that process's own start has it: one bad program would else be seen in all that it did.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Final

from douse.model import Interest

Fields = tuple[tuple[str, str], ...]
"""(field, way)."""

NEEDS: Final[Mapping[str, frozenset[str]]] = {
    "name": frozenset({"domain-name", "ipv4-addr", "ipv6-addr"}),
    "address": frozenset({"ipv4-addr", "ipv6-addr"}),
    "answers": frozenset({"domain-name", "ipv4-addr", "ipv6-addr"}),
    "hashes": frozenset({"file"}),
    "digest": frozenset({"file"}),
    "url": frozenset({"url", "domain-name", "ipv4-addr", "ipv6-addr"}),
    "text": frozenset({"url", "domain-name", "ipv4-addr", "ipv6-addr"}),
}
"""Way -> the types of indicators that can be found so."""

_SYSMON: Final = "microsoft-windows-sysmon/operational"
_POWERSHELL: Final = ("microsoft-windows-powershell/operational", "powershellcore/operational")
_HASHES: Final = "hashes:Hashes"
_MDE_HASHES: Final = "digest:SHA1,SHA256,MD5"
_ACTOR: Final = "digest:InitiatingProcessSHA1,InitiatingProcessSHA256,InitiatingProcessMD5"
_SENSOR: Final = "address:src_ip,dst_ip"
_FILE: Final = f"{_MDE_HASHES} address:FileOriginIP url:FileOriginUrl,FileOriginReferrerUrl"
_ROW: Final = f"{_MDE_HASHES} address:RemoteIP,FileOriginIP url:RemoteUrl,FileOriginUrl"

_PLACES: Final[tuple[tuple[str, tuple[int | None, ...], str], ...]] = (
    (_SYSMON, (1,), f"{_HASHES} text:CommandLine"),
    (_SYSMON, (3,), "address:DestinationIp,SourceIp name:DestinationHostname,SourceHostname"),
    (_SYSMON, (6, 7, 23, 24, 26, 27, 28, 29), _HASHES),
    (_SYSMON, (13,), "text:Details"),
    (_SYSMON, (15,), "hashes:Hash text:Contents"),
    (_SYSMON, (20,), "text:Destination"),
    (_SYSMON, (22,), "name:QueryName answers:QueryResults"),
    ("security", (4688,), "text:CommandLine"),
    ("security", (5156, 5157), "address:DestAddress,SourceAddress"),
    ("security", (4657,), "text:NewValue"),
    ("security", (4697,), "text:ServiceFileName"),
    ("security", (4698,), "text:TaskContent"),
    ("security", (4702,), "text:TaskContentNew"),
    ("system", (7045,), "text:ImagePath"),
    *((channel, (4104,), "text:ScriptBlockText") for channel in _POWERSHELL),
    *((channel, (4103,), "text:Payload,ContextInfo") for channel in _POWERSHELL),
    ("windows powershell", (400, 800), "text:Data"),
    ("microsoft-windows-dns-client/operational", (3006, 3008, 3020), "name:QueryName answers:QueryResults"),
    ("microsoft-windows-bits-client/operational", (59, 60, 61), "url:url"),
    ("microsoft-windows-bits-client/operational", (16403,), "url:RemoteName"),
    ("microsoft-windows-windows defender/operational", (1116, 1117), "text:Path"),
    ("zeek/conn", (0,), "address:id.resp_h,id.orig_h"),
    ("zeek/dns", (0,), "name:query answers:answers"),
    ("zeek/http", (0,), "address:id.resp_h,id.orig_h name:host url:c-uri,referrer"),
    ("zeek/ssl", (0,), "address:id.resp_h,id.orig_h name:server_name"),
    ("zeek/quic", (0,), "address:id.resp_h,id.orig_h name:server_name"),
    ("zeek/x509", (0,), "name:san.dns"),
    ("zeek/files", (0,), "digest:md5,sha1,sha256"),
    ("proxy/access", (0,), f"{_SENSOR} name:cs-host url:c-uri,cs-referrer digest:fileHash"),
    ("webserver/access", (0,), "address:src_ip"),
    ("firewall/traffic", (0,), f"{_SENSOR} name:dhost,shost digest:fileHash"),
    ("cef/event", (0,), "digest:fileHash address:src,dst name:shost,dhost"),
    ("mde/deviceprocessevents", (1, 0), f"{_MDE_HASHES} text:ProcessCommandLine"),
    ("mde/devicenetworkevents", (3, 0), f"address:RemoteIP,LocalIP url:RemoteUrl {_ACTOR}"),
    ("mde/devicefileevents", (11, 23, 0), _FILE),
    ("mde/deviceregistryevents", (13, 0), "text:RegistryValueData"),
    ("mde/deviceimageloadevents", (7,), _MDE_HASHES),
    ("mde/deviceevents", (None,), f"{_ROW} name:DnsQueryString answers:DnsQueryResult text:ProcessCommandLine"),
    ("mde/alertevidence", (0,), f"{_ROW} text:ProcessCommandLine,RegistryValueData"),
)
"""Channel in small letters, event ids (None: all), and the fields: `way:field,field`, separated by blanks."""


@cache
def _places() -> Mapping[tuple[str, int | None], Fields]:
    return {(channel, number): tuple(_fields(told)) for channel, numbers, told in _PLACES for number in numbers}


def _fields(told: str) -> Iterator[tuple[str, str]]:
    for part in told.split():
        way, _, names = part.partition(":")
        yield from ((name, way) for name in names.split(","))


def fields_of(channel: str, event_id: int, types: frozenset[str]) -> Fields:
    """The fields of such a record in which indicators of these types may stand."""
    found = _places().get((channel.lower(), event_id)) or _places().get((channel.lower(), None), ())
    return tuple((name, way) for name, way in found if NEEDS[way] & types)


def interests(types: Iterable[str]) -> frozenset[Interest]:
    """The records that can carry an indicator of these types; none for none."""
    wanted = frozenset(types)
    return frozenset(place for place, fields in _places().items() if any(NEEDS[way] & wanted for _, way in fields))
