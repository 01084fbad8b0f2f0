"""The lines of a text log: bytes in, one text a line out, with its number; a line that is too long is skipped.

UTF-8, with or without a mark, or UTF-16, which PowerShell writes. A byte that is no UTF-8 stays visible as `\\xff`
instead of costing the record: attackers send such bytes, and web servers log them. Memory is one line.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

from douse.telemetry.damage import TOO_LONG
from douse.telemetry.limits import MIB

_UTF16: Final = {codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
_MARK: Final = "\ufeff"  # at the start, and wherever files were strung together
_BOM: Final = codecs.BOM_UTF8
_LENIENT: Final = "backslashreplace"


class Line(NamedTuple):
    """A line's number, from 1, and its text without the line end, or what is wrong with it."""

    number: int
    text: str
    broken: str = ""


def lines(stream: BinaryIO, max_line: int) -> Iterator[Line]:
    """The lines of a stream; one of more than `max_line` bytes (UTF-16: characters) is only named."""
    first = stream.readline(max_line + 1)
    encoding = _UTF16.get(first[:2]) or _without_mark(first)
    if encoding:
        yield from _decoded(stream, first, encoding, max_line)
        return
    number, line = 1, first.removeprefix(_BOM)
    while line:
        if len(line) > max_line and not line.endswith(b"\n"):
            yield Line(number, "", TOO_LONG)
            while line and not line.endswith(b"\n"):
                line = stream.readline(MIB)
        else:
            yield Line(number, line.decode("utf-8", _LENIENT).rstrip("\r\n"))
        number, line = number + 1, stream.readline(max_line + 1).removeprefix(_BOM)


def _without_mark(start: bytes) -> str:
    """UTF-16 that says so only by the zero bytes between its letters."""
    if start[1:8:2] == b"\0\0\0\0":
        return "utf-16-le"
    return "utf-16-be" if start[0:8:2] == b"\0\0\0\0" and start[1:8:2].strip(b"\0") else ""


def _decoded(stream: BinaryIO, start: bytes, encoding: str, max_line: int) -> Iterator[Line]:
    """The lines of an encoding in which a line feed is more than a byte."""
    decode = codecs.getincrementaldecoder(encoding)(_LENIENT).decode
    number, held, skipping = 1, decode(start), False
    while True:
        *whole, held = held.split("\n")
        for text in whole:
            yield (Line(number, "", TOO_LONG) if skipping or len(text) > max_line
                   else Line(number, text.removeprefix(_MARK).rstrip("\r")))
            number, skipping = number + 1, False
        if skipping or len(held) > max_line:
            held, skipping = "", True
        data = stream.read(MIB)
        held += decode(data, not data)
        if not data:
            break
    if held or skipping:
        yield Line(number, "", TOO_LONG) if skipping else Line(number, held.rstrip("\r\n"))
