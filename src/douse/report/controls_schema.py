"""What `douse harden list|show --format json` writes: an array of ControlRow.

The types are the reference; a further key breaks no reader. Severities are the words of content/controls.py, a profile
is `seed`, `recommended` or empty for both, a technique is an ATT&CK id. controls.py makes the rows.
"""

from __future__ import annotations

from typing import Literal, TypedDict

Value = str | int | bool | list[str] | list[int] | list[list[str | int]] | None


class SentenceRow(TypedDict):
    """A sentence of the mission's advice: `list` is `g6` for the IT staff's mitigations, `training` for the users'."""

    id: str
    list: str
    tag: str
    text: str


class TechniqueRow(TypedDict):
    """An ATT&CK technique and its name, empty where the table we ship lacks it."""

    id: str
    name: str


class FrameworksRow(TypedDict):
    """The nearest ids of two catalogues. How well they fit is our judgement; `weak` are those that fit badly."""

    nist_800_53r5: list[str]
    cis_v8: list[str]
    weak: list[str]


class SettingRow(TypedDict):
    """One value, rule or state. `kind` is the key of the catalogue that names it (controls/README.md), or `asr`.

    `where` it lies and what is `wanted` there are for people, as is `check`, a command or a step that shows it.
    `detail` holds the same for programs, by the fields of its class in content/settings.py; bytes are hexadecimal.
    """

    id: str
    kind: str
    where: str
    wanted: str
    check: str
    profile: str
    min_build: int
    product: str
    verified: bool
    note: str
    detail: dict[str, Value]


class BreakRow(TypedDict):
    """What it does to a step of an incident: `stops`, `limits` or `shows`, and by what evidence that is told."""

    effect: str
    why: str


class ControlRow(TypedDict):
    """One control. `mapping` says whose the mapping to ATT&CK and frameworks is. `settings` are those of the profile
    that was asked for, of both where none was."""

    kind: Literal["control"]
    id: str
    slug: str
    title: str
    takeaway: str
    severity: str
    seed: list[str]
    mission: list[SentenceRow]
    techniques: list[TechniqueRow]
    mitigations: list[str]
    frameworks: FrameworksRow
    mapping: Literal["ours"]
    needs: list[str]
    needed_by: list[str]
    min_build: int
    roles: list[str]
    preflight: str
    settings: list[SettingRow]
    breaks: list[BreakRow]
    misses: str
    cost: str
    undo: str
    sources: list[str]
    verified: bool
    unverified: str
