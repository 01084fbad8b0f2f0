r"""Credential stores as data, and the questions about them: whose store is this path, and may this program read it?

    known.match(r"C:\Users\anna\AppData\Roaming\Exodus\exodus.wallet\seed.seco")    # a file path or a registry key
    known.ownership(found, r"C:\Users\anna\Downloads\setup.exe").verdict            # "not an owner"

An owner is known by its full path. Where that lies in a folder only administrators can write to, and the log names no
signer, the owner is one whose signer is unverified; elsewhere the path alone proves little, which `admin_only` says.
All paths are compiled once (paths.py). The counterpart, stores.py, reads the folder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from douse.content.paths import PathTable

EVIDENCE: Mapping[str, str] = {
    "F": "a read of the file (Security 4663 or 4656 with an audit entry, or an EDR)",
    "R": "a read of the registry key (Security 4663 with an audit entry)",
    "K": "a copy of the file (Sysmon 11)",
    "D": "its protection undone by another program (DPAPI 16385)",
    "M": "the memory of its program read (Sysmon 10)",
    "V": "the vault's own records (Security 5376 to 5382)",
}
HOLDS = ("passwords", "sessions", "tokens", "seed", "key", "codes", "cards", "autofill", "history", "mail", "settings",
         "documents")
"""What a file of a store has in it."""

ROTATE = ("sessions", "seed", "passwords", "tokens", "keys", "codes", "cards", "review")
"""What is to be changed, in this order: a stolen session works while passwords are being changed."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a fact was read; `verified` is false for what practitioners say and nobody looked up."""

    id: str
    text: str
    verified: bool


@dataclass(frozen=True, slots=True)
class Owner:
    """A program that reads a store by right: its path, and its signer ("" where nobody looked). A `helper` runs
    whether or not somebody uses the store, so its start does not show that there is one."""

    at: str
    signer: str
    admin_only: bool
    verified: bool
    helper: bool = False


@dataclass(frozen=True, slots=True)
class Contents:
    """Paths or keys of a store, what they hold, and who reads them. `host` is the browser that an extension lies in."""

    at: tuple[str, ...]
    holds: tuple[str, ...]
    verified: bool
    owners: tuple[Owner, ...]
    host: str = ""


@dataclass(frozen=True, slots=True)
class Product:
    """A program whose store it is. `folders` are where it keeps everything, `extensions` its ids inside a browser."""

    name: str
    folders: tuple[str, ...]
    contents: tuple[Contents, ...]
    extensions: tuple[str, ...]
    owners: tuple[Owner, ...]
    verified: bool
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RotateStep:
    """Something to change after a theft, and how."""

    what: str
    text: str


@dataclass(frozen=True, slots=True)
class Store:
    """One kind of credential store. `family` is the sub-family that scoring counts, `evidence` what shows a theft.

    `shared` are places of which only the extension's id in the path says whose they are.
    """

    id: str
    title: str
    family: str
    evidence: tuple[str, ...]
    lost: tuple[str, ...]
    rotate: tuple[RotateStep, ...]
    products: tuple[Product, ...]
    shared: tuple[Contents, ...]
    misses: str
    sources: tuple[Source, ...]

    @property
    def contents(self) -> Iterator[Contents]:
        """All places of the store."""
        yield from self.shared
        for product in self.products:
            yield from product.contents


@dataclass(frozen=True, slots=True)
class Reader:
    """A program that may read every store, and why."""

    name: str
    kind: str
    owner: Owner


@dataclass(frozen=True, slots=True)
class StoreMatch:
    """The store that a path belongs to. `user` is a profile's folder or a SID; `host` the browser of an extension.
    `anywhere` says that only the end of the path tells it, so that it may be a copy."""

    store: Store
    product: str
    holds: tuple[str, ...]
    host: str
    profile: str
    user: str
    verified: bool
    owners: tuple[Owner, ...]
    anywhere: bool = False


@dataclass(frozen=True, slots=True)
class Ownership:
    """Whether a program may read a store. `admin_only` says that only an administrator can have put it there."""

    verdict: str
    admin_only: bool = False
    reader: str = ""


