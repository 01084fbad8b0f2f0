"""The questions a line can ask of a field other than its text: re, cidr, exists, fieldref and the comparisons.

A Draft's value in, a Pattern out. A field that cannot be read as what the question is about (no address, no number)
does not match; that is never an error. The counterpart, texts.py, has the questions about text, which are most of them.
"""

from __future__ import annotations

import ipaddress
import operator
from collections.abc import Callable, Mapping
from functools import lru_cache

from douse.detection import regex
from douse.detection.documents import Mistake, Scalar
from douse.detection.modifiers import Draft, Value
from douse.detection.patterns import Glob, number
from douse.detection.reference import Found, Item, Pattern
from douse.detection.texts import combined, each, finder
from douse.detection.view import View

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_COMPARISONS: Mapping[str, tuple[str, Callable[[float, float], bool]]] = {
    "lt": ("<", operator.lt), "lte": ("<=", operator.le), "gt": (">", operator.gt), "gte": (">=", operator.ge),
}


def other_item(field: str, draft: Draft) -> Item:
    """A line that asks something else of the field than its text."""
    if not field and draft.kind != "re":
        raise Mistake(f"'{draft.kind}' needs a field", "Write 'Field|" + draft.kind + "'.")
    make = _KINDS[draft.kind]
    patterns = tuple(tuple(make(field, _scalar(value), draft) for value in group) for group in draft.values)
    tests = [_found_any(group) for group in patterns] if draft.every else [
        _found_any(tuple(pattern for group in patterns for pattern in group))]
    return Item(field, patterns, draft.every, draft.negated, None, combined(tests, draft.negated))


def _scalar(value: Value) -> Scalar:
    """The value as the rule writes it: no word that rewrites values can stand beside these kinds."""
    if isinstance(value, Glob | bytes):
        raise TypeError(f"a rewritten value reached a question that is not about text: {value!r}")
    return value


def _found_any(patterns: tuple[Pattern, ...]) -> Callable[[View], bool]:
    return lambda view: any(pattern.find(view) is not None for pattern in patterns)


def _regex(field: str, value: Scalar, draft: Draft) -> Pattern:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise Mistake("'re' needs an expression", "Quote it.")
    test = regex.search(str(value), draft.flags, at_start=draft.open_end and not draft.open_start,
                        at_end=draft.open_start and not draft.open_end)
    return Pattern(f"/{value}/{''.join(sorted(draft.flags))}", finder(field, test))


def _cidr(field: str, value: Scalar, _draft: Draft) -> Pattern:
    try:
        network = ipaddress.ip_network(str(value), strict=False)
    except ValueError:
        raise Mistake(f"'{value}' is no network", "Write it as 10.0.0.0/8 or fc00::/7.") from None
    return Pattern(str(value), finder(field, lambda text: _inside(text, network)))


def _inside(text: str, network: Network) -> bool:
    return any(address.version == network.version and address in network for address in _addresses(text))


@lru_cache(maxsize=4096)
def _addresses(text: str) -> tuple[Address, ...]:
    """The address a text writes, none where it is no address; an IPv4 address inside an IPv6 one counts as both."""
    try:
        address = ipaddress.ip_address(text.strip())
    except ValueError:
        return ()
    mapped = getattr(address, "ipv4_mapped", None)
    return (address,) if mapped is None else (address, mapped)


def _exists(field: str, value: Scalar, _draft: Draft) -> Pattern:
    wanted = {"true": True, "false": False}.get(str(value).lower())
    if wanted is None:
        raise Mistake(f"'exists' needs true or false, not '{value}'", "Write 'exists: true'.")
    return Pattern(f"exists: {str(wanted).lower()}",
                   lambda view: (field, " ".join(each(view.raw[field]))) if view.has(field) is wanted else None)


def _compare(field: str, value: Scalar, draft: Draft) -> Pattern:
    limit = number(str(value))
    if limit is None:
        raise Mistake(f"'{draft.kind}' needs a number, not '{value}'", "Write a number without quotes.")
    sign, compare = _COMPARISONS[draft.kind]

    def test(text: str) -> bool:
        found = number(text)
        return found is not None and compare(found, limit)

    return Pattern(f"{sign} {value}", finder(field, test))


def _fieldref(field: str, value: Scalar, draft: Draft) -> Pattern:
    if not isinstance(value, str) or not value:
        raise Mistake("'fieldref' needs the name of another field", "Write it as text.")
    other, name = "".join(value.split()), f"the field {value}"
    related = _RELATIONS[draft.open_start, draft.open_end]

    def find(view: View) -> Found | None:
        mine, theirs = (view.raw, view.raw) if draft.cased else (view.folded, view.folded)
        for text, shown in zip(each(mine[field]), each(view.raw[field]), strict=True):
            if any(related(text, reference) for reference in each(theirs[other])):
                return field, shown
        return None

    return Pattern(name, find)


_RELATIONS: Mapping[tuple[bool, bool], Callable[[str, str], bool]] = {
    (False, False): operator.eq,
    (False, True): lambda text, other: other != "" and text.startswith(other),
    (True, False): lambda text, other: other != "" and text.endswith(other),
    (True, True): lambda text, other: other != "" and other in text,
}
"""How a field relates to another, by where it is open. An empty other field is part of nothing."""

_KINDS: Mapping[str, Callable[[str, Scalar, Draft], Pattern]] = {
    "re": _regex, "cidr": _cidr, "exists": _exists, "fieldref": _fieldref,
    "lt": _compare, "lte": _compare, "gt": _compare, "gte": _compare,
}
