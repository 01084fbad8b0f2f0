r"""Read a registry.pol into its policy: what it sets, and what it takes away.

A policy that deletes a value says that it is absent where the policy applies, unless it sets the value afterwards. One
value may be set twice in a file; Windows applies a file in its order, so that the last one counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from douse.harden import pol
from douse.harden.evidence import gpo
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.registry import Registry, RegistryValue
from douse.harden.registry_data import shown
from douse.harden.seen import Source


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add what a registry.pol would set. What lies behind damage is lost, and told."""
    found = pol.read(file.data, file.shown)
    subject, part = gpo.policy_of(file, evidence)
    outcome = Outcome()
    for entry in found.entries:
        for effect in pol.effects(entry):
            outcome.apply(effect)
    outcome.add_to(subject.registry, part, file.source("registry_pol"), whole=found.damaged_at is None)
    if found.damaged_at is not None:
        evidence.lost(file.shown, f"is damaged at byte {found.damaged_at} of {len(file.data)}: {found.damage}. "
                      f"{len(found.entries)} entries before it were read.", "Fetch the file again.")
    for key, name in outcome.soft:
        evidence.note(file.shown, f"sets {key}!{name} only where there is none yet (**soft.); it is not counted as "
                      "set.")


@dataclass(slots=True)
class Outcome:
    """What the entries of a file come to, applied one after the other. Keys and names are found without case.

    A key that is cleared (its values) or pruned (with all below it) is kept with when that was, and what was set before
    is dropped at the end: looking for it at once would take forever on a file that is made of deletions.
    """

    values: dict[tuple[str, str], tuple[int, str, str, RegistryValue | None]] = field(default_factory=dict)
    cleared: dict[str, tuple[int, str]] = field(default_factory=dict)
    pruned: dict[str, tuple[int, str]] = field(default_factory=dict)
    soft: list[tuple[str, str]] = field(default_factory=list)
    number: int = 0

    def apply(self, effect: pol.Effect) -> None:
        """Apply an effect to what came before it."""
        self.number += 1
        key, name = effect.key.strip("\\"), effect.name
        folded = key.casefold()
        if effect.kind in ("set", "delete"):
            self.values[folded, name.casefold()] = (self.number, key, name, effect.value)
        elif effect.kind == "clear":
            self.cleared[folded] = (self.number, key)
        elif effect.kind == "prune":
            self.pruned[folded] = (self.number, key)
        elif effect.kind == "soft" and self._is_gone(folded, name.casefold()):
            self.values[folded, name.casefold()] = (self.number, key, name, effect.value)
        elif effect.kind == "soft":
            self.soft.append((key, name))

    def add_to(self, registry: Registry, part: str, source: Source, *, whole: bool) -> None:
        """Keep the outcome. What was cleared is known to be absent but for what was set afterwards; in a file that is
        not `whole` that may have been lost, so that nothing is."""
        for (folded, _), (number, key, name, value) in self.values.items():
            if number > self._emptied(folded) and (whole or value is not None):
                registry.add(part, key, name, value, source, raw=shown(value.data) if value is not None else "deleted")
        for _, key in self.cleared.values() if whole else ():
            registry.complete(part, key, source, below=False)
        for _, key in self.pruned.values() if whole else ():
            registry.complete(part, key, source)

    def _is_gone(self, folded: str, name: str) -> bool:
        """Whether the file itself has removed a value, so that there is none when the next entry is applied."""
        number, _, _, value = self.values.get((folded, name), (0, "", "", None))
        return (number > 0 and value is None) or self._emptied(folded) > number

    def _emptied(self, folded: str) -> int:
        """When a key lost its values for the last time, 0 for never."""
        last = self.cleared.get(folded, (0, ""))[0]
        above = folded
        while above and self.pruned:
            last = max(last, self.pruned.get(above, (0, ""))[0])
            above = above.rpartition("\\")[0]
        return last
