"""JSON from strangers: text in, plain Python out, with an EvidenceError that names the line; and questions to it.

Windows PowerShell 5.1 writes a list of one as the thing itself, and some lists as `{"value": [...], "Count": n}`;
`listed` reads all three alike. A name that is given twice, NaN, and nesting that would end the process are refused:
no export of a product has them.
"""

from __future__ import annotations

import json
from collections import Counter
from typing import NoReturn

from douse.errors import EvidenceError
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence

MAX_HELD, MAX_SPLIT = 1_000_000, 10_000_000
"""Objects and lists, and commas, of a document. In memory an empty object takes twenty times its text, so that a file
that is nothing but those could take gigabytes; an export of 200,000 accounts has 400,000 of them."""

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


def parse(file: EvidenceFile, evidence: Evidence) -> Json:
    """The document of a file. Raises EvidenceError with the line where it is no JSON."""
    return parse_text(texts.read(file, evidence), file.shown)


def parse_text(text: str, where: str) -> Json:
    """The document of a text; the same errors."""
    if text.count("{") + text.count("[") > MAX_HELD or text.count(",") > MAX_SPLIT:
        raise EvidenceError(where, f"this JSON has more than {MAX_HELD:,} objects and lists, or {MAX_SPLIT:,} entries, "
                            "which no export has.", "Export it in parts.")
    try:
        found: Json = json.loads(text.lstrip("\ufeff"), object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        at_end = not text[error.pos:].strip()
        reason = "it ends in the middle" if at_end else f"{error.msg} (column {error.colno})"
        raise EvidenceError(f"{where}:{error.lineno}", f"this is no sound JSON: {reason}.",
                            "Export it again, and copy the whole file.") from None
    except RecursionError:
        raise EvidenceError(where, "this JSON is nested too deep to be an export.", "Export it again.") from None
    except ValueError as error:  # a name given twice, NaN, a number of thousands of digits
        raise EvidenceError(where, f"this is no sound JSON: {str(error)[:200]}.", "Export it again.") from None
    return found


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found = dict(pairs)
    if len(found) != len(pairs):
        (twice, _), = Counter(name for name, _ in pairs).most_common(1)
        raise ValueError(f"{twice[:60]!r} is given twice in one object")
    return found


def _constant(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def mapping(value: Json) -> dict[str, Json]:
    """An object; empty for everything else."""
    return value if isinstance(value, dict) else {}


def listed(value: Json) -> list[Json]:
    """A list, however PowerShell wrote it; empty for null."""
    if isinstance(value, dict) and set(value) == {"value", "Count"}:
        value = value["value"]
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def text(value: Json) -> str:
    """A text; "" for everything else."""
    return value if isinstance(value, str) else ""


def number(value: Json) -> int | None:
    """A whole number, also one that was written as text or is a truth value of .NET; None for everything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 21:
        return int(value)
    return None
