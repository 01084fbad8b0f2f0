"""What the readers of line-by-line logs share: a parser for one line in, the `read` of a whole file out.

A parser says of a line what Record it is, why it cannot be read (a counted Loss), or None where it holds no record,
such as a header. Network logs have no event ids, no record ids and no host of their own:

- The event id is 0 unless the format has kinds of records. The channels are named in content/logsources.yml.
- `record_id` is a number made from the record's text, so that one record read from two copies is one record. Two lines
  that are equal to the byte are therefore one record too.
- `Event.host` is the machine that did it: the client, or the server where only that is inside (`local_side`).
  Coverage is counted under NETWORK instead, because a sensor that sees a thousand machines tells nothing about what
  they themselves log.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import BinaryIO, Final, NamedTuple

from douse.model import Event, Source
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import CARRIAGES, ZEROS, lose
from douse.telemetry.fields import Fields
from douse.telemetry.limits import Limits
from douse.telemetry.lines import lines
from douse.telemetry.wanted import Wanted

NETWORK: Final = "(network)"
"""The host under which the records of network logs are counted, and of an event that names no machine."""

_PRIVATE: Final = tuple(map(ipaddress.ip_network, (
    "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "::1/128",
    "fc00::/7", "fe80::/10")))  # not ipaddress.is_private: it has the documentation ranges, which examples use


class Record(NamedTuple):
    """One record: where it belongs, whose it is, when it was (UTC), and how to decode the rest."""

    channel: str
    host: str
    time: datetime
    decode: Callable[[], Fields]
    event_id: int = 0
    record_id: int = 0
    """0 where the log has none: then it is made from the text."""
    counted_as: str = NETWORK


Parsed = Record | str | None
"""What a line is: a record; the reason of a loss; or nothing, such as a header."""


def read_lines(parse: Callable[[str], Parsed], provider: str, stream: BinaryIO, source: Source, wanted: Wanted,
               tally: Tally, limits: Limits, next_steps: Mapping[str, str] | None = None) -> Iterator[Event]:
    """The wanted records of a text log; a line that cannot be read is one lost record. `next_steps` says for reasons of
    the parser what to do."""
    for line in lines(stream, limits.max_line):
        text = line.text
        if text.startswith("\0"):
            lose(ZEROS, line.number, source, tally, records=None)
            text = text.lstrip("\0")
        parsed = line.broken or (parse(text) if text else None)
        if isinstance(parsed, Record):
            yield from emit(parsed, text, provider, source, wanted, tally)
        elif parsed:
            lose(parsed, line.number, source, tally, next_step=(next_steps or {}).get(parsed, ""))
        elif "\r" in text:  # a whole log may hide in what looks like a header
            lose(CARRIAGES, line.number, source, tally, records=None)


def emit(record: Record, text: str, provider: str, source: Source, wanted: Wanted, tally: Tally) -> Iterator[Event]:
    """Count a record, and yield it if somebody wants it."""
    accepted = wanted.accepts(record.channel, record.event_id)
    tally.count(record.counted_as, record.channel, record.event_id, record.time, accepted)
    if accepted:
        yield Event(channel=record.channel, event_id=record.event_id, time=record.time, host=record.host,
                    provider=provider, record_id=record.record_id or content_id(text), source=source,
                    decode=record.decode)


def note_empty(rows: int, source: Source, tally: Tally) -> None:
    """Tell the reader of the result that a log or answer has a header and nothing else: it may be new, or cut off."""
    if not rows:
        tally.note(f"{source}: a header and no record")


def content_id(text: str) -> int:
    """A number for a record without one: the same for the same text, and exact in JavaScript (53 bits)."""
    return int.from_bytes(blake2b(text.encode("utf-8", "replace"), digest_size=7).digest()) >> 3


def local_side(client: str, server: str) -> str:
    """Of two addresses the machine the record is about: the client, or the server where only that is a private one."""
    if client and (_is_private(client) or not _is_private(server)):
        return client
    return server or NETWORK


@lru_cache(maxsize=65_536)
def _is_private(address: str) -> bool:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed.version == network.version and parsed in network for network in _PRIVATE)
