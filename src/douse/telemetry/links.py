"""A chunk of an event log without circles: its bytes in, the same out, or with those tables emptied that lead in one.

A chunk header holds 64 heads of lists of names and 32 of templates, each entry of which begins with the offset of the
next one. The evtx library follows them to their end, so one flipped bit can make it run for ever, holding the
interpreter (found by fuzzing; version 0.14). The tables only save time: a reference to a name or a template says where
it is, and without its table the library reads it there.
"""

from __future__ import annotations

import struct
from typing import Final

_TABLES: Final = struct.Struct("<96I")
_TABLES_AT: Final = 128
_OFFSET: Final = struct.Struct("<I")


def without_circles(data: bytes) -> bytes:
    """The chunk, with the tables' heads zeroed from which a list leads in a circle."""
    heads = _TABLES.unpack_from(data, _TABLES_AT)
    ending: set[int] = set()
    circular = [place for place, head in enumerate(heads) if head and not _ends(data, head, ending)]
    if not circular:
        return data
    changed = bytearray(data)
    for place in circular:
        _OFFSET.pack_into(changed, _TABLES_AT + place * _OFFSET.size, 0)
    return bytes(changed)


def _ends(data: bytes, offset: int, ending: set[int]) -> bool:
    """Whether a list comes to its end, or to an offset outside the chunk, which the library refuses. `ending` are the
    offsets of which that is known: so none is followed twice, however the lists of a forged chunk run together."""
    last = len(data) - _OFFSET.size
    read = _OFFSET.unpack_from
    passed: set[int] = set()
    while offset and offset <= last and offset not in ending:
        if offset in passed:
            return False
        passed.add(offset)
        offset = read(data, offset)[0]
    ending |= passed
    return True
