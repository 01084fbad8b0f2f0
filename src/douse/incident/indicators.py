"""What to search for elsewhere and what to block: a judged case in, typed indicators out.

An indicator says what the evidence names: hosts, addresses and URLs that were reached or stand in a command, the
attacker's own files, autostart entries. To block is advised only where it hurts nobody else: a public site that
stealers use is not blocked, only the very page; nor is an address whose name is known, since an address serves many;
nor anything that a weak guess connects. Addresses of dead drops and of this host are none at all. Values are spelled as
indicators that come in are (indicators/values.py). contacts.py and payloads.py find what is judged here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from douse.content.sites import Site, site_of
from douse.incident.addresses import is_public
from douse.incident.case import Case
from douse.incident.contacts import (
    Contact,
    host_of,
    named_in,
    own_addresses,
    texts_of,
    url_value,
    value_at,
)
from douse.incident.family_signs import ROLE_IOC
from douse.incident.marks import Mark
from douse.incident.outbound import LOOKUP_TO_CONNECT
from douse.incident.payloads import HASH, KEY, PATH, PAYLOAD, PERSISTENCE, Trace, foreign, traces
from douse.incident.story import stage_of
from douse.indicators.values import Value
from douse.model import Indicator, level_rank

DEAD_DROP, DESTINATION, DELIVERY = "dead-drop", "destination", "delivery"
ROLES: Final = (DEAD_DROP, DESTINATION, DELIVERY, PAYLOAD, PERSISTENCE)
"""What an indicator was in the incident: where a stealer asked for its server; whom a process reached; where something
was fetched from; the attacker's own file; what starts it again. The first that fits is told."""

_ADDRESSES: Final = frozenset({"ipv4-addr", "ipv6-addr"})
_TYPES: Final = ("domain-name", "ipv4-addr", "ipv6-addr", "url", HASH, PATH, KEY)
_SHORT: Final = 24
"""Characters of a text without a dot that can hide no name, not even in Base64."""
_CHANGES: Final = "Such servers change within days."
_NEVER: Final = {PATH: "A path is to be searched for, not blocked.", KEY: "A key is to be searched for, not blocked."}


@dataclass(slots=True)
class _Seen:
    """One indicator while it is being gathered. `doubts` are reasons not to block, `strong` whether any evidence of it
    is more than a guess about time and user, `reached` whether it was more than named in a text."""

    role: str
    first: datetime
    last: datetime
    process: int | None
    strong: bool = False
    reached: bool = False
    alert_ids: dict[str, None] = field(default_factory=dict)
    doubts: dict[str, None] = field(default_factory=dict)

    def add(self, trace: Trace) -> None:
        """Take in another piece of evidence."""
        self.role = min(self.role, trace.role, key=ROLES.index)
        if trace.time < self.first or self.process is None:
            self.process = self.process if trace.process is None else trace.process
        self.first, self.last = min(self.first, trace.time), max(self.last, trace.time)
        self.strong, self.reached = self.strong or not trace.weak, self.reached or trace.reached
        self.alert_ids.update(dict.fromkeys(trace.alert_ids))
        self.doubts.update(dict.fromkeys(filter(None, [trace.doubt])))


def indicators_of(case: Case) -> tuple[Indicator, ...]:
    """The incident's indicators, those to block first."""
    network = _Network(case)
    found: dict[tuple[str, str], _Seen] = {}
    for trace in (*network.traces(), *traces(case)):
        key = trace.type, trace.value
        if key not in found:
            found[key] = _Seen(trace.role, trace.time, trace.time, trace.process)
        found[key].add(trace)
    made = [_indicator(kind, value, seen, case, network) for (kind, value), seen in found.items()]
    return tuple(sorted(made, key=_order))


def _order(one: Indicator) -> tuple[object, ...]:
    return not one.block, ROLES.index(one.role), _TYPES.index(one.type), one.first_seen, one.value


