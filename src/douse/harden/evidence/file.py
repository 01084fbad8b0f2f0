"""One file of evidence, opened read-only: its bytes and text, and how it is named in findings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from douse.harden.seen import Source

MAX_BYTES = 512 << 20
"""Of one file; a hive of a server has some 200 MB."""


@dataclass(slots=True)
class EvidenceFile:
    """A file, or a member of an archive that was unpacked in memory.

    `shown` is its name as findings give it. `path` is where it lies, None for a member of an archive. `inner` is its
    path below what the user named, with forward slashes, which is how GPO backups and profiles are told. `beside` gives
    another file by its path from this one's folder, without case (a hive's logs, a backup's parts), None where there is
    none; it is opened only then.
    """

    shown: str
    inner: str
    data: bytes
    path: Path | None = None
    siblings: Mapping[str, EvidenceFile] = field(default_factory=dict)
    _sha256: str = ""

    @property
    def name(self) -> str:
        """Its own name."""
        return self.inner.rpartition("/")[2]

    @property
    def sha256(self) -> str:
        """The hash of its bytes."""
        if not self._sha256:
            self._sha256 = hashlib.sha256(self.data).hexdigest()
        return self._sha256

    def source(self, kind: str, taken: datetime | None = None) -> Source:
        """The source of what a reader finds in it."""
        return Source(kind, self.shown, self.sha256, taken)

    def beside(self, name: str) -> EvidenceFile | None:
        """Another file by its path from this one's folder (`../` goes up), without case."""
        return self.siblings.get(name.casefold())
