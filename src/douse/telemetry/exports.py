"""Read Windows events from JSON that Elastic or Splunk exported: a stream of documents in, Events out.

shapes.py says what such a document is. It becomes one of the shapes that jsonl.py reads, which then does the rest
(relay.py); a document that has such a shape already, in a mixed file, is read all the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any, BinaryIO

import msgspec

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import NOT_JSON, lose
from douse.telemetry.documents import Documents
from douse.telemetry.flattened import flattened_head
from douse.telemetry.limits import Limits
from douse.telemetry.relay import Document, relay
from douse.telemetry.shapes import is_no_record, shaped
from douse.telemetry.splunk_text import Unreadable
from douse.telemetry.system import decode_document
from douse.telemetry.wanted import Wanted


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a JSON export, in its order; anything else in it is counted on the tally."""
    yield from relay(_documents(stream, source, wanted, tally, limits), source, wanted, tally, limits)


def _documents(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Document]:
    found = Documents(stream, limits.max_line)
    for document in found:
        record = decode_document(document.text) if document.text else None
        if record is not None:
            if not document.fragment or _is_event(record):
                found.found_event()
                yield from as_document(record, document.line, source, wanted, tally)
        elif not document.fragment:
            lose(document.broken or NOT_JSON, document.line, source, tally, document.records)


def _is_event(record: Mapping[str, Any]) -> bool:
    """Whether what was found inside a broken document is an event of its own."""
    made = shaped(record)
    return isinstance(made, dict) and ("Event" in made or flattened_head(made, timedelta()) is not None)


def as_document(record: Mapping[str, Any], line: int, source: Source, wanted: Wanted,
                tally: Tally) -> Iterator[Document]:
    """The record as jsonl.py reads it. One that cannot be read is a loss, unless it is of a kind that nobody wants."""
    if is_no_record(record):
        return
    made = shaped(record)
    if isinstance(made, Unreadable):
        if made.channel and made.event_id >= 0 and not wanted.accepts(made.channel, made.event_id):
            tally.count(made.host, made.channel, made.event_id, None, wanted=False)
        else:
            lose(made.reason, line, source, tally, next_step=made.next_step)
        return
    try:
        text = msgspec.json.encode(made)
    except (RecursionError, UnicodeEncodeError, ValueError):
        lose("nested too deep to be an event", line, source, tally)
    else:
        yield line, text
