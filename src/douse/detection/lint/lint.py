"""The text of a rule file in, Findings out: what is no mistake but will probably not do what its author meant.

A rule that cannot be loaded is an error of parse.py and is not linted. Everything here loads, so a finding changes
nothing that matches. LINTS is the table: name, severity, check; a check yields Remarks, and the line is looked up
here. What the checks look at is a Subject. Those about values are in values.py, about fields in fields.py.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches
from itertools import islice

from douse.detection.language.description import WITHDRAWN
from douse.detection.language.documents import read_documents
from douse.detection.lint import fields, values
from douse.detection.lint.subject import Places, Remark, Subject, subject
from douse.detection.logsource import Nowhere, routes
from douse.errors import RuleError

NOTE, WARNING = "note", "warning"
SEVERITIES = (NOTE, WARNING)
"""A note: it works, and could be written better or has a limit. A warning: it probably misses or drops something."""

MAX_REMARKS = 100
"""The most that one lint says of one rule: more is noise, and a file made for it could be told about for minutes."""

_KEYS = ("title", "id", "name", "status", "description", "license", "author", "references", "date", "modified",
         "logsource", "detection", "fields", "falsepositives", "level", "tags", "scope", "related", "taxonomy")
_DATE = re.compile(r"(\d{4})[-/](\d{2})[-/](\d{2})")
_TAG = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)+")
_TECHNIQUE = re.compile(r"attack\.t\d+")
_GOOD_TECHNIQUE = re.compile(r"attack\.t\d{4}(\.\d{3})?")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a lint noticed: where (`file:line`), in which rule, what, and what to do next."""

    name: str
    severity: str
    where: str
    rule_id: str
    title: str
    message: str
    next_step: str


@dataclass(frozen=True, slots=True)
class Lint:
    """One line of LINTS."""

    name: str
    severity: str
    check: Callable[[Subject], Iterator[Remark]]
    says: str


def lint_text(text: str, path: str, carried: fields.Carried | None = None) -> Iterator[Finding]:
    """The findings of every rule in a file; none for what does not load as a rule of its own.

    `carried` has the fields that somebody's logs really hold, and adds to those we know.
    """
    try:
        documents = list(read_documents(text, path))
    except RuleError:
        return
    if any(isinstance(document.data, dict) and "action" in document.data for document in documents):
        return  # its documents are parts of rules, which say nothing alone
    places: Places | None = None
    for document in documents:
        if not isinstance(document.data, dict) or not isinstance(document.data.get("detection"), dict):
            continue
        found = subject(document, carried or {})
        if found is None or found.text("status").lower() in WITHDRAWN or isinstance(routes(found.source), Nowhere):
            continue
        places = places or Places(text)
        found.plain_scalars = places.plain_scalars(document.index)
        yield from _findings(found, path, places, document.index)


def _findings(rule: Subject, path: str, places: Places, index: int) -> Iterator[Finding]:
    for lint in LINTS:
        for remark in islice(lint.check(rule), MAX_REMARKS):
            where = f"{path}:{places.line(index, remark.path)}"
            yield Finding(lint.name, lint.severity, where, rule.text("id"), rule.text("title"), f"{remark.message}.",
                          remark.next_step)


def _identity(rule: Subject) -> Iterator[Remark]:
    found = rule.text("id")
    if not found:
        yield Remark("the rule has no id", "Give it a UUID, so that its alerts keep their name when the rule changes.")
        return
    try:
        uuid.UUID(found)
    except ValueError:
        yield Remark(f"the id '{found}' is no UUID", "Other Sigma tools refuse it; make one with uuidgen.", ("id",))


def _missing(key: str, consequence: str) -> Callable[[Subject], Iterator[Remark]]:
    def check(rule: Subject) -> Iterator[Remark]:
        if not rule.text(key):
            yield Remark(f"the rule has no {key}", consequence)

    return check


def _dates(rule: Subject) -> Iterator[Remark]:
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


