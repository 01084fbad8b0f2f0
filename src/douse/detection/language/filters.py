"""A Sigma filter in: which rules it narrows, and the condition that must then hold as well.

The filter's condition is added to each rule it names with `and`, as it stands, which is what the reference
implementation does (the specification does not say): to leave something out, a filter says `condition: not
selection`. It applies to the rules listed under `rules` by id or name, or to all (`any`), as far as its logsource
covers theirs, and to our own rules as to any other. A filter that cannot do what it says is an error and not silence:
what it was to hide would be shown, and nobody would know why. linking.py applies it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from douse.detection.language.decision import decision
from douse.detection.language.description import logsource_of, no_map, text_of
from douse.detection.language.documents import Document, Mistake, Node, renamed
from douse.detection.language.placeholders import Lists, NoList
from douse.detection.reference import Term
from douse.model import LogSource


@dataclass(frozen=True, slots=True)
class Filter:
    """A filter ready to be applied; `references` are ids or names of rules, None stands for all."""

    title: str
    document: Document
    logsource: LogSource
    references: tuple[str, ...] | None
    term: Term

    def covers(self, source: LogSource) -> bool:
        """Whether each word that the filter's logsource has is that of the rule's."""
        return all(mine.lower() in ("", theirs.lower()) for mine, theirs in (
            (self.logsource.product, source.product),
            (self.logsource.category, source.category),
            (self.logsource.service, source.service),
        ))


def parse_filter(document: Document, data: Mapping[str, Node], lists: Lists) -> Filter:
    """The filter of a document. Raises Mistake."""
    title = text_of(data, "title")
    if not title:
        step = renamed("title", data, "Say in one line what it leaves out.")
        raise Mistake("the filter has no title", step, ("title",))
    part = data.get("filter")
    if not isinstance(part, dict):
        raise no_map("filter", data)
    source = logsource_of(data)
    references = _references(part)
    try:
        term = decision("filter", part, lists)
    except NoList as reason:
        raise Mistake(str(reason), "Add the list, or remove the filter.", ("filter",)) from None
    return Filter(title, document, source, references, term)


def _references(part: Mapping[str, Node]) -> tuple[str, ...] | None:
    node = part.get("rules")
    if "rules" not in part:
        step = renamed("rules", part, "Add 'rules: any', or a list of ids or names.")
        raise Mistake("the filter does not say which rules it is for", step, ("filter",))
    if node == [] or (isinstance(node, str) and node.strip().lower() == "any"):
        return None
    items = node if isinstance(node, list) else [node]
    if any(isinstance(item, dict | list) or item is None for item in items):
        raise Mistake("'rules' must be 'any', or ids or names of rules", "Write a list of texts.", ("filter", "rules"))
    return tuple(str(item).strip() for item in items)
