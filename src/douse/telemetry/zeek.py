"""Read Zeek's tab-separated logs: conn.log, http.log and all others, by the header that says what their columns are.

Header lines may come again anywhere, where logs were strung together. Times are seconds since 1970 in UTC. Columns keep
their names (`id.orig_h`) and their text, also Zeek's `\\x09`; a bool becomes true or false, a set or vector a list, an
unset column is absent. A log without `ts` has no events and is passed over with a note. What Sigma's proxy, dns and
firewall rules ask for is added (`sigma_names`). The counterpart for JSON is zeek_json.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import partial
from typing import BinaryIO, Final

from douse.model import Event, Source, Value
from douse.telemetry.coverage import Tally
from douse.telemetry.fields import Fields
from douse.telemetry.limits import Limits
from douse.telemetry.textlog import Parsed, Record, local_side, note_empty, read_lines
from douse.telemetry.times import epoch
from douse.telemetry.wanted import Wanted
from douse.telemetry.webrequest import WebRequest

PROVIDER: Final = "Zeek"
NO_FIELDS: Final = "no #fields line before it says what its columns are"
WRONG_COUNT: Final = "not as many columns as #fields names"
NO_TIME: Final = "no time in column ts"
_NEXT_STEPS: Final = {NO_FIELDS: "Put the header (#fields) of a log of the same kind before it and read it again."}
UNKNOWN: Final = "unknown"
CLIENTS: Final = ("id.orig_h", "tx_hosts", "client_addr", "assigned_addr")
SERVERS: Final = ("id.resp_h", "rx_hosts", "server_addr")

_PATH: Final = re.compile(r"[A-Za-z0-9_]{1,64}")
_NAME: Final = re.compile(r"([a-z0-9_]+?)(?:[._-]\d.*|\..*)?", re.ASCII)
LOGS: Final = frozenset({
    "conn", "dce_rpc", "dhcp", "dns", "dpd", "files", "ftp", "http", "irc", "kerberos", "known_hosts", "known_services",
    "ldap", "ldap_search", "modbus", "mqtt_connect", "mysql", "notice", "ntlm", "ntp", "pe", "quic", "radius", "rdp",
    "rfb", "sip", "smb_cmd", "smb_files", "smb_mapping", "smtp", "snmp", "socks", "software", "ssh", "ssl", "syslog",
    "tunnel", "weird", "websocket", "x509"})
"""The logs Zeek writes under these names; a file's name is believed only if it is one of them."""
_ESCAPED: Final = re.compile(r"\\x([0-9a-fA-F]{2})")
_BOOLEANS: Final = {"T": True, "F": False}


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a Zeek log; a line that does not fit its header is a counted loss."""
    parser = _Parser(path_of_name(source.member or source.path))
    yield from read_lines(parser.parse, PROVIDER, stream, source, wanted, tally, limits, _NEXT_STEPS)
    note_empty(parser.rows, source, tally)
    if parser.passed_over:
        tally.note(f"{source}: {parser.passed_over} lines of a Zeek log without times were passed over")


class _Parser:
    """What the header has said so far."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._tab, self._comma, self._empty, self._unset = "\t", ",", "(empty)", "-"
        self._names: tuple[str, ...] = ()
        self._types: tuple[str, ...] = ()
        self._ts = -1
        self._clients: tuple[int, ...] = ()
        self._servers: tuple[int, ...] = ()
        self.rows = self.passed_over = 0

    def parse(self, line: str) -> Parsed:
        if line.startswith("#"):
            self._directive(line)
            return None
        self.rows += 1
        if not self._names:
            return NO_FIELDS
        if self._ts < 0:
            self.passed_over += 1
            return None
        values = line.split(self._tab)
        if len(values) != len(self._names):
            return WRONG_COUNT
        time = epoch(values[self._ts])
        if time is None:
            return NO_TIME
        host = local_side(self._first(values, self._clients), self._first(values, self._servers))
        return Record(f"Zeek/{self._path}", host, time, partial(self._fields, values, self._names, self._types))

    def _first(self, values: Sequence[str], places: Sequence[int]) -> str:
        found = next((values[place] for place in places if values[place] not in (self._unset, self._empty)), "")
        return found.partition(self._comma)[0]

    def _directive(self, line: str) -> None:
        if line.startswith("#separator"):
            self._tab = _unescaped(line[len("#separator"):].strip()) or "\t"
            return
        name, _, value = line[1:].partition(self._tab)
        match name:
            case "set_separator":
                self._comma = value or ","
            case "empty_field":
                self._empty = value
            case "unset_field":
                self._unset = value
            case "path":
                self._path = channel_part(value)
            case "fields":
                self._names, self._types = tuple(value.split(self._tab)), ()
                self._ts = self._names.index("ts") if "ts" in self._names else -1
                self._clients = tuple(self._names.index(name) for name in CLIENTS if name in self._names)
                self._servers = tuple(self._names.index(name) for name in SERVERS if name in self._names)
            case "types":
                self._types = tuple(value.split(self._tab))

    def _fields(self, values: Sequence[str], names: Sequence[str], types: Sequence[str]) -> Fields:
        kinds = types if len(types) == len(names) else ("",) * len(names)
        fields = {name: self._value(text, kind) for name, text, kind in zip(names, values, kinds, strict=True)
                  if text != self._unset}
        return {**fields, **sigma_names(self._path, fields)}

    def _value(self, text: str, kind: str) -> Value:
        if kind == "bool":
            return _BOOLEANS.get(text, text)
        if kind.startswith(("set[", "vector[")):
            return [] if text == self._empty else text.split(self._comma)
        return "" if text == self._empty else text


def _unescaped(text: str) -> str:
    return _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)


def channel_part(path: str) -> str:
    """The name of a log as a part of a channel's name; "unknown" where it is none."""
    return path if _PATH.fullmatch(path) else UNKNOWN


def path_of_name(name: str) -> str:
    """`conn` of `2026-11-24/conn.10:00:00-11:00:00.log.gz`, for logs that do not say what they are."""
    found = _NAME.fullmatch(re.split(r"[/\\!]", name)[-1].lower())
    return found[1] if found and found[1] in LOGS else UNKNOWN


def sigma_names(path: str, fields: Fields) -> Fields:
    """What a record has under Sigma's names for proxies, name servers and firewalls, besides its own columns."""
    def text(name: str) -> str:
        value = fields.get(name)
        return "" if value is None or isinstance(value, list) else str(value)

    named: Fields = {new: fields[own] for new, own in (
        ("src_ip", "id.orig_h"), ("src_port", "id.orig_p"), ("dst_ip", "id.resp_h"), ("dst_port", "id.resp_p"))
        if own in fields}
    if path == "dns":
        named |= {new: fields[own] for new, own in (("answer", "answers"), ("record_type", "qtype_name"))
                  if own in fields}
    elif path == "http":
        named |= WebRequest(
            method=text("method"), url=_url(text("host"), text("uri"), text("id.resp_p")), host=text("host"),
            version=text("version"), status=text("status_code"), agent=text("user_agent"),
            referrer=text("referrer"), user=text("username"), sent=text("request_body_len"),
            received=text("response_body_len")).fields()
    return named


def _url(host: str, uri: str, port: str) -> str:
    """The URL of a request that was not made to a proxy, where it says its host."""
    if not uri.startswith("/") or not host:
        return uri
    shown = host if ":" in host or port in ("", "80") else f"{host}:{port}"
    return f"http://{shown}{uri}"
