"""The formats a result can be written in: word -> what makes its bytes, piece by piece.

`table` is not here: it is drawn on a terminal, by cli/show.py. What makes the bytes is imported when asked for, so
that a command may list the words without paying for jinja2 and msgspec.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from douse.hunt.result import HuntResult
from douse.report.document import document, rows


def _json(result: HuntResult) -> Iterator[bytes]:
    from douse.report.machine import json_document

    yield json_document(document(result))


def _jsonl(result: HuntResult) -> Iterator[bytes]:
    from douse.report.machine import json_lines

    yield from json_lines(rows(result))


def _html(result: HuntResult) -> Iterator[bytes]:
    from douse.report.html import render

    yield render(document(result)).encode("utf-8")


FORMATS: dict[str, Callable[[HuntResult], Iterator[bytes]]] = {"json": _json, "jsonl": _jsonl, "html": _html}
