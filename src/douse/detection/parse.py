"""A document of a rule file in, a compiled rule out: what it says of itself, what it reads, the term that decides.

Strict where silence would mislead (unknown modifier, level, status, a condition naming nothing: RuleError with file,
line and what to do), tolerant where the meaning is plain. A document that is no Sigma rule, or one that its author
withdrew, is Skipped; one that asks for what Windows logs or Douse do not have is a rule that stays idle, with a reason.
The pieces are documents.py (YAML), selection.py, condition.py, logsource.py and meaning.py (tags).
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from douse.detection.condition import parse_condition
from douse.detection.documents import Document, Mistake, Node, did_you_mean, read_documents
from douse.detection.logsource import Nowhere, Route, narrowed, routes
from douse.detection.meaning import meaning
from douse.detection.modifiers import NotYet
from douse.detection.reference import Any, Selection, Term
from douse.detection.selection import parse_selection
from douse.errors import RuleError
from douse.model import LEVELS, LogSource, Rule

DEFAULT_LEVEL = "low"
STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")
WITHDRAWN = ("deprecated", "unsupported")
_NO_SELECTION = ("condition", "timeframe")
_NAMESPACE = uuid.UUID("5a0a5f5e-6f0f-5c43-9a5c-2f1d5d0f7a11")


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to be asked. An idle one has no term and no routes, but a reason."""

    rule: Rule
    term: Term | None
    routes: tuple[Route, ...]
    idle: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A document that is not loaded and not broken: no rule, not supported as a kind, or withdrawn by its author."""

    path: str
    reason: str


Outcome = CompiledRule | Skipped | RuleError


def parse_rules(text: str, path: str, *, builtin: bool = False) -> Iterator[Outcome]:
    """What each document of a rule file turned out to be; a broken one does not stop the others after it."""
    try:
        for document in read_documents(text, path):
            yield parse_document(document, builtin=builtin)
    except RuleError as error:
        yield error


def parse_document(document: Document, *, builtin: bool = False) -> Outcome:
    """One document: a rule, a reason to skip it, or what is wrong with it."""
    data = document.data
    if not isinstance(data, dict):
        return Skipped(document.path, "no Sigma rule")
    try:
        reason = _no_rule(data)
        return Skipped(document.path, reason) if reason else _rule(document, data, builtin)
    except Mistake as mistake:
        return document.error(mistake)


def _no_rule(data: Mapping[str, Node]) -> str:
    """Why a mapping is not to be loaded as a rule, empty when it is."""
    if "correlation" in data:
        return "correlation: not supported yet"
    if "filter" in data:
        return "filter: not supported yet"
    if "action" in data:
        raise Mistake("'action' (a rule spread over several documents) is not supported yet",
                      "Write each rule out in full.", ("action",))
    if "detection" not in data and "logsource" not in data:
        return "no Sigma rule"
    status = _text(data, "status").lower()
    return f"status {status}" if status in WITHDRAWN else ""


def _rule(document: Document, data: dict[str, Node], builtin: bool) -> CompiledRule:
    rule = _described(document, data, builtin)
    detection = data.get("detection")
    if not isinstance(detection, dict):
        raise _no_map("detection", data)
    try:
        term = _decision(detection)
    except NotYet as reason:
        return CompiledRule(rule, None, (), str(reason))
    found = routes(rule.logsource)
    if isinstance(found, Nowhere):
        return CompiledRule(rule, None, (), found.reason)
    narrow = narrowed(found, term.event_ids())
    if not narrow:
        return CompiledRule(rule, None, (), f"its event ids are never in the logsource {rule.logsource}")
    return CompiledRule(rule, term, narrow)


def _described(document: Document, data: dict[str, Node], builtin: bool) -> Rule:
    """All that a rule says about itself."""
    title = _text(data, "title")
    if not title:
        raise Mistake("the rule has no title", did_you_mean("title", data), ("title",))
    source = _logsource(data)
    rule = Rule(
        rule_id=_text(data, "id") or str(uuid.uuid5(_NAMESPACE, f"{title}\n{data.get('detection')!r}")),
        title=title,
        level=_word(data, "level", LEVELS, DEFAULT_LEVEL),
        status=_word(data, "status", STATUSES, ""),
        logsource=source,
        path=document.path,
        description=_text(data, "description"),
        tags=_texts(data, "tags"),
        falsepositives=_texts(data, "falsepositives"),
        references=_texts(data, "references"),
        builtin=builtin,
    )
    said = meaning(rule.tags, source.category, builtin=builtin)
    return replace(rule, techniques=said.techniques, evidence_class=said.evidence_class, store=said.store,
                   fidelity=said.fidelity, stage=said.stage, role=said.role)


def _logsource(data: Mapping[str, Node]) -> LogSource:
    node = data.get("logsource")
    if not isinstance(node, dict):
        raise _no_map("logsource", data)
    source = LogSource(*(_text(node, key, "logsource") for key in ("product", "category", "service")))
    if not (source.product or source.category or source.service):
        raise Mistake("the logsource names neither product, category nor service",
                      did_you_mean(next(iter(node), ""), ("product", "category", "service")), ("logsource",))
    return source


def _no_map(key: str, data: Mapping[str, Node]) -> Mistake:
    """The mistake of a rule whose part is missing, or is there and holds no `name: value` lines."""
    if key in data:
        return Mistake(f"'{key}' must be a map", f"Write indented 'name: value' lines below '{key}:'.", (key,))
    return Mistake(f"the rule has no {key}", did_you_mean(key, data), (key,))


def _text(data: Mapping[str, Node], key: str, parent: str = "") -> str:
    """A value as text, empty where it is missing or null."""
    value = data.get(key)
    if isinstance(value, dict | list):
        raise Mistake(f"'{key}' must be one text", "Write it in one line.", (parent, key) if parent else (key,))
    return "" if value is None else str(value).strip()


def _texts(data: Mapping[str, Node], key: str) -> tuple[str, ...]:
    """A value as a list of texts; one text counts as a list of one."""
    value = data.get(key)
    items = value if isinstance(value, list) else [] if value is None else [value]
    if any(isinstance(item, dict | list) for item in items):
        raise Mistake(f"'{key}' must be a list of texts", "Quote an entry that holds a colon.", (key,))
    return tuple(str(item) for item in items if item is not None)


def _word(data: Mapping[str, Node], key: str, words: Iterable[str], default: str) -> str:
    word = _text(data, key).lower()
    if word and word not in words:
        raise Mistake(f"unknown {key} '{word}'", did_you_mean(word, words), (key,))
    return word or default


def _decision(detection: dict[str, Node]) -> Term:
    """The term that the selections and the condition make."""
    selections: dict[str, Selection] = {}
    for name, node in detection.items():
        if name not in _NO_SELECTION:
            try:
                selections[name] = parse_selection(name, node)
            except Mistake as mistake:
                raise mistake.under("detection", name) from None
    try:
        return _condition(detection, selections)
    except Mistake as mistake:
        raise mistake.under("detection", "condition") from None


def _condition(detection: dict[str, Node], selections: Mapping[str, Selection]) -> Term:
    if not selections:
        raise Mistake("the detection has no selection", "Add one, such as 'selection'.")
    node = detection.get("condition")
    if node is None or node == []:
        raise Mistake("the detection has no condition", did_you_mean("condition", detection))
    terms = [_one_condition(each, selections) for each in (node if isinstance(node, list) else [node])]
    return terms[0] if len(terms) == 1 else Any(tuple(terms))


def _one_condition(node: Node, selections: Mapping[str, Selection]) -> Term:
    if isinstance(node, dict | list) or node is None:
        raise Mistake("a condition must be text", "Write it in one line.")
    return parse_condition(str(node), selections)
