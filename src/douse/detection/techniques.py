"""Rules in, the coverage matrix out: of each technique that stealers use, what shows it, and which of the rules see it.

    rows = technique_rows(compiled.rule for compiled in ruleset.rules)      one TechniqueRow for each page, in order
    json.dumps([technique_document(row) for row in rows])                   what `douse coverage --format json` writes
    attack_version()                                                        of content/attack.py; print it beside them

A row's fields are those of the document: id, name, stage (1 to 3), tactics, visible_in, rules, needs_file, blind,
note, verified. `rules` are file names without their ending, as `douse rules show` takes them. They are read off the
rules' tags and never written by hand: a rule sees the technique it is tagged with, and that technique's parent; a tag
from an older ATT&CK counts as what it is called today. A stealer as a whole is seen by rules on its techniques.
A rule that cannot fire here sees nothing: give only those that can. An empty `rules` is a gap, unless nothing could be
seen anyway, which is what an empty `visible_in` says. The pages are content/techniques/.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TypedDict

from douse.content.techniques import Page, Sight, techniques
from douse.model import Rule


@dataclass(frozen=True, slots=True)
class TechniqueRow:
    """A technique, what shows it, and the rules that see it. Texts are ours; `rules` are names of files."""

    id: str
    name: str
    stage: int
    tactics: tuple[str, ...]
    visible_in: tuple[Sight, ...]
    rules: tuple[str, ...]
    needs_file: str
    blind: str
    note: str
    verified: bool


class RecordsDocument(TypedDict):
    """Records of a channel; without ids any record of it."""

    channel: str
    event_ids: list[int]


class SightDocument(TypedDict):
    """A kind of record that shows the technique: any one of `records` is enough, and `setting` is what logs them."""

    records: list[RecordsDocument]
    events: str
    shows: str
    setting: str
    needs: str
    verified: bool


class TechniqueDocument(TypedDict):
    """A row as JSON has it."""

    id: str
    name: str
    stage: int
    tactics: list[str]
    visible_in: list[SightDocument]
    rules: list[str]
    needs_file: str
    blind: str
    note: str
    verified: bool


def technique_rows(rules: Iterable[Rule]) -> tuple[TechniqueRow, ...]:
    """One row for each page: by stage, then by id."""
    seen = _seen(rules)
    return tuple(_row(page, seen) for page in techniques())


def technique_document(row: TechniqueRow) -> TechniqueDocument:
    """A row as plain data for JSON."""
    return {
        "id": row.id, "name": row.name, "stage": row.stage, "tactics": list(row.tactics),
        "visible_in": [_sight(sight) for sight in row.visible_in], "rules": list(row.rules),
        "needs_file": row.needs_file, "blind": row.blind, "note": row.note, "verified": row.verified,
    }


def _seen(rules: Iterable[Rule]) -> Mapping[str, set[str]]:
    """Technique -> names of the rules that see it; a sub-technique's rules see its technique too."""
    seen: dict[str, set[str]] = {}
    for rule in rules:
        for technique in rule.techniques:
            for name in {technique, technique.partition(".")[0]}:
                seen.setdefault(name, set()).add(PurePath(rule.path).stem)
    return seen


def _row(page: Page, seen: Mapping[str, set[str]]) -> TechniqueRow:
    names = set[str]().union(*(seen.get(technique, ()) for technique in (page.id, *page.uses)))
    return TechniqueRow(page.id, page.title, page.stage, page.tactics, page.visible_in, tuple(sorted(names)),
                        page.needs_file, page.blind, page.note, page.verified)


def _sight(sight: Sight) -> SightDocument:
    return {
        "records": [{"channel": one.channel, "event_ids": sorted(one.event_ids or ())} for one in sight.records],
        "events": sight.events, "shows": sight.shows, "setting": sight.setting, "needs": sight.needs,
        "verified": sight.verified,
    }
