"""Read access logs in the common and the combined format, as Squid, Apache and nginx write them.

    10.1.2.3 - anna [24/Nov/2026:10:11:12 +0100] "GET http://example.com/ HTTP/1.1" 200 512 "-" "Mozilla/5.0" ...

A request for an absolute URL or a tunnel was made to a proxy; one for a path, to a web server. The line may begin with
the virtual host (`www.example.com:443`); Squid appends its result. A request line that is no request, such as the
start of TLS on a plain port, is a record all the same. Times carry their zone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.fields import Fields
from douse.telemetry.limits import Limits
from douse.telemetry.textlog import NETWORK, Parsed, Record, local_side, read_lines
from douse.telemetry.times import clf
from douse.telemetry.wanted import Wanted
from douse.telemetry.webrequest import PROXY, WEB_SERVER, WebRequest, is_absolute, without_port

NO_LINE: Final = "no line of an access log"
_QUOTED: Final = r'"((?:[^"\\]++|\\.)*+)"'
_LINE: Final = re.compile(
    r"(?:(?P<site>\S+:\d{1,5}) )?(?P<client>\S+) (?P<ident>\S+) (?P<user>[^\[\"]{1,500}?) \[(?P<time>[^\]]{1,60})\] "
    + _QUOTED.replace("(", "(?P<request>", 1) + r" (?P<status>\d{3}|-) (?P<bytes>\d+|-)"
    + f"(?: {_QUOTED.replace('(', '(?P<referrer>', 1)} {_QUOTED.replace('(', '(?P<agent>', 1)})?"
    + r"(?: (?P<result>[A-Z_]+):\S+)?.*", re.DOTALL)
_REQUEST: Final = re.compile(r"(?P<method>\S+) (?P<url>.*?)(?: (?P<version>HTTP/[\d.]+))?", re.DOTALL)


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of an access log; a line that is none is a counted loss."""
    return read_lines(_parse, "", stream, source, wanted, tally, limits)


def _parse(line: str) -> Parsed:
    found = _LINE.fullmatch(line)
    time = clf(found["time"]) if found else None
    if found is None or time is None:
        return NO_LINE
    request = _request(found)
    if is_absolute(request.url) or request.method == "CONNECT":
        return Record(PROXY, local_side(request.client, ""), time, request.fields)
    site = found["site"]
    return Record(WEB_SERVER, without_port(site) if site else NETWORK, time, partial(_of_a_server, request, site or ""))


def _request(found: re.Match[str]) -> WebRequest:
    asked = _REQUEST.fullmatch(found["request"])
    request = WebRequest(
        client=found["client"], user=found["user"], status=found["status"], received=found["bytes"],
        referrer=found["referrer"] or "", agent=found["agent"], action=found["result"] or "",
        url=found["request"])
    if asked is not None:
        request.method, request.url, request.version = asked["method"], asked["url"], asked["version"] or ""
    return request


def _of_a_server(request: WebRequest, site: str) -> Fields:
    request.host = site
    return request.fields()
