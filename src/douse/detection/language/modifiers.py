"""The words after a field's bar, `Field|word|word: value`: each changes a Draft of what the line will ask.

Words are applied from left to right. `contains`, `startswith` and `endswith` only note where a value is open, so they
may stand before or after a word that rewrites the values. `re`, `cidr`, `exists`, `fieldref`, the comparisons and the
parts of a time decide what kind of question it is and must come first; a comparison may follow a part of a time. We are
as tolerant as is safe: `contains: 4` is the text "4", and a network with host bits is read as the network it lies in.
The counterpart, selection.py, turns a finished Draft into an Item.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import product

from douse.detection.language.documents import Mistake, Scalar, did_you_mean, written
from douse.detection.language.patterns import Glob
from douse.detection.language.placeholders import NO_LISTS, Lists, expanded_glob, expanded_text

Value = Glob | bytes | Scalar
"""A value of a rule: text becomes a Glob once a word needs to look inside; bytes are text encoded by `wide` and kin."""

DASHES = ("-", "/", "\u2013", "\u2014", "\u2015")
_DASH = re.compile(r"\B[-/]\b")
_MAX_DASHES = 5
TIME_PARTS = ("minute", "hour", "day", "week", "month", "year")
_COMPARISONS = ("lt", "lte", "gt", "gte")
_BOM = b"\xff\xfe"


MAX_MADE = 50_000
"""The most values that the modifiers of one detection may make of those written; in public rules they make hundreds."""


@dataclass(slots=True)
class Allowance:
    """What the lines of one detection share: the lists of placeholders, and how many values they may still make."""

    lists: Lists = field(default_factory=lambda: NO_LISTS)
    left: int = MAX_MADE

    def spend(self, made: int) -> None:
        """Note that one value became so many. Raises Mistake where they grow too many to keep."""
        self.left -= made - 1
        if self.left < 0:
            raise Mistake(f"the modifiers of this rule make more than {MAX_MADE} values", "Make several rules of it.")


@dataclass(slots=True)
class Draft:
    """What a line of a selection asks. `values` has, for each value of the rule, its alternatives.

    `part` is the part of a time that is compared in place of the field itself, empty for the field.
    """

    values: list[list[Value]]
    kind: str = "text"
    part: str = ""
    allowance: Allowance = field(default_factory=Allowance)
    open_start: bool = False
    open_end: bool = False
    every: bool = False
    negated: bool = False
    cased: bool = False
    flags: set[str] = field(default_factory=set)
    applied: list[str] = field(default_factory=list)

    def each(self, change: Callable[[Value], list[Value]]) -> None:
        """Replace every alternative by those that `change` makes of it."""
        self.values = [self._changed(group, change) for group in self.values]

    def _changed(self, group: list[Value], change: Callable[[Value], list[Value]]) -> list[Value]:
        made: list[Value] = []
        for old in group:
            new = change(old)
            self.allowance.spend(len(new))
            made += new
        return made


Modifier = Callable[[Draft], None]


def apply(words: list[str], values: list[Scalar], allowance: Allowance) -> Draft:
    """The Draft for a field's values under its modifiers. Raises Mistake, or NoList for a placeholder."""
    draft = Draft([[value] for value in values], allowance=allowance)
    for word in words:
        if not word:
            raise Mistake("a bar without a modifier", "Write a modifier after '|', or remove the bar.")
        modifier = MODIFIERS.get(word)
        if modifier is None:
            raise Mistake(f"unknown modifier '{word}'", did_you_mean(word, MODIFIERS))
        modifier(draft)
        draft.applied.append(word)
    return draft


def _kind(kind: str, part: str = "") -> Modifier:
    """The word that makes a question of that kind; a part of a time is a word of its own."""
    word = part or kind

    def modifier(draft: Draft) -> None:
        before = [one for one in draft.applied if one not in ("all", "neq", *_MAY_PRECEDE.get(kind, ()))]
        if draft.kind not in ("text", "time") or before:
            raise Mistake(f"'{word}' must be the first modifier, not after '{before[-1]}'",
                          f"Move '{word}' to the front, or remove the other.")
        draft.kind, draft.part = kind, part or draft.part

    return modifier


_MAY_PRECEDE: Mapping[str, tuple[str, ...]] = {"cidr": ("expand",), **dict.fromkeys(_COMPARISONS, TIME_PARTS)}
"""What may stand before a word that decides the kind of question, beside `all` and `neq`."""


def _open(word: str, start: bool, end: bool) -> Modifier:
    def modifier(draft: Draft) -> None:
        _needs(draft, word, "text", "re", "fieldref")
        draft.open_start, draft.open_end = draft.open_start or start, draft.open_end or end

    return modifier


def _needs(draft: Draft, word: str, *kinds: str) -> None:
    if draft.kind not in kinds:
        raise Mistake(f"'{word}' cannot follow '{draft.part or draft.kind}'", f"Remove '{word}'.")


def _every(draft: Draft) -> None:
    draft.every = True


def _neq(draft: Draft) -> None:
    draft.negated = True


def _cased(draft: Draft) -> None:
    _needs(draft, "cased", "text", "fieldref")
    draft.cased = True


def _flag(word: str) -> Modifier:
    """A flag of `re`, by its letter or its long word."""
    def modifier(draft: Draft) -> None:
        if draft.kind != "re":
            raise Mistake(f"'{word}' is a flag of 're'", f"Write '|re|{word}'.")
        draft.flags.add(_FLAGS[word])

    return modifier


_FLAGS: Mapping[str, str] = {"i": "i", "m": "m", "s": "s", "ignorecase": "i", "multiline": "m", "dotall": "s"}
"""A flag and its letter. The long words are pySigma's."""