OWNER, UNVERIFIED, STRANGER = "owner", "owner, signer unverified", "not an owner"
_STRANGER = Ownership(STRANGER)
_Entry = tuple[Store, Product | None, Contents, bool]


class Stores:
    """All stores, ready to be asked. `readers` may read any of them; `families` has a word for each sub-family."""

    def __init__(self, known: Sequence[Store], readers: Sequence[Reader], families: Mapping[str, str]) -> None:
        self.known, self.readers, self.families = tuple(known), tuple(readers), dict(families)
        self._by_extension = {(store.id, extension): product for store in known for product in store.products
                              for extension in product.extensions}
        self._readers = {id(reader.owner): reader.name for reader in readers}
        self._paths: PathTable[_Entry] = PathTable()
        self._programs: PathTable[Owner] = PathTable()
        self._add_paths()
        self._add_programs()

    def __iter__(self) -> Iterator[Store]:
        return iter(self.known)

    def match(self, path: str) -> StoreMatch | None:
        """The store that a file path or registry key belongs to, None where it is none of a known store."""
        best = None
        for hit in self._paths.hits(path):
            store, product, contents, anywhere = hit.value
            product = product or self._by_extension.get((store.id, hit.named.get("extension", "")))
            if product is not None and (best is None or hit.rank > best[0]):
                best = hit.rank, StoreMatch(
                    store, product.name, contents.holds, contents.host, hit.named.get("profile", ""), hit.place.user,
                    contents.verified and product.verified, contents.owners, anywhere)
        return best and best[1]

    def ownership(self, found: StoreMatch, image: str, signer: str | None = None) -> Ownership:
        """Whether the program of that full path may read the store. `signer` is one whose signature was checked."""
        return self.ownership_by(found.owners, image, signer)

    def ownership_by(self, owners: Sequence[Owner], image: str, signer: str | None = None) -> Ownership:
        """The same for a store with these owners."""
        allowed = {id(owner) for owner in owners} | self._readers.keys()
        verdicts = [_verdict(hit.value, hit.place.drive, signer, self._readers.get(id(hit.value), ""))
                    for hit in self._programs.hits(image) if id(hit.value) in allowed]
        return max(verdicts, key=lambda one: (one.verdict == OWNER, one.verdict == UNVERIFIED, one.admin_only),
                   default=_STRANGER)

    def of_program(self, image: str) -> tuple[tuple[Store, Product], ...]:
        """The stores and products that a program of that full path owns, where it runs for nothing else."""
        owners = {id(hit.value) for hit in self._programs.hits(image) if not hit.value.helper}
        if not owners:
            return ()
        return tuple((store, product) for store in self.known for product in store.products
                     if any(id(owner) in owners for owner in product.owners))

    def _add_paths(self) -> None:
        for store in self.known:
            for contents in store.shared:
                for at in contents.at:
                    self._paths.add(at, (store, None, contents, _is_anywhere(at)))
            for product in store.products:
                for contents in product.contents:
                    for at in contents.at:
                        self._paths.add(at, (store, product, contents, _is_anywhere(at)))

    def _add_programs(self) -> None:
        owners = {id(owner): owner for store in self.known for contents in store.contents for owner in contents.owners}
        for owner in (*owners.values(), *(reader.owner for reader in self.readers)):
            self._programs.add(owner.at, owner)


def _is_anywhere(at: str) -> bool:
    return at.startswith("**")


def _verdict(owner: Owner, drive: str, signer: str | None, reader: str) -> Ownership:
    """What the path says, with the signer where the log has one. Only the system drive is an administrator's."""
    if drive == "\\\\":
        return _STRANGER
    admin_only = owner.admin_only and drive in ("", "c")
    if signer is None or not owner.signer:
        return Ownership(UNVERIFIED, admin_only, reader)
    return Ownership(OWNER, admin_only, reader) if signer.casefold() == owner.signer.casefold() else _STRANGER
