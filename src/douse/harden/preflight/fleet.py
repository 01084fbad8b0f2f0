"""The hosts that logs name and the computers that an inventory names, brought together.

A host goes by the inventory's name, where it is in there, whatever way its records spell it; else by its own.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from douse.harden.preflight.watch import HostSeen
from douse.hunt.assets import Assets
from douse.model import Asset


class Fleet:
    """Hosts by the name they are shown under."""

    def __init__(self, assets: Assets, hosts: Iterable[HostSeen]) -> None:
        self._assets = assets
        named = sorted(assets.besides(()).items(), key=lambda item: item[0].lower())
        self._name_of_asset: dict[Asset, str] = {}
        for name, asset in named:
            self._name_of_asset.setdefault(asset, name)  # a nameless one with two addresses is one computer
        self.listed: dict[str, Asset] = {name: asset for asset, name in self._name_of_asset.items()}
        self.seen: defaultdict[str, list[HostSeen]] = defaultdict(list)
        self._shown: dict[str, str] = {}
        self._by_address: defaultdict[str, set[str]] = defaultdict(set)
        for host in hosts:
            name = self.name_of(host)
            self.seen[name].append(host)
            self._shown[host.name.lower().rstrip(".")] = name
            for address in host.addresses:
                self._by_address[address].add(name)

    def name_of(self, host: HostSeen) -> str:
        """How a host is shown."""
        asset = self._assets.of(host.name, sorted(host.addresses))
        return self._name_of_asset[asset] if asset is not None else host.name

    def on_days(self, on: Mapping[str, set[int]]) -> dict[str, set[int]]:
        """The days on which each computer of the inventory wrote any record; `on` is by the names in records."""
        found: defaultdict[str, set[int]] = defaultdict(set)
        for host, days in on.items():
            asset = self._assets.of(host)
            name = self._name_of_asset[asset] if asset is not None else self._shown.get(host)
            if name is not None:
                found[name] |= days
        return found

    def host_at(self, address: str) -> str:
        """The host that has an address, by the inventory, else by its own records; empty where it is not one host's."""
        asset = self._assets.of(address)
        if asset is not None:
            return self._name_of_asset[asset]
        names = self._by_address.get(address, set())
        return next(iter(names)) if len(names) == 1 else ""

    @property
    def unlisted(self) -> tuple[str, ...]:
        """Hosts that only logs name."""
        names = (name for name in self.seen if name not in self.listed)
        return tuple(sorted(names, key=lambda name: (name.lower(), name)))

    def of(self, name: str) -> Sequence[HostSeen]:
        """What logs say of a host."""
        return self.seen.get(name, [])
