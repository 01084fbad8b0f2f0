"""The inventory of an audit: which computers there should be (`hosts.csv`, the columns of `hunt --assets`).

    known = read_inventory(Path("hosts.csv"))
    known.of("PC-7.corp.example")        Asset, None where the inventory does not have it
    known.missing(["PC-7"])              those that no evidence was given of

A host without evidence is no host without findings: it appears, and everything of it is unknown.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from douse.harden.finding import Asset
from douse.hunt.assets import Assets, read_assets
from douse.model import Asset as Listed


class Inventory:
    """The computers of an inventory; of none, every host is fine and none is missing."""

    def __init__(self, assets: Assets | None = None) -> None:
        self._assets = assets

    @property
    def given(self) -> bool:
        """Whether there is one."""
        return self._assets is not None

    def of(self, host: str) -> Asset | None:
        """What it says of a host, by its short or whole name."""
        found = self._assets.of(host) if self._assets is not None else None
        return _asset(found, host) if found is not None else None

    def missing(self, hosts: Iterable[str]) -> tuple[Asset, ...]:
        """Its computers that are none of these hosts, by name or else by address, sorted."""
        if self._assets is None:
            return ()
        found = [listed for host in hosts if (listed := self._assets.of(host)) is not None]
        return tuple(sorted((_asset(listed, name) for name, listed in self._assets.besides(found).items()),
                            key=lambda asset: asset.host.casefold()))


def read_inventory(path: Path | None) -> Inventory:
    """The inventory of a file, an empty one for None. ContentError with file and line where it does not follow the
    format."""
    return Inventory(read_assets([path])) if path is not None else Inventory()


def _asset(listed: Listed, name: str) -> Asset:
    return Asset(listed.name or name, listed.role, listed.owner, listed.criticality)
