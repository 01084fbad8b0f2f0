r"""Read registry hives: SOFTWARE, SYSTEM, and each user's NTUSER.DAT and UsrClass.dat, with their transaction logs.

Which hive it is, its keys say; whose, names.py. Only what hive_keys.py lists is read. `Registry.complete` is claimed
for a key that was read wholly from a hive that Windows had closed or whose logs were applied: there, what is missing is
absent. A hive that was copied while it was written to and has no logs is read, and told as perhaps stale.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from douse.harden.evidence import hive_keys, hive_logs, names
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.hive_file import Hive, HiveKey
from douse.harden.gathered import Evidence
from douse.harden.registry import Registry
from douse.harden.registry_data import decode, shown
from douse.harden.seen import Source

_LOGS = (".LOG1", ".LOG2", ".LOG")
_TEMPLATES = ("default", "default user", "public", "all users")
"""Profiles that nobody logs on to."""

_LEFT_OUT = (
    (re.compile(r"(?:^|/)(?:windows\.old/.+|system32/config/regback/[^/]+)$", re.IGNORECASE),
     "an older copy that Windows no longer uses"),
    (re.compile(r"(?:^|/)(?:serviceprofiles/[^/]+|config/systemprofile)/[^/]+$", re.IGNORECASE),
     "the profile of a service, where no person works"))
"""Hives that say nothing of a computer as it is now, by their place below what the user named."""


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add what a hive says of its host."""
    left_out = next((what for place, what in _LEFT_OUT if place.search(file.inner)), "")
    if left_out:
        evidence.note(file.shown, f"is {left_out}; it was left out.")
        return
    hive = _opened(file, evidence)
    kind = kind_of(hive, file.name)
    if kind:
        _take(hive, kind, file, evidence)
    elif not hive.damage:
        evidence.note(file.shown, "is a registry hive that no control looks at.",
                      "SOFTWARE, SYSTEM, NTUSER.DAT and UsrClass.dat are read.")
    for damage in hive.damage:
        evidence.lost(file.shown, f"{damage}.", "Copy the hive again; what was lost is not taken for absent.")


def _take(hive: Hive, kind: str, file: EvidenceFile, evidence: Evidence) -> None:
    profile = names.user_of(file, hive.file_name) if hive_keys.HIVES[kind][0] == "HKCU" else ""
    if profile.casefold() in _TEMPLATES:
        evidence.note(file.shown, f"is the profile {profile!r}, which nobody logs on to; it was left out.")
        return
    own = names.computer_name(hive) if kind == "SYSTEM" else ""
    host = evidence.host(own or names.host_of(file, evidence))
    _Reading(hive, kind, host.registry, file.source("hive"), profile).take()


def kind_of(hive: Hive, name: str) -> str:
    """Which of HIVES it is by its first keys, "" for none."""
    top = hive.children(hive.root).keys()
    if "select" in top and any(key.startswith("controlset") for key in top):
        return "SYSTEM"
    if "microsoft" in top and ("classes" in top or "policies" in top or name.casefold().startswith("software")):
        return "SOFTWARE"
    if "usrclass" in (name + hive.file_name).casefold() or "local settings" in top:
        return "UsrClass.dat"
    return "NTUSER.DAT" if "software" in top and name.casefold() not in ("default", "default.hiv") else ""


def _opened(file: EvidenceFile, evidence: Evidence) -> Hive:
    """The hive, with what its logs hold; what they cannot give is told."""
    hive = Hive(file.data, file.shown)
    if not hive.dirty:
        return hive
    logs = [log.data for suffix in _LOGS if (log := file.beside(file.name + suffix)) is not None]
    recovered = hive_logs.recover(file.data, hive.sequence, logs)
    if recovered.blocks:
        evidence.note(file.shown, f"was copied while Windows wrote to it; {recovered.blocks} blocks of its transaction "
                      "logs were applied in memory.")
        hive = Hive(recovered.data, file.shown)
        if not recovered.whole:
            hive.doubt("its transaction logs go on behind a gap or a damaged block, so that newer changes are missing")
        return hive
    why = "its transaction logs do not continue it" if logs else "its transaction logs (.LOG1, .LOG2) are not beside it"
    evidence.lost(file.shown, f"may be stale: it was copied while Windows wrote to it, and {why}.",
                  "Copy the hive with its logs, or use reg save; until then nothing in it is taken for absent.")
    return hive


@dataclass(slots=True)
class _Reading:
    """Copies what is wanted of a hive into a host's registry."""

    hive: Hive
    kind: str
    registry: Registry
    source: Source
    profile: str

    def take(self) -> None:
        part, _ = hive_keys.HIVES[self.kind]
        if self.profile:
            self.registry.add_profile(self.profile)
        wanted = hive_keys.keys_of(self.kind)
        for path in wanted.trees:
            self._take(part, path, below=True)
        for path in wanted.single:
            self._take(part, path, below=False)

    def _take(self, part: str, path: str, *, below: bool) -> None:
        """Read a key, and claim that it is whole where nothing of it was lost."""
        key = self.hive.key(self._inside(path))
        if key is not None:
            for one in self.hive.below(key) if below else (key,):
                self._values(part, path + one.path[len(key.path):], one)
        if not self.hive.damage and not self.hive.dirty:
            self.registry.complete(part, path, self.source, self.profile, below=below)

    def _values(self, part: str, path: str, key: HiveKey) -> None:
        for value in self.hive.values(key):
            decoded = decode(value.type, value.data)
            self.registry.add(part, path, value.name, decoded, self.source, raw=shown(decoded.data),
                              profile=self.profile)

    def _inside(self, path: str) -> str:
        """A key's path inside the hive: below where the hive is mounted, with the control set that is in use."""
        _, mount = hive_keys.HIVES[self.kind]
        inside = path[len(mount):].strip("\\")
        if self.kind == "SYSTEM":
            _, _, rest = inside.partition("\\")  # behind CurrentControlSet, which a hive does not have
            return f"{names.control_set(self.hive)}\\{rest}"
        return inside
