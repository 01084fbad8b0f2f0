"""What is kept of an indicator that somebody named: its value, who says so, how long it holds, what it belongs to.

The type is STIX's own word. One value named by several files is one indicator with several origins (`merged`): the
widest time, every family. Its id depends on type and value alone, so that it is the same in every run and file.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

NAMESPACE = uuid.UUID("3c1f5d0e-6a55-5c0c-9d1e-9e7d0b8a41f2")
"""The namespace of indicator ids. Never change it: ids are compared between runs."""

TYPES: Mapping[str, str] = {
    "domain-name": "domain", "url": "URL", "ipv4-addr": "address", "ipv6-addr": "address", "file": "file hash"}
"""STIX's word for a type, and what a person calls it."""

MAX_TITLE = 120
"""Characters of a value in a title."""

TLP = ("", "clear", "green", "amber", "amber+strict", "red")
"""The Traffic Light Protocol 2.0 (FIRST, 2022), the least strict first; empty where nobody said."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Who names an indicator: the place (`file:line`, `file: object id`), what it is called there, who made it and how
    far it may be passed on (a word of TLP). Empty where nothing is said."""

    where: str
    name: str = ""
    creator: str = ""
    tlp: str = ""

    def __str__(self) -> str:
        parts = self.name and f"'{self.name}'", self.creator and f"by {self.creator}"
        said = ", ".join(filter(None, parts))
        return f"{self.where} ({said})" if said else self.where


@dataclass(frozen=True, slots=True)
class Known:
    """One indicator. Times are UTC; `valid_until` None is without an end. `families` are malware that it indicates."""

    type: str
    value: str
    origins: tuple[Origin, ...]
    families: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None

    @property
    def indicator_id(self) -> str:
        """UUIDv5 of type and value: the `rule_id` of its alerts."""
        return str(uuid.uuid5(NAMESPACE, f"{self.type}:{self.value}"))

    @property
    def title(self) -> str:
        """What an alert is called, and how a list of what is expected may name it; a long URL is cut."""
        value = self.value if len(self.value) <= MAX_TITLE else f"{self.value[:MAX_TITLE]}…"
        return f"Indicator seen: {TYPES[self.type]} {value}"

    @property
    def tlp(self) -> str:
        """The strictest word that any origin has."""
        return max((origin.tlp for origin in self.origins), key=TLP.index, default="")

    def expired(self, time: datetime) -> bool:
        """Whether its time was over before something happened."""
        return self.valid_until is not None and self.valid_until <= time


def merged(named: Iterable[Known]) -> tuple[Known, ...]:
    """One indicator for each type and value, in the order in which they were first named."""
    found: dict[tuple[str, str], Known] = {}
    for one in named:
        key = one.type, one.value
        other = found.get(key)
        found[key] = one if other is None else _both(other, one)
    return tuple(found.values())


def _both(one: Known, other: Known) -> Known:
    starts = [known.valid_from for known in (one, other) if known.valid_from]
    ends = [known.valid_until for known in (one, other) if known.valid_until]
    return replace(
        one, origins=tuple(dict.fromkeys((*one.origins, *other.origins))),
        families=tuple(dict.fromkeys((*one.families, *other.families))),
        labels=tuple(dict.fromkeys((*one.labels, *other.labels))),
        valid_from=min(starts, default=None), valid_until=max(ends) if len(ends) == 2 else None)
