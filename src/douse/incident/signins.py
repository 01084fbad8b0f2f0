"""Who signed in from where: of all sign-ins over the network (Security 4624, type 3 or 10), the first of each person
from each address, on any host. That is what tells a new place from a known one (abuse.py).

Keyed by content, so that reading a record twice, in another order or in another worker (`merge`) changes nothing. At
most LIMIT pairs of person and address are kept. Where there are more, those whose hash is divisible by 2, 4, ... stay,
and `thinned` is set: dropping by age would let a known address return as a new one.
Windows' own accounts and a host's addresses for itself are no sign-in of a person. Sign-ins to cloud services and
changes of second factors are in logs that no reader knows yet.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime

from douse.incident.addresses import address_of, is_public
from douse.incident.entities import SECURITY, event_getter, number
from douse.incident.newest import text_kept
from douse.incident.people import is_sid, is_system
from douse.model import Event, Interest

LIMIT = 50_000
NETWORK, REMOTE_DESKTOP = 3, 10
"""Logon types: over the network, and through Remote Desktop."""

_LOGON = 4624
_LINK_LOCAL = ("169.254.", "fe80:")


@dataclass(frozen=True, slots=True, order=True)
class SignIn:
    """The first sign-in of a person from an address, and the record of it; `user` is domain and name as logged."""

    time: datetime
    host: str
    sid: str
    user: str
    source: str
    logon_type: int
    channel: str
    record_id: int

    @property
    def is_public(self) -> bool:
        """Whether it came from the internet."""
        return is_public(self.source)

    @property
    def evidence(self) -> str:
        """The record that shows it."""
        return f"{self.channel} record {self.record_id} on {self.host}"


class SignIns:
    """The first sign-in of every person from every address. Plain data: it can be pickled between workers."""

    def __init__(self, limit: int = LIMIT) -> None:
        self._limit = limit
        self._halved = 0
        self._first: dict[tuple[str, str], SignIn] = {}

    def observe(self, event: Event) -> None:
        """Keep what the event says about a sign-in; events of other kinds are ignored."""
        if event.event_id == _LOGON and event.channel.lower() == SECURITY:
            found = _sign_in(event)
            if found is not None:
                self._add(found)

    def merge(self, other: SignIns) -> None:
        """Take in what another reader of the same hunt has seen."""
        self._halved = max(self._halved, other._halved)
        self._thin()
        for one in other._first.values():
            self._add(one)

    def by_person(self) -> dict[str, tuple[SignIn, ...]]:
        """The sign-ins of each person in time order, under SID and under `person_of` the name."""
        found: defaultdict[str, set[SignIn]] = defaultdict(set)
        for one in self._first.values():
            for key in filter(None, (one.sid, person_of(one.user))):
                found[key].add(one)
        return {key: tuple(sorted(several)) for key, several in found.items()}

    @property
    def thinned(self) -> bool:
        """Whether some had to be left out."""
        return self._halved > 0

    def _add(self, one: SignIn) -> None:
        key = (one.sid or person_of(one.user), one.source)
        if not _stays(key, self._halved):
            return
        known = self._first.get(key)
        if known is None or one < known:
            self._first[key] = one
        while len(self._first) > self._limit:
            self._halved += 1
            self._thin()

    def _thin(self) -> None:
        self._first = {key: one for key, one in self._first.items() if _stays(key, self._halved)}


def interests() -> frozenset[Interest]:
    """The records that `observe` keeps something of."""
    return frozenset({(SECURITY, _LOGON)})


def person_of(name: str) -> str:
    """One word for an account's spellings: CORP\\anna, CORP.EXAMPLE\\anna and anna@corp.example. The first label of a
    domain stands for it; Kerberos writes the long name where NTLM writes the short one."""
    lowered = name.lower()
    domain, _, account = lowered.rpartition("\\")
    if not domain and "@" in lowered:
        account, _, domain = lowered.partition("@")
    return f"{domain.partition('.')[0]}\\{account}" if account else ""


def _stays(key: tuple[str, str], halved: int) -> bool:
    return not halved or zlib.crc32("\n".join(key).encode("utf-8", "replace")) % (1 << halved) == 0


def _sign_in(event: Event) -> SignIn | None:
    get = event_getter(event)
    kind, source = number(get("LogonType")), address_of(get("IpAddress"))
    if kind not in (NETWORK, REMOTE_DESKTOP) or not source or source.startswith(_LINK_LOCAL):
        return None
    sid, domain, name = get("TargetUserSid").upper(), get("TargetDomainName"), get("TargetUserName")
    user = f"{domain}\\{name}" if domain and "@" not in name else name
    if not name or is_system(sid, user) or is_system(sid, name) or sid == _ANONYMOUS:
        return None
    return SignIn(event.time, event.host, text_kept(sid if is_sid(sid) else ""), text_kept(user), text_kept(source),
                  kind, event.channel, event.record_id)


_ANONYMOUS = "S-1-5-7"
