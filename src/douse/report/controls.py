"""Controls become plain dicts, as controls_schema.py describes them; what every format of `douse harden list|show` is
made of. All texts are ours, from content/controls; whoever shows them cleans them all the same.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields

from douse.content.controls import Break, Control, controls
from douse.content.mission import mission
from douse.content.settings import Accept, Setting
from douse.content.telemetry import requirements
from douse.report.controls_schema import ControlRow, SentenceRow, SettingRow, Value
from douse.report.controls_words import check, kind, wanted, where
from douse.report.glossary import technique_name

MAX_NAMED = 3
"""So many programs are named one by one."""

_ANYBODY = {"program": "a program", "parent": "its parent", "destination": "an address", "store": "a store",
            "gap": "some events", "unknown": "what these would show."}
"""What stands for the names that an incident would fill in."""

_COMMON = {field.name for field in fields(Setting)}


def control_rows(found: Iterable[Control], profile: str = "") -> list[ControlRow]:
    """A row for each control, in their order; with a profile only the settings it asks for."""
    return [_control(one, profile) for one in found]


def sentence_rows() -> list[SentenceRow]:
    """The sentences of the mission's advice, in order."""
    return [{"id": one.id, "list": one.list, "tag": one.tag, "text": one.text} for one in mission()]


def _control(one: Control, profile: str) -> ControlRow:
    return {
        "kind": "control",
        "id": one.id,
        "slug": one.slug,
        "title": one.title,
        "takeaway": one.takeaway,
        "severity": one.severity,
        "seed": list(one.seed),
        "mission": [row for row in sentence_rows() if row["id"] in one.mission],
        "techniques": [{"id": technique, "name": technique_name(technique)} for technique in one.techniques],
        "mitigations": list(one.mitigations),
        "frameworks": {"nist_800_53r5": list(one.frameworks.nist), "cis_v8": list(one.frameworks.cis),
                       "weak": list(one.frameworks.weak)},
        "mapping": "ours",
        "needs": list(one.needs),
        "needed_by": [other.id for other in controls() if one.id in other.needs],
        "min_build": one.min_build,
        "roles": list(one.roles),
        "preflight": one.preflight,
        "settings": [_setting(setting) for setting in (one.settings_of(profile) if profile else one.settings)],
        "breaks": [{"effect": entry.effect, "why": _told(entry)} for entry in one.breaks],
        "misses": one.misses,
        "cost": one.cost,
        "undo": one.undo,
        "sources": list(one.sources),
        "verified": one.verified,
        "unverified": one.unverified,
    }


def _told(entry: Break) -> str:
    """Why, of no incident in particular."""
    lists = (("program", entry.sign.programs), ("parent", entry.sign.parents))
    named = {word: " or ".join(names) for word, names in lists if 0 < len(names) <= MAX_NAMED}
    if entry.sign.gaps:
        named["gap"] = ", ".join(one.title for one in requirements() if one.id in entry.sign.gaps)
    said = entry.why.format_map(_ANYBODY | named | {"rule": entry.rule})
    return said if said.startswith(tuple(named.values())) else said[:1].upper() + said[1:]


def _setting(one: Setting) -> SettingRow:
    return {
        "id": one.id,
        "kind": kind(one),
        "where": where(one),
        "wanted": wanted(one),
        "check": check(one),
        "profile": one.profile,
        "min_build": one.min_build,
        "product": one.product,
        "verified": one.verified,
        "note": one.note,
        "detail": {field.name: _value(getattr(one, field.name)) for field in fields(one) if field.name not in _COMMON},
    }


def _value(value: object) -> Value:
    """A field of a setting as JSON can hold it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Accept):
        return str(value)
    if isinstance(value, tuple):
        return [list(item) if isinstance(item, tuple) else item for item in value]
    return value if isinstance(value, (str, int, bool)) or value is None else str(value)