def _tags(rule: Subject) -> Iterator[Remark]:
    tags = rule.data.get("tags")
    seen: set[str] = set()
    for index, tag in enumerate(tags if isinstance(tags, list) else []):
        word = str(tag)
        if word.lower() in seen:
            yield Remark(f"the tag '{word}' is there twice", "Keep one.", ("tags", index))
        elif not _TAG.fullmatch(word):
            yield Remark(f"the tag '{word}' is not written as namespace.name in small letters",
                         "Write it as attack.t1555.003.", ("tags", index))
        elif _TECHNIQUE.match(word) and not _GOOD_TECHNIQUE.fullmatch(word):
            yield Remark(f"'{word}' is no ATT&CK technique", "Four digits, and three for a sub-technique.",
                         ("tags", index))
        seen.add(word.lower())


def _misspelt_key(rule: Subject) -> Iterator[Remark]:
    for key in rule.data:
        if key in _KEYS:
            continue
        near = get_close_matches(key.lower(), _KEYS, n=1, cutoff=0.85)
        if near and near[0] not in rule.data:
            yield Remark(f"the key '{key}' is not read", f"Did you mean '{near[0]}'?", (key,))


def _unused(rule: Subject) -> Iterator[Remark]:
    if rule.used is None:
        return
    for name in rule.selections:
        if name not in rule.used:
            yield Remark(f"the condition never asks for '{name}'", "Add it to the condition, or remove it.",
                         ("detection", name))


LINTS = (
    Lint("no-id", WARNING, _identity, "the id is missing, or is no UUID"),
    Lint("no-level", WARNING, _missing("level", "It counts as low; write the level that an alert should have."),
         "the level is missing and counts as low"),
    Lint("no-status", NOTE, _missing("status", "Write experimental, test or stable."), "the status is missing"),
    Lint("no-description", NOTE, _missing("description", "Say what it finds and what it misses."),
         "the description is missing"),
    Lint("date", NOTE, _dates, "date or modified is no date, or they are the wrong way round"),
    Lint("tag", NOTE, _tags, "a tag is malformed or doubled"),
    Lint("misspelt-key", WARNING, _misspelt_key, "a key is nearly, but not quite, one of Sigma's"),
    Lint("unused-selection", WARNING, _unused, "a selection is in no condition"),
    Lint("unknown-field", WARNING, fields.unknown_field, "no record of the log source has the field"),
    Lint("blind-filter", NOTE, fields.blind_filter, "some of the records lack a field that a filter asks for"),
    Lint("use-category", NOTE, fields.use_category, "an event id is spelt out that a category stands for"),
    Lint("escaped-wildcard", WARNING, values.escaped_wildcard, "a backslash makes a star a plain character"),
    Lint("needless-wildcard", NOTE, values.needless_wildcard, "a wildcard where the modifier opens the value"),
    Lint("wildcard-for-modifier", NOTE, values.wildcard_for_modifier, "wildcards do what a modifier says"),
    Lint("empty-value", WARNING, values.empty_value, "an empty text that is part of every value"),
    Lint("all-of-one", WARNING, values.all_of_one, "the modifier all with a single value"),
    Lint("same-value", NOTE, values.same_value, "a value is listed twice"),
    Lint("unquoted-number", WARNING, values.unquoted_number, "a number where other tools demand text"),
    Lint("ambiguous-scalar", WARNING, values.ambiguous_scalar, "YAML readers disagree on an unquoted value"),
    Lint("hidden-character", WARNING, values.hidden_character, "a value holds an invisible character"),
)
"""Every lint: the name to cite, how bad it is, the check, and what it says in one line."""

DUPLICATE_TITLE = Lint("duplicate-title", WARNING, lambda _rule: iter(()), "two rules have one title")
"""Found by account.py, which sees all files; here so that the list of lints is whole."""


def lint_names() -> Mapping[str, Lint]:
    """Every lint by name."""
    return {lint.name: lint for lint in (*LINTS, DUPLICATE_TITLE)}


