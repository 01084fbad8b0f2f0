"""The entries of the Windows vault that an incident's programs had handed out: a case in, names to change out.

A record names its client by pid and creation time (5379, 5382). Where that is a program of the incident, the entry was
read by it. Where the client is nobody that the log knows, an entry of the same person near the incident is told as
such; of a client that is another known program, nothing is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from douse.incident.case import Case
from douse.incident.entities import Actor, image_name
from douse.incident.processes import TWIN
from douse.incident.stores_seen import VaultRead
from douse.incident.whose import Whose

NEAR = timedelta(minutes=30)
"""How far from the incident an entry may have been handed out to a client that nobody knows (as sequence S6)."""

_MAX_NAME = 300
_UNKNOWN = frozenset({"", "lsass.exe"})  # lsass is named as the client where another program asked


@dataclass(frozen=True, slots=True)
class NamedEntry:
    """One entry: whose, what it is called, whether the incident's own program read it, and the record."""

    user: str
    name: str
    own: bool
    process: str
    read: VaultRead


def named_entries(case: Case, whose: Whose, suspected: bool) -> list[NamedEntry]:
    """What was handed out, by time. Without an own read, entries near the incident count only where a theft from the
    vault is `suspected`."""
    own: list[NamedEntry] = []
    near: list[NamedEntry] = []
    processes = set(case.processes)
    for read in case.facts.entries:
        client = _client(case, read)
        user = whose.name(read.user_name or read.user_sid)
        known = client is not None and image_name(case.links.table[client].image).lower() not in _UNKNOWN
        if client is not None and client in processes and not case.links.cuts(client, read.time):
            own.append(NamedEntry(user, _name(read), True, case.links.table[client].name, read))
        elif not known and _is_near(case, read) and user in case.users and not read.packaged:
            near.append(NamedEntry(user, _name(read), False, "", read))
    return own or (near if suspected else [])


def _client(case: Case, read: VaultRead) -> int | None:
    """The program that asked. A pid alone is not believed where its life began at another time than the record says."""
    found = case.links.table.find(Actor(pid=read.pid), read.time)
    if found is None:
        return None
    started, created = case.links.table[found].started, _moment(read.created)
    other = started is not None and created is not None and abs(started - created) > TWIN
    return None if other else found


def _is_near(case: Case, read: VaultRead) -> bool:
    return case.marks[0].time - NEAR <= read.time <= case.marks[-1].time + NEAR


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)


def _name(read: VaultRead) -> str:
    name = f"{read.target} ({read.identity})" if read.identity else read.target
    return name if len(name) <= _MAX_NAME else f"{name[:_MAX_NAME - 1]}…"
