"""The registry values as registry.pol, for the machine and for the user; and files that take them back.

For a domain the GPO backup (gpo.py) holds the same; alone they are for `LGPO.exe /m` and `/u` on computers without a
domain. The undo file puts the old value back where it is known, else it deletes the policy's value (`**del.`, which is
what Group Policy does when a setting becomes "not configured"), and a key that an AppLocker rule had to itself
(`**DeleteKeys`). A value that is no policy and was not known stays.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import PurePosixPath

from douse.harden import pol
from douse.harden.generate.policy import BundleFile, Policy, RegistryChange
from douse.harden.generate.undo import REMOVE, RESTORE, Undo, undone
from douse.harden.registry import RegistryValue

FOLDER = PurePosixPath("pol")
SIDES = {"HKLM": "Machine", "HKCU": "User"}


def files(policy: Policy) -> Iterator[BundleFile]:
    """The files of the format."""
    for hive, side in SIDES.items():
        if any(change.hive == hive for change in policy.registry):
            switch = "/m" if hive == "HKLM" else "/u"
            yield BundleFile(FOLDER / side / "registry.pol", registry_pol(policy.registry, hive),
                             f"Sets the {side.lower()}'s values: LGPO.exe {switch} registry.pol")
            yield BundleFile(FOLDER / "undo" / side / "registry.pol", _undo_pol(undone(policy, hive)),
                             f"Takes them back: LGPO.exe {switch} registry.pol")


def registry_pol(changes: Iterable[RegistryChange], hive: str) -> bytes:
    """The registry.pol that sets the values of a hive."""
    return pol.write(pol.PolEntry.of(change.key, change.name, change.value)
                     for change in changes if change.hive == hive)


def _undo_pol(undos: Iterable[Undo]) -> bytes:
    return pol.write(entry for undo in undos if undo.action in (RESTORE, REMOVE) for entry in _entries(undo))


def _entries(undo: Undo) -> Iterator[pol.PolEntry]:
    change = undo.change
    if undo.old.value is not None:
        yield pol.PolEntry.of(change.key, change.name, undo.old.value)
        return
    yield pol.PolEntry.of(change.key, f"**del.{change.name}", RegistryValue("REG_SZ", " "))
    if undo.key_too:  # a rule's empty key would stay behind, and nobody knows what AppLocker makes of it
        above, _, own = change.key.rpartition("\\")
        yield pol.PolEntry.of(above, "**DeleteKeys", RegistryValue("REG_SZ", own))
