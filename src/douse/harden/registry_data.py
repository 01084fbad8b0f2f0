"""A registry value's bytes and what they say: (type number, bytes) <-> RegistryValue.

registry.pol, hives and .reg files all keep a value as bytes and a number for its type; the numbers are winnt.h's. Text
is UTF-16LE and may end with a NUL or not. Bytes that do not fit their type stay bytes (`REG_BINARY` with the data
as it stood would be a guess; the type's name is kept), so that nothing is lost and no comparison succeeds by accident.
"""

from __future__ import annotations

from douse.content.settings import Data
from douse.harden.registry import RegistryValue

TYPES = {0: "REG_NONE", 1: "REG_SZ", 2: "REG_EXPAND_SZ", 3: "REG_BINARY", 4: "REG_DWORD", 7: "REG_MULTI_SZ",
         11: "REG_QWORD"}
"""The types that a policy uses, by number. Others (links, resource lists) are REG_NONE to us."""

NUMBERS = {name: number for number, name in TYPES.items()}
_BIG_ENDIAN = 5
"""REG_DWORD_BIG_ENDIAN: nobody writes it today, reading it costs a line."""


def decode(number: int, data: bytes) -> RegistryValue:
    """What a value of a type says. Bytes that cannot be of their type are kept as bytes under the type's name."""
    name = TYPES.get(number, "REG_NONE")
    if name in ("REG_SZ", "REG_EXPAND_SZ"):
        return RegistryValue(name, text_of(data))
    if name == "REG_MULTI_SZ":
        return RegistryValue(name, texts_of(data))
    if len(data) == {"REG_DWORD": 4, "REG_QWORD": 8}.get(name):
        return RegistryValue(name, int.from_bytes(data, "little"))
    if number == _BIG_ENDIAN and len(data) == 4:
        return RegistryValue("REG_DWORD", int.from_bytes(data, "big"))
    return RegistryValue(name, bytes(data))


def encode(value: RegistryValue) -> bytes:
    """The bytes that Windows keeps for a value. Raises ValueError where its data cannot be of its type."""
    data = value.data
    if isinstance(data, bytes):
        return data
    if isinstance(data, int):
        size = {"REG_DWORD": 4, "REG_QWORD": 8}.get(value.type)
        if size is None or not 0 <= data < 1 << 8 * size:
            raise ValueError(f"{data} is no {value.type}")
        return data.to_bytes(size, "little")
    if isinstance(data, tuple):
        if value.type != "REG_MULTI_SZ" or any(not text or "\0" in text for text in data):
            raise ValueError(f"texts that are empty or hold a NUL are no {value.type}")
        return _utf16("".join(f"{text}\0" for text in data) + "\0")
    if value.type not in ("REG_SZ", "REG_EXPAND_SZ") or "\0" in data:
        raise ValueError(f"a text is no {value.type}, or it holds a NUL")
    return _utf16(data + "\0")


def text_of(data: bytes) -> str:
    """A text up to its first NUL; an odd last byte is dropped, halves of surrogate pairs stay."""
    return _decoded(data).partition("\0")[0]


def texts_of(data: bytes) -> tuple[str, ...]:
    """The texts of a REG_MULTI_SZ, which an empty one ends."""
    found: list[str] = []
    for text in _decoded(data).split("\0"):
        if not text:
            break
        found.append(text)
    return tuple(found)


def shown(data: Data) -> str:
    """A value's data as one text for `Seen.raw`: numbers in decimal, bytes in hex, several texts one below another."""
    if isinstance(data, bytes):
        return data.hex()
    return "\n".join(data) if isinstance(data, tuple) else str(data)


def _decoded(data: bytes) -> str:
    return bytes(data[:len(data) & ~1]).decode("utf-16-le", "surrogatepass")


def _utf16(text: str) -> bytes:
    return text.encode("utf-16-le", "surrogatepass")
