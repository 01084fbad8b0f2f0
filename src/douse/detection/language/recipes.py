"""A test of one text as data: what it asks in, the function that asks it out. Made when it is first needed.

As data it can be kept in a file (matching/cache.py) and compared, which a function cannot. What a line of a rule means
is decided where recipes are made: questions.py for the kinds of question, texts.py and matching/search.py for values.
A text that cannot be read as what the question is about (no address, no number) does not match; that is no error.
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from douse.detection.language import regex
from douse.detection.language.documents import Mistake
from douse.detection.language.patterns import Glob, Test, Wild, glob_test, number
from douse.detection.language.times import part_of

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Part = Literal["", "minute", "hour", "day", "week", "month", "year"]
Order = Literal["lt", "lte", "gt", "gte", "time"]

MAX_MADE = 2_048
"""Tests kept for the next who asks for the same one; an expression takes a third of a millisecond to compile."""

_LONGEST_ADDRESS = 128
"""Characters, with the zone that an address of IPv6 may have; what is longer is none, and is not remembered."""

_ORDERS: Mapping[Order, Callable[[float, float], bool]] = {
    "lt": operator.lt, "lte": operator.le, "gt": operator.gt, "gte": operator.ge, "time": operator.eq,
}
_WILDS = (Wild.ANY, Wild.ONE)


class Expression(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="re"):
    """Whether an RE2 expression is found, anywhere or at an end. Flags: letters of i, m, s."""

    text: str
    flags: str = ""
    at_start: bool = False
    at_end: bool = False

    def test(self) -> Test:
        return regex.search(self.text, set(self.flags), at_start=self.at_start, at_end=self.at_end)


class InNetwork(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="cidr"):
    """Whether the text is an address of a network; one with host bits is read as the network that it lies in."""

    text: str

    def test(self) -> Test:
        try:
            network = ipaddress.ip_network(self.text, strict=False)
        except ValueError:
            raise Mistake(f"'{self.text}' is no network", "Write it as 10.0.0.0/8 or fc00::/7.") from None
        return lambda text: _inside(text, network)


class Comparison(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="compare"):
    """How the number that a text writes, or that part of the time it writes, compares with a limit."""

    order: Order
    limit: int | float
    part: Part = ""

    def test(self) -> Test:
        compare, limit, part = _ORDERS[self.order], self.limit, self.part

        def test(text: str) -> bool:
            found = part_of(text, part) if part else number(text)
            return found is not None and compare(found, limit)

        return test


class SameNumber(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="number"):
    """Whether the text writes a number, in whatever notation."""

    value: int | float

    def test(self) -> Test:
        value = self.value
        return lambda text: number(text) == value


class Like(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="like"):
    """Whether a glob matches: its texts, with 0 for any characters and 1 for one. `folded`: it wants folded texts."""

    parts: tuple[str | Literal[0, 1], ...]
    folded: bool

    @classmethod
    def of(cls, glob: Glob, folded: bool) -> Like:
        """The recipe for a glob."""
        return cls(tuple(part if isinstance(part, str) else 0 if part is Wild.ANY else 1 for part in glob.parts),
                   folded)

    def test(self) -> Test:
        return glob_test([Glob(tuple(part if isinstance(part, str) else _WILDS[part] for part in self.parts))])


Recipe = Expression | InNetwork | Comparison | SameNumber | Like


@lru_cache(maxsize=MAX_MADE)
def test_of(recipe: Recipe) -> Test:
    """The function that asks what the recipe says. Raises Mistake where that is nonsense."""
    return recipe.test()


def _inside(text: str, network: Network) -> bool:
    return any(address.version == network.version and address in network for address in _addresses(text))


def _addresses(text: str) -> tuple[Address, ...]:
    """The address a text writes, none where it is no address; an IPv4 address inside an IPv6 one counts as both."""
    plain = text.strip()
    return _known_addresses(plain) if len(plain) <= _LONGEST_ADDRESS else ()


@lru_cache(maxsize=4096)
def _known_addresses(text: str) -> tuple[Address, ...]:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return ()
    mapped = getattr(address, "ipv4_mapped", None)
    return (address,) if mapped is None else (address, mapped)
