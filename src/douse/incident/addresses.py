"""IP addresses in the ways logs write them in, one spelling out, and which of them lie in the internet.

What is asked again and again is remembered; what is too long for an address is not even looked at, so that what a
log's author chose cannot fill the memory.
"""

from __future__ import annotations

from functools import cache, lru_cache
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final

LONGEST: Final = 64
"""Characters; the longest address, IPv4 within IPv6, has 45."""

_PRIVATE: Final = (
    "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16",
    "224.0.0.0/3", "::/127", "fc00::/7", "fe80::/10", "ff00::/8")
# Not ipaddress.is_global: it calls the documentation ranges private, and those are what examples and demos use.


def spelled(text: str) -> str:
    """An address as it is usually written, IPv4 where it is only wrapped in IPv6; empty where it is none.

    The zone behind a "%" means something on the host alone and is left out.
    """
    plain = text.strip().partition("%")[0]
    return _known(plain)[0] if len(plain) <= LONGEST else ""


def address_of(text: str) -> str:
    """The same, also empty for what means the host itself."""
    plain = text.strip().partition("%")[0]
    found, own = _known(plain) if len(plain) <= LONGEST else ("", False)
    return "" if own else found


def is_public(address: str) -> bool:
    """Whether an address lies outside every private, local and multicast range."""
    return len(address) <= LONGEST and _is_public(address)


@lru_cache(maxsize=10_000)
def _known(text: str) -> tuple[str, bool]:
    """An address in its spelling, and whether it means the host itself."""
    try:
        address = ip_address(text)
    except ValueError:
        return "", False
    plain = (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address
    return str(plain), plain.is_loopback or plain.is_unspecified


@lru_cache(maxsize=10_000)
def _is_public(address: str) -> bool:
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    bits = int(parsed)
    return not any(bits & mask == network for network, mask in _networks(parsed.version))


@cache
def _networks(version: int) -> tuple[tuple[int, int], ...]:
    """The private networks of IPv4 or IPv6 as numbers, each with its mask."""
    networks = map(ip_network, _PRIVATE)
    return tuple((int(one.network_address), int(one.netmask)) for one in networks if one.version == version)
