r"""Where a connection goes, as a use case counts it: an address and perhaps a name in, one Place out.

    place("203.0.113.9", "cdn.vendor.example")   Place("vendor.example", internal=False)
    place("10.20.0.80", "app.corp.example")      Place("10.20.0.0/24", internal=True)
    place("203.0.113.9", "")                     Place("203.0.113.9", internal=False)

What counts together has to be one owner's. A name counts by its registrable domain, which is taken to be its last two
labels: three below a country's second level (co.uk, com.au) and below a host of many customers (content/sites.yml).
There is no list of public suffixes here, so a suffix that neither covers (k12.ca.us) is taken for a domain, and what
lies below it for one owner's. An internal address counts by its /24 or /64, or by the network that the user named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Final

from douse.content.sites import site_of
from douse.errors import ContentError
from douse.incident.addresses import address_of, is_public

SECOND_LEVEL: Final = frozenset({
    "ac", "co", "com", "edu", "gob", "gov", "gouv", "govt", "gv", "ltd", "mil", "ne", "net", "nom", "or", "org", "plc",
    "sch"})
"""Labels under which countries register domains; they count only before a country's two letters."""

_NAME: Final = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63}){1,20}")
_ORDINARY: Final = {4: 24, 6: 64}

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A destination: `name` is a domain, a network or an address. `internal` is the organisation's own."""

    name: str
    internal: bool = False


class Places:
    """The places of one run, with the networks that its user calls internal. Raises ContentError for what is none."""

    def __init__(self, internal: Iterable[str] = ()) -> None:
        self._networks = tuple(sorted(map(_network, internal), key=lambda one: -one.prefixlen))

    def of(self, address: str, hostname: str) -> Place:
        """The place of an address (may be empty) of which a name may be known (may be empty)."""
        known = address_of(address) or address_of(hostname)
        if known:
            network = self._internal(known)
            if network:
                return Place(network, internal=True)
        name = hostname.lower().rstrip(".")
        if _NAME.fullmatch(name) and not address_of(name):
            return Place(registrable(name))
        return Place(known or name[:255])

    def is_internal(self, address: str) -> bool:
        """Whether an address is the organisation's own."""
        return bool(self._internal(address))

    def _internal(self, address: str) -> str:
        """The network an internal address belongs to, empty for an address of the internet."""
        parsed = ip_address(address)
        for network in self._networks:
            if parsed.version == network.version and parsed in network:
                return str(network)
        if is_public(address):
            return ""
        return str(ip_network(f"{address}/{_ORDINARY[parsed.version]}", strict=False))


@lru_cache(maxsize=4_096)
def registrable(name: str) -> str:
    """The domain that somebody registered, of a host name in small letters."""
    labels = name.split(".")
    site = site_of(name)
    if site is not None and site.kind == "tenant" and name != site.name:
        return ".".join(labels[-site.name.count(".") - 2:])
    country = len(labels) > 2 and len(labels[-1]) == 2 and labels[-2] in SECOND_LEVEL
    return ".".join(labels[-3 if country else -2:])


def _network(text: str) -> Network:
    try:
        return ip_network(text.strip(), strict=False)
    except ValueError:
        raise ContentError("--internal", f"{text[:60]!r} is no network.", "Write it as in 10.20.0.0/16.") from None
