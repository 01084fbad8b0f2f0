"""What would have broken one incident's chain, ranked, and whether it is in place on that host by now.

    found = measures([Chain(...)], evidence=("PC-7.json",))[0]
    found.measures[0].control, .effect, .step, .state      what to set first
    found.command                                          what writes the policies

A Chain is what a saved hunt says (report/for_incident.py reads it): the controls that its incident names, each with the
step it would have broken. What stops comes before what limits, and that before what only shows; then the earliest step,
then what weighs more. What is in place already comes last: it was set later, or was not enough. Without evidence of the
host nothing is known to be in place. What a control needs is in the command too, as it does nothing without.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from douse.content.controls import EFFECTS, SEVERITIES, Control, controls, needs_of
from douse.content.settings import Setting
from douse.errors import EvidenceError
from douse.harden.audit.run import audit
from douse.harden.audit.weigh import shortened
from douse.harden.finding import AuditOptions, AuditResult, Finding, SubjectResult
from douse.harden.gathered import Problem
from douse.harden.generate.formats import FORMATS

PREFERRED = ("gpo", "powershell")
"""The formats that a suggestion begins with, where they can say something."""

MISSING = ("fail", "partial", "conflict", "unknown", "")
"""States of a measure that leave something to do; "" is: nobody looked."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A control that an incident names: its id, what it does to the step of that number (from 1), and why."""

    control: str
    effect: str
    step: int
    why: str


@dataclass(frozen=True, slots=True)
class Chain:
    """An incident as far as it matters here. `steps` are their titles, in order."""

    id: str
    host: str
    title: str
    level: str
    first_seen: str
    steps: tuple[str, ...]
    broken: tuple[Broken, ...]


@dataclass(frozen=True, slots=True)
class Measure:
    """A control for this incident. `state` is that of the host's finding, "" where no evidence was given; `state_why`
    its reason. `formats` can deploy something of it; `by_hand` are settings that no format says."""

    control: Control
    effect: str
    step: int
    step_title: str
    why: str
    settings: tuple[Setting, ...]
    formats: tuple[str, ...]
    by_hand: tuple[Setting, ...]
    state: str = ""
    state_why: str = ""

    @property
    def in_place(self) -> bool:
        """Whether the host has it, and all of it."""
        return self.state == "pass"


@dataclass(frozen=True, slots=True)
class ForIncident:
    """The measures of one incident, the most useful first. `needed` are ids that others need and the incident does not
    name. `unknown` are ids that this version's catalogue does not have. `command` writes the policies; `preflights` are
    the commands that must come before it is enforced."""

    chain: Chain
    profile: str
    measures: tuple[Measure, ...]
    needed: tuple[str, ...]
    unknown: tuple[str, ...]
    looked: bool
    notes: tuple[str, ...]
    problems: tuple[Problem, ...]
    command: str
    preflights: tuple[str, ...]


def measures(chains: Sequence[Chain], evidence: Sequence[str] = (), profile: str = "seed", today: date | None = None
             ) -> tuple[ForIncident, ...]:
    """The measures against each chain, which must name a control that this version knows. EvidenceError where one does
    not. The evidence is read once."""
    by_id = {control.id: control for control in controls()}
    for chain in chains:
        if not any(one.control in by_id for one in chain.broken):
            raise EvidenceError(f"incident {chain.id}", "names no control that would have broken its chain.",
                                "Weak signs are no chain. Hunt again with this version if the file is an old one.")
    named = {one.control for chain in chains for one in chain.broken} & by_id.keys()
    result = audit(AuditOptions(tuple(evidence), profile=profile, today=today,
                                controls=tuple(sorted(named)))) if evidence and named else None
    return tuple(_for_one(chain, result, profile, by_id) for chain in chains)


def _for_one(chain: Chain, result: AuditResult | None, profile: str, by_id: dict[str, Control]) -> ForIncident:
    """One incident."""
    unknown = tuple(one.control for one in chain.broken if one.control not in by_id)
    found = [_measure(one, by_id[one.control], chain, profile) for one in chain.broken if one.control in by_id]
    needed = tuple(sorted(_needed(found)))
    notes: tuple[str, ...] = ()
    if result is not None:
        found, notes = _judged(found, result, chain.host)
    ranked = tuple(sorted(found, key=_rank))
    to_do = [one.control for one in ranked if not one.in_place]
    wanted = [*to_do, *(by_id[name] for name in needed if any(name in needs_of(one, controls()) for one in to_do))]
    return ForIncident(chain, profile, ranked, needed, unknown, result is not None, notes,
                       result.problems if result is not None else (), command(wanted, profile), _preflights(to_do))