class _Network:
    """Hosts, addresses and URLs of a case, and what is known of each other."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._estate = _estate(case.host)
        self._contacts = [(mark, contact) for mark, contact in zip(case.marks, case.contacts, strict=True) if contact]
        self._own = {spelled for mark, _ in self._contacts for spelled in own_addresses(mark)}
        self.names: defaultdict[str, set[str]] = defaultdict(set)
        self.public: set[str] = set()
        for _, contact in self._contacts:
            if self._is_ours(contact.hostname):
                self._own.update(contact.addresses)
        for mark, contact in self._contacts:
            for address in contact.addresses if contact.hostname else ():
                self.names[address].add(contact.hostname)
                if mark.role == DEAD_DROP or _is_public_site(contact.hostname):
                    self.public.add(address)
        self.perhaps_public = _after_lookup(self._contacts)
        self._named = [(mark, named) for mark in case.marks if (named := self._hosts_named(mark))]
        self._told, self._reached = self._by_process()

    def traces(self) -> Iterator[Trace]:
        """What was reached, asked for, or stands in a text."""
        for mark, contact in self._contacts:
            yield from self._of_contact(mark, contact)
        for mark in self._case.marks:
            if mark.role == ROLE_IOC and mark.placed is not None:
                yield from self._of_others(mark)
        for mark, named in self._named:
            for host, found in named:
                yield from self._trace(host, DELIVERY, mark, reached=False)
                if found.type == "url":
                    yield _trace("url", found.value, DELIVERY, mark, reached=False)

    def _of_contact(self, mark: Mark, contact: Contact) -> Iterator[Trace]:
        told = not mark.outbound and contact.hostname in self._told.get(mark.process, ())
        role = DEAD_DROP if mark.role == DEAD_DROP else DELIVERY if told or _is_early(mark) else DESTINATION
        for name in filter(None, (contact.hostname, *contact.addresses)):
            yield from self._trace(name, role, mark)
        url = url_value(contact.url) if contact.url else None
        if url is not None and not self._is_ours(host_of(url.value)):
            yield _trace("url", url.value, role, mark)

    def instead_of(self, address: str) -> str:
        """The host that whoever reached an address was told to fetch from; the address may be that host's."""
        told = [self._told.get(process, set()) for process in self._reached.get(address, ())]
        return min(told[0]) if told and all(told) else ""

    def _by_process(self) -> tuple[dict[int | None, set[str]], dict[str, set[int | None]]]:
        """The hosts that each process was told of, and the processes that reached each address."""
        told: defaultdict[int | None, set[str]] = defaultdict(set)
        reached: defaultdict[str, set[int | None]] = defaultdict(set)
        for mark, named in self._named:
            told[mark.process].update(host for host, _ in named)
        for mark, contact in self._contacts:
            for address in contact.addresses:
                told[mark.process].discard(address)
                reached[address].add(mark.process)
        told.pop(None, None)
        return told, reached

    def _hosts_named(self, mark: Mark) -> list[tuple[str, Value]]:
        """What is fetched from, as far as a command line, a script, a request or a registry value says."""
        process = self._case.links.table[mark.process] if mark.process is not None else None
        own = process.command_line if process and not self._case.links.cuts(process.index, mark.time) else ""
        texts = [text for text in (*texts_of(mark), own) if "." in text or len(text) > _SHORT]
        if not texts:
            return []
        named = dict.fromkeys(one for text in texts for one in named_in(text))
        hosts = ((host_of(one.value) if one.type == "url" else one.value, one) for one in named)
        return [(host, one) for host, one in hosts if not self._is_ours(host) and not _is_no_place(host)]

    def _of_others(self, mark: Mark) -> Iterator[Trace]:
        """What an indicator from outside names, as that names it."""
        get = mark.placed.get if mark.placed else str
        kind, value = get("IndicatorType"), get("IndicatorValue")
        if kind in _TYPES and value and not (kind in _ADDRESSES and "/" in value):  # a whole network was not seen
            role = PAYLOAD if kind == HASH else DELIVERY if _is_early(mark) else DESTINATION
            yield _trace(kind, value, role, mark, doubt=foreign(get) if kind == HASH else "")

    def _trace(self, host: str, role: str, mark: Mark, *, reached: bool = True) -> Iterator[Trace]:
        """A host or address, if it is somebody else's and no dead drop's address."""
        found = None if self._is_ours(host) or host in self.public else value_at(host)
        if found is not None:
            yield _trace(found.type, found.value, role, mark, reached=reached)

    def _is_ours(self, host: str) -> bool:
        return host in self._own or any(host == name or host.endswith(f".{name}") for name in self._estate)


