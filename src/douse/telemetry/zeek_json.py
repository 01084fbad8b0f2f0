"""Read Zeek's JSON logs: documents in, Events out, with the same channels and fields as from the tab-separated logs.

A record says which log it is of by `_path` where a log shipper added it; else its own keys tell (`_TOLD_BY`), else the
file's name. `ts` is seconds since 1970, milliseconds, or ISO 8601 in UTC. `{"id": {"orig_h": ...}}` is read as
`id.orig_h`. documents.py finds the documents and what is broken between them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO, Final

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import NOT_JSON, lose
from douse.telemetry.documents import Documents
from douse.telemetry.fields import Fields, scalar
from douse.telemetry.limits import Limits
from douse.telemetry.system import decode_document
from douse.telemetry.textlog import Record, emit, local_side
from douse.telemetry.times import epoch, iso
from douse.telemetry.wanted import Wanted
from douse.telemetry.zeek import CLIENTS, PROVIDER, SERVERS, channel_part, path_of_name, sigma_names

NO_EVENT: Final = "no record of a Zeek log (no ts in it)"
_TOLD_BY: Final = (  # keys that a log always writes and no other log has
    ("conn", ("conn_state",)), ("http", ("trans_depth", "request_body_len")), ("smtp", ("trans_depth", "tls")),
    ("dns", ("AA", "rejected")), ("ssl", ("established", "resumed")), ("x509", ("certificate.serial",)),
    ("files", ("fuid", "analyzers")), ("smb_files", ("action", "path", "name")), ("dce_rpc", ("named_pipe",)),
    ("kerberos", ("request_type",)), ("rdp", ("security_protocol",)), ("notice", ("note", "actions")),
    ("weird", ("name", "notice")),
)


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a Zeek JSON log; a document that is none is a counted loss."""
    found = Documents(stream, limits.max_line)
    named = path_of_name(source.member or source.path)
    for document in found:
        row = decode_document(document.text) if document.text else None
        record = None if row is None else _record(row, named)
        if record is not None:
            found.found_event()
            yield from emit(record, document.text, PROVIDER, source, wanted, tally)
        elif not document.fragment:
            lose(document.broken or (NOT_JSON if row is None else NO_EVENT), document.line, source, tally,
                 document.records)


def _record(row: Mapping[str, Any], named: str) -> Record | None:
    time = _time(row.get("ts"))
    if time is None:
        return None
    row = _flat(row)
    said = row.get("_path")
    path = channel_part(said) if isinstance(said, str) else _told_by_keys(row) or named
    return Record(f"Zeek/{path}", local_side(_first(row, CLIENTS), _first(row, SERVERS)), time,
                  partial(_fields, row, path))


def _time(value: object) -> datetime | None:
    if isinstance(value, str):
        return iso(value) or epoch(value)
    return epoch(str(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else None


def _flat(row: Mapping[str, Any]) -> Mapping[str, Any]:
    if not any(isinstance(value, dict) for value in row.values()):
        return row
    flat: dict[str, Any] = {}
    for name, value in row.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{inner}": deep for inner, deep in value.items()}
        else:
            flat[name] = value
    return flat


def _told_by_keys(row: Mapping[str, Any]) -> str:
    return next((path for path, keys in _TOLD_BY if all(key in row for key in keys)), "")


def _first(row: Mapping[str, Any], names: tuple[str, ...]) -> str:
    for name in names:
        value = row.get(name)
        first = value[0] if isinstance(value, list) and value else value
        if isinstance(first, str):
            return first
    return ""


def _fields(row: Mapping[str, Any], path: str) -> Fields:
    fields: Fields = {name: scalar(value) for name, value in row.items() if value is not None}
    return {**fields, **sigma_names(path, fields)}
