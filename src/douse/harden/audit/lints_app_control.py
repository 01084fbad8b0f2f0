"""What can be wrong in an App Control (WDAC) policy.

    for lint in app_control_lints(subject): ...

Only policies whose content was seen are asked: their XML, not the binary form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from douse.harden.app_control_effect import NO_OPTION_11, allows_all, versions_of
from douse.harden.app_control_policy import (
    AUDIT,
    BASE,
    KERNEL,
    NO_SCRIPTS,
    SUPPLEMENTAL,
    UMCI,
    USER,
    AppControlPolicy,
    FileRule,
)
from douse.harden.audit.weigh import cite_source, current, shortened
from douse.harden.audit.wrong import Found, Wrong
from douse.harden.finding import Lint
from douse.harden.observed import StoredAppControl, Subject
from douse.harden.seen import Seen

APP_CONTROL: Mapping[str, tuple[str, str]] = {
    "app-control-deny-only": ("error", "a base policy allows nothing, so that it blocks the whole computer"),
    "app-control-no-op-deny": ("warning", "a deny rule denies no version"),
    "app-control-version-pin": ("warning", "a deny rule is about some versions only"),
    "app-control-hash-deny": ("note", "a deny rule goes by hash, and an update or one changed byte walks around it"),
    "app-control-deny-unused": ("warning", "a deny rule is in no signing scenario, so that it does nothing"),
    "app-control-deny-in-supplemental": ("warning", "a supplemental policy cannot deny"),
    "app-control-audit-mode": ("note", "a policy only records"),
    "app-control-audit-stops-hta": ("warning", "an audit policy stops HTML applications all the same"),
    "app-control-no-umci": ("note", "a policy with rules for programs is about drivers only"),
    "app-control-option-11": ("warning", "script enforcement is off, on a Windows that does not support that"),
    "app-control-duplicate": ("note", "a rule is there twice"),
    "app-control-not-understood": ("warning", "a part of the policy was not understood"),
}
"""Codes: severity and what they are about."""

_NAMED = 3
"""How many rules a finding names."""


def app_control_lints(subject: Subject) -> Iterator[Lint]:
    """What is wrong in each policy of a subject."""
    old = any(0 < one.value.build <= NO_OPTION_11 for one in current(subject.machine)[0])
    for seen in current(subject.app_control, subject.app_control_whole)[0]:
        policy = seen.value.policy
        if policy is None or seen.value.active is False:
            continue
        by_id = {rule.id: rule for rule in policy.rules}
        for found in (_allows(policy), _denies(policy), _options(policy, old), _rest(policy)):
            for wrong in found:
                yield _lint(seen, policy, wrong, by_id.get(wrong.place))


def _lint(seen: Seen[StoredAppControl], policy: AppControlPolicy, wrong: Wrong, rule: FileRule | None) -> Lint:
    name = seen.value.name or policy.name or policy.id
    raw = _shown(rule) if rule is not None else policy.id
    where = " ".join(filter(None, (seen.where, wrong.place)))
    return Lint(wrong.code, APP_CONTROL[wrong.code][0], f"{name}: {wrong.what}", wrong.next_step,
                cite_source(seen.source, where, raw))


def _shown(rule: FileRule) -> str:
    versions = "-".join(filter(None, (rule.minimum, rule.maximum)))
    return " ".join(filter(None, (rule.kind, rule.file_name or rule.path or rule.hash, versions)))


def _allows(policy: AppControlPolicy) -> Found:
    """A base policy that has options but nothing that allows. One whose content is not known has neither."""
    if policy.type != BASE or not (policy.rules or policy.scenarios):
        return
    for scenario, what in ((KERNEL, "drivers"), (USER, "programs")):
        some = any(rule.kind == "Allow" for rule in policy.rules_of(scenario))
        if not some and not allows_all(policy, scenario) and (scenario == KERNEL or policy.has(UMCI)):
            yield Wrong(
                "app-control-deny-only", f"it allows no {what}, and what no rule allows is blocked: a computer under "
                "it does not work.", 'Add an Allow rule with FileName="*" for the kernel and for user mode.')


def _denies(policy: AppControlPolicy) -> Found:
    """Deny rules that deny less than they seem to: one finding for all of a kind, as block lists have hundreds."""
    denies = [rule for rule in policy.rules if rule.kind == "Deny"]
    named = [(rule, versions_of(rule)) for rule in denies if rule.file_name]
    yield from _of_rules(
        "app-control-no-op-deny", [rule for rule, versions in named if versions == "none"],
        "denies no version: a minimum alone denies what is at or below it, a maximum alone what is at or above it.",
        'Write MinimumFileVersion="65535.65535.65535.65535".')
    yield from _of_rules(
        "app-control-version-pin", [rule for rule, versions in named if versions == "some"],
        "denies some versions only.", "Deny every version, unless other versions are meant to run.")
    yield from _of_rules(
        "app-control-deny-in-supplemental", denies if policy.type == SUPPLEMENTAL else [],
        "denies in a supplemental policy, which can only allow.", "Put it into a base policy.")
    yield from _of_rules(
        "app-control-hash-deny", [rule for rule in denies if rule.hash], "goes by hash.",
        "Deny by original file name where the file has one.")
    used = {id_ for _, ids in policy.scenarios for id_ in ids}
    yield from _of_rules(
        "app-control-deny-unused", [rule for rule in denies if rule.id not in used],
        "is referred to by no signing scenario.", "Add a FileRuleRef to the scenario of user mode (12).")


def _of_rules(code: str, rules: Iterable[FileRule], what: str, next_step: str) -> Found:
    """One finding for all rules that have the same wrong with them, at the first of them."""
    every = list(rules)
    if every:
        names = shortened(dict.fromkeys(f"{_called(rule)!r}" for rule in every), _NAMED)
        told = f"the deny rule {names}" if len(every) == 1 else f"of each of {len(every):,} deny rules ({names}): it"
        yield Wrong(code, f"{told} {what}", next_step, every[0].id)


def _called(rule: FileRule) -> str:
    versions = "-".join(filter(None, (rule.minimum, rule.maximum)))
    return " ".join(filter(None, (rule.friendly_name or rule.id, versions)))


def _options(policy: AppControlPolicy, old: bool) -> Found:
    if policy.type != BASE:
        return
    if policy.has(AUDIT):
        yield Wrong(
            "app-control-audit-mode", "it only records what it would block (Enabled:Audit Mode).",
            "Look at events 3076 and 8028, then enforce; or note until when it stays so.", "Rules")
        if policy.has(UMCI) and not policy.has(NO_SCRIPTS):
            yield Wrong(
                "app-control-audit-stops-hta", "although it is in audit mode, mshta runs no code under it, as script "
                "enforcement is on.", "Add option 11 (Disabled:Script Enforcement) if the trial must stop nothing; "
                "not on Server 2016 and Windows 10 1607.", "Rules")
    if policy.rules_of(USER) and not policy.has(UMCI):
        yield Wrong(
            "app-control-no-umci", "it has rules for programs, but without Enabled:UMCI it is about drivers only.",
            "Add option 0 (Enabled:UMCI) after a trial.", "Rules")
    if old and policy.has(NO_SCRIPTS):
        yield Wrong(
            "app-control-option-11", "it switches script enforcement off, which Server 2016 and Windows 10 1607 do "
            "not support.", "Take option 11 out for these.", "Rules")


def _rest(policy: AppControlPolicy) -> Found:
    counts = Counter(rule.id for rule in policy.rules)
    for id_, count in counts.items():
        if count > 1:
            yield Wrong("app-control-duplicate", f"the id {id_!r} is there {count} times.", "Keep one.", id_)
    for left in policy.left_out:
        yield Wrong("app-control-not-understood", f"not understood: {left}.", "Look at the policy by hand.")
