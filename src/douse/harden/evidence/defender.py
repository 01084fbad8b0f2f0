"""What Defender says of itself, however it was exported: properties by name in, effective states and rules out.

The collector and the readers of `Get-MpPreference` and `Get-MpComputerStatus` share it. Both cmdlets give the settings
that are in force, whoever made them. A rule that Defender does not list is not configured, which Microsoft writes as 5.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache

from douse.content.controls import controls
from douse.content.settings import AsrSetting
from douse.harden.evidence.json_tree import Json
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject
from douse.harden.seen import Seen, Source

NOT_CONFIGURED = 5
RULES = "MpPreference.AttackSurfaceReductionRules"
_GUID = re.compile(r"\{?([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\}?", re.IGNORECASE)


def add_states(host: Subject, of: str, values: dict[str, Json], source: Source) -> None:
    """Keep properties as `MpPreference.X` and the like; lists and dates are none."""
    for name, value in values.items():
        if isinstance(value, (bool, int, str)):
            seen: Seen[str | int | bool] = Seen(value, source, f"{of}.{name}", str(value))
            host.effective.setdefault(f"{of}.{name}", []).append(seen)


def add_rules(host: Subject, ids: Sequence[Json], actions: Sequence[Json], source: Source, evidence: Evidence) -> None:
    """Keep the attack surface reduction rules: the two lists that Defender gives belong together by position."""
    if len(ids) != len(actions):
        evidence.lost(f"{source.file}: {RULES}", f"{len(ids)} ids and {len(actions)} actions do not belong together.",
                      "Export it again; the rules stay unknown.")
        return
    listed, bad = set[str](), 0
    for guid, action in zip(ids, actions, strict=True):
        found = _GUID.fullmatch(guid.strip()) if isinstance(guid, str) else None
        if found is None or isinstance(action, bool) or not isinstance(action, int):
            bad += 1
            continue
        listed.add(found[1].lower())
        _add(host, found[1].lower(), action, source, f"{guid}: {action}")
    if bad:
        evidence.lost(f"{source.file}: {RULES}", f"{bad} entries are no rule and state.", "Export it again.")
    else:
        for known in rule_ids():
            if known not in listed:
                _add(host, known, NOT_CONFIGURED, source, "not listed")


def _add(host: Subject, guid: str, action: int, source: Source, raw: str) -> None:
    host.asr.setdefault(guid, []).append(Seen(action, source, f"{RULES} {guid}", raw))


@cache
def rule_ids() -> tuple[str, ...]:
    """The rules that the catalogue asks for."""
    return tuple(dict.fromkeys(
        one.guid for control in controls() for one in control.settings if isinstance(one, AsrSetting)))
