"""A YAML data file as sections whose fields are typed and know their line.

YAML itself guesses types (`10:30:00` is a number to it, `no` is false), so nothing is guessed here: a scalar is text
until a loader asks for a number or a truth value. Every complaint is a ContentError with file, line and what to do.
`Section.end` reports the keys nobody asked for, which is how a misspelt key is noticed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import NoReturn

import yaml

from douse.errors import ContentError

_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TRUTH = {"true": True, "false": False}
_GUID = re.compile(r"(\{)?[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?(1)\})")
_OURS = Path(__file__).parent

MAX_BYTES = 4 << 20
MAX_DEPTH = 40
"""Of a file that is not ours: libyaml composes by recursion and ends the process on one that is deep enough."""


class Section:
    """One mapping of a file: its keys, each to be asked for once by type."""

    def __init__(self, file: str, node: yaml.Node, what: str = "the file") -> None:
        self.file, self.line = file, node.start_mark.line + 1
        self._nodes: dict[str, yaml.Node] = {}
        self._asked: set[str] = set()
        if not isinstance(node, yaml.MappingNode):
            self.fail(f"{what} must be a mapping of names to values.")
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ContentError(f"{file}:{key.start_mark.line + 1}", "a name must be plain text.",
                                   "Quote it if it holds brackets.")
            if key.value in self._nodes:
                raise ContentError(f"{file}:{key.start_mark.line + 1}", f"{key.value!r} is given twice.")
            self._nodes[key.value] = value

    @property
    def where(self) -> str:
        """File and line, for an error."""
        return f"{self.file}:{self.line}"

    def fail(self, what: str, next_step: str = "", key: str = "") -> NoReturn:
        """Raise a ContentError at this section, or at one of its keys."""
        line = self._nodes[key].start_mark.line + 1 if key else self.line
        raise ContentError(f"{self.file}:{line}", what, next_step)

    def __contains__(self, key: str) -> bool:
        return key in self._nodes

    def __iter__(self) -> Iterator[str]:
        return iter(self._nodes)

    def keys(self) -> list[str]:
        """All keys in the file's order."""
        return list(self._nodes)

    def _scalar(self, key: str) -> str | None:
        node = self._node(key)
        if node is None:
            return None
        if not isinstance(node, yaml.ScalarNode):
            self.fail(f"{key} must be one value, not a list or mapping.", key=key)
        return str(node.value)

    def _node(self, key: str) -> yaml.Node | None:
        self._asked.add(key)
        return self._nodes.get(key)

    def text(self, key: str, default: str | None = None) -> str:
        """A text; without a default the key must be there."""
        value = self._scalar(key)
        if value is not None:
            return value
        if default is None:
            self.fail(f"{key} is missing.")
        return default

    def choice(self, key: str, words: tuple[str, ...], default: str | None = None) -> str:
        """A text that must be one of some words."""
        value = self.text(key, default)
        if value not in words:
            self.fail(f"{key} must be one of {', '.join(words)}, not {value!r}.", key=key)
        return value

    def number(self, key: str, default: int | None = None) -> int:
        """A whole number, decimal or 0x...; without a default the key must be there."""
        value = self._scalar(key)
        if value is None:
            if default is None:
                self.fail(f"{key} is missing.")
            return default
        try:
            return int(value, 0)
        except ValueError:
            self.fail(f"{key} must be a whole number, not {value!r}.", key=key)

    def guid(self, key: str) -> str:
        """A GUID, with or without braces in the file; without them here, and in the file's case."""
        text = self.text(key)
        if not _GUID.fullmatch(text):
            self.fail(f"{text!r} is no GUID.", "Write it as 01234567-89ab-cdef-0123-456789abcdef.", key=key)
        return text.strip("{}")

    def truth(self, key: str, default: bool) -> bool:
        """A truth value, written true or false."""
        value = self._scalar(key)
        if value is None:
            return default
        if value not in _TRUTH:
            self.fail(f"{key} must be true or false, not {value!r}.", key=key)
        return _TRUTH[value]

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts; empty where the key is missing."""
        node = self._node(key)
        if node is None:
            return ()
        if not isinstance(node, yaml.SequenceNode) or not all(isinstance(item, yaml.ScalarNode) for item in node.value):
            self.fail(f"{key} must be a list of values.", "Write it as [a, b].", key=key)
        return tuple(item.value for item in node.value)

    def texts_of(self, key: str, words: Collection[str]) -> tuple[str, ...]:
        """The same, each of them one of some words."""
        found = self.texts(key)
        unknown = [word for word in found if word not in words]
        if unknown:
            self.fail(f"{key} has {unknown[0]!r}, which is none of {', '.join(words)}.", key=key)
        return found

    def value(self, key: str) -> str | list[str] | None:
        """What a log's field holds: a text, a list of texts, or None for a bare null."""
        node = self._node(key)
        if isinstance(node, yaml.SequenceNode):
            return list(self.texts(key))
        text = self._scalar(key)
        return None if isinstance(node, yaml.ScalarNode) and node.tag == "tag:yaml.org,2002:null" else text

    def section(self, key: str) -> Section | None:
        """A mapping under a key, None where the key is missing."""
        node = self._node(key)
        return None if node is None else Section(self.file, node, key)

    def named(self, key: str) -> dict[str, Section]:
        """A mapping of names to mappings; empty where the key is missing."""
        outer = self.section(key)
        return {} if outer is None else {name: Section(self.file, outer._nodes[name], name) for name in outer._nodes}

    def listed(self, key: str) -> list[Section]:
        """A list of mappings; empty where the key is missing."""
        node = self._node(key)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            self.fail(f"{key} must be a list.", "Start each entry with a dash.", key=key)
        return [Section(self.file, item, f"an entry of {key}") for item in node.value]

    def expect(self, *keys: str) -> None:
        """Keys that are asked for only where they are given; `end` proposes them for a misspelt one."""
        self._asked.update(key for key in keys if key not in self._nodes)

    def end(self) -> None:
        """Complain about the first key nobody asked for."""
        for key in self._nodes:
            if key not in self._asked:
                near = get_close_matches(key, self._asked, 1)
                hint = f"Did you mean {near[0]!r}?" if near else f"Known here: {', '.join(sorted(self._asked))}."
                self.fail(f"unknown key {key!r}.", hint, key=key)


