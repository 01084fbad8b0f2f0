"""What of an incident can tell one stealer from another: a case in, observations and names that others gave it out.

An Observation is a value of one of the observables of content/families (`sees`), with the alerts that show it. A Naming
is a family's or loader's name in a vendor's verdict, or beside an indicator that somebody else made (--ioc). Nothing is
weighed here; that is family.py.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from douse.content.sites import site_of
from douse.incident.case import Case
from douse.incident.contacts import Contact
from douse.incident.entities import SYSMON, Get, image_name, kind_of, moment, object_of
from douse.incident.marks import Mark
from douse.incident.stores_seen import store_at

FRESH: Final = timedelta(days=30)
"""How far from an event an indicator may have become valid to name a family by it: servers change hands."""

ROLE_IOC: Final = "ioc"
_PROTOCOLS: Final = {21: "ftp", 25: "smtp", 465: "smtp", 587: "smtp"}
"""By port, where no log names the protocol: what a server on another port speaks is not known."""
_VENDOR_FIELDS: Final = ("ThreatName", "Signature", "ThreatFamily", "ThreatFamilyName")


@dataclass(frozen=True, slots=True)
class Observation:
    """A value that a family's sign may fit; `sees` is a word of content/family_table.OBSERVABLES."""

    sees: str
    value: str
    alert_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Naming:
    """A text that may name a family or a loader: `kind` is vendor or ioc. One that does not `count` is shown, with the
    reason why not in `doubt`."""

    kind: str
    names: str
    text: str
    alert_ids: tuple[str, ...]
    doubt: str = ""

    @property
    def counts(self) -> bool:
        """Whether the ladder may be climbed by it."""
        return not self.doubt


def observations(case: Case) -> Iterator[Observation]:
    """Everything observable of the incident, in time order; the same value may come several times."""
    programs: dict[int, Sequence[tuple[str, str]]] = {}  # most marks are of few processes
    for mark, contact in zip(case.marks, case.contacts, strict=True):
        if contact is not None:
            yield from _of_contact(contact, mark, case)
        if mark.placed is not None:
            yield from _of_record(mark, mark.placed.get)
        if mark.process is not None:
            if mark.process not in programs:
                programs[mark.process] = tuple(_of_process(mark.process, case))
            yield from (Observation(sees, value, mark.alert_ids) for sees, value in programs[mark.process])


def namings(case: Case) -> Iterator[Naming]:
    """Every name that an antivirus gave to something of the incident, or that an indicator carries."""
    for mark in case.marks:
        if mark.placed is None:
            continue
        if mark.role == ROLE_IOC:
            yield from _of_indicator(mark, mark.placed.get)
        elif mark.letter == "V":
            texts = dict.fromkeys(filter(None, map(mark.placed.get, _VENDOR_FIELDS)))
            yield from (Naming("vendor", text, f"An antivirus calls it {text}", mark.alert_ids) for text in texts)


def _of_indicator(mark: Mark, get: Get) -> Iterator[Naming]:
    names, value = get("IndicatorFamily"), get("IndicatorValue")
    if names:
        said = f"{get('IndicatorSource') or 'An indicator'} names {value} as {names}"
        yield Naming("ioc", names, said, mark.alert_ids, _doubt(mark, get))


def _doubt(mark: Mark, get: Get) -> str:
    """Why an indicator's family does not count: everybody's site, too old, expired, or of an age that nobody told."""
    begun, ended = moment(get("IndicatorValidFrom")), moment(get("IndicatorValidUntil"))
    if get("IndicatorType") == "domain-name" and site_of(get("IndicatorValue")):
        return "which is a public site and names nobody"
    if ended is not None and ended <= mark.time:
        return "which had expired"
    if begun is None:
        return "but does not say since when, and servers change hands"
    return f"but more than {FRESH.days} days from the event" if abs(mark.time - begun) > FRESH else ""


def _of_contact(contact: Contact, mark: Mark, case: Case) -> Iterator[Observation]:
    for sees, value in (("domain", contact.hostname), ("url", contact.url), ("user-agent", contact.agent),
                        ("protocol", _PROTOCOLS.get(contact.port, "") if contact.connected else "")):
        if value:
            yield Observation(sees, value, mark.alert_ids)
    if contact.connected and mark.process is not None and (image := case.links.table[mark.process].image):
        yield Observation("network-image", image, mark.alert_ids)


def _of_record(mark: Mark, get: Get) -> Iterator[Observation]:
    """A library that was loaded, a file that was written, a store that was accessed."""
    kind = (kind_of(mark.placed.alert.channel), mark.placed.alert.event_id) if mark.placed else ("", 0)
    path = get("ImageLoaded") if kind == (SYSMON, 7) else get("TargetFilename") if kind == (SYSMON, 11) else ""
    if path:
        yield Observation("module" if kind == (SYSMON, 7) else "file", path, mark.alert_ids)
    found = store_at(object_of(get)) if mark.letter == "C" else None
    if found is not None:
        yield Observation("store", found.store.id, mark.alert_ids)


def _of_process(number: int, case: Case) -> Iterator[tuple[str, str]]:
    """The program behind a mark, how it was called, and who started it."""
    process = case.links.table[number]
    if process.image:
        yield "image", process.image
    if process.command_line:
        yield "command-line", process.command_line
    if process.parent is not None and process.image:
        parent = image_name(case.links.table[process.parent].image)
        yield "start", f"{parent} > {image_name(process.image)}"
