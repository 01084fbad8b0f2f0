r"""Lints about the values of a rule: wildcards that are none, modifiers that say it better, values in dispute.

Each takes a Subject and yields Remarks; the table is LINTS in lint.py. What a value means is patterns.py's.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from douse.detection.language.patterns import Glob, Wild
from douse.detection.lint.subject import Line, Remark, Subject

_OPENERS = {"contains": (True, True), "startswith": (False, True), "endswith": (True, False)}
_NOT_TEXT = frozenset({"re", "cidr", "exists", "fieldref", "lt", "lte", "gt", "gte", "expand", *(
    "minute", "hour", "day", "week", "month", "year")})
_CASED = frozenset({"re", "cased", "base64", "base64offset"})
"""Words that make two values different which differ in case only."""

_ESCAPED = re.compile(r"(?<=[^\s\\:])\\\*(?=\\|$)")
"""After a name and before a backslash or the end, as in a path; `-Filter \\*` really means a star."""

_IN_A_PATH = re.compile(r"\\[^\\*?]")

_DOUBLE = re.compile(r"(?<!\\)(?:\\\\)*\*\*")
"""Two stars, the first of which is not escaped."""

_OPEN_EXPRESSION = re.compile(r"^\.\*(?!\?)|(?<!\\)\.\*$")
_HIDDEN = frozenset({"Cc", "Cf", "Co", "Zl", "Zp"})
_FLAGS = {"true", "false"}


def _texts(rule: Subject) -> Iterator[tuple[Line, int, str]]:
    """Every value that is compared as text."""
    for line in rule.lines():
        if not _NOT_TEXT & set(line.words):
            yield from ((line, index, value) for index, value in enumerate(line.values) if isinstance(value, str))


def _opened(line: Line) -> tuple[bool, bool]:
    """At which ends the modifiers open the line's values."""
    ends = [_OPENERS[word] for word in line.words if word in _OPENERS]
    return any(start for start, _ in ends), any(end for _, end in ends)


def escaped_wildcard(rule: Subject) -> Iterator[Remark]:
    r"""`\*\` in a path: one backslash makes the star a plain one, so nothing is left open."""
    for line, index, value in _texts(rule):
        if _ESCAPED.search(value) and _IN_A_PATH.search(value):
            yield Remark(rf"in '{value}' a single backslash before * makes it a plain star, so only a path with a star "
                         "in it matches", rf"Write \\* for a backslash and then anything: "
                         f"'{_ESCAPED.sub(lambda _: chr(92) * 2 + '*', value)}'.", line.place(index))


def needless_wildcard(rule: Subject) -> Iterator[Remark]:
    """`contains: '*x*'`: the modifier says it already; likewise `.*` at the end of an expression."""
    for line, index, value in _texts(rule):
        start, end = _opened(line)
        parts = Glob.parse(value).parts
        if len(parts) > 1 and ((start and parts[0] is Wild.ANY) or (end and parts[-1] is Wild.ANY)):
            yield Remark(f"'{value}' has a wildcard at an end that its modifier leaves open already",
                         "Remove the wildcard.", line.place(index))
    for line in rule.lines():
        if "re" not in line.words:
            continue
        for index, expression in enumerate(line.values):
            if isinstance(expression, str) and _OPEN_EXPRESSION.search(expression):
                yield Remark(f"the expression '{_short(expression)}' starts or ends with '.*', and is searched anyway",
                             "Remove it.", line.place(index))


def wildcard_for_modifier(rule: Subject) -> Iterator[Remark]:
    r"""`Image: '*\x.exe'`: `endswith` says the same, is easier to read, and more tools take it."""
    for line, index, value in _texts(rule):
        if not line.field or any(_opened(line)):
            continue
        match Glob.parse(value).parts:
            case (Wild.ANY, str(), Wild.ANY):
                word = "contains"
            case (Wild.ANY, str()):
                word = "endswith"
            case (str(), Wild.ANY):
                word = "startswith"
            case _:
                continue
        yield Remark(f"'{value}' is open at an end by a wildcard", f"Write {line.field}|{word} without the wildcard.",
                     line.place(index))


def empty_value(rule: Subject) -> Iterator[Remark]:
    """`contains: ''` is true of every record that has the field."""
    for line, index, value in _texts(rule):
        if not value and line.field and any(_opened(line)):
            yield Remark(f"an empty text is part of every {line.field}",
                         f"Write {line.field}|exists: true, or remove it.", line.place(index))


