"""Load lexicons/: lists of words that rules name as placeholders, and the expressions that no list can hold.

    placeholder_lists() -> {"clickfix_launchers": ("mshta", ...), ...}

The format is in the folder's README; what does not follow it is a ContentError with file and line. detection offers the
lists to every rule (detection/language/placeholders.py). Points and levels say how rules are to be made of the groups;
no code adds them up, the rules are the score.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.content.families import families
from douse.content.family_table import Delivery, Family
from douse.model import LEVELS

FOLDER = Path(__file__).with_name("lexicons")


@dataclass(frozen=True, slots=True)
class WordList:
    """A placeholder list. `languages` has the values of each language where there are several, else it is empty."""

    name: str
    group: str
    meaning: str
    values: tuple[str, ...]
    languages: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Expression:
    """What a rule asks of a text beside the lists, as RE2; `flags` are those of Sigma's `re`."""

    name: str
    group: str
    meaning: str
    expression: str
    flags: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """The words about one thing in groups: each gives its points once, and without the group `needs` nothing counts."""

    id: str
    title: str
    points: Mapping[str, int]
    needs: str
    levels: Mapping[str, int]
    lists: tuple[WordList, ...]
    expressions: tuple[Expression, ...]
    verified: bool


@cache
def lexicons() -> tuple[Lexicon, ...]:
    """All lexicons, by id."""
    found = tuple(_lexicon(path) for path in sorted(FOLDER.glob("*.yml")))
    names = [words.name for lexicon in found for words in lexicon.lists]
    for lexicon in found:
        for words in lexicon.lists:
            if names.count(words.name) > 1:
                document.read(FOLDER / f"{lexicon.id}.yml").fail(f"the list {words.name!r} is there twice.",
                                                                 "Give one of them another name.")
    return found


@cache
def placeholder_lists() -> Mapping[str, tuple[str, ...]]:
    """Every list under its name, as rules ask for it; also the names of stealers and loaders (families/)."""
    known = families()
    return {
        **{words.name: words.values for lexicon in lexicons() for words in lexicon.lists},
        "stealer_names": _names(known),
        "loader_names": _names(known.loaders),
    }


def _names(known: Iterable[Family | Delivery]) -> tuple[str, ...]:
    """Every name and alias, in one spelling: a vendor's name for a file has no blanks."""
    return tuple(dict.fromkeys("".join(name.split()) for one in known for name in one.names))


def _lexicon(path: Path) -> Lexicon:
    top = document.read(path)
    if top.text("id") != path.stem:
        top.fail(f"id must be the file's name, {path.stem!r}.", key="id")
    points = _numbers(top, "points")
    groups = tuple(points)
    lexicon = Lexicon(
        path.stem, top.text("title"), points, top.choice("needs", groups), _numbers(top, "levels"),
        tuple(_list(entry, groups) for entry in top.listed("lists")),
        tuple(_expression(entry, groups) for entry in top.listed("expressions")), _verified(top))
    for level in lexicon.levels:
        if level not in LEVELS:
            top.fail(f"{level!r} is no level.", f"Known: {', '.join(LEVELS)}.", key="levels")
    if not lexicon.lists:
        top.fail("lists has no entry.")
    top.end()
    return lexicon


def _list(entry: Section, groups: tuple[str, ...]) -> WordList:
    name, section = entry.text("name"), entry.section("languages")
    if not name.replace("_", "").isalnum() or name != name.lower():
        entry.fail(f"{name!r} cannot be named between percent signs.", "Use small letters, digits, _.", key="name")
    languages = {} if section is None else {code: section.texts(code) for code in section}
    several = (entry.texts("values"), *languages.values())
    values = tuple(value for texts in several for value in texts)
    listed = WordList(name, entry.choice("group", groups), _line(entry.text("meaning")),
                      tuple(dict.fromkeys(values)), languages)
    if not all(value.strip(" *?") for value in values) or not values:
        entry.fail(f"{name} has no value, or an empty one, which every text would have.")
    twice = [value for texts in several for value in texts if texts.count(value) > 1]
    if twice:
        entry.fail(f"{name} has {twice[0]!r} twice.")
    entry.end()
    return listed


def _expression(entry: Section, groups: tuple[str, ...]) -> Expression:
    found = Expression(entry.text("name"), entry.choice("group", groups), _line(entry.text("meaning")),
                       entry.text("re"), entry.choice("flags", ("", "i"), ""))
    entry.end()
    return found


def _numbers(top: Section, key: str) -> dict[str, int]:
    section = top.section(key)
    if section is None:
        top.fail(f"{key} is missing.")
    return {name: section.number(name) for name in section}


def _verified(top: Section) -> bool:
    """Whether every source was read."""
    verified = [True]
    for entry in top.listed("sources"):
        entry.text("text")
        verified.append(entry.choice("verified", ("true", "false")) == "true")
        entry.end()
    return all(verified)


def _line(text: str) -> str:
    return " ".join(text.split())
