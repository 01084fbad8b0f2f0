"""How every host of a hunt stands: coverage, findings and an inventory in, one HostView for each host out, worst first.

A host is what its findings say, all of them, also those that a --level leaves out of the result. Without a finding it
is clean in no case: it has "no finding" only where something was logged by which our rules could have judged what
programs do, which is a prerequisite of need `core` (content/telemetry/prerequisites/) for behaviour, a class of
BEHAVIOUR. An antivirus' verdicts alone are not: their silence says nothing of what it does not know. Records of reads
count only where some are about credential stores. Every other host, and every computer of the inventory that no record
came from, has "no usable telemetry".
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache

from douse.content.prerequisites import Prerequisite, prerequisites
from douse.content.telemetry import requirements
from douse.hunt.fleet import STATES, HostView, ranked
from douse.incident.blindspots import is_gap
from douse.model import Alert, Asset, BlindSpot, Coverage, Incident, level_rank

INCIDENT, WEAK, NOTHING, UNUSABLE = STATES

BEHAVIOUR = frozenset("DXICRO")
"""Classes of evidence on what programs do."""

_STORE_READS = "store-read"


@dataclass(slots=True)
class _Found:
    """What was found on one host, whether or not it is shown."""

    name: str
    alerts: Counter[str] = field(default_factory=Counter)
    incidents: list[Incident] = field(default_factory=list)


def hosts_of(coverage: Iterable[Coverage], blind_spots: Mapping[str, Sequence[BlindSpot]], alerts: Iterable[Alert],
             incidents: Iterable[Incident], shown: Iterable[Incident], assets: Mapping[str, Asset],
             absent: Mapping[str, Asset]) -> tuple[HostView, ...]:
    """All hosts, worst first.

    `coverage` and `blind_spots` are those of hosts, not of sensors; `alerts` and `incidents` are all, `shown` those
    that the result lists. `assets` is what an inventory says of a host, `absent` what it says of computers that no
    record came from, by name.
    """
    covered = {one.host.lower(): one for one in coverage}
    listed = {incident.incident_id for incident in shown}
    found = _findings(covered, alerts, incidents)
    views = [_view(one, covered.get(key), blind_spots.get(one.name, ()), listed, assets) for key, one in found.items()]
    views += [HostView(name, UNUSABLE, "", (), {}, 0, None, None, (), asset) for name, asset in absent.items()]
    return ranked(views)


def is_usable(coverage: Coverage, blind_spots: Iterable[BlindSpot]) -> bool:
    """Whether the host logs something by which a rule could judge what programs did on it."""
    unaudited = any(spot.requirement in _unaudited() for spot in blind_spots)
    return any(coverage.records(records.channel, records.event_ids) for one in _decisive() for records in one.records
               if one.complete != _STORE_READS or not unaudited)


@cache
def _decisive() -> tuple[Prerequisite, ...]:
    return tuple(one for one in prerequisites()
                 if one.need == "core" and not one.sensor and BEHAVIOUR.intersection(one.classes))


@cache
def _unaudited() -> frozenset[str]:
    """What a host lacks whose logs say nothing of credential stores, although there may be records of other reads."""
    return frozenset(one.id for one in requirements() if one.show == "no-store-audit")


def _findings(covered: Mapping[str, Coverage], alerts: Iterable[Alert],
              incidents: Iterable[Incident]) -> dict[str, _Found]:
    """Every host that has a record or a finding; names that differ in case only are one."""
    found: defaultdict[str, _Found] = defaultdict(lambda: _Found(""))
    for key, one in covered.items():
        found[key].name = one.host
    for alert in alerts:
        host = found[alert.host.lower()]
        host.name = host.name or alert.host
        host.alerts[alert.level] += 1
    for incident in incidents:
        host = found[incident.host.lower()]
        host.name = host.name or incident.host
        host.incidents.append(incident)
    return found


def _view(found: _Found, covered: Coverage | None, spots: Sequence[BlindSpot], listed: set[str],
          assets: Mapping[str, Asset]) -> HostView:
    levels = {incident.level for incident in found.incidents}
    levels |= {level for level in found.alerts if level_rank(level) >= level_rank("low")}
    usable = covered is not None and is_usable(covered, spots)
    times = [count for count in covered.counts if count.first_seen and count.last_seen] if covered else []
    return HostView(
        host=found.name,
        state=_state(found.incidents, bool(levels), usable),
        level=max(levels, key=level_rank, default=""),
        incident_ids=tuple(one.incident_id for one in found.incidents if one.incident_id in listed),
        alerts_by_level=dict(found.alerts),
        records=sum(count.records for count in covered.counts) if covered else 0,
        first_event=min((count.first_seen for count in times if count.first_seen), default=None),
        last_event=max((count.last_seen for count in times if count.last_seen), default=None),
        missing=tuple(spot.title for spot in spots if is_gap(spot)),
        asset=assets.get(found.name),
        score=max((one.score for one in found.incidents if one.level == max(levels, key=level_rank)), default=0.0))


def _state(incidents: Iterable[Incident], finding: bool, usable: bool) -> str:
    if any(level_rank(incident.level) >= level_rank("medium") for incident in incidents):
        return INCIDENT
    if finding:
        return WEAK
    return NOTHING if usable else UNUSABLE
