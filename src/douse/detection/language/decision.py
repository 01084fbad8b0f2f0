"""The selections and the condition of a rule's `detection`, or of a filter, in; the one term that they make out.

Both parts are written alike; a filter also lists its rules among its selections, and a rule may have a `timeframe`
left over from older Sigma. The pieces are selection.py and condition.py.
"""

from __future__ import annotations

from collections.abc import Mapping

from douse.detection.language.condition import parse_condition
from douse.detection.language.documents import Mistake, Node, renamed
from douse.detection.language.modifiers import Allowance
from douse.detection.language.placeholders import NO_LISTS, Lists
from douse.detection.language.selection import parse_selection
from douse.detection.reference import Any, Selection, Term

_NO_SELECTION: Mapping[str, tuple[str, ...]] = {
    "detection": ("condition", "timeframe"),
    "filter": ("condition", "rules"),
}


def decision(part: str, detection: Mapping[str, Node], lists: Lists = NO_LISTS) -> Term:
    """The term of the document's part of that name. Raises Mistake, or NoList for a placeholder without a list."""
    selections: dict[str, Selection] = {}
    allowance = Allowance(lists)
    for name, node in detection.items():
        if name not in _NO_SELECTION[part]:
            try:
                selections[name] = parse_selection(name, node, allowance)
            except Mistake as mistake:
                raise mistake.under(part, name) from None
    try:
        return _condition(part, detection, selections)
    except Mistake as mistake:
        raise mistake.under(part, "condition") from None


def _condition(part: str, detection: Mapping[str, Node], selections: Mapping[str, Selection]) -> Term:
    if not selections:
        raise Mistake(f"the {part} has no selection", "Add one, such as 'selection'.")
    node = detection.get("condition")
    if node is None or node == []:
        what = "the condition is empty" if "condition" in detection else f"the {part} has no condition"
        step = f"Write 'condition: {next(iter(selections))}', or what else must hold."
        raise Mistake(what, renamed("condition", detection, step))
    terms = [_one_condition(each, selections) for each in (node if isinstance(node, list) else [node])]
    return terms[0] if len(terms) == 1 else Any(tuple(terms))


def _one_condition(node: Node, selections: Mapping[str, Selection]) -> Term:
    if isinstance(node, dict | list) or node is None:
        raise Mistake("a condition must be text", "Write it in one line.")
    return parse_condition(str(node), selections)
