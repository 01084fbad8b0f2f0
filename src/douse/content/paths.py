r"""Patterns of Windows paths and registry keys, and one automaton that says which of them a path in a log fits.

    table.add(r"%LOCALAPPDATA%\Google\Chrome\User Data\<profile>\Login Data", value)
    table.hits(r"C:\Users\anna\AppData\...\Login Data") -> Hit(value, place, {"profile": "Default"}, ...)

A pattern is a root (ROOTS, a hive, or `**` for anywhere) and components; case never matters. In a component `*` is any
text and `<name>` is text that is reported under that name; the component `**` is any number of components, also none.
`{a,b}` writes several patterns at once. How a log may write a path is places.py's matter; here, besides, what a
packaged app keeps below `LocalCache` is where Windows shows it to the app.

The automaton reads a path once, component by component; the states it is in at the same time are few, however many
patterns there are and whatever the path is. Measured with 1,900 paths spelt out: 4 microseconds for a path that no
pattern resembles, which is nearly every path of a log, 30 to 50 for one that is read. Used by stores.py for stores and
for the programs that own them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Generic, NamedTuple, TypeVar

from ahocorasick_rs import AhoCorasick

from douse.content.places import HKCU, HKLM, USER, Place, place_of

V = TypeVar("V")

ROOTS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "%USERPROFILE%": ((USER,),),
    "%LOCALAPPDATA%": ((USER, "appdata", "local"),),
    "%APPDATA%": ((USER, "appdata", "roaming"),),
    "%PROGRAMDATA%": (("programdata",),),
    "%PROGRAMFILES%": (("program files",), ("program files (x86)",)),
    "%SYSTEMROOT%": (("windows",),),
    "HKCU": ((HKCU,),),
    "HKLM": ((HKLM,),),
    "**": (("**",),),
}
MAX_NAME = 255
"""Characters of the longest name of a file, a folder or a key."""

_PACKAGES = (USER, "appdata", "local", "packages")
_WILD = re.compile(r"(\*|<[a-z]+>)")
_GAPS = re.compile(r"\\\*\*|\*|<[a-z]+>")
_SUFFIX = re.compile(r"\*\.[^.*<]+")
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)  # in braces, as COM writes it
_NAMED: Mapping[str, str] = {"extension": "[a-p]{32}"}
"""What a `<name>` may be where not every text will do: the id of a Chromium extension."""


@dataclass(frozen=True, slots=True)
class Hit(Generic[V]):
    """A pattern that a path fits: what was stored with it, and what its wildcards with a name stand for."""

    value: V
    place: Place
    named: Mapping[str, str]
    rank: tuple[int, int]


class PatternError(ValueError):
    """A pattern is not written as this module reads it."""


def expanded(pattern: str) -> list[str]:
    """The patterns that one with braces stands for; braces are not nested. Raises PatternError."""
    head, brace, rest = pattern.partition("{")
    if not brace:
        if "}" in head:
            raise PatternError(f"{pattern!r} closes a brace that is not open")
        return [pattern]
    inner, brace, tail = rest.partition("}")
    if not brace or "{" in inner:
        raise PatternError(f"{pattern!r} has a brace that is not closed")
    choices = ["{" + inner + "}"] if _GUID.fullmatch(inner) else inner.split(",")
    return [f"{head}{choice}{more}" for choice in choices for more in expanded(tail)]


def spelt_out(pattern: str) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    """Root and further components, in lower case, of every path that a pattern stands for. Raises PatternError."""
    found: list[tuple[tuple[str, ...], tuple[str, ...]]] = []
    for one in expanded(pattern):
        root, *rest = one.split("\\")
        starts = ROOTS.get(root.upper())
        if starts is None:
            raise PatternError(f"{one!r} begins with none of {', '.join(ROOTS)}")
        if not all(rest) or not rest:
            raise PatternError(f"{one!r} has an empty component")
        found += [(start, tuple(name.lower() for name in rest)) for start in starts]
    return found


class _Branch(NamedTuple, Generic[V]):
    """A component with a wildcard: how it begins and ends, all its pieces, and the state after it."""

    start: str
    end: str
    pieces: tuple[str, ...]
    beyond: _Node[V]


@dataclass(slots=True, eq=False)
class _Node(Generic[V]):
    """A state: what may come next, by name, suffix (`*.kdbx`) or expression. `loops` marks that of a `**`: it stays."""

    loops: bool = False
    after: dict[str, _Node[V]] = field(default_factory=dict)
    suffixes: dict[str, _Node[V]] = field(default_factory=dict)
    branches: dict[str, _Branch[V]] = field(default_factory=dict)
    deep: _Node[V] | None = None
    ends: list[tuple[tuple[int, int], V]] = field(default_factory=list)


_State = tuple[_Node[V], tuple[tuple[str, str], ...]]


class PathTable(Generic[V]):
    """Patterns, each with a value."""

    def __init__(self) -> None:
        self._root: _Node[V] = _Node()
        self._added = 0
        self._telling: set[str] = set()
        self._find: AhoCorasick | None = None

    def add(self, pattern: str, value: V) -> None:
        """Add a pattern and all that its braces stand for. Raises PatternError."""
        for start, rest in spelt_out(pattern):
            self._added += 1
            self._find = None
            node = self._root
            for name in (*start, *rest):
                node = _next(node, name)
            self._telling.add(_longest_run(rest))
            node.ends.append(((sum(map(_letters, (*start, *rest))), -self._added), value))

    def hits(self, path: str) -> Iterator[Hit[V]]:
        """Every pattern that the path fits, in no order. Nearly no path of a log holds any pattern's longest run."""
        place = place_of(path)
        if place is None or not self._resembles(place):
            return
        found = False
        for hit in self._fitting(place, place):
            found = True
            yield hit
        if not found and _is_packaged(place.keys):
            yield from self._fitting(Place((USER, "AppData", *place.names[6:]), place.user, place.drive), place)

    def _resembles(self, place: Place) -> bool:
        """Whether the path holds the longest run of any pattern, or half a character, which cannot be searched."""
        if self._find is None:
            self._find = AhoCorasick(sorted(self._telling))
        try:
            return bool(self._find.find_matches_as_indexes("\\" + "\\".join(place.keys)))
        except UnicodeEncodeError:
            return True

    def _fitting(self, shown: Place, place: Place) -> Iterator[Hit[V]]:
        states = _closed({id(self._root): (self._root, ())})
        for name, key in zip(shown.names, shown.keys, strict=True):
            if not states:
                return
            states = _closed(_step(states, name, key))
        for node, named in states.values():
            for rank, value in node.ends:
                yield Hit(value, place, dict(named), rank)


