"""A saved pre-flight (`-o preflight.json`): a file in, what it decided out, for whoever must not act without it.

    record = read_record(Path("preflight.json"))        record.verdict, record.program, record.groups

The file holds a digest of itself, so that a change by hand is noticed. That is no signature: who can write the file can
also compute the digest. What keeps others from writing it is where it is kept, and the bundle that names its SHA-256.
report/preflight.py makes the document and asks `digest` here, so that both sides mean the same bytes.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from douse.errors import ContentError
from douse.harden.preflight.result import PASSING, VERDICTS

SCHEMA: Final = "douse.preflight/1"
KIND: Final = "preflight"
MAX_BYTES: Final = 64 << 20

_AGAIN: Final = "Run the pre-flight again: douse harden preflight PROGRAM ... -o preflight.json"


@dataclass(frozen=True, slots=True)
class KnownUse:
    """A use case as the file has it; `decision` is empty where nobody signed, `command` is without its secrets."""

    id: str
    classed: str
    destination: str
    port: int
    parent: str
    command: str
    decision: str


@dataclass(frozen=True, slots=True)
class PreflightRecord:
    """What a pre-flight says. `finished` is UTC. `groups` are the exceptions as (group, SID); `expires` is the last day
    on which all decisions that let the verdict stand are valid, None where it rests on none. `sha256` is that of the
    file, `data` its bytes."""

    program: str
    verdict: str
    reason: str
    finished: datetime
    groups: tuple[tuple[str, str], ...]
    expires: date | None
    uses: tuple[KnownUse, ...]
    sha256: str
    data: bytes

    @property
    def undecided(self) -> tuple[str, ...]:
        """The use cases that nobody decided about: in a GO those that only started, which a block of connections does
        not meet, and a block of the program itself does."""
        return tuple(use.id for use in self.uses if not use.decision)

    @property
    def is_go(self) -> bool:
        """Whether a block may be enforced, if the exceptions are kept and nothing has expired."""
        return self.verdict in PASSING


def digest(document: Mapping[str, Any]) -> str:
    """The SHA-256 of a document as JSON with sorted keys and without its own `digest`, in hexadecimal.

    `document` is what `json.loads` makes of the file, so that how it is indented does not matter.
    """
    bare = {key: value for key, value in document.items() if key != "digest"}
    text = json.dumps(bare, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def read_record(path: Path) -> PreflightRecord:
    """A saved pre-flight. Raises ContentError where the file is none, or was changed since it was written."""
    data = _bytes(path)
    where = str(path)
    document = _document(where, data)
    try:
        return _record(document, data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        what = f"is no whole pre-flight ({type(error).__name__}: {error})."
        raise ContentError(where, what, _AGAIN) from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ContentError(str(path), f"cannot be read ({error.strerror or error}).", "Check the path.") from None
    if len(data) > MAX_BYTES:
        raise ContentError(str(path), f"is larger than {MAX_BYTES >> 20} MiB.", _AGAIN)
    return data


def _document(where: str, data: bytes) -> dict[str, Any]:
    """The JSON object, if it is a pre-flight that nobody changed."""
    try:
        document = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_once)
    except (ValueError, RecursionError) as error:
        raise ContentError(where, f"is no JSON ({str(error)[:200]}).", _AGAIN) from None
    if not isinstance(document, dict) or document.get("kind") != KIND:
        raise ContentError(where, "is no pre-flight.", "Name what `douse harden preflight ... -o FILE.json` wrote.")
    if document.get("schema") != SCHEMA:
        raise ContentError(where, f"has the format {str(document.get('schema'))[:40]!r}, not {SCHEMA!r}.", _AGAIN)
    try:
        found = digest(document)
    except (ValueError, RecursionError):
        found = ""
    if not found or document.get("digest") != found:
        raise ContentError(where, "was changed after it was written: its digest does not fit.", _AGAIN)
    return document


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys are all different: of two readings of one file only one would have been looked at."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name is given twice")
    return found


def _record(document: dict[str, Any], data: bytes) -> PreflightRecord:
    verdict = document["verdict"]
    if verdict not in VERDICTS:
        raise ValueError(f"the verdict {str(verdict)[:40]!r} is none of {', '.join(VERDICTS)}")
    uses = tuple(map(_use, document["use_cases"]))
    signed = [row["decision"] for row in document["use_cases"] if row["decision"] and not row["open"]]
    groups = {(_text(row["group"]), _text(row["sid"])) for row in signed if row["decision"] == "except"}
    return PreflightRecord(
        program=_text(document["program"]), verdict=verdict, reason=_text(document["reason"]),
        finished=datetime.fromisoformat(document["finished"]).astimezone(UTC), groups=tuple(sorted(groups)),
        expires=min((date.fromisoformat(row["expires"]) for row in signed), default=None), uses=uses,
        sha256=hashlib.sha256(data).hexdigest(), data=data)


def _use(row: dict[str, Any]) -> KnownUse:
    port = row["port"]
    if not isinstance(port, int) or isinstance(port, bool):
        raise TypeError("a port is a number")
    decision = row["decision"]["decision"] if row["decision"] and not row["open"] else ""
    return KnownUse(_text(row["id"]), _text(row["class"]), _text(row["destination"]), port, _text(row["parent"]),
                    _text(row["command"]), _text(decision))


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r} is no text")
    return value
