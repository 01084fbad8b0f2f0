"""Choose the reader for a file by its content, then by its name: a path or stream in, Events out.

READERS is the table; the first fit wins. It holds enough to choose without importing, so an optional library that is
missing hurts only its own reader. To add a reader, write `read(stream, source, wanted, tally, limits)` and add a line.
Evidence is opened for reading only. Nothing but EvidenceError (strict) leaves here, whatever the bytes: what cannot be
read is a Loss on the tally. A file found by walking a folder that neither looks like nor is named like evidence is
ignored and counted; a file the user named, or one with a reader's suffix, must be readable or is a Loss.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import BinaryIO, Final, Protocol, cast

from douse.model import Event, Loss, Source
from douse.telemetry import signs
from douse.telemetry.chunks import WHOLE, ChunkRange, split
from douse.telemetry.coverage import Tally
from douse.telemetry.damage import ZEROS, lose
from douse.telemetry.limits import Budget, Limits
from douse.telemetry.streams import PEEK, Filled, buffered, past_zeros, spooled, start_of
from douse.telemetry.unread import known
from douse.telemetry.wanted import Wanted


class Read(Protocol):
    """What every reader is."""

    def __call__(self, stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally,
                 limits: Limits) -> Iterator[Event]:
        """Yield the wanted records; count every record and every loss."""


@dataclass(frozen=True, slots=True)
class Reader:
    """One line of READERS: where the function is, and what it takes.

    `magic` is bytes at an offset, and proof enough. `suffixes` promise this format: such a file must be readable.
    `hints` are suffixes of many another file too: they promise nothing. A text format is told by how its start `looks`;
    that counts if it is `certain` (nothing else looks so), if the name says the same, if the user named the file, or if
    the start has what `mentions` searches.
    """

    name: str
    function: str
    magic: tuple[tuple[int, bytes], ...] = ()
    suffixes: tuple[str, ...] = ()
    hints: tuple[str, ...] = ()
    seeks: bool = False
    looks: re.Pattern[bytes] | signs.Sign | None = None
    certain: bool = False
    mentions: re.Pattern[bytes] | signs.Sign | None = None

    def load(self) -> Read:
        """Import the reader's function."""
        module, _, function = self.function.partition(":")
        return cast("Read", getattr(import_module(module), function))

    def fits_content(self, start: bytes) -> bool:
        """Whether the first bytes of a file are this reader's."""
        return (any(start[offset:offset + len(mark)] == mark for offset, mark in self.magic)
                or (self.looks is not None and self.looks.match(_plain(start)) is not None))

    def fits_name(self, name: str) -> bool:
        """Whether a file name has one of this reader's suffixes."""
        return name.lower().endswith(self.suffixes)

    def is_hinted(self, name: str) -> bool:
        """Whether a file name has one of the suffixes that this reader shares with others."""
        return name.lower().endswith(self.hints)

    def is_mentioned(self, start: bytes) -> bool:
        """Whether the start of a file speaks of this reader's records."""
        return self.mentions is not None and self.mentions.search(_plain(start)) is not None


_HOLE: Final = bytes(16)

