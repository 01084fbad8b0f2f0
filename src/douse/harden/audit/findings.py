"""The checks of a control become one Finding, for all controls of a subject.

    findings(subject, controls(), "seed")      in the order of the controls

All good passes; one contradiction is a conflict; good and bad together are partial; bad and unseen is what is known to
be bad; good and unseen is unknown, never a pass. A control that needs another is at most partial where that one is not
in place, and unknown where nobody knows. A policy is judged by what it sets; a control of which it sets nothing is no
finding, and one of which it sets a part is partial: another policy has to set the rest.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date

from douse.content.controls import Control, controls, needs_of
from douse.content.settings import RegistrySetting, SaclSetting
from douse.harden.audit.checks import check
from douse.harden.audit.opinions import second_opinions, with_language_mode
from douse.harden.audit.weigh import current, join, listed_sentences, shortened
from douse.harden.finding import Check, Finding
from douse.harden.observed import Subject

MAX_REASONS = 3
"""How many reasons a sentence repeats; the checks have all."""

_BAD = ("fail", "partial")


def findings(subject: Subject, wanted: Sequence[Control], profile: str, today: date | None = None
             ) -> tuple[Finding, ...]:
    """One finding for each of these controls that is about the subject."""
    needed = {name for control in wanted for name in needs_of(control, controls())}
    base = {control.id: found for control in controls() if control in wanted or control.id in needed
            if (found := _finding(control, subject, profile, today)) is not None}
    done = {name: _with_needs(name, base, subject, frozenset()) for name in base}
    return tuple(done[control.id] for control in wanted if control.id in done)


def _finding(control: Control, subject: Subject, profile: str, today: date | None) -> Finding | None:
    """A control on its own; None where it is not about the subject."""
    checks = [one for setting in control.settings for one in check(setting, subject, profile, today)]
    if not checks or (subject.kind == "policy" and all(one.state == "not-applicable" for one in checks)):
        return None
    against = _not_for(control, subject)
    if against:
        skipped = tuple(replace(one, state="not-applicable", why=against) for one in checks)
        return Finding(control, "not-applicable", against, skipped)
    checks, notes = second_opinions(control, checks, subject)
    state, why = _of_policy(checks) if subject.kind == "policy" else _verdict(checks)
    state, why = with_language_mode(control, state, join(why, _per_profile(checks)), subject)
    return Finding(control, state, why, tuple(checks), notes)


def _not_for(control: Control, subject: Subject) -> str:
    """Why a control is not for a host, "" where it is or may be."""
    machines = [one.value for one in current(subject.machine)[0]]
    builds = [one.build for one in machines if one.build]
    if builds and max(builds) < control.min_build:
        return f"It exists from Windows build {control.min_build:,} on; this is build {max(builds):,}."
    roles = {one.role.casefold() for one in machines if one.role}
    known = {"server" if role in ("server", "domain controller") else role for role in roles}
    if known and known.isdisjoint(control.roles):
        return f"It is for a {' or '.join(control.roles)}; this is a {' or '.join(sorted(roles))}."
    return ""


def _verdict(checks: Iterable[Check]) -> tuple[str, str]:
    """The state and the reason of several checks."""
    by_state = _by_state(checks)
    bad = [one for state in _BAD for one in by_state.get(state, ())]
    good, unseen = by_state.get("pass", ()), by_state.get("unknown", ())
    missing = _missing(unseen)
    if "conflict" in by_state:
        return "conflict", join(_reasons(by_state["conflict"]), _reasons(bad))
    if bad:
        state = "fail" if not good and not by_state.get("partial") else "partial"
        return state, join(_reasons(bad), missing)
    if unseen:
        return "unknown", join(f"{_count(len(good))} as it should be." if good else "", missing)
    if good:
        return "pass", f"{_count(len(good))} as it should be."
    return "not-applicable", _reasons(by_state["not-applicable"])


def _of_policy(checks: Sequence[Check]) -> tuple[str, str]:
    """What a policy would do, judged by what it sets."""
    told = [one for one in checks if one.state != "not-applicable"]
    left = [one for one in checks if one.state == "not-applicable" and not _may_be_absent(one)]
    state, why = _verdict(told)
    sets = f"It would set {len(told)} of {len(told) + len(left)} settings of this control"
    if state == "pass" and left:
        return "partial", f"{sets}, all of them well; another policy has to set {shortened(_names(left))}."
    return state, join(f"{sets}.", "" if state == "pass" else why)


def _may_be_absent(check_: Check) -> bool:
    return isinstance(check_.setting, RegistrySetting) and check_.setting.absent


def _by_state(checks: Iterable[Check]) -> dict[str, list[Check]]:
    found: dict[str, list[Check]] = {}
    for one in checks:
        found.setdefault(one.state, []).append(one)
    return found


def _count(number: int) -> str:
    return "The one setting is" if number == 1 else f"{number} settings are each"


def _reasons(checks: Iterable[Check]) -> str:
    """The reasons of checks, each with the setting it is about; of many the first ones."""
    every = list(dict.fromkeys(f"{_name(one)}: {one.why}" for one in checks))
    more = f"And {len(every) - MAX_REASONS} more." if len(every) > MAX_REASONS else ""
    return join(listed_sentences(every[:MAX_REASONS]), more)


def _missing(unseen: Sequence[Check]) -> str:
    """What was not seen, and what would tell."""
    if not unseen:
        return ""
    return f"Not known: {shortened(_names(unseen))}. {unseen[0].why}"


def _names(checks: Iterable[Check]) -> list[str]:
    return list(dict.fromkeys(_name(one) for one in checks))


def _name(check_: Check) -> str:
    name = check_.setting.id.partition("/")[2]
    return f"{name} of {check_.profile}" if check_.profile else name


def _per_profile(checks: Iterable[Check]) -> str:
    """For settings of users: in how many profiles all is as it should be."""
    per: dict[str, list[str]] = {}
    for one in checks:
        if one.profile and isinstance(one.setting, RegistrySetting | SaclSetting):
            per.setdefault(one.profile, []).append(one.state)
    good = sum(set(states) <= {"pass", "not-applicable"} for states in per.values())
    return f"{good} of {len(per)} profiles." if per else ""


def _with_needs(name: str, base: Mapping[str, Finding], subject: Subject, asked: frozenset[str]) -> Finding:
    """A finding with what its control needs taken into account; `asked` ends a circle."""
    found = base[name]
    if found.state in ("not-applicable", "fail", "unknown"):
        return found
    for needed in found.control.needs:
        if needed not in base or needed in asked:
            found = _without_need(found, needed, subject)
            continue
        other = _with_needs(needed, base, subject, asked | {name})
        if other.state not in ("pass", "not-applicable"):
            found = _lowered(found, other)
    return found


def _without_need(found: Finding, needed: str, subject: Subject) -> Finding:
    """A policy says nothing of what it does not set; the reader should know that it takes more."""
    if subject.kind != "policy":
        return found
    return replace(found, notes=(*found.notes, f"It does nothing without {needed}, which this policy does not set."))


def _lowered(found: Finding, other: Finding) -> Finding:
    """At most partial without what is needed; unknown where nobody knows whether it is there."""
    if other.state == "unknown":
        told = f"It does nothing without {other.control.id} ({other.control.title}), of which nobody knows."
        return replace(found, state="unknown" if found.state == "pass" else found.state, why=join(found.why, told))
    told = f"It does nothing without {other.control.id} ({other.control.title}), which is {_SAID[other.state]}."
    return replace(found, state="partial" if found.state == "pass" else found.state, why=join(found.why, told))


_SAID = {"fail": "missing", "partial": "in place in part only", "conflict": "told of in contradictory ways"}
