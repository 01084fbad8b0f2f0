"""Whether App Control leaves mshta anything to run on a computer: its active policies in, one verdict out.

A host tells its policies by id and whether they are active (CiTool), rarely their content. Content comes from the same
source, or from the policy's XML found elsewhere; that counts where the id tells policies apart, the version is that of
the active one, and no second XML of the id says otherwise. Win32_DeviceGuard says whether any policy is about programs.
One active policy about programs with script enforcement is enough, in audit mode too; where the build does not support
switching it off, the option is not believed. That nothing stops mshta is said only where the list of policies is whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from douse.harden.app_control_effect import NO_OPTION_11, Effect, effect
from douse.harden.app_control_policy import SHARED_IDS, AppControlPolicy, policy_key
from douse.harden.audit.weigh import cite, cite_source, current, current_sources, is_policy, only_value, seen_of
from douse.harden.finding import Cited
from douse.harden.observed import StoredAppControl, Subject
from douse.harden.seen import Seen

UMCI_STATUS = "DeviceGuard.UsermodeCodeIntegrityPolicyEnforcementStatus"
"""0 is off, 1 audit, 2 enforced (Win32_DeviceGuard)."""

DRIVERS_ONLY = frozenset({"d2bda982-ccf6-4344-ac5b-0b44427b6816"})
"""Policies that Windows brings and that are about drivers only: Microsoft's driver block list."""

_OPTIONS_TELL = "The policy's XML, given as evidence beside the host's, would tell."


@dataclass(frozen=True, slots=True)
class Verdict:
    """`answer` is dead, denied, conflict, unknown (it may be dead), unrestricted (known not to be) or "" (nothing seen
    that says so). `programs` is whether it is known to be of active policies about programs."""

    answer: str
    why: str
    cited: tuple[Cited, ...] = ()
    programs: bool = False


def app_control(subject: Subject, file_name: str) -> Verdict:
    """What App Control leaves of the program on a subject."""
    seen, _ = current(subject.app_control, subject.app_control_whole)
    verdicts = [_of_policy(subject, several, file_name) for several in _by_id(seen)]
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
    whole = current_sources(subject.app_control_whole)
    if status == "0" and not is_policy(subject):
        return Verdict("unrestricted", "App Control: no policy about programs is active.", cited)
    if status in ("1", "2") and (doubts or not whole or not any(one.programs for one in verdicts)):
        return Verdict("unknown", f"App Control: a policy about programs is active, which stops mshta unless it "
                       f"switches script enforcement off. {_OPTIONS_TELL}", cited)
    if doubts:
        return Verdict("unknown", doubts[0], cited)
    if is_policy(subject):
        return Verdict("", "", cited)
    if whole:
        told = tuple(cite_source(one, "active policies", "listed") for one in whole)
        return Verdict("unrestricted", "App Control: no active policy stops it.", (*cited, *told))
    return Verdict("", "Which App Control policies are active was not seen; one could stop mshta.", cited)


def _by_id(seen: Iterable[Seen[StoredAppControl]]) -> list[list[Seen[StoredAppControl]]]:
    by_id: dict[str, list[Seen[StoredAppControl]]] = {}
    for one in seen:
        by_id.setdefault(policy_key(one.value.id), []).append(one)
    return list(by_id.values())


def _of_policy(subject: Subject, several: list[Seen[StoredAppControl]], file_name: str) -> Verdict:
    """What one policy does, as all sources tell of it."""
    stored = [one.value for one in several]
    name = next((one.name for one in stored if one.name), stored[0].id)
    active = {one.active for one in stored} - {None}
    if len(active) > 1:
        told = f"App Control: sources disagree on whether {name!r} is active."
        return Verdict("conflict", told)
    if active == {False} or policy_key(stored[0].id) in DRIVERS_ONLY:
        return Verdict("unrestricted", "")
    contents = contents_of(stored, certain=is_policy(subject))
    if not contents:
        return Verdict("unknown", f"App Control: {name!r} is there, but its content was not seen. "
                       f"{_other_versions(stored)}{_OPTIONS_TELL}")
    effects = [effect(one, file_name) for one in contents]
    if not any(one.umci for one in effects):
        return Verdict("unrestricted", "")
    if not active and not is_policy(subject):
        return Verdict("unknown", f"App Control: nobody said whether {name!r} is active.")
    found = [_of_effect(one, name, _builds(subject)) for one in effects]
    if len({one.answer for one in found}) > 1:
        return Verdict("unknown", f"App Control: {len(found)} files have the id of {name!r} and differ in whether "
                       "mshta runs under it; leave out those that are not the active one.")
    return found[0]


def contents_of(stored: Iterable[StoredAppControl], *, certain: bool = False) -> list[AppControlPolicy]:
    """What one policy of a host may hold, each content once. The XML of another source says of no host what is active
    there, so it counts only if its id is its own and its version is not another than the active one's; `certain` takes
    all of it."""
    stored = list(stored)
    own = [one for one in stored if one.policy is not None and one.active is not None]
    active = {one.version for one in stored if one.active and one.version}
    fitting = [one for one in stored if one.policy is not None and (certain or (
        policy_key(one.id) not in SHARED_IDS and (
            not active or not one.policy.version or one.policy.version in active)))]
    return list(dict.fromkeys(one.policy for one in own or fitting if one.policy is not None))


def _other_versions(stored: Iterable[StoredAppControl]) -> str:
    """That the XML which was given is not of the version that is active."""
    stored = list(stored)
    given = sorted({one.policy.version for one in stored if one.policy is not None and one.policy.version})
    active = sorted({one.version for one in stored if one.active and one.version})
    if not given or not active:
        return ""
    return f"Version {' and '.join(active)} is active, and the XML that was given is {' and '.join(given)}. "


def _of_effect(found: Effect, name: str, builds: set[int]) -> Verdict:
    """What an active policy does."""
    if found.scripts_dead:
        return Verdict("dead", f"App Control: under {name!r} mshta runs no code: script enforcement is on"
                       f"{', which counts in audit mode too' if found.audit else ''}.")
    if any(0 < build <= NO_OPTION_11 for build in builds):
        return Verdict("unknown", f"App Control: {name!r} switches script enforcement off, which this build of Windows "
                       "does not support, so that nobody knows what mshta may run.")
    if found.denied and not found.audit:
        return Verdict("denied", f"App Control: {name!r} denies it.")
    if found.denied is None and not found.audit:
        return Verdict("unknown", f"App Control: {name!r} may deny it, or some versions of it.")
    return Verdict("unrestricted", "", programs=found.umci)


def _builds(subject: Subject) -> set[int]:
    return {one.value.build for one in current(subject.machine)[0]}


def _shown(stored: StoredAppControl) -> str:
    active = {True: "active", False: "not active", None: ""}[stored.active]
    return " ".join(filter(None, (stored.name, stored.id, active)))
