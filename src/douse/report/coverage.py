"""A CoverageResult becomes plain dicts, as coverage_schema.py describes them; what to switch on is worked out here.

Evidence stays as the log has it; whoever shows it makes it safe (coverage_html.py, cli/show_coverage.py). What both of
them say in words is in coverage_story.py.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence

from douse.content.prerequisites import Prerequisite
from douse.detection.techniques import TechniqueDocument, technique_document
from douse.hunt.coverage_result import CoverageResult, HostSurvey, NetworkSurvey, SurveyOrigin, SurveySummary
from douse.incident.judged import NOT_NEEDED, YES, JudgedSequence, JudgedTechnique
from douse.incident.prerequisites import ABSENT, PARTIAL, PRESENT, Standing
from douse.incident.quality import Cleared, ClockSkew
from douse.model import ChannelCount
from douse.report.coverage_schema import (
    SCHEMA,
    AdviceRow,
    ClearedRow,
    ClockRow,
    HostRow,
    JudgedSequenceRow,
    JudgedTechniqueRow,
    NetworkRow,
    PrerequisiteRow,
    SilenceRow,
    StandingRow,
    SurveyChannelRow,
    SurveyDocument,
    SurveyOriginRow,
    SurveySummaryRow,
)
from douse.report.document import error_row
from douse.report.moments import rfc3339
from douse.telemetry.continuity import ChannelContinuity, Silence


def survey_document(result: CoverageResult) -> SurveyDocument:
    """The whole survey as one document."""
    return {
        "kind": "coverage",
        "schema": SCHEMA,
        "surveyed": result.surveyed,
        "summary": _summary(result.summary, result.origin),
        "hosts": [_host(host) for host in result.hosts],
        "network": _network(result.network),
        "prerequisites": _prerequisites(result),
        "techniques": technique_documents(result),
        "errors": [error_row(problem) for problem in result.problems],
        "notes": list(result.notes),
        "provenance": _origin(result.origin),
    }


def technique_documents(result: CoverageResult) -> list[TechniqueDocument]:
    """The matrix: what can be seen in which log, by which rules, and what is blind."""
    return [technique_document(row) for row in result.techniques]


def _prerequisites(result: CoverageResult) -> list[PrerequisiteRow]:
    """All that are listed on some host, and those of the network, with how many hosts have them."""
    states: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for standings in (*(host.standings for host in result.hosts), result.network.standings):
        for one in standings:
            states[one.prerequisite.id][one.state] += 1
    return [_prerequisite(one, states[one.id]) for one in result.prerequisites if one.id in states]


def _prerequisite(one: Prerequisite, states: Counter[str]) -> PrerequisiteRow:
    return {
        "id": one.id,
        "title": one.title,
        "events": one.events,
        "need": one.need,
        "rare": one.rare,
        "sensor": one.sensor,
        "classes": list(one.classes),
        "without": one.without,
        "volume": one.volume,
        "settings": [{"by": s.by, "do": s.do, "verified": s.verified, "source": s.source} for s in one.settings],
        "present": states[PRESENT],
        "partial": states[PARTIAL],
        "absent": states[ABSENT],
    }


def _host(host: HostSurvey) -> HostRow:
    return {
        "host": host.host,
        "usable": host.usable,
        "records": host.records,
        "first_seen": rfc3339(host.first_seen),
        "last_seen": rfc3339(host.last_seen),
        "rules": host.rules,
        "channels": _channels(host.counts, host.channels),
        "silence_count": host.silence_count,
        "silences": [_silence(one) for one in host.silences],
        "cleared": [_cleared(one) for one in host.cleared],
        "clock": _clock(host.skew),
        "prerequisites": [_standing(one) for one in host.standings],
        "sequences": [_sequence(one) for one in host.sequences],
        "techniques": [_technique(one) for one in host.techniques],
        "advice": _advice(host.sequences),
    }


def _network(network: NetworkSurvey) -> NetworkRow:
    return {"channels": _channels(network.counts, network.channels),
            "prerequisites": [_standing(one) for one in network.standings]}


def _advice(sequences: Iterable[JudgedSequence]) -> list[AdviceRow]:
    """What is not logged and how many sequences of a hunt wait for it, the most first; of each, what is enough."""
    waiting: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for one in sequences:
        if one.hunted and one.state not in (YES, NOT_NEEDED):
            for what, any_of in zip(one.lacking, one.missing, strict=True):
                waiting.setdefault((what, any_of), []).append(one.sequence_id)
    rows: list[AdviceRow] = [{"what": what, "sequences": ids, "any_of": list(any_of)}
                             for (what, any_of), ids in waiting.items()]
    return sorted(rows, key=lambda row: (-len(row["sequences"]), row["what"]))


def _channels(counts: Sequence[ChannelCount], channels: Sequence[ChannelContinuity]) -> list[SurveyChannelRow]:
    """A row for each channel that was counted, also one that could not be followed."""
    by_channel: defaultdict[str, list[ChannelCount]] = defaultdict(list)
    for count in counts:
        by_channel[count.channel.lower()].append(count)
    followed = {one.channel.lower(): one for one in channels}
    return [_channel(group, followed.get(name)) for name, group in sorted(by_channel.items())]


def _channel(counts: list[ChannelCount], one: ChannelContinuity | None) -> SurveyChannelRow:
    firsts = [count.first_seen for count in counts if count.first_seen]
    lasts = [count.last_seen for count in counts if count.last_seen]
    return {
        "channel": one.channel if one else counts[0].channel,
        "records": sum(count.records for count in counts),
        "first_seen": rfc3339(min(firsts, default=None)),
        "last_seen": rfc3339(max(lasts, default=None)),
        "events": [{"event_id": c.event_id, "records": c.records, "first_seen": rfc3339(c.first_seen),
                    "last_seen": rfc3339(c.last_seen)} for c in counts],
        "first_id": one.first_id if one else None,
        "last_id": one.last_id if one else None,
        "missing": one.missing if one else None,
        "ids_known": one.ids_known if one else False,
        "gap_count": one.gap_count if one else 0,
        "gaps": [{"first": gap.first, "last": gap.last, "records": gap.records, "after": rfc3339(gap.after),
                  "before": rfc3339(gap.before)} for gap in one.gaps] if one else [],
        "times_known": one.times_known if one else False,
        "silence_count": one.silence_count if one else 0,
        "silences": [_silence(silence) for silence in one.silences] if one else [],
    }


def _silence(one: Silence) -> SilenceRow:
    return {"start": rfc3339(one.start), "end": rfc3339(one.end), "active_seconds": one.active.total_seconds(),
            "expected": one.expected, "odd": one.odd}


def _cleared(one: Cleared) -> ClearedRow:
    return {"time": rfc3339(one.time), "log": one.log, "user": one.user, "channel": one.channel,
            "event_id": one.event_id, "record_id": one.record_id}


def _clock(skew: ClockSkew | None) -> ClockRow | None:
    if skew is None:
        return None
    return {
        "records": skew.records,
        "checked": skew.checked,
        "first_seen": rfc3339(skew.first_seen),
        "last_seen": rfc3339(skew.last_seen),
        "least_seconds": round(skew.least.total_seconds(), 3),
        "greatest_seconds": round(skew.greatest.total_seconds(), 3),
    }


def _standing(one: Standing) -> StandingRow:
    return {"id": one.prerequisite.id, "state": one.state, "records": one.records,
            "first_seen": rfc3339(one.first_seen), "last_seen": rfc3339(one.last_seen), "reason": one.reason}


def _sequence(one: JudgedSequence) -> JudgedSequenceRow:
    return {
        "id": one.sequence_id,
        "title": one.title,
        "state": one.state,
        "hunted": one.hunted,
        "reason": one.reason,
        "lacking": [{"what": what, "any_of": list(any_of)}
                    for what, any_of in zip(one.lacking, one.missing, strict=True)],
        "since": rfc3339(one.since),
        "until": rfc3339(one.until),
    }


def _technique(one: JudgedTechnique) -> JudgedTechniqueRow:
    return {"id": one.technique, "name": one.name, "stage": one.stage, "state": one.state, "rules": one.rules,
            "seen_in": list(one.seen_in), "not_in": list(one.not_in)}


def _summary(summary: SurveySummary, origin: SurveyOrigin) -> SurveySummaryRow:
    return {
        "files": summary.files,
        "ignored_files": summary.ignored_files,
        "empty_files": sum(not file.records for file in origin.inputs),
        "records_read": summary.records_read,
        "records_outside": summary.records_outside,
        "records_lost": summary.records_lost,
        "hosts": summary.hosts,
        "hosts_unusable": summary.hosts_unusable,
        "rules": summary.rules,
        "partial": summary.partial,
        "interrupted": summary.interrupted,
        "first_event": rfc3339(summary.first_event),
        "last_event": rfc3339(summary.last_event),
    }


def _origin(origin: SurveyOrigin) -> SurveyOriginRow:
    return {
        "version": origin.version,
        "attack_version": origin.attack_version,
        "rules_hash": origin.rules_hash,
        "command_line": origin.command_line,
        "started": rfc3339(origin.started),
        "finished": rfc3339(origin.finished),
        "gap_seconds": origin.gap.total_seconds(),
        "inputs": [{"path": file.path, "size": file.size, "records": file.records} for file in origin.inputs],
    }
