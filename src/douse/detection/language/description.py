"""What a document says about itself in, a Rule out: title, id, level, status, logsource, tags and what they mean.

Rules, correlations and filters all begin with these lines, so they are read here once. Strict: an unknown level, status
or misspelt tag of ours is a Mistake. A document without an id gets one made of its title and content, so that it stays
the same from run to run. The counterparts are parse.py, correlation.py and filters.py, which read the rest.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import replace

from douse.detection.language.documents import Document, Mistake, Node, did_you_mean, renamed
from douse.detection.language.meaning import meaning
from douse.model import LEVELS, LogSource, Rule

DEFAULT_LEVEL = "low"
STATUSES = ("stable", "test", "experimental", "deprecated", "unsupported")
WITHDRAWN = ("deprecated", "unsupported")
_NAMESPACE = uuid.UUID("5a0a5f5e-6f0f-5c43-9a5c-2f1d5d0f7a11")


def described(document: Document, data: Mapping[str, Node], builtin: bool, *, logs: bool = True) -> Rule:
    """All that a document says about itself; `logs` says that it must name the log it reads, as a rule does."""
    title = text_of(data, "title")
    if not title:
        raise Mistake("the rule has no title", renamed("title", data, "Say in one line what it detects."), ("title",))
    source = logsource_of(data) if logs else LogSource()
    rule = Rule(
        rule_id=text_of(data, "id") or str(uuid.uuid5(_NAMESPACE, f"{title}\n{_content(data)!r}")),
        title=title,
        level=word_of(data, "level", LEVELS, DEFAULT_LEVEL),
        status=word_of(data, "status", STATUSES, ""),
        logsource=source,
        path=document.path,
        description=text_of(data, "description"),
        tags=texts_of(data, "tags"),
        falsepositives=texts_of(data, "falsepositives"),
        references=texts_of(data, "references"),
        builtin=builtin,
        name=text_of(data, "name"),
    )
    said = meaning(rule.tags, source.category, builtin=builtin)
    return replace(rule, techniques=said.techniques, evidence_class=said.evidence_class, store=said.store,
                   fidelity=said.fidelity, stage=said.stage, role=said.role)


def _content(data: Mapping[str, Node]) -> Node:
    """The part that makes a document what it is."""
    return data.get("correlation") or data.get("filter") or data.get("detection")


def withdrawn(data: Mapping[str, Node]) -> str:
    """The reason not to load a document that its author withdrew, empty otherwise."""
    status = text_of(data, "status").lower()
    return f"status {status}" if status in WITHDRAWN else ""


def logsource_of(data: Mapping[str, Node]) -> LogSource:
    """The logsource, which must name at least one of its three words."""
    node = data.get("logsource")
    if not isinstance(node, dict):
        raise no_map("logsource", data)
    source = LogSource(*(text_of(node, key, "logsource") for key in ("product", "category", "service")))
    if not (source.product or source.category or source.service):
        raise Mistake("the logsource names neither product, category nor service",
                      did_you_mean(next(iter(node), ""), ("product", "category", "service")), ("logsource",))
    return source


def no_map(key: str, data: Mapping[str, Node]) -> Mistake:
    """The mistake of a rule whose part is missing, or is there and holds no `name: value` lines."""
    if key in data:
        return Mistake(f"'{key}' must be a map", f"Write indented 'name: value' lines below '{key}:'.", (key,))
    step = renamed(key, data, f"Write one below '{key}:'; docs/sigma.md names what is read.")
    return Mistake(f"the rule has no {key}", step, (key,))


def text_of(data: Mapping[str, Node], key: str, parent: str = "") -> str:
    """A value as text, empty where it is missing or null."""
    value = data.get(key)
    if isinstance(value, dict | list):
        raise Mistake(f"'{key}' must be one text", "Write it in one line.", (parent, key) if parent else (key,))
    return "" if value is None else str(value).strip()


def texts_of(data: Mapping[str, Node], key: str) -> tuple[str, ...]:
    """A value as a list of texts; one text counts as a list of one."""
    value = data.get(key)
    items = value if isinstance(value, list) else [] if value is None else [value]
    if any(isinstance(item, dict | list) for item in items):
        raise Mistake(f"'{key}' must be a list of texts", "Quote an entry that holds a colon.", (key,))
    return tuple(str(item) for item in items if item is not None)


def word_of(data: Mapping[str, Node], key: str, words: Iterable[str], default: str) -> str:
    """One of some words in small letters, or the default where there is none."""
    word = text_of(data, key).lower()
    if word and word not in words:
        raise Mistake(f"unknown {key} '{word}'", did_you_mean(word, words), (key,))
    return word or default
