"""Load techniques/: for each technique of stealers, which log shows it, what only a file shows, and what nobody sees.

    for page in techniques(): page.id, page.title, page.stage, page.visible_in, page.needs_file, page.blind, page.note

A page is one file of the folder; its format is in the folder's README. Names and tactics come from attack.py, and the
records and settings of a log from telemetry.py, so that each is said once. Which rules see a technique is not said
here: detection/techniques.py reads it off the rules' tags. What does not follow the format is a ContentError with file
and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.attack import Attack, attack
from douse.content.document import Section
from douse.content.telemetry import Records, Requirement, requirements
from douse.model import EVIDENCE_CLASSES, LEVELS

FOLDER = Path(__file__).with_name("techniques")
EVIDENCE_CLASSES_FILE = "evidence_classes.yml"
"""The one file of the folder that is no page; evidence.py reads it."""

STAGES = ("1", "2", "3")
ANY, OT = "any", "ot"
"""Whose computers an impact is named for: any, or only an asset that its owner marked as operational technology."""

_SOFTWARE = re.compile(r"S\d{4}")


@dataclass(frozen=True, slots=True)
class Sight:
    """One kind of record that shows something of a technique, and the setting without which there is none.

    `needs` is the requirement of content/telemetry/ that the records and the setting come from, empty where the page
    gives them itself. Any one of `records` is enough.
    """

    records: tuple[Records, ...]
    shows: str
    setting: str
    needs: str
    verified: bool

    @property
    def events(self) -> str:
        """The records in an analyst's words: `Sysmon 13 or Security 4657`."""
        return " or ".join(map(str, self.records))


@dataclass(frozen=True, slots=True)
class PageSource:
    """Where a page's facts were read; `verified` is false for what practitioners say and nobody looked up."""

    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Impact:
    """When a technique that is an outcome is named: for which assets, after which evidence class was reached, and for
    which sub-families of stores; none is any."""

    assets: str
    after: str
    stores: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """What can be known of a technique, or of a stealer as a whole. Empty texts: there is nothing to say.

    `uses` are a stealer's techniques. `static_ceiling` is the highest level that hits in a file alone may reach, empty
    where the general limit holds. `impact` is for outcomes, which no rule detects. `verified` is of the page's own
    words; each sight has its own.
    """

    id: str
    title: str
    tactics: tuple[str, ...]
    stage: int
    visible_in: tuple[Sight, ...]
    needs_file: str
    blind: str
    note: str
    verified: bool
    sources: tuple[PageSource, ...]
    uses: tuple[str, ...] = ()
    static_ceiling: str = ""
    impact: Impact | None = None


@cache
def techniques() -> tuple[Page, ...]:
    """All pages by stage, a stealer as a whole last in its stage, then by id. Raises ContentError."""
    table, settings = attack(), {one.id: one for one in requirements()}
    pages = [_page(document.read(path), table, settings) for path in sorted(FOLDER.glob("*.yml"))
             if path.name != EVIDENCE_CLASSES_FILE]
    return tuple(sorted(pages, key=lambda page: (page.stage, bool(page.uses), page.id)))


def page_of(technique: str) -> Page | None:
    """The page of a technique, asked by any id that it has or had; a sub-technique without one has its technique's."""
    pages, name = _by_id(), attack().current(technique)
    return pages.get(name) or pages.get(name.partition(".")[0])


@cache
def _by_id() -> dict[str, Page]:
    return {page.id: page for page in techniques()}


