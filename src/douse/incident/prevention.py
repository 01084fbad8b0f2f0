"""What would have broken the chain, and who should learn what: a judged case in, controls and lessons out.

A control has entries (content/controls/); of those that fit, the strongest effect counts, at its earliest step. What
stops or limits a step comes first, by steps; what would only have shown more follows, and only where a gap of this host
is one that it closes. A reader needs a few good ones: for one step at most PER_STEP of each effect, in the catalogue's
order, and no more than MOST altogether, those of the earliest steps. Weak signs are no chain, so they get none.

Logs do not say whether a control was in force. Where it was, the step shows that it was not enough.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from douse.content.controls import EFFECTS, Break, Control, controls
from douse.content.lessons import Lesson, Occasion, lessons
from douse.content.signs import Sign
from douse.incident.case import Case
from douse.incident.signs import UNNAMED, Evidence, Piece, Shape
from douse.incident.verdict import users_of
from douse.model import EVIDENCE_CLASSES, AssignedLesson, BlindSpot, BreakingControl, level_rank

FROM = "medium"
"""The least level of an incident that has a chain to break."""

MOST = 12
PER_STEP: Mapping[str, int] = {"stops": 3, "limits": 2, "shows": 2}
IT = "IT staff"
"""Who gets a lesson that is not for the people whose account was used."""

MOST_SHAPES = 2_000
"""Shapes of evidence whose answers are remembered."""

_MAX_STEPS = 8
_ORDER = "".join(EVIDENCE_CLASSES)


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a control."""

    control: Control
    entry: Break

    @property
    def sign(self) -> Sign:
        """The evidence that the entry is about."""
        return self.entry.sign


@dataclass(frozen=True, slots=True)
class _Asked:
    """An occasion for a lesson."""

    lesson: Lesson
    occasion: Occasion

    @property
    def sign(self) -> Sign:
        """The evidence that the occasion is about."""
        return self.occasion.sign


@dataclass(frozen=True, slots=True)
class _Broken:
    """A control and the step that one of its entries is about; `piece` is the evidence, `gap` what was not logged."""

    control: Control
    entry: Break
    step: int
    piece: Piece | None
    gap: BlindSpot | None = None

    @property
    def strength(self) -> tuple[bool, int, int]:
        """Which entry of a control counts: the least."""
        return self.entry.otherwise, EFFECTS.index(self.entry.effect), self.step

    @property
    def place(self) -> tuple[bool, int, int, str]:
        """Its place among the others."""
        return self.entry.effect == "shows", self.step, EFFECTS.index(self.entry.effect), self.control.id


def controls_of(case: Case, evidence: Evidence) -> tuple[BreakingControl, ...]:
    """The controls, the one that acts earliest first."""
    if level_rank(case.level) < level_rank(FROM):
        return ()
    found: dict[str, _Broken] = {}
    for one in (*_acting(evidence, case), *_showing(case)):
        known = found.get(one.control.id)
        if known is None or one.strength < known.strength:
            found[one.control.id] = one
    return tuple(_told(one, case) for one in _most_useful(sorted(found.values(), key=lambda one: one.place)))


def lessons_of(case: Case, evidence: Evidence) -> tuple[AssignedLesson, ...]:
    """The lessons and whom to give them: those whose occasion came first, what is for IT staff last."""
    if level_rank(case.level) < level_rank(FROM):
        return ()
    found: dict[str, tuple[_Asked, list[Piece]]] = {}
    for piece, one in evidence.fitting(_asked_by):
        asked, pieces = found.setdefault(one.lesson.id, (one, []))
        if asked.occasion is one.occasion:
            pieces.append(piece)
    for one in _asked_by_incident():
        if _is_incident_of(one.sign, case):
            found.setdefault(one.lesson.id, (one, []))
    assigned = [_assigned(asked, pieces, case) for asked, pieces in found.values()]
    return tuple(sorted(assigned, key=lambda one: (one.users == (IT,), one.steps[:1], one.lesson_id)))


# ── controls ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=MOST_SHAPES)
def _entries(shape: Shape) -> tuple[_Entry, ...]:
    """The entries that evidence of this shape fits, but for its words."""
    return tuple(_Entry(control, entry) for control in controls() for entry in control.breaks
                 if entry.sign.is_about_evidence and shape.fits(entry.sign))


@cache
def _of_gaps() -> tuple[_Entry, ...]:
    """The entries that are about missing telemetry alone."""
    return tuple(_Entry(control, entry) for control in controls() for entry in control.breaks
                 if not entry.sign.is_about_evidence)


