"""Text of a rule file in, its YAML documents out, as plain dicts and lists of what Sigma means by them.

Why not `yaml.safe_load`: it composes recursively (a deeply nested file ends the process), lets aliases grow without
bound, accepts duplicate keys, and reads `yes`, `0755`, `12:30:45` or a date as something other than the text an analyst
wrote. Here the parser's events are read one by one, with limits, and only true/false, null and numbers that read the
same when written again are more than text: `|contains: 0x14` means those four characters, and where the whole value is
compared, texts that write a number are compared as numbers anyway (patterns.py). The line of an error is looked up when
there is one: see `line_of`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache

import yaml

from douse.errors import RuleError

MAX_BYTES = 1 << 20
MAX_DEPTH = 40
MAX_NODES = 100_000
MAX_MESSAGE = 400

Scalar = str | int | float | bool | None
Node = Scalar | list["Node"] | dict[str, "Node"]

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN: dict[str, Scalar] = {"": None, "~": None}
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]{0,17})")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]{0,17})\.[0-9]{1,17}")
_WORDS: dict[str, Scalar] = {"null": None, "true": True, "false": False}


class Mistake(Exception):
    """Something wrong in a document, at a path of keys and indexes below its root; becomes a RuleError with a line."""

    def __init__(self, what: str, next_step: str = "", path: tuple[str | int, ...] = (), line: int = 0) -> None:
        super().__init__(what)
        self.what, self.next_step, self.path, self.line = what, next_step, path, line

    def under(self, *path: str | int) -> Mistake:
        """The same mistake, its path continued upwards."""
        return Mistake(self.what, self.next_step, (*path, *self.path), self.line)


def written(value: Node) -> str:
    """A value as an error quotes it: text in quotes, null and true as YAML writes them."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else f"'{value}'"


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document of a rule file."""

    path: str
    text: str
    index: int
    data: Node

    def error(self, mistake: Mistake) -> RuleError:
        """The mistake as an error that names file and line."""
        line = mistake.line or line_of(self.text, self.index, mistake.path)
        return RuleError(f"{self.path}:{line}", f"{_in_one_line(mistake.what)}.", mistake.next_step)


def _in_one_line(what: str) -> str:
    """A message that quotes the rule, without its line ends and not as long as a value may be."""
    what = " ".join(what.split())
    return what if len(what) <= MAX_MESSAGE else what[: MAX_MESSAGE - 1] + "…"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """A next step that names the nearest known word, or all of them when none is near."""
    words = sorted(known)
    near = difflib.get_close_matches(word.lower(), words, n=1, cutoff=0.55)  # near enough for regex and re
    if near:
        return f"Did you mean '{near[0]}'?"
    return f"Known: {', '.join(words[:40])}." if words else ""


def renamed(key: str, there: Iterable[str], otherwise: str) -> str:
    """A next step for a key that is missing: rename the one that looks like it, or else what the caller says."""
    near = difflib.get_close_matches(key, [other.lower() for other in there if other != key], n=1, cutoff=0.8)
    found = next((other for other in there if near and other.lower() == near[0]), "")
    return f"Rename '{found}' to '{key}'." if found else otherwise


def read_documents(text: str, path: str) -> Iterator[Document]:
    """The documents of a file in order. Raises RuleError with the line where the YAML is broken or too big."""
    if len(text) > MAX_BYTES:
        raise RuleError(f"{path}:1", f"larger than {MAX_BYTES} bytes.", "Split it into several files.")
    try:
        builder = _Builder(yaml.parse(text, Loader=_LOADER))
        for index, data in enumerate(builder.documents()):
            yield Document(path, text, index, data)
    except Mistake as mistake:
        raise RuleError(f"{path}:{mistake.line or 1}", f"{mistake.what}.", mistake.next_step) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        what = f"not valid YAML: {error.problem}."
        raise RuleError(f"{path}:{line}", what, "Check indentation and quotes.") from None
    except (yaml.YAMLError, UnicodeError) as error:
        raise RuleError(f"{path}:1", f"not readable as YAML: {str(error).splitlines()[0]}.",
                        "Save it as UTF-8 text.") from None


def line_of(text: str, index: int, path: tuple[str | int, ...]) -> int:
    """The line (from 1) of the node at a path of keys and indexes, or of the last ancestor that exists.

    Only for a document that `read_documents` has accepted, whose depth is therefore bounded. The text after it may be
    broken; that is an error of its own.
    """
    try:
        root = _roots(text).at(index)
    except yaml.YAMLError:
        return 1
    return 1 if root is None else _line_below(root, path)


class _Roots:
    """The documents of a text as nodes, composed as far as somebody asked, so that many errors cost as much as one."""

    def __init__(self, text: str) -> None:
        self._source: Iterator[yaml.Node | None] = yaml.compose_all(text, Loader=_LOADER)
        self._known: list[yaml.Node | None] = []

    def at(self, index: int) -> yaml.Node | None:
        """The document of that number; later ones are not touched, as nobody has looked yet how deep they are."""
        while len(self._known) <= index:
            self._known.append(next(self._source, None))
        return self._known[index]


@lru_cache(maxsize=1)
def _roots(text: str) -> _Roots:
    return _Roots(text)


def _line_below(node: yaml.Node, path: tuple[str | int, ...]) -> int:
    line = node.start_mark.line + 1
    for step in path:
        found = _child(node, step)
        if found is None:
            break
        key, node = found
        line = key.start_mark.line + 1
    return line


def _child(node: yaml.Node, step: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
        return (node.value[step], node.value[step]) if step < len(node.value) else None
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value == step:
                return key, value
    return None


class _Builder:
    """Turns parser events into data, counting depth and nodes (an alias counts as all that it stands for)."""

    def __init__(self, events: Iterator[yaml.Event]) -> None:
        self._events = events
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._nodes = 0

    def documents(self) -> Iterator[Node]:
        for event in self._events:
            if isinstance(event, yaml.DocumentStartEvent):
                self._anchors, self._nodes = {}, 0
                yield self._node(next(self._events), 0)

    def _node(self, event: yaml.Event, depth: int) -> Node:
        self._grow(1, event)
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        before = self._nodes
        node: Node
        if isinstance(event, yaml.ScalarEvent):
            node = _scalar(event)
        else:
            if depth >= MAX_DEPTH:
                raise Mistake(f"nested deeper than {MAX_DEPTH} levels", "Flatten it.", line=_line(event))
            node = self._mapping(depth) if isinstance(event, yaml.MappingStartEvent) else self._sequence(depth)
        if anchor := getattr(event, "anchor", None):
            self._anchors[anchor] = node, self._nodes - before
        return node

    def _alias(self, event: yaml.AliasEvent) -> Node:
        if event.anchor not in self._anchors:
            raise Mistake(f"alias *{event.anchor} has no anchor before it", "Write the value out.", line=_line(event))
        node, size = self._anchors[event.anchor]
        self._grow(size, event)
        return node

    def _sequence(self, depth: int) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            items.append(self._node(event, depth + 1))
        return items

    def _mapping(self, depth: int) -> dict[str, Node]:
        items: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise Mistake("a key must be plain text", "Quote it if it holds brackets.", line=_line(event))
            if event.value in items:
                raise Mistake(f"'{event.value}' is there twice", "Merge the two, or give one another name.",
                              line=_line(event))
            if event.value == "<<" and event.implicit[0]:
                raise Mistake("the merge key << is no Sigma", "Write the lines out.", line=_line(event))
            items[event.value] = self._node(next(self._events), depth + 1)
        return items

    def _grow(self, nodes: int, event: yaml.Event) -> None:
        self._nodes += nodes
        if self._nodes > MAX_NODES:
            raise Mistake(f"expands to more than {MAX_NODES} values", "Remove the aliases, or split the file.",
                          line=_line(event))


def _line(event: yaml.Event) -> int:
    return event.start_mark.line + 1 if event.start_mark else 1


def _scalar(event: yaml.ScalarEvent) -> Scalar:
    """A scalar's value; quoted ones and all but a few plain forms are text."""
    text: str = event.value
    if event.tag not in (None, "!", "tag:yaml.org,2002:str"):
        raise Mistake(f"unknown YAML tag {event.tag}", "Remove it.", line=_line(event))
    if not event.implicit[0] or event.tag:
        return text
    if text in _PLAIN:
        return None
    if (word := text.lower()) in _WORDS:
        return _WORDS[word]
    if text[0] in "-0123456789":
        if _INTEGER.fullmatch(text) and str(int(text)) == text:
            return int(text)
        if _FLOAT.fullmatch(text) and str(float(text)) == text:
            return float(text)
    return text