def _trace(kind: str, value: str, role: str, mark: Mark, *, reached: bool = True, doubt: str = "") -> Trace:
    return Trace(kind, value, role, mark.time, mark.process, mark.alert_ids, mark.weak, doubt, reached)


def _estate(host: str) -> tuple[str, ...]:
    """The host's name, and the domain that it and its like are in; a top-level domain alone is nobody's."""
    name = host.lower().rstrip(".")
    parent = name.partition(".")[2]
    return tuple(filter(None, (name, parent if "." in parent else "")))


def _is_early(mark: Mark) -> bool:
    """Whether the record belongs to how it began, so that what it names delivered something."""
    return mark.outbound is None and stage_of(mark) == 1


def _is_no_place(host: str) -> bool:
    site = site_of(host)
    return site is not None and site.kind == "names"


def _is_public_site(host: str) -> bool:
    site = site_of(host)
    return site is not None and site.kind != "tenant"


def _after_lookup(contacts: Sequence[tuple[Mark, Contact]]) -> set[str]:
    """Addresses that may be a dead drop's: the first reached after a look-up whose answer is not in the log."""
    found: set[str] = set()
    waiting: dict[int, datetime] = {}
    for mark, contact in contacts:
        if mark.process is None:
            continue
        asked = waiting.get(mark.process)
        if mark.role == DEAD_DROP and not contact.addresses:
            waiting[mark.process] = mark.time
        elif asked is not None and contact.addresses:
            del waiting[mark.process]
            if timedelta() <= mark.time - asked <= LOOKUP_TO_CONNECT and not contact.hostname:
                found.update(contact.addresses)
    return found


def _indicator(kind: str, value: str, seen: _Seen, case: Case, network: _Network) -> Indicator:
    block, reason = _advice(kind, value, seen, case, network)
    process = case.links.table[seen.process].name if seen.process is not None else ""
    return Indicator(kind, value, seen.role, block, reason, seen.first, seen.last, process, tuple(seen.alert_ids))


def _advice(kind: str, value: str, seen: _Seen, case: Case, network: _Network) -> tuple[bool, str]:
    """Whether to block it, and why or why not. What speaks against it comes first."""
    if kind in _NEVER:
        return False, _NEVER[kind]
    if not seen.strong:
        return False, "Only user and time connect it to the incident; look at it first."
    if level_rank(case.level) < level_rank("medium" if seen.reached else "high"):
        return False, f"The incident is {case.level}; look at it first."
    if kind == HASH:
        return (False, f"{next(iter(seen.doubts))}.") if seen.doubts else (True, "The attacker's own file.")
    if kind in _ADDRESSES:
        return _of_address(value, network)
    return _of_site(kind, value, site_of(value if kind == "domain-name" else host_of(value)))


def _of_address(value: str, network: _Network) -> tuple[bool, str]:
    if value in network.perhaps_public:
        return False, "It may be the dead drop's own address: the answer to the look-up before is not in the log."
    if network.names[value]:
        return False, f"Block {_either(network.names[value])} instead: an address may serve many."
    if told := network.instead_of(value):
        return False, f"Look at {told} first, which its program was told to fetch from: the address may be that host's."
    if (site := site_of(value)) is not None:
        return _of_site("", value, site)
    return is_public(value), f"Reached by its address alone. {_CHANGES}"


def _of_site(kind: str, value: str, site: Site | None) -> tuple[bool, str]:
    if site is None:
        return True, _CHANGES
    doubt = "" if site.verified else " (from practice, not looked up)"
    if site.kind == "tenant":
        if (value if kind == "domain-name" else host_of(value)) == site.name:
            return False, f"It is {site.says}{doubt}."
        return True, f"{site.name} is {site.says}{doubt}: block this name, not {site.name}."
    if kind == "url" and site.kind in (DEAD_DROP, "sharing", "storage"):
        return True, f"Only this page: {site.name} is {site.says}{doubt}."
    return False, f"{site.name} is {site.says}{doubt}."


def _either(names: Iterable[str]) -> str:
    first, *more = sorted(names)
    return f"{first} and its like" if more else first
