"""Load attack/: the techniques and tactics of one version of MITRE ATT&CK, and what older ids became in it.

    attack_version()                      "19.1": every output that names a technique prints it
    attack().current("T1562.001")         "T1685": the id that a tag counts as
    attack().techniques["T1055.012"].title    "Process Injection: Process Hollowing"

Rules outlive versions of ATT&CK: a tag is right when the table or the crosswalk knows it, and counts as what it is
called today, so that two rules on one behaviour agree whatever year they were written in. The table is tab-separated
and read on the first question; the version alone costs a small file. The folder's README says where the facts are from.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.errors import ContentError

FOLDER = Path(__file__).with_name("attack")
ABOUT, TECHNIQUES, RETIRED = "attack.yml", "techniques.tsv", "retired.tsv"

TECHNIQUE_ID = re.compile(r"T\d{4}(?:\.\d{3})?")
TACTIC_ID = re.compile(r"TA\d{4}")


@dataclass(frozen=True, slots=True)
class Tactic:
    """A tactic: its name as Sigma tags write it, its id and its title."""

    name: str
    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Technique:
    """A technique or sub-technique. `title` of a sub-technique begins with its technique's, as ATT&CK writes it."""

    id: str
    name: str
    title: str
    tactics: tuple[str, ...]

    @property
    def parent(self) -> str:
        """The technique that this is a part of; of a technique itself."""
        return self.id.partition(".")[0]

    @property
    def matrix(self) -> str:
        """`ics` for ids that begin with T0, as ATT&CK numbers them, else `enterprise`."""
        return "ics" if self.id.startswith("T0") else "enterprise"


@dataclass(frozen=True, slots=True)
class Retired:
    """An id, or a tactic's name, that ATT&CK no longer has. `now` is empty where nothing took its place; `gone_in` is
    the version without it, empty where nobody looked; `source` an id of attack.yml."""

    id: str
    name: str
    now: tuple[str, ...]
    gone_in: str
    source: str


@dataclass(frozen=True, slots=True)
class Fact:
    """Where facts were read."""

    id: str
    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class About:
    """The small file: which version the table is, its tactics, those that are gone, and the sources."""

    version: str
    tactics: Mapping[str, Tactic]
    retired_tactics: Mapping[str, Retired]
    sources: Mapping[str, Fact]


@dataclass(frozen=True, slots=True)
class Attack:
    """One version of ATT&CK. `techniques` are of Enterprise, with the few of ICS that Douse speaks of."""

    version: str
    tactics: Mapping[str, Tactic]
    retired_tactics: Mapping[str, Retired]
    techniques: Mapping[str, Technique]
    retired: Mapping[str, Retired]

    def current(self, technique: str) -> str:
        """What an id is called today, in capitals; one that is unknown, or that nothing took the place of, as it is."""
        name = technique.upper()
        while name in self.retired and self.retired[name].now:
            name = self.retired[name].now[0]
        return name

    def knows(self, name: str) -> bool:
        """Whether a technique's id, a tactic's id or a tactic's name is or was one of ATT&CK."""
        folded = name.lower().replace("_", "-")
        return (name.upper() in self.techniques or name.upper() in self.retired or folded in self.tactics
                or folded in self.retired_tactics or name.upper() in {one.id for one in self.tactics.values()})

    def objection(self, name: str) -> tuple[str, str] | None:
        """What is wrong with a technique's id or a tactic's name in a tag, and what to do; None where it is right.

        Names of groups, software and other matrices are not held against anybody: the table does not have them.
        """
        if TECHNIQUE_ID.fullmatch(name.upper()):
            return self._of_technique(name.upper())
        folded = name.lower().replace("_", "-")
        gone = self.retired_tactics.get(folded)
        if gone:
            fitting = " or ".join(f"attack.{one}" for one in gone.now)
            return f"is no tactic since ATT&CK {gone.gone_in}", f"Write {fitting}, whichever fits."
        near = [] if folded in self.tactics else get_close_matches(folded, self.tactics, 1, 0.8)
        return ("is no tactic of ATT&CK", f"Did you mean 'attack.{near[0]}'?") if near else None

    def _of_technique(self, name: str) -> tuple[str, str] | None:
        if name in self.techniques:
            return None
        gone = self.retired.get(name)
        if gone is None:
            return (f"is no technique of ATT&CK {self.version}",
                    "Look for a typing error; it may also be of a newer version, or of another matrix.")
        since = f" in ATT&CK {gone.gone_in}" if gone.gone_in else ""
        if not gone.now:
            return f"was withdrawn{since}, and nothing took its place", "Name the technique that fits best."
        now = self.current(name)
        return f"was replaced{since} by {now}, and counts as that", f"Write attack.{now.lower()}."


