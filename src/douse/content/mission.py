"""Load mission.yml: the sentences of the mission's advice that a control must answer.

    mission()    in the order of the file
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.signs import TAGS

FILE = Path(__file__).with_name("mission.yml")
LISTS = ("g6", "training")


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence: whose list it is on (`g6` the IT staff's mitigations, `training` the users'), and its tag."""

    id: str
    list: str
    tag: str
    text: str


@cache
def mission() -> tuple[Sentence, ...]:
    """All sentences, in order."""
    data = document.read(FILE)
    found: dict[str, Sentence] = {}
    for entry in data.listed("sentences"):
        one = Sentence(entry.text("id"), entry.choice("list", LISTS), entry.choice("tag", TAGS), entry.text("text"))
        if one.id in found:
            entry.fail(f"{one.id!r} is there twice.", key="id")
        found[one.id] = one
        entry.end()
    data.end()
    return tuple(found.values())
