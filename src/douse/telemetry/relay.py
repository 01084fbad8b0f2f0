"""Hand records of other formats to the JSON reader: documents with their line in, Events out.

A reader that turns its records into one of the shapes of jsonl.py needs no second copy of what that does: finding the
zone of a flattened log, counting, deciding what is wanted. Each document gets the line it had in the file, so that a
loss names the right one. Only a MiB at a time is written ahead.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO, cast

from douse.model import Event, Source
from douse.telemetry import jsonl
from douse.telemetry.coverage import Tally
from douse.telemetry.limits import Limits
from douse.telemetry.wanted import Wanted

Document = tuple[int, bytes]
"""The line in the file, and the JSON of a record in a shape that jsonl.py reads."""


def relay(documents: Iterable[Document], source: Source, wanted: Wanted, tally: Tally,
          limits: Limits) -> Iterator[Event]:
    """The wanted records among the documents, in their order."""
    yield from jsonl.read(cast("BinaryIO", _JsonLines(documents)), source, wanted, tally, limits)


class _JsonLines:
    """The documents as a stream of JSON Lines; of a stream it has what jsonl.py asks for."""

    def __init__(self, documents: Iterable[Document]) -> None:
        self._pieces = self._written(documents)
        self._left = b""

    def read(self, size: int) -> bytes:
        """`size` bytes, fewer only at the end."""
        pieces, held = [self._left], len(self._left)
        while held < size and (piece := next(self._pieces, None)) is not None:
            pieces.append(piece)
            held += len(piece)
        data = b"".join(pieces)
        self._left = data[size:]
        return data[:size]

    @staticmethod
    def _written(documents: Iterable[Document]) -> Iterator[bytes]:
        line = 1
        for number, document in documents:
            yield b"\n" * (number - line) if number > line else b" "
            line = max(number, line)
            yield document
