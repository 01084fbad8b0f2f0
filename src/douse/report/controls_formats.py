"""The formats controls can be written in: word -> what makes its bytes. `table` is drawn by cli/show_controls.py.

`whole` says whether everything of each control is wanted, or a list of them; json and html always hold everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from douse.report.controls_schema import ControlRow


def _json(rows: Sequence[ControlRow], _profile: str, _whole: bool) -> Iterator[bytes]:
    from douse.report.machine import json_document

    yield json_document(rows)


def _html(rows: Sequence[ControlRow], profile: str, _whole: bool) -> Iterator[bytes]:
    from douse.report.controls_html import render

    yield render(rows, profile).encode("utf-8")


def _markdown(rows: Sequence[ControlRow], _profile: str, whole: bool) -> Iterator[bytes]:
    from douse.report.controls_markdown import render_list, render_pages

    yield from render_pages(rows) if whole else render_list(rows)


FORMATS: dict[str, Callable[[Sequence[ControlRow], str, bool], Iterator[bytes]]] = {
    "json": _json, "html": _html, "markdown": _markdown}