def _page(top: Section, table: Attack, settings: dict[str, Requirement]) -> Page:
    name = Path(top.file).stem
    if top.text("id") != name:
        top.fail(f"id must be the file's name, {name!r}.", key="id")
    title, tactics = _named(top, name, table)
    sources = tuple(_sources(top))
    sights = tuple(_sight(entry, settings) for entry in top.listed("visible_in"))
    page = Page(
        id=name, title=title, tactics=tactics, stage=int(top.choice("stage", STAGES)), visible_in=sights,
        needs_file=_line(top.text("needs_file", "")), blind=_line(top.text("blind", "")), note=_line(top.text("note")),
        verified=_verified(top), sources=sources, uses=_uses(top, table),
        static_ceiling=top.choice("static_ceiling", ("", *LEVELS), ""), impact=_impact(top.section("impact")))
    if not (page.visible_in or page.needs_file or page.blind):
        top.fail("the page says neither where the technique is seen nor that it is not.", "Add visible_in or blind.")
    if page.verified and not any(source.verified for source in sources):
        top.fail("a verified page without a source that was read.", "Name one under sources.", key="verified")
    top.end()
    return page


def _named(top: Section, name: str, table: Attack) -> tuple[str, tuple[str, ...]]:
    """Title and tactics: of a technique from ATT&CK's table, of a stealer from the page."""
    if _SOFTWARE.fullmatch(name):
        return _line(top.text("name")), ()
    known = table.techniques.get(name)
    if known is None:
        top.fail(f"{name!r} is no technique of ATT&CK {table.version}.",
                 f"It counts as {table.current(name)}." if name in table.retired else "", key="id")
    return known.title, known.tactics


def _impact(entry: Section | None) -> Impact | None:
    if entry is None:
        return None
    found = Impact(entry.choice("assets", (ANY, OT), ANY), entry.choice("after", tuple(EVIDENCE_CLASSES)),
                   entry.texts("stores"))
    entry.end()
    return found


def _uses(top: Section, table: Attack) -> tuple[str, ...]:
    """A stealer's techniques by what they are called today."""
    found = top.texts("uses")
    for technique in found:
        if technique not in table.techniques and technique not in table.retired:
            top.fail(f"uses has {technique!r}, which is no technique.", key="uses")
    return tuple(dict.fromkeys(map(table.current, found)))


def _sight(entry: Section, settings: dict[str, Requirement]) -> Sight:
    ids = entry.texts("ids")
    if not all(number.isdecimal() for number in ids):
        entry.fail("ids must be event ids.", key="ids")
    wanted = frozenset(map(int, ids))
    needs = entry.text("needs", "")
    if needs:
        found = _of_requirement(entry, settings.get(needs), wanted)
    else:
        channels = entry.texts("channels")
        if not channels:
            entry.fail("needs or channels is missing.", "Name a file of content/telemetry/, or channels and a setting.")
        found = Sight(tuple(Records(channel, wanted or None) for channel in channels), "",
                      _line(entry.text("setting")), "", _verified(entry))
    sight = Sight(found.records, _line(entry.text("shows")), found.setting, needs, found.verified)
    entry.end()
    return sight


def _of_requirement(entry: Section, requirement: Requirement | None, wanted: frozenset[int]) -> Sight:
    """The records of a requirement, of the wanted ids only where some are given."""
    if requirement is None:
        entry.fail(f"needs names {entry.text('needs')!r}, which is no file of content/telemetry/.", key="needs")
    records = [Records(one.channel, one.event_ids and (one.event_ids & wanted if wanted else one.event_ids))
               for one in requirement.any_of]
    kept = tuple(one for one in records if one.event_ids is None or one.event_ids)
    if wanted - {number for one in kept for number in one.event_ids or wanted}:
        entry.fail(f"ids has some that {requirement.id} does not have.", key="ids")
    verified = requirement.verified and entry.truth("verified", True)
    return Sight(kept, "", requirement.enable, requirement.id, verified)


def _sources(top: Section) -> Iterator[PageSource]:
    for entry in top.listed("sources"):
        yield PageSource(_line(entry.text("text")), _verified(entry))
        entry.end()


def _verified(entry: Section) -> bool:
    """Whether somebody read it where it is said; nobody may leave that open."""
    return entry.choice("verified", ("true", "false")) == "true"


def _line(text: str) -> str:
    return " ".join(text.split())
