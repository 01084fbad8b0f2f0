"""One `<Event>` element: its text in, the same nested mapping out that the EVTX and JSON readers give to fields.py.

The text begins at `<Event`, so a document type definition is never part of it: an entity is undefined, an entity bomb
cannot be set up, and expat fetches nothing. Two things keep the values equal to those of the log the XML was made from:
- A carriage return inside a value, which XML would turn into a line feed, is kept.
- Windows and the `evtx` library write control characters as they are, which XML forbids. They are carried past the
  parser in disguise and come out unharmed.
Namespaces are dropped, prefixes too. Other than Message, RenderingInfo is not looked at (fields.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final
from xml.etree import ElementTree

_PIECES: Final = 1 << 20
_FORBIDDEN: Final = (*range(9), 11, 12, *range(14, 32), 0xFFFE, 0xFFFF)
"""What XML 1.0 allows neither as it is nor as a reference; half a surrogate pair, which no text has, apart."""
_REFERENCE: Final = re.compile(r"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")
_DISGUISES: Final = range(0xE000, 0xF8C0, len(_FORBIDDEN))
"""Where in Unicode's private area a run of characters begins of which the text may hold none."""
_MAX_DEPTH: Final = 50

Restore = Callable[[str], str]


def parse_event(text: str) -> Mapping[str, Any] | None:
    """What the element's children say, by their names (`System`, `EventData`, ...); None where it is no such XML."""
    restore: Restore | None = None
    try:
        root = _parsed(text)
    except (ElementTree.ParseError, UnicodeEncodeError):
        text, restore = _disguised(text)
        if restore is None:
            return None
        try:
            root = _parsed(text)
        except (ElementTree.ParseError, UnicodeEncodeError):
            return None
    return None if _is_mixed(root) else _children(root, restore)


def _parsed(text: str) -> ElementTree.Element:
    parser = ElementTree.XMLParser()  # noqa: S314 - no document type definition reaches it, see above
    text = _with_carriage_returns(text)
    for start in range(0, len(text), _PIECES):  # a broken element of 60 MB fails early
        parser.feed(text[start:start + _PIECES])
    root: ElementTree.Element = parser.close()
    return root


def _with_carriage_returns(text: str) -> str:
    """Carriage returns in the text of elements as references, so that the parser keeps them."""
    if "\r" not in text or "<![CDATA[" in text:
        return text
    parts = text.split("<")
    for number, part in enumerate(parts):
        if "\r" in part:
            tag, closed, content = part.partition(">")
            parts[number] = tag + closed + content.replace("\r", "&#13;")
    return "<".join(parts)


def _disguised(text: str) -> tuple[str, Restore | None]:
    """The text with its forbidden characters in disguise, and how to undo that; None where it cannot be done."""
    text = text.encode("utf-8", "replace").decode()  # half a surrogate pair becomes "?", as in JSON
    held = set(text)
    free = (start for start in _DISGUISES if not held.intersection(map(chr, range(start, start + len(_FORBIDDEN)))))
    start = next(free, None)
    if start is None:
        return text, None
    to = dict(zip(_FORBIDDEN, range(start, start + len(_FORBIDDEN)), strict=True))
    back = {disguise: character for character, disguise in to.items()}

    def referred(found: re.Match[str]) -> str:
        number = int(found[1], 16) if found[1] else int(found[2])
        return "?" if 0xD800 <= number <= 0xDFFF else chr(to[number]) if number in to else found[0]

    return _REFERENCE.sub(referred, text.translate(to)), lambda value: value.translate(back)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2] if tag[:1] == "{" else tag


def _is_mixed(element: ElementTree.Element) -> bool:
    """Whether text stands beside elements, as where a part of a record was overwritten."""
    before = bool(len(element) and element.text and element.text.strip())
    return before or any(child.tail and child.tail.strip() for child in element)


def _children(root: ElementTree.Element, restore: Restore | None) -> dict[str, Any] | None:
    """The sections of an event; System's values are None where they are empty, those of the data empty texts.

    None where a section comes twice or is mixed with text: then an end and a beginning between two records are gone.
    """
    sections: dict[str, Any] = {}
    for section in root:
        name = _local(section.tag)
        if name in sections or _is_mixed(section):
            return None
        if name == "EventData":
            sections[name] = _event_data(section, restore)
        else:
            sections[name] = _mapping(section, restore, None if name == "System" else "", 0)
    return sections


def _event_data(section: ElementTree.Element, restore: Restore | None) -> dict[str, Any]:
    data: dict[str, Any] = {}
    repeated: dict[str, int] = {}
    unnamed: list[str] = []
    for element in section:
        name = element.get("Name") if len(element.attrib) else None
        if name is None and _local(element.tag) == "Data" and not len(element):
            unnamed.append(_text(element, restore) or "")
        else:
            value = _text(element, restore) or "" if not len(element) else _mapping(element, restore, "", 1)
            _add(data, _restored(name or _local(element.tag), restore), value, repeated)
    if unnamed:
        data["Data"] = unnamed
    return data


def _mapping(element: ElementTree.Element, restore: Restore | None, empty: str | None, depth: int) -> Any:
    """An element as evtx_dump would nest it: a text, or a mapping of its attributes and children."""
    if not len(element) and not element.attrib:
        return _text(element, restore) or (empty if depth else {})
    value: dict[str, Any] = {}
    if element.attrib:
        value["#attributes"] = {_local(name): _restored(text, restore) for name, text in element.attrib.items()}
        if depth and (text := _text(element, restore)):
            value["#text"] = text
    repeated: dict[str, int] = {}
    if depth < _MAX_DEPTH:
        for child in element:
            _add(value, _local(child.tag), _mapping(child, restore, empty, depth + 1), repeated)
    return value


def _add(value: dict[str, Any], name: str, child: Any, repeated: dict[str, int]) -> None:
    """Put a child in its place; a second one of the same name is `Name_1`, as the EVTX reader calls it."""
    if name in value:
        repeated[name] = number = repeated.get(name, 0) + 1
        name = f"{name}_{number}"
    value.setdefault(name, child)


def _text(element: ElementTree.Element, restore: Restore | None) -> str:
    """An element's text; a line break and blanks behind it are the indentation of an empty element."""
    text = element.text or ""
    if text[:1] == "\n" and len(text) > 1 and not text.strip():
        return ""
    return text if restore is None else restore(text)


def _restored(text: str, restore: Restore | None) -> str:
    return text if restore is None else restore(text)
