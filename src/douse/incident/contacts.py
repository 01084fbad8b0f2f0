"""What a record says of the network: whom a process reached or asked for, and the URLs and hosts in its texts.

A Mark in, a Contact or addresses as text out; read by family.py and indicators.py. Which field of which record holds
what is the table of those who look for indicators (indicators/places.py), and how a value is spelled is theirs too
(indicators/values.py), so that an indicator that goes out is found again when it comes in. Evidence is hostile: all
expressions are linear in a text, which is 4,096 characters at most, and what was found in one is remembered.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from douse.incident.addresses import is_public, spelled
from douse.incident.entities import SECURITY, SYSMON, Get, kind_of, number
from douse.incident.marks import Mark
from douse.indicators import spelling
from douse.indicators.places import fields_of
from douse.indicators.values import Refused, Value, value_of
from douse.masking import MASK, mask

TYPES: Final = frozenset({"url", "domain-name", "ipv4-addr", "ipv6-addr"})
LONGEST_QUERY: Final = 64
"""Characters of a query above which it is left out: nobody else's request will have the same."""

_OF_OTHERS: Final = frozenset({"Referer", "cs-referrer", "referrer", "FileOriginReferrerUrl", "ContextInfo"})
_INBOUND: Final = frozenset({"false", "%%14592", "inbound"})
_URL: Final = re.compile(r"(?:https?|ftp)://[^\s\"'<>|;{}\\]{1,2048}", re.IGNORECASE)
_NEXT_URL: Final = re.compile(r",(?=(?:https?|ftp)://)|&&|\x00", re.IGNORECASE)
_MARKS: Final = str.maketrans("", "", "^`")  # what a shell lets somebody put between the letters of a name
_CLOSING: Final = ".,:!)]'\""
_OCTET: Final = r"(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])"
_ADDRESS: Final = re.compile(rf"(?:{_OCTET}\.){{3}}{_OCTET}")
_FETCHES: Final = re.compile(
    r"mshta|curl|wget|\b(?:iwr|irm|iex)\b|invoke-(?:web|rest)|downloadstring|downloadfile|downloaddata|bitsadmin|bitstransfer|"
    r"certutil|msiexec|finger|xmlhttp|webclient", re.IGNORECASE)
_HOST_AND_PATH: Final = re.compile(
    r"(?<![\w.@:/\\%$-])([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})(?::\d{1,5})?/[^\s\"'<>|;{}\\]", re.IGNORECASE)
_SHARE: Final = re.compile(r"\\\\([a-z0-9-]{1,63}(?:\.[a-z0-9-]{1,63}){1,8})(?:@[a-z0-9]{1,5}){0,2}\\", re.IGNORECASE)
_BASE64: Final = re.compile(r"[A-Za-z0-9+/]{24,}={0,2}")
_DEEPEST: Final = 2
_TOKEN: Final = re.compile(r"[A-Za-z0-9%._~+/-]{20,}={0,2}")
_BOT: Final = re.compile(r"bot\d{5,12}:[A-Za-z0-9_-]{20,}")
_SENSOR_HOSTS: Final = ("cs-host", "host", "server_name", "query", "DestinationHostname", "RemoteUrl")
_SENSOR_ADDRESSES: Final = ("dst_ip", "id.resp_h", "RemoteIP")
_NO_SENSORS: Final = frozenset({SYSMON, SECURITY})  # where most alerts come from: nothing to look for in them
_OWN_ADDRESSES: Final = ("SourceIp", "SourceAddress", "src_ip", "id.orig_h", "LocalIP", "c-ip")


@dataclass(frozen=True, slots=True)
class Contact:
    """Whom a process reached, or only asked the address of (`connected` false). `url` is what a proxy or sensor saw."""

    hostname: str
    addresses: tuple[str, ...]
    port: int
    connected: bool
    url: str = ""
    agent: str = ""


def contact_of(mark: Mark) -> Contact | None:
    """Whom the mark's record is about, None where it tells of no contact, or of one from outside."""
    if mark.outbound:
        return Contact(_name(mark.outbound.hostname), (mark.outbound.address,), mark.outbound.port, connected=True)
    if mark.placed is None:
        return None
    get = mark.placed.get
    if (get("Initiated") or get("Direction")).lower() in _INBOUND:
        return None
    to = mark.placed.destination
    if to is not None:
        return Contact(_name(to.hostname), to.addresses, to.port, connected=not get("QueryName"))
    channel = mark.placed.alert.channel
    return None if channel.lower() in _NO_SENSORS else _of_sensor(channel, get)


