"""Everything that was judged of one incident before it is told: what impact, family, indicators and plan are read from.

A Case is made once per incident by correlate.py, after sequences and level are known. The rooms beside it turn it into
their part of the Incident; none of them changes a level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from douse.incident.contacts import Contact, contact_of
from douse.incident.facts import FileDrop, HostFacts
from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.model import BlindSpot, Coverage, SequenceHit, Step


@dataclass(frozen=True, slots=True)
class Case:
    """One incident, judged. `marks` are its evidence in time order, `steps` its story (numbered from 1 in the output).

    `reads_audited` says whether the host's logs can show a read of a credential store at all; `dropped` are the
    runnable files that each process of the host wrote.
    """

    host: str
    level: str
    users: tuple[str, ...]
    marks: Sequence[Mark]
    processes: Sequence[int]
    hits: tuple[SequenceHit, ...]
    steps: tuple[Step, ...]
    links: Links
    facts: HostFacts
    coverage: Coverage
    spots: tuple[BlindSpot, ...]
    reads_audited: bool
    dropped: Mapping[int, Sequence[FileDrop]] = field(default_factory=dict)
    _contacts: list[Contact | None] = field(init=False, default_factory=list, compare=False, repr=False)
    _proofs: dict[str, list[int]] = field(init=False, default_factory=dict, compare=False, repr=False)

    @property
    def sequences(self) -> frozenset[str]:
        """The ids of the sequences that were found."""
        return frozenset(hit.sequence_id for hit in self.hits)

    @property
    def contacts(self) -> Sequence[Contact | None]:
        """Whom each mark tells of a contact with, in the order of the marks; None where it tells of none."""
        if not self._contacts:
            self._contacts.extend(map(contact_of, self.marks))
        return self._contacts

    def numbers(self, marks: Sequence[Mark]) -> tuple[int, ...]:
        """The numbers (from 1) of the steps that these marks are the proof of."""
        by_proof = self._by_proof()
        found: set[int] = set()
        for mark in marks:
            for alert_id in mark.alert_ids:
                found.update(by_proof.get(alert_id, ()))
            if mark.outbound:
                record = mark.outbound.evidence
                found.update(number for number in by_proof.get(_first_part(record), ())
                             if record in self.steps[number - 1].evidence)
        return tuple(sorted(found))

    def _by_proof(self) -> Mapping[str, Sequence[int]]:
        """The steps by alert id, and by the parts of their records: looking through all of them for each of many marks
        would cost the square."""
        if not self._proofs:
            for number, step in enumerate(self.steps, 1):
                for proof in (*step.alert_ids, *(step.evidence.split(_BETWEEN) if step.evidence else ())):
                    known = self._proofs.setdefault(proof, [])
                    if not known or known[-1] != number:
                        known.append(number)
        return self._proofs


_BETWEEN = "; "
"""What stands between the records of a step (story.py)."""


def _first_part(record: str) -> str:
    return record.partition(_BETWEEN)[0]
