r"""Read CEF, with or without a syslog header before it: one event a line.

    <134>1 2026-11-24T10:11:12Z fw1 app - - - CEF:0|Vendor|Product|1.0|100|Web request|3|rt=1795514712123 src=...

In the seven parts of the head `\|` and `\\` are escaped, in the extension `\=`, `\\`, `\n` and `\r`; a value goes on to
the next ` key=`. Of a key given twice the first counts, because what an attacker says comes late. Time is `rt`, else
`start`, `end`, Fortinet's own, else the syslog header's; a number is seconds since 1970 or a fraction, a time without a
zone is taken as UTC with a note, one without a year is none. A record with a request is a proxy's, one with two
addresses a firewall's, any other is only counted. Keys keep their names, and Sigma's are added.

Which of `in` and `out` the client sent, makers do not agree on: the standard's text says `in`, and so PAN-OS fills it;
Zscaler, Fortinet and Palo Alto's cloud mean the reverse. Of a maker that is not in _SENT the bytes are unknown. How
long a session took stands in a key of the maker's, or under a label that says so (`cn3Label=Elapsed time in seconds`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.fields import Fields
from douse.telemetry.limits import Limits
from douse.telemetry.textlog import NETWORK, Parsed, Record, local_side, read_lines
from douse.telemetry.times import english, epoch, iso, states_zone
from douse.telemetry.wanted import Wanted
from douse.telemetry.webrequest import FIREWALL, PROXY, WebRequest

OTHER: Final = "CEF/event"
NO_CEF: Final = "no CEF record"
NO_TIME: Final = "no time with a year in it"
_NEXT_STEPS: Final = {NO_TIME: "Let the sender write the key rt, or a syslog header with the year (RFC 5424)."}
_START: Final = re.compile(r"CEF: ?\d+\|")
_PART: Final = re.compile(r"((?:[^\\|]++|\\.?)*+)\|", re.DOTALL)
_KEY: Final = re.compile(r"(?:^|(?<=\s))([A-Za-z_][A-Za-z0-9_.\-\[\]]{0,62})=")
_ESCAPED: Final = re.compile(r"\\(.)", re.DOTALL)
_HEADER_TIME: Final = re.compile(
    r"(?:<\d{1,3}>)?(?:\d{1,2} )?(\d{4}-\d\d-\d\dT\S+|[A-Z][a-z]{2} +\d{1,2},? +\d{4},? +\d\d:\d\d:\d\d)")
_HEAD: Final = ("DeviceVendor", "DeviceProduct", "DeviceVersion", "DeviceEventClassID", "Name", "Severity")
_TIMES: Final = ("rt", "deviceReceiptTime", "start", "startTime", "end", "endTime", "FTNTFGTeventtime", "ad.eventtime")
_SENT: Final = (  # maker and product, how they begin; the key of what the client sent, that of what it got
    (("Palo Alto Networks", "PAN-OS"), ("in", "out")), (("Palo Alto Networks", "LF"), ("out", "in")),
    (("Zscaler", ""), ("out", "in")), (("Fortinet", ""), ("out", "in")))
_SECONDS: Final = re.compile(r"\b(?:elapsed|duration)\b", re.IGNORECASE)
_LABELLED: Final = ("cn1", "cn2", "cn3")
_WEB: Final = frozenset({"request", "requestUrl", "requestMethod", "requestClientApplication"})
_BLOCKED: Final = re.compile(r"\b(block|blocked|deny|denied|drop|dropped|reset|reject|rejected|prevent(?:ed)?)\b", re.I)
_ALLOWED: Final = re.compile(r"\b(allow|allowed|accept|accepted|permit|permitted|pass|passed|forward)\b", re.I)


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a CEF log; a line that is none is a counted loss."""
    parser = _Parser()
    yield from read_lines(parser.parse, "CEF", stream, source, wanted, tally, limits, _NEXT_STEPS)
    if parser.without_zone:
        tally.note(f"{source}: times of {parser.without_zone:,} CEF records state no zone; taken as UTC")