READERS: Final = (  # first fit wins: the most certain evidence first, guesses last
    Reader("evtx", "douse.telemetry.evtx:read", magic=((0, b"ElfFile\x00"), (4096, b"ElfChnk\x00")),
           suffixes=(".evtx",), seeks=True),
    Reader("zip", "douse.telemetry.archive:read_zip", magic=((0, b"PK\x03\x04"), (0, b"PK\x05\x06")),
           suffixes=(".zip",), seeks=True),
    Reader("gz", "douse.telemetry.archive:read_gz", magic=((0, b"\x1f\x8b\x08"),), suffixes=(".gz", ".tgz")),
    Reader("bz2", "douse.telemetry.archive:read_bz2", magic=((4, b"1AY&SY"),), suffixes=(".bz2", ".tbz", ".tbz2")),
    Reader("xz", "douse.telemetry.archive:read_xz", magic=((0, b"\xfd7zXZ\x00"),), suffixes=(".xz", ".txz")),
    Reader("tar", "douse.telemetry.tar:read", magic=((257, b"ustar"),), suffixes=(".tar",)),
    Reader("xml", "douse.telemetry.xmllog:read", hints=(".xml",), looks=signs.XML, mentions=signs.XML),
    Reader("splunk", "douse.telemetry.splunk:read", looks=signs.SPLUNK, certain=True),
    Reader("zeek", "douse.telemetry.zeek:read", looks=signs.ZEEK, certain=True),
    Reader("zeek_json", "douse.telemetry.zeek_json:read", looks=signs.ZEEK_JSON, certain=True),
    Reader("mde_csv", "douse.telemetry.mde_csv:read", looks=signs.MDE_CSV, certain=True),
    Reader("mde", "douse.telemetry.mde:read", looks=signs.MDE, certain=True),
    Reader("w3c", "douse.telemetry.w3c:read", looks=signs.W3C, certain=True),
    Reader("squid", "douse.telemetry.squid:read", looks=signs.SQUID, certain=True),
    Reader("access", "douse.telemetry.access:read", looks=signs.ACCESS, certain=True),
    Reader("cef", "douse.telemetry.cef:read", looks=signs.CEF, certain=True),
    Reader("export", "douse.telemetry.exports:read", hints=(".json", ".jsonl", ".ndjson"), looks=signs.EXPORT,
           mentions=signs.EVENT_ID),
    Reader("jsonl", "douse.telemetry.jsonl:read", suffixes=(".jsonl", ".ndjson"), looks=signs.JSON,
           mentions=signs.EVENT_ID),
    Reader("csv", "douse.telemetry.csvlog:read", hints=(".csv", ".tsv"), looks=signs.CSV, mentions=signs.EVENT_CSV),
)


def read_path(path: Path, wanted: Wanted, tally: Tally, limits: Limits, *, named: bool) -> Iterator[Event]:
    """The wanted records of a file. `named` is False for a file found by walking a folder."""
    source = Source(str(path))
    try:
        if not named and not stat.S_ISREG(path.stat().st_mode):
            tally.ignored += 1
            return
        with path.open("rb", buffering=PEEK) as stream:
            if stream.seekable():
                tally.follow(stream.tell)
                try:
                    yield from read_opened(stream, source, wanted, tally, _for_one_file(limits), named=named)
                finally:
                    tally.file_done(os.fstat(stream.fileno()).st_size)
            else:
                yield from read_stream(stream, str(path), wanted, tally, limits)
    except OSError as error:
        _unreadable(source, error, tally)


def _unreadable(source: Source, error: OSError, tally: Tally) -> None:
    tally.lose(Loss(source, "", f"cannot be read: {error.strerror or error}", None,
                    "Check that it exists and that you may read it."))


def read_part(path: Path, part: ChunkRange, wanted: Wanted, tally: Tally) -> Iterator[Event]:
    """The wanted records of a range of a big EVTX file (`parts`); the ranges together give what `read_path` gives."""
    from douse.telemetry.evtx import read_range

    source = Source(str(path), format="evtx")
    begin = part.offset if part.first else 0
    try:
        with path.open("rb", buffering=PEEK) as stream:
            end = os.fstat(stream.fileno()).st_size if part.end is None else ChunkRange(part.end).offset
            tally.follow(lambda: max(stream.tell() - begin, 0))
            try:
                yield from read_range(stream, source, wanted, tally, part)
            finally:
                tally.file_done(max(end - begin, 0))
    except OSError as error:
        _unreadable(source, error, tally)


def parts(path: Path, chunks: int) -> tuple[ChunkRange, ...]:
    """How to read a file in ranges of about so many chunks: one range where it is no EVTX, small or unreadable."""
    try:
        with path.open("rb") as stream:
            if not READERS[0].fits_content(stream.read(PEEK)):
                return (WHOLE,)
            return split(stream, os.fstat(stream.fileno()).st_size, chunks)
    except OSError:
        return (WHOLE,)


