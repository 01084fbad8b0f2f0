"""What correlation must know beyond alerts: process starts and ends, connections to public addresses, dropped programs,
and which credential stores there are (stores_seen.py).

`Facts.observe` sees every event that `interests()` names and keeps a small record of it; `Facts.host` hands one host's
records to `correlate`. Everything is keyed by content, so reading a record twice, in another order or in another worker
(`merge`) changes nothing. Each kind is bounded per host (LIMITS); over the bound the newest are kept and the host is
marked `trimmed`, which becomes a blind spot. Bytes kept, measured with tracemalloc on CPython 3.11: 960 for a start
with a 200-character command line, 410 for an end, 700 for a connection, 620 for a drop: about 225 MB for a host that is
full; 740 for a store and 1,110 for an entry of a vault add less than 4 MB. Texts are cut at MAX_TEXT (newest.py), so
that one whose author chose only the longest keeps 1 GB at the most.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern

from douse.incident.addresses import is_public
from douse.incident.entities import (
    SECURITY,
    SYSMON,
    actor_of,
    destination_of,
    event_getter,
    image_name,
    parent_of,
    process_of,
)
from douse.incident.newest import MAX_TEXT, Newest, path_kept, text_kept
from douse.incident.stores_seen import (
    ACCESSED,
    CONNECTED,
    ENDED,
    READ,
    STARTED,
    WRITTEN,
    KnownStores,
    StoreSeen,
    VaultRead,
    entry_read,
    file_touched,
    is_read,
    personal_store_at,
    program_ran,
    vault_seen,
    written_store_at,
)
from douse.model import Event, Interest

LIMITS = {"starts": 100_000, "ends": 100_000, "connections": 100_000, "drops": 25_000, "stores": 2_000,
          "entries": 2_000}
"""How many records of each kind one host may keep."""

BUCKET = 10
"""Seconds in which repeated connections of one process to one destination are kept as one."""

_RUNNABLE = re.compile(
    r"\.(?:exe|dll|com|pif|scr|cpl|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|msi|msix|lnk|url|jar|py|a3x|au3)$", re.I)


@dataclass(frozen=True, slots=True, order=True)
class ProcessStart:
    """A process began: Sysmon 1 or Security 4688."""

    time: datetime
    pid: int
    guid: str
    image: str
    command_line: str
    user_sid: str
    user_name: str
    logon: str
    parent_pid: int
    parent_guid: str
    parent_image: str
    channel: str
    record_id: int


@dataclass(frozen=True, slots=True, order=True)
class ProcessEnd:
    """A process ended: Sysmon 5 or Security 4689."""

    time: datetime
    pid: int
    guid: str
    image: str


@dataclass(frozen=True, slots=True, order=True)
class Connection:
    """An outbound connection to a public address: the first per process, destination and BUCKET seconds."""

    time: datetime
    pid: int
    guid: str
    image: str
    address: str
    hostname: str
    port: int
    channel: str
    record_id: int


@dataclass(frozen=True, slots=True, order=True)
class FileDrop:
    """A process wrote a file that can be run: Sysmon 11."""

    time: datetime
    pid: int
    guid: str
    image: str
    path: str


@dataclass(frozen=True, slots=True)
class HostFacts:
    """The facts of one host, in time order. `trimmed` says that older ones had to be forgotten; `stores_audited` that
    the log has a read of a credential store, by whomever: only then can it show a theft. `stores` are those that some
    record shows, `entries` what Windows handed out of vaults, `stores_trimmed` that there were more; `accounts` are the
    SIDs and names under which programs were started."""

    host: str
    starts: tuple[ProcessStart, ...] = ()
    ends: tuple[ProcessEnd, ...] = ()
    connections: tuple[Connection, ...] = ()
    drops: tuple[FileDrop, ...] = ()
    trimmed: bool = False
    stores_audited: bool = False
    stores: tuple[StoreSeen, ...] = ()
    entries: tuple[VaultRead, ...] = ()
    stores_trimmed: bool = False
    accounts: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class _Host:
    starts: Newest[ProcessStart] = field(default_factory=lambda: Newest(LIMITS["starts"]))
    ends: Newest[ProcessEnd] = field(default_factory=lambda: Newest(LIMITS["ends"]))
    connections: Newest[Connection] = field(default_factory=lambda: Newest(LIMITS["connections"]))
    drops: Newest[FileDrop] = field(default_factory=lambda: Newest(LIMITS["drops"]))
    stores: KnownStores = field(default_factory=lambda: KnownStores(LIMITS["stores"]))
    entries: Newest[VaultRead] = field(default_factory=lambda: Newest(LIMITS["entries"]))
    stores_audited: bool = False


class Facts:
    """The facts of all hosts seen so far. Plain data: it can be pickled from one worker to another."""

    def __init__(self) -> None:
        self._hosts: dict[str, _Host] = {}

    def observe(self, event: Event) -> None:
        """Keep what the event says about processes and connections; events of other kinds are ignored."""
        observer = _OBSERVERS.get((event.channel.lower(), event.event_id))
        if observer is not None:
            name = event.host.lower()
            host = self._hosts.get(name)
            if host is None:
                host = self._hosts[name] = _Host()
            observer(host, event)

    def host(self, host: str) -> HostFacts:
        """The facts of one host (any case), empty where nothing was seen."""
        kept = self._hosts.get(host.lower(), _Host())
        starts, ends = kept.starts.in_order(), kept.ends.in_order()
        connections, drops = kept.connections.in_order(), kept.drops.in_order()
        trimmed = any(kind.trimmed for kind in (kept.starts, kept.ends, kept.connections, kept.drops))
        stores, entries = kept.stores.in_order(), kept.entries.in_order()
        return HostFacts(host.lower(), starts, ends, connections, drops, trimmed, kept.stores_audited, stores, entries,
                         kept.stores.trimmed or kept.entries.trimmed,
                         tuple(sorted({(start.user_sid, start.user_name) for start in starts})))

    def merge(self, other: Facts) -> None:
        """Take in what another reader of the same hunt has seen."""
        for name, theirs in other._hosts.items():
            ours = self._hosts.setdefault(name, _Host())
            ours.starts.merge(theirs.starts)
            ours.ends.merge(theirs.ends)
            ours.connections.merge(theirs.connections)
            ours.drops.merge(theirs.drops)
            ours.stores.merge(theirs.stores)
            ours.entries.merge(theirs.entries)
            ours.stores_audited = ours.stores_audited or theirs.stores_audited


def interests() -> frozenset[Interest]:
    """The records that `observe` keeps something of."""
    return frozenset(_OBSERVERS)


def _second(event: Event) -> int:
    return int(event.time.timestamp())


def _start(host: _Host, event: Event) -> None:
    get = event_getter(event)
    new, parent = actor_of(event.channel, event.event_id, get), parent_of(event.channel, get)
    host.starts.add((_second(event), (event.channel.lower(), new.pid, new.guid, event.time)), ProcessStart(
        event.time, new.pid, new.guid, path_kept(new.image), new.command_line[:MAX_TEXT], intern(new.user_sid),
        text_kept(new.user_name), intern(new.logon), parent.pid, parent.guid, path_kept(parent.image),
        intern(event.channel), event.record_id))
    program_ran(host.stores, event, new.guid, new.image, STARTED)


def _end(host: _Host, event: Event) -> None:
    pid, guid, image = process_of(event.channel, event.event_id, event_getter(event))
    host.ends.add((_second(event), (pid, guid, event.time)), ProcessEnd(event.time, pid, guid, path_kept(image)))
    program_ran(host.stores, event, guid, image, ENDED)


def _connection(host: _Host, event: Event) -> None:
    get = event_getter(event)
    pid, guid, path = process_of(event.channel, event.event_id, get)
    program_ran(host.stores, event, guid, path, CONNECTED)
    outbound = (get("Initiated") or get("Direction")).lower() in {"true", "%%14593", "outbound"}
    to = destination_of(event.channel, event.event_id, get)
    if not outbound or to is None or not to.addresses or not is_public(to.addresses[0]):
        return
    image = path_kept(path)
    key = (_second(event) // BUCKET,
           (event.channel.lower(), guid or (pid, image_name(image).lower()), to.addresses[0], to.port))
    host.connections.add(key, Connection(event.time, pid, guid, image, intern(to.addresses[0]), text_kept(to.hostname),
                                         to.port, intern(event.channel), event.record_id))


def _drop(host: _Host, event: Event) -> None:
    get = event_getter(event)
    path = get("TargetFilename")[-MAX_TEXT:]
    if _RUNNABLE.search(path):
        pid, guid, image = process_of(event.channel, event.event_id, get)
        host.drops.add((_second(event), (pid, guid, path.lower(), event.time)),
                       FileDrop(event.time, pid, guid, path_kept(image), path))


    found = written_store_at(path)
    if found is not None:
        file_touched(host.stores, event, found, WRITTEN)


def _access(host: _Host, event: Event) -> None:
    found = personal_store_at(event.text("ObjectName"))
    if found is None:
        return
    read = is_read(event)
    host.stores_audited = host.stores_audited or (read and found.store.family != "files")
    file_touched(host.stores, event, found, READ if read else ACCESSED)


def _vault(host: _Host, event: Event) -> None:
    entry = entry_read(event)
    if entry is not None:
        host.entries.add((_second(event), (event.channel.lower(), event.record_id, entry.target)), entry)
        vault = vault_seen(entry)
        if vault is not None:
            host.stores.add(vault)


_OBSERVERS: dict[Interest, Callable[[_Host, Event], None]] = {
    (SYSMON, 1): _start, (SECURITY, 4688): _start,
    (SYSMON, 5): _end, (SECURITY, 4689): _end,
    (SYSMON, 3): _connection, (SECURITY, 5156): _connection,
    (SYSMON, 11): _drop,
    (SECURITY, 4663): _access, (SECURITY, 4656): _access, ("mde/deviceevents", 4663): _access,
    (SECURITY, 5379): _vault, (SECURITY, 5382): _vault,
    ("mde/deviceprocessevents", 1): _start, ("mde/devicenetworkevents", 3): _connection,
    ("mde/devicefileevents", 11): _drop,
}