def _text(value: Value, word: str) -> str:
    """The value's text, for a word that cannot deal with wildcards."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    glob = _glob(value, word)
    if glob.text is None:
        raise Mistake(f"'{word}' cannot encode the wildcard in '{glob}'", "Escape it with a backslash, or remove it.")
    return glob.text


def _glob(value: Value, word: str) -> Glob:
    """The value with its wildcards, for a word about text."""
    if isinstance(value, bytes):
        raise Mistake(f"'{word}' comes after a modifier that has encoded the value already", "Keep one of the two.")
    if isinstance(value, Glob):
        return value
    if not isinstance(value, str):
        raise Mistake(f"'{word}' needs text, not {written(value)}", "Quote the value.")
    return Glob.parse(value)


def _wide(word: str, encoding: str, mark: bytes = b"") -> Modifier:
    def modifier(draft: Draft) -> None:
        _needs(draft, word, "text")
        draft.each(lambda value: [mark + _text(value, word).encode(encoding)])

    return modifier


def _bytes(value: Value, word: str) -> bytes:
    data = value if isinstance(value, bytes) else _text(value, word).encode()
    if not data:
        raise Mistake(f"'{word}' has nothing to encode", "Give a text.")
    return data


def _base64(draft: Draft) -> None:
    _needs(draft, "base64", "text")
    draft.each(lambda value: [Glob.literal(b64encode(_bytes(value, "base64")).decode())])


def _base64offset(draft: Draft) -> None:
    _needs(draft, "base64offset", "text")
    draft.each(lambda value: [Glob.literal(text) for text in _at_offsets(_bytes(value, "base64offset"))])


def _at_offsets(data: bytes) -> list[str]:
    """The part of the base64 text that stays the same whatever precedes and follows: one for each byte offset mod 3."""
    if len(data) < 2:
        raise Mistake("'base64offset' of a single byte is in nearly every text", "Give it two characters or more.")
    starts, ends = (0, 2, 3), (None, -3, -2)
    return [b64encode(b" " * i + data)[starts[i] : ends[(len(data) + i) % 3]].decode() for i in range(3)]


def _windash(draft: Draft) -> None:
    _needs(draft, "windash", "text")
    draft.each(_dash_variants)


def _dash_variants(value: Value) -> list[Value]:
    """The value with every dash or slash that starts an option written in each of the ways Windows programs accept."""
    glob = _glob(value, "windash")
    pieces = [_DASH.split(part) if isinstance(part, str) else [part] for part in glob.parts]
    dashes = sum(len(piece) - 1 for piece in pieces)
    if dashes > _MAX_DASHES:
        raise Mistake(f"'windash' with {dashes} dashes in '{glob}' would make {len(DASHES) ** dashes} values",
                      f"Split it so that each value has at most {_MAX_DASHES}, with '|all'.")
    return [_with_dashes(glob, choice) for choice in product(DASHES, repeat=dashes)]


def _with_dashes(glob: Glob, choice: tuple[str, ...]) -> Glob:
    chosen = iter(choice)
    return Glob(tuple(_DASH.sub(lambda _: next(chosen), part) if isinstance(part, str) else part
                      for part in glob.parts))


def _expand(draft: Draft) -> None:
    _needs(draft, "expand", "text", "re", "cidr")
    draft.each(lambda value: _expanded(value, draft))


def _expanded(value: Value, draft: Draft) -> list[Value]:
    """The value once for each choice from the lists of its placeholders; a value without one stays as it is."""
    lists = draft.allowance.lists
    if draft.kind != "text" or not isinstance(value, str | Glob):
        return [*expanded_text(value, lists, quoted=draft.kind == "re")] if isinstance(value, str) else [value]
    return [*expanded_glob(Glob.parse(value) if isinstance(value, str) else value, lists)]


MODIFIERS: Mapping[str, Modifier] = {
    "contains": _open("contains", start=True, end=True),
    "startswith": _open("startswith", start=False, end=True),
    "endswith": _open("endswith", start=True, end=False),
    "all": _every,
    "cased": _cased,
    "neq": _neq,
    "re": _kind("re"),
    **{word: _flag(word) for word in _FLAGS},
    "cidr": _kind("cidr"),
    "exists": _kind("exists"),
    "fieldref": _kind("fieldref"),
    "lt": _kind("lt"),
    "lte": _kind("lte"),
    "gt": _kind("gt"),
    "gte": _kind("gte"),
    "base64": _base64,
    "base64offset": _base64offset,
    "wide": _wide("wide", "utf-16-le"),
    "utf16le": _wide("utf16le", "utf-16-le"),
    "utf16be": _wide("utf16be", "utf-16-be"),
    "utf16": _wide("utf16", "utf-16-le", _BOM),
    "windash": _windash,
    "expand": _expand,
    **{word: _kind("time", word) for word in TIME_PARTS},
}


def finished_text(value: Value, draft: Draft) -> Glob | None:
    """A text question's value as it will be compared: open where the words said; None stands for null."""
    if value is None:
        if draft.open_start or draft.open_end:
            raise Mistake("null cannot be part of a text", "Give null its own line without a modifier.")
        return None
    if isinstance(value, bytes):
        glob = Glob.literal(_decoded(value))
    elif isinstance(value, bool):
        glob = Glob.literal("true" if value else "false")
    else:
        glob = value if isinstance(value, Glob) else Glob.parse(str(value))
    return glob.opened(draft.open_start, draft.open_end)


def _decoded(data: bytes) -> str:
    """Wide text as it stands in a field that was not meant to hold it: a NUL beside each ASCII character."""
    try:
        return ("\ufeff" if data.startswith(_BOM) else "") + data.removeprefix(_BOM).decode()
    except UnicodeDecodeError:
        raise Mistake("'wide' without base64 works for ASCII only", "Add 'base64offset', or use plain text.") from None
