"""Read Squid's own access.log: a line for each request that was answered, its time when it ended, in UTC.

    1795514712.123    245 10.1.2.3 TCP_MISS/200 507 POST http://example.com/api anna HIER_DIRECT/203.0.113.7 text/html

Fields by place: end in seconds, milliseconds it took, client, result/status, bytes to the client, method, URL, user,
way/server, content type; some configurations append more. The bytes a client sent are not in it. Squid's "combined"
format is read by access.py.
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
from douse.telemetry.textlog import Parsed, Record, local_side, read_lines
from douse.telemetry.times import epoch
from douse.telemetry.wanted import Wanted
from douse.telemetry.webrequest import PROXY, WebRequest

NO_LINE: Final = "no line of Squid's access.log"
_PLACES: Final = 6  # before the URL, which alone may hold blanks
_AFTER_URL: Final = 3
_RESULT: Final = re.compile(r"[A-Z][A-Z_]*/(?:\d{3}|-)")
_WAY: Final = re.compile(r"[A-Z][A-Z_0-9]*/\S+")


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a Squid access.log; a line that is none is a counted loss."""
    return read_lines(_parse, "Squid", stream, source, wanted, tally, limits)


def _parse(line: str) -> Parsed:
    parts = line.split(None, _PLACES)
    if len(parts) <= _PLACES or _RESULT.fullmatch(parts[3]) is None:
        return NO_LINE
    time = epoch(parts[0])
    rest = parts[_PLACES].split()
    way = _way(rest)
    if time is None or way < 0:
        return NO_LINE
    return Record(PROXY, local_side(parts[2], ""), time, partial(_fields, parts, rest, way))


def _way(rest: list[str]) -> int:
    """Where `HIER_DIRECT/203.0.113.7` stands: third, behind URL and user; later if the URL has blanks."""
    if len(rest) > _AFTER_URL and _WAY.fullmatch(rest[2]):
        return 2
    return next((at for at in range(len(rest) - 2, 2, -1) if _WAY.fullmatch(rest[at])), -1)


def _fields(parts: list[str], rest: list[str], way: int) -> Fields:
    action, _, status = parts[3].partition("/")
    server = rest[way].partition("/")[2]
    return WebRequest(client=parts[2], server=server, method=parts[5], url=" ".join(rest[:way - 1]), status=status,
                      user=rest[way - 1], received=parts[4], milliseconds=parts[1], action=action,
                      content_type=rest[way + 1]).fields()
