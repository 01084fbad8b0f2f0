"""A rule file's text in; a compiled rule, a filter, a correlation, a reason or an error for each document out.

Strict where silence would mislead (unknown modifier, level, status, a condition naming nothing: RuleError with file,
line and what to do), tolerant where the meaning is plain. A document that is no Sigma rule, or one that its author
withdrew, is Skipped; one that asks for what Windows logs or Douse do not have is a rule that stays idle, with a reason.
The pieces are documents.py (YAML), actions.py (rules spread over documents), description.py, decision.py, logsource.py;
filters and correlations refer to other rules, so they are finished when all rules are read (linking.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from douse.detection.correlation.document import Correlation, parse_correlation
from douse.detection.language.actions import merged
from douse.detection.language.decision import decision
from douse.detection.language.description import described, no_map, withdrawn
from douse.detection.language.documents import Document, Mistake, Node, read_documents
from douse.detection.language.filters import Filter, parse_filter
from douse.detection.language.placeholders import NO_LISTS, Lists, NoList
from douse.detection.logsource import Nowhere, Route, narrowed, routes
from douse.detection.needs import lacking
from douse.detection.reference import Term
from douse.errors import RuleError
from douse.model import Rule


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to be asked. An idle one has no term and no routes, but a reason."""

    rule: Rule
    term: Term | None
    routes: tuple[Route, ...]
    idle: str = ""
    detection: Mapping[str, Node] | None = None
    """What the term was made of, for the cache."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that is not loaded and not broken: no rule, or withdrawn by its author."""

    path: str
    reason: str


Outcome = CompiledRule | Filter | Correlation | Skipped | RuleError


def parse_rules(text: str, path: str, *, builtin: bool = False, lists: Lists = NO_LISTS) -> Iterator[Outcome]:
    """What each document of a rule file turned out to be; a broken one does not stop the others after it."""
    try:
        for document in merged(read_documents(text, path)):
            if isinstance(document, RuleError):
                yield document
            else:
                yield parse_document(document, builtin=builtin, lists=lists)
    except RuleError as error:
        yield error


def parse_document(document: Document, *, builtin: bool = False, lists: Lists = NO_LISTS) -> Outcome:
    """One document: a rule, a filter, a correlation, a reason to skip it, or what is wrong with it."""
    data = document.data
    if not isinstance(data, dict) or not data.keys() & {"detection", "logsource", "correlation", "filter"}:
        return Skipped(document.path, "no Sigma rule")
    try:
        if reason := withdrawn(data):
            return Skipped(document.path, reason)
        _one_part(data)
        if "correlation" in data:
            return parse_correlation(document, data, builtin)
        if "filter" in data:
            return parse_filter(document, data, lists)
        return _rule(document, data, builtin, lists)
    except Mistake as mistake:
        return document.error(mistake)


def _one_part(data: Mapping[str, Node]) -> None:
    """A document is a rule, a correlation or a filter: of two parts one would silently say nothing."""
    parts = [part for part in ("correlation", "filter", "detection") if part in data]
    if len(parts) > 1:
        raise Mistake(f"the document has both '{parts[0]}' and '{parts[1]}'",
                      "Give each a document of its own, with '---' between them.", (parts[1],))


def _rule(document: Document, data: Mapping[str, Node], builtin: bool, lists: Lists) -> CompiledRule:
    rule = described(document, data, builtin)
    detection = data.get("detection")
    if not isinstance(detection, dict):
        raise no_map("detection", data)
    try:
        term = decision("detection", detection, lists)
    except NoList as reason:
        return CompiledRule(rule, None, (), str(reason))
    found = routes(rule.logsource)
    if isinstance(found, Nowhere):
        return CompiledRule(rule, None, (), found.reason)
    narrow = narrowed(found, term.event_ids())
    if not narrow:
        return CompiledRule(rule, None, (), f"its event ids are never in the logsource {rule.logsource}")
    if missing := lacking(term, narrow):
        what = "fields" if missing[1:] else "a field"
        return CompiledRule(rule, None, (), f"it needs {' and '.join(missing)}, {what} that no record it reads has")
    return CompiledRule(rule, term, narrow, detection=detection)
