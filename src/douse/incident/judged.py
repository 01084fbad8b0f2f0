"""What could be judged on a host and what not: the standing of its logs in, an answer per sequence and technique out.

`yes`: all that is needed is logged. `partly`: it is logged incompletely, or only a part of what shows it. `no`: nothing
that shows it is logged, so that its absence from a result means nothing. A sequence is a chain, so it can be judged in
that time only in which all its logs have records. A technique that no log shows needs a `file` or a sandbox report, or
is `blind`. A network sensor is no host's own log: what it shows counts as partly, because nobody knows what it sees.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from douse.content.prerequisites import Need, SequenceNeeds, needed_by_sequences, prerequisites
from douse.content.sequences import sequence
from douse.content.techniques import Sight
from douse.content.telemetry import Records
from douse.detection.techniques import TechniqueRow
from douse.incident.prerequisites import ABSENT, PRESENT, Standing
from douse.incident.sequences import HUNTED
from douse.model import Coverage

YES, PARTLY, NO, FILE, BLIND, NOT_NEEDED = "yes", "partly", "no", "file", "blind", "not needed"
_RANK = {NO: 0, PARTLY: 1, YES: 2}

_INCOMPLETE = {"store-read": NO, "hashes": YES}
"""What incomplete records are worth for a sequence; partly, where nothing is said here."""
_INCOMPLETE_FOR_A_TECHNIQUE = {**_INCOMPLETE, "typed-command": YES}
"""The same for a technique: registry records that are about other keys show other techniques."""


@dataclass(frozen=True, slots=True)
class JudgedSequence:
    """Whether a sequence could be judged. `hunted` says that a hunt looks for it; `lacking` names what is not logged,
    and `missing` the prerequisites of which one would be enough for each. `since` and `until` are the time in which all
    its logs have records, None where there is none."""

    sequence_id: str
    title: str
    state: str
    hunted: bool
    reason: str
    lacking: tuple[str, ...]
    missing: tuple[tuple[str, ...], ...]
    since: datetime | None
    until: datetime | None


@dataclass(frozen=True, slots=True)
class JudgedTechnique:
    """Whether a technique could be seen: by which records it can be, by which it cannot, and by how many rules."""

    technique: str
    name: str
    stage: int
    state: str
    rules: int
    seen_in: tuple[str, ...]
    not_in: tuple[str, ...]


class Logs:
    """The logs of one host, and of the network, as the questions below ask about them."""

    def __init__(self, coverage: Coverage, standings: Iterable[Standing], network: Coverage) -> None:
        self._coverage, self._network = coverage, network
        self._standings = {one.prerequisite.id: one for one in standings}
        self._spans = _spans(coverage)

    def worth(self, prerequisite: str) -> str:
        """What the records of a prerequisite are worth for a sequence."""
        return _worth(self._standings.get(prerequisite), _INCOMPLETE)

    def sight(self, sight: Sight) -> str:
        """Whether something of a technique is seen in any of these records."""
        return max((self._records(records) for records in sight.records), key=_RANK.__getitem__, default=NO)

    def span(self, names: Iterable[str]) -> tuple[datetime, datetime] | None:
        """From when to when there are records of the logs of some prerequisites."""
        spans = [self._spans[channel] for name in names if self.worth(name) != NO
                 for channel in _channels(name) if channel in self._spans]
        return (min(first for first, _ in spans), max(last for _, last in spans)) if spans else None

    def _records(self, records: Records) -> str:
        if not self._coverage.records(records.channel, records.event_ids):
            return PARTLY if self._network.records(records.channel, records.event_ids) else NO
        about = [one for one in self._standings.values() if one.state != ABSENT and _same(records, one)]
        return min((_worth(one, _INCOMPLETE_FOR_A_TECHNIQUE) for one in about), key=_RANK.__getitem__, default=YES)


def judged_sequences(logs: Logs) -> tuple[JudgedSequence, ...]:
    """Every sequence of the threat model, also those that a hunt does not look for yet."""
    return tuple(_sequence(needs, logs) for needs in needed_by_sequences())


def judged_techniques(rows: Iterable[TechniqueRow], logs: Logs) -> tuple[JudgedTechnique, ...]:
    """Every technique of the matrix, in its order."""
    return tuple(_technique(row, logs) for row in rows)


def usable(sequences: Iterable[JudgedSequence]) -> str:
    """Whether a hunt can tell anything of a host: yes, partly, or no: then its silence means nothing at all."""
    states = [one.state for one in sequences
              if one.hunted and one.state != NOT_NEEDED and one.sequence_id not in _AFTERWARDS]
    if all(state == YES for state in states):
        return YES
    return PARTLY if any(state != NO for state in states) else NO


_AFTERWARDS = frozenset({"S8", "S9"})
"""What a verdict of the antivirus or a sign-in shows: that something was found or used, not how a host was robbed."""


def _sequence(needs: SequenceNeeds, logs: Logs) -> JudgedSequence:
    hunted = needs.id in HUNTED
    unneeded = [name for name in needs.only_without if logs.worth(name) != NO]
    if unneeded:
        reason = "Reads of credential stores are logged."
        return JudgedSequence(needs.id, needs.title, NOT_NEEDED, hunted, reason, (), (), None, None)
    answers = [max((logs.worth(name) for name in need.any_of), key=_RANK.__getitem__) for need in needs.needs]
    lacking = [need for need, answer in zip(needs.needs, answers, strict=True) if answer == NO]
    state = min(answers, key=_RANK.__getitem__)
    since, until = _overlap(needs.needs, logs) if state != NO else (None, None)
    if state != NO and since is None:
        state, reason = NO, "The logs it needs have no time in common."
    else:
        reason = _reason(state, lacking, [need.what for need, answer in zip(needs.needs, answers, strict=True)
                                          if answer == PARTLY])
    return JudgedSequence(needs.id, needs.title, state, hunted, reason, tuple(need.what for need in lacking),
                          tuple(need.any_of for need in lacking), since, until)


def _reason(state: str, lacking: Sequence[Need], partly: Sequence[str]) -> str:
    if state == NO:
        return f"Not logged: {', '.join(need.what for need in lacking)}."
    return f"Incomplete: {', '.join(partly)}." if state == PARTLY else ""


def _overlap(needs: Iterable[Need], logs: Logs) -> tuple[datetime | None, datetime | None]:
    """The time in which the logs of every need have records; what lies close enough for one intrusion counts."""
    spans = [span for need in needs if (span := logs.span(need.any_of))]
    since, until = max(first for first, _ in spans), min(last for _, last in spans)
    return (min(since, until), max(since, until)) if since - until <= sequence("S7").window else (None, None)


def _technique(row: TechniqueRow, logs: Logs) -> JudgedTechnique:
    answers = [(sight, logs.sight(sight)) for sight in row.visible_in]
    seen = tuple(sight.events for sight, answer in answers if answer != NO)
    unseen = tuple(sight.events for sight, answer in answers if answer == NO)
    if not row.visible_in:
        state = FILE if row.needs_file else BLIND
    elif all(answer == YES for _, answer in answers):
        state = YES
    else:
        state = PARTLY if seen else NO
    return JudgedTechnique(row.id, row.name, row.stage, state, len(row.rules), seen, unseen)


def _worth(standing: Standing | None, incomplete: Mapping[str, str]) -> str:
    if standing is None or standing.state == ABSENT:
        return NO
    return YES if standing.state == PRESENT else incomplete.get(standing.prerequisite.complete, PARTLY)


def _same(records: Records, standing: Standing) -> bool:
    """Whether a prerequisite is about some of these records; one of a whole channel says nothing of single ids."""
    return any(one.channel.lower() == records.channel.lower() and one.event_ids is not None
               and (records.event_ids is None or bool(one.event_ids & records.event_ids))
               for one in standing.prerequisite.records)


@cache
def _channels(prerequisite: str) -> tuple[str, ...]:
    return tuple(records.channel.lower()
                 for one in prerequisites() if one.id == prerequisite for records in one.records)


def _spans(coverage: Coverage) -> dict[str, tuple[datetime, datetime]]:
    """Channel in lower case -> from when to when it has records."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for count in coverage.counts:
        if count.first_seen is not None and count.last_seen is not None:
            channel = count.channel.lower()
            first, last = spans.get(channel, (count.first_seen, count.last_seen))
            spans[channel] = min(first, count.first_seen), max(last, count.last_seen)
    return spans
