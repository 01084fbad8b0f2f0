"""S9: what was stolen is used. Incidents and the sign-ins of all hosts in, the same incidents out, some escalated.

An incident is followed by credential abuse where, within the window of content/incidents/sequences.yml (7 days), one of
its people signs in from an address that nobody's logs show for that person before. The address must mean something: it
lies in the internet, or there is an earlier sign-in of that person to be different from. An address that belongs to the
incident's own host is a renewed lease. Over the internet or through Remote Desktop the sign-in raises the level by one,
within the caps of 3.4; another one inside a network, where addresses change all the time, is told and raises nothing.
Ids, steps and points stay: it is about other hosts, and it comes when everything of this one is judged.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from douse.content.sequences import sequence
from douse.incident.score import capped
from douse.incident.signins import REMOTE_DESKTOP, SignIn, SignIns, person_of
from douse.model import LEVELS, Incident, PlanStep, SequenceHit, level_rank
from douse.text import defang

HostAt = Callable[[str, datetime], str]
"""Whose an address was at a time: a host's name in lower case, "" where nobody knows."""

_MAX_TOLD = 3
_THEFTS = frozenset({"S4", "S5", "S6", "S7", "S8"})
_KINDS = {REMOTE_DESKTOP: "by Remote Desktop"}


def escalate(incidents: Iterable[Incident], signins: SignIns,
             host_at: HostAt = lambda _address, _time: "") -> tuple[Incident, ...]:
    """The incidents in the order given, each of medium or above with the sign-ins that follow it."""
    people = signins.by_person()
    return tuple(_followed(one, people, host_at) if level_rank(one.level) >= level_rank("medium") else one
                 for one in incidents)


def _followed(incident: Incident, people: Mapping[str, Sequence[SignIn]], host_at: HostAt) -> Incident:
    found = {(one.sid or person_of(one.user), one.source): one
             for user in incident.users for one in _new(incident, people.get(user) or people.get(person_of(user), ()))
             if host_at(one.source, one.time) != incident.host.lower()}
    if not found:
        return incident
    worst_first = sorted(found.values(), key=lambda one: (not _raises(one), one))
    return _escalated(incident, worst_first)


def _new(incident: Incident, own: Sequence[SignIn]) -> Sequence[SignIn]:
    """A person's first sign-ins from an address in the days after; `own` is in time order."""
    window = sequence("S9").window
    after = own[bisect_right(own, incident.first_seen, key=lambda one: one.time):]
    known_before = len(after) < len(own)
    return [one for one in after if one.time <= incident.last_seen + window and (known_before or one.is_public)]


def _raises(one: SignIn) -> bool:
    return one.is_public or one.logon_type == REMOTE_DESKTOP


def _escalated(incident: Incident, signins: Sequence[SignIn]) -> Incident:
    stolen = any(hit.sequence_id in _THEFTS and level_rank(hit.level) >= level_rank("high")
                 for hit in incident.sequences)
    degree = sequence("S9").degree("" if stolen else "suspected")
    raised = incident.level
    if _raises(signins[0]):
        above = LEVELS[min(level_rank(incident.level) + 1, len(LEVELS) - 1)]
        raised = max(incident.level, min(above, degree.level, key=level_rank), key=level_rank)
    hit = SequenceHit("S9", degree.title, raised, 0, min(one.time for one in signins), max(one.time for one in signins),
                      _told(signins), ())
    letters = {score.evidence_class for score in incident.classes}
    level, caps = capped(raised, letters, incident.sequences)
    level = max(level, incident.level, key=level_rank)
    words = f"Sequence S9 {'raises it' if level == raised else 'would raise it'} to {raised}."
    words = words if raised != incident.level else "Sequence S9 does not raise it."
    first = signins[0]
    text = (f"Reset the password of {first.user}, end all its sessions and look at what it did on {first.host}: "
            f"it was used from {defang(first.source)} after the incident.")
    step = PlanStep("credential-abuse", "contain", text, (), (), ())
    return replace(
        incident, level=level, sequences=(*incident.sequences, replace(hit, level=level)),
        title=f"{incident.title}, possible credential abuse",  # a new place may be a new home
        verdict=f"{incident.verdict.removesuffix('.')}; afterwards {_told(signins)}.",
        level_reason=" ".join([incident.level_reason, words, *(f"{cap}." for cap in caps if level != raised)]),
        plan=(step, *incident.plan), next_steps=(text, *incident.next_steps))


def _told(signins: Sequence[SignIn]) -> str:
    """The sign-ins in words, the worst first."""
    told = [f"{one.user} signed in to {one.host} {_KINDS.get(one.logon_type, 'over the network')} from {one.source}, "
            f"where no earlier record has them ({one.evidence})" for one in signins[:_MAX_TOLD]]
    more = len(signins) - len(told)
    return "; ".join(told) + (f"; and {more} more such sign-ins" if more else "")
