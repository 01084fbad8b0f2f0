"""ATT&CK techniques as STIX attack-patterns, found by importers through their id in `external_references`."""

from __future__ import annotations

from typing import Final

from douse.content.attack import TECHNIQUE_ID, attack
from douse.report.stix_objects import Stamp, StixObject, own_id

KILL_CHAIN: Final = "mitre-attack"


def pattern_id(technique: str) -> str:
    """The id of a technique's attack-pattern: ours, as the table of ATT&CK that Douse carries has no STIX ids."""
    return own_id("attack-pattern", technique)


def attack_pattern(technique: str, stamp: Stamp) -> StixObject:
    """A technique with its name, tactics and address; of one that our ATT&CK does not have, the id alone."""
    known = attack().techniques.get(technique)
    ics = known is not None and known.matrix == "ics"
    source = "mitre-ics-attack" if ics else KILL_CHAIN
    reference = {"source_name": source, "external_id": technique}
    if TECHNIQUE_ID.fullmatch(technique):  # a foreign rule may have anything in its tags
        reference["url"] = f"https://attack.mitre.org/techniques/{technique.replace('.', '/')}"
    phases = [{"kill_chain_name": source, "phase_name": tactic} for tactic in (known.tactics if known else ())]
    return stamp.sdo("attack-pattern", pattern_id(technique), name=known.title if known else technique,
                     external_references=[reference], kill_chain_phases=phases)
