"""S8: an antivirus named a stealer. Was it stopped before it ran, removed too late, or not at all?

    stopped   removed, no process of the file before that, and nothing stolen near it              medium
    late      removed, but a process of the file had started, or its behaviour gave it away        high
    (full)    no record says that it was removed, or a theft within half an hour of the finding    critical

That a removal is missing from the log may also mean that the log ends there; a threat counts as active until a record
says otherwise. A finding after a removal is a new one. Which names are stealers' is decided by the rules
(content/families).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta

from douse.incident.findings import NOTHING, Finding, finding_of
from douse.incident.marks import Mark
from douse.incident.places import place
from douse.incident.processes import SLACK
from douse.incident.scene import Found, Scene, first_after, time_of

NAMES = frozenset({"vendor-family", "vendor-stealer"})
REMOVED = "vendor-removed"
NOT_REMOVED = "vendor-not-removed"

_RANK = {"": 0, "late": 1, "stopped": 2}
"""The worst first."""


def named_stealer(scene: Scene, window: timedelta) -> Found | None:
    """The worst of all findings, the earliest among equals."""
    named = [m for m in scene.of("V") if m.role in NAMES and m.placed]
    removals = [m for m in scene.of("V") if m.role == REMOVED and m.placed]
    if not named and not removals:
        return None
    named = named or removals  # where the log begins with the removal, its name is what the antivirus found
    outcomes = _Outcomes(removals, (m for m in scene.of("V") if m.role == NOT_REMOVED))
    stolen = sorted([*scene.thefts(), *scene.of("O")], key=lambda m: (m.time, m.alert_ids))
    starts = _starts(scene)
    worst: Found | None = None
    for mark in named:
        found = _judged(mark, outcomes, stolen, starts, window)
        if worst is None or _RANK[found.degree] < _RANK[worst.degree]:
            worst = found
        if not worst.degree:
            break
    return worst


def _judged(mark: Mark, outcomes: _Outcomes, stolen: list[Mark], starts: dict[str, datetime],
            window: timedelta) -> Found:
    finding = outcomes.finding(mark)
    threat = mark.alert.title if mark.alert else ""
    near = first_after(stolen, mark.time - window)
    if near and near.time <= mark.time + window:
        what = f"a store of kind {near.store} was accessed" if near.letter == "C" else "data was possibly sent out"
        return Found((mark, near), f"{threat}; {what} within {window.seconds // 60} minutes")
    failed, removed = outcomes.failed(mark), mark if finding.remediated else outcomes.removed(mark)
    if removed is None or (failed and failed.time >= removed.time):
        proof = (mark, failed) if failed else (mark,)
        return Found(proof, f"{threat}; " + ("a record says that it was not removed" if failed else
                                             "no record says that it was removed"))
    proof = (mark,) if removed is mark else (mark, removed)
    started = min((starts[path] for path in finding.paths if path in starts), default=None)
    if finding.ran or (started and started <= removed.time + SLACK):
        return Found(proof, f"{threat}; it had run before it was removed", degree="late")
    return Found(proof, f"{threat}; it was removed, and no start of it was logged before", degree="stopped")


class _Outcomes:
    """What was done about which threat, found by the threat's keys."""

    def __init__(self, removals: Iterable[Mark], failures: Iterable[Mark]) -> None:
        self._findings: dict[tuple[str, ...], Finding] = {}
        self._removals, self._failures = self._by_key(removals), self._by_key(failures)

    def finding(self, mark: Mark) -> Finding:
        """What the record of a mark says, read once."""
        known = self._findings.get(mark.alert_ids)
        if known is None:
            known = self._findings[mark.alert_ids] = finding_of(mark.placed) if mark.placed else NOTHING
        return known

    def removed(self, mark: Mark) -> Mark | None:
        """The first removal of the threat that is not before its finding."""
        return self._first(self._removals, mark)

    def failed(self, mark: Mark) -> Mark | None:
        """The first record after the finding that says that the threat is still there."""
        return self._first(self._failures, mark)

    def _first(self, outcomes: dict[tuple[str, str], list[Mark]], mark: Mark) -> Mark | None:
        after = []
        for key in self.finding(mark).keys:
            known = outcomes.get(key, [])
            at = bisect_left(known, mark.time - SLACK, key=time_of)
            after += known[at:at + 1]
        return min(after, key=lambda m: (m.time, m.alert_ids), default=None)

    def _by_key(self, marks: Iterable[Mark]) -> dict[tuple[str, str], list[Mark]]:
        found: defaultdict[tuple[str, str], list[Mark]] = defaultdict(list)
        for mark in marks:
            for key in self.finding(mark).keys:
                found[key].append(mark)
        return found


def _starts(scene: Scene) -> dict[str, datetime]:
    """The first start of every program of the group, by path as place() spells it."""
    found: dict[str, datetime] = {}
    for number in scene.processes:
        process = scene.links.table[number]
        if process.started and process.image:
            path = place(process.image)
            found[path] = min(found.get(path, process.started), process.started)
    return found
