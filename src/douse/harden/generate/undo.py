"""What taking a bundle back means, value by value: restore what was there, remove what was not, or leave it alone.

    for undo in undone(policy): undo.action

The old value is known only from evidence (`--before`). Where it is not known, a policy key's value is removed, which is
"not configured" to Windows and what Group Policy itself does when a policy goes; any other value is left alone and
listed, because deleting somebody's setting is no undo. Values under HKCU are one's own for each user profile.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from douse.content.settings import AsrSetting, RegistrySetting, Setting
from douse.harden.generate.policy import Policy, RegistryChange
from douse.harden.observed import Subject
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import NUMBERS, encode
from douse.harden.seen import Seen

RESTORE, REMOVE, LEAVE = "restore", "remove", "leave"

_OWN_KEY = re.compile(r"\\SrpV2\\[A-Za-z]+\\\{?[0-9A-F-]{36}\}?$", re.IGNORECASE)
"""A key that a rule has to itself; empty, it would stay as a rule without a text."""


@dataclass(frozen=True, slots=True)
class Old:
    """A value as evidence found it: known or not, None where it is known to be absent, and the source's name (evidence
    text) or why it is not known (ours)."""

    known: bool
    value: RegistryValue | None
    source: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class Undo:
    """How one value is taken back. `key_too` says that its key goes with it, as it was made for it alone."""

    change: RegistryChange
    old: Old
    action: str
    key_too: bool = False


def old_value(before: Subject | None, hive: str, key: str, name: str, profile: str = "") -> Old:
    """What evidence says of a value. Sources that disagree leave it unknown."""
    if before is None:
        return Old(False, None, "", "no evidence was given (--before)")
    seen = before.registry.look(hive, key, name, profile)
    if not seen:
        return Old(False, None, "", "the evidence does not show it")
    if any(one.value != seen[0].value for one in seen):
        return Old(False, None, "", "the evidence has two values for it")
    if not _is_sound(seen[0].value):
        return Old(False, None, "", "the evidence has data for it that are not of its type")
    return Old(True, seen[0].value, _shown(seen[0]))


def _is_sound(value: RegistryValue | None) -> bool:
    """Whether a value can be written back: a number in its range, a text without a NUL."""
    try:
        if value is not None:
            encode(value)
    except ValueError:
        return False
    return value is None or value.type in NUMBERS


def _shown(seen: Seen[RegistryValue | None]) -> str:
    return f"{seen.source.file} ({seen.where})"


def undone(policy: Policy, hive: str, profile: str = "") -> Iterator[Undo]:
    """How each value of a hive is taken back, for HKCU in one user's profile."""
    for change in policy.registry:
        if change.hive == hive:
            yield undo_of(change, old_value(policy.before, hive, change.key, change.name, profile))


def undo_of(change: RegistryChange, old: Old) -> Undo:
    """How one value is taken back, given what it was."""
    own = bool(_OWN_KEY.search("\\" + change.key))
    if old.known and old.value is not None:
        return Undo(change, old, RESTORE)
    if old.known or change.is_policy:
        return Undo(change, old, REMOVE, own)
    return Undo(change, old, LEAVE)


def user_profiles(policy: Policy) -> tuple[str, ...]:
    """The user profiles that evidence shows; one without a name where it shows none."""
    return (policy.before.registry.profiles if policy.before else ()) or ("",)


def good_already(policy: Policy) -> Iterator[Undo]:
    """The values that were known to be good and that the policy would replace by others, which may be weaker: a larger
    log, a rule that blocks where the policy only audits."""
    settings = {setting.id: setting for control in policy.controls for setting in control.settings}
    for hive, profiles in (("HKLM", ("",)), ("HKCU", user_profiles(policy))):
        for profile in profiles:
            for undo in undone(policy, hive, profile):
                old = undo.old.value
                if old is not None and old != undo.change.value and _is_good(old, undo, settings):
                    yield undo


def _is_good(old: RegistryValue, undo: Undo, settings: Mapping[str, Setting]) -> bool:
    setting = settings.get(undo.change.setting)
    if isinstance(setting, RegistrySetting):
        return setting.name == undo.change.name and old.type in setting.types and setting.accept.fits(old.data)
    if isinstance(setting, AsrSetting):
        return undo.change.name == setting.guid and str(old.data) == "1"
    return undo.change.name == "EnforcementMode" and old.data == 1
