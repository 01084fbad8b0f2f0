"""What the lints of one kind of policy find, before it is tied to its evidence."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wrong:
    """Something wrong: a code, a sentence, what to do, and the rule's id or element in the policy."""

    code: str
    what: str
    next_step: str
    place: str = ""


Found = Iterator[Wrong]
