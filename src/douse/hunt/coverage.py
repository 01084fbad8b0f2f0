"""Survey logs: paths in, what each host logs, what is missing of it, and what could therefore be judged, out.

Every record is looked at, because a gap is only known when all of its neighbours are; the fields of few are decoded.
Memory grows with hosts, channels and gaps, each of them bounded, never with records. The order of the files does not
matter. One process reads: the work is little more than the reading itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache

from douse import __version__
from douse.content.attack import attack_version
from douse.content.prerequisites import prerequisites
from douse.detection.logsource import EVERY_CHANNEL, is_elsewhere
from douse.detection.ruleset import RuleSet
from douse.detection.techniques import TechniqueRow, technique_rows
from douse.hunt.coverage_result import (
    CoverageOptions,
    CoverageResult,
    FileRead,
    HostSurvey,
    NetworkSurvey,
    SurveyOrigin,
    SurveySummary,
)
from douse.hunt.plan import Plan, Unit, make
from douse.hunt.problems import problems_of, problems_of_rules
from douse.hunt.read import read_plan, read_unit, telling
from douse.hunt.result import Progress
from douse.hunt.run import Silent
from douse.hunt.work import rules_of
from douse.incident.judged import NO, Logs, judged_sequences, judged_techniques, usable
from douse.incident.prerequisites import standings
from douse.incident.quality import HostQuality, Quality
from douse.model import Coverage, Event
from douse.telemetry import Tally, Wanted
from douse.telemetry.continuity import Continuity, HostContinuity
from douse.telemetry.textlog import NETWORK

_UNNUMBERED = "mde/"
"""Channels whose record ids are no count: Defender's rows have none, and their reader makes one."""


@dataclass(slots=True)
class _Seen:
    """All that is kept of the logs while they are read; two of them merge to what one would have seen."""

    tally: Tally
    continuity: Continuity
    quality: Quality = field(default_factory=Quality)
    inputs: dict[str, FileRead] = field(default_factory=dict)

    @classmethod
    def empty(cls, options: CoverageOptions) -> _Seen:
        window = options.in_window if options.since or options.until else None
        return cls(Tally(options.strict, window), Continuity(options.gap))

    def observe(self, event: Event) -> None:
        """Keep what matters of a record that lies in the window."""
        sensor, numbered = _kind(event.channel)
        self.continuity.observe(NETWORK if sensor else event.host, event.channel,
                                event.record_id if numbered else 0, event.time)
        if not sensor:
            self.quality.observe(event)

    def file(self, unit: Unit, records: int) -> None:
        """A file, or a part of one, gave so many records."""
        before = self.inputs.get(unit.path)
        self.inputs[unit.path] = FileRead(unit.path, unit.size, records + (before.records if before else 0))


def coverage(options: CoverageOptions, progress: Progress | None = None) -> CoverageResult:
    """Read the logs, if any are named, and say what can be judged from them.

    Raises RuleError for rules that do not exist and, under `strict`, EvidenceError at the first loss.
    """
    started = datetime.now(UTC)
    ruleset = rules_of(options)
    plan = make(options.paths)
    if options.strict:
        plan.refuse_losses()
    seen = _Seen.empty(options)
    progress = progress or Silent()
    unread = read_plan(plan, progress, lambda unit: _read_one(unit, options, seen, progress)) if options.paths else 0
    return _result(options, ruleset, plan, seen, unread, started)


def _read_one(unit: Unit, options: CoverageOptions, seen: _Seen, progress: Progress) -> None:
    tally, before = seen.tally, seen.tally.records_read
    try:
        for event in telling(read_unit(unit, Wanted.everything(), tally), tally, progress):
            if options.in_window(event.time):
                seen.observe(event)
    finally:
        seen.file(unit, tally.records_read - before)


@lru_cache(maxsize=1_000)
def _kind(channel: str) -> tuple[bool, bool]:
    """Whether a channel is a network sensor's, and whether its record ids count its records."""
    sensor = is_elsewhere(channel)
    return sensor, not sensor and not channel.lower().startswith(_UNNUMBERED)


