"""A selection of a rule in (map, list of maps, list of words), the term that it stands for out.

A map is an AND of its lines, a list of maps an OR of ANDs, and words without a field are keywords, searched in every
value of the event (decoded, so that a backslash or a quote needs no thought). A line with `neq` is true when its field
is missing, as `not` is. What a line asks is made in texts.py and questions.py.
"""

from __future__ import annotations

from collections.abc import Callable

from douse.detection.language.documents import Mistake, Node, Scalar
from douse.detection.language.modifiers import Allowance, apply
from douse.detection.language.questions import other_item
from douse.detection.language.texts import text_item
from douse.detection.reference import All, Any, Item, Selection, Term


def parse_selection(name: str, node: Node, allowance: Allowance) -> Selection:
    """The term of one named selection. Raises Mistake with the path of the line that is wrong, below the selection."""
    return Selection(name, _term(node, allowance))


def _term(node: Node, allowance: Allowance) -> Term:
    if isinstance(node, dict):
        return _one_or(All, [_line(key, value, allowance) for key, value in _some(node).items()])
    if isinstance(node, list):
        return _list(node, allowance)
    if node is None:
        raise Mistake("the selection is empty", "Give it a field, or remove it.")
    return _keywords([node])


def _some(node: dict[str, Node]) -> dict[str, Node]:
    if not node:
        raise Mistake("the selection is empty", "Give it a field, or remove it.")
    return node


def _list(nodes: list[Node], allowance: Allowance) -> Term:
    """An OR: of maps, of keywords, or of both."""
    if not nodes:
        raise Mistake("the selection is empty", "Give it a field, or remove it.")
    if not any(isinstance(node, dict | list) for node in nodes):
        return _keywords([node for node in nodes if not isinstance(node, dict | list)])
    terms = []
    for index, node in enumerate(nodes):
        try:
            terms.append(_term(node, allowance))
        except Mistake as mistake:
            raise mistake.under(index) from None
    return _one_or(Any, terms)


def _one_or(join: Callable[[tuple[Term, ...]], Term], terms: list[Term]) -> Term:
    return terms[0] if len(terms) == 1 else join(tuple(terms))


def _keywords(values: list[Scalar]) -> Term:
    return _item("", [], values, Allowance())


def _line(key: str, node: Node, allowance: Allowance) -> Item:
    """One `Field|modifiers: value or values`."""
    field, *words = key.split("|")
    try:
        if isinstance(node, dict):
            raise Mistake(f"'{key}' has a map as its value", "Give it one value or a list of values.")
        values = node if isinstance(node, list) else [node]
        plain = [value for value in values if not isinstance(value, dict | list)]
        if len(plain) < len(values):
            raise Mistake(f"'{key}' has a list inside its list", "Write one flat list.")
        return _item(_name(field), [word.strip().lower() for word in words], plain or [None], allowance)
    except Mistake as mistake:
        where = f" on {field}" if field and mistake.what.startswith("unknown modifier") else ""
        raise Mistake(mistake.what + where, mistake.next_step, (key, *mistake.path), mistake.line) from None


def _name(field: str) -> str:
    """A field's name as an event has it: `Threat Name` lost its blank when the record was read."""
    return "".join(field.split())


def _item(field: str, words: list[str], values: list[Scalar], allowance: Allowance) -> Item:
    draft = apply(words, values, allowance)
    return text_item(field, draft) if draft.kind == "text" else other_item(field, draft)
