"""Judge a firewall rule: the rules of all stores go in, a Check comes out.

There are three stores, the most authoritative first: Group Policy, MDM, local. A rule of one of the first two is
enough. A local one is worth half, as a local administrator removes it, and nothing where local rules are ignored. A
rule is dead in a profile whose firewall is off. Two sources that hold the whole of one store and see different things
are a conflict; two stores that differ are not. No rule is a failure only where every store is known. What the firewall
says that it enforces (`FirewallActive.NAME`) proves no rule, as it is told without addresses and users, but a stored
rule that it does not enforce is a conflict.
"""

from __future__ import annotations

from dataclasses import dataclass

from douse.content.settings import FirewallSetting
from douse.harden.audit.weigh import (
    cite,
    cite_source,
    current,
    current_sources,
    is_policy,
    join,
    listed_sentences,
    only_value,
    replaced_words,
    seen_of,
    stopped_service,
    unique_citations,
)
from douse.harden.finding import Check, Cited
from douse.harden.firewall_coverage import Coverage, coverage, outranks
from douse.harden.firewall_rule import PROFILES
from douse.harden.observed import STORES, StoredRule, Subject
from douse.harden.seen import Seen, Source

NO_RULE = "no rule about the program"
SERVICE = "MpsSvc"
"""Windows Firewall's service: without it no rule acts."""

TITLES = {"gpo": "Group Policy", "mdm": "MDM", "local": "Local store"}
_POLICY = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"
_MISSING = {
    "gpo": "The SOFTWARE hive, the collector's JSON or a gpresult /x would tell.",
    "mdm": "The SYSTEM hive or the collector's JSON would tell.",
    "local": "The SYSTEM hive or the collector's JSON would tell.",
}


@dataclass(frozen=True, slots=True)
class _Store:
    """What one store does: pass, partial, fail, unknown or conflict, and why. `whole` says that all of it was seen."""

    name: str
    state: str
    why: str
    cited: tuple[Cited, ...]
    whole: bool


def check_firewall(setting: FirewallSetting, subject: Subject) -> tuple[Check, ...]:
    """Whether an outbound rule keeps the program off the network."""
    stores = [_store(setting, subject, name) for name in STORES]
    state, why = _verdict(stores, subject)
    bypass = _outranking(setting, subject)
    if state == "pass" and bypass:
        state, why = "partial", join(why, f"A bypass rule of another store ({TITLES[bypass[0].value.store]}) lets "
                                     "authenticated connections pass all the same.")
    if state in ("pass", "partial") and not is_policy(subject):
        state, why = _if_enforced(setting, *_if_firewall_is_on(state, why, subject), subject)
    told = [store for store in stores if store.cited or store.whole]
    actual = "; ".join(f"{TITLES[store.name]}: {_WORDS[store.state]}" for store in told) or "not seen"
    old = replaced_words(current(subject.firewall)[1])
    cited = unique_citations((*(one for store in told for one in store.cited), *_active(setting, subject),
                               *(cite(one, one.value.rule.text()) for one in bypass)))
    return (Check(setting, state, expected(setting), actual, join(why, old), cited),)


_WORDS = {"pass": "blocked", "partial": "blocked in part", "fail": "not blocked", "unknown": "cannot be told",
          "conflict": "sources contradict each other"}


def expected(setting: FirewallSetting) -> str:
    """What must be blocked, for people."""
    what = f"TCP {', '.join(map(str, setting.tcp))}" if setting.tcp else "all TCP and UDP"
    return f"outbound {what} of {setting.program} blocked on all profiles, by Group Policy or MDM"


def _store(setting: FirewallSetting, subject: Subject, name: str) -> _Store:
    """What one store does, as all sources see it."""
    whole = current_sources(one.source for one in subject.firewall_whole if one.value == name)
    rules, _ = current((one for one in subject.firewall if one.value.store == name), whole)
    if not rules and not whole:
        return _Store(name, "unknown", f"{TITLES[name]} was not seen. {_MISSING[name]}", (), False)
    views = _views(rules, whole)
    covered = [(source, seen, coverage([one.value.rule for one in seen], setting.program, setting.tcp))
               for source, seen in views]
    states = {_state(one) for *_, one in covered}
    cited = unique_citations(one for source, seen, found in covered
                             for one in _cited(source, seen, found, name, policy=is_policy(subject)))
    why = listed_sentences(f"{TITLES[name]}: {found.why}" for *_, found in covered)
    if len(states) > 1:
        told = "; ".join(f"{source.file}: {found.why}" for source, _, found in covered)
        return _Store(name, "conflict", f"Sources contradict each other on {TITLES[name]}: {told}", cited, bool(whole))
    state = states.pop()
    if state == "fail" and not whole and not is_policy(subject):
        return _Store(name, "unknown", f"{why} There may be rules that were not seen.", cited, False)
    return _Store(name, state, why, cited, bool(whole))


def _views(rules: list[Seen[StoredRule]], whole: list[Source]) -> list[tuple[Source, list[Seen[StoredRule]]]]:
    """Each source that holds a whole store sees what it sees; what the others have goes together."""
    views = [(source, [one for one in rules if one.source == source]) for source in whole]
    rest = [one for one in rules if one.source not in whole]
    if rest:
        views.append((rest[0].source, rest))
    return views


def _state(found: Coverage) -> str:
    if found.state == "yes":
        return "partial" if found.bypass else "pass"
    if found.state == "unknown":
        return "unknown"
    return "partial" if found.used else "fail"


