"""Where connections go, as use cases count it."""

from __future__ import annotations

import pytest

from douse.errors import ContentError
from douse.harden.preflight.places import Place, Places


@pytest.mark.parametrize(("address", "name", "place"), [
    ("203.0.113.9", "cdn.vendor.example", Place("vendor.example")),
    ("203.0.113.9", "", Place("203.0.113.9")),
    ("", "www.shop.co.uk", Place("shop.co.uk")),
    ("", "a.b.kunde.com.au.", Place("kunde.com.au")),
    ("", "co.uk", Place("co.uk")),
    ("", "x.anna.github.io", Place("anna.github.io")),
    ("", "github.io", Place("github.io")),
    ("10.20.0.80", "app.corp.example", Place("10.20.0.0/24", internal=True)),
    ("", "10.20.0.80", Place("10.20.0.0/24", internal=True)),
    ("fd00::1", "", Place("fd00::/64", internal=True)),
    ("::ffff:203.0.113.9", "", Place("203.0.113.9")),
    ("", "intranet", Place("intranet")),
    ("", "a" * 400, Place("a" * 255)),
])
def test_places(address: str, name: str, place: Place) -> None:
    assert Places().of(address, name) == place


def test_networks_that_the_user_names_are_one_place_and_internal() -> None:
    places = Places(["198.51.100.0/24", "10.0.0.0/8", "10.20.0.0/16"])
    assert places.of("198.51.100.7", "www.corp.example") == Place("198.51.100.0/24", internal=True)
    assert places.of("10.20.9.9", "") == Place("10.20.0.0/16", internal=True)
    assert places.of("10.30.9.9", "") == Place("10.0.0.0/8", internal=True)
    with pytest.raises(ContentError, match="no network"):
        Places(["corp"])
