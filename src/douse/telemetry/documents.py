"""Find the JSON documents in a stream, whatever way they are strung together; past a broken one, find the next.

JSON Lines, an array (pretty or on one line), documents one after the other, evtx_dump's output with its "Record 7"
lines, the answer of a search with its hits in it (envelope.py): bytes in, one text a document out, with its line.
Memory is one document (and at least 1 MiB of text).
Why not ijson: it stops at the first error, and evidence is cut off and overwritten. So each step is tried from the
cheap to the dear: the line on its own; the JSON decoder of Python, which says where it failed; and from there on to
the next place that looks like a start. What such a search finds inside a broken document is marked as a fragment.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Iterator
from typing import BinaryIO, Final, NamedTuple

import msgspec

from douse.telemetry.damage import CUT_OFF, CUT_OFF_LIST, NOT_JSON, NOT_UTF8, TOO_LONG, ZEROS
from douse.telemetry.envelope import contents, may_begin, rest
from douse.telemetry.limits import MIB

_BETWEEN: Final = re.compile(r"[\s,\[\]\ufeff\0]+|Record \d+(?=\s)")
_LOOK_AHEAD: Final = 64
_NEXT_START: Final = re.compile(r"""
    \n (?=[^\s\]},])                                     # a line at its first column: what is inside is indented
  | (?<![\s,]) (?:(?!\n)[\s,])*+ \n [\s,]*+ (?=\{\s*["}])    # an object that is first on its line
  | \} [\s,]*+ (?=\{\s*["}])                             # an object after another
""", re.VERBOSE)
"""Blanks are gone through once, from where they begin (possessive, with a look behind): a megabyte of them is cheap."""
_FAR_IN: Final = 8 * 1024
_DEEP: Final = 500
"""Python gives up on a document that is nested deeper than this, so at least so many characters only open it."""
_NEW_LINE_DOCUMENT: Final = '\n{"'
"""A line of its own that starts a document. Inside another it shows that the other was cut off: `{"Event":` and then
the next line's document would read as one valid document, and the next record would be lost too."""
_is_json = msgspec.json.Decoder(msgspec.Raw).decode
_scan = json.JSONDecoder(parse_int=str, parse_float=str).raw_decode  # only where a document ends matters
_ENCODINGS: Final = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"),
                     (b"{\x00", "utf-16-le"), (b"[\x00", "utf-16-le"), (b"\x00{", "utf-16-be"), (b"\x00[", "utf-16-be"))


class Document(NamedTuple):
    """A document's first line in the file, and its text or what is wrong with it (`records`: how many were lost)."""

    line: int
    text: str
    broken: str = ""
    fragment: bool = False
    records: int | None = 1


class Documents:
    """The documents of a stream; one longer than `max_line` characters is skipped without being kept in memory."""

    def __init__(self, stream: BinaryIO, max_line: int) -> None:
        self._stream, self._max_line = stream, max_line
        start = stream.read(4)
        encoding = next((name for mark, name in _ENCODINGS if start.startswith(mark)), "utf-8")
        errors = "surrogateescape" if encoding.startswith("utf-8") else "replace"
        self._decode = codecs.getincrementaldecoder(encoding)(errors).decode
        self._buffer = self._decode(start)
        self._at = 0
        self._line = 1
        self._line_start = True  # whether the place before `_at` is a line's end
        self._newline = -1  # the next line feed at or after `_at`; -1 if not looked for, len(buffer) if there is none
        self._holds_several = False  # whether the line up to `_newline` is more than one document
        self._ended = False
        self._lost_track = False
        self._in_envelope = False
        self._in_list = False  # whether a list of documents has begun and not ended
        self._found_any = False
        self._zeros = 0  # the line at which zero bytes stand between documents

    def found_event(self) -> None:
        """The last document was a good one: what follows is no fragment."""
        self._lost_track = False
        self._found_any = True

    def __iter__(self) -> Iterator[Document]:
        last = ""
        self._in_envelope = self._skip_between() and self._enter_answer()
        while self._skip_between():
            if self._in_envelope and self._enter_answer():
                continue
            yield from self._hole()
            if self._line_start:
                self._lost_track = False
            line, fragment = self._line, self._lost_track
            text, broken = self._next() if self._buffer[self._at] == "{" else self._garbage()
            if not (broken and fragment):
                last = broken
                yield Document(line, text, broken, fragment)
        yield from self._hole()
        if self._in_list and self._found_any and last != CUT_OFF:
            yield Document(self._line, "", CUT_OFF_LIST, records=None)

    def _hole(self) -> Iterator[Document]:
        """What zero bytes between documents were before."""
        if self._zeros:
            yield Document(self._zeros, "", ZEROS, records=None)
            self._zeros = 0

    def _enter_answer(self) -> bool:
        """Go to the documents inside the answer of a search, if one begins here."""
        if self._buffer[self._at] != "{" or not may_begin(self._buffer, self._at):
            return False
        while len(self._buffer) - self._at < MIB and self._fill():
            pass
        start = contents(self._buffer, self._at)
        if start is None:
            return False
        self._advance(start)
        self._in_list = True
        return True

    def _fill(self, size: int = 0) -> bool:
        """Read on; what was dealt with is let go. False at the end of the stream."""
        if self._ended:
            return False
        data = self._stream.read(size or MIB)
        self._ended = not data
        self._buffer = self._buffer[self._at:] + self._decode(data, self._ended)
        self._at, self._newline, self._holds_several = 0, -1, False
        return True

    def _let_go(self) -> None:
        """Drop what was dealt with: JSONDecodeError counts lines from the buffer's start, on every error again."""
        if self._at > _FAR_IN:
            self._buffer = self._buffer[self._at:]
            self._newline = self._newline - self._at if self._newline >= 0 else -1
            self._at = 0

    def _advance(self, to: int) -> None:
        if to > self._at:
            self._line += self._buffer.count("\n", self._at, to)
            self._line_start = self._buffer[to - 1] == "\n"
            self._at = to
            if self._newline < to:
                self._newline, self._holds_several = -1, False

    def _end_of_line(self) -> int:
        """Where the line ends, or the length of the buffer."""
        if self._newline < 0:
            found = self._buffer.find("\n", self._at)
            self._newline = found if found >= 0 else len(self._buffer)
        return self._newline

    def _skip_between(self) -> bool:
        """Go to the next thing that is no separator; False at the end."""
        while True:
            while between := _BETWEEN.match(self._buffer, self._at):
                if between[0] != "\n":
                    self._look_at(between[0])
                self._advance(between.end())
            if self._in_envelope and self._at < len(self._buffer) and self._buffer[self._at] in '}"':
                self._advance(rest(self._buffer, self._at))
                held = len(self._buffer) - self._at
                if held and held <= self._max_line and self._buffer[self._at] == '"' and self._fill(max(MIB, held)):
                    continue  # a member of the answer, such as its aggregations, goes on behind the buffer
            if len(self._buffer) - self._at >= _LOOK_AHEAD or not self._fill():
                if self._at < len(self._buffer):
                    return True
                if self._ended:
                    return False

    def _look_at(self, between: str) -> None:
        """Note what a separator says of the documents before and behind it."""
        if "[" in between or "]" in between:
            self._in_list = between.rfind("[") > between.rfind("]")
        if "\0" in between:
            self._zeros = self._zeros or self._line + between.count("\n", 0, between.index("\0"))

    def _garbage(self) -> tuple[str, str]:
        """Something that starts no document: its line is lost."""
        if self._lost_track:
            self._resume(self._at + 1)
            return "", NOT_JSON
        while self._end_of_line() == len(self._buffer):
            self._advance(len(self._buffer))
            if not self._fill():
                return "", NOT_JSON
        self._advance(self._end_of_line() + 1)
        return "", NOT_JSON

    def _next(self) -> tuple[str, str]:
        """The document at this place, or what is wrong with it; moves behind it."""
        line_end = self._end_of_line()
        if line_end < len(self._buffer) and line_end - self._at <= self._max_line and not self._holds_several:
            text = self._buffer[self._at:line_end].rstrip(" \t\r,")
            if text.endswith("}") and _valid(text):
                self._advance(line_end)
                return text, ""
            self._holds_several = True
        return self._next_by_scanning()

    def _next_by_scanning(self) -> tuple[str, str]:
        self._let_go()
        while True:
            try:
                end = _scan(self._buffer, self._at)[1]
            except json.JSONDecodeError as error:
                beyond = error.pos >= len(self._buffer) - 16 or error.msg.startswith("Unterminated string")
                cut = self._buffer.find(_NEW_LINE_DOCUMENT, self._at, error.pos)
                if cut >= 0 or not beyond:
                    return self._broken(cut if cut >= 0 else error.pos, NOT_JSON)
                if len(self._buffer) - self._at > self._max_line:
                    return self._broken(len(self._buffer), TOO_LONG)
                held = len(self._buffer) - self._at
                if not self._fill(min(max(MIB, held), MIB + self._max_line - held)):
                    cut_off = error.pos >= len(self._buffer.rstrip()) or error.msg.startswith("Unterminated string")
                    return self._broken(error.pos, CUT_OFF if cut_off else NOT_JSON)
            except RecursionError:
                return self._broken(min(self._at + _DEEP, len(self._buffer)), NOT_JSON)
            else:
                cut = self._buffer.find(_NEW_LINE_DOCUMENT, self._at, end)
                if cut >= 0:
                    return self._broken(cut, NOT_JSON)
                if end - self._at > self._max_line:
                    return self._broken(end, TOO_LONG)
                return self._take(end)

    def _take(self, end: int) -> tuple[str, str]:
        text = self._buffer[self._at:end]
        self._advance(end)
        try:
            text.encode()
        except UnicodeEncodeError:
            return "", NOT_UTF8
        return text, ""

    def _broken(self, position: int, reason: str) -> tuple[str, str]:
        while position > self._at + 1 and (self._buffer[position - 1].isspace() or self._buffer[position - 1] == ","):
            position -= 1
        self._resume(max(position, self._at + 1))
        return "", reason

    def _resume(self, position: int) -> None:
        """Go to the next likely start of a document at or after the position."""
        self._lost_track = True
        while True:
            found = _NEXT_START.search(self._buffer, position)
            if found:
                self._advance(found.end())
                return
            self._advance(max(len(self._buffer) - _LOOK_AHEAD, position))
            if not self._fill():
                self._advance(len(self._buffer))
                return
            position = self._at


def _valid(text: str) -> bool:
    try:
        _is_json(text)
    except (ValueError, RecursionError):
        return False
    return True