def _acting(evidence: Evidence, case: Case) -> Iterator[_Broken]:
    """What evidence of the incident is about."""
    for piece, one in evidence.fitting(_entries):
        gap = _gap(one.entry, case)
        if gap is not None or one.entry.effect != "shows":
            yield _Broken(one.control, one.entry, piece.step, piece, gap)


def _showing(case: Case) -> Iterator[_Broken]:
    """What this host did not log."""
    for one in _of_gaps():
        gap = _gap(one.entry, case)
        if gap is not None:
            yield _Broken(one.control, one.entry, _where_missed(gap, case), None, gap)


def _gap(entry: Break, case: Case) -> BlindSpot | None:
    """The first gap of this host that the entry is about."""
    wanted = entry.sign.gaps
    return next((spot for spot in case.spots if spot.requirement in wanted), None) if wanted else None


def _where_missed(gap: BlindSpot, case: Case) -> int:
    """The first step of a kind that the missing records show; else the last step before they would have come."""
    numbers = [number for number, step in enumerate(case.steps, 1) if step.evidence_class in gap.classes]
    if numbers:
        return numbers[0]
    first = min(map(_ORDER.index, gap.classes))
    before = [number for number, step in enumerate(case.steps, 1) if _ORDER.index(step.evidence_class) < first]
    return before[-1] if before else 1


def _most_useful(found: Iterable[_Broken]) -> list[_Broken]:
    kept: list[_Broken] = []
    taken: Counter[tuple[int, str]] = Counter()
    for one in found:
        slot = one.step, one.entry.effect
        taken[slot] += 1
        if taken[slot] <= PER_STEP[one.entry.effect]:
            kept.append(one)
    shows = [one for one in kept if one.entry.effect == "shows"][:MOST]
    acts = [one for one in kept if one.entry.effect != "shows"]
    return [*acts[:MOST - len(shows)], *shows]


def _told(one: _Broken, case: Case) -> BreakingControl:
    words = {**(one.piece.words() if one.piece else {}), "rule": one.entry.rule}
    if one.gap is not None:
        words |= {"gap": one.gap.title, "unknown": _lower_first(one.gap.cannot_judge)}
    why = re.sub(r"\{(\w+)\}", lambda found: words.get(found.group(1), found.group()), one.entry.why)
    if why.startswith(UNNAMED):
        why = why[:1].upper() + why[1:]
    return BreakingControl(one.control.id, one.control.title, one.control.takeaway, one.entry.effect, one.step, why,
                           case.steps[one.step - 1].techniques, one.control.verified)


def _lower_first(text: str) -> str:
    """A sentence to be put after a colon."""
    return text[:1].lower() + text[1:]


# ── lessons ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@lru_cache(maxsize=MOST_SHAPES)
def _asked_by(shape: Shape) -> tuple[_Asked, ...]:
    """The occasions that evidence of this shape fits, but for its words."""
    return tuple(_Asked(lesson, occasion) for lesson in lessons() for occasion in lesson.when
                 if occasion.sign.is_about_evidence and shape.fits(occasion.sign))


@cache
def _asked_by_incident() -> tuple[_Asked, ...]:
    """The occasions that are about the incident alone."""
    return tuple(_Asked(lesson, occasion) for lesson in lessons() for occasion in lesson.when
                 if not occasion.sign.is_about_evidence)


def _assigned(asked: _Asked, pieces: Sequence[Piece], case: Case) -> AssignedLesson:
    lesson = asked.lesson
    steps = sorted({piece.step for piece in pieces} or _steps_of(asked.sign, case))[:_MAX_STEPS]
    users = (IT,) if lesson.audience == "it" else _people(pieces, case)
    return AssignedLesson(lesson.id, lesson.title, lesson.takeaway, users, asked.occasion.why, tuple(steps))


def _is_incident_of(sign: Sign, case: Case) -> bool:
    """Whether what a sign asks of the whole incident is true."""
    return ((not sign.levels or case.level in sign.levels)
            and (not sign.sequences or not case.sequences.isdisjoint(sign.sequences)))


def _steps_of(sign: Sign, case: Case) -> set[int]:
    """The steps that prove the sequences which a sign names."""
    if not sign.sequences:
        return set()
    proof = {alert_id for hit in case.hits if hit.sequence_id in sign.sequences for alert_id in hit.alert_ids}
    return {number for number, step in enumerate(case.steps, 1) if not proof.isdisjoint(step.alert_ids)}


def _people(pieces: Iterable[Piece], case: Case) -> tuple[str, ...]:
    """Whose account it was; where the records do not say, all people of the incident."""
    return users_of((mark for piece in pieces for mark in piece.marks), case.links) or case.users
