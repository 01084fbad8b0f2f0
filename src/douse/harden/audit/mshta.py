"""The mission's own question: may mshta run here, and if it runs, does the firewall keep it off the web?

    found = answer(subject)                            None for a policy that says nothing of it
    found.answer                                       one of finding.ANSWERS

What is stronger is asked first. App Control with script enforcement leaves mshta no code to run, whatever else is
allowed: dead. A policy in force that denies it to everybody: denied. One that allows it to some: allowed-for-group.
Windows itself restricts nothing: unrestricted, which is said where sources know that neither kind of policy stops it,
not where nobody looked. AppLocker is in force only while its service runs. Two sources that cannot both be true are a
conflict.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import TypeVar

from douse.content.controls import controls
from douse.content.settings import AppControlSetting, AppLockerSetting, FirewallSetting, Setting
from douse.harden.applocker_decision import WELL_KNOWN, Decision, decide, program_of
from douse.harden.audit.applocker import COPY_STARTS, check_applocker, merged_policy
from douse.harden.audit.firewall import TITLES, check_firewall, firewall_seen
from douse.harden.audit.mshta_app_control import app_control
from douse.harden.audit.weigh import cite, current, is_policy, join, listed_sentences, seen_of, unique_citations
from douse.harden.finding import STATES, Cited, MshtaAnswer
from douse.harden.observed import Service, StoredAppLocker, Subject
from douse.harden.seen import Seen

S = TypeVar("S", bound=Setting)

PROGRAM = "mshta.exe"
SERVICE = "AppIDSvc"
_LOOSEST = ("unknown", "allowed", "ungoverned", "audit", "groups", "denied")
"""The states of a Decision, that which counts first where sources see different ones."""

_COLLECT = ("The collector's JSON would tell all of it; Get-AppLockerPolicy -Effective -Xml or the SOFTWARE hive, "
            "CiTool's list and the state of the service AppIDSvc a part each.")
_COLLECT_APP_CONTROL = "CiTool's list or Win32_DeviceGuard, which the collector asks both, would tell."


@dataclass(frozen=True, slots=True)
class _Said:
    """What one kind of policy says: an answer of finding.ANSWERS, "" where it says nothing; why; groups; evidence."""

    answer: str
    why: str
    groups: tuple[str, ...] = ()
    cited: tuple[Cited, ...] = ()


def answer(subject: Subject) -> MshtaAnswer | None:
    """The answer for a host, or what a policy would mean where it is applied (None where it says nothing of it)."""
    control = next(_settings(AppControlSetting))
    dead = app_control(subject, control.file_name)
    locked = _applocker(next(_settings(AppLockerSetting)), subject)
    egress, egress_why, egress_cited = _egress(subject)
    cited = unique_citations((*dead.cited, *locked.cited, *egress_cited))
    if is_policy(subject) and not dead.cited and not locked.cited and egress == "unknown":
        return None
    chosen = _chosen(_Said(dead.answer, dead.why, (), dead.cited), locked, is_policy(subject))
    sentence = join("Where it is applied:" if is_policy(subject) else "", chosen.why, egress_why)
    return MshtaAnswer(chosen.answer, sentence, chosen.groups, egress, cited)


@cache
def _all_settings() -> tuple[Setting, ...]:
    return tuple(setting for control in controls() if control.preflight.casefold() == PROGRAM
                 for setting in control.settings_of("seed"))


def _settings(kind: type[S]) -> Iterator[S]:
    return (setting for setting in _all_settings() if isinstance(setting, kind))


def _chosen(dead: _Said, locked: _Said, policy: bool) -> _Said:
    """One answer from both kinds of policy. `unknown` of App Control means that it may be dead."""
    if dead.answer in ("dead", "denied"):
        return dead
    if locked.answer == "denied":
        return locked
    if "conflict" in (dead.answer, locked.answer):
        return _Said("conflict", join(*(one.why for one in (dead, locked) if one.answer == "conflict")))
    if locked.answer == "allowed-for-group":
        return _Said(locked.answer, join(locked.why, dead.why if dead.answer == "unknown" else ""), locked.groups)
    if "unknown" in (dead.answer, locked.answer):
        return _Said("unknown", join(*(one.why for one in (locked, dead) if one.answer == "unknown")))
    if policy:
        return _Said("unknown", join("It does not keep mshta from starting; other policies may.", locked.why))
    if locked.answer and dead.answer:
        return _Said("unrestricted", join(locked.why, dead.why))
    if locked.answer:
        return _Said("unknown", join(locked.why, dead.why, _COLLECT_APP_CONTROL))
    return _Said("unknown", join(dead.why, "What AppLocker does was not seen.", _COLLECT))


def _applocker(setting: AppLockerSetting, subject: Subject) -> _Said:
    """What AppLocker says, and whether it is in force."""
    check = check_applocker(setting, subject)[0]
    seen, _ = current(subject.applocker)
    if check.state == "conflict":
        return _Said("conflict", f"AppLocker: {check.why}", (), check.cited)
    if not seen:
        absent = check.state == "fail"
        return _Said("unknown" if absent else "", f"AppLocker: {check.why}" if absent else "", (), check.cited)
    found = min(_decisions(setting, seen), key=lambda one: _LOOSEST.index(one.state))
    said = _said(found, check.cited)
    if is_policy(subject):
        return replace(said, why=join(said.why, f"It is in force only where the service {SERVICE} runs.")
                       ) if found.state in ("denied", "groups") else said
    stores = {one.value.store for one in seen}
    if found.state not in ("denied", "groups"):
        return said if "effective" in stores or said.answer == "unknown" else replace(
            said, answer="unknown", why=join(said.why, "Whether another store has rules that stop it was not seen."))
    if stores == {"local"}:
        return replace(said, answer="unknown", groups=(), why=join(
            said.why, "Group Policy, which may have the rules only record, was not seen."))
    return _in_force(found, subject, check.cited)


def _decisions(setting: AppLockerSetting, seen: list[Seen[StoredAppLocker]]) -> list[Decision]:
    """What each view of the policies comes to: those that Windows merged, else each kind of source by itself."""
    program = program_of(setting)
    merged = [decide(one.value.policy, program) for one in seen if one.value.store == "effective"]
    kinds = dict.fromkeys(one.source.kind for one in seen)
    return merged or [decide(merged_policy(one.value for one in seen if one.source.kind == kind), program)
                      for kind in kinds]


def _said(found: Decision, cited: tuple[Cited, ...]) -> _Said:
    answers = {"denied": "denied", "groups": "allowed-for-group", "unknown": "unknown"}
    groups = tuple(f"{WELL_KNOWN[sid]} ({sid})" if sid in WELL_KNOWN else sid for sid in found.groups)
    named = answers.get(found.state, "unrestricted")
    why = join(f"AppLocker: {found.why}", COPY_STARTS if found.copies and found.state in ("denied", "groups") else "")
    return _Said(named, why, groups if named == "allowed-for-group" else (), cited)


def _in_force(found: Decision, subject: Subject, cited: tuple[Cited, ...]) -> _Said:
    """A restriction, if the service that enforces it runs."""
    said = _said(found, cited)
    services, _ = current(seen_of(subject.services, SERVICE))
    runs, why = _running(one.value for one in services)
    cited = (*cited, *(cite(one, _shown(one.value)) for one in services))
    answers = {"yes": said.answer, "no": "unrestricted", "conflict": "conflict", "unknown": "unknown"}
    return _Said(answers[runs], join(said.why, why), said.groups if runs == "yes" else (), cited)


def _running(services: Iterable[Service | None]) -> tuple[str, str]:
    """Whether the service runs, as far as sources tell: its state where one is known, else how it starts."""
    told = list(services)
    states = {one.state if one is not None else "stopped" for one in told} - {""}
    starts = {one.start for one in told if one is not None} - {""}
    if len(states) > 1:
        return "conflict", f"But sources disagree on whether the service {SERVICE} runs."
    if "running" in states:
        return "yes", ""
    if states:
        return "no", f"But the service {SERVICE} does not run, so that the policy is not in force."
    if starts == {"automatic"}:
        return "yes", ""
    if starts == {"disabled"}:
        return "no", f"But the service {SERVICE} is disabled, so that the policy is not in force."
    how = f"it starts as {' or '.join(sorted(starts))}" if starts else "nothing was seen of it"
    return "unknown", (f"Whether the service {SERVICE} runs, without which it is not in force, is not known: {how}. "
                       "The collector's JSON would tell.")


def _shown(service: Service | None) -> str:
    return "not installed" if service is None else " ".join(filter(None, (service.start, service.state)))


_SILENT_STORE = re.compile(rf"(?:{'|'.join(map(re.escape, TITLES.values()))}): No rule blocks it\.\s*")
"""What is the same of every store that has no rule is not repeated in the answer; the findings H01 and H02 have it."""


def _egress(subject: Subject) -> tuple[str, str, tuple[Cited, ...]]:
    """The worst state of the firewall controls of the program, why, and the evidence."""
    checks = [check for setting in _settings(FirewallSetting) for check in check_firewall(setting, subject)]
    worst = min((check.state for check in checks), key=STATES.index)
    why = listed_sentences(check.why for check in checks if check.state == worst)
    words = {"pass": "The firewall keeps it off ports 80 and 443.",
             "fail": "The firewall does not keep it off ports 80 and 443:",
             "partial": "The firewall keeps it off ports 80 and 443 only in part:",
             "conflict": "Sources disagree on the firewall:",
             "unknown": "Whether the firewall keeps it off ports 80 and 443 cannot be told (H01, H02)."}
    told, cited = words.get(worst, ""), tuple(one for check in checks for one in check.cited)
    if worst == "fail":
        why = _SILENT_STORE.sub("", why).strip()
        told = told if why else "No firewall rule keeps it off ports 80 and 443."
    short = worst in ("pass", "unknown")
    if worst == "pass" and not is_policy(subject) and not firewall_seen(subject):
        told = join(told, "That holds only while Windows Firewall is on, which was not seen (H03).")
    return worst, told if short else join(told, why), cited
