"""One event as binary XML: values to bytes, and the template that tells a reader where they go.

Windows stores the XML of an event once per shape and chunk, as a template with numbered holes, and for each record only
the values. We do the same with one flat template per shape (Windows nests two). A name lies in the chunk where it is
first used and is referred to by its offset from then on, so `template` is told what the chunk already holds.
The format is described by libyal/libevtx, documentation/Windows XML Event Log (EVTX).asciidoc. evtx_writer.py makes the
chunks and the file.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache, partial

from douse.simulate.values import Guid, Hex32, Hex64, Sid, Value

Encoded = tuple[int, bytes]
"""A value's type in BinXML and its bytes."""

Shape = tuple[tuple[str, ...], tuple[int, ...]]
"""What makes two events share a template: the names of their data and the types of these."""

NULL, TEXT, UINT8, UINT16, UINT32, INT64, UINT64 = 0x00, 0x01, 0x04, 0x06, 0x08, 0x09, 0x0A
BOOL, GUID, FILETIME, SID, HEX32, HEX64 = 0x0D, 0x0F, 0x11, 0x13, 0x14, 0x15

FRAGMENT = b"\x0f\x01\x01\x00"
END_OF_STREAM = b"\x00"
MOST_BYTES = 0xFFFF  # a value's length is a 16-bit number
_END_START, _END_EMPTY, _END_ELEMENT = b"\x02", b"\x03", b"\x04"
_NO_DEPENDENCY = 0xFFFF
_NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"
_1601 = datetime(1601, 1, 1, tzinfo=UTC)

# System's elements in Windows' order: element, (attribute or "" for the content, type)*. Hole n is the n-th pair.
SYSTEM: tuple[tuple[str, tuple[tuple[str, int], ...]], ...] = (
    ("Provider", (("Name", TEXT), ("Guid", GUID))),
    ("EventID", (("", UINT16),)),
    ("Version", (("", UINT8),)),
    ("Level", (("", UINT8),)),
    ("Task", (("", UINT16),)),
    ("Opcode", (("", UINT8),)),
    ("Keywords", (("", HEX64),)),
    ("TimeCreated", (("SystemTime", FILETIME),)),
    ("EventRecordID", (("", UINT64),)),
    ("Correlation", (("ActivityID", GUID),)),
    ("Execution", (("ProcessID", UINT32), ("ThreadID", UINT32))),
    ("Channel", (("", TEXT),)),
    ("Computer", (("", TEXT),)),
    ("Security", (("UserID", SID),)),
)
SYSTEM_HOLES = sum(len(holes) for _, holes in SYSTEM)
ALL_NAMES = frozenset(
    {"Event", "xmlns", "System", "EventData", "Data", "Name"}
    | {element for element, _ in SYSTEM}
    | {attribute for _, holes in SYSTEM for attribute, _ in holes if attribute}
)


