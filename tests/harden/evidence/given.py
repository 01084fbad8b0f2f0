"""A file of evidence from its name and text, read as an audit would: the reader of the table that wants it."""

from __future__ import annotations

import json

from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.walk import read, reader_of
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject


def given(name: str, data: bytes | str | object, *, reader: str = "", evidence: Evidence | None = None) -> Evidence:
    """The evidence of one file; `name` is its path below what the user named. What is no text becomes JSON."""
    if not isinstance(data, (bytes, str)):
        data = json.dumps(data)
    file = EvidenceFile(name, name, data if isinstance(data, bytes) else data.encode())
    found, evidence = reader_of(file), evidence or Evidence()
    if reader:
        assert found is not None, f"no reader wants {name}"
        assert found.word == reader
    read(file, evidence)
    evidence.join_hosts()
    return evidence


def only(evidence: Evidence) -> Subject:
    """The one subject of the evidence."""
    (subject,) = evidence.subjects
    return subject


def told(evidence: Evidence) -> list[str]:
    """Problems as one line each."""
    return [f"{one.where}: {one.what}" for one in evidence.problems]
