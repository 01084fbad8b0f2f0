"""Lints about correlations: matches that are silently left out, conditions that say nothing, rules that disappear.

Each takes a Subject and yields Remarks; the table is LINTS in lint.py. What a correlation means is said in
correlation/document.py and records.py. Its rules are known where the file was read together with theirs (Surroundings);
a rule that is not there is no lint but an error (linking.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import floor
from typing import NamedTuple

from douse.detection.correlation.document import TEMPORAL, Correlation
from douse.detection.explain import channel_name
from douse.detection.language.documents import Node
from douse.detection.language.parse import CompiledRule
from douse.detection.lint.places import Path
from douse.detection.lint.subject import Remark, Subject, Surroundings
from douse.detection.needs import fields_of
from douse.model import level_rank

LONG_SECONDS = 30 * 86_400
"""Longer than most logs reach back, and than an intrusion by a stealer takes."""

_HOST = frozenset({"computer", "computername"})
"""Known of every record (correlation/records.py)."""

_COUNTED = frozenset({"event_count", "value_count", *TEMPORAL})
"""Types whose value is a whole number from 1 up, so that one can try which values meet the condition."""


class _Lack(NamedTuple):
    """Of how many kinds of records, of how many in all, a field is known to be missing; and one that lacks it."""

    lacking: int
    of: int
    example: str = ""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A field that a correlation asks of the matches of one of its rules, where it says so, and what lacks it."""

    field: str
    title: str
    path: Path
    lack: _Lack


class _Lacks:
    """What lacks a field, of a rule or of the rules of a correlation; each question is answered once."""

    def __init__(self, around: Surroundings) -> None:
        self._around = around
        self._known: dict[tuple[str, str], _Lack] = {}

    def of(self, member: CompiledRule | Correlation, field: str) -> _Lack:
        """Of a rule its records; of a correlation, unless it groups by the field, what its rules say."""
        key = member.rule.rule_id, field
        if key not in self._known:
            self._known[key] = _Lack(0, 1)  # while it is reckoned
            self._known[key] = self._inner(member, field) if isinstance(member, Correlation) else self._of_rule(
                member, "".join(field.split()).lower())
        return self._known[key]

    def _inner(self, member: Correlation, field: str) -> _Lack:
        if field in member.group_by:
            return _Lack(0, 1)
        found = [self.of(self._around.rules[inner], member.source_field(field, inner)) for inner in member.members
                 if inner in self._around.rules]
        return _Lack(sum(each.lacking for each in found), sum(each.of for each in found),
                     next((each.example for each in found if each.example), ""))

    def _of_rule(self, member: CompiledRule, field: str) -> _Lack:
        if field in _HOST:
            return _Lack(0, 1)
        lacking = [route for route in member.routes
                   if (names := fields_of(route, self._around.carried)) is not None and field not in names]
        example = f"{channel_name(lacking[0].channel)} {lacking[0].event_id}" if lacking else ""
        return _Lack(len(lacking), len(member.routes), example)


def _names(correlation: Correlation, data: Mapping[str, Node]) -> Iterator[tuple[str, Path]]:
    """The fields that a match must have, as written, and where."""
    part = data.get("correlation")
    listed = isinstance(part, dict) and isinstance(part.get("group-by"), list)
    for index, name in enumerate(correlation.group_by):
        yield name, ("correlation", "group-by", index) if listed else ("correlation", "group-by")
    for name in correlation.fields:
        yield name, ("correlation", "condition", "field")


def _asked(rule: Subject) -> Iterator[_Asked]:
    """Each field that is asked of each rule; what an alias forgot is told by half_alias."""
    correlation = rule.correlation
    if correlation is None:
        return
    lacks = _Lacks(rule.around)
    for name, path in _names(correlation, rule.data):
        alias = correlation.aliases.get(name)
        for reference, member in zip(correlation.references, correlation.members, strict=False):
            known = rule.around.rules.get(member)
            if known is not None and (alias is None or member in alias):
                field = correlation.source_field(name, member)
                where: Path = path if alias is None else ("correlation", "aliases", name, reference)
                yield _Asked(field, known.rule.title, where, lacks.of(known, field))


def unknown_group_field(rule: Subject) -> Iterator[Remark]:
    """A field that no record of one of its rules has: every match of that rule is left out."""
    for asked in _asked(rule):
        if asked.lack.lacking and asked.lack.lacking == asked.lack.of:
            yield Remark(f"no record that '{asked.title}' reads has a field {asked.field}, so each of its matches is "
                         "left out", "Name a field that they have; where the rules' names differ, with 'aliases'.",
                         asked.path)


