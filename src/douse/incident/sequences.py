"""Name what happened inside a group: marks in, the sequences S1 to S8 of the threat model (3.3) out.

What a sequence is called, the level it gives and its window are data (content/incidents/sequences.yml), what it is
worth too (scoring.yml); what it looks for is a function of SEARCHES. The functions look at one group only, so "same
process tree or weak edge" holds by construction. S9 needs the sign-ins of all hosts and comes when the incidents are
known (abuse.py). A sequence that was found in a lesser form pays no bonus: its points would give the level back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from douse.content.incidents import scoring
from douse.content.sequences import KnownSequence, sequence
from douse.incident import compromise, theft, vendor
from douse.incident.scene import Found, Scene
from douse.model import SequenceHit

__all__ = ["HUNTED", "SEARCHES", "Scene", "sequence_hits"]

Search = Callable[[Scene, KnownSequence], Found | None]

SEARCHES: Mapping[str, Search] = {
    "S1": lambda scene, known: compromise.paste_and_run(scene, known.window),
    "S2": lambda scene, known: compromise.initial_compromise(scene, known.window),
    "S3": lambda scene, known: compromise.loader(scene, known.window),
    "S4": lambda scene, known: theft.several_stores(scene, known.window),
    "S5": lambda scene, known: theft.theft_and_transfer(scene, known.window, known.ahead),
    "S6": lambda scene, known: theft.intrusion_and_theft(scene, known.window),
    "S7": lambda scene, known: compromise.unaudited_theft(scene, known.window),
    "S8": lambda scene, known: vendor.named_stealer(scene, known.window),
}

HUNTED = frozenset({*SEARCHES, "S9"})
"""All sequences that a hunt looks for."""


def sequence_hits(scene: Scene) -> tuple[SequenceHit, ...]:
    """The sequences of a group. The bonus of a kind (compromise, theft) is given to the first of the kind only."""
    hits: list[SequenceHit] = []
    paid: set[str] = set()
    for sequence_id, search in SEARCHES.items():
        known = sequence(sequence_id)
        found = search(scene, known)
        if found is None:
            continue
        bonus = None if found.degree else next((b for b in scoring().bonuses if sequence_id in b.sequences), None)
        hits.append(_hit(known, found, bonus.points if bonus and bonus.kind not in paid else 0))
        paid |= {bonus.kind} if bonus else set()
    return tuple(hits)


def _hit(known: KnownSequence, found: Found, bonus: int) -> SequenceHit:
    marks = sorted(found.marks, key=lambda m: (m.time, m.alert_ids))
    times = [m.time for m in marks] + ([found.also] if found.also else [])
    ids = dict.fromkeys(alert_id for mark in marks for alert_id in mark.alert_ids)
    degree = known.degree(found.degree)
    return SequenceHit(known.sequence_id, degree.title, degree.level, bonus, min(times), max(times), found.reason,
                       tuple(ids))