def attack_version() -> str:
    """The version of ATT&CK in which Douse reports, such as "19.1"."""
    return about().version


@cache
def about() -> About:
    """What attack.yml says. Raises ContentError where it does not follow the README."""
    top = document.read(FOLDER / ABOUT)
    version = top.text("version")
    top.choice("matrix", ("enterprise",))
    tactics = {one.name: one for one in _tactics(top)}
    sources = {one.id: one for one in _sources(top)}
    retired = {one.id: one for one in _retired_tactics(top, tactics, sources)}
    top.end()
    return About(version, tactics, retired, sources)


@cache
def attack() -> Attack:
    """The whole table. Raises ContentError where a file does not follow the README."""
    said = about()
    techniques = _techniques(said)
    return Attack(said.version, said.tactics, said.retired_tactics, techniques, _retired(said, techniques))


def _tactics(top: Section) -> Iterator[Tactic]:
    for entry in top.listed("tactics"):
        yield Tactic(entry.text("name"), _tactic_id(entry), entry.text("title"))
        entry.end()


def _tactic_id(entry: Section) -> str:
    found = entry.text("id")
    if not TACTIC_ID.fullmatch(found):
        entry.fail(f"{found!r} is no id of a tactic.", "Write it as TA0005.", key="id")
    return found


def _sources(top: Section) -> Iterator[Fact]:
    for entry in top.listed("sources"):
        yield Fact(entry.text("id"), " ".join(entry.text("text").split()),
                   entry.choice("verified", ("true", "false")) == "true")
        entry.end()


def _retired_tactics(top: Section, tactics: Mapping[str, Tactic], sources: Mapping[str, Fact]) -> Iterator[Retired]:
    for entry in top.listed("retired_tactics"):
        now = entry.texts("now")
        _tactic_id(entry)
        if not now or not set(now) <= tactics.keys():
            entry.fail("now must name tactics of this version.", key="now")
        yield Retired(entry.text("name"), entry.text("title"), now, entry.text("gone_in"),
                      entry.choice("source", tuple(sources)))
        entry.end()


def _techniques(said: About) -> dict[str, Technique]:
    rows = {row[0]: row for _, row in _table(TECHNIQUES, ("id", "name", "tactics"))}
    found: dict[str, Technique] = {}
    for where, (name, title, tactics) in _table(TECHNIQUES, ("id", "name", "tactics")):
        parent = name.partition(".")[0]
        if not TECHNIQUE_ID.fullmatch(name) or name in found or parent not in rows:
            raise ContentError(where, f"{name!r} is no id, is there twice, or has no technique that it is a part of.")
        if not set(tactics.split()) <= said.tactics.keys():
            raise ContentError(where, f"{tactics!r} has a tactic that {ABOUT} does not list.")
        full = title if parent == name else f"{rows[parent][1]}: {title}"
        found[name] = Technique(name, title, full, tuple(tactics.split()))
    return found


def _retired(said: About, techniques: Mapping[str, Technique]) -> dict[str, Retired]:
    found: dict[str, Retired] = {}
    lines = list(_table(RETIRED, ("id", "name", "now", "gone_in", "source")))
    known = {row[0] for _, row in lines} | techniques.keys()
    for where, (name, title, now, gone_in, source) in lines:
        if not TECHNIQUE_ID.fullmatch(name) or name in found or name in techniques:
            raise ContentError(where, f"{name!r} is no id, is there twice, or is one of today's techniques.")
        if not set(now.split()) <= known - {name} or source not in said.sources:
            raise ContentError(where, f"{now!r} or the source {source!r} is not known.")
        found[name] = Retired(name, title, tuple(now.split()), gone_in, source)
    _ends(found)
    return found


def _ends(retired: Mapping[str, Retired]) -> None:
    """Complain about ids that became one another in a circle, which `current` would follow for ever."""
    for start in retired:
        seen, name = {start}, start
        while name in retired and retired[name].now:
            name = retired[name].now[0]
            if name in seen:
                raise ContentError(str(FOLDER / RETIRED), f"{start} and {name} became one another.")
            seen.add(name)


def _table(name: str, columns: Sequence[str]) -> Iterator[tuple[str, list[str]]]:
    """The rows of a tab-separated file, each with its place. Raises ContentError for other columns."""
    path = FOLDER / name
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(str(path), f"cannot be read ({error}).") from None
    for number, line in enumerate(lines, 1):
        row = line.split("\t")
        if len(row) != len(columns) or (number == 1 and row != list(columns)):
            raise ContentError(f"{path}:{number}", f"must have the columns {', '.join(columns)}, tab-separated.")
        if number > 1:
            yield f"{path}:{number}", row
