"""Which store is an alert of class C about: a mark in, the accesses that its record shows out.

A record may name the store's file or key, the browser whose memory was read, or only a command or script in which its
path stands; the rule's tag says the sub-family where all else fails. What a record does not tell is left out: `holds`
is empty where nobody knows what was taken, the product is the sub-family's word where nobody knows whose store it was.
Counterpart: impact.py, which adds the accesses up.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from douse.content.store_table import HOLDS, Contents, Product, Store, StoreMatch
from douse.content.stores import stores
from douse.incident.entities import SYSMON, image_name, kind_of, object_of, target_of
from douse.incident.link import Links
from douse.incident.marks import Mark, PlacedAlert
from douse.incident.named_stores import held_by_family, named_in, plain_text
from douse.incident.stores_seen import is_owner, store_at

HEURISTIC = 0.7
"""The fidelity of a rule that may err but does not guess; below it, a record that names no store shows no access."""

UNKNOWN_STORE = "a store that the record does not name"
VAULT, VAULT_ENTRIES = "vault", ("passwords", "tokens")
"""The sub-family of Credential Manager, and what its entries hold."""

_MEMORY = ("passwords", "sessions")  # what a browser keeps decrypted in memory (threat model, 4)
_DEBUGGED = ("sessions",)  # a browser that is commanded hands out cookies
_PROFILE = re.compile(r"\\users\\([^\\\"'|<>:*?\r\n]{1,64})\\", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Access:
    """One record's access to one store. `user` is as the record or path names the owner; `sure` is false where a rule
    only guesses; `what` is the file, key or program that the record names."""

    store: str
    family: str
    product: str
    user: str
    holds: tuple[str, ...]
    verified: bool
    sure: bool
    time: datetime
    process: str
    alert_ids: tuple[str, ...]
    channel: str
    record_id: int
    what: str


@dataclass(frozen=True, slots=True)
class _Found:
    """A store as a record names it."""

    store: str
    family: str
    product: str
    holds: tuple[str, ...]
    verified: bool
    user: str = ""
    what: str = ""
    exact: bool = False


def accesses(mark: Mark, links: Links) -> Iterator[Access]:
    """The accesses that a mark of class C shows; none where a browser in its own folder reads (it imports)."""
    if mark.letter != "C" or mark.placed is None:
        return
    item = mark.placed
    for found in _found(item, links):
        yield Access(
            found.store, found.family, found.product, found.user or item.user, found.holds, found.verified,
            found.exact or item.alert.fidelity >= HEURISTIC, mark.time, _program(item, links), mark.alert_ids,
            item.alert.channel, item.alert.record_id, found.what)


def _found(item: PlacedAlert, links: Links) -> list[_Found]:
    if item.process is not None and not item.is_start and links.cuts(item.process, item.alert.time):
        return []
    path = object_of(item.get)
    touched = store_at(path) if path else None
    if touched is not None:
        return [_of_match(touched, path)] if _is_stranger(item, touched, links) else []
    return _by_program(item) or _by_text(item, path) or [_by_family(item, path)]


def _of_match(touched: StoreMatch, path: str) -> _Found:
    return _Found(touched.store.id, touched.store.family, touched.product, touched.holds, touched.verified,
                  touched.user, image_name(path), exact=not touched.anywhere)


def _is_stranger(item: PlacedAlert, touched: StoreMatch, links: Links) -> bool:
    """Whether somebody else than the store's owner is at work; an owner whom somebody injected into is a stranger."""
    if item.process is None:
        return True
    since = links.injected.get(item.process)
    image = item.actor.image or links.table[item.process].image
    return (since is not None and since <= item.alert.time) or not is_owner(touched, image)


def _program(item: PlacedAlert, links: Links) -> str:
    """Who accessed it; of a browser that was started to be commanded, who started it."""
    if item.process is None:
        return ""
    process = links.table[item.process]
    if item.is_start and process.parent is not None and stores().of_program(process.image):
        process = links.table[process.parent]
    return process.name


def _by_program(item: PlacedAlert) -> list[_Found]:
    """The browser whose memory was read, that was commanded, or whose key was decrypted."""
    alert = item.alert
    target = target_of(alert.channel, alert.event_id, item.get)
    if target is not None:
        return [_Found(store.id, store.family, product.name, _MEMORY, product.verified, target.user_name,
                       f"memory of {image_name(target.image)}") for store, product in _owned(target.image)]
    if item.is_start:
        return [_Found(store.id, store.family, product.name, _DEBUGGED, product.verified, "",
                       f"{image_name(item.actor.image)} under command") for store, product in _owned(item.actor.image)]
    label = item.get("DataDescription").lower()
    return [_Found(store.id, store.family, product.name, ("key",), product.verified, "", "the key, decrypted")
            for store, product in _browsers() if label and product.name.lower().split()[0] in label.split()]


def _owned(image: str) -> list[tuple[Store, Product]]:
    return [(store, product) for store, product in stores().of_program(image) if "M" in store.evidence]


@cache
def _browsers() -> tuple[tuple[Store, Product], ...]:
    return tuple((store, product) for store in stores() if "M" in store.evidence for product in store.products
                 if product.owners or product.name == "Chromium")


# ── stores that a text names ──────────────────────────────────────────────────────────────────────────────────────


def _by_text(item: PlacedAlert, path: str) -> list[_Found]:
    """The stores whose folder, file or extension stands in a command, a script or an odd path."""
    text = "\n".join(filter(None, (item.get("CommandLine"), item.get("ScriptBlockText"), path)))
    folder = _PROFILE.search(text.replace("/", "\\"))
    return [_Found(store.id, store.family, product.name, holds, product.verified, folder.group(1) if folder else "",
                   "its path in a command or script")
            for store, product, holds in named_in(text)
            if not item.alert.store or store.family == item.alert.store]


# ── stores of which only the sub-family is known ──────────────────────────────────────────────────────────────────


def _by_family(item: PlacedAlert, path: str) -> _Found:
    family = item.alert.store
    kinds = [store for store in stores() if store.family == family]
    owner = _PROFILE.search(path.replace("/", "\\"))
    user = owner.group(1) if owner else ""
    what = image_name(path) if path else item.alert.title
    if not kinds:
        return _Found("", family, stores().families.get(family, UNKNOWN_STORE), (), True, user, what)
    if family == VAULT:
        return _Found(kinds[0].id, family, kinds[0].products[0].name, VAULT_ENTRIES, True, user, what)
    only = kinds[0].id if len(kinds) == 1 else ""
    plain = plain_text("\n".join(filter(None, (path, item.get("CommandLine"), item.get("ScriptBlockText")))))
    return _Found(only, family, stores().families[family], held_by_family(family, plain), True, user, what)


def _all(contents: Iterable[Contents]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(holds for one in contents for holds in one.holds))


@cache
def kinds_of(store: str, product: str) -> tuple[str, ...]:
    """All that a product's store holds, in the order of the store table; of an unknown product what any of them does.
    Empty for an unknown store."""
    found = next((one for one in stores() if one.id == store), None)
    if found is None:
        return ()
    known = next((one for one in found.products if one.name == product), None)
    if known is None:
        return in_order(_all(found.contents))
    return in_order((*_all(known.contents), *(_all(found.shared) if known.extensions else ())))


def in_order(kinds: Iterable[str]) -> tuple[str, ...]:
    """The words of HOLDS in its order."""
    given = set(kinds)
    return tuple(word for word in HOLDS if word in given)


def log_name(channel: str) -> str:
    """What an analyst calls a log."""
    return "Sysmon" if kind_of(channel) == SYSMON and channel.lower() == SYSMON else channel