def read(path: Path, shown: str = "") -> Section:
    """The top mapping of a YAML file; `shown` is how errors name the file."""
    name = shown or str(path)
    try:
        if path.is_relative_to(_OURS):
            return _composed(path.read_text(encoding="utf-8"), name)
        return parse(_bounded(path, name), name)
    except (OSError, UnicodeDecodeError) as error:
        raise ContentError(name, f"cannot be read ({error}).") from None


def parse(text: str, name: str) -> Section:
    """The top mapping of a YAML text that is not ours; `name` is how errors name it. The same errors as `read`."""
    return _composed(text, name, _check_depth)


def _composed(text: str, name: str, check: Callable[[str, str], None] | None = None) -> Section:
    try:
        if check is not None:
            check(text, name)
        node = yaml.compose(text, Loader=_Loader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise ContentError(f"{name}:{line}", f"not YAML: {error.problem}.", "Quote special signs.") from None
    except yaml.YAMLError as error:
        raise ContentError(name, f"not YAML: {str(error).splitlines()[0]}.", "Save it as UTF-8 text.") from None
    if node is None:
        raise ContentError(name, "the file is empty.")
    return Section(name, node)


def _bounded(path: Path, name: str) -> str:
    """The text of somebody else's file, if it is not too large to be composed."""
    with path.open("rb") as stream:
        data = stream.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise ContentError(name, f"larger than {MAX_BYTES:,} bytes.", "Split it into several files.")
    return data.decode("utf-8-sig")


def _check_depth(text: str, name: str) -> None:
    """Complain of a text that is too deep to be composed."""
    depth = 0
    for event in yaml.parse(text, Loader=_Loader):
        depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
        if depth > MAX_DEPTH:
            line = event.start_mark.line + 1 if event.start_mark else 1
            raise ContentError(f"{name}:{line}", f"nested deeper than {MAX_DEPTH} levels.",
                               "Flatten it.")
