"""XML of policies: bytes or text from a stranger in, an element out; and back, the same bytes each time.

Parsed by defusedxml, so that a document with a DTD is refused before it can say anything (entity bombs, external
entities). Written by xml.etree; what XML 1.0 cannot hold is a ContentError instead of a broken file.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from xml.etree.ElementTree import Element

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from douse.errors import ContentError, EvidenceError

MAX_BYTES = 8 << 20
"""Of one policy, the elements of which may need fifty times as much memory; the largest that Microsoft publishes, the
block list of drivers, has less than half."""

_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def parse_xml(data: bytes | str, where: str) -> Element:
    """The root of a document; EvidenceError where it is none, holds a DTD or is too large."""
    if len(data) > MAX_BYTES:
        raise EvidenceError(where, f"is larger than any policy ({len(data):,} bytes).", "It was left out.")
    try:
        root: Element = fromstring(data.lstrip("\ufeff \t\r\n") if isinstance(data, str) else data, forbid_dtd=True)
    except DefusedXmlException as error:
        raise EvidenceError(where, f"is XML with a DTD or entities, which no policy has ({type(error).__name__}).",
                            "It was not read; find out who made the file.") from None
    except (ET.ParseError, ValueError, LookupError, UnicodeError) as error:
        raise EvidenceError(where, f"is no XML: {str(error)[:120]}.", "Export the policy again.") from None
    return root


def local_name(element: Element) -> str:
    """An element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def named(element: Element, name: str) -> list[Element]:
    """The children of a name, whatever their namespace."""
    return [child for child in element if local_name(child) == name]


def within(element: Element, *names: str) -> list[Element]:
    """The elements reached by these names, one level each."""
    found = [element]
    for name in names:
        found = [child for one in found for child in named(one, name)]
    return found


def add(parent: Element, name: str, text: str = "", /, **attributes: str) -> Element:
    """A new child with attributes in this order, and text where there is some."""
    for value in (text, *attributes.values()):
        check_text(value)
    child = ET.SubElement(parent, name, attributes)
    child.text = text or None
    return child


def check_text(text: str) -> None:
    """Refuse what an XML document cannot hold."""
    found = _UNFIT.search(text)
    if found is not None:
        raise ContentError(f"{text[:40]!r}", f"holds U+{ord(found[0]):04X}, which XML cannot hold.",
                           "Take the character out.")


def write_xml(root: Element) -> bytes:
    """A document as UTF-8 with its declaration, indented, ending with a line end."""
    ET.indent(root, "  ")
    text = ET.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{text}\n'.encode()
