r"""Judge AppLocker: the policies of all stores go in, a Check comes out.

What Windows merged (`Get-AppLockerPolicy -Effective`) is what counts. Without it the rules of Group Policy, MDM and the
computer together are judged, as Windows merges them. Where a store denies the program and the merged policy does not,
that is a conflict. Whether the service that enforces all this runs is H07's question, not this check's.
"""

from __future__ import annotations

from collections.abc import Iterable

from douse.content.settings import AppLockerSetting
from douse.harden.applocker_decision import Decision, Program, decide, program_of
from douse.harden.applocker_policy import COLLECTIONS, UNKNOWN_MODE, AppLockerPolicy, RuleCollection
from douse.harden.audit.weigh import (
    Opinion,
    cite,
    cite_source,
    current,
    current_sources,
    is_policy,
    join,
    settled,
    unique_citations,
)
from douse.harden.finding import Check, Cited
from douse.harden.observed import STORES, StoredAppLocker, Subject
from douse.harden.seen import Seen, Source

SRP = r"SOFTWARE\Policies\Microsoft\Windows\SrpV2"
"""Where Group Policy and the local policy keep AppLocker's rules."""

_MISSING = "Get-AppLockerPolicy -Effective -Xml, the collector's JSON or the SOFTWARE hive would tell."
_ELSEWHERE = "MDM keeps its rules elsewhere, which was not seen."
COPY_STARTS = "A copy in another folder of Windows (WinSxS has one) starts all the same: the rules go by path."
_VERDICTS = {"denied": "pass", "groups": "partial", "audit": "partial", "allowed": "fail", "ungoverned": "fail",
             "unknown": "unknown"}


def check_applocker(setting: AppLockerSetting, subject: Subject) -> tuple[Check, ...]:
    """Who may start the program."""
    program = program_of(setting)
    expected = f"nobody may start {setting.binary}, in any version"
    seen, old = current(subject.applocker)
    merged = [one for one in seen if one.value.store == "effective"]
    stores = [one for one in seen if one.value.store != "effective"]
    if not merged:
        opinions = _stored(program, stores) or _known_absent(subject)
        return (settled(setting, expected, opinions, missing=_MISSING, replaced=old),)
    check = settled(setting, expected, [_opinion(program, one.value.policy, [cite(one)]) for one in merged],
                    missing=_MISSING, replaced=old)
    return (_against_stores(check, program, stores),)


def _opinion(program: Program, policy: AppLockerPolicy, cited: Iterable[Cited]) -> Opinion:
    """What one policy does."""
    found = decide(policy, program)
    state = _VERDICTS[found.state]
    if (found.state == "allowed" and found.refused) or (state == "pass" and found.copies):
        state = "partial"
    return Opinion(state, _words(found), join(found.why, COPY_STARTS if found.copies else ""), next(iter(cited)))


def _words(found: Decision) -> str:
    """A decision in few words, by which two sources agree."""
    if found.state == "groups":
        return f"allowed for {', '.join(found.groups)} only"
    if found.state == "audit":
        return f"only recorded (enforced: {found.would})"
    if found.state == "allowed" and found.refused:
        return f"allowed for all but {', '.join(found.refused)}"
    if found.state == "denied" and found.copies:
        return "denied by path only"
    return {"denied": "denied", "allowed": "allowed", "ungoverned": "not governed"}.get(found.state, "cannot be told")


def _stored(program: Program, stores: list[Seen[StoredAppLocker]]) -> list[Opinion]:
    """What the stores do together. Kinds of sources that both know them are compared; what one kind has is merged."""
    by_kind: dict[str, list[Seen[StoredAppLocker]]] = {}
    for one in stores:
        by_kind.setdefault(one.source.kind, []).append(one)
    return [_opinion(program, merged_policy([one.value for one in several]),
                     unique_citations(cite(one) for one in several)) for several in by_kind.values()]


def merged_policy(stored: Iterable[StoredAppLocker]) -> AppLockerPolicy:
    """Several policies as one, as Windows merges them: the rules of all, and how they are enforced from the most
    authoritative store that says so (of two policies in one store the less strict)."""
    ordered = sorted(stored, key=lambda one: STORES.index(one.store) if one.store in STORES else len(STORES))
    found = []
    for type_ in COLLECTIONS:
        held = [(one.store, part) for one in ordered if (part := one.policy.collection(type_)) is not None]
        if held:
            saying = [(store, part.mode) for store, part in held if part.mode != "NotConfigured"]
            first = {mode for store, mode in saying if store == saying[0][0]}
            mode = next((one for one in ("AuditOnly", UNKNOWN_MODE, "Enabled") if one in first), "NotConfigured")
            rules = tuple(dict.fromkeys(rule for _, part in held for rule in part.rules))
            found.append(RuleCollection(type_, mode, rules, tuple(left for _, part in held for left in part.left_out)))
    return AppLockerPolicy(tuple(found))


def _known_absent(subject: Subject) -> list[Opinion]:
    """That there are no rules, where a source holds the whole place for them."""
    if is_policy(subject):
        return []
    whole: list[Source] = current_sources(subject.registry.knows_all_of("HKLM", SRP))
    why = f"Neither Group Policy nor the local policy has an AppLocker rule. {_ELSEWHERE}"
    return [Opinion("fail", "no rules", why, cite_source(source, f"HKLM\\{SRP}", "absent")) for source in whole]


def _against_stores(check: Check, program: Program, stores: list[Seen[StoredAppLocker]]) -> Check:
    """The check of the merged policy, a conflict where a store denies what the merged one does not."""
    denying = [one for one in stores if decide(one.value.policy, program).state == "denied"]
    if check.state not in ("fail", "partial") or not denying:
        return check
    why = join(f"{denying[0].source.file} holds a policy that denies it, but it is not in force: it was not refreshed "
               "yet (gpupdate /force, then collect again), or another policy was in the way.", check.why)
    return Check(check.setting, "conflict", check.expected, f"in force: {check.actual}; stored: denied", why,
                 unique_citations((*check.cited, *(cite(one) for one in denying))))
