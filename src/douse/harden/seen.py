"""Who says something, and what it says: a Source is a file of evidence, a Seen is one value with its place in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of evidence: what reader understood it, its name as the user wrote it (with the member of an archive or
    folder), the SHA-256 of its bytes, and when it was taken (UTC), None where it does not say."""

    kind: str
    file: str
    sha256: str
    taken: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """Something a source says: the value, the source, the place in it (`where`: key, element, line), and `raw`, the
    text as it stood there."""

    value: T
    source: Source
    where: str
    raw: str = ""
