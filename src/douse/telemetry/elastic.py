"""Records as Elastic's shippers write them: a decoded document in, one of the shapes that jsonl.py reads out.

Winlogbeat 7 and later, Elastic Agent and Filebeat's winlog input put a record under `winlog` (names by their ECS field
reference); Winlogbeat 5 and 6 put the same at the top. Exports flatten it to `winlog.event_data.Image` (Kibana's CSV,
the `fields` of a search). What they do to a record (beats, winlogbeat/sys/winevent/event.go and maputil.go): empty
values are left out, CR LF becomes LF, unnamed data become param1, param2, ..., keywords, task, opcode and level become
words. So `event.original`, the record's own XML, is read instead where it was kept.

Where all data are param1 and so on, `Data` is added, as other readers call unnamed data. Times are UTC, except in
Kibana's CSV, which has the zone of whoever exported it and does not say it; such a record becomes a flattened one,
whose zone flattened.py looks for. Kibana writes "-" where a record has nothing, so there that is no value, and
numbers in groups of three digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from douse.telemetry.event_xml import parse_event
from douse.telemetry.fields import system_fields
from douse.telemetry.flattened import provider_of
from douse.telemetry.system import parse_time
from douse.telemetry.times import english

AUDIT_KEYWORDS: Final = {"audit success": "0x8020000000000000", "audit failure": "0x8010000000000000"}
"""What the words for a Security record's keywords stand for, in any case."""
_LEVELS: Final = {"critical": 1, "error": 2, "warning": 3, "information": 4, "verbose": 5}
_OLD_NAMES: Final = {"log_name": "channel", "source_name": "provider_name", "record_number": "record_id"}
_PARAMETER: Final = re.compile(r"param\d+")
_MOST_STEPS: Final = 3
"""winlog.process.thread.id has so many dots; a name with more is none of ours."""
_DATA: Final = ("winlog.event_data.", "winlog.user_data.")
_ROUTING: Final = ("Channel", "EventID", "Computer", "Provider_Name", "EventRecordID")
"""What is System's where data of the same name would hide it."""
_GROUPED: Final = re.compile(r"\d{1,3}(?:,\d{3})+")
_KIBANA: Final = " @ "
"""What stands between date and time in Kibana's CSV."""
_ABSENT: Final = "-"

Record = Mapping[str, Any]


def is_elastic(record: Record) -> bool:
    """Whether a document is a record in one of these shapes."""
    return (isinstance(record.get("winlog"), dict) or "winlog.channel" in record or "winlog.event_id" in record
            or ("log_name" in record and "event_id" in record))


def from_elastic(record: Record) -> dict[str, Any]:
    """The record as a nested event, or as a flattened one if its time states no zone."""
    if not isinstance(record.get("winlog"), dict):
        record = _from_dotted(record) if "log_name" not in record else _from_old(record)
    original = _text(_part(record, "event"), "original")
    sections = parse_event(original.strip()) if original.lstrip().startswith("<") else None
    if sections and isinstance(sections.get("System"), dict):
        return {"Event": sections}
    log = record["winlog"]
    time = str(log.get("time_created") or record.get("@timestamp") or "")
    system = _system(record, log)
    parsed = parse_time(time)
    if parsed is not None and parsed.tzinfo is not None:
        system["TimeCreated"] = {"#attributes": {"SystemTime": time}}
        return {"Event": {"System": system, **_data(log), **_message(record, log)}}
    kibana = english(time.replace(_KIBANA, " "))
    stated = kibana.replace(tzinfo=None).isoformat() if kibana else time
    return {**_flattened(system, log, stated), **_message(record, log).get("RenderingInfo", {})}


