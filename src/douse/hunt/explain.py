"""A rule and a log in, what the rule makes of it out: of one event part by part, of a correlation group by group.

Which event is meant is said by its record id or its number in the log; where neither is given and there are several, it
is the first on which the rule fires, else the one that comes nearest, and a Survey says what that is one of. Events
pass by one at a time, so a log may be of any size. Damage is counted in the Survey.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice

from douse.detection.correlation.document import Correlation
from douse.detection.correlation.explain import CorrelationExplanation, Rehearsal
from douse.detection.explain import Explanation, explain, nearness, reads, seen_as
from douse.detection.language.parse import CompiledRule
from douse.detection.ruleset import RuleSet
from douse.errors import EvidenceError
from douse.hunt.plan import make
from douse.hunt.read import read_unit
from douse.hunt.rules import MAX_KINDS, find_rule
from douse.model import Event, Loss
from douse.telemetry import Tally, Wanted

MAX_NAMED = 10
"""Record ids, and kinds of records, that are listed."""


@dataclass(frozen=True, slots=True)
class Survey:
    """What an explained event is one of: the events of the log that were looked at, those that the rule reads, those it
    fires on with the first of their record ids, and what of the log could not be read. Of a correlation `fires` is its
    alerts. Where one event was asked for, only `events` and `losses` are counted."""

    events: int
    read: int
    fires: int
    record_ids: tuple[int, ...]
    losses: tuple[Loss, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """An explanation, and the log that it is about."""

    explanation: Explanation | CorrelationExplanation
    survey: Survey


def explain_rule(ruleset: RuleSet, name: str, evidence: str, record_id: int | None = None,
                 number: int | None = None) -> Explained:
    """What a rule makes of an event of some evidence (a path, or - for standard input), or a correlation of all of it.

    Raises RuleError for an unknown rule and EvidenceError where there is no such event, or more than one.
    """
    compiled = find_rule(ruleset, name)
    log = _Log(evidence)
    if isinstance(compiled, Correlation):
        if record_id is not None or number is not None:
            raise EvidenceError(name, "is a correlation, which is about all events of a log and not about one.",
                                "Leave out --record-id and --number, or explain one of its rules.")
        return _of_correlation(ruleset, compiled, log)
    if number is not None or compiled.idle:  # what an idle rule makes of any event is the same
        found = _numbered(log, number or 1)
    elif record_id is not None:
        found = _recorded(compiled, log, record_id)
    else:
        found = _best(compiled, log)
    survey = Survey(log.events, found.read, found.fires, tuple(found.record_ids), tuple(log.tally.losses))
    return Explained(explain(compiled, found.event, ruleset.filters), survey)


class _Log:
    """The events of the evidence, counted as they pass."""

    def __init__(self, evidence: str) -> None:
        self.name = evidence
        self.tally = Tally()
        self.kinds: Counter[tuple[str, int]] = Counter()
        self._plan = make((evidence,))
        for loss in self._plan.losses:
            self.tally.lose(loss)

    @property
    def events(self) -> int:
        """How many events there were so far."""
        return self.tally.records_read

    def read(self, wanted: Wanted | None = None) -> Iterator[Event]:
        """Every wanted event, all without a wish, in the order of reading."""
        wanted = wanted or Wanted.everything()
        for unit in self._plan.units:
            yield from read_unit(unit, wanted, self.tally)

    def empty(self) -> EvidenceError:
        """What to say when no event came."""
        if self.tally.losses and not self.tally.records_read:
            loss = self.tally.losses[0]
            where = str(loss.source) if loss.where in ("", str(loss.source)) else f"{loss.source} {loss.where}"
            return EvidenceError(where, f"{loss.reason}.", loss.next_step)
        return EvidenceError(self.name, "holds no event.", "An event needs at least Channel, EventID and a time.")


@dataclass(slots=True)
class _Found:
    """The event that is explained, and how many the rule reads and fires on, as far as that was asked."""

    event: Event
    read: int = 0
    fires: int = 0
    record_ids: list[int] = field(default_factory=list)


def _numbered(log: _Log, number: int) -> _Found:
    event = next(islice(log.read(), number - 1, None), None)
    if event is not None:
        return _Found(event)
    raise log.empty() if not log.events else EvidenceError(
        log.name, f"has no event number {number:,}; it has {log.events:,}.", "They are counted from 1.")


def _recorded(compiled: CompiledRule, log: _Log, record_id: int) -> _Found:
    """The record of that id. Ids are unique in a channel of a host only; of several the one the rule reads is meant."""
    first: Event | None = None
    meant: list[tuple[int, Event]] = []
    many = 0
    for number, event in enumerate(log.read(), start=1):
        if event.record_id == record_id:
            first = first or event
            if seen_as(compiled, event) is not None:
                many += 1
                meant += [(number, event)] if many <= MAX_NAMED else []
    if first is None:
        raise log.empty() if not log.events else EvidenceError(
            log.name, f"has no record {record_id} among {log.events:,}.", "It is EventRecordID in the log.")
    if many > 1:
        listed = "; ".join(f"{number} is {event.channel} {event.event_id} of {event.host}" for number, event in meant)
        raise EvidenceError(log.name, f"has {many:,} records {record_id} that the rule reads: {listed}.",
                            "Choose one with --number N.")
    return _Found(meant[0][1] if meant else first)


def _best(compiled: CompiledRule, log: _Log) -> _Found:
    """The only event, or of several the first on which the rule fires, else the one that comes nearest."""
    found: _Found | None = None
    best = -1.0
    for event in log.read():
        found = found or _Found(event)
        view = seen_as(compiled, event)
        log.kinds[_kind(log, event)] += 1
        if view is None or compiled.term is None:
            continue
        found.read += 1
        if compiled.term.holds(view):
            found.fires += 1
            found.record_ids += [event.record_id] if found.fires <= MAX_NAMED else []
        near = 2.0 if found.fires == 1 else 0.0 if found.fires else nearness(compiled.term, view)
        if near > best:
            found.event, best = event, near
    if found is None:
        raise log.empty()
    if log.events > 1 and not found.read:
        raise EvidenceError(log.name, f"has none of the records that the rule reads, but {_kinds(log)}.",
                            f"It reads {reads(compiled.routes)}; choose an event with --record-id or --number to see "
                            "what the condition makes of it.")
    return found


def _kind(log: _Log, event: Event) -> tuple[str, int]:
    """The kind of a record; of a log that has more kinds than any real one, the later ones are one."""
    kind = event.channel, event.event_id
    return kind if kind in log.kinds or len(log.kinds) < MAX_KINDS else ("other channels", 0)


def _kinds(log: _Log) -> str:
    """The kinds of records in a log, the most frequent first."""
    more = f" and {len(log.kinds) - MAX_NAMED:,} kinds more" if len(log.kinds) > MAX_NAMED else ""
    return ", ".join(f"{channel} {event_id} ({count:,})"
                     for (channel, event_id), count in log.kinds.most_common(MAX_NAMED)) + more


def _of_correlation(ruleset: RuleSet, correlation: Correlation, log: _Log) -> Explained:
    """A correlation over the whole log; what its rules do not read is counted and passed over."""
    rehearsal = Rehearsal(ruleset, correlation)
    for event in log.read(Wanted(rehearsal.interests())):
        rehearsal.observe(event)
    if not log.events:
        raise log.empty()
    found = rehearsal.explanation()
    return Explained(found, Survey(log.events, found.events, found.alerts, (), tuple(log.tally.losses)))
