"""Bytes of a text format to text: which encoding a file has, and a text stream that leaves the byte stream open.

A byte order mark decides; then the zero bytes of UTF-16; then what an XML declaration says, where that can be true
(many a file says utf-16 and is not); else UTF-8. A byte that is none stays visible as `\\xff`, as in lines.py:
`wevtutil ... > file` under cmd.exe writes the console's code page and says so nowhere, and a command line with one
strange letter is still evidence.
"""

from __future__ import annotations

import codecs
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO, Final, cast

_START: Final = 1024
_MARKS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
_DECLARED: Final = re.compile(rb"""\s*<\?xml[^>]{0,200}\sencoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_ASCII_FIRST: Final = re.compile(r"(windows-?|cp)\d+|iso-?8859-\d+|koi8-[ru]|gb\w+|big5\w*|shift_?jis|euc-\w+|latin-?1",
                                 re.IGNORECASE)
"""Encodings in which `<?xml` is written as in ASCII, so that a file may truly declare them."""


def encoding_of(start: bytes) -> str:
    """The encoding of a text file that starts like this, as a name Python knows."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if len(start) >= 8:
        if start[1:8:2] == bytes(4) and start[0:8:2].strip(b"\x00"):
            return "utf-16-le"
        if start[0:8:2] == bytes(4) and start[1:8:2].strip(b"\x00"):
            return "utf-16-be"
    declared = _DECLARED.match(start)
    name = declared[1].decode("ascii") if declared else ""
    return name if _ASCII_FIRST.fullmatch(name) and _is_known(name) else "utf-8"


def _is_known(name: str) -> bool:
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


@contextmanager
def decoded(stream: BinaryIO) -> Iterator[io.TextIOWrapper]:
    """The stream's text, line ends as they are; the stream can peek (see streams.buffered) and stays open."""
    start: bytes = stream.peek(_START)[:_START]  # type: ignore[attr-defined]  # a BufferedReader, see readers.py
    text = io.TextIOWrapper(cast("io.BufferedReader", stream), encoding_of(start), "backslashreplace", newline="")
    try:
        yield text
    finally:
        text.detach()