def _longest_run(names: Sequence[str]) -> str:
    """The longest text that every path of a pattern has, its root apart, because that is everywhere."""
    return max(_GAPS.split("\\" + "\\".join(names)), key=len)


def _is_packaged(keys: tuple[str, ...]) -> bool:
    """Whether a path is a packaged app's own copy of a folder in AppData."""
    return keys[:4] == _PACKAGES and keys[5:6] == ("localcache",) and keys[6:7] in (("local",), ("roaming",))


@cache
def _letters(name: str) -> int:
    """How many characters of a component are no wildcard."""
    return len(_WILD.sub("", name))


def _next(node: _Node[V], name: str) -> _Node[V]:
    """The state after one component of a pattern, made if need be."""
    if (known := node.after.get(name)) is not None:
        return known
    if name == "**":
        node.deep = node.deep or _Node(loops=True)
        return node.deep
    if _SUFFIX.fullmatch(name):
        return node.suffixes.setdefault(name[1:], _Node())
    if _WILD.search(name):
        if name not in node.branches:
            pieces = tuple(_WILD.split(name))
            node.branches[name] = _Branch(pieces[0], pieces[-1], pieces, _Node())
        return node.branches[name].beyond
    return node.after.setdefault(name, _Node())


@cache
def _expression(pieces: tuple[str, ...]) -> re.Pattern[str]:
    """The expression for a component, made when a name first begins and ends like it: few ever do."""
    asked = (".*" if piece == "*" else f"(?P<{piece[1:-1]}>{_NAMED.get(piece[1:-1], '.+')})" if piece[:1] == "<"
             else re.escape(piece) for piece in pieces)
    return re.compile("".join(asked), re.DOTALL)


def _step(states: Mapping[int, _State[V]], name: str, key: str) -> dict[int, _State[V]]:
    """The states after one component of a path. A wildcard is asked only of what can be a name."""
    following: dict[int, _State[V]] = {}
    suffix = key[max(key.rfind("."), 0):]
    for node, named in states.values():
        if node.loops:
            following.setdefault(id(node), (node, named))
        for child in (node.after.get(key), node.suffixes.get(suffix) if node.suffixes else None):
            if child is not None:
                following.setdefault(id(child), (child, named))
        for start, end, pieces, beyond in node.branches.values() if len(key) <= MAX_NAME else ():
            if key.startswith(start) and key.endswith(end) and (fits := _expression(pieces).fullmatch(key)) is not None:
                shown = name if len(name) == len(key) else key
                caught = tuple((word, shown[slice(*fits.span(word))]) for word in fits.groupdict())
                following.setdefault(id(beyond), (beyond, (*named, *caught)))
    return following


def _closed(states: dict[int, _State[V]]) -> dict[int, _State[V]]:
    """The states with those that a `**` reaches without a component."""
    for node, named in list(states.values()):
        if node.deep is not None:
            states.setdefault(id(node.deep), (node.deep, named))
    return states
