"""Load controls/: what an organisation can do against infostealers, and which evidence of an incident each would break.

    controls()    H01, H02, ... in order

One file is one control, named for its id; the format is in the folder's README. What does not follow it is a
ContentError with file and line. incident/prevention.py compares the controls with what happened.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.content.signs import Sign, read_sign, read_tags

FOLDER = Path(__file__).with_name("controls")
EFFECTS = ("stops", "limits", "shows")
"""What a control does to a step, the strongest first: it does not happen, it happens more rarely or yields less, or
more of it is logged."""

STARTS = ("block", "audit")
WORDS = ("program", "parent", "destination", "store", "rule", "gap", "unknown")
"""What a `why` may name in braces."""


@dataclass(frozen=True, slots=True)
class DefenderRule:
    """One attack surface reduction rule: how it is called here, Microsoft's GUID, and how to begin with it."""

    id: str
    guid: str
    title: str
    start: str


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
class Control:
    """One control. `needs` are controls without which it does nothing; `mitigations` are ATT&CK's, chosen by us."""

    id: str
    slug: str
    title: str
    takeaway: str
    seed: tuple[str, ...]
    techniques: tuple[str, ...]
    mitigations: tuple[str, ...]
    needs: tuple[str, ...]
    verified: bool
    rules: tuple[DefenderRule, ...]
    breaks: tuple[Break, ...]


@cache
def controls() -> tuple[Control, ...]:
    """All controls, by id."""
    files = [(document.read(path), path.stem) for path in sorted(FOLDER.glob("*.yml"))]
    found = [_control(data, stem) for data, stem in files]
    _compare(files, found)
    return tuple(found)


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
    found = Control(
        stem, data.text("slug"), data.text("title"), data.text("takeaway"), read_tags(data),
        attack.texts("techniques"), attack.texts("mitigations"), data.texts("needs"),
        data.choice("verified", ("true", "false")) == "true", rules,
        tuple(_break(entry, rules) for entry in data.listed("breaks")))
    attack.end()
    data.end()
    return found


def _rule(entry: Section) -> DefenderRule:
    found = DefenderRule(entry.text("id"), entry.text("guid"), entry.text("title"), entry.choice("start", STARTS))
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
