"""Judge Defender's attack surface reduction rules, and say whether Defender is the antivirus that works on a host.

A rule is one, wherever it is kept: as a policy, by MDM, on the computer, or as Defender itself has it
(Get-MpPreference). What Defender has is what is in force; where a policy says something else, that is a conflict. A
local setting counts only where nothing above it speaks. Without Defender no rule acts: with another antivirus the rules
do not apply (the questionnaire asks whether that one does the same), with none they fail.
"""

from __future__ import annotations

from dataclasses import replace

from douse.content.settings import AsrSetting, Setting
from douse.harden.audit.weigh import (
    Opinion,
    cite,
    cite_source,
    current,
    join,
    not_applicable,
    seen_of,
    settled,
    stopped_service,
    unique_citations,
)
from douse.harden.finding import Check, Cited
from douse.harden.observed import Subject
from douse.harden.seen import Seen

STATES = {0: ("fail", "off"), 1: ("pass", "block"), 2: ("partial", "audit"), 5: ("fail", "not configured"),
          6: ("partial", "warn")}
"""Microsoft's number for a rule's state, what that is worth, and its word."""

RULE_KEYS = (
    r"SOFTWARE\Policies\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules",
    r"SOFTWARE\Policies\Microsoft\Windows Defender\Policy Manager",
    r"SOFTWARE\Microsoft\Windows Defender\Windows Defender Exploit Guard\ASR\Rules",
)
"""Where Windows keeps the rules: of Group Policy, of MDM, and of this computer. What is in none of them is off."""

RUNNING_MODE = "MpComputerStatus.AMRunningMode"
SERVICE = "WinDefend"
_DEAD = ("MpComputerStatus.AMServiceEnabled", "MpComputerStatus.AntivirusEnabled")
_PASSIVE = ("passive mode", "sxs passive mode", "edr block mode", "not running")
_MISSING = "Get-MpPreference, the collector's JSON or the SOFTWARE hive would tell."


def check_asr(setting: AsrSetting, subject: Subject) -> tuple[Check, ...]:
    """The state of one rule on a host, or the one that a policy would set."""
    other = without_defender(setting, subject, "block")
    if other is not None:
        return (other,)
    seen, old = current(seen_of(subject.asr, setting.guid))
    seen = [one for one in seen if _layer(one) != LOCAL] or seen
    check = settled(setting, "block", [_opinion(setting, one) for one in seen] or _known_absent(subject),
                    missing=_MISSING, replaced=old)
    return (_with_doubt(_in_force_first(check, seen), subject),)


def _with_doubt(check: Check, subject: Subject) -> Check:
    """A pass with a remark where nobody saw that Defender is the one who works: a passive one has rules and obeys
    none."""
    if check.state != "pass" or subject.kind != "host" or seen_of(subject.effective, RUNNING_MODE):
        return check
    return replace(check, why=join(check.why, "Whether Defender is the active antivirus was not seen."))


def _opinion(setting: AsrSetting, seen: Seen[int]) -> Opinion:
    state, word = STATES.get(seen.value, ("fail", f"state {seen.value}, which is not known"))
    begins = " This rule begins in audit mode; go on to block when the audit shows nothing legitimate." if (
        word == "audit" and setting.start == "audit") else ""
    return Opinion(state, word, f"{_layer(seen)}: {word}.{begins}", cite(seen, word))


EFFECTIVE, POLICY, MDM, LOCAL = ("In force (as Defender has it)", "Set by policy", "Set by MDM", "Set on this computer")
"""Which layer of Windows speaks."""


def _layer(seen: Seen[int]) -> str:
    place = seen.where.casefold()
    if "mppreference" in f"{seen.source.kind} {place}".replace("-", ""):
        return EFFECTIVE
    if RULE_KEYS[1].casefold() in place:
        return MDM
    return LOCAL if RULE_KEYS[2].casefold() in place else POLICY


def _known_absent(subject: Subject) -> list[Opinion]:
    """That no rule is set, where a source holds every place in which one could be."""
    if subject.kind != "host":
        return []
    whole = [set(subject.registry.knows_all_of("HKLM", key)) for key in RULE_KEYS]
    return [Opinion("fail", "not configured", "No policy, no MDM and no local setting has this rule.",
                    cite_source(source, f"HKLM\\{RULE_KEYS[0]}", "absent"))
            for source in sorted(set.intersection(*whole), key=lambda one: (one.kind, one.file))]


def _in_force_first(check: Check, seen: list[Seen[int]]) -> Check:
    """The check with what is in force named first, where a policy says something else."""
    acting = {STATES.get(one.value, ("", f"state {one.value}"))[1] for one in seen
              if _layer(one) == EFFECTIVE}
    if check.state != "conflict" or len(acting) != 1:
        return check
    (word,) = acting
    told = (f"In force is {word}, and a policy says something else: MDM or a local setting may have won, tamper "
            "protection may ignore the policy, or it was not refreshed yet.")
    return Check(check.setting, check.state, check.expected, f"in force {word}", join(told, check.why), check.cited)


def without_defender(setting: Setting, subject: Subject, expected: str) -> Check | None:
    """The check of something that only Defender does, where Defender does not work; None where it may."""
    mode, cited = _resting(subject)
    if not mode:
        return None
    if "; " in mode:
        return Check(setting, "conflict", expected, f"Defender: {mode}", "Sources contradict each other on whether "
                     "Defender is the active antivirus. Collect both again at one time.", cited)
    others, proof = other_antivirus(subject)
    cited = unique_citations((*cited, *proof))
    if others or not mode.casefold().startswith("not running"):
        who = ", ".join(others) or "another product"
        return not_applicable(setting, expected, f"Defender is not the active antivirus ({mode}); {who} is. The "
                              "questionnaire asks whether it does the same.", cited)
    return Check(setting, "fail", expected, f"Defender: {mode}",
                 "Defender does not run, and no other antivirus is known, so that nothing enforces it.", cited)


def _resting(subject: Subject) -> tuple[str, tuple[Cited, ...]]:
    """How Defender rests on a host and where that was seen; "" where it works, or nobody knows. Several words are those
    of sources that differ. Its own word comes first, then its service: where that is off, Defender answers nothing,
    and the policies for it are in the registry all the same."""
    seen = current(seen_of(subject.effective, RUNNING_MODE))[0]
    resting = [one for one in seen if str(one.value).casefold() in _PASSIVE]
    if subject.kind != "host":
        return "", ()
    if resting:
        said = dict.fromkeys(str(one.value) for one in (seen if len(resting) < len(seen) else resting[:1]))
        return "; ".join(said), tuple(cite(one, str(one.value)) for one in seen)
    for state in _DEAD:
        off = [one for one in current(seen_of(subject.effective, state))[0] if one.value is False]
        if off:
            return f"not running: {state} is False", tuple(cite(one, str(one.value)) for one in off)
    stopped = stopped_service(subject, SERVICE)
    return (f"not running: {SERVICE} does not run", tuple(cite(one, "does not run") for one in stopped)) if (
        stopped) else ("", ())


def other_antivirus(subject: Subject) -> tuple[list[str], list[Cited]]:
    """The names of antivirus products besides Defender, and where they were told."""
    names, cited = list[str](), list[Cited]()
    for state, several in subject.effective.items():
        if not state.casefold().startswith("securitycenter"):
            continue
        for one in current(several)[0]:
            for name in map(str.strip, str(one.value).split(";")):
                if name and "defender" not in name.casefold() and name not in names:
                    names.append(name)
                    cited.append(cite(one, str(one.value)))
    return sorted(names), cited
