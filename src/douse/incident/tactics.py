"""An incident by ATT&CK's tactics: marks in, one row for each tactic that was seen out, in ATT&CK's own order.

A technique of several tactics is told under each: logs do not say for which of its purposes it was used.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from douse.content.attack import attack
from douse.incident.marks import Mark
from douse.incident.story import techniques_of
from douse.model import Tactic


def tactics_of(marks: Sequence[Mark]) -> tuple[Tactic, ...]:
    """The tactics of the marks, which are in time order."""
    known = attack()
    by_tactic: defaultdict[str, list[tuple[str, Mark]]] = defaultdict(list)
    for mark in marks:
        for tag in techniques_of([mark]):
            technique = known.techniques.get(known.current(tag))
            for tactic in technique.tactics if technique else ():
                by_tactic[tactic].append((technique.id if technique else tag, mark))
    return tuple(_tactic(tactic.id, tactic.title, seen)
                 for tactic in known.tactics.values() if (seen := by_tactic.get(tactic.name)))


def _tactic(tactic_id: str, name: str, seen: Sequence[tuple[str, Mark]]) -> Tactic:
    ids = dict.fromkeys(alert_id for _, mark in seen for alert_id in mark.alert_ids)
    return Tactic(tactic_id, name, tuple(dict.fromkeys(technique for technique, _ in seen)),
                  seen[0][1].time, seen[-1][1].time, tuple(ids))
