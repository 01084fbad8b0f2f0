"""Why two programs count a rule differently: what each found, and the peer's own database in, a table of reasons out.

A reason is decided for each record that only one of the two reports, by asking the data: is the rule in the peer's set,
does its query compile, is the record in its table, does its query name the record's log at all, and does the query hold
once a value is put right. What none of these decides is "unexplained", and stays so. peer.py gathers the facts.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from peer_table import Converted, Key, Table, alike, named_in

from douse.text import clean

UNEXPLAINED = "unexplained"
_COLUMN = re.compile(r"no such column: (.+)")
_CIDR = re.compile(r"\b([\w.]+)\|cidr\b")


@dataclass(frozen=True, slots=True)
class Reading:
    """How far a plain walk over the files comes: records before and after the first bad record of each file.

    `early` are those of the first kind that are dated before 1970: Zircolite's default time filter leaves them out.
    """

    before: Counter[Key]
    after: Counter[Key]
    early: Counter[Key] = field(default_factory=Counter)


@dataclass(slots=True)
class Facts:
    """All that a reason may rest on. `fields` has the fields of each alert of ours, in the order of `ours`.

    `reads` says whether our rule reads a record's log; `denial` why our rule does not fire on that copy of a record
    that is most like a row ("" if it does).
    """

    converted: Mapping[str, Converted]
    table: Table
    reading: Reading
    idle: Mapping[str, str]
    reads: Callable[[str, Key], bool]
    denial: Callable[[str, Key, Mapping[str, object]], str]
    fields: Mapping[tuple[str, Key], Sequence[Mapping[str, str]]] = field(default_factory=dict)
    sources: Mapping[str, str] = field(default_factory=dict)
    """Rule id -> the text of its file."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why so many records are one program's alone: above zero Douse's, below it the peer's.

    `example` is what was seen in the first of them, as raw evidence text.
    """

    records: int
    text: str
    example: str


@dataclass(frozen=True, slots=True)
class Difference:
    """A rule that the two count differently, or of which they report other records."""

    rule_id: str
    title: str
    ours: int
    its: int
    reasons: tuple[Reason, ...]


def compare(rule_id: str, title: str, ours: Counter[Key], its: Counter[Key], facts: Facts) -> Difference | None:
    """The difference in one rule, or None where both report the same records as often."""
    reasons = (*_summed(1, _ours_alone(rule_id, ours, its, facts)),
               *_summed(-1, _its_alone(rule_id, ours, its, facts)))
    return Difference(rule_id, title, ours.total(), its.total(), reasons) if reasons else None


def _summed(sign: int, found: Iterator[tuple[int, str, str]]) -> list[Reason]:
    """One reason for each text, in the order in which they came up."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for count, text, example in found:
        counts[text] += count
        examples.setdefault(text, example)
    return [Reason(sign * count, text, examples[text]) for text, count in counts.items()]


def _ours_alone(rule_id: str, ours: Counter[Key], its: Counter[Key],
                facts: Facts) -> Iterator[tuple[int, str, str]]:
    alone = ours - its
    if not alone:
        return
    rule = facts.converted.get(rule_id)
    if rule is None:
        yield alone.total(), "the peer did not convert the rule", ""
        return
    there: Counter[Key] = Counter()
    for key, count in alone.items():
        absent = list(_absent(key, count, facts.fields.get((rule_id, key), ()), facts))
        yield from absent
        there[key] = count - sum(reason[0] for reason in absent)
    there = +there
    refusal = facts.table.refusal(rule.queries) if there else ""
    if refusal:
        records = [fields for key in there for fields in facts.fields.get((rule_id, key), ())]
        yield there.total(), _refused(refusal, records), ""
        return
    found = facts.table.found_by(rule.queries) if there else frozenset()
    for key, count in there.items():
        yield from _present(rule_id, rule, key, count, found, facts)


def _absent(key: Key, count: int, ours: Sequence[Mapping[str, str]], facts: Facts) -> Iterator[tuple[int, str, str]]:
    """Why a record is not in the peer's table, as often as that can be the reason."""
    missing = max(0, facts.reading.before[key] + facts.reading.after[key] - len(facts.table.rows(key)))
    behind = min(missing, facts.reading.after[key])
    stopped = min(count, behind)
    if stopped:
        yield stopped, "behind the bad record at which the peer stops reading the file", ""
    early = min(count - stopped, missing - behind, facts.reading.early[key])
    if early:
        yield early, "not in its table: dated before 1970, which its default time filter leaves out", ""
    lacking = min(count - stopped - early, missing - behind - early)
    if lacking:
        name = next((word for fields in ours if (word := facts.table.keyword(list(fields)))), "")
        yield lacking, ("not in its table: a field's name is an SQL keyword" if name else "not in its table"), name


def _refused(refusal: str, records: Sequence[Mapping[str, str]]) -> str:
    column = _COLUMN.search(refusal)
    if column is None:
        return f"its query cannot be run: {refusal}"
    name = column[1].strip('"`[]')
    if any(name.lower() == one.lower() and value for fields in records for one, value in fields.items()):
        return f"its query names the column {name}; its table keeps that field under another name"
    return f"its query names the column {name}, which has a value in no record it read, so SQLite refuses it"


def _present(rule_id: str, rule: Converted, key: Key, count: int, found: frozenset[int],
             facts: Facts) -> Iterator[tuple[int, str, str]]:
    """Why the peer's rule does not find a record of its table."""
    if rule.unread(key):
        yield count, f"log source: its query does not read {key[0]} {key[1]}", ""
        return
    pairs = _pairs(facts.table.rows(key), facts.fields.get((rule_id, key), ()), facts.table)
    apart = [(row, fields) for row, fields in pairs if row not in found]
    for row, fields in apart[:count]:
        reason, example = _value(rule, row, fields, facts, rule_id)
        yield 1, reason, example or _name(key)
    if count > len(apart):
        yield count - len(apart), "its query finds the record, and its report leaves it out", _name(key)


