"""Rows become JSON: one document, or one object a line. Bytes go out, UTF-8, each a whole JSON text.

Two things in hostile evidence break readers. A lone surrogate is no UTF-8: it is written out as text (`\\ud800`).
Control, bidi and zero-width characters are escaped as JSON allows, so that a program gets them back unchanged and
a terminal that shows the bytes does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from douse.report.schema import Document, Row

_ENCODER = msgspec.json.Encoder()
_HIDDEN = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""What JSON may hold as it is, but an eye or a terminal does not see as it is."""


def json_document(document: Document | Mapping[str, Any] | Sequence[Row]) -> bytes:
    """The document, or a list of rows, indented for people who open it, with a line feed at the end."""
    return _inert(msgspec.json.format(_encode(document), indent=2)) + b"\n"


def json_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """One object a line, in the order given."""
    for row in rows:
        yield _inert(_encode(row)) + b"\n"


def _encode(value: object) -> bytes:
    try:
        return _ENCODER.encode(value)
    except UnicodeEncodeError:
        return _ENCODER.encode(_without_surrogates(value))


def _without_surrogates(value: Any) -> Any:
    """The value with lone surrogates in any string, also in keys, written out as text."""
    if isinstance(value, str):
        return value.encode("utf-8", "backslashreplace").decode("utf-8")
    if isinstance(value, Mapping):
        return {_without_surrogates(key): _without_surrogates(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_without_surrogates(item) for item in value]
    return value


def _inert(encoded: bytes) -> bytes:
    """The same JSON with hidden characters as \\u escapes; they can only stand inside strings."""
    if encoded.isascii() and b"\x7f" not in encoded:
        return encoded
    return _HIDDEN.sub(_escape, encoded.decode("utf-8")).encode("utf-8")


def _escape(match: re.Match[str]) -> str:
    units = match[0].encode("utf-16-be")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))
