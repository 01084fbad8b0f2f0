"""XML from strangers: bytes in, elements out; and questions to elements that do not ask for their namespace.

A DTD is refused, and with it every entity (a bomb, or a file or address that the parser would fetch). The bytes are
decoded first (texts.py), because Windows' tools and PowerShell often write a declaration that is not true of the bytes.
Namespaces are ignored, because a report of Group Policy numbers their prefixes as it goes (q1, q2, ...).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element, ParseError, TreeBuilder  # nothing of it parses

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser

from douse.errors import EvidenceError
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence

MAX_DEPTH = 200
"""Of elements in each other; a GPO report has some 15."""
MAX_ELEMENTS = 1_000_000
"""Of one file; the report of a domain with 500 policies has some 300,000."""

_DECLARATION = re.compile(r"\s*<\?xml[^>]*\?>")
_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


def parse(file: EvidenceFile, evidence: Evidence) -> Element:
    """The root element of a file. Raises EvidenceError with the line where it is no XML, or not safe."""
    return parse_text(texts.read(file, evidence), file.shown)


def parse_text(text: str, where: str) -> Element:
    """The root element of a text; the same errors."""
    body = _DECLARATION.sub(_blank, text.lstrip("\ufeff"), count=1)
    parser = DefusedXMLParser(forbid_dtd=True, target=_Bounded())
    try:
        parser.feed(body)
        root: Element = parser.close()
        return root
    except DefusedXmlException:
        raise EvidenceError(
            f"{where}:{parser.parser.CurrentLineNumber}",
            "this XML has a document type or entities, which no export of Windows has.",
            "It may be an attack on whoever reads it; export it again from the machine itself.") from None
    except (ParseError, _TooMuch, ValueError) as error:  # ValueError: text that no encoding can hold
        line = error.position[0] if isinstance(error, ParseError) else parser.parser.CurrentLineNumber
        reason = str(error)
        raise EvidenceError(f"{where}:{line}", f"this is no sound XML: {reason}.", "Export it again.") from None


def name_of(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def type_of(element: Element) -> str:
    """Its `xsi:type` without a prefix, "" for none."""
    return element.get(_TYPE, "").rpartition(":")[2]


def children(element: Element, name: str) -> Iterator[Element]:
    """Its children of a name."""
    return (child for child in element if name_of(child) == name)


def child(element: Element | None, *names: str) -> Element | None:
    """The first child of a name, and of that one the first child of the next name, and so on."""
    for name in names:
        if element is None:
            return None
        element = next(children(element, name), None)
    return element


def text(element: Element | None, *names: str) -> str:
    """The text of the element that `child` finds, without blanks around it; "" where there is none."""
    found = child(element, *names)
    return (found.text or "").strip() if found is not None else ""


def below(element: Element, name: str) -> Iterator[Element]:
    """All elements of a name under it, in order."""
    return (one for one in element.iter() if name_of(one) == name)


class _TooMuch(Exception):
    """There are too many elements, or they lie too deep in each other."""


class _Bounded:
    """Builds elements like the library's own builder, up to a depth."""

    def __init__(self) -> None:
        self._builder = TreeBuilder()
        self._depth, self._count = 0, 0

    def start(self, tag: str, attributes: dict[str, str]) -> Element:
        self._depth, self._count = self._depth + 1, self._count + 1
        if self._depth > MAX_DEPTH:
            raise _TooMuch(f"elements lie more than {MAX_DEPTH} deep in each other")
        if self._count > MAX_ELEMENTS:
            raise _TooMuch(f"there are more than {MAX_ELEMENTS} elements")
        return self._builder.start(tag, attributes)

    def end(self, tag: str) -> Element:
        self._depth -= 1
        return self._builder.end(tag)

    def data(self, data: str) -> None:
        self._builder.data(data)

    def close(self) -> Element:
        return self._builder.close()


def _blank(found: re.Match[str]) -> str:
    """The declaration's line ends, so that line numbers stay those of the file."""
    return "\n" * found[0].count("\n")
