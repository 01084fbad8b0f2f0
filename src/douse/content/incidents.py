"""Load incidents/: the numbers of the score, the three stages, the advice.

Each file's format is in the folder's README; what does not follow it is a ContentError with file and line, so a wrong
edit is found by the first test and not by an analyst. Everything is loaded once per process. Read by the incident room.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.controls import EFFECTS
from douse.content.document import Section
from douse.content.prerequisites import needed_by_sequences
from douse.content.store_table import ROTATE
from douse.model import EVIDENCE_CLASSES, LEVELS, PHASES

FOLDER = Path(__file__).with_name("incidents")
NEEDS = ("destinations", "injected", "processes", "users", "gaps", "autostarts", "controls", "lessons")
"""What an advice can speak of; it is left out where the incident has none of it."""

NAMED = "named"
ROTATIONS = (*ROTATE, NAMED)
"""Which changes an advice is about: a word of ROTATE, or the entries that a record names."""

ALWAYS = ("host", "people")
OF_ROTATION = ("products", "entries")
"""What any text may name in braces beside its needs, and what one about changes may."""


@dataclass(frozen=True, slots=True)
class Bonus:
    """Extra points for a kind of sequence, given once however many of the kind are found."""

    kind: str
    points: int
    sequences: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Scoring:
    """The numbers of the threat model, 3.4."""

    weights: Mapping[str, int]
    further_store: int
    store_cap: int
    bonuses: tuple[Bonus, ...]
    bands: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class StageText:
    """One of the mission's stages, and the evidence classes that belong to it when a rule does not say."""

    stage: int
    name: str
    techniques: tuple[str, ...]
    classes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Advice:
    """One thing to do, and the conditions under which it is said; an empty one is no condition. It is for incidents of
    `level` or more, and less than `below`.

    `rotation` makes it a step about changes, given where there are any of that kind. `because` are the classes whose
    steps call for it, `controls` the effects of the controls that belong to it, `lessons` that the lessons do.
    """

    id: str
    phase: str
    text: str
    level: str
    below: str
    classes: tuple[str, ...]
    techniques: tuple[str, ...]
    sequences: tuple[str, ...]
    without: tuple[str, ...]
    needs: tuple[str, ...]
    because: tuple[str, ...]
    rotation: str
    controls: tuple[str, ...]
    lessons: bool


@cache
def scoring() -> Scoring:
    """Weights, bonuses and bands."""
    data = document.read(FOLDER / "scoring.yml")
    bonuses = []
    for entry in data.listed("bonuses"):
        bonuses.append(Bonus(entry.text("kind"), entry.number("points"), entry.texts("sequences")))
        entry.end()
    found = Scoring(_numbers(data, "weights", tuple(EVIDENCE_CLASSES)), data.number("further_store"),
                    data.number("store_cap"), tuple(bonuses), _numbers(data, "bands", LEVELS))
    data.end()
    return found


@cache
def stages() -> tuple[StageText, ...]:
    """The three stages in order."""
    data = document.read(FOLDER / "stages.yml")
    found = []
    for entry in data.listed("stages"):
        found.append(StageText(entry.number("stage"), entry.text("name"), entry.texts("techniques"),
                               _letters(entry, "classes")))
        entry.end()
    data.end()
    return tuple(found)


@cache
def advice() -> tuple[Advice, ...]:
    """All things to do, in the order in which they are to be done."""
    data = document.read(FOLDER / "advice.yml")
    found: list[Advice] = []
    for entry in data.listed("steps"):
        one = _advice(entry)
        if found and PHASES.index(one.phase) < PHASES.index(found[-1].phase):
            entry.fail(f"phase {one.phase} stands below {found[-1].phase}.", "The file is in the order of doing.")
        if one.id in {other.id for other in found}:
            entry.fail(f"id {one.id!r} is there twice.", key="id")
        found.append(one)
    data.end()
    return tuple(found)


def _advice(entry: Section) -> Advice:
    found = Advice(
        entry.text("id"), entry.choice("phase", PHASES), " ".join(entry.text("text").split()),
        entry.choice("level", LEVELS, LEVELS[0]), entry.choice("below", ("", *LEVELS), ""),
        _letters(entry, "classes"), entry.texts("techniques"),
        entry.texts_of("sequences", _sequences()), _letters(entry, "without"), entry.texts_of("needs", NEEDS),
        _letters(entry, "because"), entry.choice("rotation", ("", *ROTATIONS), ""),
        entry.texts_of("controls", EFFECTS), entry.truth("lessons", False))
    words = (*ALWAYS, *found.needs, *(OF_ROTATION if found.rotation else ()))
    unknown = [word for word in re.findall(r"\{(\w*)\}", found.text) if word not in words]
    if unknown:
        entry.fail(f"text has {{{unknown[0]}}}, which is none of {', '.join(words)}.", "Add it to needs.", key="text")
    entry.end()
    return found


def _sequences() -> tuple[str, ...]:
    return tuple(one.id for one in needed_by_sequences())


def _numbers(data: Section, key: str, words: tuple[str, ...]) -> dict[str, int]:
    """A number for each of some words, and for nothing else."""
    section = data.section(key)
    if section is None:
        data.fail(f"{key} is missing.")
    found = {word: section.number(word) for word in words}
    section.end()
    return found


def _letters(entry: Section, key: str) -> tuple[str, ...]:
    return entry.texts_of(key, EVIDENCE_CLASSES)
