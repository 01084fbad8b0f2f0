"""Load controls/: what an organisation can do against infostealers, how to check and set it, what it would break.

    controls()                    H01, H02, ... in order
    named(["H01,h02", "laps"])    those of these ids or slugs

One file is one control, named for its id; the format is in the folder's README. What does not follow it is a
ContentError with file and line. incident/prevention.py compares the controls with what happened, harden/audit their
settings with evidence; harden/generate writes the settings down as policies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from douse.content import document
from douse.content.document import Section
from douse.content.mission import mission
from douse.content.signs import Sign, read_sign, read_tags
from douse.errors import ContentError
from douse.text import clean

if TYPE_CHECKING:
    from douse.content.settings import Setting

FOLDER = Path(__file__).with_name("controls")
EFFECTS = ("stops", "limits", "shows")
"""What a control does to a step, the strongest first: it does not happen, it happens more rarely or yields less, or
more of it is logged."""

STARTS = ("block", "audit")
SEVERITIES = ("high", "medium", "low")
"""How much an infostealer gains where the control is missing."""

ROLES = ("workstation", "server")
WORDS = ("program", "parent", "destination", "store", "rule", "gap", "unknown")
"""What a `why` may name in braces."""


@dataclass(frozen=True, slots=True)
class DefenderRule:
    """One attack surface reduction rule: how it is called here, Microsoft's GUID, and how to begin with it. `note` is
    what an administrator should know of this one."""

    id: str
    guid: str
    title: str
    start: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Break:
    """Evidence that a control would have stopped, limited or shown, and why in words.

    `rule` is the title of one of its rules. `otherwise` entries are asked for only where no other fits.
    """

    effect: str
    sign: Sign
    why: str
    rule: str = ""
    otherwise: bool = False


@dataclass(frozen=True, slots=True)
class Frameworks:
    """The nearest ids of NIST SP 800-53 revision 5 and CIS Controls 8. How well they fit is our judgement; `weak` are
    those that fit badly."""

    nist: tuple[str, ...]
    cis: tuple[str, ...]
    weak: tuple[str, ...]


class Entries:
    """The entries of a file that become settings when somebody asks: a hunt never does, and they are most of it."""

    def __init__(self, data: Section) -> None:
        self._data: Section | None = data
        self._found: tuple[Setting, ...] = ()
        if not data.listed("settings") and "rules" not in data:
            data.fail("has no settings, so that nobody could check it.", "Write settings.")

    def read(self, control: str, rules: Iterable[DefenderRule]) -> tuple[Setting, ...]:
        """The settings, read once."""
        if self._data is not None:
            from douse.content.setting_entries import read_settings, settings_of_rules  # the kinds cost 20 ms

            self._found = (*read_settings(self._data, control), *settings_of_rules(control, rules))
            self._data = None
        return self._found


@dataclass(frozen=True, slots=True)
class Control:
    """One control. `needs` are controls without which it does nothing; `mitigations` are ATT&CK's, chosen by us.

    `mission` are the ids of the sentences it serves (mission.py). `misses` is what a stealer can still do, `cost` what
    people lose, `undo` how to take it back. `min_build` is the first Windows build that has it, `roles` the computers
    it is for. `preflight` is the program whose use must be proven dispensable before it is enforced, "" for none.
    `unverified` says what of it nobody has verified, "" only where nothing. `sources` are where the facts were read.
    """

    id: str
    slug: str
    title: str
    takeaway: str
    seed: tuple[str, ...]
    mission: tuple[str, ...]
    severity: str
    techniques: tuple[str, ...]
    mitigations: tuple[str, ...]
    frameworks: Frameworks
    needs: tuple[str, ...]
    min_build: int
    roles: tuple[str, ...]
    misses: str
    cost: str
    undo: str
    preflight: str
    verified: bool
    unverified: str
    sources: tuple[str, ...]
    rules: tuple[DefenderRule, ...]
    breaks: tuple[Break, ...]
    entries: Entries = field(repr=False, compare=False)

    @property
    def settings(self) -> tuple[Setting, ...]:
        """What it sets, in the order of the file, the rules last. Raises ContentError for an entry that is wrong."""
        return self.entries.read(self.id, self.rules)

    def settings_of(self, profile: str) -> tuple[Setting, ...]:
        """The settings that a profile asks for."""
        return tuple(setting for setting in self.settings if setting.is_in(profile))


@cache
def controls() -> tuple[Control, ...]:
    """All controls, by id."""
    files = [(document.read(path), path.stem) for path in sorted(FOLDER.glob("*.yml"))]
    found = [_control(data, stem) for data, stem in files]
    _compare(files, found)
    return tuple(found)


def needs_of(control: Control, known: Iterable[Control]) -> set[str]:
    """The ids of the controls that one needs, and that those need, all of which are known."""
    by_id = {one.id: one for one in known}
    found: set[str] = set()
    queue = list(control.needs)
    while queue:
        name = queue.pop()
        if name not in found:
            found.add(name)
            queue += by_id[name].needs
    return found


def named(names: Iterable[str]) -> tuple[Control, ...]:
    """The controls of these ids or slugs in the order of the catalogue, all of them for no name.

    One text may hold several, with commas between. Raises ContentError for a name that no control has.
    """
    known = {name: one for one in controls() for name in (one.id, one.slug)}
    wanted = [part.strip() for name in names for part in name.split(",") if part.strip()]
    for name in wanted:
        if _spelled(name) not in known:
            raise ContentError(clean(name, 80), "is no control.", _proposal(_spelled(name)))
    found = {known[_spelled(name)].id for name in wanted}
    return tuple(one for one in controls() if not wanted or one.id in found)


def _spelled(name: str) -> str:
    """A name as the catalogue spells it: H1 and h01 are H01, slugs are lower case."""
    number = re.fullmatch(r"[Hh]0*(\d{1,3})", name)
    return f"H{number[1]:0>2}" if number else name.lower()


def _proposal(name: str) -> str:
    """The controls whose slug or title has the word, or whose slug is nearest."""
    from difflib import get_close_matches

    fitting = [one for one in controls() if len(name) > 2 and name in f"{one.slug} {one.title}".lower()]
    if not fitting:
        slugs = {one.slug: one for one in controls()}
        fitting = [slugs[near] for near in get_close_matches(name, slugs, 3)]
    if not fitting:
        return f"Controls are {controls()[0].id} to {controls()[-1].id}; list them: douse harden list"
    return f"Did you mean {' or '.join(f'{one.id} ({one.slug})' for one in fitting[:3])}?"


def _compare(files: Iterable[tuple[Section, str]], found: Iterable[Control]) -> None:
    """Complain of what is wrong between files: a slug that is there twice, a control that needs an unknown one."""
    known, slugs = {stem for _, stem in files}, set[str]()
    for (data, _), control in zip(files, found, strict=True):
        unknown = [name for name in control.needs if name not in known or name == control.id]
        if unknown:
            data.fail(f"needs names {unknown[0]!r}, which is no other control.", key="needs")
        if control.slug in slugs:
            data.fail(f"slug {control.slug!r} is that of another control.", key="slug")
        slugs.add(control.slug)


def _control(data: Section, stem: str) -> Control:
    if data.text("id") != stem:
        data.fail(f"id must be the file's name, {stem!r}.", key="id")
    attack = data.section("attack")
    if attack is None:
        data.fail("attack is missing.", "Write attack: {techniques: [], mitigations: []}.")
    rules = tuple(map(_rule, data.listed("rules")))
    entries = Entries(data)
    verified = data.choice("verified", ("true", "false")) == "true"
    unverified = _line(data, "unverified", "")
    if not verified and not unverified:
        data.fail("verified is false, but what was not verified is not said.", "Write unverified.", key="verified")
    seed = read_tags(data)
    if not data.texts("sources"):
        data.fail("has no sources, so that nobody could look its facts up.", "Write sources.")
    found = Control(
        id=stem, slug=data.text("slug"), title=data.text("title"), takeaway=_line(data, "takeaway"),
        seed=seed, mission=_mission(data, seed), severity=data.choice("severity", SEVERITIES),
        techniques=attack.texts("techniques"), mitigations=attack.texts("mitigations"), frameworks=_frameworks(data),
        needs=data.texts("needs"), min_build=data.number("min_build", 0),
        roles=data.texts_of("roles", ROLES) or ROLES, misses=_line(data, "misses"), cost=_line(data, "cost"),
        undo=_line(data, "undo"), preflight=data.text("preflight", ""), verified=verified, unverified=unverified,
        sources=data.texts("sources"), rules=rules,
        breaks=tuple(_break(entry, rules) for entry in data.listed("breaks")), entries=entries)
    attack.end()
    data.end()
    return found


def _line(data: Section, key: str, default: str | None = None) -> str:
    """A text on one line, however the file wraps it."""
    return " ".join(data.text(key, default).split())


def _mission(data: Section, seed: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of the sentences that it serves, which are those of its tags."""
    tags = {sentence.id: sentence.tag for sentence in mission()}
    found = data.texts_of("mission", tags)
    if {tags[one] for one in found} != set(seed):
        data.fail("mission and seed are not about the same sentences.",
                  f"For {', '.join(seed)} name {', '.join(one for one in tags if tags[one] in seed)}.",
                  key="mission" if found else "seed")
    return found


