"""The fleet: what is said of a host of a hunt, and in which order hosts are listed. hosts.py makes these views.

Light, because every result and every renderer of one needs it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from douse.model import Asset, level_rank

STATES = ("incident", "weak signs", "no finding", "no usable telemetry")


@dataclass(frozen=True, slots=True)
class HostView:
    """One host: its state (a word of STATES), its strongest level, its incidents, what it had and what it lacked.

    `level` and `alerts_by_level` are about all findings, `incident_ids` about those that the result lists. `level` is
    empty without a finding; alerts of level informational alone are none. `records` are those read of it; `missing` are
    titles of telemetry that was not there. Times in UTC, None without a dated record. `asset` is an inventory's word,
    `score` that of its worst incident.
    """

    host: str
    state: str
    level: str
    incident_ids: tuple[str, ...]
    alerts_by_level: Mapping[str, int]
    records: int
    first_event: datetime | None
    last_event: datetime | None
    missing: tuple[str, ...]
    asset: Asset | None = None
    score: float = 0.0


def ranked(hosts: Iterable[HostView]) -> tuple[HostView, ...]:
    """The worst first, as incidents are ranked, by level and score; among equals by name."""
    return tuple(sorted(hosts, key=lambda one: (STATES.index(one.state), -_rank(one.level), -one.score,
                                                -len(one.incident_ids), one.host.lower(), one.host)))


def _rank(level: str) -> int:
    return level_rank(level) if level else -1
