"""Addresses in one spelling, and which of them are the internet's."""

from __future__ import annotations

import pytest

from douse.incident import addresses
from douse.incident.addresses import LONGEST, address_of, is_public, spelled


@pytest.mark.parametrize(("text", "shown", "of"), [
    ("203.0.113.9", "203.0.113.9", "203.0.113.9"), (" 2001:DB8:0:0::1 ", "2001:db8::1", "2001:db8::1"),
    ("::ffff:198.51.100.7", "198.51.100.7", "198.51.100.7"), ("fe80::1%12", "fe80::1", "fe80::1"),
    ("127.0.0.1", "127.0.0.1", ""), ("::1", "::1", ""), ("::", "::", ""),
    ("0.0.0.0", "0.0.0.0", ""),  # noqa: S104 - a text
    ("", "", ""), ("-", "", ""), ("host.example", "", ""), ("1.2.3", "", ""), ("010.1.1.1", "", ""),
])
def test_an_address_has_one_spelling(text: str, shown: str, of: str) -> None:
    assert (spelled(text), address_of(text)) == (shown, of)


def test_documentation_addresses_are_public_here() -> None:
    assert all(map(is_public, ("203.0.113.1", "198.51.100.1", "192.0.2.1", "2001:db8::1", "8.8.8.8")))
    assert not any(map(is_public, ("172.20.0.1", "100.64.0.1", "fd00::1", "::1", "255.255.255.255", "", "x")))


def test_what_is_too_long_for_an_address_is_none_and_is_not_remembered() -> None:
    known = addresses._known.cache_info().currsize, addresses._is_public.cache_info().currsize
    for text in ("1" * (LONGEST + 1), "::1:" * 5_000, "x" * 1_000_000):
        assert (spelled(text), address_of(text), is_public(text)) == ("", "", False)
    assert known == (addresses._known.cache_info().currsize, addresses._is_public.cache_info().currsize)
    assert spelled(" " * 1_000 + "8.8.8.8%" + "x" * 1_000) == "8.8.8.8"
