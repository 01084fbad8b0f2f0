"""What an ATT&CK tag says about an infostealer (techniques/evidence_classes.yml), for rules without `douse.class`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from douse.content import document
from douse.content.document import Section
from douse.model import EVIDENCE_CLASSES

FILE = Path(__file__).parent / "techniques" / "evidence_classes.yml"


@dataclass(frozen=True, slots=True)
class EvidenceTable:
    """Technique, tactic or log source category -> evidence class; `order` has the most telling class first."""

    order: tuple[str, ...]
    logsources: Mapping[str, str]
    techniques: Mapping[str, str]
    tactics: Mapping[str, str]

    def of(self, category: str, techniques: Sequence[str], tactics: Sequence[str]) -> str:
        """The class of a rule with these tags, empty where they say nothing about a theft."""
        if category in self.logsources:
            return self.logsources[category]
        by_technique = {self._of_technique(technique) for technique in techniques} - {""}
        found = by_technique or {self.tactics.get(tactic, "") for tactic in tactics}
        return next((letter for letter in self.order if letter in found), "")

    def _of_technique(self, technique: str) -> str:
        return self.techniques.get(technique) or self.techniques.get(technique.partition(".")[0], "")


@cache
def evidence_table() -> EvidenceTable:
    """The table, read once. Raises ContentError where it does not follow techniques/README.md."""
    top = document.read(FILE, FILE.name)
    table = EvidenceTable(
        order=top.texts("order"),
        logsources=_letters(top, "logsources"),
        techniques=_letters(top, "techniques"),
        tactics=_letters(top, "tactics"),
    )
    if set(table.order) != set(EVIDENCE_CLASSES):
        top.fail(f"order must have each of {', '.join(EVIDENCE_CLASSES)} once.", key="order")
    top.end()
    return table


def _letters(top: Section, key: str) -> dict[str, str]:
    section = top.section(key)
    if section is None:
        top.fail(f"{key} is missing.")
    return {name: section.choice(name, tuple(EVIDENCE_CLASSES)) for name in section}
