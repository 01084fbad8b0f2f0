"""Byte streams that behave: filled to the brim for peeking, counted and stopped when they unpack to too much.

Archive members and standard input come here. A decompressor that fails, or a member past its limit, ends its stream
like an early end of file and remembers why in `failure`; so the reader keeps what came before, and archive.py turns
the failure into a Loss afterwards.
"""

from __future__ import annotations

import io
import lzma
import shutil
import struct
import zipfile
import zlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import IO, TYPE_CHECKING, BinaryIO, Final, cast

from douse.telemetry.limits import MIB, Limits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

PEEK: Final = 64 * 1024
"""How much of a stream's start is looked at to choose a reader."""
_IN_MEMORY: Final = 16 * MIB
_LONGEST_HOLE: Final = 1024 * MIB
UNPACKING_ERRORS: Final = (
    OSError, EOFError, ValueError, RuntimeError, NotImplementedError, IndexError, OverflowError, struct.error,
    zlib.error, lzma.LZMAError, zipfile.BadZipFile, MemoryError,
)
"""What Python's decompressors raise on damaged or hostile input; out of memory where LZMA's header asks for 4 GiB."""


class Filled(io.RawIOBase):
    """A stream whose every read fills the buffer unless the input is over, so that a peek sees all it asks for."""

    def __init__(self, read: Callable[[int], bytes]) -> None:
        super().__init__()
        self._read = read
        self._delivered = 0

    def tell(self) -> int:
        """How many bytes it has delivered; an archive reads from here, and its ratio is judged by it."""
        return self._delivered

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """Read until the buffer is full or the input ends."""
        view = memoryview(buffer).cast("B")
        filled = 0
        while filled < len(view):
            data = self._next(len(view) - filled)
            if not data:
                break
            view[filled:filled + len(data)] = data
            filled += len(data)
        self._delivered += filled
        return filled

    def _next(self, size: int) -> bytes:
        return self._read(size)


class Unpacking(Filled):
    """A member's decompressed bytes, up to the limits. `packed` says how many packed bytes they came from so far."""

    def __init__(self, read: Callable[[int], bytes], packed: Callable[[], int], limits: Limits) -> None:
        super().__init__(read)
        self._packed, self._limits = packed, limits
        self.unpacked = 0
        self.failure = ""
        self.over_limit = ""

    def _next(self, size: int) -> bytes:
        if self.failure or self.over_limit:
            return b""
        try:
            data = self._read(size)
        except UNPACKING_ERRORS as error:
            self.failure = str(error) or type(error).__name__
            return b""
        self.unpacked += len(data)
        self._limits.budget.unpacked += len(data)
        self.over_limit = self._exceeded()
        return b"" if self.over_limit else data

    def _exceeded(self) -> str:
        limits = self._limits
        if self.unpacked > limits.max_member:
            return f"unpacks to more than {limits.max_member // MIB} MiB"
        if limits.budget.unpacked > limits.max_unpacked:
            return f"the archive unpacks to more than {limits.max_unpacked // MIB} MiB"
        if self.unpacked > limits.ratio_from and self.unpacked > limits.max_ratio * max(self._packed(), 1):
            return f"unpacks to more than {limits.max_ratio} times its size, as a zip bomb does"
        return ""


def buffered(raw: io.RawIOBase) -> io.BufferedReader:
    """The stream with room to peek at its start."""
    return io.BufferedReader(raw, PEEK)


def start_of(stream: BinaryIO) -> bytes:
    """The first bytes of a stream that can peek, which stays where it is."""
    start: bytes = stream.peek(PEEK)[:PEEK]  # type: ignore[attr-defined]  # see `buffered`
    return start


def past_zeros(stream: BinaryIO) -> BinaryIO:
    """What follows the zero bytes that a stream begins with, as a log does that was emptied while it was written."""
    passed = 0
    while (start := start_of(stream)) and not start.strip(b"\x00") and passed < _LONGEST_HOLE:
        passed += len(stream.read(len(start)))
    stream.read(len(start) - len(start.lstrip(b"\x00")) if start.strip(b"\x00") else 0)
    return cast("BinaryIO", buffered(Filled(stream.read)))


def spooled(stream: BinaryIO) -> AbstractContextManager[BinaryIO]:
    """A seekable copy of the rest of a stream, in memory while small, else in a nameless temporary file."""
    import tempfile  # seldom needed, and it brings some more

    copy = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the caller closes it, as a context
    try:
        shutil.copyfileobj(stream, cast("IO[bytes]", copy), MIB)
        copy.seek(0)
    except BaseException:
        copy.close()
        raise
    return cast("AbstractContextManager[BinaryIO]", copy)
