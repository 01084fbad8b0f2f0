"""What a lint looks at: one document of a rule file, and its lines under their selections.

The document's own data are read, not the compiled rule, because a lint is about how something is written; what it is
read beside (other rules, the fields of somebody's logs) are its Surroundings. What is not shaped like a rule, filter or
correlation gives no Subject; parse.py has said what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from douse.detection.correlation.document import Correlation, parse_correlation
from douse.detection.language.condition import parse_condition
from douse.detection.language.description import withdrawn
from douse.detection.language.documents import Document, Mistake, Node
from douse.detection.language.parse import CompiledRule
from douse.detection.lint.places import Path
from douse.detection.logsource import Nowhere, routes
from douse.detection.reference import All, Any, Not, Selection, Term
from douse.model import LogSource

RULE, FILTER, CORRELATION = "rule", "filter", "correlation"
"""The kinds of a Subject."""

Place = tuple[str, int]
"""A document: the path of its file, and its number there."""

Carried = Mapping[tuple[str, int], frozenset[str]]
"""(channel in lower case, event id) -> the fields that records of it really had."""

_PART = {RULE: "detection", FILTER: "filter", CORRELATION: "correlation"}
_NO_SELECTION = {RULE: ("condition", "timeframe"), FILTER: ("condition", "rules"), CORRELATION: ()}


@dataclass(frozen=True, slots=True)
class Remark:
    """What a check noticed, what to do, and the path of keys and indexes where it stands."""

    message: str
    next_step: str
    path: Path = ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a document is read beside. With none of it, only what a document says by itself is judged.

    `rules` are those that are loaded, by id; `correlations` those that found their rules, and `narrowed` the ids of the
    rules that a filter narrows, both by place.
    """

    carried: Carried = field(default_factory=dict)
    rules: Mapping[str, CompiledRule | Correlation] = field(default_factory=dict)
    correlations: Mapping[Place, Correlation] = field(default_factory=dict)
    narrowed: Mapping[Place, frozenset[str]] = field(default_factory=dict)


ALONE = Surroundings()


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
    """One rule, filter or correlation. `used` and `negated` are the selections its condition names, at all and below an
    odd number of `not`; `used` is None where the condition is not one we read. A correlation has no selections."""

    kind: str
    data: Mapping[str, Node]
    source: LogSource
    selections: Mapping[str, Node]
    used: frozenset[str] | None
    negated: frozenset[str]
    place: Place
    around: Surroundings = ALONE
    correlation: Correlation | None = None
    plain_scalars: list[tuple[Path, str, str]] = field(default_factory=list)
    _known_lines: list[Line] | None = None

    @property
    def part(self) -> str:
        """The key below which the selections stand, or what a correlation asks."""
        return _PART[self.kind]

    def text(self, key: str) -> str:
        """A text of the document, empty where it is missing or not a text."""
        value = self.data.get(key)
        return "" if value is None or isinstance(value, dict | list) else str(value).strip()

    def lines(self) -> list[Line]:
        """Every line of every selection; each lint asks for them."""
        if self._known_lines is None:
            self._known_lines = [line for name, node in self.selections.items()
                                 for line in _lines(name, node, (self.part, name))]
        return self._known_lines

    def event_ids(self) -> frozenset[int]:
        """Every event id that some line asks for."""
        return frozenset(value for line in self.lines() if line.field.lower() == "eventid"
                         for value in line.values if isinstance(value, int))


def subject(document: Document, around: Surroundings = ALONE) -> Subject | None:
    """What a document is about; None for one that its author withdrew, that never fires here, or that is none of the
    three kinds."""
    data = document.data
    if not isinstance(data, dict) or _is_withdrawn(data):
        return None
    if "correlation" in data:
        return _of_correlation(document, data, around)
    kind = FILTER if "filter" in data else RULE
    source, part = data.get("logsource"), data.get(_PART[kind])
    if not isinstance(source, dict) or not isinstance(part, dict):
        return None
    words = [source.get(key) for key in ("product", "category", "service")]
    logs = LogSource(*(word if isinstance(word, str) else "" for word in words))
    if isinstance(routes(logs), Nowhere):
        return None
    selections = {name: node for name, node in part.items() if name not in _NO_SELECTION[kind]}
    used, negated = _asked(part.get("condition"), selections)
    return Subject(kind, data, logs, selections, used, negated, (document.path, document.index), around)


def _is_withdrawn(data: Mapping[str, Node]) -> bool:
    try:
        return bool(withdrawn(data))
    except Mistake:
        return False


def _of_correlation(document: Document, data: dict[str, Node], around: Surroundings) -> Subject | None:
    """A correlation that is well-formed, with its rules where they are known."""
    place = document.path, document.index
    try:
        found = around.correlations.get(place) or parse_correlation(document, data, builtin=False)
    except Mistake:
        return None
    return Subject(CORRELATION, data, LogSource(), {}, None, frozenset(), place, around, found)


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