def _system(record: Record, log: Record) -> dict[str, Any]:
    event, process, user = _part(record, "event"), _part(log, "process"), _part(log, "user")
    event_id = log.get("event_id", event.get("code"))
    channel = _text(log, "channel")
    provider = _text(log, "provider_name") or _text(event, "provider")
    level = _text(_part(record, "log"), "level") or _text(log, "level")
    system = {
        "Provider": _attributes(Name=provider or provider_of(channel, int(event_id) if _is_id(event_id) else 0),
                                Guid=log.get("provider_guid")) or {},
        "EventID": event_id,
        "Version": log.get("version"),
        "Level": _LEVELS.get(level.lower()),
        "Task": log.get("task"),
        "Opcode": log.get("opcode"),
        "Keywords": _keywords(log.get("keywords")),
        "EventRecordID": log.get("record_id", 0),
        "Correlation": _attributes(ActivityID=log.get("activity_id"), RelatedActivityID=log.get("related_activity_id")),
        "Execution": _attributes(ProcessID=process.get("pid"), ThreadID=_part(process, "thread").get("id")),
        "Channel": channel or None,
        "Computer": _text(log, "computer_name") or _text(_part(record, "host"), "name"),
        "Security": _attributes(UserID=user.get("identifier")),
    }
    return {name: value for name, value in system.items() if value is not None}


def _is_id(value: object) -> bool:
    return isinstance(value, int) or (isinstance(value, str) and value.isdecimal() and len(value) < 10)


def _attributes(**attributes: object) -> dict[str, Any] | None:
    present = {name: value for name, value in attributes.items() if value not in (None, "")}
    return {"#attributes": present} if present else None


def _keywords(words: object) -> object:
    """The audit bits if they are among the words, else the words."""
    for word in words if isinstance(words, list) else [words]:
        if isinstance(word, str) and word.lower() in AUDIT_KEYWORDS:
            return AUDIT_KEYWORDS[word.lower()]
    return words


def _data(log: Record) -> dict[str, Any]:
    """EventData and UserData."""
    sections: dict[str, Any] = {}
    data, user_data = _part(log, "event_data"), _part(log, "user_data")
    if data:
        sections["EventData"] = with_unnamed(data)
    if user_data:
        name = str(user_data.get("xml_name") or "Data")
        sections["UserData"] = {name: {key: value for key, value in user_data.items() if key != "xml_name"}}
    return sections


def with_unnamed(data: Record) -> dict[str, Any]:
    """The data, with `Data` added where the names are param1, param2 and so on."""
    if "Data" in data or not all(map(_PARAMETER.fullmatch, data)):
        return dict(data)
    in_order = sorted(data, key=lambda name: (len(name), name))
    return {**data, "Data": [data[name] for name in in_order]}


def _message(record: Record, log: Record) -> dict[str, Any]:
    message = _text(record, "message") or _text(log, "message")
    return {"RenderingInfo": {"Message": message}} if message else {}


def _flattened(system: Record, log: Record, stated: str) -> dict[str, Any]:
    """The record as log shippers flatten it; its time is as stated."""
    named = system_fields(system)
    flat = {name: value for data in _data(log).values() for name, value in data.items()}
    return {**named, **flat, **{name: named[name] for name in _ROUTING if name in named}, "TimeCreated": stated}


def _from_old(record: Record) -> dict[str, Any]:
    """A document of Winlogbeat 5 or 6 as later ones have it."""
    log = {_OLD_NAMES.get(name, name): value for name, value in record.items()}
    log["process"] = {"pid": log.get("process_id"), "thread": {"id": log.get("thread_id")}}
    return {**record, "winlog": log, "log": {"level": str(record.get("level") or "")}}


def _from_dotted(record: Record) -> dict[str, Any]:
    """A document whose names are paths; values may be lists of one, as in the `fields` of a search."""
    nested: dict[str, Any] = {"winlog": {}}
    shown = _KIBANA in str(record.get("@timestamp"))
    for path, value in record.items():
        if shown and value == _ABSENT:
            continue
        single = value[0] if isinstance(value, list) and len(value) == 1 else value
        prefix = next((prefix for prefix in _DATA if path.startswith(prefix)), "")
        if shown and not prefix and isinstance(single, str) and _GROUPED.fullmatch(single):
            single = single.replace(",", "")
        steps = [*prefix.split(".")[:2], path[len(prefix):]] if prefix else path.split(".", _MOST_STEPS)
        _put(nested, steps, single)
    return nested


def _put(nested: dict[str, Any], steps: list[str], value: object) -> None:
    for step in steps[:-1]:
        inner = nested.setdefault(step, {})
        if not isinstance(inner, dict):
            return
        nested = inner
    nested.setdefault(steps[-1], value)


def _part(record: Record, name: str) -> Record:
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def _text(record: Record, name: str) -> str:
    value = record.get(name)
    return value if isinstance(value, str) else ""
