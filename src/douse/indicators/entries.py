"""What a file of indicators turned into: entries that were understood, and those that were not, each with its place.

Shared by the readers of all formats. Nothing is dropped silently: what cannot be used is a Skip, which makes a run
partial; what its own author took back, or meant as no indicator, is counted as left out.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime

from douse.indicators.known import Known, Origin
from douse.indicators.values import Refused, value_of

MAX_SHOWN = 80
"""Characters of a value that an error repeats."""


@dataclass(frozen=True, slots=True)
class Skip:
    """An entry that cannot be used: where it stands, what is wrong with it, and what to do."""

    where: str
    what: str
    next_step: str


@dataclass(slots=True)
class Entries:
    """What was read of one file, in order; `left_out` counts what is no indicator by its author's own word."""

    known: list[Known] = field(default_factory=list)
    skips: list[Skip] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)

    def name(self, text: str, origin: Origin, *, noted: bool = False, families: tuple[str, ...] = (),
             labels: tuple[str, ...] = (), valid_from: datetime | None = None, valid_until: datetime | None = None,
             ) -> None:
        """Take in what a text names, or note why it names nothing."""
        try:
            kind, value = value_of(text, noted=noted)
        except Refused as refused:
            self.skip(origin.where, f"{shown(text)} {refused.what}", refused.next_step)
        else:
            self.known.append(Known(kind, value, (origin,), families, labels, valid_from, valid_until))

    def skip(self, where: str, what: str, next_step: str) -> None:
        """Note an entry that cannot be used."""
        self.skips.append(Skip(where, f"{what}.", next_step))


def shown(text: str) -> str:
    """A value as an error repeats it."""
    return f"'{text}'" if len(text) <= MAX_SHOWN else f"'{text[:MAX_SHOWN]}…'"


def moment(text: str) -> datetime | None:
    """A time as feeds write it: ISO 8601, or with a blank and without a zone, which is UTC. None where it is none."""
    plain = text.strip().removesuffix("UTC").strip()
    if len(plain) > 40 or not plain[:1].isdigit():
        return None
    try:
        found = datetime.fromisoformat(plain)
    except ValueError:
        return None
    try:
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    except OverflowError:  # in the first or last day that there is
        return None
