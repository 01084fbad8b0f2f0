"""Read W3C extended logs: `#Fields:` names the columns, then a line a request. IIS, ProxySG, TMG, other proxies.

Date and time are UTC by the standard; where a log gives the time alone, the date is that of the last `#Date:`. Columns
are separated by blanks (TMG: tabs), a value with blanks is quoted. Columns keep their names, and Sigma's names are
added (webrequest.py). A log of IIS or of Windows' HTTP driver is a web server's, all others a proxy's. IIS writes the
blanks of a user agent as "+"; `cs-user-agent` and `c-useragent` have blanks again, `cs(User-Agent)` stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import BinaryIO, Final

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.fields import Fields
from douse.telemetry.limits import Limits
from douse.telemetry.textlog import NETWORK, Parsed, Record, local_side, note_empty, read_lines
from douse.telemetry.times import clf, epoch, iso
from douse.telemetry.wanted import Wanted
from douse.telemetry.webrequest import ABSENT, PROXY, WEB_SERVER, WebRequest, is_absolute

NO_FIELDS: Final = "no #Fields line before it says what its columns are"
WRONG_COUNT: Final = "not as many columns as #Fields names"
NO_TIME: Final = "no date and time that can be read"
_NEXT_STEPS: Final = {NO_FIELDS: "Put the header (#Fields) of a log of the same server before it and read it again."}
_TOKEN: Final = re.compile(r'"((?:[^"]|"")*)"(?=\s|$)|(\S+)')
_WEB_SERVERS: Final = ("internet information services", "microsoft http api")
_AGENT: Final = frozenset({"cs(user-agent)", "c-agent", "cs-user-agent"})
_ONLY_IIS: Final = frozenset({"s-sitename", "sc-win32-status", "s-reason"})

Columns = Mapping[str, str]


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a W3C log; a line that does not fit its columns is a counted loss."""
    parser = _Parser()
    yield from read_lines(parser.parse, "", stream, source, wanted, tally, limits, _NEXT_STEPS)
    note_empty(parser.rows, source, tally)


class _Parser:
    """What the directives of a file have said so far; a log that was restarted says it again."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._software = self._date = ""
        self._is_server = self._keeps_agents = False
        self.rows = 0

    def parse(self, line: str) -> Parsed:
        if line.startswith("#"):
            self._directive(line)
            return None
        self.rows += 1
        if not self._names:
            return NO_FIELDS
        values = _values(line)
        if len(values) != len(self._names):
            return WRONG_COUNT
        columns = {name: value for name, value in zip(self._names, values, strict=True) if value not in ABSENT}
        time = _time(columns, self._date)
        if time is None:
            return NO_TIME
        decode = partial(_fields, columns, iis=self._is_server, keeps_agents=self._keeps_agents)
        if self._is_server:
            host = columns.get("s-computername") or columns.get("s-ip") or NETWORK
            return Record(WEB_SERVER, host, time, decode)
        return Record(PROXY, local_side(columns.get("c-ip", ""), ""), time, decode)

    def _directive(self, line: str) -> None:
        name, _, value = line[1:].partition(":")
        value = value.strip()
        match name.strip().lower():
            case "software":
                self._software = value.lower()
            case "date":
                self._date = value[:10]
            case "fields":
                self._names = tuple(name.lower() for name in value.split())
                self._is_server = self._software.startswith(_WEB_SERVERS) or bool(_ONLY_IIS & {*self._names})
                self._keeps_agents = bool(_AGENT & {*self._names})


def _values(line: str) -> Sequence[str]:
    if "\t" in line:
        return [value.strip('"') for value in line.split("\t")]
    if '"' not in line:
        return line.split()
    return [found[2] if found[2] is not None else found[1].replace('""', '"') for found in _TOKEN.finditer(line)]


def _time(columns: Columns, date: str) -> datetime | None:
    day, clock = columns.get("date", date), columns.get("time", "")
    if day and clock:
        return iso(f"{day}T{clock}Z")
    for name in ("gmttime", "localtime"):
        if name in columns:
            return clf(columns[name].strip("[]"))
    return epoch(columns.get("x-timestamp-unix-utc") or columns.get("timestamp", ""))


def _fields(columns: Columns, *, iis: bool, keeps_agents: bool) -> Fields:
    def first(*names: str) -> str:
        return next((columns[name] for name in names if name in columns), "")

    agent = first(*sorted(_AGENT))
    request = WebRequest(
        client=first("c-ip"), client_port=first("c-port"), method=first("cs-method", "s-operation"), url=_url(columns),
        server=first("s-ip") if iis else first("r-ip", "r-supplier-ip", "s-supplier-ip", "cs-ip"),
        server_port=first("s-port") if iis else first("r-port", "cs-uri-port"),
        host=first("cs-host", "cs(host)", "r-host"), version=first("cs-version", "cs-protocol-version"),
        status=first("sc-status"),
        agent=(agent.replace("+", " ") if iis else agent) if keeps_agents else None,
        referrer=first("cs(referer)", "cs-referred", "cs-referer"), cookie=first("cs(cookie)", "cs-cookie"),
        user=first("cs-username", "cs-user", "cs-userdn"), sent=first("cs-bytes"), received=first("sc-bytes"),
        milliseconds=first("time-taken"), action=first("s-action", "sc-filter-result", "s-object-source"),
        content_type=first("rs(content-type)", "cs-mime-type"))
    return {**columns, **request.fields()}


def _url(columns: Columns) -> str:
    """The URL as one text: as logged, or put together from its columns."""
    whole = columns.get("cs-uri", "")
    if is_absolute(whole):
        return whole
    path = columns.get("cs-uri-path") or columns.get("cs-uri-stem") or whole
    query = columns.get("cs-uri-query", "").removeprefix("?")
    path += f"?{query}" if query else ""
    scheme, host = columns.get("cs-uri-scheme"), columns.get("cs-host") or columns.get("r-host")
    if not scheme or not host:
        return path
    port = columns.get("cs-uri-port", "")
    return f"{scheme}://{host}{f':{port}' if port not in ('', '80', '443', '0') and ':' not in host else ''}{path}"
