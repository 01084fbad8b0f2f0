"""A rule's tags in, what they mean to an incident out: techniques, evidence class, store, fidelity, stage, role.

`douse.*` tags say it outright and may not be misspelt. For other people's rules the class comes from the ATT&CK tags by
the table in content/techniques/, and the fidelity is 0.4: such a match is a hint until something else agrees with it.
An id of an older ATT&CK counts as what it is called in ours (content/attack/), so T1562.001 and T1685 are one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from douse.content.attack import attack
from douse.content.evidence import evidence_table
from douse.detection.language.documents import Mistake, did_you_mean
from douse.model import EVIDENCE_CLASSES

FIDELITIES: Mapping[str, float] = {"exact": 1.0, "heuristic": 0.7, "weak": 0.4}
STORES = frozenset({"chromium", "gecko", "wallet", "ext", "vault", "ftp", "mail", "messenger", "pwmgr", "files",
                    "cloud"})
STAGES = frozenset({"1", "2", "3"})
_OWN_FIDELITY, _FOREIGN_FIDELITY = 0.7, 0.4
_WORDS: Mapping[str, frozenset[str]] = {
    "class": frozenset(letter.lower() for letter in EVIDENCE_CLASSES),
    "store": STORES,
    "fidelity": frozenset(FIDELITIES),
    "stage": STAGES,
    "role": frozenset(),
}
"""The kinds of our tags and the words each knows; a role is free, incident/ decides which ones it reads."""

_TECHNIQUE = re.compile(r"attack\.(t\d{4}(?:\.\d{3})?)", re.IGNORECASE)
_ROLE = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a rule's tags say. `techniques` are ids of the packaged ATT&CK, or as the tag has them where it has none."""

    techniques: tuple[str, ...]
    evidence_class: str
    store: str
    fidelity: float
    stage: int
    role: str


def meaning(tags: Iterable[str], category: str, *, builtin: bool) -> Meaning:
    """Read a rule's tags. Raises Mistake for a `douse.*` tag that says nothing we know."""
    known = list(tags)
    own = _own(known)
    current = attack().current
    techniques = tuple(dict.fromkeys(current(found[1]) for tag in known if (found := _TECHNIQUE.fullmatch(tag))))
    letter = own.get("class", "").upper()
    if not letter and not builtin:
        tactics = [tag.lower().removeprefix("attack.").replace("_", "-") for tag in known]
        letter = evidence_table().of(category.lower(), techniques, tactics)
    fidelity = FIDELITIES.get(own.get("fidelity", ""), _OWN_FIDELITY if builtin else _FOREIGN_FIDELITY)
    return Meaning(techniques, letter, own.get("store", ""), fidelity, int(own.get("stage", "0")), own.get("role", ""))


def _own(tags: list[str]) -> dict[str, str]:
    """The `douse.*` tags: kind -> word."""
    own: dict[str, str] = {}
    for index, tag in enumerate(tags):
        if not tag.lower().startswith("douse."):
            continue
        kind, _, word = tag.lower().removeprefix("douse.").partition(".")
        try:
            _check(tag, kind, word, own)
        except Mistake as mistake:
            raise mistake.under("tags", index) from None
        own[kind] = word
    return own


def _check(tag: str, kind: str, word: str, own: Mapping[str, str]) -> None:
    if kind not in _WORDS:
        raise Mistake(f"unknown tag '{tag}'", did_you_mean(kind, _WORDS))
    if kind in own:
        raise Mistake(f"a second 'douse.{kind}' tag", "Keep one.")
    if kind == "role":
        if not _ROLE.fullmatch(word):
            raise Mistake(f"'{tag}' is no role", "Write a role in small letters, such as douse.role.clean-up.")
    elif word not in _WORDS[kind]:
        raise Mistake(f"unknown word in the tag '{tag}'", did_you_mean(word, _WORDS[kind]))
