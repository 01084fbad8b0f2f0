"""Load incidents/sequences.yml: the sequences with their levels and windows, the caps of a level, and its floor.

What does not follow the format (README.md of the folder) is a ContentError with file and line. Everything is loaded
once per process. Read by the incident room; what a sequence looks for is code there, in a table by the same ids.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from douse.content import document, incidents
from douse.content.document import Section
from douse.model import EVIDENCE_CLASSES, LEVELS, level_rank

FILE = "sequences.yml"


@dataclass(frozen=True, slots=True)
class Degree:
    """How far a sequence was found: the level that this gives and what it is called then."""

    level: str
    title: str


@dataclass(frozen=True, slots=True)
class KnownSequence:
    """A sequence. `window` is the time from its first to its last event, `ahead` how much earlier the last may come;
    `lesser` are forms that prove less, by the word that incident/ uses for them."""

    sequence_id: str
    full: Degree
    window: timedelta
    ahead: timedelta
    lesser: Mapping[str, Degree]

    def degree(self, word: str) -> Degree:
        """The degree of that name, the full one for ""."""
        return self.lesser[word] if word else self.full


@dataclass(frozen=True, slots=True)
class Cap:
    """The highest level that an incident may have on some conditions, all of which must be met.

    `with_any` of these classes, `without` all of those, `fewer_than` so many classes (0 is no condition); `static`
    asks that all evidence comes from files. `unless_critical_sequence`: not where a sequence gives critical.
    """

    most: str
    reason: str
    with_any: frozenset[str]
    without: frozenset[str]
    fewer_than: int
    static: bool
    unless_critical_sequence: bool


@dataclass(frozen=True, slots=True)
class Floor:
    """The least level of an incident with a reliable alert of level `alert` or above, or of a rule with that role."""

    alert: str
    role: str
    gives: str
    reason: str


@dataclass(frozen=True, slots=True)
class LevelRules:
    """Everything about a level but the score; floors with the highest level first."""

    sequences: Mapping[str, KnownSequence]
    caps: tuple[Cap, ...]
    floors: tuple[Floor, ...]


@cache
def level_rules() -> LevelRules:
    """The whole file."""
    data = document.read(incidents.FOLDER / FILE)
    sequences: dict[str, KnownSequence] = {}
    for entry in data.listed("sequences"):
        row = _sequence(entry)
        if row.sequence_id in sequences:
            entry.fail(f"id {row.sequence_id!r} is there twice.", key="id")
        sequences[row.sequence_id] = row
    caps = tuple(_cap(entry) for entry in data.listed("caps"))
    floors = sorted(map(_floor, data.listed("floors")), key=lambda floor: -level_rank(floor.gives))
    data.end()
    return LevelRules(sequences, caps, tuple(floors))


def sequence(sequence_id: str) -> KnownSequence:
    """One sequence; an id that the file lacks is a mistake in our code."""
    return level_rules().sequences[sequence_id]


def _sequence(entry: Section) -> KnownSequence:
    window, ahead = entry.number("window"), entry.number("ahead", 0)
    if window <= 0 or ahead < 0:
        entry.fail("window and ahead are numbers of seconds.", key="window")
    lesser = {}
    for word, section in entry.named("lesser").items():
        lesser[word] = _degree(section)
        section.end()
    found = KnownSequence(entry.text("id"), _degree(entry), timedelta(seconds=window), timedelta(seconds=ahead), lesser)
    entry.end()
    return found


def _degree(section: Section) -> Degree:
    return Degree(section.choice("level", LEVELS), section.text("title"))


def _cap(entry: Section) -> Cap:
    found = Cap(entry.choice("most", LEVELS), entry.text("reason"), _letters(entry, "with"), _letters(entry, "without"),
                entry.number("fewer_than", 0), entry.truth("static", False),
                entry.truth("unless_critical_sequence", False))
    entry.end()
    if not (found.with_any or found.without or found.fewer_than or found.static):
        entry.fail("a cap without a condition would hold down every incident.")
    return found


def _floor(entry: Section) -> Floor:
    found = Floor(entry.choice("alert", ("", *LEVELS), ""), entry.text("role", ""), entry.choice("gives", LEVELS),
                  entry.text("reason"))
    entry.end()
    if bool(found.alert) == bool(found.role):
        entry.fail("a floor names the level of an alert, or the role of its rule.", "Give one of alert and role.")
    return found


def _letters(entry: Section, key: str) -> frozenset[str]:
    return frozenset(entry.texts_of(key, EVIDENCE_CLASSES))
