"""Read what Splunk exports as raw events of its classic input: blocks of text, one a record; Events out.

A record begins with a line that is a time alone; splunk_text.py says what is in it. JSON and CSV exports, in which the
same text is in `_raw`, are exports.py's and csvlog.py's; XML events, one a line, are xmllog.py's.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import TOO_LONG, lose
from douse.telemetry.exports import as_document
from douse.telemetry.limits import Limits
from douse.telemetry.lines import Line, lines
from douse.telemetry.relay import Document, relay
from douse.telemetry.splunk_text import begins_record
from douse.telemetry.wanted import Wanted


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a raw export, in its order; what cannot be read is counted on the tally."""
    yield from relay(_documents(stream, source, wanted, tally, limits), source, wanted, tally, limits)


def _documents(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Document]:
    for block in _blocks(lines(stream, limits.max_line), limits.max_line):
        if block.broken:
            lose(block.broken, block.number, source, tally)
        elif block.text.strip("\0 \r\n"):
            yield from as_document({"_raw": block.text}, block.number, source, wanted, tally)


def _blocks(found: Iterator[Line], max_length: int) -> Iterator[Line]:
    """The records, each as one text with the number of its first line; one longer than `max_length` is only named."""
    number, held, length, broken = 1, list[str](), 0, ""
    for line in found:
        if begins_record(line.text):
            if held or broken:
                yield Line(number, "\n".join(held), broken)
            number, held, length, broken = line.number, [], 0, ""
        length += len(line.text) + 1
        broken = broken or line.broken or (TOO_LONG if length > max_length else "")
        if broken:
            held = []
        else:
            held.append(line.text)
    if held or broken:
        yield Line(number, "\n".join(held), broken)
