"""Read Windows events from XML: what wevtutil, PowerShell's ToXml, Event Viewer and Splunk write, Events out.

`<Events>` documents, elements one after the other without a root, one a line, UTF-8 or UTF-16: only the elements
matter. We look for `<Event` and `</Event>` in the text and give each element to the parser by itself (event_xml.py),
which an XML parser over the whole file could not do: it stops at the first damage. An element inside another is not
possible, so a second `<Event` shows that the first was cut off, and `</Event>` alone that its start was destroyed;
both are one lost record. A broken element counts as many records as it has `<System>`. A document type definition is
refused and counted. Memory is one element (and 1 MiB of text).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import BinaryIO, Final, NamedTuple, TextIO

from douse.model import Event, Loss, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import NO_EVENT, TOO_LONG, lose
from douse.telemetry.decoding import decoded
from douse.telemetry.event_xml import parse_event
from douse.telemetry.fields import nested_fields
from douse.telemetry.jsonl import emit_head
from douse.telemetry.limits import MIB, Limits
from douse.telemetry.system import head_of_system
from douse.telemetry.wanted import Wanted

NOT_XML: Final = "broken XML"
NO_END: Final = "the event has no end"
NO_START: Final = "the event has no beginning"
DEFINITION: Final = "a document type definition, which no event log has; it was not read"
GARBAGE: Final = "bytes between events that are none"
_NEXT_STEPS: Final = {
    NO_END: "Look for a complete copy of the file.",
    NO_EVENT: "Export events with `wevtutil qe LOG /f:xml`.",
    DEFINITION: "Export the events anew; a definition can only change what they say.",
}
_MARK: Final = re.compile(r"<(/?)(?:[\w.-]{1,20}:)?Event(?=[\s/>])|<!DOCTYPE")
_LONGEST_MARK: Final = 64
_PLAIN: Final = re.compile(r"</?Event[\s/>]")
_PLAIN_END: Final = "</Event>"
_BETWEEN: Final = re.compile(
    r"(?:[\s,\ufeff]|<\?[^>]{0,1000}\?>|</?[A-Za-z][^<>]{0,1000}>|<!--(?:[^-]|-(?!->))*+-->)*+")
"""What may stand between events: blanks, the XML declaration, the tags of whatever holds them, comments."""
_DEFINITION_END: Final = re.compile(r"[^\[>]*+(?:>|\[.*?\]\s*>)", re.DOTALL)


class Element(NamedTuple):
    """An element's first line in the file, and its text or what is wrong with it (`records`: how many were lost)."""

    line: int
    text: str
    broken: str = ""
    records: int | None = 1


