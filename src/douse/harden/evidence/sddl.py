"""The audit entries of a folder, out of its security descriptor as text (SDDL): whether reads are audited.

    sacl_of("O:BAG:SYD:(...)S:(AU;OICISA;0x1;;;WD)", "anna", "...") -> Sacl(reads=True, inheritable=True, everyone=True)

Grammar and abbreviations: [MS-DTYP] 2.5.1. Only successful accesses count, because that is how event 4663 is written.
An entry that is only inherited by others (IO) is not one of the folder itself, but of what lies below, which is what is
wanted here. Several entries add up only where they are for the same people.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from douse.harden.observed import Sacl

_ENTRY = re.compile(r"\(([^()]*)\)")
_SACL = re.compile(r"S:([A-Z_]*)((?:\([^()]*\))*)")
_READS = frozenset({"GA", "GR", "FA", "FR", "CC"})
"""Rights that hold the reading of data: all, generic read, all of a file, read of a file, and bit 1 by its own name."""

_READ_DATA = 0x1 | 0x80000000 | 0x10000000
"""FILE_READ_DATA, GENERIC_READ, GENERIC_ALL."""

EVERYONE = frozenset({"WD", "S-1-1-0"})


@dataclass(frozen=True, slots=True)
class _Audit:
    trustee: str
    reads: bool
    below: bool


def sacl_of(sddl: str, profile: str, path: str) -> Sacl | None:
    """What is audited on a folder; None where the text is no security descriptor. One without a part about auditing
    audits nothing, as it was read with the right to see that part."""
    found = _SACL.search(sddl)
    if found is None:
        return Sacl(profile, path, False, False, False) if re.match(r"[OGD]:", sddl) else None
    entries = [one for text in _ENTRY.findall(found[2]) if (one := _entry(text)) is not None]
    reading = [one for one in entries if one.reads]
    whole = [one for one in reading if one.trustee in EVERYONE] or reading
    return Sacl(profile, path, reads=bool(reading), inheritable=any(one.below for one in whole),
                everyone=any(one.trustee in EVERYONE for one in reading))


def _entry(text: str) -> _Audit | None:
    """One entry, None where it is none that audits successful accesses."""
    parts = text.split(";")
    if len(parts) < 6 or parts[0] not in ("AU", "OU"):
        return None
    flags = {parts[1][at:at + 2] for at in range(0, len(parts[1]), 2)}
    if "SA" not in flags or parts[0] == "OU":
        return None
    return _Audit(parts[5], _reads(parts[2]), {"OI", "CI"} <= flags and "NP" not in flags)


def _reads(rights: str) -> bool:
    if rights[:2].lower() == "0x":
        try:
            return bool(int(rights, 16) & _READ_DATA)
        except ValueError:
            return False
    return any(rights[at:at + 2] in _READS for at in range(0, len(rights), 2))
