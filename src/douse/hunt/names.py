"""How a person's table names hosts and programs, and what of a log such a name fits: wildcards, short host names.

A name has no case. `*` is any text, also across folders, as in Sigma. The cost of a comparison does not grow with
the number of `*`, because the text is an attacker's. No expression is compiled from either.
"""

from __future__ import annotations


class Wildcard:
    """A pattern in which `*` is any text."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern.lower()
        self._parts = self._pattern.split("*")

    @property
    def start(self) -> str:
        """What every text that fits begins with, in lower case."""
        return self._parts[0]

    def fits(self, text: str) -> bool:
        """Whether the whole text fits."""
        low = text.lower()
        first, *others = self._parts
        if not others:
            return low == first
        *middle, last = others
        if not low.startswith(first) or not low.endswith(last) or len(low) < len(first) + len(last):
            return False
        at, end = len(first), len(low) - len(last)
        for part in middle:  # the earliest place leaves the most room for the rest
            found = low.find(part, at, end)
            if found < 0:
                return False
            at = found + len(part)
        return True

    def reaches(self, folder: str) -> bool:
        """Whether a text that begins so (in lower case) can fit."""
        places = self._past_stars({0})
        for char in folder:
            places = self._past_stars({
                place + (self._pattern[place] != "*") for place in places
                if place < len(self._pattern) and self._pattern[place] in ("*", char)})
        return bool(places)

    def _past_stars(self, places: set[int]) -> set[int]:
        """The places in the pattern, and those behind a `*` that stands for nothing."""
        found = set(places)
        for place in places:
            while place < len(self._pattern) and self._pattern[place] == "*":
                place += 1
                found.add(place)
        return found


class HostName:
    """A host as a person names it, exactly or with `*`; a name without a domain is that host's in any domain."""

    def __init__(self, name: str) -> None:
        self._wildcard, self._is_short = Wildcard(name.rstrip(".")), "." not in name.rstrip(".")

    def fits(self, host: str) -> bool:
        """Whether a log's host is meant."""
        return self._wildcard.fits(host) or (self._is_short and self._wildcard.fits(short_name(host)))


def short_name(host: str) -> str:
    """A host's name without its domain; an address stays whole."""
    is_address = ":" in host or host.replace(".", "").isdecimal()
    return host if is_address else host.partition(".")[0]
