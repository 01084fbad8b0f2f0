"""What is answered about an incident, in short lists: what was taken, what to change, what would have broken it.

Each list says how sure it is in a word that its title explains; the HTML report has the evidence of every line.
Addresses are shown as nobody can click on them. A saved document may hold words of a later version: they are shown as
they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from douse.cli.hunt_page import EVERYTHING, HuntPage
from douse.cli.screen import Grid, plain
from douse.content.store_table import ROTATE
from douse.model import STORE_STATES
from douse.report import story
from douse.report.schema import ControlRow, IndicatorRow, LessonRow, RotationRow, StoreRow

if TYPE_CHECKING:
    from rich.text import Text

MAX_STORES = 6
MAX_ENTRIES = 6
MAX_CONTROLS = 6
MAX_LESSONS = 4
MAX_INDICATORS = 4

STATE_WORDS: Mapping[str, tuple[str, str]] = {
    "observed": ("accessed", "bold red"),
    "presumed": ("presumed", "yellow"),
    "unknown": ("unknown", "dim"),
    "untouched": ("untouched", "green"),
}
"""A state in the words of a reader, and its colour."""

LEGEND: Mapping[str, str] = {
    "presumed": "Presumed: reads were not logged, count it as stolen",
    "unknown": "unknown: reads were not logged",
    "untouched": "untouched: reads were logged and there was none",
}
"""What the words mean that do not say it themselves."""

CHANGES: Mapping[str, str] = {
    "seed": "new wallet, new seed", "sessions": "sign out everywhere", "passwords": "passwords",
    "tokens": "tokens, app access", "keys": "keys, certificates", "codes": "one-time codes", "cards": "payment cards",
    "review": "look for misuse",
}
"""What to change, in two or three words; the plan has the sentence."""

_DOUBT = {"presumed": " (presumed)", "unknown": " (not certain)"}


def taken(page: HuntPage, stores: Sequence[StoreRow]) -> None:
    """The credential stores by person and state; nothing where no record shows a store."""
    if not stores:
        return
    page.title("What was taken")
    grid = Grid((1, 9))
    for state in dict.fromkeys((*STORE_STATES, *(store["state"] for store in stores))):
        word, style = STATE_WORDS.get(state, (state, ""))
        for user in dict.fromkeys(store["user"] for store in stores if store["state"] == state):
            own = [store for store in stores if (store["state"], store["user"]) == (state, user)]
            said = plain(f"{user}: " if user else "", "bold")
            said.append_text(plain("; ".join(_store(store) for store in own[:MAX_STORES])))
            said.append_text(plain(f"; and {len(own) - MAX_STORES} more" if len(own) > MAX_STORES else ""))
            grid.add_row("", plain(word, style), said)
    page.show(grid)
    told = [LEGEND[state] for state in LEGEND if any(store["state"] == state for store in stores)]
    if told:
        page.remark(f"{'; '.join(told)}.")


def change(page: HuntPage, rotation: Sequence[RotationRow]) -> None:
    """What to change, in the order of doing, to be ticked off."""
    if not rotation:
        return
    page.title("What to change, in this order")
    grid = Grid((1, 3, 20))
    for what in dict.fromkeys((*ROTATE, *(row["what"] for row in rotation))):
        of_kind = [row for row in rotation if row["what"] == what]
        named = [entry for row in of_kind for entry in row["entries"]]
        for said in filter(None, (_products(row for row in of_kind if not row["entries"]), _entries(named))):
            grid.add_row("", "[ ]", plain(CHANGES.get(what, what), "bold"), plain(said))
    page.show(grid)


def controls(page: HuntPage, rows: Sequence[ControlRow]) -> None:
    """The controls that would have broken the chain, those that stop it first where there is no room for all."""
    if not rows:
        return
    page.title("What would have broken it, and at which step")
    shown = sorted(sorted(rows, key=lambda row: _EFFECTS.get(row["effect"], len(_EFFECTS)))[:MAX_CONTROLS],
                   key=lambda row: (row["effect"] == "shows", row["step"]))
    grid = Grid((4, 6, 3))
    for row in shown:
        grid.add_row(plain(f"{row['step']:>4}"), plain(row["effect"], "green" if row["effect"] == "stops" else ""),
                     plain(row["control_id"], "dim"), _control(page, row))
    page.show(grid)
    page.more(len(rows) - MAX_CONTROLS, "control", EVERYTHING)
    page.remark("Whether one was in force is not in the logs.")


def lessons(page: HuntPage, rows: Sequence[LessonRow]) -> None:
    """Who should learn what."""
    if not rows:
        return
    page.title("Who should learn what")
    grid = Grid((1, 3))
    for row in rows[:MAX_LESSONS]:
        said = plain(row["title"], "bold")
        said.append_text(plain(f"  {story.listed(row['users'], 3)}", "dim"))
        grid.add_row("", plain(row["lesson_id"], "dim"), said)
    page.show(grid)
    page.more(len(rows) - MAX_LESSONS, "lesson", EVERYTHING)


def indicators(page: HuntPage, rows: Sequence[IndicatorRow]) -> None:
    """What to block, and how much more there is to search for."""
    blocked = [row for row in rows if row["block"]]
    if not rows:
        return
    page.title("What to block" if blocked else "What to search for")
    shown = blocked or rows
    grid = Grid((1, 11))
    for row in shown[:MAX_INDICATORS]:
        said = plain(page.middle(story.one_line(row["defanged"]), 2 * page.width - 32))
        said.append_text(plain(f"  {row['role']}", "dim"))
        grid.add_row("", plain(row["type"], "dim"), said)
    page.show(grid)
    page.more(len(rows) - len(shown[:MAX_INDICATORS]), "indicator", EVERYTHING)


_EFFECTS = {"stops": 0, "limits": 1, "shows": 2}
"""How much an effect matters where there is no room for all."""


def _store(store: StoreRow) -> str:
    holds = f" ({', '.join(store['holds'])})" if store["holds"] else ""
    return f"{store['product']}{holds}"


def _products(rows: Iterable[RotationRow]) -> str:
    """The products of some changes, each once with the least doubt there is about it."""
    doubts: dict[str, str] = {}
    for row in rows:
        for product in row["products"]:
            doubts.setdefault(product, _DOUBT.get(row["basis"], ""))
    return story.listed([f"{product}{doubt}" for product, doubt in doubts.items()], MAX_ENTRIES)


def _entries(names: Iterable[str]) -> str:
    said = story.listed(list(dict.fromkeys(names)), MAX_ENTRIES)
    return f"by name: {said}" if said else ""


def _control(page: HuntPage, row: ControlRow) -> Text:
    said = plain(row["title"], "bold")
    if page.is_wide:
        said.append_text(plain(f"  {row['why']}", "dim"))
    return said
