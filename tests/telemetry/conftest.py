"""What the telemetry tests share: reading bytes as a user's file, and a real log of three full chunks to damage."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from douse.model import Event
from douse.telemetry import Limits, Tally, Wanted, read_stream
from douse.telemetry.chunks import CHUNK_SIZE, FILE_HEADER_SIZE

Reading = tuple[list[Event], Tally]
ReadBytes = Callable[..., Reading]


@pytest.fixture(scope="session")
def read_bytes() -> ReadBytes:
    """Read bytes as if they were a file of the given name: `events, tally = read_bytes(data, "Security.evtx")`."""

    def read(data: bytes, name: str = "input", *, wanted: Wanted | None = None, limits: Limits | None = None,
             strict: bool = False) -> Reading:
        tally = Tally(strict)
        events = list(read_stream(io.BytesIO(data), name, wanted or Wanted.everything(), tally, limits or Limits()))
        return events, tally

    return read


@pytest.fixture(scope="session")
def three_chunks(shared: Path) -> bytes:
    """The first three chunks of a real Application log behind a header that counts them: 2 x about 130 and the rest."""
    log = shared / "data" / "evtx" / "Yamato-Security__DeepBlueCLI__many-events-application.evtx"
    data = bytearray(log.read_bytes()[:FILE_HEADER_SIZE + 3 * CHUNK_SIZE])
    last_record = struct.unpack_from("<Q", data, FILE_HEADER_SIZE + 2 * CHUNK_SIZE + 16)[0]
    struct.pack_into("<QQQ", data, 8, 0, 2, last_record + 1)
    struct.pack_into("<H", data, 42, 3)
    struct.pack_into("<I", data, 124, zlib.crc32(bytes(data[:120])))
    return bytes(data)
