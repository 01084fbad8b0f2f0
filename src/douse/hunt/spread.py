"""Read all units of a plan, in this process or in several, and merge what they found in the order of the plan.

The merge decides that the result does not depend on the number of jobs nor on who was ready first; only the facts,
which say of themselves that order does not matter, are merged at once, because they are the bulk. A pool is started
where it pays: a worker costs 0.2 CPU seconds before it reads anything, more with many rules of others, and 16 MB of
logs cost a second or two. Standard input and pipes are read here: a worker does not have them.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from douse.detection.ruleset import RuleSet
from douse.hunt.iocs import NONE, Iocs
from douse.hunt.options import HuntOptions
from douse.hunt.plan import Unit
from douse.hunt.result import Progress
from douse.hunt.work import Findings, Outcome, Worker
from douse.incident.facts import Facts
from douse.incident.network_facts import NetworkFacts

MOST_JOBS: Final = 60
"""Windows waits for no more than 63 pipes at once."""

BYTES_A_WORKER = 16_000_000
"""How much there must be to read for each process that is started."""


def read_all(
    units: Sequence[Unit], ruleset: RuleSet, options: HuntOptions, progress: Progress, iocs: Iocs = NONE
) -> tuple[Findings, frozenset[str]]:
    """What was found, and the files an interruption left unread. Raises the plan's first EvidenceError if strict."""
    merge = _Merge(Findings.empty(ruleset, options))
    shared = {number: unit for number, unit in enumerate(units) if unit.regular}
    workers = workers_for(list(shared.values()), options.jobs)
    worker = Worker(ruleset, options, progress, iocs)
    number = 0
    try:
        if workers > 1:
            from douse.hunt.pool import Pool  # what processes and pipes need is loaded where it pays

            with Pool(options, ruleset, workers, progress, iocs) as pool:
                pool.work(shared, merge.add)
        for number, unit in enumerate(units):
            if number not in merge.outcomes:
                worker.work(unit)
                merge.add(number, Outcome(worker.take()))
    except KeyboardInterrupt:
        if number not in merge.outcomes:
            merge.add(number, Outcome(worker.take(), complete=False))
    found = merge.finish()
    return found, frozenset(unit.path for number, unit in enumerate(units) if not merge.is_complete(number))


def workers_for(units: Sequence[Unit], jobs: int) -> int:
    """How many processes pay for these units; 1 is this one alone."""
    paying = sum(unit.weight for unit in units) // BYTES_A_WORKER
    return max(min(jobs or cores(), len(units), paying, MOST_JOBS), 1)


def cores() -> int:
    """How many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class _Merge:
    """Takes outcomes in any order; merges each when all before it have come."""

    def __init__(self, findings: Findings) -> None:
        self._findings = findings
        self._next = 0
        self.outcomes: dict[int, Outcome | None] = {}
        """By the unit's number; None where it is merged already."""
        self._complete: set[int] = set()

    def add(self, number: int, outcome: Outcome) -> None:
        """Take the outcome of a unit. Raises its error when its turn has come."""
        self._findings.facts.merge(outcome.findings.facts)
        outcome.findings.facts = Facts()
        self._findings.network.merge(outcome.findings.network)
        outcome.findings.network = NetworkFacts()
        self.outcomes[number] = outcome
        while self._next in self.outcomes:
            self._take(self._next)
            self._next += 1

    def is_complete(self, number: int) -> bool:
        """Whether a unit was read to its end, or as far as it can be, and all that came of it was merged."""
        return number in self._complete

    def finish(self) -> Findings:
        """Everything that has come, also behind units that an interruption left out."""
        for number in sorted(self.outcomes):
            self._take(number)
        return self._findings

    def _take(self, number: int) -> None:
        outcome, self.outcomes[number] = self.outcomes[number], None
        if outcome is None:
            return
        if outcome.error is not None:
            raise outcome.error
        self._findings.merge(outcome.findings)
        if outcome.complete:  # said last: an interruption may come while it is merged
            self._complete.add(number)
