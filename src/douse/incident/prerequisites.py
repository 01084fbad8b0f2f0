"""Which records a host logs, and which it does not: its coverage and quality in, a Standing for each prerequisite out.

`present` means that such records are there and carry what they must, `partial` that they are there and lack something,
`absent` that there is none. Absent is not proof that a setting is off: what is rare may have had nothing to say, and a
channel may not have been collected. The reason says which. What follows for sequences and techniques: judged.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from douse.content.prerequisites import Prerequisite, prerequisites
from douse.incident.quality import HostQuality
from douse.model import Coverage

PRESENT, PARTIAL, ABSENT = "present", "partial", "absent"
STATES = (PRESENT, PARTIAL, ABSENT)

_ANY_IS_ENOUGH = frozenset({"store-read", "typed-command", "verbose"})
"""Conditions that one record proves; the others must be true of most."""


@dataclass(frozen=True, slots=True)
class Standing:
    """One prerequisite on one host: its state, how many records and from when to when, and the reason in a sentence,
    empty where there is nothing to add."""

    prerequisite: Prerequisite
    state: str
    records: int
    first_seen: datetime | None
    last_seen: datetime | None
    reason: str


def standings(coverage: Coverage, quality: HostQuality, *, sensors: bool = False) -> tuple[Standing, ...]:
    """All prerequisites of a host, or with `sensors` those of the network, the most decisive first. What nobody has to
    own is left out where it is absent."""
    found = [_standing(one, coverage, quality) for one in prerequisites() if one.sensor == sensors]
    return tuple(one for one in found if one.prerequisite.missed or one.state != ABSENT)


def _standing(one: Prerequisite, coverage: Coverage, quality: HostQuality) -> Standing:
    channels = {records.channel.lower() for records in one.records}
    wanted = {(records.channel.lower(), records.event_ids) for records in one.records}
    seen = [count for count in coverage.counts if any(
        count.channel.lower() == channel and (ids is None or count.event_id in ids) for channel, ids in wanted)]
    total = sum(count.records for count in seen)
    state, reason = ABSENT, ""
    if total:
        state, reason = _of_present(one, quality)
    elif any(count.channel.lower() in channels for count in coverage.counts):
        reason = ("The log is there and has none of these records" +
                  ("; they are rare, so they may be switched on." if one.rare else "."))
    else:
        reason = "No record of this log."
    firsts = [count.first_seen for count in seen if count.first_seen]
    lasts = [count.last_seen for count in seen if count.last_seen]
    return Standing(one, state, total, min(firsts, default=None), max(lasts, default=None), reason)


def _of_present(one: Prerequisite, quality: HostQuality) -> tuple[str, str]:
    """Whether records that are there are complete, and what they lack."""
    looked_at, met = quality.looked_at.get(one.id, 0), quality.met.get(one.id, 0)
    if one.complete and not _is_met(one.complete, looked_at, met):
        return PARTIAL, one.partial
    if one.complete and one.complete not in _ANY_IS_ENOUGH and met < looked_at:
        return PRESENT, f"{met:,} of {looked_at:,} records are complete."
    return PRESENT, ""


def _is_met(condition: str, looked_at: int, met: int) -> bool:
    return met > 0 if condition in _ANY_IS_ENOUGH else 2 * met > looked_at