class _Parser:
    """Reads lines, and counts the times that said no zone."""

    def __init__(self) -> None:
        self.without_zone = 0

    def parse(self, line: str) -> Parsed:
        start = _START.search(line)
        if start is None:
            return NO_CEF
        head, at = _head(line, start.end())
        if len(head) < len(_HEAD):
            return NO_CEF
        keys = extension(line[at:])
        time = self._time(keys, line[:start.start()])
        if time is None:
            return NO_TIME
        channel = PROXY if _WEB & keys.keys() else FIREWALL if "src" in keys and "dst" in keys else OTHER
        host = local_side(keys.get("src", ""), keys.get("dst", ""))
        if host == NETWORK:
            host = keys.get("shost") or keys.get("dvchost") or keys.get("dvc") or NETWORK
        return Record(channel, host, time, partial(_fields, channel, dict(zip(_HEAD, head, strict=True)), keys))

    def _time(self, keys: dict[str, str], header: str) -> datetime | None:
        found = _HEADER_TIME.match(header)
        for text in (*(keys[name] for name in _TIMES if name in keys), found[1] if found else ""):
            number = text.replace(".", "", 1).isdecimal()
            time = epoch(text) if number else iso(text) or english(text)
            if time is not None:
                self.without_zone += not number and not states_zone(text)
                return time
        return None


def _head(line: str, at: int) -> tuple[list[str], int]:
    """The six parts after the version, and where the extension begins."""
    parts: list[str] = []
    while len(parts) < len(_HEAD) and (found := _PART.match(line, at)):
        parts.append(_ESCAPED.sub(r"\1", found[1]))
        at = found.end()
    return parts, at


def extension(text: str) -> dict[str, str]:
    """The keys and values behind the head."""
    keys: dict[str, str] = {}
    key = _KEY.search(text)
    while key is not None:
        following = _KEY.search(text, key.end())
        value = text[key.end():following.start() if following else len(text)]
        keys.setdefault(key[1], _ESCAPED.sub(_unescaped, value.rstrip()))
        key = following
    return keys


def _unescaped(found: re.Match[str]) -> str:
    return {"n": "\n", "r": "\r"}.get(found[1], found[1] if found[1] in "\\=|" else found[0])


def _url(keys: dict[str, str]) -> str:
    """The URL; one that leaves out its scheme, as Zscaler writes it, is told by the host that it begins with."""
    url, host = keys.get("request") or keys.get("requestUrl", ""), keys.get("dhost", "").lower()
    if not host or not url.lower().startswith((f"{host}/", f"{host}:")):
        return url
    return f"{'https' if keys.get('app', '').lower() == 'https' else 'http'}://{url}"


def _bytes(head: dict[str, str], keys: dict[str, str]) -> tuple[str, str]:
    """How many bytes the client sent and got; empty where it is not known which is which."""
    made_by = head["DeviceVendor"], head["DeviceProduct"]
    sent, received = next((names for maker, names in _SENT
                           if all(map(str.startswith, made_by, maker))), ("", ""))
    return keys.get(sent, ""), keys.get(received, "")


def _duration(keys: dict[str, str]) -> str:
    """How many seconds a session took; empty where the record does not say."""
    labelled = (keys.get(name, "") for name in _LABELLED if _SECONDS.search(keys.get(f"{name}Label", "")))
    return keys.get("FTNTFGTduration") or keys.get("ad.duration") or next(labelled, "")


def _fields(channel: str, head: dict[str, str], keys: dict[str, str]) -> Fields:
    named: Fields = {}
    sent, received = _bytes(head, keys)
    if channel == PROXY:
        named = WebRequest(
            client=keys.get("src", ""), client_port=keys.get("spt", ""), server=keys.get("dst", ""),
            server_port=keys.get("dpt", ""), method=keys.get("requestMethod", ""),
            url=_url(keys), host=keys.get("dhost", ""),
            status=keys.get("outcome", ""), agent=keys.get("requestClientApplication"),
            referrer=keys.get("requestContext", ""), cookie=keys.get("requestCookies", ""),
            user=keys.get("suser", ""), sent=sent, received=received,
            action=keys.get("act", "")).fields()
    elif channel == FIREWALL:
        named = {new: keys[own] for new, own in (
            ("src_ip", "src"), ("src_port", "spt"), ("dst_ip", "dst"), ("dst_port", "dpt"), ("action", "act"))
            if own in keys}
        named |= {name: value for name, value in (
            ("cs-bytes", sent), ("sc-bytes", received), ("duration", _duration(keys))) if value}
        action = keys.get("act", "")
        if _BLOCKED.search(action) or _ALLOWED.search(action):
            named["blocked"] = "true" if _BLOCKED.search(action) else "false"
    return {**head, **keys, **named}
