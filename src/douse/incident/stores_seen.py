"""Which credential stores a host has, for whom, and whether reads of them are logged: records in, small notes out.

A store is there if a record shows it: its file was read or written, or a person ran its own program. Of each user and
product one StoreSeen is kept, with the earliest such record. It is "audited" for the kinds of content whose reads were
logged, by whomever: a log in which Chrome itself reads Cookies would have shown a thief who does. Entries of the vault
that Windows handed out (5379, 5382) are kept by name, because that is what must be changed. Used by facts.py.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cache, lru_cache
from sys import intern
from zlib import crc32

from douse.content.store_table import STRANGER, Owner, StoreMatch
from douse.content.stores import stores
from douse.incident.entities import (
    SECURITY,
    Get,
    actor_of,
    event_getter,
    image_name,
    number,
    process_of,
)
from douse.incident.newest import MAX_TEXT, text_kept
from douse.incident.people import is_system
from douse.model import Event

READ, ACCESSED, WRITTEN = "read by", "accessed by", "written by"
STARTED, ENDED, CONNECTED, HANDED_OUT = PROGRAM_DID = ("started", "ended", "used the network", "handed out an entry")
"""How a record shows that a store is there: what happened to its file, or what its own program did. Only a read of
content shows that reads are logged."""

_REMEMBERED = 8_192
_LONGEST_REMEMBERED = 400
_READ_DATA, _LIST_KEYS = 0x1, 0x8
_DESCRIBED = 64  # characters of a program's name
_PERSONAL = re.compile(r"(?:users?|hku|hkcu)[\\/]", re.IGNORECASE)
_PASSING = re.compile(r"\.tmp$|\\(?:cache_data|code cache|gpucache|cachestorage)\\", re.IGNORECASE)
"""Files that a browser writes by the thousand beside its stores; a store is shown by others soon enough."""
_MOST_PROGRAMS = 4_096


@dataclass(frozen=True, slots=True)
class StoreSeen:
    """One user's store of one product. `user` is a profile's folder, a SID or an account as the log names it; the
    record is the earliest that shows the store; `audited` are the kinds of content whose reads are logged, in order."""

    user: str
    store: str
    product: str
    time: datetime
    channel: str
    record_id: int
    how: str
    program: str
    verified: bool
    audited: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, str, str]:
        """What there is one record of."""
        return self.user.lower(), self.store, self.product

    def with_(self, other: StoreSeen) -> StoreSeen:
        """Both in one, whichever came first."""
        earliest = min(self, other, key=lambda one: (one.time, one.channel, one.record_id, one.how, one.program,
                                                     one.user, one.verified))
        return replace(earliest, audited=tuple(sorted({*self.audited, *other.audited})))


@dataclass(slots=True)
class KnownStores:
    """At most `limit` stores of a host, in memory up to a quarter more. Which are kept over the limit depends on their
    names alone, so that neither the order of records nor of workers changes it."""

    limit: int
    seen: dict[tuple[str, str, str], StoreSeen] = field(default_factory=dict)
    trimmed: bool = False
    noted: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """Since when a program (GUID, image) is taken in. It only saves work, so it is forgotten when it grows."""

    def add(self, one: StoreSeen) -> None:
        """Take in what a record shows."""
        old = self.seen.get(one.key)
        self.seen[one.key] = one if old is None else old.with_(one)
        if len(self.seen) > self.limit + self.limit // 4 + 1:
            self._trim()

    def note(self, guid: str, image: str, time: datetime) -> None:
        """Remember that a program's record of that time was taken in."""
        if len(self.noted) >= _MOST_PROGRAMS:
            self.noted.clear()
        if guid:
            self.noted[guid, image] = time

    def merge(self, other: KnownStores) -> None:
        """Take in what another worker kept."""
        for one in other.seen.values():
            self.add(one)
        self.trimmed = self.trimmed or other.trimmed

    def in_order(self) -> tuple[StoreSeen, ...]:
        """The stores by user and name; no more than `limit`."""
        self._trim()
        return tuple(self.seen[key] for key in sorted(self.seen))

    def _trim(self) -> None:
        if len(self.seen) > self.limit:
            kept = sorted(self.seen, key=lambda key: (crc32(repr(key).encode("utf-8", "backslashreplace")), key))
            self.seen = {key: self.seen[key] for key in kept[:self.limit]}
            self.trimmed = True


@dataclass(frozen=True, slots=True, order=True)
class VaultRead:
    """Windows handed out a named entry of a user's vault (Security 5382) or of Credential Manager (5379). `pid` and
    `created`, as the record writes it, are those of the program that asked."""

    time: datetime
    pid: int
    created: str
    user_sid: str
    user_name: str
    target: str
    identity: str
    packaged: bool
    channel: str
    record_id: int


@lru_cache(maxsize=_REMEMBERED)
def _remembered(path: str) -> StoreMatch | None:
    return stores().match(path)


def store_at(path: str) -> StoreMatch | None:
    """The store that a path or key belongs to; programs read and write the same files all day."""
    return _remembered(path) if len(path) <= _LONGEST_REMEMBERED else stores().match(path)


