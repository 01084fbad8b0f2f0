"""The text of a file: UTF-16 and UTF-8 with and without a byte order mark, else Windows' Western code page.

Windows' own tools write UTF-16LE with a mark, PowerShell 5.1 what its caller asked for, people anything. Only the code
page is a guess: then `guessed` is true, and a reader tells it. Line ends stay as they are.
"""

from __future__ import annotations

import codecs
from dataclasses import dataclass

from douse.errors import EvidenceError
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence

MAX_TEXT = 64 << 20
"""Bytes of a text; the report of a large domain has some 30 MB."""

_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_LOOK = 512
"""How many bytes decide whether a text without a mark is UTF-16: every other byte of Western text is zero."""


@dataclass(frozen=True, slots=True)
class Text:
    """A decoded text, the encoding's name, and whether that was a guess."""

    text: str
    encoding: str
    guessed: bool = False


def decode(data: bytes) -> Text:
    """The text of these bytes; never fails. What an encoding cannot hold becomes U+FFFD."""
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return Text(data[len(mark):].decode(encoding, "replace"), encoding)
    wide = _wide(data[:_LOOK])
    if wide:
        return Text(data.decode(wide, "replace"), wide)
    try:
        return Text(data.decode("utf-8"), "utf-8")
    except UnicodeDecodeError:
        return Text(data.decode("cp1252", "replace"), "cp1252", guessed=True)


def read(file: EvidenceFile, evidence: Evidence) -> str:
    """A file's text; a guessed encoding is noted. Raises EvidenceError where it is too large for a text."""
    if len(file.data) > MAX_TEXT:
        raise EvidenceError(file.shown, f"{len(file.data)} bytes are more than the {MAX_TEXT} that a text may have.",
                            "Export it in parts.")
    found = decode(file.data)
    if found.guessed:
        evidence.note(file.shown, "is neither UTF-8 nor UTF-16 and was read as Windows-1252.",
                      "Letters beyond ASCII may be wrong; save it as UTF-8 if names look odd.")
    return found.text


def start_of(data: bytes, characters: int = 2048) -> str:
    """The first characters of a text, for choosing its reader."""
    return decode(data[:characters * 2 & ~1]).text.lstrip("\ufeff")


def _wide(start: bytes) -> str:
    """UTF-16 without a mark, told by the zero bytes of ASCII characters; "" for none."""
    if len(start) < 4:
        return ""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    half = len(start) // 2
    if odd * 2 > half and even * 8 < half:
        return "utf-16-le"
    return "utf-16-be" if even * 2 > half and odd * 8 < half else ""
