"""Unpack xz with a bound on memory: a packed stream in, its bytes out.

Python's LZMAFile takes whatever dictionary a file's header asks for, up to 4 GiB; nobody packs logs with more than the
64 MiB of `xz -9`, so more than MAX_MEMORY is refused. Several streams in one file follow each other, as zeros may.
"""

from __future__ import annotations

import lzma
from typing import BinaryIO, Final

from douse.telemetry.limits import MIB

MAX_MEMORY: Final = 256 * MIB
_PACKED_AT_ONCE: Final = 64 * 1024


class XzStream:
    """The unpacked bytes of an xz file. `read` raises LZMAError or EOFError where it is damaged (streams.Unpacking)."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._unpacker: lzma.LZMADecompressor | None = _unpacker()
        self._left = b""  # packed bytes behind the end of a stream

    def read(self, size: int) -> bytes:
        """Up to `size` bytes, at least one unless the file is over."""
        while self._unpacker is not None:
            packed = b""
            if self._unpacker.needs_input:
                packed = self._left or self._stream.read(_PACKED_AT_ONCE)
                self._left = b""
                if not packed:
                    raise EOFError("the file ends inside it")
            data = self._unpacker.decompress(packed, size)
            if self._unpacker.eof:
                self._next_stream(self._unpacker.unused_data)
            if data:
                return data
        return b""

    def _next_stream(self, packed: bytes) -> None:
        packed = packed.lstrip(b"\0")
        while not packed:
            more = self._stream.read(_PACKED_AT_ONCE)
            if not more:
                self._unpacker = None
                return
            packed = more.lstrip(b"\0")
        self._left, self._unpacker = packed, _unpacker()


def _unpacker() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=MAX_MEMORY)