def blind_group_field(rule: Subject) -> Iterator[Remark]:
    """A field that some records of one of its rules lack: matches on those are left out."""
    for asked in _asked(rule):
        if 0 < asked.lack.lacking < asked.lack.of:
            yield Remark(f"records of {asked.lack.example} have no {asked.field}, so matches of '{asked.title}' on "
                         "them are left out", "Group by a field that all have, or accept that they are not counted.",
                         asked.path)


def unused_alias(rule: Subject) -> Iterator[Remark]:
    """An alias that is neither grouped by nor counted."""
    correlation = rule.correlation
    for alias in correlation.aliases if correlation else ():
        if correlation and alias not in (*correlation.group_by, *correlation.fields):
            yield Remark(f"the alias '{alias}' is used by neither group-by nor the condition's field",
                         "Group by it, or remove it.", ("correlation", "aliases", alias))


def half_alias(rule: Subject) -> Iterator[Remark]:
    """An alias that does not say what it means for one of the rules: there a field of the alias's name is read."""
    correlation = rule.correlation
    for alias, fields in correlation.aliases.items() if correlation else ():
        if correlation is None or alias not in (*correlation.group_by, *correlation.fields):
            continue
        members = correlation.members or correlation.references  # ids once the rules are found, else as written
        for reference, member in zip(correlation.references, members, strict=True):
            if member not in fields:
                yield Remark(f"the alias '{alias}' has no field for '{reference}', so its field {alias} is read",
                             f"Add '{reference}: Field' to the alias.", ("correlation", "aliases", alias))


def long_timespan(rule: Subject) -> Iterator[Remark]:
    """A window longer than a month."""
    if rule.correlation and rule.correlation.seconds > LONG_SECONDS:
        yield Remark(f"the timespan {rule.correlation.timespan} is longer than a month, and logs seldom reach so far "
                     "back", "Say what happens together within hours or days.", ("correlation", "timespan"))


def no_group(rule: Subject) -> Iterator[Remark]:
    """Without group-by, what happens on two computers is joined."""
    if rule.correlation and not rule.correlation.group_by:
        yield Remark("without group-by, events of all hosts and users are joined", "Add 'group-by: [Computer]'.",
                     ("correlation",))


def _met(correlation: Correlation) -> tuple[bool, bool]:
    """Whether some value of a window meets the condition, and whether each does."""
    most = len(correlation.references) if correlation.kind in TEMPORAL else None
    near = {1, *(floor(bound.number) + step for bound in correlation.bounds for step in (-1, 0, 1))}
    values = [value for value in near if value >= 1 and (most is None or value <= most)]
    answers = [correlation.admits(value) for value in values]
    return any(answers), all(answers)


def never_met(rule: Subject) -> Iterator[Remark]:
    """A condition that no number of matches can meet."""
    found = rule.correlation
    if found and found.kind in _COUNTED and not _met(found)[0]:
        most = f" and at most {len(found.references)}, as there are rules" if found.kind in TEMPORAL else ""
        yield Remark(f"no window can meet '{found.asks}': what is counted is at least 1{most}",
                     "Correct the numbers.", ("correlation", "condition"))


def always_met(rule: Subject) -> Iterator[Remark]:
    """A condition that a single match meets, so that the correlation is nothing but its rules."""
    found = rule.correlation
    if found and found.kind in _COUNTED and _met(found) == (True, True):
        yield Remark(f"every match alone meets '{found.asks}', so this is not more than its rules",
                     "Ask for more, or use the rules as they are.", ("correlation", "condition"))


def counts_its_group(rule: Subject) -> Iterator[Remark]:
    """value_count of a field by which is grouped: in a group it has one value."""
    found = rule.correlation
    if found and found.kind == "value_count" and set(found.fields) <= set(found.group_by):
        yield Remark(f"{', '.join(found.fields)} has one value in each group, because group-by names it too",
                     "Count another field, or do not group by this one.", ("correlation", "condition", "field"))


def hides_stronger(rule: Subject) -> Iterator[Remark]:
    """A rule that is no longer shown by itself, and weighs more than the correlation that hides it."""
    found = rule.correlation
    if found is None or found.generate:
        return
    wanted = {member for other in rule.around.correlations.values() if other.generate for member in other.members}
    for index, member in enumerate(found.members):
        known = rule.around.rules.get(member)
        if (known and member not in wanted and not known.rule.builtin
                and level_rank(known.rule.level) > level_rank(found.rule.level)):
            yield Remark(f"'{known.rule.title}' is {known.rule.level} and is no longer shown by itself; this "
                         f"correlation is {found.rule.level}", "Add 'generate: true', or raise the level.",
                         ("correlation", "rules", index))
