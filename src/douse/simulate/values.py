"""The value types of an event log field, beyond text, numbers, truth values and times.

Each is a `str` that reads as `evtx_dump` prints it, so a JSON record may hold it as it is; the EVTX writer looks at the
type and stores it as Windows does (a GUID in 16 bytes, a SID in binary, a hexadecimal number as a number).
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Self

Value = str | int | bool | datetime
"""One field of a record we write. `Guid`, `Sid`, `Hex32` and `Hex64` are `str`; a datetime becomes a FILETIME."""

_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
_SID = re.compile(r"S-1-(\d{1,14})((?:-\d{1,10}){1,15})")


class Guid(str):
    """A GUID, in capitals and without braces; raises ValueError on any other text."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        found = _GUID.fullmatch(text)
        if found is None:
            raise ValueError(f"not a GUID: {text!r}")
        return super().__new__(cls, found[1].upper())


class Sid(str):
    """A security identifier such as S-1-5-18; raises ValueError on any other text."""

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        if _SID.fullmatch(text) is None:
            raise ValueError(f"not a SID: {text!r}")
        return super().__new__(cls, text)


class Hex32(str):
    """A 32-bit number shown in hexadecimal, such as an access mask."""

    __slots__ = ()
    bits = 32

    def __new__(cls, number: int) -> Self:
        if not 0 <= number < 1 << cls.bits:
            raise ValueError(f"{number} does not fit in {cls.bits} bits")
        return super().__new__(cls, f"0x{number:x}")


class Hex64(Hex32):
    """A 64-bit number shown in hexadecimal, such as a logon id or a pid in the Security log."""

    __slots__ = ()
    bits = 64


def time_text(time: datetime) -> str:
    """A UTC time with six decimals and a Z, as `evtx_dump` prints it."""
    return f"{time:%Y-%m-%dT%H:%M:%S.%f}Z"