@lru_cache(maxsize=_REMEMBERED)
def _owns(owners: tuple[Owner, ...], image: str) -> bool:
    return stores().ownership_by(owners, image).verdict != STRANGER


def is_owner(found: StoreMatch, image: str) -> bool:
    """Whether a program may read a store by its path; thousands of accesses are by one program."""
    return len(image) <= _LONGEST_REMEMBERED and _owns(found.owners, image)


def personal_store_at(path: str) -> StoreMatch | None:
    """The store at a path below somebody's profile or hive, asked in a way that costs little for other paths."""
    if _PERSONAL.search(path) is None:
        return None
    found = store_at(path)
    return found if found is not None and found.user else None


def written_store_at(path: str) -> StoreMatch | None:
    """The same for a file that was created."""
    return None if _PASSING.search(path) is not None else personal_store_at(path)


@lru_cache(maxsize=_REMEMBERED)
def _owned(image: str) -> tuple[tuple[str, str, bool], ...]:
    return tuple((store.id, product.name, product.verified) for store, product in stores().of_program(image))


def program_ran(known: KnownStores, event: Event, guid: str, image: str, how: str) -> None:
    """Note the stores that a program shows which a person runs, for it is those stores' own."""
    owned = _owned(image) if 0 < len(image) <= _LONGEST_REMEMBERED else ()
    if not owned:
        return
    since = known.noted.get((guid, image)) if guid else None
    if since is not None and since < event.time:
        return
    known.note(guid, image, event.time)
    actor = actor_of(event.channel, event.event_id, event_getter(event))
    user = text_kept(actor.user_name or actor.user_sid)
    if not user or is_system(actor.user_sid, actor.user_name):
        return
    for store, product, verified in owned:
        old = known.seen.get((user.lower(), store, product))
        if old is None or old.time >= event.time:
            known.add(StoreSeen(user, intern(store), intern(product), event.time, intern(event.channel),
                                event.record_id, how, text_kept(image_name(image)[-_DESCRIBED:]), verified))


def file_touched(known: KnownStores, event: Event, found: StoreMatch, how: str) -> None:
    """Note what a read or a write of a user's file or key shows.

    A copy of a profile lies anywhere, so such a path shows a store only if the store's own program uses it there.
    """
    audited = found.holds if how == READ else ()
    old = known.seen.get((found.user[:MAX_TEXT].lower(), found.store.id, found.product))
    if old is not None and old.time < event.time and set(old.audited).issuperset(audited):
        return
    _, _, image = process_of(event.channel, event.event_id, event_getter(event))
    if found.anywhere and not is_owner(found, image):
        return
    known.add(StoreSeen(
        text_kept(found.user), intern(found.store.id), intern(found.product), event.time, intern(event.channel),
        event.record_id, how, text_kept(image_name(image)[-_DESCRIBED:]), found.verified, tuple(sorted(audited))))


def is_read(event: Event) -> bool:
    """Whether an access record is one of content: reads data of a file, a value or the sub-keys of a key. A record
    that does not say (Defender for Endpoint) is one of a read."""
    mask = event.text("AccessMask")
    if not mask:
        return True
    return bool(number(mask) & (_READ_DATA | (_LIST_KEYS if event.text("ObjectType").lower() == "key" else 0)))


_NOISE = ("microsoftaccount:target=sso_pop", "windowslive:target=virtualapp/", "snapshotencryption",
          "microsoft_windows_shell_zipfolder:", "sso_pop")
"""How targets begin that Windows asks for all day and nobody can change."""


def entry_read(event: Event) -> VaultRead | None:
    """The entry that a vault record names, None where it names none, none was returned, or it is Windows' own."""
    get = event_getter(event)
    target = get("Resource" if event.event_id == 5382 else "TargetName")[:MAX_TEXT]
    if not target or target.endswith("*") or target.lower().startswith(_NOISE):
        return None
    if number(get("ReturnCode")) or get("CountOfCredentialsReturned") == "0":
        return None
    return _vault_read(event, get, target)


def vault_seen(entry: VaultRead) -> StoreSeen | None:
    """The vault that an entry was read from, None where the record does not say whose it is."""
    user = entry.user_name or entry.user_sid
    store, product = _vault()
    return StoreSeen(user, store, product, entry.time, entry.channel, entry.record_id, HANDED_OUT, "Windows",
                     True) if user else None


@cache
def _vault() -> tuple[str, str]:
    return next((store.id, store.products[0].name) for store in stores() if store.family == "vault")


def _vault_read(event: Event, get: Get, target: str) -> VaultRead | None:
    asked = actor_of(SECURITY, event.event_id, get)
    if is_system(asked.user_sid, asked.user_name):
        return None
    return VaultRead(
        event.time, asked.pid, intern(get("ProcessCreationTime")[:_DESCRIBED]), intern(asked.user_sid),
        text_kept(asked.user_name), target, get("Identity")[:MAX_TEXT], bool(get("PackageSid")), intern(event.channel),
        event.record_id)
