"""Read Windows events from JSON: a stream of documents in, Events out; what is broken or no event is a counted loss.

Two shapes: nested as evtx_dump writes it (`{"Event": {"System": ...}}`, system.py) and flattened as log shippers do
(flattened.py). documents.py finds the documents, in whatever way they are strung together.
A flattened file may show only later how far its times are from UTC, so its first records wait for that, up to
MAX_WAITING of them and as text; nothing else waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from functools import partial
from typing import Any, BinaryIO, Final

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import NO_EVENT, NOT_JSON, lose
from douse.telemetry.documents import Documents
from douse.telemetry.fields import Fields
from douse.telemetry.flattened import Clock, flattened_fields, flattened_head, states_no_zone
from douse.telemetry.limits import MIB, Limits
from douse.telemetry.system import Head, decode_document, fields_of, head_of
from douse.telemetry.wanted import Wanted

MAX_WAITING: Final = 20_000
MAX_WAITING_CHARACTERS: Final = 32 * MIB
_EXPORT_TO_XML: Final = "Get-WinEvent's objects hold no event data by name. Export with their ToXml()."
_EXPORT_AS: Final = "Export events as evtx_dump -o jsonl writes them, or with Channel, EventID and TimeCreated."
_AS_STATED: Final = timedelta()


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a JSON stream, in its order; anything else in it is counted on the tally."""
    found = Documents(stream, limits.max_line)
    flattened = _Flattened(source, wanted, tally)
    for document in found:
        text = document.text
        if '"System"' in text and (head := head_of(text)):
            found.found_event()
            yield from flattened.release()
            yield from emit_head(head, source, wanted, tally, partial(fields_of, text))
            continue
        record = decode_document(text) if text else None
        events = None if record is None else flattened.take(record, text)
        if events is not None:
            found.found_event()
            yield from events
        elif not document.fragment:
            reason = document.broken or (NOT_JSON if record is None else NO_EVENT)
            lose(reason, document.line, source, tally, document.records,
                 _advice(record) if reason == NO_EVENT else "")
    yield from flattened.release()


def _advice(record: Mapping[str, Any] | None) -> str:
    return _EXPORT_TO_XML if record and {"LogName", "Id", "ProviderName"} <= record.keys() else _EXPORT_AS


def emit_head(head: Head, source: Source, wanted: Wanted, tally: Tally,
              decode: Callable[[], Fields]) -> Iterator[Event]:
    """Count the record, and yield it if somebody wants it."""
    accepted = wanted.accepts(head.channel, head.event_id)
    tally.count(head.host, head.channel, head.event_id, head.time, accepted)
    if accepted:
        yield Event(channel=head.channel, event_id=head.event_id, time=head.time, host=head.host,
                    provider=head.provider, record_id=head.record_id, source=source, decode=decode)


class _Flattened:
    """The flattened records of one stream; the first ones wait until the stream has shown its offset from UTC."""

    def __init__(self, source: Source, wanted: Wanted, tally: Tally) -> None:
        self._source, self._wanted, self._tally = source, wanted, tally
        self._clock = Clock()
        self._waiting: list[tuple[str, timedelta | None]] = []
        self._waits = True
        self._characters = 0
        self._noted: set[timedelta | None] = {_AS_STATED}

    def take(self, record: dict[str, Any], text: str) -> Iterator[Event] | None:
        """The events that are certain now, this one and those that waited; None if it is no event at all."""
        offset = self._clock.learn(record)
        head = flattened_head(record, self._in_force(offset))
        if head is None:
            return None
        if not self._waits:
            return self._emit(record, head, offset)
        self._waiting.append((text, offset))
        self._characters += len(text)
        waits = (self._clock.offset is None and len(self._waiting) < MAX_WAITING
                 and self._characters < MAX_WAITING_CHARACTERS)
        return iter(()) if waits else self.release()

    def release(self) -> Iterator[Event]:
        """Yield what still waits; nothing waits from here on."""
        if self._waiting:
            self._waits = False
        waiting, self._waiting = self._waiting, []
        for text, offset in waiting:
            record = decode_document(text) or {}
            head = flattened_head(record, self._in_force(offset))
            if head is not None:
                yield from self._emit(record, head, offset)

    def _in_force(self, offset: timedelta | None) -> timedelta:
        """The record's own offset, else the last one the stream has shown, else none."""
        return offset if offset is not None else self._clock.offset or _AS_STATED

    def _emit(self, record: dict[str, Any], head: Head, offset: timedelta | None) -> Iterator[Event]:
        shown = self._clock.offset if offset is None else offset
        if shown not in self._noted:
            self._note(record, shown)
        return emit_head(head, self._source, self._wanted, self._tally, partial(flattened_fields, record, head))

    def _note(self, record: dict[str, Any], offset: timedelta | None) -> None:
        """Tell the reader of the result, once, that times are not as the file states them."""
        if offset is not None:
            hours = abs(offset) / timedelta(hours=1)
            way = "behind" if offset > _AS_STATED else "ahead of"
            self._tally.note(f"{self._source}: stated times are {hours:g} h {way} UTC by its own evidence; corrected")
        elif states_no_zone(record):
            self._tally.note(f"{self._source}: times state no zone and nothing tells it; taken as UTC")
        self._noted.add(offset)