def _of_sensor(channel: str, get: Get) -> Contact | None:
    """What a proxy, a firewall or Zeek says; the URL stands first where a field holds several spellings of it."""
    hostname = next(filter(None, (_name(get(name)) for name in _SENSOR_HOSTS)), "")
    address = next(filter(None, (spelled(get(name)) for name in _SENSOR_ADDRESSES)), "")
    if not hostname and not address:
        return None
    url = get("c-uri").partition(", ")[0]
    return Contact(hostname, (address,) if address else (), number(get("dst_port") or get("id.resp_p")),
                   connected=kind_of(channel) != "zeek/dns", url=url if "://" in url[:12] else "",
                   agent=get("c-useragent") or get("user_agent"))


def own_addresses(mark: Mark) -> Iterator[str]:
    """The addresses of the host itself that the record names."""
    if mark.placed is not None:
        yield from filter(None, (spelled(mark.placed.get(name)) for name in _OWN_ADDRESSES))


def texts_of(mark: Mark) -> Iterator[str]:
    """The texts of a record in which somebody may have written a URL: scripts, registry data, requests."""
    if mark.placed is None:
        return
    alert, get = mark.placed.alert, mark.placed.get
    for name in _text_fields(alert.channel, alert.event_id):
        if text := get(name):
            yield text


@lru_cache(maxsize=4_096)
def _text_fields(channel: str, event_id: int) -> tuple[str, ...]:
    """The fields of such a record that hold texts."""
    return tuple(name for name, way in fields_of(channel, event_id, TYPES)
                 if way in ("text", "url") and name not in _OF_OTHERS)


@lru_cache(maxsize=4_096)  # one script or command line stands in many alerts
def named_in(text: str) -> tuple[Value, ...]:
    """The URLs of a text, the hosts of shares, and the hosts that a program is told to fetch from without a scheme."""
    plain = text.translate(_MARKS) if "^" in text or "`" in text else text
    found: dict[Value, None] = {}
    for inner in _decoded(plain, _DEEPEST):
        found.update(dict.fromkeys(_in_plain(inner)))
    return tuple(found)


def _decoded(text: str, depth: int) -> Iterator[str]:
    """The text itself, then what stands in it as Base64: PowerShell's -EncodedCommand, and what that hides in turn."""
    yield text
    for block in _BASE64.findall(text) if depth else ():
        try:
            raw = base64.b64decode(block[:len(block) // 4 * 4])
        except binascii.Error:  # of padding in the middle
            continue
        inner = raw.decode("utf-16-le" if raw[1:2] == b"\0" else "utf-8", errors="replace")
        if inner.isascii():
            yield from _decoded(inner, depth - 1)


def _in_plain(plain: str) -> Iterator[Value]:
    """The values of a text that is not encoded."""
    for url in _URL.finditer(plain):
        for part in _NEXT_URL.split(url[0]):
            yield from filter(None, [_url(part)])
    for share in _SHARE.finditer(plain):
        yield from _host(share[1])
    if _FETCHES.search(plain):
        for bare in _HOST_AND_PATH.finditer(plain):
            yield from _host(bare[1])


@lru_cache(maxsize=4_096)
def value_at(host: str) -> Value | None:
    """A host name or address as an indicator; None for this host, private ones, and what is neither."""
    if _ADDRESS.fullmatch(host):  # as logs write it, and most of all that is asked
        return Value("ipv4-addr", host) if is_public(host) else None
    found = next(iter(_host(host)), None)
    return found if found is None or found.type == "domain-name" or is_public(found.value) else None


def url_value(text: str) -> Value | None:
    """A URL as an indicator: without user and fragment, without a query that is a secret or nobody else's."""
    return _url(text)


def host_of(url: str) -> str:
    """The host of a URL in its one spelling."""
    return spelling.split(url)[0]


def _url(text: str) -> Value | None:
    plain = _before_closing(text).rstrip(_CLOSING)
    try:
        found = value_of(plain)
    except Refused:
        return None
    return Value("url", _without_secret(found.value)) if found.type == "url" else None


def _before_closing(text: str) -> str:
    """The text up to a bracket that was opened before it: `(iwr http://a.example/p).Content`."""
    opened = 0
    for place, char in enumerate(text):
        opened += (char == "(") - (char == ")")
        if opened < 0:
            return text[:place]
    return text


def _without_secret(url: str) -> str:
    """Cut at the query where that looks like a token, and before the part of the path that does."""
    page, _, query = url.partition("?")
    if len(query) > LONGEST_QUERY or _TOKEN.search(query) or mask(url) != f"{mask(page)}?{query}":
        url = page
    hidden = _BOT.sub(MASK, mask(url))
    return hidden[:hidden.index(MASK)].rpartition("/")[0] + "/" if MASK in hidden else url


def _host(text: str) -> Iterator[Value]:
    try:
        found = value_of(text)
    except Refused:
        return
    if found.type != "url" and "/" not in found.value:
        yield found


def _name(text: str) -> str:
    """A host name, empty for an address and for what is longer than a name."""
    plain = spelling.name(text) if len(text) <= 4 * spelling.LONGEST_NAME else ""
    return "" if spelling.address(plain) or "/" in plain else plain
