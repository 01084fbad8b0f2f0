"""Families of stealers as data, and the questions about them: whom does a name mean, whom does a value fit?

    known.named("Trojan:Win32/LummaStealer.AB!MTB")        -> the families a vendor's name speaks of
    known.suggested("user-agent", "record")                -> (family, discriminator) pairs that fit a value
    known.confidence({"vendor", "protocol"})               -> "high", by the ladder

Nothing here decides: who attributes an incident asks, weighs what `contradictions` say, and prints low as "consistent
with". The counterpart, families.py, reads the folder.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

CONFIDENCES = ("", "low", "medium", "high", "confirmed")
EVIDENCE = ("behaviour", "protocol", "static", "vendor", "yara", "memory-yara", "ioc", "sandbox", "config")
OBSERVABLES = ("image", "network-image", "start", "command-line", "module", "file", "domain", "url", "user-agent",
               "header", "body", "protocol", "string", "store")
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True)
class Sign:
    """What a value of a kind of observable must look like; without an observable only a person can tell."""

    sees: str
    any_of: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Discriminator:
    """One sign of a family, the kind of evidence it is, and the confidence that it may carry alone."""

    id: str
    text: str
    evidence: str
    confidence: str
    sign: Sign
    shared_with: tuple[str, ...]
    sources: tuple[str, ...]
    verified: bool


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What speaks against a family."""

    text: str
    sign: Sign
    verified: bool


@dataclass(frozen=True, slots=True)
class Family:
    """A stealer. `sources` are id -> text of what was read."""

    id: str
    name: str
    aliases: tuple[str, ...]
    mistaken_for: tuple[str, ...]
    attack: str
    discriminators: tuple[Discriminator, ...]
    contradictions: tuple[Contradiction, ...]
    sources: Mapping[str, str]

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called."""
        return self.id, self.name, *self.aliases


@dataclass(frozen=True, slots=True)
class Delivery:
    """A loader: it brings families, and names none."""

    id: str
    name: str
    aliases: tuple[str, ...]
    delivers: tuple[str, ...]
    source: str
    verified: bool

    @property
    def names(self) -> tuple[str, ...]:
        """All that it is called."""
        return self.id, self.name, *self.aliases


@dataclass(frozen=True, slots=True)
class Rung:
    """A confidence, and the sets of evidence of which one must be complete."""

    level: str
    any_of: tuple[frozenset[str], ...]


class Families:
    """All families and loaders, ready to be asked."""

    def __init__(self, known: Sequence[Family], loaders: Sequence[Delivery], ladder: Sequence[Rung]) -> None:
        self.known, self.loaders, self.ladder = tuple(known), tuple(loaders), tuple(ladder)
        self._names: dict[str, Family | Delivery] = {
            **{plain(name): one for one in known for name in one.names},
            **{plain(name): one for one in loaders for name in one.names}}
        self._signs = {
            sees: [(family, one, _test(one.sign.any_of)) for family in known for one in family.discriminators
                   if one.sign.sees == sees] for sees in OBSERVABLES}

    def __iter__(self) -> Iterator[Family]:
        return iter(self.known)

    def named(self, text: str) -> tuple[Family | Delivery, ...]:
        """Whom a name speaks of: an alias, or a vendor's name for a file that has one as a word or two of it."""
        words = _WORD.findall(text.lower())
        near = [plain(text), *words, *(one + other for one, other in pairwise(words))]
        found = {id(one): one for word in near if (one := self._names.get(word)) is not None}
        return tuple(found.values())

    def suggested(self, sees: str, value: str) -> tuple[tuple[Family, Discriminator], ...]:
        """The families that a value fits, each with the sign. Raises KeyError for an observable that is none."""
        folded = value.lower()
        return tuple((family, one) for family, one, fits in self._signs[sees] if fits(folded))

    def confidence(self, evidence: Iterable[str]) -> str:
        """What kinds of evidence that agree on a family amount to; "" for none."""
        return confidence(self.ladder, evidence)


def confidence(ladder: Sequence[Rung], evidence: Iterable[str]) -> str:
    """The first rung of which one set is complete."""
    there = frozenset(evidence)
    return next((rung.level for rung in ladder if any(wanted <= there for wanted in rung.any_of)), "")


def plain(name: str) -> str:
    """A name without case, blanks and signs."""
    return "".join(_WORD.findall(name.lower()))


def contradicts(contradiction: Contradiction, sees: str, value: str) -> bool:
    """Whether a value speaks against the family."""
    return contradiction.sign.sees == sees and _test(contradiction.sign.any_of)(value.lower())


def _test(patterns: Sequence[str]) -> Callable[[str], bool]:
    """Whether a text in lower case is as a whole any of the patterns; nothing is ever tried twice (atomic groups)."""
    tests = [re.compile("".join(_expression(pattern.lower())), re.DOTALL) for pattern in patterns]
    return lambda text: any(test.fullmatch(text) is not None for test in tests)


def _expression(pattern: str) -> Iterator[str]:
    first, *middle = (re.escape(part).replace(r"\#", "[0-9a-f]") for part in pattern.split("*"))
    yield first
    if middle:
        *middle, last = middle
        yield from (f"(?>.*?{part})" for part in middle)
        yield f".*{last}"