def _measure(one: Broken, control: Control, chain: Chain, profile: str) -> Measure:
    settings = control.settings_of(profile)
    title = chain.steps[one.step - 1] if 0 < one.step <= len(chain.steps) else ""
    return Measure(control, one.effect, one.step, title, one.why, settings, formats_of(settings),
                   tuple(setting for setting in settings if not _said(setting)))


def formats_of(settings: Iterable[Setting]) -> tuple[str, ...]:
    """The formats that can deploy some of these settings."""
    every = list(settings)
    return tuple(word for word, one in FORMATS.items() if any(one.can_say(setting) for setting in every))


def _said(setting: Setting) -> bool:
    return any(one.can_say(setting) for one in FORMATS.values())


def _rank(one: Measure) -> tuple[bool, int, int, int, str]:
    """The place of a measure: the least first."""
    return (one.in_place, EFFECTS.index(one.effect), one.step, SEVERITIES.index(one.control.severity), one.control.id)


def _needed(found: Sequence[Measure]) -> set[str]:
    named = {one.control.id for one in found}
    return {name for one in found for name in needs_of(one.control, controls())} - named


# ── what is in place ──────────────────────────────────────────────────────────────────────────────────────────────────


def _judged(found: Iterable[Measure], result: AuditResult, host: str) -> tuple[list[Measure], tuple[str, ...]]:
    """The measures with the states that the audit found, and a note where it was not about this host."""
    alike = [one for one in result.hosts if _same_host(one.name, host)]
    here = alike[0] if len(alike) == 1 else None
    others = [one for one in result.subjects if one.kind in ("tenant", "organisation")]
    notes = []
    if len(alike) > 1:
        notes.append(f"The evidence is about {' and '.join(one.name for one in alike)}, and nobody can tell which of "
                     f"them {host} is: what is in place there is not known.")
    elif here is None:
        seen = shortened(one.name for one in result.hosts) or "no computer"
        notes.append(f"The evidence is about {seen}, not about {host}: what is in place there is not known.")
    subjects = [*((here,) if here is not None else ()), *others]
    return [_with_state(one, subjects) for one in found], tuple(notes)


def _same_host(left: str, right: str) -> bool:
    """Whether two names are one computer's: a short name stands for a whole one."""
    one, other = left.casefold().rstrip("."), right.casefold().rstrip(".")
    return one == other or (("." in one) != ("." in other) and one.partition(".")[0] == other.partition(".")[0])


def _with_state(measure: Measure, subjects: Iterable[SubjectResult]) -> Measure:
    """The first subject that the control is about tells: the host, else the tenant, else the organisation."""
    found: Finding | None = next((finding for subject in subjects for finding in subject.findings
                                  if finding.control.id == measure.control.id), None)
    if found is None:
        return replace(measure, state="unknown", state_why="No evidence of this computer was given.")
    return replace(measure, state=found.state, state_why=found.why)


# ── what to do ────────────────────────────────────────────────────────────────────────────────────────────────────────


def command(wanted: Sequence[Control], profile: str) -> str:
    """The command that writes policies for these controls, "" where no format says any of them."""
    settings = [setting for control in wanted for setting in control.settings_of(profile)]
    words = formats_for(settings)
    if not words:
        return ""
    able = [control.id for control in wanted
            if any(FORMATS[word].can_say(setting) for word in words for setting in control.settings_of(profile))]
    more = [] if profile == "seed" else ["--profile", profile]
    return shlex.join(["douse", "harden", "generate", "--controls", ",".join(sorted(set(able))), "--as",
                       ",".join(words), "--mode", "audit", *more, "-o", "bundle/"])


def formats_for(settings: Iterable[Setting]) -> tuple[str, ...]:
    """As few formats as say everything that any format says: a GPO first, then what it has no word for."""
    left = [setting for setting in settings if _said(setting)]
    words: list[str] = []
    while left:
        word = max((*(one for one in PREFERRED if one in FORMATS and one not in words),
                    *(one for one in FORMATS if one not in (*PREFERRED, *words))),
                   key=lambda one: (one == "gpo" and any(FORMATS[one].can_say(it) for it in left),
                                    sum(FORMATS[one].can_say(it) for it in left)))
        words.append(word)
        left = [setting for setting in left if not FORMATS[word].can_say(setting)]
    return tuple(word for word in FORMATS if word in words)


def _preflights(wanted: Iterable[Control]) -> tuple[str, ...]:
    """The commands that prove a program dispensable."""
    programs = dict.fromkeys(control.preflight for control in wanted if control.preflight)
    return tuple(shlex.join(["douse", "harden", "preflight", program.removesuffix(".exe"), "--logs", "logs/",
                             "--inventory", "hosts.csv", "-o", "preflight.json"]) for program in programs)
