"""An event as a rule sees it: fields by Sigma's names, as text, also where another log calls them differently.

A view never changes its event. It adds the names of a logsource's aliases (`Image` on a Security 4688) and keeps each
field's text and folded text, so that a thousand rules fold a command line once. The hashes inside Sysmon's `Hashes` are
fields of the event already (telemetry/fields.py). The counterpart is patterns.py, which folds the rule's side.

What a field can be: None (absent or null), a text (also empty), or a tuple of texts, of which any may match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol

from douse.model import Event, Value

Texts = str | tuple[str, ...] | None


class Alias(Protocol):
    """Where a log that is not Sysmon's keeps a field of Sigma, and how it writes it."""

    def present(self, event: Event) -> bool:
        """Whether the event has what the alias is made of."""

    def value(self, event: Event) -> Value:
        """The field's value as Sysmon would write it."""


Aliases = Mapping[str, Alias]
"""Sigma field name in lower case -> alias. An alias wins over a field of that name in the record: on a Security 4688,
`ProcessId` is the creator's, so a process_creation rule that asks for `ProcessId` must get `NewProcessId`."""

NO_ALIASES: Aliases = {}


def as_texts(value: Value) -> Texts:
    """A field's value as text: booleans in lower case, numbers in decimal, an empty list as nothing."""
    if isinstance(value, str) or value is None:
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return tuple(text for item in value if isinstance(text := as_texts(item), str)) or None
    return str(value)


def shown(texts: Texts) -> str:
    """A field's texts as one, to be shown or kept: several are joined, null is empty."""
    if texts is None:
        return ""
    return texts if isinstance(texts, str) else ", ".join(texts)


def one_text(value: Value) -> str:
    """A field's value as one text."""
    return shown(as_texts(value))


class View:
    """An event under a logsource's aliases. `raw[name]` and `folded[name]` are a field's text; both fill on demand."""

    __slots__ = ("event", "folded", "raw")

    def __init__(self, event: Event, aliases: Aliases = NO_ALIASES) -> None:
        self.event = event
        self.raw = _Raw(event, aliases)
        self.folded = _Folded(self.raw)

    def has(self, name: str) -> bool:
        """Whether the field is there, even empty or null, under its own name or that of its alias."""
        return self.event.has(name) or self.raw.has_alias(name)

    def everything(self) -> Iterator[tuple[str, str]]:
        """Every text of the record with its field's name, for keywords. Aliases would only repeat them."""
        for name, value in self.event.fields.items():
            texts = as_texts(value)
            if isinstance(texts, str):
                yield name, texts
            elif texts:
                yield from ((name, text) for text in texts)


class _Raw(dict[str, Texts]):
    """Field name -> text as the log has it. Fills itself, so that a second question costs one look-up."""

    __slots__ = ("_aliases", "_event")

    def __init__(self, event: Event, aliases: Aliases) -> None:
        super().__init__()
        self._event, self._aliases = event, aliases

    def __missing__(self, name: str) -> Texts:
        texts = self[name] = as_texts(self._value(name))
        return texts

    def _value(self, name: str) -> Value:
        alias = self._alias(name)
        return self._event.get(name) if alias is None else alias.value(self._event)

    def has_alias(self, name: str) -> bool:
        return self._alias(name) is not None

    def _alias(self, name: str) -> Alias | None:
        """What the field is made of in this log, None where the record has no such field."""
        alias = self._aliases.get(name.lower()) if self._aliases else None
        return alias if alias is not None and alias.present(self._event) else None


class _Folded(dict[str, Texts]):
    """Field name -> text folded for comparing without case."""

    __slots__ = ("_raw",)

    def __init__(self, raw: _Raw) -> None:
        super().__init__()
        self._raw = raw

    def __missing__(self, name: str) -> Texts:
        texts = self._raw[name]
        if isinstance(texts, str):
            folded: Texts = texts.casefold()
        else:
            folded = None if texts is None else tuple(text.casefold() for text in texts)
        self[name] = folded
        return folded
