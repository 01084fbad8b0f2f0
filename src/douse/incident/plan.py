"""What to do, in order: the advice that fits what was found, with its names filled in and tied to its evidence.

The texts, their phases and their conditions are data (content/incidents/advice.yml). What to change comes from the
rotation, so that nobody is told to move funds where no wallet was touched; what to block from the indicators that are
to be blocked. Addresses are defanged, because people click on what they read in a plan; everything else from evidence
is raw, and whoever shows it cleans it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from douse.content.incidents import NAMED, Advice, advice
from douse.incident.blindspots import is_gap
from douse.incident.case import Case
from douse.incident.marks import Mark
from douse.incident.verdict import listed
from douse.model import (
    AssignedLesson,
    BreakingControl,
    Indicator,
    PlanStep,
    Rotation,
    Step,
    StoreImpact,
    level_rank,
)
from douse.text import defang

AUTOSTARTS = ("T1547", "T1053", "T1546", "T1176", "T1197")
"""Techniques by which something starts again by itself, or a browser loads it again."""

NETWORK = frozenset({"domain-name", "url", "ipv4-addr", "ipv6-addr"})
NOBODY = "its users"

_MOST = 12  # names in one step; more would not be read
_FEW = 4
_MAX_TEXT = 160
_MAX_STEPS = 100  # numbers of steps behind one thing to do
_LONG = frozenset({"autostarts", "controls", "lessons"})  # names that may hold commas of their own
_DOUBT = {"presumed": " (presumed stolen)", "unknown": " (not certain)"}
_URL = re.compile(r"\bhttps?://[^\s\"'<>|]+", re.IGNORECASE)


def plan_of(case: Case, stores: Sequence[StoreImpact], rotation: Sequence[Rotation], indicators: Sequence[Indicator],
            controls: Sequence[BreakingControl], lessons: Sequence[AssignedLesson]) -> tuple[PlanStep, ...]:
    """The steps for one incident, phase by phase, the most urgent first."""
    names = {**_found(case), **_answers(indicators, controls, lessons)}
    people = listed(_unique((*case.users, *(store.user for store in stores if store.alert_ids))), _MOST)
    words = {"host": case.host or "the computer", "people": people or NOBODY,
             **{key: "; ".join(some) if key in _LONG else listed(some, _MOST) for key, some in names.items()}}
    found = _Found.of(case)
    return tuple(_step(step, case, words, changes, controls, lessons) for step in advice()
                 if all(words[key] for key in step.needs) and found.calls_for(step)
                 and ((changes := _changes(step, rotation)) or not step.rotation))


@dataclass(frozen=True, slots=True)
class _Found:
    """What the conditions of an advice are about.

    A sequence counts where it gives high or more: one that was found in a lesser form, such as a stealer that was
    removed before it ran, is no reason to re-install a computer.
    """

    rank: int
    letters: frozenset[str]
    techniques: frozenset[str]
    grave: frozenset[str]

    @classmethod
    def of(cls, case: Case) -> _Found:
        """Of a case."""
        return cls(level_rank(case.level), frozenset(mark.letter for mark in case.marks),
                   frozenset(technique for step in case.steps for technique in step.techniques),
                   frozenset(hit.sequence_id for hit in case.hits if level_rank(hit.level) >= level_rank("high")))

    def calls_for(self, step: Advice) -> bool:
        """Whether the conditions of an advice are met; its needs and what is to be changed are another matter."""
        if self.rank < level_rank(step.level) or not self.letters.isdisjoint(step.without):
            return False
        if step.below and self.rank >= level_rank(step.below):
            return False
        if not (step.classes or step.techniques or step.sequences):
            return True
        return (not self.letters.isdisjoint(step.classes) or not self.grave.isdisjoint(step.sequences)
                or _has(self.techniques, step.techniques))


def _step(advised: Advice, case: Case, words: Mapping[str, str], changes: Sequence[Rotation],
          controls: Sequence[BreakingControl], lessons: Sequence[AssignedLesson]) -> PlanStep:
    own = [control for control in controls if control.effect in advised.controls]
    taught = lessons if advised.lessons else ()
    numbers = {*_because(advised, case), *_proof(changes, case), *(control.step for control in own),
               *(number for lesson in taught for number in lesson.steps)}
    return PlanStep(advised.id, advised.phase, _filled(advised, {**words, **_of_changes(changes)}),
                    tuple(sorted(numbers)[:_MAX_STEPS]), tuple(control.control_id for control in own),
                    tuple(lesson.lesson_id for lesson in taught))


def _because(advised: Advice, case: Case) -> list[int]:
    """The numbers of the steps that call for it."""
    if "autostarts" in advised.needs:
        return [number for number, _ in _autostarts(case.steps)]
    if not (advised.because or advised.techniques):
        return []
    return [number for number, step in enumerate(case.steps, 1) if step.evidence_class in advised.because
            or (advised.techniques and _has(step.techniques, advised.techniques))]


def _proof(changes: Iterable[Rotation], case: Case) -> Iterable[int]:
    """The numbers of the steps that show why something must be changed."""
    proof = {alert_id for change in changes for alert_id in change.alert_ids}
    if not proof:
        return ()
    return [number for number, step in enumerate(case.steps, 1) if not proof.isdisjoint(step.alert_ids)]


# ── what the texts can name ───────────────────────────────────────────────────────────────────────────────────────────


def _found(case: Case) -> dict[str, Sequence[str]]:
    """Names from the evidence. Programs that cut the tree are not to be suspended: they are Windows or a browser."""
    links = case.links
    acting = [m.process for m in case.marks if m.process is not None and m.letter in "XEICRO"
              and not links.cuts(m.process, m.time)]
    return {
        "injected": _unique(links.table[process].name for process in _injected(case.marks)),
        "processes": _unique(links.table[process].name for process in acting),
        "users": case.users,
        "gaps": [spot.title for spot in case.spots if is_gap(spot)],
        "autostarts": _unique(_shortened(step.detail) for _, step in _autostarts(case.steps))[:_FEW],
    }


def _answers(indicators: Sequence[Indicator], controls: Sequence[BreakingControl],
             lessons: Sequence[AssignedLesson]) -> dict[str, Sequence[str]]:
    """Names of what is to be blocked, put in force and learnt."""
    acts = [one for one in controls if one.effect == "stops"] or [one for one in controls if one.effect == "limits"]
    return {
        "destinations": _destinations([one for one in indicators if one.block and one.type in NETWORK]),
        "controls": [f"{one.title} ({one.control_id})" for one in acts[:_FEW]],
        "lessons": [_lessons(users, lessons) for users in dict.fromkeys(one.users for one in lessons)][:_FEW],
    }


def _destinations(blocked: Sequence[Indicator]) -> list[str]:
    """What to block, defanged; an address on a site that is blocked whole is not named again."""
    sites = {one.value.lower() for one in blocked if one.type != "url"}
    return _unique(defang(one.value) for one in blocked if one.type != "url" or _site(one.value) not in sites)


def _site(url: str) -> str:
    """The host of a URL in lower case, without its port."""
    return url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0].lower()


def _lessons(users: Sequence[str], lessons: Iterable[AssignedLesson]) -> str:
    """`to CORP\\anna L04, L09`: what these people are to be given."""
    given = ", ".join(one.lesson_id for one in lessons if one.users == users)
    return f"to {listed(users, _FEW) or NOBODY} {given}"


def _injected(marks: Iterable[Mark]) -> list[int]:
    return [mark.process for mark in marks if mark.process is not None and mark.letter == "I"]


def _autostarts(steps: Sequence[Step]) -> list[tuple[int, Step]]:
    """The steps after which something starts again by itself, with their numbers."""
    return [(number, step) for number, step in enumerate(steps, 1) if _has(step.techniques, AUTOSTARTS)]


def _has(techniques: Iterable[str], wanted: Sequence[str]) -> bool:
    """Whether one is a wanted technique or a part of one."""
    return any(own == name or own.startswith(f"{name}.") for own in techniques for name in wanted)


# ── what to change ────────────────────────────────────────────────────────────────────────────────────────────────────


def _changes(advised: Advice, rotation: Sequence[Rotation]) -> list[Rotation]:
    """The changes that an advice is about; entries that a record names are an advice of their own."""
    if not advised.rotation:
        return []
    if advised.rotation == NAMED:
        return [one for one in rotation if one.basis == NAMED]
    return [one for one in rotation if one.what == advised.rotation and one.basis != NAMED]


def _of_changes(changes: Sequence[Rotation]) -> dict[str, str]:
    """Products, each once and with the doubt there is about it, and entries; whose they are, where that is known."""
    if not changes:
        return {}
    products: dict[str, str] = {}
    for change in changes:
        for product in change.products:
            products.setdefault(product, _DOUBT.get(change.basis, ""))
    users = _unique(user for change in changes for user in change.users)
    return {"products": listed([f"{name}{doubt}" for name, doubt in products.items()], _MOST),
            "entries": listed(_unique(entry for change in changes for entry in change.entries), _MOST),
            **({"people": listed(users, _MOST)} if users else {})}


def _unique(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, names)))


def _shortened(text: str) -> str:
    """Evidence for a sentence: its start, and its addresses so that nobody clicks on them."""
    said = _URL.sub(lambda found: defang(found.group()), text)
    return said if len(said) <= _MAX_TEXT else f"{said[:_MAX_TEXT - 1]}…"


def _filled(advised: Advice, words: Mapping[str, str]) -> str:
    """The text with its words in braces replaced, in one pass, because evidence may hold braces of its own."""
    return re.sub(r"\{(\w+)\}", lambda found: words.get(found.group(1), found.group()), advised.text)
