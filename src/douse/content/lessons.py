"""Load lessons/: what people can learn in a few minutes, and which incidents ask for it.

    lessons()    L01, L02, ... in order

One file is one lesson, named for its id; the format is in the folder's README. What does not follow it is a
ContentError with file and line. incident/prevention.py says who of an incident should be given which.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.controls import read_why
from douse.content.document import Section
from douse.content.signs import Sign, read_sign, read_tags

FOLDER = Path(__file__).with_name("lessons")
AUDIENCES = ("users", "it")
MINUTES = range(2, 16)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something in an incident that asks for a lesson, and why in words."""

    sign: Sign
    why: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson. `when` are the occasions on which an incident asks for it, any one of which is enough."""

    id: str
    title: str
    audience: str
    minutes: int
    takeaway: str
    seed: tuple[str, ...]
    when: tuple[Occasion, ...]


@cache
def lessons() -> tuple[Lesson, ...]:
    """All lessons, by id."""
    return tuple(_lesson(document.read(path), path.stem) for path in sorted(FOLDER.glob("*.yml")))


def _lesson(data: Section, stem: str) -> Lesson:
    if data.text("id") != stem:
        data.fail(f"id must be the file's name, {stem!r}.", key="id")
    minutes = data.number("minutes")
    if minutes not in MINUTES:
        data.fail(f"minutes must be from {MINUTES[0]} to {MINUTES[-1]}.", "Nobody sits through more.", key="minutes")
    when = []
    for entry in data.listed("when"):
        when.append(Occasion(read_sign(entry), read_why(entry, ())))
        entry.end()
    found = Lesson(stem, data.text("title"), data.choice("audience", AUDIENCES), minutes, data.text("takeaway"),
                   read_tags(data), tuple(when))
    data.end()
    return found