def _frameworks(data: Section) -> Frameworks:
    inner = data.section("frameworks")
    if inner is None:
        data.fail("frameworks is missing.", "Write frameworks: {nist_800_53r5: [], cis_v8: []}.")
    found = Frameworks(inner.texts("nist_800_53r5"), inner.texts("cis_v8"), inner.texts("weak"))
    inner.end()
    return found


def _rule(entry: Section) -> DefenderRule:
    found = DefenderRule(entry.text("id"), entry.guid("guid"), entry.text("title"), entry.choice("start", STARTS),
                         _line(entry, "note", ""))
    entry.end()
    return found


def _break(entry: Section, rules: Iterable[DefenderRule]) -> Break:
    titles = {rule.id: rule.title for rule in rules}
    rule = entry.choice("rule", ("", *titles), "")
    found = Break(entry.choice("effect", EFFECTS), read_sign(entry), read_why(entry, WORDS), titles.get(rule, ""),
                  entry.truth("otherwise", False))
    if (found.effect == "shows") != bool(found.sign.gaps):
        entry.fail("a control shows what a gap hides, so effect shows and gaps go together.", key="effect")
    if found.effect != "shows" and not found.sign.is_about_evidence:
        entry.fail("names no evidence, so that nobody could say which step it would have broken.")
    entry.end()
    return found


def read_why(entry: Section, words: tuple[str, ...]) -> str:
    """The reason of an entry, on one line. A name in braces that nobody fills in is an error."""
    why = " ".join(entry.text("why").split())
    unknown = [word for word in re.findall(r"\{(\w*)\}", why) if word not in words]
    if unknown:
        entry.fail(f"why has {{{unknown[0]}}}, which is none of {', '.join(words)}.", key="why")
    return why
