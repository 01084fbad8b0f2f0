"""The text of a rule file and a path of keys and indexes in, the line where that stands out.

documents.py looks up the line of one error; here many are looked up of a file, also of rules that are put together from
several documents, and the unquoted values are told apart that YAML readers disagree about.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import yaml

Path = tuple[str | int, ...]
"""Keys and indexes from the root of a document."""

MAX_BEFORE = 20
"""Documents with an action before a rule's own in which its parts are looked for; a file with more is nobody's."""

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_STR = "tag:yaml.org,2002:str"


class Places:
    """Where the nodes of a text stand. The text is composed once, and only when there is something to look up.

    `spread` says that rules are put together from several documents, as actions.py does it.
    """

    def __init__(self, text: str, *, spread: bool = False) -> None:
        self._text, self._spread = text, spread
        self._known: list[yaml.Node | None] | None = None
        self._actions: list[str] = []
        self._globals: list[tuple[int, ...]] = []

    def _roots(self) -> list[yaml.Node | None]:
        if self._known is None:
            self._known = list(yaml.compose_all(self._text, Loader=_LOADER))
            self._actions = [_action(root) if self._spread else "" for root in self._known]
            self._globals = list(_globals(self._actions))
        return self._known

    def _documents(self, index: int) -> list[yaml.Node]:
        """The documents that one is put together from, first that which wins where two say something."""
        roots = self._roots()
        if index >= len(roots):
            return []
        repeated = list(self._repeated(index))
        wanted = [*repeated, *self._globals[index]]
        if not repeated:
            wanted.append(index)
        elif (plain := self._plain_before(repeated[-1])) is not None:
            wanted.append(plain)
        return [root for each in wanted if (root := roots[each]) is not None]

    def _repeated(self, index: int) -> Iterator[int]:
        """A repetition and those that it repeats; nothing for another document."""
        for each in range(index, max(index - MAX_BEFORE, -1), -1):
            if self._actions[each] == "repeat":
                yield each
            elif self._actions[each] != "reset":
                return

    def _plain_before(self, first: int) -> int | None:
        """The rule that the first of some repetitions repeats, None where that is a global document."""
        before = next((each for each in range(first - 1, max(first - MAX_BEFORE, -1), -1)
                       if self._actions[each] != "reset"), None)
        return before if before is not None and not self._actions[before] else None

    def line(self, index: int, path: Path) -> int:
        """The line (from 1) of the node at a path in a document, or of its last ancestor that exists."""
        if not path:  # about the whole document, wherever its parts are
            return next((root.start_mark.line + 1 for root in self._roots()[index:index + 1] if root is not None), 1)
        best, line = -1, 1
        for root in self._documents(index):
            depth, found = _follow(root, path)
            if depth > best:
                best, line = depth, found
        return line

    def plain_scalars(self, index: int, part: str) -> list[tuple[Path, str, str]]:
        """The values below a key of a document that are unquoted and no text to YAML 1.1: path, text, YAML's type."""
        found: dict[Path, tuple[Path, str, str]] = {}
        for root in reversed(self._documents(index)):
            for name, _key, value in _children(root):
                if name == part:
                    found.update((scalar[0], scalar) for scalar in _plain(value, (part,)))
        return list(found.values())


def _globals(actions: Iterable[str]) -> Iterator[tuple[int, ...]]:
    """For each document the global ones that count for it, the last first."""
    known: tuple[int, ...] = ()
    for index, action in enumerate(actions):
        yield known
        if action == "global":
            known = (index, *known[:MAX_BEFORE - 1])
        elif action == "reset":
            known = ()


def _action(root: yaml.Node | None) -> str:
    return next((str(value.value) for name, _key, value in _children(root) if name == "action"), "") if root else ""


def _follow(root: yaml.Node, path: Path) -> tuple[int, int]:
    """How many steps of a path there are below a node, and the line (from 1) of the last of them."""
    node, line = root, root.start_mark.line + 1
    for depth, step in enumerate(path):
        found = next(((key, value) for name, key, value in _children(node) if name == step), None)
        if found is None:
            return depth, line
        line, node = found[0].start_mark.line + 1, found[1]
    return len(path), line


def _children(node: yaml.Node) -> Iterator[tuple[str | int, yaml.Node, yaml.Node]]:
    """Name or index of each child, the node that says where it stands, and the child."""
    if isinstance(node, yaml.MappingNode):
        yield from ((key.value, key, value) for key, value in node.value)
    elif isinstance(node, yaml.SequenceNode):
        yield from ((index, value, value) for index, value in enumerate(node.value))


def _plain(node: yaml.Node, path: Path) -> Iterator[tuple[Path, str, str]]:
    if isinstance(node, yaml.ScalarNode):
        if not node.style and node.tag != _STR:
            yield path, node.value, node.tag.rpartition(":")[2]
        return
    for name, _key, child in _children(node):
        yield from _plain(child, (*path, name))
