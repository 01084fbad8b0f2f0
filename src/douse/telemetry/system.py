"""Read a nested record in two steps: its JSON text in, first a Head (channel, id, time, host, ...), later its fields.

The Head is what routes a record: it costs as little as searching the text (measured: 2 to 3 µs a record, as five
`str.find` do) and, other than a search, cannot be fooled by the same keys inside EventData or by quotes in values.
msgspec skips EventData without building it; `fields_of` decodes that when a rule asks. What the typed decoder does not
take (an old time format, odd types) is read again the slow, tolerant way.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import msgspec

from douse.telemetry.fields import Fields, integer, nested_fields, system_fields


class Head(NamedTuple):
    """What is known of a record before its data are decoded. The time is in UTC.

    `event_data` and `user_data` are their JSON, NOTHING where the record has none; None where the record is not of the
    one shape of which all is known (System has an element that Windows' schema does not, a message was rendered).
    """

    channel: str
    event_id: int
    host: str
    provider: str
    record_id: int
    time: datetime
    event_data: msgspec.Raw | None = None
    user_data: msgspec.Raw | None = None


NOTHING: Final = msgspec.Raw(b"null")
_SHORTEST_TIME: Final = len("2026-11-03T08:14:00")
_FIRST_YEAR: Final = 2
_LAST_YEAR: Final = 9998
_FINER_THAN_MICROSECONDS: Final = re.compile(r"(\.\d{6})\d+")


class _ProviderName(msgspec.Struct, gc=False):
    Name: str = ""


class _Provider(msgspec.Struct, gc=False):
    attributes: _ProviderName = msgspec.field(name="#attributes", default_factory=_ProviderName)


class _Instant(msgspec.Struct, gc=False):
    SystemTime: str | float


class _TimeCreated(msgspec.Struct, gc=False):
    attributes: _Instant = msgspec.field(name="#attributes")


class _Number(msgspec.Struct, gc=False):
    text: int = msgspec.field(name="#text")


class _System(msgspec.Struct, gc=False, forbid_unknown_fields=True):
    EventID: int | _Number
    Channel: str
    Computer: str
    TimeCreated: _TimeCreated
    Provider: _Provider
    EventRecordID: int
    Version: msgspec.Raw = NOTHING
    Level: msgspec.Raw = NOTHING
    Task: msgspec.Raw = NOTHING
    Opcode: msgspec.Raw = NOTHING
    Keywords: msgspec.Raw = NOTHING
    Correlation: msgspec.Raw = NOTHING
    Execution: msgspec.Raw = NOTHING
    Security: msgspec.Raw = NOTHING


class _Event(msgspec.Struct, gc=False):
    System: _System
    EventData: msgspec.Raw = NOTHING
    UserData: msgspec.Raw = NOTHING
    RenderingInfo: msgspec.Raw = NOTHING


class _Document(msgspec.Struct, gc=False):
    Event: _Event


class _SystemOnly(msgspec.Struct, gc=False):
    System: dict[str, Any]


class _DocumentOfSystem(msgspec.Struct, gc=False):
    Event: _SystemOnly


_decode_system = msgspec.json.Decoder(_DocumentOfSystem).decode
_decode = msgspec.json.Decoder(_Document, strict=False).decode  # not strict: some logs write numbers as text


def head_of(text: str) -> Head | None:
    """The Head of a record's JSON text; None where the text is no record with channel, id and time."""
    try:
        event = _decode(text).Event
    except (ValueError, RecursionError):
        return _tolerant_head(text)
    system = event.System
    event_id = system.EventID if isinstance(system.EventID, int) else system.EventID.text
    if event_id >> 32 or system.EventRecordID >> 64:  # negative or beyond what Windows has
        return _tolerant_head(text)
    stated = system.TimeCreated.attributes.SystemTime
    if isinstance(stated, float) or len(stated) < _SHORTEST_TIME:
        return _tolerant_head(text)
    try:
        time = datetime.fromisoformat(stated)  # what is finer than a microsecond it cuts off, msgspec would round
    except ValueError:
        return _tolerant_head(text)
    head = (system.Channel, event_id, system.Computer, system.Provider.attributes.Name, system.EventRecordID,
            time if time.tzinfo is UTC and _FIRST_YEAR <= time.year <= _LAST_YEAR else in_utc(time))
    return Head(*head, event.EventData, event.UserData) if event.RenderingInfo is NOTHING else Head(*head)


def fields_beside_data(text: str) -> Fields:
    """The fields of the System part alone of a record that has a Head."""
    try:
        system: object = _decode_system(text).Event.System
    except (ValueError, RecursionError):  # a number beyond all bounds, which a Head passes over
        system = _event_of(text).get("System")
    return system_fields(system)


def fields_of(text: str) -> Fields:
    """The fields of a record that has a Head, under Sigma's names."""
    return nested_fields(_event_of(text))


def _event_of(text: str) -> Mapping[str, Any]:
    """What lies under `Event`, read in the tolerant way; empty where nothing does."""
    document = decode_document(text)
    event = document.get("Event") if document else None
    return event if isinstance(event, Mapping) else {}


def in_utc(time: datetime) -> datetime:
    """The time in UTC; one without a zone is taken as UTC, which is what System/TimeCreated is.

    A time in the first or last year of the calendar, which only a broken or forged record has, is moved into the next
    one that is not: nothing could be reckoned from it, "ten minutes later" is no time there.
    """
    year = min(max(time.year, _FIRST_YEAR), _LAST_YEAR)
    if year != time.year:
        time = time.replace(year=year)  # neither 1 nor 9999 is a leap year
    return time.replace(tzinfo=UTC) if time.tzinfo is None else time.astimezone(UTC)


def parse_time(value: object) -> datetime | None:
    """A time as logs write it (`2020-10-18T02:17:12.527Z`, `2020-10-18 02:17:12.527 UTC`), zone as stated if any.

    What is finer than a microsecond is cut off, not rounded: so the EVTX library does with Windows' ticks of 100 ns,
    and one record has one time in all formats.
    """
    if not isinstance(value, str):
        return None
    text = _FINER_THAN_MICROSECONDS.sub(r"\1", value.strip().removesuffix(" UTC"))
    try:
        return msgspec.convert(text, datetime)
    except ValueError:
        return None


def _tolerant_head(text: str) -> Head | None:
    system = _event_of(text).get("System")
    return head_of_system(system) if isinstance(system, Mapping) else None


def head_of_system(system: Mapping[str, Any]) -> Head | None:
    """The Head of a decoded System element of any shape; None without channel, event id or time."""
    channel, host = system.get("Channel"), system.get("Computer")
    event_id = system.get("EventID")
    if isinstance(event_id, Mapping):
        event_id = event_id.get("#text")
    number = integer(event_id, -1)
    stated = _attribute(system, "TimeCreated", "SystemTime")
    time = parse_time(stated) or _since_1970(stated)
    if not isinstance(channel, str) or not channel or number < 0 or time is None:
        return None
    provider = _attribute(system, "Provider", "Name")
    return Head(channel, number, host if isinstance(host, str) else "", provider if isinstance(provider, str) else "",
                integer(system.get("EventRecordID")), in_utc(time))


def _since_1970(seconds: object) -> datetime | None:
    """The time that some converters write as a number."""
    try:
        return datetime.fromtimestamp(seconds, UTC) if isinstance(seconds, (int, float)) else None
    except (ValueError, OverflowError, OSError):
        return None


def _attribute(system: Mapping[str, Any], element: str, name: str) -> object:
    for key in (element, f"{element}_attributes"):
        value = system.get(key)
        if isinstance(value, Mapping):
            attributes = value.get("#attributes", value)
            if isinstance(attributes, Mapping) and name in attributes:
                found: object = attributes[name]
                return found
    return None


def decode_document(text: str) -> dict[str, Any] | None:
    """A JSON object in full, also with what msgspec refuses (unpaired surrogates, NaN, endless numbers), or None.

    An unpaired surrogate becomes "?", so that every text in an Event can be encoded.
    """
    try:
        document = msgspec.json.decode(text)
    except (ValueError, RecursionError):
        try:
            loaded = json.loads(text, strict=False, parse_constant=str, parse_float=_finite, parse_int=_short)
            document = msgspec.json.decode(json.dumps(loaded, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return None
    return document if isinstance(document, dict) else None


def _short(digits: str) -> int | str:
    return int(digits) if len(digits) <= 20 else digits


def _finite(digits: str) -> float | str:
    number = float(digits)
    return number if math.isfinite(number) else digits
