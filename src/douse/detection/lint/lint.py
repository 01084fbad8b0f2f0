"""The text of a rule file in, Findings out: what is no mistake but will probably not do what its author meant.

A document that cannot be loaded is an error of parse.py and is not linted. Everything here loads, so a finding changes
nothing that matches. LINTS is the table: name, severity, check, kinds of documents; a check yields Remarks, and the
line is looked up here. What the checks look at is a Subject. The checks are in metadata.py, values.py, fields.py,
filters.py and correlations.py.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from douse.detection.language.actions import merged
from douse.detection.language.documents import Document, read_documents
from douse.detection.language.parse import parse_document
from douse.detection.lint import correlations, fields, filters, metadata, values
from douse.detection.lint.places import Places
from douse.detection.lint.subject import (
    ALONE,
    CORRELATION,
    FILTER,
    RULE,
    Remark,
    Subject,
    Surroundings,
    subject,
)
from douse.errors import RuleError

NOTE, WARNING = "note", "warning"
SEVERITIES = (NOTE, WARNING)
"""A note: it works, and could be written better or has a limit. A warning: it probably misses or drops something."""

MAX_REMARKS = 100
"""The most that one lint says of one document: more is noise, and telling all of a hostile file could take minutes."""


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
    """One line of LINTS: the name to cite, how bad it is, the check, what it says, and which kinds of documents."""

    name: str
    severity: str
    check: Callable[[Subject], Iterator[Remark]]
    says: str
    kinds: tuple[str, ...] = (RULE,)


def lint_text(text: str, path: str, around: Surroundings = ALONE, *, broken: bool = False) -> Iterator[Finding]:
    """The findings of every document in a file; none for a file that is broken, withdrawn or not for Windows.

    `around` is what the documents are read beside. `broken` says that some document of the file may not load, which is
    asked of each then.
    """
    try:
        documents = list(read_documents(text, path))
        whole = [document for document in merged(documents) if isinstance(document, Document)]
    except RuleError:
        return
    spread = any(isinstance(document.data, dict) and "action" in document.data for document in documents)
    places: Places | None = None
    told: set[tuple[str, str, str]] = set()
    for document in whole:
        if (found := subject(document, around)) is None or (broken and _does_not_load(document)):
            continue
        places = places or Places(text, spread=spread)
        found.plain_scalars = places.plain_scalars(document.index, found.part)
        for finding in _findings(found, places):
            key = finding.name, finding.where, finding.message
            if key not in told:  # what rules have in common stands in one place
                told.add(key)
                yield finding


def _does_not_load(document: Document) -> bool:
    return isinstance(parse_document(document), RuleError)


def _findings(rule: Subject, places: Places) -> Iterator[Finding]:
    path, index = rule.place
    for lint in LINTS:
        if rule.kind in lint.kinds:
            for remark in islice(lint.check(rule), MAX_REMARKS):
                where = f"{path}:{places.line(index, remark.path)}"
                yield Finding(lint.name, lint.severity, where, rule.text("id"), rule.text("title"),
                              f"{remark.message}.", remark.next_step)


_SELECTING = (RULE, FILTER)
_ALERTING = (RULE, CORRELATION)
_ALL = (RULE, FILTER, CORRELATION)
_JOINING = (CORRELATION,)

LINTS = (
    Lint("no-id", WARNING, metadata.identity, "the id is missing, or is no UUID", _ALERTING),
    Lint("no-level", WARNING, metadata.missing("level", "It counts as low; write the level that an alert should have."),
         "the level is missing and counts as low"),
    Lint("no-status", NOTE, metadata.missing("status", "Write experimental, test or stable."), "the status is missing",
         _ALERTING),
    Lint("no-description", NOTE, metadata.missing("description", "Say what it finds and what it misses."),
         "the description is missing", _ALL),
    Lint("date", NOTE, metadata.dates, "date or modified is no date, or they are the wrong way round", _ALL),
    Lint("tag", NOTE, metadata.tags, "a tag is malformed, doubled, or nearly one that means something", _ALL),
    Lint("misspelt-key", WARNING, metadata.misspelt_key, "a key is nearly, but not quite, one of Sigma's", _ALL),
    Lint("misplaced-key", WARNING, metadata.misplaced_key, "a key stands where it is not read", _ALL),
    Lint("ignored-timeframe", WARNING, metadata.ignored_timeframe, "a timeframe without an aggregation does nothing"),
    Lint("unused-selection", WARNING, metadata.unused, "a selection is in no condition", _SELECTING),
    Lint("them-of-one", NOTE, metadata.of_one, "the condition says 'of them' and there is one selection", _SELECTING),
    Lint("unknown-field", WARNING, fields.unknown_field, "no record of the log source has the field", _SELECTING),
    Lint("blind-filter", NOTE, fields.blind_filter, "some of the records lack a field that a filter asks for",
         _SELECTING),
    Lint("use-category", NOTE, fields.use_category, "an event id is spelt out that a category stands for"),
    Lint("escaped-wildcard", WARNING, values.escaped_wildcard, "a backslash makes a star a plain character",
         _SELECTING),
    Lint("needless-wildcard", NOTE, values.needless_wildcard, "a wildcard where the modifier opens the value",
         _SELECTING),
    Lint("double-wildcard", NOTE, values.double_wildcard, "two stars follow each other", _SELECTING),
    Lint("wildcard-for-modifier", NOTE, values.wildcard_for_modifier, "wildcards do what a modifier says", _SELECTING),
    Lint("empty-value", WARNING, values.empty_value, "an empty text that is part of every value", _SELECTING),
    Lint("all-of-one", WARNING, values.all_of_one, "the modifier all with a single value", _SELECTING),
    Lint("all-without-contains", WARNING, values.all_without_contains,
         "a field would have to be several values at once", _SELECTING),
    Lint("base64-without-contains", WARNING, values.base64_without_contains,
         "base64offset is about the middle of a text, and the whole field is compared", _SELECTING),
    Lint("repeated-modifier", NOTE, values.repeated_modifier, "a modifier is there twice", _SELECTING),
    Lint("same-value", NOTE, values.same_value, "a value is listed twice", _SELECTING),
    Lint("unquoted-number", WARNING, values.unquoted_number, "a number where other tools demand text", _SELECTING),
    Lint("ambiguous-scalar", WARNING, values.ambiguous_scalar, "YAML readers disagree on an unquoted value",
         _SELECTING),
    Lint("hidden-character", WARNING, values.hidden_character, "a value holds an invisible character", _SELECTING),
    Lint("filter-keeps", WARNING, filters.keeps_only, "a filter without 'not' keeps only what it describes", (FILTER,)),
    Lint("filter-of-nothing", WARNING, filters.narrows_nothing, "a filter narrows no loaded rule", (FILTER,)),
    Lint("unknown-group-field", WARNING, correlations.unknown_group_field,
         "no record of a correlation's rule has a field that it groups by or counts", _JOINING),
    Lint("blind-group-field", NOTE, correlations.blind_group_field,
         "some records of a correlation's rule lack a field that it groups by or counts", _JOINING),
    Lint("no-group-by", NOTE, correlations.no_group, "a correlation joins the events of all hosts", _JOINING),
    Lint("unused-alias", WARNING, correlations.unused_alias, "nothing groups by an alias or counts it", _JOINING),
    Lint("half-alias", WARNING, correlations.half_alias, "an alias has no field for one of the rules", _JOINING),
    Lint("long-timespan", NOTE, correlations.long_timespan, "a timespan of more than a month", _JOINING),
    Lint("never-met", WARNING, correlations.never_met, "no window can meet the condition", _JOINING),
    Lint("always-met", WARNING, correlations.always_met, "every match alone meets the condition", _JOINING),
    Lint("counts-its-group", WARNING, correlations.counts_its_group, "value_count counts what it groups by", _JOINING),
    Lint("hides-stronger", WARNING, correlations.hides_stronger,
         "a correlation hides a rule of a higher level than its own", _JOINING),
)
"""Every lint that looks at one document."""

DUPLICATE_TITLE = Lint("duplicate-title", WARNING, lambda _rule: iter(()), "two rules have one title", _ALERTING)
DUPLICATE_FILE = Lint("duplicate-file", NOTE, lambda _rule: iter(()), "two rule files have one name", _ALL)
"""Found by account.py, which sees all files; here so that the list of lints is whole."""


def lint_names() -> Mapping[str, Lint]:
    """Every lint by name."""
    return {lint.name: lint for lint in (*LINTS, DUPLICATE_TITLE, DUPLICATE_FILE)}
