"""One record of a Windows event log, before it is written: what System says, and the event's own data by name.

records.py and noise.py make them, jsonl_writer.py and evtx_writer.py write them, both so that a reader gets the same.
`numbered` gives each channel its own running record ids, as Windows does; until then `record_id` is 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from douse.simulate.values import Value


@dataclass(frozen=True, slots=True)
class Record:
    """One log record. `process_id` and `thread_id` are those of the logging process, not of what it tells about.

    `user_sid` and `activity_id` are empty where the record has none. `data` keeps its order.
    """

    channel: str
    provider: str
    provider_guid: str
    event_id: int
    version: int
    level: int
    task: int
    opcode: int
    keywords: int
    time: datetime
    computer: str
    process_id: int
    thread_id: int
    data: Mapping[str, Value]
    user_sid: str = ""
    activity_id: str = ""
    record_id: int = 0


def numbered(records: Iterable[Record], first: Mapping[str, int], default: int = 1) -> Iterator[Record]:
    """The records in the given order with ids that run within each channel, from `first` of it on."""
    following: dict[str, int] = {}
    for record in records:
        number = following.get(record.channel, first.get(record.channel, default))
        following[record.channel] = number + 1
        yield replace(record, record_id=number)
