"""Load telemetry/prerequisites/: every kind of record that a host should log, what switches it on, what rests on it.

    prerequisites()      by order: the most decisive first        needed_by_sequences()      S1, S2, ...

Where telemetry.py says what an evidence class needs, whichever log it comes from, here each kind of record stands alone
with the exact setting. The format is in the folder's README; what does not follow it is a ContentError with file and
line. What a host has of them is judged by incident/prerequisites.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.content.telemetry import Records
from douse.model import EVIDENCE_CLASSES

FOLDER = Path(__file__).with_name("telemetry") / "prerequisites"
SEQUENCES = "sequences.yml"
"""The one file of the folder that lists no prerequisites."""

COMPLETE = ("command-line", "hashes", "store-read", "typed-command", "verbose")
NEEDS = ("core", "useful", "optional")
SCOPES = ("host", "network")
LISTED = ("always", "present")
BY = ("group policy", "auditpol", "registry", "wevtutil", "powershell", "sysmon", "sensor", "default")


@dataclass(frozen=True, slots=True)
class Setting:
    """One way to switch records on: by what, the exact words, and whether the vendor's page (`source`) says so."""

    by: str
    do: str
    verified: bool
    source: str


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """A kind of record. Any one of `records` is enough.

    `complete` names what the records must carry, `partial` says what it means that they do not. `rare` records come
    only when something happens, so that their absence proves nothing. `sensor` is a log that belongs to no single host.
    `missed` is false for a product that nobody has to own.
    """

    id: str
    order: int
    title: str
    records: tuple[Records, ...]
    complete: str
    partial: str
    rare: bool
    need: str
    sensor: bool
    missed: bool
    classes: tuple[str, ...]
    without: str
    volume: str
    settings: tuple[Setting, ...]

    @property
    def events(self) -> str:
        """The records in an analyst's words: `Security 4656, 4663`."""
        return " or ".join(map(str, self.records))


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a sequence must be able to see, and the prerequisites of which one is enough."""

    what: str
    any_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SequenceNeeds:
    """What a sequence must be able to see, all of it; asked for only where nothing of `only_without` is there."""

    id: str
    title: str
    needs: tuple[Need, ...]
    only_without: tuple[str, ...]


@cache
def prerequisites() -> tuple[Prerequisite, ...]:
    """All of them, the most decisive first."""
    found: dict[str, Prerequisite] = {}
    for path in sorted(FOLDER.glob("*.yml")):
        if path.name != SEQUENCES:
            for one, entry in _listed(document.read(path)):
                if one.id in found:
                    entry.fail(f"id {one.id!r} is there twice.", key="id")
                found[one.id] = one
    return tuple(sorted(found.values(), key=lambda one: (one.order, one.id)))


@cache
def needed_by_sequences() -> tuple[SequenceNeeds, ...]:
    """What each sequence must be able to see, in the file's order."""
    known = {one.id: one for one in prerequisites()}
    top = document.read(FOLDER / SEQUENCES)
    found = [_sequence(entry, known) for entry in top.listed("sequences")]
    top.end()
    return tuple(found)


def _listed(top: Section) -> Iterator[tuple[Prerequisite, Section]]:
    for entry in top.listed("prerequisites"):
        yield _prerequisite(entry), entry
    top.end()


def _prerequisite(entry: Section) -> Prerequisite:
    records = tuple(_records(one) for one in entry.listed("records"))
    classes = entry.texts("classes")
    if not records or not set(classes) <= set(EVIDENCE_CLASSES):
        entry.fail("records needs an entry, and classes may hold letters of D X E I C R O P V only.")
    complete = entry.choice("complete", ("", *COMPLETE), "")
    partial = _line(entry.text("partial", ""))
    if bool(complete) != bool(partial):
        entry.fail("complete and partial go together.", "Say what it means that the records do not carry it.")
    settings = tuple(_setting(one) for one in entry.listed("settings"))
    if not settings:
        entry.fail("settings has no entry.", "Say what switches the records on.")
    found = Prerequisite(
        entry.text("id"), entry.number("order"), _line(entry.text("title")), records, complete, partial,
        entry.truth("rare", False), entry.choice("need", NEEDS),
        entry.choice("scope", SCOPES, SCOPES[0]) == "network", entry.choice("listed", LISTED, LISTED[0]) == "always",
        classes, _line(entry.text("without")), _line(entry.text("volume")), settings)
    entry.end()
    return found


def _records(entry: Section) -> Records:
    found = Records(entry.text("channel"), _ids(entry, "ids") or None)
    entry.end()
    return found


def _ids(entry: Section, key: str) -> frozenset[int]:
    words = entry.texts(key)
    if not all(word.isdecimal() for word in words):
        entry.fail(f"{key} must be event ids.", key=key)
    return frozenset(map(int, words))


def _setting(entry: Section) -> Setting:
    found = Setting(entry.choice("by", BY), _line(entry.text("do")),
                    entry.choice("verified", ("true", "false")) == "true", _line(entry.text("source")))
    entry.end()
    return found


def _sequence(entry: Section, known: Mapping[str, Prerequisite]) -> SequenceNeeds:
    needs = []
    for one in entry.listed("needs"):
        needs.append(Need(_line(one.text("what")), _known(one, "any_of", known)))
        one.end()
    if not needs or not all(need.any_of for need in needs):
        entry.fail("needs has no entry, or one without any_of.")
    found = SequenceNeeds(entry.text("id"), _line(entry.text("title")), tuple(needs),
                          _known(entry, "only_without", known))
    entry.end()
    return found


def _known(entry: Section, key: str, known: Mapping[str, Prerequisite]) -> tuple[str, ...]:
    names = entry.texts(key)
    for name in names:
        if name not in known:
            entry.fail(f"{key} names {name!r}, which is no prerequisite.", key=key)
    return names


def _line(text: str) -> str:
    return " ".join(text.split())
