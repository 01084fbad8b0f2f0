"""Controls as Markdown: a table of them, and what there is to know of each. Rows in, pieces of UTF-8 out.

Values and commands stand in code spans (text.code), sentences pass text.markdown.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from douse.report.controls_schema import ControlRow, SettingRow
from douse.report.controls_story import MAPPING, facts, headline, remarks, unverified_note
from douse.report.controls_words import NOT_TRIED
from douse.text import code, markdown


def render_list(rows: Sequence[ControlRow]) -> Iterator[bytes]:
    """The table alone."""
    yield from _bytes(_table(rows))


def render_pages(rows: Sequence[ControlRow]) -> Iterator[bytes]:
    """Everything about each control."""
    yield from _bytes(line for row in rows for line in _page(row))


def _bytes(lines: Iterable[str]) -> Iterator[bytes]:
    for line in lines:
        yield f"{line}\n".encode()


def _table(rows: Sequence[ControlRow]) -> Iterator[str]:
    yield f"# {markdown(headline(rows))}\n"
    yield "| Id | Severity | Control | Serves | ATT&CK | Verified |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        cells = (row["id"], row["severity"], markdown(row["title"]), ", ".join(row["seed"]),
                 ", ".join(one["id"] for one in row["techniques"]), "yes" if row["verified"] else "**no**")
        yield f"| {' | '.join(cells)} |"
    yield f"\n{markdown(NOT_TRIED)}"


def _page(row: ControlRow) -> Iterator[str]:
    yield f"# {row['id']} {markdown(row['title'])}\n"
    yield f"{markdown(row['takeaway'])}\n"
    for name, value in facts(row):
        yield f"- {name}: {markdown(value)}"
    if note := unverified_note(row):
        yield f"\n**{markdown(note)}**"
    yield "\n## Settings"
    for setting in row["settings"]:
        yield from _setting(setting)
    if not row["settings"]:
        yield "\nNone in this profile."
    for title, lines in (("What it does to an incident", [f"{one['effect']}: {one['why']}" for one in row["breaks"]]),
                         ("Sources", row["sources"])):
        if lines:
            yield f"\n## {title}\n"
            yield from (f"- {markdown(line)}" for line in lines)
    yield f"\n{markdown(MAPPING)} {markdown(NOT_TRIED)}\n"


def _setting(one: SettingRow) -> Iterator[str]:
    yield f"\n- {code(one['where'])}"
    yield f"  - wanted: {markdown(one['wanted'])}"
    check = markdown(one["check"]) if one["kind"] in ("mfa", "question") else code(one["check"])
    yield f"  - check: {check}"
    if said := remarks(one):
        yield f"  - {markdown(said)}"