def _cited(source: Source, seen: list[Seen[StoredRule]], found: Coverage, store: str, *, policy: bool) -> list[Cited]:
    """The rules that decide; of a computer also the store that has none."""
    at = dict.fromkeys((*found.used, *(at for at, _ in found.left_out), *found.bypass))
    if not at and not policy:
        return [cite_source(source, f"firewall rules of {TITLES[store]}", NO_RULE)]
    return [cite(seen[number], seen[number].value.rule.text()) for number in at]


def _verdict(stores: list[_Store], subject: Subject) -> tuple[str, str]:
    """What the stores do together."""
    gpo, mdm, local = stores
    best = next((store for store in (gpo, mdm) if store.state == "pass"), None)
    if best is not None:
        return "pass", best.why
    conflict = next((store for store in stores if store.state == "conflict"), None)
    if conflict is not None:
        return "conflict", conflict.why
    whys = listed_sentences(store.why for store in stores if store.cited or store.whole)
    unseen = [store for store in stores if not store.whole and not store.cited]
    missing = "" if is_policy(subject) else listed_sentences(store.why for store in unseen)
    if local.state == "pass" and not is_policy(subject):
        if _ignored(subject) == set(PROFILES):
            return "fail", join(local.why, "But Group Policy has Windows ignore local rules (AllowLocalPolicyMerge=0).")
        return "partial", join(local.why, "Only a local rule does it, which a local administrator can remove.", missing)
    if not is_policy(subject) and _ignored(subject) == set(PROFILES):
        stores = [gpo, mdm]  # what is stored locally counts nowhere
    if any(store.state == "partial" for store in stores):
        return "partial", join(whys, missing)
    if is_policy(subject):
        return _of_policy(stores, whys)
    doubtful = any(store.state == "unknown" for store in stores)
    return ("unknown" if doubtful else "fail"), join(whys, missing) or "No evidence tells."


def _of_policy(stores: list[_Store], whys: str) -> tuple[str, str]:
    """A policy with no rule about the program says nothing of it; one whose rules do not block it fails."""
    if not any(store.cited for store in stores):
        return "unknown", "It has no rule about the program."
    return ("unknown" if any(store.state == "unknown" and store.whole for store in stores) else "fail"), whys


def _outranking(setting: FirewallSetting, subject: Subject) -> list[Seen[StoredRule]]:
    """The rules of all stores that outrank every block of the program; a block in one store helps against none."""
    found = [one for one in current(subject.firewall)[0] if outranks(one.value.rule, setting.program)]
    if _ignored(subject) == set(PROFILES):
        return [one for one in found if one.value.store != "local"]
    return found


def firewall_seen(subject: Subject) -> bool:
    """Whether anybody said of every profile whether the firewall is on."""
    return all(seen_of(subject.effective, f"FirewallProfile.{profile}.Enabled")
               or _policy_value(subject, profile, "EnableFirewall") is not None for profile in PROFILES)


def _ignored(subject: Subject) -> set[str]:
    """The profiles in which Group Policy has Windows ignore local rules."""
    return {profile for profile in PROFILES if _policy_value(subject, profile, "AllowLocalPolicyMerge") == 0}


def _if_firewall_is_on(state: str, why: str, subject: Subject) -> tuple[str, str]:
    """A rule is dead where the firewall is off."""
    if stopped_service(subject, SERVICE):
        return "fail", join(why, f"But the firewall's service ({SERVICE}) does not run, so that the rule is dead.")
    off = [profile for profile in PROFILES if _is_off(subject, profile)]
    if not off:
        return state, why
    if len(off) == len(PROFILES):
        return "fail", join(why, "But Windows Firewall is off, so that the rule is dead (H03).")
    return "partial", join(why, f"But Windows Firewall is off in the profile {' and '.join(off)}, where the rule is "
                           "dead (H03).")


def _if_enforced(setting: FirewallSetting, state: str, why: str, subject: Subject) -> tuple[str, str]:
    """A rule that is stored and not enforced is a dead letter, and nobody knows why."""
    if state == "fail" or only_value(subject.effective, _state_name(setting)) is not False:
        return state, why
    return "conflict", join("A rule is stored, but the firewall does not enforce it: its service may be stopped, or "
                            "the policy was not refreshed yet (gpupdate /force, then collect again).", why)


def _active(setting: FirewallSetting, subject: Subject) -> list[Cited]:
    """Where the firewall said that it enforces no block of the program."""
    seen, _ = current(seen_of(subject.effective, _state_name(setting)))
    return [cite(one, str(one.value)) for one in seen if one.value is False]


def _state_name(setting: FirewallSetting) -> str:
    program = setting.program.rpartition("\\")[2].lower()
    return f"FirewallActive.{program}"


def _is_off(subject: Subject, profile: str) -> bool:
    """Whether the firewall is known to be off: as Windows has it, else by policy."""
    effective = only_value(subject.effective, f"FirewallProfile.{profile}.Enabled")
    if effective is not None:
        return str(effective).casefold() in ("false", "0")
    return _policy_value(subject, profile, "EnableFirewall") == 0


def _policy_value(subject: Subject, profile: str, name: str) -> object:
    """A number of the firewall policy of a profile, where all current sources agree."""
    seen, _ = current(subject.registry.look("HKLM", f"{_POLICY}\\{profile}Profile", name))
    values = {one.value.data if one.value is not None else None for one in seen}
    return values.pop() if len(values) == 1 else None