def _result(options: CoverageOptions, ruleset: RuleSet, plan: Plan, seen: _Seen, unread: int,
            started: datetime) -> CoverageResult:
    rows = technique_rows(compiled.rule for compiled in ruleset.rules)
    hosts = seen.tally.coverage()
    network = next((one for one in hosts if one.host == NETWORK), Coverage(NETWORK, ()))
    whole = {one.host.lower(): one for one in seen.continuity.hosts()}
    surveys = tuple(_survey(one, whole.get(one.host.lower()), seen.quality.host(one.host), network, rows, ruleset)
                    for one in hosts if one.host != NETWORK)
    problems = (problems_of(seen.tally, plan.losses, ruleset.rejected, unread, "surveyed") if options.paths
                else problems_of_rules(ruleset.rejected))
    inputs = tuple(seen.inputs.values())
    times = [count for one in hosts for count in one.counts if count.first_seen and count.last_seen]
    summary = SurveySummary(
        len(inputs), seen.tally.ignored, seen.tally.records_read, seen.tally.records_outside, seen.tally.records_lost,
        len(surveys), sum(one.usable == NO for one in surveys), len(ruleset.rules), bool(problems), unread > 0,
        min((one.first_seen for one in times if one.first_seen), default=None),
        max((one.last_seen for one in times if one.last_seen), default=None))
    origin = SurveyOrigin(__version__, attack_version(), ruleset.fingerprint, options.command_line, started,
                          datetime.now(UTC), options.gap, inputs)
    return CoverageResult(bool(options.paths), surveys, _network(network, whole.get(NETWORK.lower())), prerequisites(),
                          rows, problems, _notes(seen), summary, origin)


def _survey(covered: Coverage, whole: HostContinuity | None, quality: HostQuality, network: Coverage,
            rows: Iterable[TechniqueRow], ruleset: RuleSet) -> HostSurvey:
    standing = standings(covered, quality)
    logs = Logs(covered, standing, network)
    sequences = judged_sequences(logs)
    return HostSurvey(
        host=whole.host if whole else covered.host, usable=usable(sequences),
        records=sum(count.records for count in covered.counts),
        first_seen=min((c.first_seen for c in covered.counts if c.first_seen), default=None),
        last_seen=max((c.last_seen for c in covered.counts if c.last_seen), default=None), counts=covered.counts,
        channels=whole.channels if whole else (), standings=standing, sequences=sequences,
        techniques=judged_techniques(rows, logs), cleared=tuple(sorted(quality.cleared)), skew=quality.skew,
        silence_count=whole.silence_count if whole else 0, silences=whole.silences if whole else (),
        rules=_rules_that_read(ruleset, covered))


def _network(covered: Coverage, whole: HostContinuity | None) -> NetworkSurvey:
    return NetworkSurvey(covered.counts, whole.channels if whole else (),
                         standings(covered, HostQuality(), sensors=True))


def _rules_that_read(ruleset: RuleSet, covered: Coverage) -> int:
    """How many rules read at least one record of a host."""
    pairs: set[tuple[str, int | None]] = {(EVERY_CHANNEL, None)}
    for count in covered.counts:
        channel, event_id = count.channel.lower(), count.event_id
        pairs |= {(channel, event_id), (channel, None), (EVERY_CHANNEL, event_id)}
    return sum(any((route.channel, route.event_id) in pairs for route in rule.routes) for rule in ruleset.rules)


def _notes(seen: _Seen) -> tuple[str, ...]:
    """Remarks on how the logs were read, and on what exceeded a bound."""
    tally, notes = seen.tally, []
    if tally.records_outside:
        share = f"{tally.records_outside:,} of {tally.records_read:,} records"
        notes.append(f"{share} lie outside --since and --until; they were not judged and are no coverage")
    if seen.continuity.left_out:
        notes.append("more hosts and channels than can be followed: gaps are known of the first of them only")
    return (*notes, *tally.notes)
