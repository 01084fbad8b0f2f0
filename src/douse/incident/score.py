"""Points and level of an incident, each with its reason: marks and sequence hits in, numbers and sentences out.

A class counts once, by its best mark (weight x fidelity); credential-store access counts more for every further
sub-family. Two bonuses exist, one for a compromise sequence (S2, S3) and one for a theft sequence (S5, S6): the two of
a kind rest on the same evidence, so each kind is paid once. The level is the strongest of the score's band, the best
sequence and a floor, then the caps of the threat model, 3.4. The floor is ours: a host that logs process starts alone
shows a pasted command as one high alert worth 15 points, and an analyst must not find that among the weak signs. The
numbers are data: content/incidents/scoring.yml.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from douse.content.incidents import Scoring, scoring
from douse.incident.marks import Mark
from douse.model import EVIDENCE_CLASSES, LEVELS, ClassScore, SequenceHit, level_rank

_BEYOND_READING = frozenset("XIRO")
RELIABLE = 0.7
_CRITICAL_SEQUENCES = frozenset({"S5", "S6", "S8"})


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


def floor_of(marks: Sequence[Mark]) -> str:
    """The least level of an incident: medium with a high alert of a rule that is exact or a sound heuristic."""
    lifted = any(mark.alert and level_rank(mark.alert.level) >= level_rank("high") and mark.fidelity >= RELIABLE
                 for mark in marks)
    return "medium" if lifted else LEVELS[0]


def level_of(points: float, hits: Sequence[SequenceHit], classes: Sequence[ClassScore],
             floor: str = LEVELS[0]) -> tuple[str, str]:
    """The incident's level, and the sentence that explains it."""
    by_score = band(points)
    best = max((hit.level for hit in hits), key=level_rank, default=LEVELS[0])
    level = max(by_score, best, floor, key=level_rank)
    parts = [f"Score {points:g} gives {by_score}"]
    if hits:
        names = [hit.sequence_id for hit in hits if hit.level == best]
        verb = "sequences {} give" if len(names) > 1 else "sequence {} gives"
        parts.append(f"{verb.format(', '.join(names))} {best}; the stronger counts")
    if level_rank(floor) > max(level_rank(by_score), level_rank(best)):
        parts.append(f"a high alert of a reliable rule lifts it to {floor}")
    level, caps = _capped(level, {score.evidence_class for score in classes}, {hit.sequence_id for hit in hits})
    return level, ". ".join(["; ".join(parts), *caps]) + "."


def _capped(level: str, letters: set[str], sequences: set[str]) -> tuple[str, list[str]]:
    if level != "critical":
        return level, []
    reasons = []
    if not letters & {"C", "V"}:
        reasons.append("Held at high: no credential-store access and no vendor verdict was seen")
    if "C" in letters and not letters & _BEYOND_READING:
        reasons.append("Held at high: credential-store access alone, without execution, injection or network")
    if len(letters) < 3 and not sequences & _CRITICAL_SEQUENCES:
        reasons.append("Held at high: critical needs three classes of evidence or sequence S5, S6 or S8")
    return ("high" if reasons else level), reasons


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
