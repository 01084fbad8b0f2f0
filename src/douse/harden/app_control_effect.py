r"""What an App Control policy means for a program: whether it denies it, and whether mshta runs any code at all.

    effect(policy, "mshta.exe").denied          True, False or None (some versions, a hash, a narrower rule)
    effect(policy, "mshta.exe").scripts_dead    user mode code integrity with script enforcement

mshta "blocks all code execution if any App Control UMCI policy is active" unless option 11 is set, in audit mode too
(Microsoft, "Script enforcement with App Control"); Server 2016 and Windows 10 1607 do not support that option. A file
rule with a FileName is about the original name in the version resource, so that renaming does not help.

Versions of a Deny rule (Microsoft, "Understand App Control policy rules and file rules", table 2): a minimum alone
denies versions at or below it, a maximum alone those at or above it, both what lies between, none all. So a minimum of
0.0.0.0 alone denies nothing, 65535.65535.65535.65535 alone all; 0.0.0.0 with 65355.65355.65355.65355 (their spelling)
is Microsoft's older form for all.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from douse.harden.app_control_policy import (
    AUDIT,
    BASE,
    NO_SCRIPTS,
    SUPPLEMENTAL,
    TAGGING,
    UMCI,
    USER,
    AppControlPolicy,
    FileRule,
)
from douse.harden.applocker_decision import glob

_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,5}){3}")
_FAR = 65355
"""No program has such a version: where a range ends here or above, it ends nowhere."""

NO_OPTION_11 = 14393
"""The build of Server 2016 and Windows 10 1607; they and what is older do not support option 11."""

_REFUSE_NOTHING = {SUPPLEMENTAL: "A supplemental policy only allows more; what counts is its base policy.",
                   TAGGING: "A policy that tags processes refuses none."}


@dataclass(frozen=True, slots=True)
class Effect:
    """What a base policy does: `denied` of the program (None is partly, or not certain), by the rules `rules`; whether
    it only records; whether it is about programs at all (`umci`), and whether script hosts ask it (`scripts`)."""

    denied: bool | None
    rules: tuple[str, ...]
    audit: bool
    umci: bool
    scripts: bool
    why: str

    @property
    def scripts_dead(self) -> bool:
        """Whether mshta runs no code where this policy is active, whatever else is allowed."""
        return self.umci and self.scripts


def effect(policy: AppControlPolicy, file_name: str, paths: tuple[str, ...] = ()) -> Effect:
    """What a policy does to a program by its original file name and the places it lies in."""
    if policy.type in _REFUSE_NOTHING:
        return Effect(False, (), policy.has(AUDIT), False, False, _REFUSE_NOTHING[policy.type])
    if policy.type != BASE:
        return Effect(None, (), False, True, False, f"What a {policy.type[:40]!r} does is not known.")
    umci, audit = policy.has(UMCI), policy.has(AUDIT)
    denies = [(rule, denies_of(rule, file_name, paths)) for rule in _denying(policy)]
    sure = tuple(rule.id for rule, fit in denies if fit)
    maybe = tuple(rule.id for rule, fit in denies if fit is None)
    denied = True if sure else None if maybe or policy.left_out else False
    scripts = not policy.has(NO_SCRIPTS)
    return Effect(denied if umci else False, sure or maybe, audit, umci, scripts, _why(denied, umci, audit, scripts))


def _denying(policy: AppControlPolicy) -> list[FileRule]:
    """The rules that deny something in user mode: Deny rules, and what narrows a denied signer."""
    narrowed = {id_ for number, ids in policy.denied_attributes if number == USER for id_ in ids}
    return ([rule for rule in policy.rules_of(USER) if rule.kind == "Deny"]
            + [rule for rule in policy.rules if rule.kind == "FileAttrib" and rule.id in narrowed])


def denies_of(rule: FileRule, file_name: str, paths: tuple[str, ...] = ()) -> bool | None:
    """Whether a deny rule is about a program; None is some versions of it, or not certain."""
    if rule.hash:
        return None if file_name.casefold() in rule.friendly_name.casefold() else False
    if rule.path and not paths:
        names = (place.rpartition("\\")[2] for place in _places(rule.path))
        return None if any(glob(name, file_name.casefold()) for name in names) else False
    if rule.path:
        held = [path for path in paths if any(glob(place, _place(path)) for place in _places(rule.path))]
        return False if not held else True if len(held) == len(paths) and not rule.other else None
    if not rule.file_name:
        return None if rule.other else False
    if not glob(rule.file_name.strip().casefold(), file_name.casefold()):
        return False
    which = versions_of(rule)
    if which == "none":
        return False
    certain = which == "all" and not rule.other and rule.kind == "Deny"
    return True if certain else None


def versions_of(rule: FileRule) -> str:
    """Which versions a Deny rule denies: `all`, `some` or `none`."""
    low, high = _version(rule.minimum), _version(rule.maximum)
    if (rule.minimum and low is None) or (rule.maximum and high is None):
        return "some"
    if low is None:
        return "all" if high is None or not any(high) else "none" if high[0] >= _FAR else "some"
    if high is None:
        return "none" if not any(low) else "all" if low[0] >= _FAR else "some"
    if low > high:
        return "none"
    return "all" if not any(low) and high[0] >= _FAR else "some"


def allows_all(policy: AppControlPolicy, scenario: int) -> bool:
    """Whether a signing scenario has a rule that allows every file, or allows anything by its signer: without either,
    and without other rules that allow, the policy blocks everything there."""
    return scenario in policy.allowed_signers or any(
        rule.kind == "Allow" and rule.file_name.strip() == "*" for rule in policy.rules_of(scenario))


def _version(text: str) -> tuple[int, ...] | None:
    return tuple(map(int, text.split("."))) if _VERSION.fullmatch(text.strip()) else None


def _places(pattern: str) -> list[str]:
    text = pattern.strip().casefold().replace("/", "\\")
    for variable, folder in (("%windir%", r"c:\windows"), ("%system32%", r"c:\windows\system32"), ("%osdrive%", "c:")):
        if text.startswith(variable):
            return [folder + text[len(variable):]]
    return [text]


def _place(path: str) -> str:
    return re.sub(r"^%(?:systemroot|windir)%", r"c:\\windows", path.strip().casefold().replace("/", "\\"))


def _why(denied: bool | None, umci: bool, audit: bool, scripts: bool) -> str:
    if not umci:
        return "The policy is about drivers only (no Enabled:UMCI), so it refuses no program."
    told = {True: "A rule denies it", None: "A rule may deny it, or some versions of it", False: "No rule denies it"}
    mode = "; the policy only records (audit mode)" if audit else ""
    dead = ("; script enforcement is on, so mshta runs no code at all, in audit mode too" if scripts
            else "; script enforcement is off (option 11)")
    return f"{told[denied]}{mode}{dead}."