def all_of_one(rule: Subject) -> Iterator[Remark]:
    """`contains|all: x`: either values are missing or `all` is too much; other tools refuse it."""
    for line in rule.lines():
        if "all" in line.words and len(line.values) == 1:
            yield Remark("'all' stands with a single value", "Remove 'all', or add the other values.", line.path)


def all_without_contains(rule: Subject) -> Iterator[Remark]:
    """`Field|all: [x, y]`: a field has one value, and that cannot be both."""
    for line in rule.lines():
        texts = {value.casefold() for value in line.values if isinstance(value, str)}
        if (line.field and "all" in line.words and len(texts) == len(line.values) > 1
                and not any(_opened(line)) and not (_NOT_TEXT | {"cased"}) & set(line.words)
                and all(isinstance(part, str) for value in texts for part in Glob.parse(value).parts)):
            yield Remark(f"no {line.field} is all of these values at once", "Write 'contains|all', or remove 'all'.",
                         line.path)


def base64_without_contains(rule: Subject) -> Iterator[Remark]:
    """`base64offset` finds a text inside a longer encoded one, so the field never is exactly that."""
    for line in rule.lines():
        if "base64offset" in line.words and "contains" not in line.words:
            yield Remark("base64offset makes what stands in the middle of an encoded text, and the field would have to "
                         "be exactly that", "Write 'base64offset|contains'.", line.path)


def repeated_modifier(rule: Subject) -> Iterator[Remark]:
    """`contains|contains`: once is enough; base64 twice is an encoding of an encoding."""
    for line in rule.lines():
        for word in sorted({word for word in line.words if line.words.count(word) > 1} - {"base64"}):
            yield Remark(f"the modifier '{word}' is there twice", "Remove one; other tools refuse it.", line.path)


def double_wildcard(rule: Subject) -> Iterator[Remark]:
    """`**` means what `*` does."""
    for line, index, value in _texts(rule):
        if _DOUBLE.search(value):
            yield Remark(f"in '{_short(value)}' two wildcards follow each other", "Remove one.", line.place(index))


def same_value(rule: Subject) -> Iterator[Remark]:
    """A value that is listed twice, also when only its case differs."""
    for line in rule.lines():
        fold = not _CASED & set(line.words)
        seen: set[str] = set()
        for index, value in enumerate(line.values):
            if isinstance(value, dict | list):
                continue
            text = str(value).casefold() if fold else str(value)
            if text in seen:
                yield Remark(f"'{value}' is listed twice", "Remove one.", line.place(index))
            seen.add(text)


def unquoted_number(rule: Subject) -> Iterator[Remark]:
    """`contains: 4`: Douse takes the text "4"; other Sigma tools refuse a number there."""
    for line in rule.lines():
        if not any(_opened(line)):
            continue
        for index, value in enumerate(line.values):
            if isinstance(value, int | float):
                shown = str(value).lower() if isinstance(value, bool) else str(value)
                yield Remark(f"{shown} is no text, and '{line.words[0]}' is about text", f"Quote it: '{shown}'.",
                             line.place(index))


def ambiguous_scalar(rule: Subject) -> Iterator[Remark]:
    """`yes`, `0755`, `12:30`, `2026-11-24` without quotes: YAML 1.1 makes something else of them, Douse the text."""
    read = {(*line.path, index) if line.listed else line.path: value
            for line in rule.lines() for index, value in enumerate(line.values)}
    for path, text, kind in rule.plain_scalars:
        if read.get(path) == text and text.lower() not in _FLAGS and kind != "null":
            yield Remark(f"{text} without quotes is a text to Douse and a value of type {kind} to other tools",
                         f"Quote it: '{text}'.", path)


def hidden_character(rule: Subject) -> Iterator[Remark]:
    """A control, zero-width or bidi character, which an eye does not see and a log hardly ever has."""
    for line in rule.lines():
        for index, value in enumerate(line.values):
            found = sorted(_hidden(value)) if isinstance(value, str) and not value.isprintable() else []
            if found:
                yield Remark(f"a value holds the invisible {', '.join(f'U+{ord(char):04X}' for char in found)}",
                             "Remove it, or write it as an escape in an expression.", line.place(index))


def _hidden(text: str) -> set[str]:
    """The invisible characters of a text; those that join an emoji are no surprise beside one."""
    emoji = any(unicodedata.category(char) == "So" for char in text)
    return {char for char in text if unicodedata.category(char) in _HIDDEN
            and not (emoji and (char == "\u200d" or "\U000e0020" <= char <= "\U000e007f"))}


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
