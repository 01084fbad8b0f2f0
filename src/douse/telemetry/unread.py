"""Files that are told by their first bytes and are not read: those bytes in, what the file is and what to do with it.

A log in a form without its data is a loss wherever it lies. An archive of a kind that is not read is one only if the
user named it; a walk finds thousands that hold no log, so there it is a note.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple


class Unread(NamedTuple):
    """What a file is, and what to do instead of reading it."""

    what: str
    next_step: str
    is_log: bool


_UNPACK: Final = "Unpack it and hunt what is in it."
_KNOWN: Final = (
    (re.compile(rb"(?s:.{4})LfLe"), Unread("a log of Windows XP or Server 2003 (EVT), which is not read",
                                           "Save it as EVTX with Event Viewer.", is_log=True)),
    (re.compile(rb"(?:\xef\xbb\xbf)?\s*Event\[\d+\]:?\s+Log Name:"), Unread(
        "wevtutil's text, which holds no event data by name", "Export with /f:xml instead of /f:text.", is_log=True)),
    (re.compile(rb"7z\xbc\xaf\x27\x1c"), Unread("a 7z archive, which is not read", _UNPACK, is_log=False)),
    (re.compile(rb"Rar!\x1a\x07"), Unread("a RAR archive, which is not read", _UNPACK, is_log=False)),
    (re.compile(rb"\x28\xb5\x2f\xfd"), Unread("a zstd file, which is not read", _UNPACK, is_log=False)),
    (re.compile(rb"\x04\x22\x4d\x18"), Unread("an lz4 file, which is not read", _UNPACK, is_log=False)),
    (re.compile(rb"MSCF\x00{4}"), Unread("a cabinet (CAB), which is not read", _UNPACK, is_log=False)),
)


def known(start: bytes) -> Unread | None:
    """What a file that starts like this is known to be."""
    return next((unread for mark, unread in _KNOWN if mark.match(start)), None)
