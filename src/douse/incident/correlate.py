"""One host's alerts become incidents: `correlate(alerts, facts, coverage)`, pure, whatever order its input comes in.

    place    every alert in the table of processes            processes, marks, entities
    link     by tree and explicit edges, then by user+time    link, weak, places
    judge    class O, sequences, points, level                outbound, sequences, score
    tell     steps, stages, tree, sentence, gaps              story, tactics, tree, verdict, blindspots
    answer   what was taken, by whom, what to do              case, impact, family, indicators, prevention, plan

Only alerts with an evidence class make and score an incident; others in the same process tree are listed with it. The
id is a UUIDv5 of host and earliest scoring alert, so an incident keeps it while it grows forwards in time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence

from douse.incident.blindspots import blind_spots, reads_audited
from douse.incident.case import Case
from douse.incident.facts import FileDrop, HostFacts
from douse.incident.family import attribution_of, in_words
from douse.incident.impact import stores_of
from douse.incident.indicators import indicators_of
from douse.incident.link import Links
from douse.incident.marks import Mark, in_time_order, mark_of, meet_people, place_alerts
from douse.incident.outbound import Connections, by_process, outbound_marks
from douse.incident.payloads import dropped_by
from douse.incident.plan import plan_of
from douse.incident.prevention import controls_of, lessons_of
from douse.incident.processes import ProcessTable
from douse.incident.rotation import rotation_of
from douse.incident.score import class_scores, floor_of, level_of
from douse.incident.sequences import Scene, sequence_hits
from douse.incident.signs import Evidence
from douse.incident.story import stages_of, steps_of
from douse.incident.tactics import tactics_of
from douse.incident.transfers import Carried, Transfer, carried_by, through_proxy
from douse.incident.tree import process_nodes
from douse.incident.verdict import verdict_of
from douse.incident.weak import JoinedGroup, join_weakly
from douse.model import EVIDENCE_CLASSES, Alert, BlindSpot, Coverage, Incident, level_rank

NAMESPACE = uuid.UUID("6a3f6f0e-5a7b-5c1d-9a54-0d2c7c1d3e88")
"""The namespace of incident ids. Never change it: ids are compared between runs and tools."""


def correlate(alerts: Iterable[Alert], facts: HostFacts, coverage: Coverage,
              previous: Sequence[Incident] = (), transfers: Sequence[Transfer] = (),
              allowed: Sequence[Alert] = ()) -> tuple[Incident, ...]:
    """The incidents of one host, worst first. With `previous` ones, each says which of their ids it replaces;
    `transfers` are what sensors saw of the host's connections (network.py). `allowed` are alerts that somebody expects:
    an incident only says that there were some."""
    ordered = in_time_order(alerts)
    if not any(alert.evidence_class in EVIDENCE_CLASSES for alert in ordered):
        return ()
    table = ProcessTable(facts)
    placed = place_alerts(ordered, table)
    links = Links(placed, facts, table, meet_people(placed, facts, table))
    connections = by_process((*facts.connections, *through_proxy(transfers)), links)
    carried = carried_by(transfers)
    groups = join_weakly(links.groups(), links)
    spots = blind_spots(coverage, facts)
    audited = reads_audited(coverage, facts)
    expected = in_time_order(allowed)
    dropped = dropped_by(facts.drops, links)
    incidents = [_incident(group, links, facts, connections, carried, spots, coverage, audited, previous, expected,
                           dropped) for group in groups]
    return tuple(sorted(incidents, key=lambda i: (-level_rank(i.level), i.first_seen, i.incident_id)))


def _incident(group: JoinedGroup, links: Links, facts: HostFacts, connections: Connections, carried: Carried,
              spots: tuple[BlindSpot, ...], coverage: Coverage, audited: bool,
              previous: Sequence[Incident], allowed: Sequence[Alert],
              dropped: Mapping[int, Sequence[FileDrop]]) -> Incident:
    marks = [mark_of(item, item.alert.alert_id in group.weak) for item in group.placed if item.scores]
    sent = outbound_marks(marks, group.processes, connections, links, carried)
    first = next(mark.alert for mark in marks if mark.alert)
    marks = sorted([*marks, *sent], key=_in_time_order)
    hits = sequence_hits(Scene(marks, group.processes, connections, links, audited))
    classes = class_scores(marks)
    score = round(sum(c.points for c in classes) + sum(hit.bonus for hit in hits), 1)
    static = all(mark.is_static for mark in marks)
    level, level_reason = level_of(score, hits, classes, floor_of(marks), static)
    verdict = verdict_of(marks, hits, level, links, audited, allowed)
    incident_id = str(uuid.uuid5(NAMESPACE, f"{first.host.lower()} {first.alert_id}"))
    alert_ids = tuple(item.alert.alert_id for item in group.placed)
    host = coverage.host or first.host
    case = Case(host, level, verdict.users, marks, group.processes, hits, steps_of(marks, links), links, facts,
                coverage, spots, audited, dropped)
    stores = stores_of(case)
    rotation, attribution, indicators = rotation_of(case, stores), attribution_of(case), indicators_of(case)
    evidence = Evidence(case)
    controls, lessons = controls_of(case, evidence), lessons_of(case, evidence)
    plan = plan_of(case, stores, rotation, indicators, controls, lessons)
    return Incident(
        incident_id=incident_id, host=host, level=level, score=score, title=verdict.title,
        verdict=verdict.sentence, users=verdict.users, first_seen=marks[0].time, last_seen=marks[-1].time,
        family=attribution.family, family_detail=in_words(attribution), steps=case.steps, stages=stages_of(marks),
        sequences=hits, classes=classes, level_reason=level_reason,
        processes=process_nodes(group.placed, sent, links, group.weak),
        next_steps=tuple(step.text for step in plan), blind_spots=spots, coverage=coverage, alert_ids=alert_ids,
        supersedes=_superseded(incident_id, alert_ids, previous), tactics=tactics_of(marks), stores=stores,
        rotation=rotation, attribution=attribution, indicators=indicators, plan=plan, controls=controls,
        lessons=lessons)


def _superseded(incident_id: str, alert_ids: Sequence[str], previous: Sequence[Incident]) -> tuple[str, ...]:
    """Ids of earlier incidents that share an alert with this one and were called otherwise."""
    own = set(alert_ids)
    return tuple(sorted({old.incident_id for old in previous
                         if old.incident_id != incident_id and not own.isdisjoint(old.alert_ids)}))


def _in_time_order(mark: Mark) -> tuple[object, ...]:
    record = (mark.outbound.channel, mark.outbound.record_id) if mark.outbound else ("", 0)
    return mark.time, mark.alert_ids, *record
