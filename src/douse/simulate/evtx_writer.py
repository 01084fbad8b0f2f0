"""Records to an EVTX file: header, chunks of 64 KiB, each with its checksums and its own names and templates.

Only one chunk is in memory; the file header is written last, because it counts the chunks, so a stream must be able to
seek. The number in a record's header runs through the file, from the first record's id on: that is what readers
reconcile with the chunk headers. EventRecordID is the record's own, since a file may hold several channels.
binxml.py makes the content of a record; telemetry/evtx.py reads what is written here.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from douse.errors import OutputError
from douse.simulate import binxml
from douse.simulate.record import Record
from douse.simulate.values import Value

CHUNK_BYTES = 0x10000
FILE_HEADER_BYTES = 0x1000
MOST_CHUNKS = 0xFFFF
_CHUNK_HEADER_BYTES = 0x200
_RECORD_HEADER = struct.Struct("<IIQQ")
_RECORD_MAGIC = 0x00002A2A
_INSTANCE = struct.Struct("<BBII")
_LONGEST_NAME = 0xFF
_NULL: binxml.Encoded = (binxml.NULL, b"")

_Defined = tuple[bytes, dict[str, int], list[int]]
_templates: dict[tuple[object, ...], _Defined] = {}
"""Templates made so far, without the link to the next one: in the second chunk the same bytes lie at the same place."""
_MOST_TEMPLATES = 4096


class _Full(Exception):
    """The chunk has no room for this record."""


class _Chunk:
    """A chunk that is being filled."""

    def __init__(self) -> None:
        self.data = bytearray(_CHUNK_HEADER_BYTES)
        self.names = binxml.Names()
        self.templates: dict[binxml.Shape, int] = {}
        self.template_heads = [0] * 32
        self.last_record = 0
        self.records = 0

    def add(self, number: int, record: Record) -> None:
        """Append a record; raises _Full, and leaves the chunk as it was, where it does not fit."""
        shape, values = _values(record)
        at = len(self.data)
        instance_at = at + _RECORD_HEADER.size + len(binxml.FRAGMENT)
        definition_at = self.templates.get(shape)
        guid = binxml.template_guid(shape)
        new: tuple[bytes, binxml.Names] | None = None
        if definition_at is None:
            definition_at = instance_at + _INSTANCE.size
            new = self._define(shape, guid, definition_at)
        body = b"".join((
            binxml.FRAGMENT, _INSTANCE.pack(0x0C, 1, int.from_bytes(guid[:4], "little"), definition_at),
            new[0] if new else b"", values, binxml.END_OF_STREAM,
        ))
        size = (_RECORD_HEADER.size + len(body) + 4 + 7) // 8 * 8
        if at + size >= CHUNK_BYTES:  # libevtx 20181227 overlooks a record that ends exactly with its chunk
            raise _Full
        self.data += _RECORD_HEADER.pack(_RECORD_MAGIC, size, number, binxml.filetime(record.time))
        self.data += body
        self.data += bytes(at + size - 4 - len(self.data))
        self.data += size.to_bytes(4, "little")
        self.last_record = at
        self.records += 1
        if new:
            self.names = new[1]
            self.templates[shape] = definition_at
            self.template_heads[int.from_bytes(guid[:4], "little") % 32] = definition_at

    def _define(self, shape: binxml.Shape, guid: bytes, at: int) -> tuple[bytes, binxml.Names]:
        """The definition of a template at an offset, and the chunk's names after it."""
        complete = len(self.names.offsets) == len(binxml.ALL_NAMES)
        key = (shape, tuple(self.names.offsets.items()), 0 if complete else at)
        made = _templates.get(key)
        if made is None:
            names = binxml.Names(self.names.offsets, self.names.heads)
            xml = binxml.template(shape, names, at + 24)
            if len(_templates) >= _MOST_TEMPLATES:
                _templates.clear()
            made = _templates[key] = (guid + len(xml).to_bytes(4, "little") + xml, names.offsets, names.heads)
        following = self.template_heads[int.from_bytes(guid[:4], "little") % 32]
        return following.to_bytes(4, "little") + made[0], binxml.Names(made[1], made[2])

    def finish(self, first_number: int) -> bytes:
        """The whole chunk with header and checksums."""
        last_number = first_number + self.records - 1
        data, free = self.data, len(self.data)
        struct.pack_into("<8sQQQQIIII", data, 0, b"ElfChnk\0", first_number, last_number, first_number, last_number,
                         0x80, self.last_record, free, zlib.crc32(memoryview(data)[_CHUNK_HEADER_BYTES:]))
        struct.pack_into("<I64I32I", data, 0x7C, 0, *self.names.heads, *self.template_heads)
        struct.pack_into("<I", data, 0x7C, zlib.crc32(data[0x80:_CHUNK_HEADER_BYTES], zlib.crc32(data[:0x78])))
        return bytes(data) + bytes(CHUNK_BYTES - free)


