"""Rows become JSON: one document, or one object a line. Bytes go out, UTF-8, each a whole JSON text.

A document is written in pieces, a row of a list each: 100,000 alerts are never all in memory as rows or as text.

Two things in hostile evidence break readers. A lone surrogate is no UTF-8: it is written out as text (`\\ud800`).
Control, bidi and zero-width characters are escaped as JSON allows, so that a program gets them back unchanged and
a terminal that shows the bytes does nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from douse.report.on_demand import Rows
from douse.report.schema import Document, Row

_FEW = 8
"""So many values of a list are looked into for a list of rows on demand further inside (SARIF's `runs`)."""
_ENCODER = msgspec.json.Encoder()
_HIDDEN = re.compile(
    "[\x7f-\x9f\xad\u0600-\u0605\u061c\u06dd\u070f\u180e\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff\ufff9-\ufffb"
    "\U000e0000-\U000e0fff]"
)
"""What JSON may hold as it is, but an eye or a terminal does not see as it is."""


def json_document(document: Document | Mapping[str, Any] | Sequence[Row]) -> bytes:
    """The document, or a list of rows, indented for people who open it, with a line feed at the end."""
    return b"".join(json_pieces(document))


def json_pieces(document: Document | Mapping[str, Any] | Sequence[Row]) -> Iterator[bytes]:
    """The same bytes piece by piece; each element of a list at the top, and of one made on demand, is a piece."""
    yield from _pieces(document, 1)
    yield b"\n"


def document_lines(document: Document) -> Iterator[bytes]:
    """The document one row a line, as `rows` orders them; the summary comes last."""
    from douse.report.document import rows  # of all that is written here only this needs a hunt

    yield from json_lines(rows(document))


def json_lines(rows: Iterable[Row]) -> Iterator[bytes]:
    """One object a line, in the order given."""
    for row in rows:
        yield _inert(_encode(row)) + b"\n"


def _pieces(value: Any, depth: int) -> Iterator[bytes]:
    """A value as indented JSON; `depth` is that of what lies in it."""
    if isinstance(value, Mapping) and value and (depth == 1 or _on_demand(value)):
        named = (((_whole(str(key), depth) + b": "), item) for key, item in value.items())
        yield from _enclosed(b"{}", named, depth)
    elif _is_list(value) and len(value) and (depth <= 2 or _on_demand(value)):
        yield from _enclosed(b"[]", ((b"", item) for item in value), depth)
    else:
        yield _whole(list(value) if isinstance(value, Rows) else value, depth - 1)


def _enclosed(brackets: bytes, items: Iterable[tuple[bytes, Any]], depth: int) -> Iterator[bytes]:
    """The items, each after its own line's beginning, between the two brackets."""
    before = brackets[:1]
    for name, item in items:
        yield before + b"\n" + b"  " * depth + name
        yield from _pieces(item, depth + 1)
        before = b","
    yield b"\n" + b"  " * (depth - 1) + brackets[1:]


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, (str, bytes))


def _on_demand(value: object) -> bool:
    """Whether rows that are made on demand are in it, or it is such a list."""
    if isinstance(value, Mapping):
        return any(map(_on_demand, value.values()))
    return isinstance(value, Rows) or (isinstance(value, list) and len(value) < _FEW and any(map(_on_demand, value)))


def _whole(value: object, depth: int) -> bytes:
    """A value in one piece, its lines indented to `depth`; no text in JSON holds a line feed."""
    return _inert(msgspec.json.format(_encode(value), indent=2)).replace(b"\n", b"\n" + b"  " * depth)


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
