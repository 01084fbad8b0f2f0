"""Whether App Control leaves mshta anything to run on a computer: its active policies in, one verdict out.

A host tells its policies by id and whether they are active (CiTool), rarely their content. Content comes from the same
source, or from the policy's XML found elsewhere; Win32_DeviceGuard says whether any policy is about programs. One
active policy about programs with script enforcement is enough, in audit mode too; where the build does not support
switching it off, the option is not believed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from douse.harden.app_control_effect import NO_OPTION_11, Effect, effect
from douse.harden.app_control_policy import AppControlPolicy
from douse.harden.audit.weigh import cite, cite_source, current, current_sources, is_policy, only_value, seen_of
from douse.harden.finding import Cited
from douse.harden.observed import Seen, StoredAppControl, Subject

UMCI_STATUS = "DeviceGuard.UsermodeCodeIntegrityPolicyEnforcementStatus"
"""0 is off, 1 audit, 2 enforced (Win32_DeviceGuard)."""

DRIVERS_ONLY = frozenset({"d2bda982-ccf6-4344-ac5b-0b44427b6816"})
"""Policies that Windows brings and that are about drivers only: Microsoft's driver block list."""

_OPTIONS_TELL = "The policy's XML, given as evidence beside the host's, would tell."


@dataclass(frozen=True, slots=True)
class Verdict:
    """`answer` is dead, denied, conflict, unknown (it may be dead), unrestricted (known not to be) or "" (nothing seen
    that says so)."""

    answer: str
    why: str
    cited: tuple[Cited, ...]


def app_control(subject: Subject, file_name: str, policies: Mapping[str, AppControlPolicy]) -> Verdict:
    """What App Control leaves of the program on a subject."""
    seen, _ = current(subject.app_control)
    verdicts = [_of_policy(subject, several, file_name, policies) for several in _by_id(seen)]
    status = only_value(subject.effective, UMCI_STATUS)
    cited = tuple(cite(one, _shown(one.value)) for one in seen)
    cited += tuple(cite(one, str(one.value)) for one in seen_of(subject.effective, UMCI_STATUS))
    for answer in ("dead", "denied"):
        found = [one for one in verdicts if one.answer == answer]
        if found and str(status) == "0" and not is_policy(subject):
            return Verdict("conflict", f"{found[0].why} But Device Guard says that no policy about programs is active.",
                           cited)
        if found:
            return Verdict(answer, found[0].why, cited)
    if any(one.answer == "conflict" for one in verdicts):
        return Verdict("conflict", next(one.why for one in verdicts if one.answer == "conflict"), cited)
    return _rest(subject, verdicts, str(status) if status is not None else "", cited)


def _rest(subject: Subject, verdicts: list[Verdict], status: str, cited: tuple[Cited, ...]) -> Verdict:
    """The verdict where no policy is known to stop it."""
    doubts = [one.why for one in verdicts if one.answer == "unknown"]
    if status == "0":
        return Verdict("unrestricted", "App Control: no policy about programs is active.", cited)
    if status in ("1", "2"):
        known = [one for one in verdicts if one.answer == "unrestricted"]
        if doubts or not known:
            return Verdict("unknown", f"App Control: a policy about programs is active, which stops mshta unless it "
                           f"switches script enforcement off. {_OPTIONS_TELL}", cited)
    if doubts:
        return Verdict("unknown", doubts[0], cited)
    whole = current_sources(subject.app_control_whole)
    if whole and not is_policy(subject):
        told = tuple(cite_source(one, "active policies", "listed") for one in whole)
        return Verdict("unrestricted", "App Control: no active policy stops it.", (*cited, *told))
    why = "App Control was not seen; it alone could still stop mshta." if not is_policy(subject) else ""
    return Verdict("", why, cited)


def _by_id(seen: Iterable[Seen[StoredAppControl]]) -> list[list[Seen[StoredAppControl]]]:
    by_id: dict[str, list[Seen[StoredAppControl]]] = {}
    for one in seen:
        by_id.setdefault(one.value.id.strip("{}").casefold(), []).append(one)
    return list(by_id.values())


def _of_policy(subject: Subject, several: list[Seen[StoredAppControl]], file_name: str,
               policies: Mapping[str, AppControlPolicy]) -> Verdict:
    """What one policy does, as all sources tell of it."""
    id_ = several[0].value.id.strip("{}").casefold()
    name = next((one.value.name for one in several if one.value.name), several[0].value.id)
    active = {one.value.active for one in several} - {None}
    if len(active) > 1:
        return Verdict("conflict", f"App Control: sources disagree on whether {name} is active.", ())
    if active == {False} or id_ in DRIVERS_ONLY:
        return Verdict("unrestricted", "", ())
    contents = [one.value.policy for one in several if one.value.policy is not None]
    content = contents[0] if contents else policies.get(id_)
    if content is None:
        return Verdict("unknown", f"App Control: {name} is there, but its content was not seen. {_OPTIONS_TELL}", ())
    found = effect(content, file_name)
    if not found.umci:
        return Verdict("unrestricted", "", ())
    if not active and not is_policy(subject):
        return Verdict("unknown", f"App Control: nobody said whether {name} is active.", ())
    return _of_effect(found, name, _builds(subject))


def _of_effect(found: Effect, name: str, builds: set[int]) -> Verdict:
    if found.scripts_dead:
        return Verdict("dead", f"App Control: under {name} mshta runs no code: script enforcement is on"
                       f"{', which counts in audit mode too' if found.audit else ''}.", ())
    if NO_OPTION_11 in builds:
        return Verdict("unknown", f"App Control: {name} switches script enforcement off, which this build of Windows "
                       "does not support, so that nobody knows what mshta may run.", ())
    if found.denied and not found.audit:
        return Verdict("denied", f"App Control: {name} denies it.", ())
    if found.denied is None and not found.audit:
        return Verdict("unknown", f"App Control: {name} may deny it, or some versions of it.", ())
    return Verdict("unrestricted", "", ())


def _builds(subject: Subject) -> set[int]:
    return {one.value.build for one in current(subject.machine)[0]}


def _shown(stored: StoredAppControl) -> str:
    active = {True: "active", False: "not active", None: ""}[stored.active]
    return " ".join(filter(None, (stored.name, stored.id, active)))
