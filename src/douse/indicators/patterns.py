"""A STIX pattern in, the values it looks for out: comparisons for equality that are joined by OR.

    [domain-name:value = 'bad.example'] OR [file:hashes.'SHA-256' = '...']

Everything else (AND, FOLLOWEDBY, LIKE, a time window, ...) looks for more than one thing, or for one that a look-up
cannot find: it is told as not convertible, and what beside it can be converted is. One plain comparison, which is what
feeds write, is read by an expression, a hundred times as fast as by the grammar of stix2-patterns; that library is
loaded for whatever else it may be.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from douse.errors import ContentError

LONGEST: Final = 100_000
"""Characters of a pattern; the grammar takes a quarter of a second for as many."""

PATHS: Final = frozenset({
    "domain-name:value", "url:value", "ipv4-addr:value", "ipv6-addr:value", "network-traffic:dst_ref.value",
    "file:hashes.MD5", "file:hashes.SHA1", "file:hashes.SHA256"})
"""What can be looked up. Hashes are named with and without a dash, in any case."""

_PLAIN: Final = re.compile(r"\s*\[\s*([a-z0-9-]+):([A-Za-z0-9_.'-]+?)\s*=\s*'((?:[^'\\]|\\['\\])*)'\s*\]\s*", re.DOTALL)
_HASH: Final = re.compile(r"(file:hashes\.)(.*)")


@dataclass(frozen=True, slots=True)
class Pattern:
    """The values that a pattern looks for, and the reasons for which parts of it are not convertible."""

    values: tuple[str, ...]
    rest: tuple[str, ...]


def read_pattern(text: str) -> Pattern:
    """What a pattern looks for. Raises ContentError where stix2-patterns is needed and not installed."""
    if len(text) > LONGEST:
        return Pattern((), (f"it is longer than {LONGEST:,} characters",))
    if plain := _PLAIN.fullmatch(text):
        return sorted_out([(f"{plain[1]}:{plain[2]}", plain[3].replace("\\'", "'").replace("\\\\", "\\"))], [])
    try:
        from douse.indicators.grammar import compared
    except ImportError:
        raise ContentError("--ioc", "a STIX pattern needs the library stix2-patterns, which is not installed.",
                           "Run: pip install stix2-patterns") from None
    return compared(text)


def sorted_out(comparisons: list[tuple[str, str]], rest: list[str]) -> Pattern:
    """The values of those comparisons (path, value) that can be looked up; the others join the rest."""
    values = []
    for path, value in comparisons:
        if path_of(path) in PATHS:
            values.append(value)
        else:
            rest.append(f"it compares {path}, which is not looked up")
    return Pattern(tuple(dict.fromkeys(values)), tuple(dict.fromkeys(rest)))


def path_of(path: str) -> str:
    """A path in one spelling: `file:hashes.'sha-256'` is `file:hashes.SHA256`."""
    plain = path.replace("'", "")
    found = _HASH.fullmatch(plain)
    return found[1] + found[2].replace("-", "").upper() if found else plain
