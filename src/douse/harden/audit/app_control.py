"""Judge App Control: the policies that were seen go in, a Check comes out.

A policy counts where a source says that the computer enforces it; the file of a policy alone says of no host that it is
active. One active policy that denies the program is enough, as every base policy must allow what is to run. Without
evidence the check is unknown: the binary policies of a host are not read, only their XML and what CiTool lists.
"""

from __future__ import annotations

from douse.content.settings import AppControlSetting
from douse.harden.app_control_effect import Effect, effect
from douse.harden.app_control_policy import AppControlPolicy, policy_key
from douse.harden.audit.mshta_app_control import DRIVERS_ONLY, UMCI_STATUS, contents_of
from douse.harden.audit.weigh import (
    Opinion,
    cite,
    cite_source,
    current,
    current_sources,
    is_policy,
    join,
    listed_sentences,
    seen_of,
    settled,
    unique_citations,
)
from douse.harden.finding import Check
from douse.harden.observed import StoredAppControl, Subject
from douse.harden.seen import Seen

_MISSING = "The collector's JSON (CiTool lists what is active) together with the policy's XML would tell."


def check_app_control(setting: AppControlSetting, subject: Subject) -> tuple[Check, ...]:
    """Whether App Control denies the program."""
    expected = f"an enforced policy denies {setting.file_name}"
    seen, old = current(subject.app_control, subject.app_control_whole)
    seen = [one for one in seen if _key(one.value) not in DRIVERS_ONLY]
    whole = current_sources(subject.app_control_whole)
    if not seen:
        absent = [Opinion("fail", "no policy", "No App Control policy about programs is active.",
                          cite_source(one, "active policies", "none")) for one in whole] or _switched_off(subject)
        return (settled(setting, expected, absent, missing=_MISSING),)
    if is_policy(subject):
        return (settled(setting, expected, [_opinion(setting, one) for one in seen], missing=_MISSING, replaced=old),)
    return (_of_host(setting, expected, subject, seen, bool(whole)),)


def _switched_off(subject: Subject) -> list[Opinion]:
    """That Device Guard says that no policy about programs is active."""
    return [Opinion("fail", "no policy", "Device Guard says that no policy about programs is active.", cite(one))
            for one in current(seen_of(subject.effective, UMCI_STATUS))[0] if str(one.value) == "0"]


def _of_host(setting: AppControlSetting, expected: str, subject: Subject, seen: list[Seen[StoredAppControl]],
             whole: bool) -> Check:
    """The policies of a host together: by id, as one source knows its content and another whether it is active."""
    by_id: dict[str, list[Seen[StoredAppControl]]] = {}
    for one in seen:
        by_id.setdefault(_key(one.value), []).append(one)
    checks = [_one_policy(setting, expected, several) for several in by_id.values()]
    off = _switched_off(subject)
    if off and any(check.state == "pass" for check in checks):
        told = [check for check in checks if check.state == "pass"]
        why = join(listed_sentences(one.why for one in told), "But", listed_sentences(one.why for one in off))
        return Check(setting, "conflict", expected, "a policy is active; none is active", why, unique_citations(
            (*(one for check in told for one in check.cited), *(one.cited for one in off))))
    cited = unique_citations(one for check in checks for one in check.cited)
    actual = "; ".join(dict.fromkeys(check.actual for check in checks))
    for state in ("pass", "conflict", "partial", "unknown"):
        found = [check for check in checks if check.state == state]
        if found:
            return Check(setting, state, expected, actual, listed_sentences(one.why for one in found), cited)
    why = listed_sentences(check.why for check in checks)
    if not whole:
        return Check(setting, "unknown", expected, actual, join(why, f"There may be other policies. {_MISSING}"), cited)
    return Check(setting, "fail", expected, actual, why, cited)


def _one_policy(setting: AppControlSetting, expected: str, several: list[Seen[StoredAppControl]]) -> Check:
    """One policy of a host."""
    name = next((one.value.name for one in several if one.value.name), several[0].value.id)
    cited = unique_citations(cite(one, _shown(one.value)) for one in several)
    active = {one.value.active for one in several} - {None}
    if len(active) > 1:
        return Check(setting, "conflict", expected, f"{name}: active and not active",
                     f"Sources contradict each other on whether {name} is active.", cited)
    if active == {False}:
        return Check(setting, "fail", expected, f"{name}: not active", f"{name} is not active.", cited)
    contents = contents_of(one.value for one in several)
    told = [one for one in several if one.value.policy in contents]
    if not active:
        return Check(setting, "unknown", expected, f"{name}: not known whether active",
                     f"Nobody said whether {name} is active. {_MISSING}", cited)
    if not told:
        return Check(setting, "unknown", expected, f"{name}: active, content not seen",
                     f"{name} is active, but what it denies was not seen. {_MISSING}", cited)
    return settled(setting, expected, [_opinion(setting, one) for one in told], missing=_MISSING)


def active_policies(subject: Subject) -> list[tuple[str, AppControlPolicy]]:
    """The policies that are known to be active and whose content was seen, by name."""
    seen = [one.value for one in current(subject.app_control, subject.app_control_whole)[0]]
    active = {_key(one) for one in seen if one.active} - {_key(one) for one in seen if one.active is False}
    return [(one.name or one.policy.name or one.id, one.policy) for one in seen
            if one.policy is not None and _key(one) in active]


def _key(stored: StoredAppControl) -> str:
    """A policy's id as it compares."""
    return policy_key(stored.id)


def _opinion(setting: AppControlSetting, seen: Seen[StoredAppControl]) -> Opinion:
    """What one policy does to the program where it is active."""
    stored = seen.value
    if stored.policy is None:
        return Opinion("unknown", "content not seen", f"What {stored.name or stored.id} denies was not seen.",
                       cite(seen))
    found = effect(stored.policy, setting.file_name)
    state, actual = _state(found)
    name = stored.name or stored.policy.name or stored.id
    return Opinion(state, f"{name}: {actual}", f"{name}: {found.why}", cite(seen, _shown(stored)))


def _state(found: Effect) -> tuple[str, str]:
    """What an effect is worth. Script enforcement keeps mshta from running code without any rule; other ways to run the
    program (a copy that takes no script) stay open, so that it is half of what is asked."""
    if found.denied and not found.audit:
        return "pass", "denied"
    if found.denied:
        return "partial", "denied in audit mode"
    if found.denied is None:
        return "partial", "denied in part"
    if found.scripts_dead:
        return "partial", "not denied, but scripts are stopped"
    return "fail", "not denied"


def _shown(stored: StoredAppControl) -> str:
    """A policy as a raw value."""
    active = {True: "active", False: "not active", None: ""}[stored.active]
    return join(stored.name, stored.id, active)
