"""Points and level of an incident, each with its reason: marks and sequence hits in, numbers and sentences out.

A class counts once, by its best mark (weight x fidelity); credential-store access counts more for every further
sub-family. Two bonuses exist, one for a compromise sequence (S2, S3) and one for a theft sequence (S5, S6): the two of
a kind rest on the same evidence, so each kind is paid once. The level is the strongest of the score's band, the best
sequence and a floor, then the caps of the threat model, 3.4. The floor is ours: a host that logs process starts alone
shows a pasted command as one high alert worth 15 points, and an analyst must not find that among the weak signs. The
numbers are data: content/incidents/scoring.yml, levels and caps sequences.yml.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence, Set

from douse.content.incidents import Scoring, scoring
from douse.content.sequences import Cap, Floor, level_rules
from douse.incident.marks import Mark
from douse.model import EVIDENCE_CLASSES, LEVELS, ClassScore, SequenceHit, level_rank

RELIABLE = 0.7
"""The fidelity from which a rule is exact or a sound heuristic."""


def class_scores(marks: Sequence[Mark]) -> tuple[ClassScore, ...]:
    """The points of every evidence class that is present, in the order of an intrusion."""
    by_class: defaultdict[str, list[Mark]] = defaultdict(list)
    for mark in marks:
        by_class[mark.letter].append(mark)
    return tuple(_class_score(letter, by_class[letter], scoring()) for letter in EVIDENCE_CLASSES if by_class[letter])


def points_of(marks: Sequence[Mark]) -> float:
    """The sum over the classes, without sequences."""
    return round(sum(score.points for score in class_scores(marks)), 1)


def band(points: float) -> str:
    """The level that a score alone gives."""
    return max((level for level, least in scoring().bands.items() if points >= least), key=level_rank)


def floor_of(marks: Sequence[Mark]) -> Floor | None:
    """The floor of an incident: the highest that one of its alerts gives, None where none does."""
    return next((floor for floor in level_rules().floors if any(_lifts(mark, floor) for mark in marks)), None)


def _lifts(mark: Mark, floor: Floor) -> bool:
    if mark.alert is None or mark.fidelity < RELIABLE:
        return False
    return mark.role == floor.role if floor.role else level_rank(mark.level) >= level_rank(floor.alert)


def level_of(points: float, hits: Sequence[SequenceHit], classes: Sequence[ClassScore],
             floor: Floor | None = None, static: bool = False) -> tuple[str, str]:
    """The incident's level, and the sentence that explains it. `static`: all of it comes from files, nothing ran."""
    by_score = band(points)
    best = max((hit.level for hit in hits), key=level_rank, default=LEVELS[0])
    level = max(by_score, best, key=level_rank)
    parts = [f"Score {points:g} gives {by_score}"]
    if hits:
        names = [hit.sequence_id for hit in hits if hit.level == best]
        verb = "sequences {} give" if len(names) > 1 else "sequence {} gives"
        parts.append(f"{verb.format(', '.join(names))} {best}; the stronger counts")
    if floor and level_rank(floor.gives) > level_rank(level):
        level = floor.gives
        parts.append(f"{floor.reason} lifts it to {level}")
    level, caps = capped(level, {score.evidence_class for score in classes}, hits, static)
    return level, ". ".join(["; ".join(parts), *caps]) + "."


def capped(level: str, letters: Set[str], hits: Sequence[SequenceHit], static: bool = False) -> tuple[str, list[str]]:
    """The level after the caps of content/incidents/sequences.yml, and a sentence for each that holds it down."""
    applied = [cap for cap in level_rules().caps
               if level_rank(cap.most) < level_rank(level) and _applies(cap, letters, hits, static)]
    reasons = [f"Held at {cap.most}: {cap.reason}" for cap in applied]
    return min((cap.most for cap in applied), key=level_rank, default=level), reasons


def _applies(cap: Cap, letters: Set[str], hits: Sequence[SequenceHit], static: bool) -> bool:
    if cap.unless_critical_sequence and any(hit.level == "critical" for hit in hits):
        return False
    met = not cap.with_any or bool(cap.with_any & letters)
    few = not cap.fewer_than or len(letters) < cap.fewer_than
    return met and few and not cap.without & letters and (static or not cap.static)


def _class_score(letter: str, marks: Sequence[Mark], numbers: Scoring) -> ClassScore:
    """A class is worth its best mark; ties go to the earliest, so that the named proof never depends on input order."""
    weight = numbers.weights[letter]
    best = _best(marks)
    points, proof = weight * best.fidelity, [best]
    reason = f"{EVIDENCE_CLASSES[letter]}: {weight:g} x {_fidelity(best)}"
    if letter == "C":
        families = _best_by_store(marks)
        for store, mark in families.items():
            if store not in ("", best.store):
                points += numbers.further_store * mark.fidelity
                proof.append(mark)
                reason += f", + {numbers.further_store:g} x {_fidelity(mark)} for {store}"
        if points > numbers.store_cap:
            points, reason = numbers.store_cap, f"{reason}, at most {numbers.store_cap:g}"
    ids = [alert_id for mark in sorted(proof, key=lambda m: m.time) for alert_id in mark.alert_ids]
    source = _named(best)
    return ClassScore(letter, round(points, 1), f"{reason} ({source})", tuple(ids))


def _best(marks: Sequence[Mark]) -> Mark:
    return min(marks, key=lambda m: (-m.fidelity, m.time, m.alert_ids))


def _best_by_store(marks: Sequence[Mark]) -> dict[str, Mark]:
    stores = sorted({mark.store for mark in marks})
    return {store: _best([mark for mark in marks if mark.store == store]) for store in stores}


def _fidelity(mark: Mark) -> str:
    return f"{mark.fidelity:g} fidelity" + (", halved for a weak link" if mark.weak else "")


def _named(mark: Mark) -> str:
    return mark.outbound.evidence if mark.outbound else mark.alert.title if mark.alert else ""