def _pairs(rows: Sequence[int], records: Sequence[Mapping[str, str]],
           table: Table) -> Iterator[tuple[int, Mapping[str, str]]]:
    """Each of our copies of a record with the row that is most like it, the surest pairs first."""
    values = {row: table.values(row) for row in rows}
    likeness = sorted(((-alike(values[row], fields), row, number) for row in rows
                       for number, fields in enumerate(records)))
    taken: set[int] = set()
    paired: set[int] = set()
    for _, row, number in likeness:
        if row not in taken and number not in paired:
            taken.add(row)
            paired.add(number)
            yield row, records[number]


def _name(key: Key) -> str:
    return f"{key[0]} {key[1]}, record {key[2]} of {key[3]}"


def _value(rule: Converted, row: int, fields: Mapping[str, str], facts: Facts, rule_id: str) -> tuple[str, str]:
    """Which value of a row keeps the peer's query from finding it: put ours in its place, one by one, and ask again."""
    its = named_in(rule.queries, facts.table.values(row))
    known = {name.lower(): value for name, value in fields.items()}
    other = {name: known[name.lower()] for name, value in its.items()
             if name.lower() in known and str(value if value is not None else "") != known[name.lower()]}
    for name, value in other.items():
        if facts.table.holds(rule.queries, row, {name: value}):
            seen = "nothing" if its[name] is None else f"'{its[name]}'"
            return f"its table has another value in {name}", f"{seen} for '{value}'"
    if other and facts.table.holds(rule.queries, row, other):
        return f"its table has other values in {', '.join(other)}", ""
    empty = {name: "" for name, value in its.items() if value is None}
    if empty and facts.table.holds(rule.queries, row, empty):
        return "a field is absent, and SQL's NOT of an unknown is unknown", ", ".join(empty)
    return _addresses(its, facts.sources.get(rule_id, "")), ""


def _addresses(values: Mapping[str, object], source: str) -> str:
    """Whether the rule asks for a network and a value is no address, so that only a text pattern could take it."""
    for name in _CIDR.findall(source):
        value = next((str(one) for column, one in values.items() if column.lower() == name.lower()), "")
        try:
            ipaddress.ip_address(value)
        except ValueError:
            return f"{name}|cidr of a value that is no address: its query compares the text"
    return UNEXPLAINED


def _its_alone(rule_id: str, ours: Counter[Key], its: Counter[Key],
               facts: Facts) -> Iterator[tuple[int, str, str]]:
    alone = its - ours
    if rule_id in facts.idle and alone:
        yield alone.total(), f"idle in Douse: {facts.idle[rule_id]}", ""
        return
    rule = facts.converted.get(rule_id)
    if alone and (rule is None or facts.table.refusal(rule.queries)):
        yield alone.total(), UNEXPLAINED, "its ruleset has no plain query under this id"
        return
    found = facts.table.found_by(rule.queries) if rule and alone else frozenset()
    for key, count in alone.items():
        if not facts.reads(rule_id, key):
            yield count, f"log source: the rule is not about {key[0]} {key[1]}", ""
            continue
        rows = [row for row in facts.table.rows(key) if row in found]
        both = {row for row, _ in _pairs(rows, facts.fields.get((rule_id, key), ()), facts.table)}
        apart = [row for row in rows if row not in both]
        for row in apart[:count]:
            yield 1, _denied(rule_id, key, row, facts), _name(key)
        if count > len(apart):
            several = rule is not None and len(rule.queries) > 1
            yield (count - len(apart), "it counts a record once for each condition of the rule" if several else
                   UNEXPLAINED, _name(key))


def _denied(rule_id: str, key: Key, row: int, facts: Facts) -> str:
    """Why Douse's rule does not fire on a row's record."""
    values = facts.table.values(row)
    denial = facts.denial(rule_id, key, values)
    if not denial:
        return UNEXPLAINED
    address = _addresses(named_in(facts.converted[rule_id].queries, values), facts.sources.get(rule_id, ""))
    return f"in Douse {denial}" if address == UNEXPLAINED else address


def table(differences: Sequence[Difference]) -> Iterator[str]:
    """The lines to print: how many rules and records each reason explains, then rule by rule. Safe for a terminal."""
    rules: Counter[str] = Counter()
    records: Counter[str] = Counter()
    for one in differences:
        for reason in one.reasons:
            rules[reason.text] += 1
            records[reason.text] += abs(reason.records)
    yield f"  {'rules':>5} {'records':>8}  reason"
    for text, count in records.most_common():
        yield f"  {rules[text]:>5,} {count:>8,}  {clean(text, 130)}"
    yield f"  {'Douse':>7} {'peer':>7}  rule: reasons (+ records that Douse alone reports, - the peer alone)"
    for one in sorted(differences, key=lambda one: (-abs(one.ours - one.its), one.title, one.rule_id)):
        yield f"  {one.ours:>7,} {one.its:>7,}  {clean(one.title, 90)} ({clean(one.rule_id, 40)})"
        for reason in sorted(one.reasons, key=lambda reason: -abs(reason.records)):
            example = f" (such as {clean(reason.example, 60)})" if reason.example else ""
            yield f"  {'':>15}    {reason.records:>+6,} {clean(reason.text, 130)}{example}"
