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

from douse.detection.language.documents import Mistake, Scalar, did_you_mean
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


@dataclass(slots=True)
class Draft:
    """What a line of a selection asks. `values` has, for each value of the rule, its alternatives.

    `part` is the part of a time that is compared in place of the field itself, empty for the field.
    """

    values: list[list[Value]]
    kind: str = "text"
    part: str = ""
    lists: Lists = field(default_factory=lambda: NO_LISTS)
    open_start: bool = False
    open_end: bool = False
    every: bool = False
    negated: bool = False
    cased: bool = False
    flags: set[str] = field(default_factory=set)
    applied: list[str] = field(default_factory=list)

    def each(self, change: Callable[[Value], list[Value]]) -> None:
        """Replace every alternative by those that `change` makes of it."""
        self.values = [[new for old in group for new in change(old)] for group in self.values]


Modifier = Callable[[Draft], None]


def apply(words: list[str], values: list[Scalar], lists: Lists = NO_LISTS) -> Draft:
    """The Draft for a field's values under its modifiers. Raises Mistake, or NoList for a placeholder."""
    draft = Draft([[value] for value in values], lists=lists)
    for word in words:
        if not word:
            raise Mistake("a bar without a modifier", "Write a modifier after '|', or remove the bar.")
        modifier = MODIFIERS.get(word)
        if modifier is None:
            raise Mistake(f"unknown modifier '{word}'", did_you_mean(word, MODIFIERS))
        modifier(draft)
        draft.applied.append(word)
    return draft


def _kind(kind: str) -> Modifier:
    def modifier(draft: Draft) -> None:
        before = set(draft.applied) - {"all", "neq", *(_MAY_PRECEDE.get(kind, ()))}
        if draft.kind not in ("text", "time") or before:
            raise Mistake(f"'{kind}' must be the first modifier, not after '{draft.applied[-1]}'",
                          f"Move '{kind}' to the front, or remove the other.")
        draft.kind = kind

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
        raise Mistake(f"'{word}' cannot follow '{draft.kind}'", f"Remove '{word}'.")


def _every(draft: Draft) -> None:
    draft.every = True


def _neq(draft: Draft) -> None:
    draft.negated = True


def _cased(draft: Draft) -> None:
    _needs(draft, "cased", "text", "fieldref")
    draft.cased = True


def _flag(flag: str) -> Modifier:
    def modifier(draft: Draft) -> None:
        if draft.kind != "re":
            raise Mistake(f"'{flag}' is a flag of 're'", f"Write '|re|{flag}'.")
        draft.flags.add(flag)

    return modifier


def _text(value: Value, word: str) -> str:
    """The value's text, for a word that cannot deal with wildcards."""
    glob = Glob.parse(value) if isinstance(value, str) else value
    if isinstance(glob, int | float) and not isinstance(glob, bool):
        return str(glob)
    if not isinstance(glob, Glob):
        raise Mistake(f"'{word}' needs text, not {_kind_of(value)}", "Quote the value.")
    if glob.text is None:
        raise Mistake(f"'{word}' cannot encode the wildcard in '{glob}'", "Escape it with a backslash, or remove it.")
    return glob.text


def _kind_of(value: Value) -> str:
    if isinstance(value, bytes):
        return "encoded bytes"
    return "null" if value is None else f"'{value}'"


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
    starts, ends = (0, 2, 3), (None, -3, -2)
    return [b64encode(b" " * i + data)[starts[i] : ends[(len(data) + i) % 3]].decode() for i in range(3)]


def _windash(draft: Draft) -> None:
    _needs(draft, "windash", "text")
    draft.each(_dash_variants)


def _dash_variants(value: Value) -> list[Value]:
    """The value with every dash or slash that starts an option written in each of the ways Windows programs accept."""
    glob = Glob.parse(value) if isinstance(value, str) else value
    if not isinstance(glob, Glob):
        raise Mistake(f"'windash' needs text, not {_kind_of(value)}", "Quote the value.")
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
    if draft.kind != "text" or not isinstance(value, str | Glob):
        return [*expanded_text(value, draft.lists, quoted=draft.kind == "re")] if isinstance(value, str) else [value]
    return [*expanded_glob(Glob.parse(value) if isinstance(value, str) else value, draft.lists)]


def _time_part(part: str) -> Modifier:
    def modifier(draft: Draft) -> None:
        _kind("time")(draft)
        draft.part = part

    return modifier


MODIFIERS: Mapping[str, Modifier] = {
    "contains": _open("contains", start=True, end=True),
    "startswith": _open("startswith", start=False, end=True),
    "endswith": _open("endswith", start=True, end=False),
    "all": _every,
    "cased": _cased,
    "neq": _neq,
    "re": _kind("re"),
    "i": _flag("i"),
    "m": _flag("m"),
    "s": _flag("s"),
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
    **{word: _time_part(word) for word in TIME_PARTS},
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
