r"""A registry value as the Security log writes it (4657) in, as Sysmon would write it out: its path and its data.

The kernel's `\REGISTRY\MACHINE` and `\REGISTRY\USER` become HKLM and HKU, the machine's classes become HKCR, and a
numbered control set becomes CurrentControlSet, as Sysmon documents its short names and as its records show them. A
value without a name is `(Default)`. Numbers are written `DWORD (0x00000001)`, which is what rules compare with; binary
data is `Binary Data`, an empty text `(Empty)`. The value types are the message numbers of the Security log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from douse.detection.language.patterns import number

_ROOTS = (("\\registry\\machine", "HKLM"), ("\\registry\\user", "HKU"))
_CLASSES = re.compile(r"^HKLM\\SOFTWARE\\Classes(?=\\|$)", re.IGNORECASE)
_CONTROL_SET = re.compile(r"^HKLM\\SYSTEM\\ControlSet[0-9]{3}(?=\\|$)", re.IGNORECASE)
_TEXT = ("%%1873", "reg_sz", "%%1874", "reg_expand_sz")
_DWORD, _QWORD, _BINARY = ("%%1876", "reg_dword"), ("%%1883", "reg_qword"), ("%%1875", "reg_binary")


def path(key: str, value: str) -> str:
    """The key and the name of a value in it as one path under Sysmon's root keys."""
    full = f"{key}\\{'(Default)' if value in ('', '-') else value}"
    for kernel, short in _ROOTS:
        if full.lower() == kernel or full.lower().startswith(kernel + "\\"):
            full = short + full[len(kernel):]
    return _CONTROL_SET.sub(r"HKLM\\System\\CurrentControlSet", _CLASSES.sub("HKCR", full))


def data(text: str, kind: str) -> str:
    """The data of a value of that registry type."""
    kind = kind.strip().lower()
    whole = number(text.strip())
    if kind in _BINARY:
        return "Binary Data"
    if kind in _TEXT and text in ("", "-"):
        return "(Empty)"
    if isinstance(whole, int) and kind in _DWORD and 0 <= whole < 1 << 32:
        return f"DWORD (0x{whole:08x})"
    if isinstance(whole, int) and kind in _QWORD and 0 <= whole < 1 << 64:
        return f"QWORD (0x{whole >> 32:08x}-0x{whole & 0xFFFFFFFF:08x})"
    return text


WORDS: Mapping[str, Callable[[str, str], str]] = {"registry": path, "registry_data": data}
"""How an alias of the table in content/logsources.yml is made of its two fields."""
