r"""Placeholders of rules (`%admins%` under the modifier `expand`) and the lists that stand for them.

A user keeps the lists in YAML files, `name: [value, value]`. A value is written as a rule would write it: `*` and `?`
are wildcards in it. In an expression (`re`) it stands for its own characters. A backslash before a placeholder is a
backslash, because paths need one (`\server\%shares%`), as in pySigma; the specification makes it an escape. A rule
whose placeholder has no list must not run, because it would mean something else: it stays idle and says which list is
missing.

Some lists are ours (content/lexicons/), and every rule may name them. A user's list of that name replaces ours, since
only so can a word be taken away; in it, `%name%` alone is an item that stands for ours, which adds to it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import product
from pathlib import Path

from douse.content.lexicons import placeholder_lists
from douse.detection.language.documents import MAX_BYTES, Document, Mistake, Node, read_documents
from douse.detection.language.patterns import Glob
from douse.errors import RuleError

Lists = Mapping[str, tuple[str, ...]]
"""Placeholder name -> the values that stand for it. Names are looked up as written, then without case."""

NO_LISTS: Lists = {}
MAX_VALUES = 20_000
"""The most values that one value of a rule may become."""

_PLACEHOLDER = re.compile(r"%([^%\\\s][^%\\]*)%")


class NoList(Exception):
    """A placeholder has no list, or an empty one: the rule stays idle, with this reason."""


def expanded_glob(glob: Glob, lists: Lists) -> list[Glob]:
    """The value with each placeholder replaced, once for each value of its list."""
    pieces: list[list[Glob]] = []
    for part in glob.parts:
        if isinstance(part, str):
            pieces += [[Glob.literal(text)] if index % 2 == 0 else [Glob.parse(value) for value in _list(text, lists)]
                       for index, text in enumerate(_PLACEHOLDER.split(part))]
        else:
            pieces.append([Glob((part,))])
    _bounded(pieces, str(glob))
    return [Glob.joined(choice) for choice in product(*pieces)]


def expanded_text(text: str, lists: Lists, *, quoted: bool) -> list[str]:
    """The same for a text that is no value: an expression, whose placeholders are quoted, or a network."""
    pieces = [[part] if index % 2 == 0 else [re.escape(value) if quoted else value for value in _list(part, lists)]
              for index, part in enumerate(_PLACEHOLDER.split(text))]
    _bounded(pieces, text)
    return ["".join(choice) for choice in product(*pieces)]


def _bounded(pieces: Sequence[Sequence[object]], shown: str) -> None:
    count = 1
    for piece in pieces:
        count *= len(piece)
    if count > MAX_VALUES:
        raise Mistake(f"the placeholders of '{shown}' would make {count} values", f"Keep it below {MAX_VALUES}.")


def _list(name: str, lists: Lists) -> tuple[str, ...]:
    values = lists.get(name)
    if values is None:
        values = next((found for known, found in lists.items() if known.lower() == name.lower()), None)
    if values is None:
        raise NoList(f"expand: no list is known for the placeholder %{name}%")
    if not values:
        raise NoList(f"expand: the list for the placeholder %{name}% is empty")
    return values


def read_placeholders(*paths: Path) -> dict[str, tuple[str, ...]]:
    """The lists of YAML files; of two with one name the later is used. Raises RuleError with file, line, what to do."""
    lists: dict[str, tuple[str, ...]] = {}
    for path in paths:
        lists.update(_extended(_read(path), lists))
    return lists


def with_ours(lists: Lists) -> Lists:
    """A user's lists and, under the names that he does not use, our own."""
    ours = placeholder_lists()
    theirs = _extended(lists, ours)
    taken = {name.lower() for name in theirs}
    return {**{name: values for name, values in ours.items() if name.lower() not in taken}, **theirs}


def _extended(lists: Lists, earlier: Lists) -> Lists:
    """The lists, with the earlier one of the same name where an item is that name between percent signs."""
    known = {name.lower(): values for name, values in earlier.items()}
    return {name: _with_earlier(name.lower(), values, known) for name, values in lists.items()}


def _with_earlier(name: str, values: tuple[str, ...], known: Lists) -> tuple[str, ...]:
    if name not in known:
        return values
    found = [each for value in values for each in (known[name] if value.lower() == f"%{name}%" else (value,))]
    return tuple(dict.fromkeys(found))


def _read(path: Path) -> dict[str, tuple[str, ...]]:
    try:
        with path.open("rb") as stream:
            text = stream.read(MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        what = f"cannot be read ({error.strerror})."
        raise RuleError(str(path), what, "Check the path and its permissions.") from None
    except UnicodeDecodeError:
        raise RuleError(f"{path}:1", "not UTF-8.", "Save it as UTF-8 text.") from None
    lists: dict[str, tuple[str, ...]] = {}
    for document in read_documents(text, str(path)):
        try:
            lists.update(_lists(document))
        except Mistake as mistake:
            raise document.error(mistake) from None
    return lists


def _lists(document: Document) -> dict[str, tuple[str, ...]]:
    data = document.data
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise Mistake("a file of placeholders holds names with lists", "Write 'name: [value, value]'.")
    return {name.strip().strip("%"): _values(name, node) for name, node in data.items()}


def _values(name: str, node: Node) -> tuple[str, ...]:
    items = node if isinstance(node, list) else [node]
    values = []
    for item in items:
        if isinstance(item, dict | list) or item is None:
            raise Mistake(f"the list of '{name}' holds something that is no value", "Write one text a line.", (name,))
        values.append(str(item).lower() if isinstance(item, bool) else str(item))
    return tuple(values)
