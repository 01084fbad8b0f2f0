r"""The registry values as .reg files for single computers: apply.reg, undo.reg, and the same for each user's values.

UTF-16LE with BOM and CRLF, which every Windows reads. A text with a control character is written in hexadecimal, as a
line feed in quotes would end the line: no value can end its line or begin another. Users' files are numbered; whose
each is, stands in changes.json, as a file must not be named by evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from pathlib import PurePosixPath

from douse.harden.generate.policy import BundleFile, Policy, RegistryChange
from douse.harden.generate.undo import LEAVE, REMOVE, Undo, undone, user_profiles
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import NUMBERS, encode

FOLDER = PurePosixPath("reg")
_ROOTS = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}
_HEADER = "Windows Registry Editor Version 5.00"
_PER_LINE = 24


def files(policy: Policy) -> Iterator[BundleFile]:
    """The files of the format."""
    if any(change.hive == "HKLM" for change in policy.registry):
        yield BundleFile(FOLDER / "apply.reg", applied(policy.registry, "HKLM"),
                         "Sets the computer's values: reg import apply.reg, as administrator.")
        yield BundleFile(FOLDER / "undo.reg", taken_back(undone(policy, "HKLM")), "Takes them back.")
    if not any(change.hive == "HKCU" for change in policy.registry):
        return
    yield BundleFile(FOLDER / "apply-user.reg", applied(policy.registry, "HKCU"),
                     "Sets the values of one user: each user imports it.")
    for number, profile in enumerate(user_profiles(policy), start=1):
        own = f"undo-user-{number}.reg" if profile else "undo-user.reg"
        yield BundleFile(FOLDER / own, taken_back(undone(policy, "HKCU", profile)),
                         "Takes them back for one user" + (" (changes.json says whose it is)." if profile else "."))


def applied(changes: Iterable[RegistryChange], hive: str) -> bytes:
    """A .reg file that sets the values of a hive."""
    return _file((f"{_ROOTS[hive]}\\{change.key}", f"{_name(change.name)}={_data(change.value)}")
                 for change in changes if change.hive == hive)


def taken_back(undos: Iterable[Undo]) -> bytes:
    """A .reg file that takes values back; what is to be left alone is not in it."""
    return _file(_taken_back(undo) for undo in undos if undo.action != LEAVE)


def _taken_back(undo: Undo) -> tuple[str, str]:
    key = f"{_ROOTS[undo.change.hive]}\\{undo.change.key}"
    if undo.key_too:
        return f"-{key}", ""
    if undo.action == REMOVE or undo.old.value is None:
        return key, f"{_name(undo.change.name)}=-"
    return key, f"{_name(undo.change.name)}={_data(undo.old.value)}"


def _file(lines: Iterable[tuple[str, str]]) -> bytes:
    """The bytes of a file, from (key, line) in order; lines of one key that follow each other share its heading."""
    text = [_HEADER, ""]
    for key, group in groupby(lines, key=lambda pair: pair[0]):
        text += [f"[{key}]", *(line for _, line in group if line), ""]
    return b"\xff\xfe" + "\r\n".join([*text, ""]).encode("utf-16-le", "surrogatepass")


def _name(name: str) -> str:
    return "@" if not name else _quoted(name)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _data(value: RegistryValue) -> str:
    if value.type == "REG_DWORD" and isinstance(value.data, int):
        return f"dword:{value.data:08x}"
    if value.type == "REG_SZ" and isinstance(value.data, str) and _is_plain(value.data):
        return _quoted(value.data)
    return _hex(value)


def _is_plain(text: str) -> bool:
    """Whether a text can stand in quotes on one line: no control characters, no line ends of Unicode."""
    return all(ord(sign) >= 0x20 and ord(sign) not in (0x7F, 0x85, 0x2028, 0x2029) for sign in text)


def _hex(value: RegistryValue) -> str:
    kind = "hex" if value.type == "REG_BINARY" else f"hex({NUMBERS[value.type]:x})"
    pairs = [f"{byte:02x}" for byte in encode(value)]
    lines = [",".join(pairs[at:at + _PER_LINE]) for at in range(0, len(pairs), _PER_LINE)]
    return f"{kind}:" + ",\\\r\n  ".join(lines)
