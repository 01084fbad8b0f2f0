"""Keep many alerts in little memory: alerts in, equal alerts out, their fields and matches packed, on disk when many.

A host can raise a hundred thousand alerts, each with some 25 fields of its record. Packed, their names are shared and
their values are one `bytes` (marshal: quick, and it takes any text of ours); what a process packs beyond MEMORY lies in
a temporary file without a name, readable for its owner only, that ends with the process. They are unpacked when
somebody asks, and the last CACHED stay unpacked, so that going through one alert's fields unpacks them once. Kept in
memory per alert, measured on Sysmon 1 records with two rules each: about 0.9 KB, and 0.5 KB once values lie on disk;
3.1 KB before. A worker's alerts pass through its pipe in memory, one unit at a time.
"""

from __future__ import annotations

import atexit
import marshal
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import BinaryIO, overload

from douse.model import Alert, Match

MEMORY = 64 << 20
"""Bytes of packed values that a process keeps in memory; more goes to a temporary file."""

CACHED = 256
_SHAPES = 4096


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file some packed values lie."""

    offset: int
    length: int


class _Shelf:
    """Packed values of this process: in memory until they are too many, then in a file."""

    def __init__(self) -> None:
        self.in_memory = 0
        self._file: BinaryIO | None = None
        self._end = 0

    def put(self, packed: bytes) -> bytes | _Place:
        """The values themselves, or where they were written."""
        if self.in_memory + len(packed) <= MEMORY:
            self.in_memory += len(packed)
            return packed
        if self._file is None:
            self._file = tempfile.TemporaryFile(prefix="douse-")  # noqa: SIM115 - it lives as long as the process
        self._file.seek(self._end)
        self._file.write(packed)
        place = _Place(self._end, len(packed))
        self._end += len(packed)
        return place

    def take(self, kept: bytes | _Place) -> bytes:
        """The packed values."""
        if isinstance(kept, bytes):
            return kept
        if self._file is None:
            raise RuntimeError("the file of packed values is gone")
        self._file.seek(kept.offset)
        return self._file.read(kept.length)

    def close(self) -> None:
        """End the file; what lies in it is gone."""
        if self._file is not None:
            self._file.close()


_SHELF = _Shelf()
atexit.register(lambda: _SHELF.close())
_shapes: dict[tuple[str, ...], tuple[str, ...]] = {}


class KeptFields(Mapping[str, str]):
    """The fields of an alert's event, packed. It behaves as the dict it was made of."""

    __slots__ = ("_kept", "_names")

    def __init__(self, names: tuple[str, ...], packed: bytes) -> None:
        self._names = _shared(names)
        self._kept = _SHELF.put(packed)

    @classmethod
    def of(cls, fields: Mapping[str, str]) -> KeptFields:
        """Packed fields."""
        return cls(tuple(fields), marshal.dumps(tuple(fields.values())))

    def __getitem__(self, name: str) -> str:
        return _unpacked_fields(self._names, self._kept)[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __reduce__(self) -> tuple[type[KeptFields], tuple[tuple[str, ...], bytes]]:
        return KeptFields, (self._names, _SHELF.take(self._kept))

    def __repr__(self) -> str:
        return repr(dict(self))


class KeptMatches(Sequence[Match]):
    """Why an alert's rule fired, packed. It behaves as the tuple it was made of."""

    __slots__ = ("_kept", "_number")

    def __init__(self, number: int, packed: bytes) -> None:
        self._number = number
        self._kept = _SHELF.put(packed)

    @classmethod
    def of(cls, matches: Sequence[Match]) -> KeptMatches:
        """Packed matches."""
        return cls(len(matches), marshal.dumps(tuple((m.selection, m.field, m.value, m.pattern) for m in matches)))

    @overload
    def __getitem__(self, place: int) -> Match: ...

    @overload
    def __getitem__(self, place: slice) -> Sequence[Match]: ...

    def __getitem__(self, place: int | slice) -> Match | Sequence[Match]:
        return self._all()[place]

    def __len__(self) -> int:
        return self._number

    def __iter__(self) -> Iterator[Match]:
        return iter(self._all())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._all() == tuple(other)

    def __hash__(self) -> int:
        return hash(self._all())

    def __reduce__(self) -> tuple[type[KeptMatches], tuple[int, bytes]]:
        return KeptMatches, (self._number, _SHELF.take(self._kept))

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> tuple[Match, ...]:
        return tuple(Match(*texts) for texts in marshal.loads(_SHELF.take(self._kept)))  # noqa: S302 - we packed it


def kept(alerts: Iterable[Alert]) -> Iterator[Alert]:
    """The same alerts, packed; those of one event, which share their fields, share them packed."""
    last: Mapping[str, str] | None = None
    packed = None
    for alert in alerts:
        if packed is None or alert.fields is not last:
            last, packed = alert.fields, KeptFields.of(alert.fields)
        yield replace(alert, fields=packed, matched=KeptMatches.of(alert.matched))


def _shared(names: tuple[str, ...]) -> tuple[str, ...]:
    """One tuple for all records with the same fields; a log with endlessly many kinds of records shares no further."""
    if len(_shapes) >= _SHAPES:
        return _shapes.get(names, names)
    return _shapes.setdefault(names, names)


@lru_cache(maxsize=CACHED)
def _unpacked_fields(names: tuple[str, ...], place: bytes | _Place) -> dict[str, str]:
    return dict(zip(names, marshal.loads(_SHELF.take(place)), strict=True))  # noqa: S302 - we packed it
