"""What a lint looks at: one rule of a file, its lines under their selections, and where each stands in the text.

The rule's own data are read, not the compiled rule, because a lint is about how something is written. What is not
shaped like a rule gives no Subject; parse.py has said what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import yaml

from douse.detection.language.condition import parse_condition
from douse.detection.language.documents import Document, Mistake, Node
from douse.detection.reference import All, Any, Not, Selection, Term
from douse.model import LogSource

Path = tuple[str | int, ...]
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR = "tag:yaml.org,2002:str"
_NO_SELECTION = ("condition", "timeframe")


@dataclass(frozen=True, slots=True)
class Remark:
    """What a check noticed, what to do, and the path of keys and indexes where it stands."""

    message: str
    next_step: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Line:
    """One `Field|modifiers: values` of a selection; the field is empty for keywords. `listed`: values are a list."""

    selection: str
    path: Path
    field: str
    words: tuple[str, ...]
    values: tuple[Node, ...]
    listed: bool

    def place(self, index: int) -> Path:
        """The path of one of the values."""
        return (*self.path, index) if self.listed else self.path


@dataclass(slots=True)
class Subject:
    """One rule. `used` and `negated` are the selections its condition names, at all and below an odd number of `not`;
    None where the condition is not one we read."""

    data: Mapping[str, Node]
    source: LogSource
    selections: Mapping[str, Node]
    used: frozenset[str] | None
    negated: frozenset[str]
    carried: Mapping[tuple[str, int], frozenset[str]]
    plain_scalars: list[tuple[Path, str, str]] = field(default_factory=list)

    def text(self, key: str) -> str:
        """A text of the rule, empty where it is missing or not a text."""
        value = self.data.get(key)
        return "" if value is None or isinstance(value, dict | list) else str(value).strip()

    def lines(self) -> Iterator[Line]:
        """Every line of every selection."""
        for name, node in self.selections.items():
            yield from _lines(name, node, ("detection", name))

    def event_ids(self) -> frozenset[int]:
        """Every event id that some line asks for."""
        return frozenset(value for line in self.lines() if line.field.lower() == "eventid"
                         for value in line.values if isinstance(value, int))


def subject(document: Document, carried: Mapping[tuple[str, int], frozenset[str]]) -> Subject | None:
    """The rule of a document, None where it has no log source or detection that could be looked at."""
    data = document.data
    if not isinstance(data, dict):
        return None
    source, detection = data.get("logsource"), data.get("detection")
    if not isinstance(source, dict) or not isinstance(detection, dict) or "filter" in data:
        return None
    words = [source.get(key) for key in ("product", "category", "service")]
    selections = {name: node for name, node in detection.items() if name not in _NO_SELECTION}
    used, negated = _asked(detection.get("condition"), selections)
    return Subject(data, LogSource(*(str(word) if isinstance(word, str) else "" for word in words)), selections, used,
                   negated, carried)


def _lines(selection: str, node: Node, path: Path) -> Iterator[Line]:
    if isinstance(node, dict):
        for key, value in node.items():
            name, *words = key.split("|")
            values = tuple(value) if isinstance(value, list) else (value,)
            yield Line(selection, (*path, key), "".join(name.split()), tuple(word.strip().lower() for word in words),
                       values, isinstance(value, list))
    elif isinstance(node, list):
        for index, inner in enumerate(node):
            yield from _lines(selection, inner, (*path, index))
    else:
        yield Line(selection, path, "", (), (node,), False)


def _asked(condition: Node, selections: Mapping[str, Node]) -> tuple[frozenset[str] | None, frozenset[str]]:
    """The selections a condition names: all of them, and those below an odd number of `not`."""
    stands_in: dict[str, Selection] = {name: Selection(name, All(())) for name in selections}
    used: set[str] = set()
    negated: set[str] = set()
    try:
        for text in condition if isinstance(condition, list) else [condition]:
            for name, odd in _named(parse_condition(str(text), stands_in), odd=False):
                used.add(name)
                if odd:
                    negated.add(name)
    except Mistake:
        return None, frozenset()
    return frozenset(used), frozenset(negated)


def _named(term: Term, *, odd: bool) -> Iterator[tuple[str, bool]]:
    match term:
        case Selection(name=name):
            yield name, odd
        case Not(term=inner):
            yield from _named(inner, odd=not odd)
        case All(terms=terms) | Any(terms=terms):
            for one in terms:
                yield from _named(one, odd=odd)


class Places:
    """Where the nodes of a text stand. The text is composed once, and only when there is something to look up."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._roots: list[yaml.Node | None] | None = None

    def _root(self, index: int) -> yaml.Node | None:
        if self._roots is None:
            self._roots = list(yaml.compose_all(self._text, Loader=_LOADER))
        return self._roots[index] if index < len(self._roots) else None

    def line(self, index: int, path: Path) -> int:
        """The line (from 1) of the node at a path in a document, or of its last ancestor that exists."""
        node = self._root(index)
        if node is None:
            return 1
        line = node.start_mark.line + 1
        for step in path:
            found = next(((key, value) for name, key, value in _children(node) if name == step), None)
            if found is None:
                break
            line, node = found[0].start_mark.line + 1, found[1]
        return line

    def plain_scalars(self, index: int) -> list[tuple[Path, str, str]]:
        """The values of a document's detection that are unquoted and no text to YAML 1.1: path, text, YAML's type."""
        root = self._root(index)
        found: list[tuple[Path, str, str]] = []
        for name, _key, value in _children(root) if root is not None else ():
            if name == "detection":
                _plain(value, ("detection",), found)
        return found


def _children(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node, yaml.Node]]:
    """Name or index of each child, the node that says where it stands, and the child."""
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, key, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((index, value, value) for index, value in enumerate(node.value))


def _plain(node: yaml.Node, path: Path, found: list[tuple[Path, str, str]]) -> None:
    if isinstance(node, yaml.ScalarNode):
        if not node.style and node.tag != _STR:
            found.append((path, node.value, node.tag.rpartition(":")[2]))
        return
    for name, _key, child in _children(node):
        _plain(child, (*path, name), found)
