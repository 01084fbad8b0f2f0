"""What can be wrong in firewall rules that are about mshta, or that are ours.

    for lint in firewall_lints(subject): ...

Only outbound rules about a program that controls speak of are looked at, and those whose name begins like ours. Whether
a rule blocks what it should is the control's own question.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from douse.content.controls import controls
from douse.content.settings import FirewallSetting
from douse.harden.audit.weigh import cite, current
from douse.harden.audit.wrong import Found, Wrong
from douse.harden.finding import Lint
from douse.harden.firewall_rule import FirewallRule, folded_path
from douse.harden.observed import StoredRule, Subject
from douse.harden.seen import Seen

FIREWALL: Mapping[str, tuple[str, str]] = {
    "firewall-inactive": ("warning", "a block rule for a program of ours is switched off"),
    "firewall-allow": ("warning", "a rule allows the network to a program that must not have it"),
    "firewall-bypass": ("error", "an authenticated bypass rule outranks every block"),
    "firewall-narrowed": ("warning", "a block rule has a key that may narrow it"),
    "firewall-mistake": ("warning", "a rule breaks the grammar, and Windows may ignore it"),
    "firewall-other-copy": ("note", "a block rule is about another copy of the program"),
    "firewall-duplicate": ("note", "two rules of one store do the same"),
}
"""Codes: severity and what they are about."""

OURS = "Douse: "
"""How the names of generated rules begin."""

_TOLD = ("Action", "Name", "Desc", "EmbedCtxt")


def firewall_lints(subject: Subject) -> Iterator[Lint]:
    """What is wrong in the rules of a subject."""
    seen = [one for one in current(subject.firewall)[0] if _concerns(one.value.rule)]
    told: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
    for one in seen:
        for wrong in _of_rule(one.value.rule):
            yield _lint(one, wrong)
        key = (f"{one.value.store} {one.source.file}", tuple(field for field in one.value.rule.fields
                                                             if field[0] not in _TOLD))
        other = told.setdefault(key, one.value.id)
        if other != one.value.id:
            yield _lint(one, Wrong("firewall-duplicate", f"it does the same as the rule {other}.", "Keep one."))


def _lint(seen: Seen[StoredRule], wrong: Wrong) -> Lint:
    rule = seen.value.rule
    return Lint(wrong.code, FIREWALL[wrong.code][0], f"firewall rule {rule.name or seen.value.id!r}: {wrong.what}",
                wrong.next_step, cite(seen, rule.text()))


@cache
def _programs() -> tuple[str, ...]:
    """The programs that controls keep off the network, as folded paths."""
    return tuple(dict.fromkeys(folded_path(setting.program) for control in controls() for setting in control.settings
                               if isinstance(setting, FirewallSetting)))


def _file_name(path: str) -> str:
    return folded_path(path).rpartition("\\")[2]


def _concerns(rule: FirewallRule) -> bool:
    if rule.direction != "out":
        return False
    names = {_file_name(program) for program in _programs()}
    return rule.name.startswith(OURS) or _file_name(rule.program) in names or (rule.bypasses and not rule.program)


def _of_rule(rule: FirewallRule) -> Found:
    """All that is wrong with one rule."""
    if rule.mistake:
        yield Wrong("firewall-mistake", f"Windows may ignore it, as {rule.mistake}.", "Write it anew.")
    if rule.active and rule.bypasses:
        yield Wrong(
            "firewall-bypass", "it lets authenticated connections pass whatever any rule blocks.",
            "Find out who needs it, and take the program out of it.")
    elif rule.active and rule.action == "allow":
        yield Wrong(
            "firewall-allow", f"it allows outbound traffic to {rule.program}. A block wins over it, but without one "
            "the program has the network.", "Remove it, or find out who made it: nothing of Windows needs it.")
    if rule.action != "block":
        return
    if not rule.active:
        yield Wrong(
            "firewall-inactive", "it is switched off, so that it blocks nothing.",
            "Switch it on once a pre-flight ended in GO.")
    if rule.narrowing:
        yield Wrong(
            "firewall-narrowed", f"it may block less than it seems, as it has {', '.join(rule.narrowing)}.",
            "Take these keys out, unless they are meant.")
    if rule.program and folded_path(rule.program) not in _programs():
        yield Wrong(
            "firewall-other-copy", f"it is about {rule.program}, which is not where Windows keeps the program.",
            "Name the copies in System32 and SysWOW64.")
