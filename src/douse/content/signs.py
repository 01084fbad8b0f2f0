"""A Sign is what a control or a lesson is about: which evidence of an incident it fits, as data.

All that a sign names must fit, and of each list one word is enough. What it asks of one piece of evidence is in the
first group of its fields; `gaps`, `sequences` and `levels` are about the whole incident. Loaded by controls.py and
lessons.py; compared with an incident by incident/signs.py. The keys are explained in controls/README.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from douse.content.document import Section
from douse.content.prerequisites import needed_by_sequences
from douse.content.stores import stores
from douse.content.telemetry import requirements
from douse.model import EVIDENCE_CLASSES, LEVELS

FOLDERS = ("", "user", "system32", "syswow64")
TAGS = ("EDR", "MFA", "TRAIN", "MAIL", "EXEC", "WL", "FW", "IOC", "LINK", "PWD", "BROWSER", "CREDMAN", "CLEAR")
"""The sentences of the mission's advice, by which a control or a lesson says which of them it answers."""


@dataclass(frozen=True, slots=True)
class Sign:
    """Evidence of an incident that something is about; an empty field asks nothing. Texts are in lower case."""

    classes: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    programs: tuple[str, ...] = ()
    parents: tuple[str, ...] = ()
    stores: tuple[str, ...] = ()
    says: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    folder: str = ""
    gaps: tuple[str, ...] = ()
    sequences: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()

    @property
    def is_about_evidence(self) -> bool:
        """Whether some piece of evidence must fit, and not the incident alone."""
        return any((self.classes, self.roles, self.techniques, self.programs, self.parents, self.stores, self.says,
                    self.folder))


def read_sign(entry: Section) -> Sign:
    """The sign of an entry, whose other keys are left to its loader. One that asks nothing is an error."""
    sign = Sign(
        entry.texts_of("classes", EVIDENCE_CLASSES), entry.texts("roles"), entry.texts("techniques"),
        _lower(entry, "programs"), _lower(entry, "parents"), entry.texts_of("stores", _families()),
        _lower(entry, "says"), _lower(entry, "unless"), entry.choice("folder", FOLDERS, ""),
        entry.texts_of("gaps", _gaps()), entry.texts_of("sequences", _sequences()), entry.texts_of("levels", LEVELS))
    if not (sign.is_about_evidence or sign.gaps or sign.sequences or sign.levels):
        entry.fail("names no evidence, so that it would fit every incident.", "Name classes, roles or the like.")
    return sign


def read_tags(entry: Section) -> tuple[str, ...]:
    """The sentences of the mission's advice that an entry answers; at least one."""
    found = entry.texts_of("seed", TAGS)
    if not found:
        entry.fail("seed is missing.", f"Name at least one of {', '.join(TAGS)}.")
    return found


def _lower(entry: Section, key: str) -> tuple[str, ...]:
    return tuple(text.lower() for text in entry.texts(key))


@cache
def _families() -> tuple[str, ...]:
    return tuple(stores().families)


@cache
def _gaps() -> tuple[str, ...]:
    return tuple(one.id for one in requirements())


@cache
def _sequences() -> tuple[str, ...]:
    return tuple(one.id for one in needed_by_sequences())