def _values(record: Record) -> tuple[binxml.Shape, bytes]:
    """A record's shape, and its values as BinXML stores them: count, a size and type for each, then the bytes."""
    system = _system(record)
    parts = [raw for _, raw in system]
    head = [part for kind, raw in system for part in (len(raw), kind)]
    kinds = []
    for name, value in record.data.items():
        kind, raw = _encoded(record, name, value)
        kinds.append(kind)
        head += (len(raw), kind)
        parts.append(raw)
    count = len(parts)
    return (tuple(record.data), tuple(kinds)), struct.pack("<I" + "HBx" * count, count, *head) + b"".join(parts)


def _encoded(record: Record, name: str, value: Value) -> binxml.Encoded:
    """A value as BinXML has it; OutputError where an event log cannot hold it."""
    try:
        encoded = binxml.encode(value)
    except OverflowError:
        raise OutputError(_place(record), f"{name} is a number beyond 64 bits.") from None
    except ValueError:
        raise OutputError(_place(record), f"{name} holds a NUL or half a surrogate pair, which end or spoil a text in "
                          "an event log.", "Leave it out, or write JSON Lines.") from None
    if len(encoded[1]) > binxml.MOST_BYTES or len(name) > _LONGEST_NAME:
        raise OutputError(_place(record), f"{name[:_LONGEST_NAME]} has {len(encoded[1]):,} bytes of UTF-16, an event "
                          f"log holds {binxml.MOST_BYTES:,} in one value and {_LONGEST_NAME} characters in a name.",
                          "Shorten it, or write JSON Lines.")
    return encoded


def _system(record: Record) -> tuple[binxml.Encoded, ...]:
    """The values of binxml.SYSTEM's holes, in their order."""
    try:
        if max(len(record.provider), len(record.channel), len(record.computer)) > _LONGEST_NAME:
            raise ValueError(f"a name has more than {_LONGEST_NAME} characters")
        return (
            binxml.encode(record.provider),
            (binxml.GUID, binxml.guid_bytes(record.provider_guid)) if record.provider_guid else _NULL,
            (binxml.UINT16, record.event_id.to_bytes(2, "little")),
            (binxml.UINT8, record.version.to_bytes(1, "little")),
            (binxml.UINT8, record.level.to_bytes(1, "little")),
            (binxml.UINT16, record.task.to_bytes(2, "little")),
            (binxml.UINT8, record.opcode.to_bytes(1, "little")),
            (binxml.HEX64, record.keywords.to_bytes(8, "little")),
            (binxml.FILETIME, binxml.filetime(record.time).to_bytes(8, "little")),
            (binxml.UINT64, record.record_id.to_bytes(8, "little")),
            (binxml.GUID, binxml.guid_bytes(record.activity_id)) if record.activity_id else _NULL,
            (binxml.UINT32, record.process_id.to_bytes(4, "little")),
            (binxml.UINT32, record.thread_id.to_bytes(4, "little")),
            binxml.encode(record.channel),
            binxml.encode(record.computer),
            (binxml.SID, binxml.sid_bytes(record.user_sid)) if record.user_sid else _NULL,
        )
    except (OverflowError, ValueError) as error:
        raise OutputError(_place(record), f"a value of System does not fit its type ({error}).") from None


def _place(record: Record) -> str:
    return f"{record.channel} {record.event_id} #{record.record_id}"


class EvtxWriter:
    """Writes records to a seekable binary stream, one by one. The file is whole only after `close`."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._start = stream, stream.tell()
        self._chunk, self._chunks = _Chunk(), 0
        self._first = self._next = 0
        self.records = 0
        stream.write(bytes(FILE_HEADER_BYTES))

    def write(self, record: Record) -> None:
        """Append a record; raises OutputError where a single event exceeds what a chunk can hold."""
        if self.records == 0:
            self._first = self._next = record.record_id
        try:
            self._chunk.add(self._next, record)
        except _Full:
            self._flush()
            try:
                self._chunk.add(self._next, record)
            except _Full:
                raise OutputError(_place(record), "the event is larger than a chunk of 64 KiB, the most an event log "
                                  "can hold.", "Shorten its data, or write JSON Lines.") from None
        self._next += 1
        self.records += 1

    def close(self) -> None:
        """Write the last chunk and the file header; leaves the stream open, at its end."""
        self._flush()
        end = self._stream.tell()
        header = struct.pack("<8sQQQIHHHH76xI", b"ElfFile\0", 0, max(self._chunks - 1, 0), self._next, 0x80, 1, 3,
                             FILE_HEADER_BYTES, self._chunks, 0)
        self._stream.seek(self._start)
        self._stream.write(header + struct.pack("<I", zlib.crc32(header[:0x78])))
        self._stream.seek(end)

    def _flush(self) -> None:
        if self._chunk.records:
            if self._chunks == MOST_CHUNKS:
                raise OutputError("event log", f"a file holds at most {MOST_CHUNKS:,} chunks (4 GiB).", "Write less.")
            self._stream.write(self._chunk.finish(self._first))
            self._chunks += 1
            self._first = self._next
        self._chunk = _Chunk()


def write_evtx(target: Path | str | BinaryIO, records: Iterable[Record]) -> int:
    """Write records to a path or to a seekable binary stream; returns how many. An existing file is replaced."""
    if isinstance(target, (str, Path)):
        with Path(target).open("wb") as stream:
            return write_evtx(stream, records)
    writer = EvtxWriter(target)
    for record in records:
        writer.write(record)
    writer.close()
    return writer.records