def read_stream(stream: BinaryIO, name: str, wanted: Wanted, tally: Tally, limits: Limits) -> Iterator[Event]:
    """The wanted records of a stream that cannot seek, such as standard input; spooled if its format needs seeking."""
    source = Source(name)
    filled = buffered(Filled(stream.read))
    tally.follow(filled.tell)
    try:
        yield from read_opened(cast("BinaryIO", filled), source, wanted, tally, _for_one_file(limits), named=True)
    finally:
        tally.file_done(filled.tell())


def read_opened(stream: BinaryIO, source: Source, wanted: Wanted, tally: Tally, limits: Limits, *,
                named: bool) -> Iterator[Event]:
    """The wanted records of an opened file or archive member; the stream can peek (see streams.buffered)."""
    start, name = start_of(stream), source.member or source.path
    reader = choose(start, name, named=named)
    if reader is None and start.startswith(_HOLE):
        stream = past_zeros(stream)
        behind = start_of(stream)
        reader = choose(behind, name, named=named) if behind.strip(b"\x00") else None
        if reader is not None:
            lose(ZEROS, 1, source, tally, records=None)
    if reader is None:
        _refuse(start, source, tally, named=named)
        return
    source = replace(source, format=reader.name)
    read = reader.load()
    if reader.seeks and not stream.seekable():
        try:
            copy = spooled(stream)
        except OSError as error:
            tally.lose(Loss(source, "", f"no room for a temporary copy: {error.strerror}", None,
                            "Set TMPDIR to a folder with room."))
            return
        with copy as seekable:
            yield from read(seekable, source, wanted, tally, limits)
    else:
        yield from read(stream, source, wanted, tally, limits)


def choose(start: bytes, name: str, *, named: bool) -> Reader | None:
    """The reader for a file that starts like this; None where there is none or the content belies the name.

    What only looks like a format counts as such by its name, by what it mentions, or if the user named the file: a
    folder is full of JSON and XML that is no evidence, and `.json` promises nothing. A damaged start of JSON Lines is
    still JSON Lines by its name, unless it is binary; a CSV or XML file that the user named is read by its name, so
    that he learns what it lacks.
    """
    for reader in READERS:
        if reader.fits_content(start) and (reader.magic or reader.certain or named or reader.fits_name(name)
                                           or reader.is_hinted(name) or reader.is_mentioned(start)):
            return reader
    if not start or b"\x00" in _plain(start):
        return None
    by_name = next((reader for reader in READERS if reader.fits_name(name)), None)
    if by_name is not None:
        return by_name if by_name.looks else None
    hinted = (reader for reader in READERS if reader.is_hinted(name) and (named or reader.is_mentioned(start)))
    return next(hinted, None)


def _plain(start: bytes) -> bytes:
    """UTF-16 text as the ASCII it mostly is; other bytes as they are."""
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return start[2:].replace(b"\x00", b"")
    return start[::2] if start[1:8:2] == b"\x00" * 4 else start[1::2] if start[0:8:2] == b"\x00" * 4 else start


def _refuse(start: bytes, source: Source, tally: Tally, *, named: bool) -> None:
    """No reader: a loss if it was named, calls itself evidence or is known to be a log, else counted as ignored."""
    by_name = next((reader for reader in READERS if reader.fits_name(source.member or source.path)), None)
    unread = known(start) or known(_plain(start))
    if unread is not None and (named or unread.is_log):
        tally.lose(Loss(source, "", unread.what, None, unread.next_step))
    elif by_name is None and not named:
        tally.ignored += 1
        if unread is not None:
            tally.note(f"{source}: {unread.what}")
    elif not start:
        tally.lose(Loss(source, "", "empty file", None, "Look for another copy of the log."))
    elif not start.strip(b"\x00"):
        tally.lose(Loss(source, "", "nothing but zero bytes", None, "Look for another copy of the log."))
    else:
        formats = ", ".join(reader.name for reader in READERS)
        what = f"is named like {by_name.name} and its content is not" if by_name else "unknown format"
        tally.lose(Loss(source, "", what, None, f"Readable are: {formats}."))


def _for_one_file(limits: Limits) -> Limits:
    return replace(limits, budget=Budget())
