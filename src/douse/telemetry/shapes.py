"""Records as a platform exports them: a decoded document in, a shape that jsonl.py reads out, or why there is none.

    {"_source": R}  {"fields": R}         a hit of Elasticsearch
    {"result": R}   {"event": R, ...}     a line of Splunk's search export; an event for Splunk's HTTP collector
    R with _raw, or event, message or System that is XML: the record's own text (splunk_text.py)
    R with winlog.*, or with log_name and event_id (elastic.py); a row of EvtxECmd (evtxecmd.py)
    R with data that have no names (fluent.py)
    R with EventCode and _time: fields that Splunk extracted, without the text

What is none of these is handed on as it is: it may be an event in a shape that jsonl.py knows, or no event.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from douse.telemetry.elastic import from_elastic, is_elastic
from douse.telemetry.envelope import is_empty
from douse.telemetry.event_xml import parse_event
from douse.telemetry.evtxecmd import from_evtxecmd, is_evtxecmd
from douse.telemetry.fluent import from_fluent, is_fluent
from douse.telemetry.splunk_text import Unreadable, from_classic
from douse.telemetry.system import decode_document
from douse.telemetry.times import epoch

Record = Mapping[str, Any]

BROKEN_XML: Final = "the event's XML is broken"
BROKEN_JSON: Final = "the event's JSON is broken"
BROKEN_PAYLOAD: Final = "the column Payload is no JSON"
_RAW: Final = ("_raw", "event", "message", "System")
_DEEPEST: Final = 4
"""So many wrappings lie around a record: a hit, a result, an event, its raw text."""


Shaped = dict[str, Any] | Unreadable
"""A record that jsonl.py may read, or why there is none."""
_ACTIONS: Final = frozenset({"index", "create"})
_PROGRESS: Final = frozenset({"preview", "offset", "lastrow", "messages"})


def is_no_record(record: Record) -> bool:
    """Whether a document is what platforms write between records: a bulk request's action, the end of a search, a page
    without hits, as the last one of a scroll is."""
    if len(record) == 1 and record.keys() <= _ACTIONS:
        (action,) = record.values()
        return isinstance(action, dict) and all(name.startswith("_") for name in action)
    return bool(record) and (record.keys() <= _PROGRESS or is_empty(record))


def shaped(record: Record) -> Shaped:
    """The record in a shape that jsonl.py reads, or why it cannot be read."""
    for _ in range(_DEEPEST):
        inner = _unwrapped(record)
        if inner is None:
            break
        record = {**_platform_time(record), **inner}
    raw = next((record[name] for name in _RAW if isinstance(record.get(name), str) and _is_raw(name, record)), "")
    if raw:
        return _from_text(raw.strip(), record)
    if is_elastic(record):
        return from_elastic(record)
    if is_evtxecmd(record):
        return from_evtxecmd(record) or Unreadable(BROKEN_PAYLOAD)
    if is_fluent(record):
        return from_fluent(record)
    if "EventCode" in record and "EventID" not in record:
        return _extracted(record)
    return dict(record)


def _unwrapped(record: Record) -> Record | None:
    """What lies inside a wrapping; None where there is none."""
    for name in ("_source", "result"):
        if isinstance(record.get(name), dict):
            return dict(record[name])
    if isinstance(record.get("fields"), dict) and "winlog.channel" in record["fields"]:
        return dict(record["fields"])
    if isinstance(record.get("event"), dict) and "sourcetype" in record and "winlog" not in record:
        return dict(record["event"])
    return None


def _platform_time(record: Record) -> dict[str, Any]:
    """When the HTTP collector's event was, in seconds since 1970, as Splunk names it later."""
    return {"_time": record["time"]} if "sourcetype" in record and "time" in record else {}


def _is_raw(name: str, record: Record) -> bool:
    """Whether a text is the record's own: always in _raw, else only if it is XML or comes from the HTTP collector."""
    text: str = record[name].lstrip()
    return bool(text) and (name == "_raw" or text.startswith("<Event") or (name == "event" and "sourcetype" in record))


def _from_text(raw: str, record: Record) -> Shaped:
    """A record from its own text: XML, a JSON document, or Splunk's classic text."""
    if raw.startswith("<"):
        sections = parse_event(raw)
        if sections is None or not isinstance(sections.get("System"), dict):
            return Unreadable(BROKEN_XML)
        return {"Event": sections}
    if raw.startswith("{"):
        inner = decode_document(raw)
        if inner is None:
            return Unreadable(BROKEN_JSON)
        return from_elastic(inner) if is_elastic(inner) else inner
    return from_classic(raw, utc_time(record))


def utc_time(record: Record) -> str:
    """Splunk's `_time` as ISO 8601 with its zone, from that or from seconds since 1970; empty where it has none."""
    time = record.get("_time", record.get("time"))
    if isinstance(time, int | float) or (isinstance(time, str) and time.replace(".", "", 1).isdecimal()):
        instant = epoch(str(time))
        return instant.isoformat() if instant else ""
    return time if isinstance(time, str) else ""


def _extracted(record: Record) -> dict[str, Any]:
    """A flattened record from the fields that Splunk extracted; those it made itself begin with an underscore."""
    kept = {name: value for name, value in record.items() if not name.startswith("_") and name != "EventCode"}
    return {"TimeCreated": utc_time(record), **kept, "EventID": record["EventCode"]}