class Elements:
    """The `<Event>` elements of a text, and what is in the way of reading it; one longer than `max_length` is lost."""

    def __init__(self, text: TextIO, max_length: int) -> None:
        self._text, self._max_length = text, max_length
        self._buffer = ""
        self._at = 0
        self._line = 1
        self._ended = False
        self._garbage = False  # whether what was passed over since the last event was something else
        self._defined = False
        self._lost_inside = False  # whether this place is inside an event that was too long

    def __iter__(self) -> Iterator[Element]:
        while (found := self._next_mark()) is not None:
            if not found[1]:  # what stands in front of an end alone is the rest of that event
                yield from self._gap(found.start())
            self._advance(found.start())
            inside, self._garbage, self._lost_inside = self._lost_inside, False, False
            if found[0] == "<!DOCTYPE":
                yield Element(self._line, "", DEFINITION, None)
                self._skip_definition()
            elif found[1]:
                if not inside:
                    yield Element(self._line, "", NO_START)
                self._advance(found.end() + 1)
            else:
                yield self._element(found.end())
        yield from self._gap(len(self._buffer))

    def _fill(self) -> bool:
        """Read on; what was dealt with is let go. False at the end."""
        if self._ended:
            return False
        data = self._text.read(max(MIB, len(self._buffer) - self._at))
        self._ended = not data
        self._buffer = self._buffer[self._at:] + data
        self._at = 0
        return True

    def _advance(self, to: int) -> None:
        to = min(to, len(self._buffer))
        self._line += self._buffer.count("\n", self._at, to)
        self._at = to

    def _next_mark(self) -> re.Match[str] | None:
        """Where the next event or definition begins; what is passed over is looked at and let go."""
        while True:
            found = _MARK.search(self._buffer, self._at)
            if found is not None:
                return found
            if len(self._buffer) - self._at > MIB:
                self._pass_over()
            if not self._fill():
                return None

    def _pass_over(self) -> None:
        to = len(self._buffer) - _LONGEST_MARK
        self._garbage = self._garbage or _BETWEEN.fullmatch(self._buffer, self._at, to) is None
        self._advance(to)

    def _gap(self, end: int) -> Iterator[Element]:
        """A loss for what stands in front of an event, unless it is what may stand there."""
        if self._lost_inside:
            return
        if self._garbage or _BETWEEN.fullmatch(self._buffer, self._at, end) is None:
            yield Element(self._line, "", GARBAGE, None)

    def _skip_definition(self) -> None:
        """Go behind a document type definition, so that nothing in it is taken for an event."""
        found = _DEFINITION_END.match(self._buffer, self._at) if not self._defined else None
        self._defined = True  # a file can have one; of many, looking for each one's end would take for ever
        self._advance(found.end() if found else self._at + len("<!DOCTYPE"))

    def _element(self, searched: int) -> Element:
        """The element that begins at this place; moves behind it, or to where the next one begins."""
        line = self._line
        end = self._plain_end(searched)
        if end >= 0:
            return self._taken(end)
        while True:
            found = _MARK.search(self._buffer, searched)
            if found is not None:
                break
            searched = max(len(self._buffer) - _LONGEST_MARK, searched)
            if len(self._buffer) - self._at > self._max_length:
                self._advance(searched)
                self._lost_inside = True
                return Element(line, "", TOO_LONG)
            searched -= self._at
            if not self._fill():
                return self._cut_off(len(self._buffer))
        if not found[1]:
            return self._cut_off(found.start())
        end = self._buffer.find(">", found.end())
        return self._taken(end + 1 if end >= 0 else len(self._buffer))

    def _plain_end(self, searched: int) -> int:
        """Where an element without a prefix ends, if it is all here and no other begins in it; nearly all are such."""
        found = _PLAIN.search(self._buffer, searched)
        if found is None or found[0] != _PLAIN_END or self._buffer.find(":Event", searched, found.start()) >= 0:
            return -1
        return found.end()

    def _taken(self, end: int) -> Element:
        line, text = self._line, self._buffer[self._at:end]
        self._advance(end)
        if len(text) > self._max_length:
            return Element(line, "", TOO_LONG)
        return Element(line, text, records=_records_of(text))

    def _cut_off(self, end: int) -> Element:
        """An event that ends where the next one or the end of the file is."""
        cut = Element(self._line, "", NO_END, _records_of(self._buffer[self._at:end]))
        self._advance(end)
        return cut


def _records_of(text: str) -> int:
    """How many records a piece of XML was, as far as it shows."""
    return max(text.count("<System>"), 1)


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of XML events, in the stream's order; anything else in it is counted on the tally."""
    found_any = False
    with decoded(stream) as text:
        for element in Elements(text, limits.max_line):
            found_any = True
            sections = parse_event(element.text) if element.text else None
            system = sections.get("System") if sections else None
            head = head_of_system(system) if isinstance(system, dict) else None
            if sections is None or head is None:
                _lose(element, source, tally, parsed=sections is not None)
                continue
            yield from emit_head(head, source, wanted, tally, partial(nested_fields, sections))
    if not found_any:
        tally.lose(Loss(source, "", "no <Event> in this file", None, "Export events with `wevtutil qe LOG /f:xml`."))


def _lose(element: Element, source: Source, tally: Tally, *, parsed: bool) -> None:
    reason = element.broken or (NO_EVENT if parsed else NOT_XML)
    lose(reason, element.line, source, tally, element.records, _NEXT_STEPS.get(reason, ""))