def filetime(time: datetime) -> int:
    """A moment as Windows counts it: tenths of microseconds since 1601, UTC."""
    since = time - _1601
    return ((since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds) * 10


def _text(text: str) -> Encoded:
    if "\0" in text:
        raise ValueError("readers end a text at its first NUL")
    return TEXT, text.encode("utf-16-le")  # UnicodeEncodeError, a ValueError, on half a surrogate pair


def _integer(number: int) -> Encoded:
    if 0 <= number < 1 << 32:
        return UINT32, number.to_bytes(4, "little")
    if 0 <= number < 1 << 64:
        return UINT64, number.to_bytes(8, "little")
    return INT64, number.to_bytes(8, "little", signed=True)  # OverflowError where it fits nowhere


@lru_cache(maxsize=4096)
def guid_bytes(text: str) -> bytes:
    """A GUID in the 16 bytes Windows keeps it in: three little-endian numbers, then eight bytes as they are."""
    raw = bytes.fromhex(text.replace("-", ""))
    return raw[3::-1] + raw[5:3:-1] + raw[7:5:-1] + raw[8:]


@lru_cache(maxsize=1024)
def sid_bytes(text: str) -> bytes:
    """A SID in binary: revision, count, 48-bit authority big-endian, 32-bit sub-authorities little-endian."""
    authority, *subs = (int(part) for part in text.split("-")[2:])
    return bytes((1, len(subs))) + authority.to_bytes(6, "big") + b"".join(sub.to_bytes(4, "little") for sub in subs)


ENCODERS: dict[type, Callable[..., Encoded]] = {
    str: _text,
    int: _integer,
    bool: lambda truth: (BOOL, truth.to_bytes(4, "little")),
    datetime: lambda time: (FILETIME, filetime(time).to_bytes(8, "little")),
    Guid: lambda guid: (GUID, guid_bytes(guid)),
    Sid: lambda sid: (SID, sid_bytes(sid)),
    Hex32: lambda number: (HEX32, int(number, 16).to_bytes(4, "little")),
    Hex64: lambda number: (HEX64, int(number, 16).to_bytes(8, "little")),
}


def encode(value: Value) -> Encoded:
    """A value's BinXML type and bytes, by its Python type; OverflowError beyond 64 bits, ValueError on spoilt text."""
    encoded: Encoded = ENCODERS[type(value)](value)
    return encoded


def name_hash(name: str) -> int:
    """The 16-bit hash beside every name; its last six bits choose the bucket in the chunk's table of names."""
    number = 0
    for unit in struct.unpack(f"<{len(name)}H", name.encode("utf-16-le")):
        number = (number * 65599 + unit) & 0xFFFFFFFF
    return number & 0xFFFF


class Names:
    """The element and attribute names one chunk holds: their offsets, and the heads of the hash table's chains."""

    __slots__ = ("heads", "offsets")

    def __init__(self, offsets: dict[str, int] | None = None, heads: list[int] | None = None) -> None:
        self.offsets = {} if offsets is None else dict(offsets)
        self.heads = [0] * 64 if heads is None else list(heads)

    def add(self, name: str, offset: int) -> bytes:
        """Register a name at an offset of the chunk and give the bytes that must lie there."""
        digest = name_hash(name)
        following, self.heads[digest % 64] = self.heads[digest % 64], offset
        self.offsets[name] = offset
        return struct.pack("<IHH", following, digest, len(name)) + name.encode("utf-16-le") + b"\0\0"


class _Template:
    """Writes one template's XML; `at` is the offset in the chunk where its first byte will lie."""

    def __init__(self, names: Names, at: int) -> None:
        self.names, self.at, self.out = names, at, bytearray(FRAGMENT)

    def name(self, name: str) -> None:
        """Refer to a name; if the chunk does not hold it yet, put it here."""
        known = self.names.offsets.get(name)
        here = self.at + len(self.out) + 4
        self.out += struct.pack("<I", here if known is None else known)
        if known is None:
            self.out += self.names.add(name, here)

    def hole(self, index: int, kind: int, *, optional: bool) -> None:
        """A place where the record's value number `index` goes; an optional one vanishes with a null value."""
        self.out += struct.pack("<BHB", 0x0E if optional else 0x0D, index, kind)

    def text(self, text: str) -> None:
        """Text that is the same in every record of the shape."""
        raw = text.encode("utf-16-le")
        self.out += struct.pack("<BBH", 0x05, TEXT, len(raw) // 2) + raw

    def element(self, name: str, content: Callable[[], None] | None,
                attributes: Sequence[tuple[str, Callable[[], None]]] = ()) -> None:
        """An element with its attributes, each a name and what writes its value, and its content."""
        self.out += struct.pack("<BHI", 0x41 if attributes else 0x01, _NO_DEPENDENCY, 0)
        start = len(self.out)
        self.name(name)
        if attributes:
            self._attributes(attributes)
        if content is None:
            self.out += _END_EMPTY
        else:
            self.out += _END_START
            content()
            self.out += _END_ELEMENT
        struct.pack_into("<I", self.out, start - 4, len(self.out) - start)

    def _attributes(self, attributes: Sequence[tuple[str, Callable[[], None]]]) -> None:
        self.out += bytes(4)
        start = len(self.out)
        for number, (name, write_value) in enumerate(attributes, 1):
            self.out += b"\x46" if number < len(attributes) else b"\x06"
            self.name(name)
            write_value()
        struct.pack_into("<I", self.out, start - 4, len(self.out) - start)


def template(shape: Shape, names: Names, at: int) -> bytes:
    """The XML of all events of a shape, to lie at offset `at` of the chunk whose `names` it uses and adds to."""
    xml = _Template(names, at)

    def system() -> None:
        index = 0
        for element, holes in SYSTEM:
            writers = [(name, partial(xml.hole, i, kind, optional=True)) for i, (name, kind) in enumerate(holes, index)]
            if writers[0][0]:
                xml.element(element, None, writers)
            else:
                xml.element(element, writers[0][1])
            index += len(holes)

    def event_data() -> None:
        for index, (name, kind) in enumerate(zip(*shape, strict=True), SYSTEM_HOLES):
            xml.element("Data", partial(xml.hole, index, kind, optional=False), [("Name", partial(xml.text, name))])

    def event() -> None:
        xml.element("System", system)
        xml.element("EventData", event_data)

    xml.element("Event", event, [("xmlns", partial(xml.text, _NAMESPACE))])
    return bytes(xml.out) + END_OF_STREAM


@lru_cache(maxsize=4096)
def template_guid(shape: Shape) -> bytes:
    """A GUID for a shape: the same in every chunk and every run."""
    return hashlib.blake2b(repr(shape).encode(), digest_size=16).digest()
