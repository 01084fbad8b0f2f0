"""Lints about what a document says of itself: id, level, dates, tags, keys that are not read, what the condition uses.

Each takes a Subject and yields Remarks; the table is LINTS in lint.py. Nothing here changes what matches, except a
misspelt key, which is worse than it looks: without its `category` a rule reads every log.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import date
from difflib import get_close_matches
from functools import lru_cache

from douse.content.attack import attack
from douse.detection.lint.places import Path
from douse.detection.lint.subject import CORRELATION, Remark, Subject

_KEYS = ("title", "id", "name", "status", "description", "license", "author", "references", "date", "modified",
         "logsource", "detection", "fields", "falsepositives", "level", "tags", "scope", "related", "taxonomy",
         "correlation", "filter")
_SOURCE_KEYS = ("category", "product", "service", "definition")
_CORRELATION_KEYS = ("type", "rules", "group-by", "timespan", "condition", "aliases", "generate")
_DATE = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2})")
_TAG = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_TECHNIQUE = re.compile(r"attack\.t\d+")
_GOOD_TECHNIQUE = re.compile(r"attack\.t\d{4}(\.\d{3})?")
_THEM = re.compile(r"\b(?:1|any|all) of them\b", re.IGNORECASE)
_FORMS: Mapping[str, tuple[re.Pattern[str], str]] = {
    "car": (re.compile(r"\d{4}-\d{2}-\d{3}"), "car.2016-04-005"),
    "cve": (re.compile(r"\d{4}[-.]\d{4,}"), "cve.2026-12345"),
    "detection": (re.compile(r"dfir|emerging-threats|threat-hunting"),
                  "detection.dfir, detection.emerging-threats or detection.threat-hunting"),
    "stp": (re.compile(r"[1-5][auk]?"), "stp.3u"),
    "tlp": (re.compile(r"clear|white|green|amber|amber-strict|red"), "tlp.amber"),
}
"""Namespaces of tags with a form of their own: what follows the dot, and an example. From the Sigma specification."""

_NAMESPACES = ("attack", "d3fend", "douse", *_FORMS)


def identity(rule: Subject) -> Iterator[Remark]:
    """No id, or one that other tools refuse."""
    found = rule.text("id")
    if not found:
        yield Remark(f"the {rule.kind} has no id",
                     "Give it a UUID, so that its alerts keep their name when the rule changes.")
        return
    try:
        uuid.UUID(found)
    except ValueError:
        yield Remark(f"the id '{found}' is no UUID", "Other Sigma tools refuse it; make one with uuidgen.", ("id",))


def missing(key: str, consequence: str) -> Callable[[Subject], Iterator[Remark]]:
    """A check for a key that every document should have."""

    def check(rule: Subject) -> Iterator[Remark]:
        if not rule.text(key):
            yield Remark(f"the {rule.kind} has no {key}", consequence)

    return check


def dates(rule: Subject) -> Iterator[Remark]:
    """Dates that are none, or the wrong way round."""
    read: dict[str, date] = {}
    for key in ("date", "modified"):
        text = rule.text(key)
        found = _DATE.fullmatch(text)
        try:
            if found:
                read[key] = date(*map(int, found.groups()))
        except ValueError:
            found = None
        if text and not found:
            yield Remark(f"{key} '{text}' is no date", "Write it as 2026-11-24.", (key,))
    if len(read) == 2 and read["modified"] < read["date"]:
        yield Remark("modified lies before date", "Correct one of them.", ("modified",))


def tags(rule: Subject) -> Iterator[Remark]:
    """Tags that are malformed, doubled, or nearly one that means something."""
    listed = rule.data.get("tags")
    seen: set[str] = set()
    for index, tag in enumerate(listed if isinstance(listed, list) else []):
        word = str(tag)
        if word.lower() in seen:
            yield Remark(f"the tag '{word}' is there twice", "Keep one.", ("tags", index))
        elif not _TAG.fullmatch(word):
            yield Remark(f"the tag '{word}' is not written as namespace.name in small letters",
                         "Write it as attack.t1555.003.", ("tags", index))
        else:
            yield from _well_formed(word, ("tags", index))
        seen.add(word.lower())


@lru_cache(maxsize=1_000)
def _like(word: str, known: tuple[str, ...], cutoff: float) -> str:
    """The known word that another looks like, empty where there is none; a folder of rules asks for few, again and
    again."""
    near = get_close_matches(word, known, n=1, cutoff=cutoff)
    return near[0] if near else ""


def _well_formed(tag: str, path: Path) -> Iterator[Remark]:
    """What may be wrong with a tag of the right form: its namespace, its technique, its tactic.

    Names of other matrices, groups and software are not held against a rule: our table of ATT&CK does not have them.
    """
    namespace, _, name = tag.partition(".")
    if namespace not in _NAMESPACES and (near := _like(namespace, _NAMESPACES, 0.75)):
        yield Remark(f"'{namespace}' of the tag '{tag}' is no namespace that Sigma knows", f"Did you mean '{near}'?",
                     path)
    elif namespace in _FORMS and not _FORMS[namespace][0].fullmatch(name):
        yield Remark(f"'{tag}' does not have the form of a {namespace} tag", f"Write it as {_FORMS[namespace][1]}.",
                     path)
    elif _TECHNIQUE.match(tag) and not _GOOD_TECHNIQUE.fullmatch(tag):
        yield Remark(f"'{tag}' is no ATT&CK technique", "Four digits, and three for a sub-technique.", path)
    elif namespace == "attack" and (said := attack().objection(name)):
        yield Remark(f"'{tag}' {said[0]}", said[1], path)


def misspelt_key(rule: Subject) -> Iterator[Remark]:
    """A key that is nearly one of Sigma's, at the top or in the log source; it is not read, and nobody says so."""
    for key in rule.data:
        if near := _nearest(key, _KEYS, rule.data, 0.85):
            yield Remark(f"the key '{key}' is not read", f"Did you mean '{near}'?", (key,))
    source = rule.data.get("logsource")
    source = source if isinstance(source, dict) else {}
    for key in source:
        if near := _nearest(key, _SOURCE_KEYS, source, 0.75):
            yield Remark(f"'{key}' of the logsource is not read, so more logs are read than it seems",
                         f"Did you mean '{near}'?", ("logsource", key))


