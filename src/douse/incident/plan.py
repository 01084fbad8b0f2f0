"""What to do next, in order: the advice that fits what was found, with its names filled in.

The texts and their conditions are data (content/incidents/advice.yml). Destinations are what the evidence names; they
are raw, as everything from evidence is, and whoever shows them cleans them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from douse.content.incidents import Advice, advice
from douse.incident.blindspots import is_gap
from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.incident.story import store_name
from douse.incident.verdict import listed
from douse.model import BlindSpot, SequenceHit, level_rank

WALLETS = frozenset({"wallet", "ext"})
"""Stores whose loss no new password mends."""

_MOST = 12  # names in one step; more would not be read


def next_steps(marks: Sequence[Mark], hits: Sequence[SequenceHit], level: str, host: str, users: Sequence[str],
               spots: Sequence[BlindSpot], links: Links) -> tuple[str, ...]:
    """The steps for one incident, the most urgent first."""
    letters, stores = {m.letter for m in marks}, {m.store for m in marks if m.store}
    sequences = {hit.sequence_id for hit in hits}
    fitting = [step for step in advice() if _fits(step, letters, stores, sequences, level)]
    if not fitting:
        return ()
    words = {"host": host, **{key: listed(names, _MOST) for key, names in _names(marks, users, spots, links).items()}}
    return tuple(_filled(step, words) for step in fitting if all(words[key] for key in step.needs))


def _fits(step: Advice, letters: set[str], stores: set[str], sequences: set[str], level: str) -> bool:
    if level_rank(level) < level_rank(step.level) or letters & set(step.without):
        return False
    conditional = step.classes or step.stores or step.sequences
    return not conditional or bool(letters & set(step.classes) or stores & set(step.stores)
                                   or sequences & set(step.sequences))


def _names(marks: Sequence[Mark], users: Sequence[str], spots: Sequence[BlindSpot],
           links: Links) -> Mapping[str, Sequence[str]]:
    """What the texts can name. Programs that cut the tree are not to be suspended: they are Windows or a browser."""
    acting = [m.process for m in marks if m.process is not None and m.letter in "XEICRO"
              and not links.cuts(m.process, m.time)]
    injected = [m.process for m in marks if m.process is not None and m.letter == "I"]
    return {
        "stores": _unique(store_name(m) for m in marks if m.letter == "C" and m.store not in WALLETS),
        "wallets": _unique(store_name(m) for m in marks if m.letter == "C" and m.store in WALLETS),
        "destinations": _destinations(marks),
        "injected": _unique(links.table[process].name for process in injected),
        "processes": _unique(links.table[process].name for process in acting),
        "users": users,
        "gaps": [spot.title for spot in spots if is_gap(spot)],
    }


def _destinations(marks: Sequence[Mark]) -> list[str]:
    """What to block: every destination but the dead drops, which are public sites that others need."""
    asked = [m.placed.destination for m in marks if m.role == "dead-drop" and m.placed]
    public = {place for to in asked if to for place in (*to.addresses, to.hostname)}
    found: list[str] = []
    for mark in marks:
        if mark.outbound:
            found.append(mark.outbound.hostname or mark.outbound.address)
        to = mark.placed.destination if mark.placed and mark.letter in "RI" else None
        if to is not None and public.isdisjoint({*to.addresses, to.hostname} - {""}):
            found.append(to.hostname or next(iter(to.addresses), ""))
    return _unique(found)


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))


def _filled(step: Advice, words: Mapping[str, str]) -> str:
    """The text with its words in braces replaced, in one pass, because evidence may hold braces of its own."""
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found.group(1), found.group()), step.text)
