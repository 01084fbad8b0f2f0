"""Read a Windows event log file (EVTX): a seekable stream in, Events out, every loss reconciled with the chunk headers.

Each 64 KiB chunk is given to the evtx library as a file of its own, behind a header we make. That costs no more than
one parser over the whole file (131,000 records per CPU-second both ways on our logs), keeps memory flat, needs nothing
of the file's own header, and tells exactly which chunk lost how many records: lost = stated by its header - read.
A chunk that gives more than it states loses nothing and is noted (none of 386 real logs has one).
chunks.py says which chunks there are. An exported log renumbers its records; our record id is System/EventRecordID.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO, Final

from evtx import PyEvtxParser

from douse.model import Event, Loss, Source
from douse.telemetry.chunks import (
    FILE_HEADER_SIZE,
    FILE_MAGIC,
    MAX_RECORDS,
    WHOLE,
    Chunk,
    ChunkRange,
    FileHeader,
    Gap,
    survey,
)
from douse.telemetry.coverage import Tally
from douse.telemetry.limits import Limits
from douse.telemetry.links import without_circles
from douse.telemetry.record import nested_event
from douse.telemetry.system import head_of
from douse.telemetry.wanted import Wanted

_PANIC: Final = "PanicException"
"""What a bug of a library written in Rust becomes: no Exception, and of a module that cannot be imported."""
_OTHER_COPY: Final = "Look for another copy of this log (shadow copy, backup, log server)."


def _one_chunk_header() -> bytes:
    """A file header for a file of one chunk."""
    fields = struct.pack("<8sQQQIHHHH76xI", FILE_MAGIC, 0, 0, 1, 128, 1, 3, FILE_HEADER_SIZE, 1, 0)
    return (fields + struct.pack("<I", zlib.crc32(fields[:120]))).ljust(FILE_HEADER_SIZE, b"\x00")


_HEADER: Final = _one_chunk_header()


def read(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally,
         limits: Limits) -> Iterator[Event]:  # noqa: ARG001 - every reader has this signature; a chunk is its own limit
    """The wanted records of an EVTX file, in the file's order; damage is counted on the tally and read past."""
    yield from read_range(stream, source, wanted, tally, WHOLE)


def read_range(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, part: ChunkRange) -> Iterator[Event]:
    """The same of some chunks of it; the stream stands at its start. All ranges of a file lose what the file loses."""
    start = stream.read(FILE_HEADER_SIZE)
    header = FileHeader.parse(start)
    if len(start) < FILE_HEADER_SIZE:
        tally.lose(Loss(source, "file header", "the file ends inside its header", None, _OTHER_COPY))
        return
    if not header.intact and part.first == 0:
        tally.lose(Loss(source, "file header", "damaged; its chunks were read without it", 0))
    if part.first:
        stream.seek(part.offset)
    for found in survey(stream, header, part):
        if isinstance(found, Gap):
            _lose_gap(found, source, tally)
        else:
            yield from _read_chunk(found, source, wanted, tally)


def _lose_gap(gap: Gap, source: Source, tally: Tally) -> None:
    where = f"chunk {gap.first}" if gap.first == gap.last else f"chunks {gap.first} to {gap.last}"
    extent = "how many records it held is unknown" if gap.records is None else f"kept 0 of {gap.records} records"
    tally.lose(Loss(source, where, f"{gap.reason}; {extent}", gap.records, _OTHER_COPY))


def _read_chunk(chunk: Chunk, source: Source, wanted: Wanted, tally: Tally) -> Iterator[Event]:
    kept = 0
    for text in _texts(chunk):
        head = head_of(text)
        if head is None:
            continue
        kept += 1
        channel, event_id, host, _, _, time, _, _ = head
        accepted = wanted.accepts(channel, event_id)
        tally.count(host, channel, event_id, time, accepted)
        if accepted:
            yield nested_event(head, source, text)
    if kept < chunk.records:
        what = "record data damaged" if chunk.complete else "the file ends inside it"
        tally.lose(Loss(source, f"chunk {chunk.index}", f"{what}; kept {kept} of {chunk.records} records",
                        chunk.records - kept, _OTHER_COPY))
    elif kept > chunk.records:
        tally.note(f"{source}: chunk {chunk.index} states {chunk.records} records and holds {kept}; all were read")


def _texts(chunk: Chunk) -> Iterator[str]:
    """The JSON text of every record the library can read; after an error it goes on with the next one."""
    try:
        data = _HEADER + without_circles(chunk.data)
        records = iter(PyEvtxParser(io.BytesIO(data), number_of_threads=1).records_json())
    except (RuntimeError, OSError):
        return
    for _ in range(MAX_RECORDS):  # a bound, should damage ever lead the library in a circle
        try:
            record = next(records)
        except StopIteration:
            return
        except (RuntimeError, OSError):
            continue
        except BaseException as error:
            if type(error).__name__ != _PANIC:
                raise
            return  # the library does not know itself any more; what it leaves unread is counted
        if record is not None:
            yield record["data"]
