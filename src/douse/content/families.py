"""Load families/: what tells one stealer from another, how far each sign may be trusted, and what speaks against it.

    families().named(text)    families().suggested(sees, value)    for family in families(): ...

The format is in the folder's README; what does not follow it is a ContentError with file and line, above all a sign
that claims more confidence than the ladder gives its kind of evidence. What can be asked: family_table.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.content.family_table import (
    CONFIDENCES,
    EVIDENCE,
    OBSERVABLES,
    Contradiction,
    Delivery,
    Discriminator,
    Families,
    Family,
    Rung,
    Sign,
    confidence,
    plain,
)
from douse.errors import ContentError

FOLDER = Path(__file__).with_name("families")
LADDER, LOADERS = "ladder.yml", "loaders.yml"
"""The two files of the folder that are no family."""


@cache
def families() -> Families:
    """All families of the folder, ready to be asked."""
    ladder = _ladder()
    files = [path for path in sorted(FOLDER.glob("*.yml")) if path.name not in (LADDER, LOADERS)]
    ids = tuple(path.stem for path in files)
    known = [_family(document.read(path), ids, ladder) for path in files]
    loaders = _loaders(ids)
    _no_name_twice(known, loaders)
    return Families(known, loaders, ladder)


def _ladder() -> tuple[Rung, ...]:
    top = document.read(FOLDER / LADDER)
    rungs = []
    for entry in top.listed("levels"):
        sets = tuple(frozenset(word.strip() for word in one.split("+")) for one in _some(entry, "any_of"))
        for word in sorted(frozenset[str]().union(*sets)):
            if word not in EVIDENCE:
                entry.fail(f"any_of has {word!r}, which is none of {', '.join(EVIDENCE)}.", key="any_of")
        rungs.append(Rung(entry.choice("level", CONFIDENCES[1:]), sets))
        entry.end()
    top.end()
    return tuple(rungs)


def _loaders(ids: tuple[str, ...]) -> tuple[Delivery, ...]:
    top = document.read(FOLDER / LOADERS)
    found = []
    for entry in top.listed("loaders"):
        found.append(Delivery(entry.text("id"), entry.text("name"), entry.texts("aliases"),
                              entry.texts_of("delivers", ids), _line(entry.text("source")), _verified(entry)))
        entry.end()
    top.end()
    return tuple(found)


def _family(top: Section, ids: tuple[str, ...], ladder: Sequence[Rung]) -> Family:
    name = Path(top.file).stem
    if top.text("id") != name:
        top.fail(f"id must be the file's name, {name!r}.", key="id")
    sources = {}
    for entry in top.listed("sources"):
        sources[entry.text("id")] = (_line(entry.text("text")), _verified(entry))
        entry.end()
    family = Family(
        name, top.text("name"), top.texts("aliases"), tuple(map(_line, top.texts("mistaken_for"))),
        top.text("attack", ""),
        tuple(_discriminator(entry, ids, ladder, sources) for entry in top.listed("discriminators")),
        tuple(_contradiction(entry) for entry in top.listed("contradictions")),
        {source: text for source, (text, _) in sources.items()})
    if not family.discriminators:
        top.fail("discriminators has no entry.", "Say what tells the family from others.")
    top.end()
    return family


def _discriminator(entry: Section, ids: tuple[str, ...], ladder: Sequence[Rung],
                   sources: dict[str, tuple[str, bool]]) -> Discriminator:
    evidence = entry.choice("evidence", EVIDENCE)
    claimed, most = entry.choice("confidence", CONFIDENCES[1:]), confidence(ladder, {evidence})
    if CONFIDENCES.index(claimed) > CONFIDENCES.index(most):
        entry.fail(f"{evidence} alone is {most or 'nothing'} at most, not {claimed}.", f"See {LADDER}.",
                   key="confidence")
    found = Discriminator(
        entry.text("id"), _line(entry.text("text")), evidence, claimed, _sign(entry),
        entry.texts_of("shared_with", ids), entry.texts_of("sources", tuple(sources)), _verified(entry))
    if found.verified and not any(sources[source][1] for source in found.sources):
        entry.fail(f"{found.id} is verified without a source that was read.", "Name one under sources.")
    entry.end()
    return found


def _contradiction(entry: Section) -> Contradiction:
    found = Contradiction(_line(entry.text("text")), _sign(entry), _verified(entry))
    entry.end()
    return found


def _sign(entry: Section) -> Sign:
    sees = entry.choice("sees", ("", *OBSERVABLES), "")
    patterns = entry.texts("any_of")
    if bool(sees) != bool(patterns):
        entry.fail("sees and any_of go together.", "Give both, or none where only a person can judge.")
    if any(not pattern.strip("*") for pattern in patterns):
        entry.fail("any_of has a pattern that every text would fit.", key="any_of")
    return Sign(sees, patterns)


def _no_name_twice(known: Sequence[Family], loaders: Sequence[Delivery]) -> None:
    owners: dict[str, str] = {}
    for owner, names in [*((one.id, one.names) for one in known), *((one.id, one.names) for one in loaders)]:
        for name in {plain(name) for name in names}:
            other = owners.setdefault(name, owner)
            if other != owner:
                raise ContentError(str(FOLDER), f"{name!r} means {other} and {owner}.", "Keep it at one of them.")


def _some(entry: Section, key: str) -> tuple[str, ...]:
    found = entry.texts(key)
    if not found:
        entry.fail(f"{key} has no entry.")
    return found


def _verified(entry: Section) -> bool:
    """Whether somebody read it where it is said; nobody may leave that open."""
    return entry.choice("verified", ("true", "false")) == "true"


def _line(text: str) -> str:
    return " ".join(text.split())