def _nearest(key: str, known: tuple[str, ...], present: Collection[str], cutoff: float) -> str:
    """The known key that a strange one is meant to be, empty where there is none or it is there as well."""
    near = "" if key in known else _like(key.lower(), known, cutoff)
    return near if near not in present else ""


def misplaced_key(rule: Subject) -> Iterator[Remark]:
    """A key where it is not read: what belongs below `correlation`, or a detection beside one."""
    if rule.kind == CORRELATION:
        for key in _CORRELATION_KEYS:
            if key in rule.data:
                yield Remark(f"'{key}' is not read here", "Move it below 'correlation'.", (key,))
        for key in ("logsource", "detection", "filter"):
            if key in rule.data:
                yield Remark(f"a correlation has no {key}, so this one is not read",
                             "Write it as a rule of its own, and list that under 'rules'.", (key,))
    elif "detection" in rule.data and "filter" in rule.data:
        yield Remark("a filter has no detection, so this one is not read", "Write it as a rule of its own.",
                     ("detection",))


def ignored_timeframe(rule: Subject) -> Iterator[Remark]:
    """`timeframe` belonged to `count()` of older Sigma; without it, it does nothing."""
    detection = rule.data.get("detection")
    if isinstance(detection, dict) and "timeframe" in detection:
        yield Remark("a timeframe does nothing in a rule without an aggregation",
                     "Write a correlation with a timespan, or remove it.", ("detection", "timeframe"))


def unused(rule: Subject) -> Iterator[Remark]:
    """A selection that no condition asks for."""
    if rule.used is None:
        return
    for name in rule.selections:
        if name not in rule.used:
            yield Remark(f"the condition never asks for '{name}'", "Add it to the condition, or remove it.",
                         (rule.part, name))


def of_one(rule: Subject) -> Iterator[Remark]:
    """`1 of them` with a single selection: either some are missing, or its name says the same."""
    part = rule.data.get(rule.part)
    condition = part.get("condition") if isinstance(part, dict) else None
    if len(rule.selections) == 1 and _THEM.search(str(condition)):
        (name,) = rule.selections
        yield Remark(f"the condition speaks of several selections, and there is only '{name}'",
                     f"Write '{name}', or add the other selections.", (rule.part, "condition"))
