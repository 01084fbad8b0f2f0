"""Read inventories of computers (--assets), and say of hosts and incidents what their owners say of them.

    host,ip,role,owner,criticality
    ews-01.plant.example,10.9.0.5,engineering workstation,Plant 2,high

A host is found by its name, short or whole, or by its address; a line without a name is found by an address the host
had in its own records. Beside who owns it, one thing follows: T0882 (Theft of Operational Information) is an outcome
that no log shows, so it is named only where the owner marked the computer as OT or engineering, and only where the
incident has what the technique's page asks: access to credential stores, and an outbound transfer. It gives no points.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from douse.content.techniques import OT, Page, techniques
from douse.hunt.names import short_name
from douse.hunt.tables import Columns, Line, Table, read_table, shown
from douse.incident.addresses import address_of
from douse.incident.network_facts import NetworkFacts
from douse.model import EVIDENCE_CLASSES, Asset, Incident

COLUMNS = Columns(("host",), ("ip", "role", "owner", "criticality"))
OT_WORDS = frozenset({
    "ot", "ics", "scada", "dcs", "plc", "rtu", "hmi", "sis", "historian", "engineering", "engineering workstation",
    "engineering station", "ews", "operator workstation", "operator station", "operational technology",
    "industrial control system", "safety instrumented system",
})
"""What a role or a criticality may say that marks a computer as operational technology or engineering. It is the whole
of it, or of a part between commas, slashes and the like: a "software engineering" laptop is none."""
OT_BEGINNINGS = frozenset({"ot", "ics", "scada", "dcs", "plc", "hmi"})
"""A part that begins with one of these words is a mark too: "OT server"."""

_PARTS = re.compile(r"[,;/|+&()]")
_BLANKS = re.compile(r"[\s_-]+")
_SEVERAL = re.compile(r"[\s;,|]+")


class Assets:
    """The computers of all inventories. Raises ContentError where two lines say different things of one."""

    def __init__(self, tables: Iterable[Table] = ()) -> None:
        self.tables = tuple(tables)
        self._named: dict[str, Asset] = {}
        self._short: defaultdict[str, set[Asset]] = defaultdict(set)
        self._addressed: dict[str, Asset] = {}
        for line in (line for table in self.tables for line in table.lines):
            self._add(line)

    def _add(self, line: Line) -> None:
        name, addresses = line["host"].rstrip(".").lower(), _addresses(line)
        if not (name or addresses):
            line.fail("has neither host nor ip.", "Give at least one of them.")
        if address_of(name):
            line.fail(f"host {shown(name)} is an address.", "Write it under ip.")
        asset = Asset(line["host"].rstrip("."), line["role"], line["owner"], line["criticality"], _marked(line),
                      line.where)
        if name:
            self._short[short_name(name)].add(_once(self._named, name, asset, line))
        for address in addresses:
            _once(self._addressed, address, asset, line)

    def of(self, host: str, addresses: Iterable[str] = ()) -> Asset | None:
        """What is said of a host as a log names it; `addresses` are those it had in its own records."""
        low = host.lower().rstrip(".")
        if found := self._named.get(low) or self._addressed.get(address_of(low)):
            return found
        # a short name stands for a whole one and the other way round, where that leaves one computer
        alike = {asset for asset in self._short.get(short_name(low), ()) if "." not in low or "." not in asset.name}
        if not alike:
            nameless = (self._addressed.get(address) for address in addresses)
            alike = {asset for asset in nameless if asset is not None and not asset.name}
        return alike.pop() if len(alike) == 1 else None

    def of_hosts(self, hosts: Iterable[str], network: NetworkFacts) -> dict[str, Asset]:
        """What is said of each of these hosts; one of which nothing is said is not there."""
        if not self.tables:
            return {}
        nameless = any(not asset.name for asset in self._addressed.values())
        return {host: asset for host in hosts if (asset := self.of(
            host, {socket.source for socket in network.sockets(host)} if nameless else ())) is not None}

    def besides(self, found: Iterable[Asset]) -> dict[str, Asset]:
        """The computers, by name or else by address, that are none of these."""
        known = set(found)
        return {asset.name or address: asset for address, asset in (*self._addressed.items(), *self._named.items())
                if asset not in known}

    def notes(self, found: int) -> tuple[str, ...]:
        """A remark where inventories were given and no host is in them."""
        if found or not self.tables:
            return ()
        names, lines = ", ".join(table.file for table in self.tables), sum(len(table.lines) for table in self.tables)
        return (f"{names}: no host of this run is among its {lines:,} line(s)",)


def read_assets(paths: Iterable[Path]) -> Assets:
    """The computers of these files. Raises ContentError with file and line."""
    return Assets(read_table(path, COLUMNS) for path in dict.fromkeys(paths))


def with_asset(incident: Incident, asset: Asset | None) -> Incident:
    """The incident with what is said of its host, and with the impacts that this makes it possible to name."""
    if asset is None:
        return incident
    pages = _impacts(incident) if asset.marked else []
    return replace(incident, asset=asset, impact=tuple(page.id for page in pages),
                   impact_reason=" ".join(dict.fromkeys(_reason(page, incident, asset) for page in pages)))


def _impacts(incident: Incident) -> list[Page]:
    """The outcomes of OT that an incident has the evidence for."""
    seen = {score.evidence_class for score in incident.classes}
    if "C" not in seen:
        return []
    return [page for page in techniques()
            if page.impact and page.impact.assets == OT and page.impact.after in seen and not page.impact.stores]


def _reason(page: Page, incident: Incident, asset: Asset) -> str:
    letter = page.impact.after if page.impact else ""
    step = next((step for step in incident.steps if step.evidence_class == letter), None)
    reached = f" ({step.title}: {step.detail})" if step else ""
    return (f"{asset.where} marks this computer as OT or engineering ({asset.marked}), and the incident has "
            f"credential-store access and {EVIDENCE_CLASSES[letter].lower()}{reached}. No log says what was in the "
            "data; its owner has to.")


def _once(known: dict[str, Asset], key: str, asset: Asset, line: Line) -> Asset:
    """Note an asset under a name or an address; two lines that say the same are one."""
    other = known.setdefault(key, asset)
    if replace(other, where=asset.where) != asset:
        line.fail(f"says something else of {shown(key)} than {other.where}.", "Keep one line for one computer.")
    return other


def _addresses(line: Line) -> list[str]:
    found = []
    for text in filter(None, _SEVERAL.split(line["ip"])):
        address = address_of(text)
        if not address:
            line.fail(f"ip {shown(text)} is no address of a computer.", "Write it as in 10.9.0.5; several with blanks.")
        found.append(address)
    return found


def _marked(line: Line) -> str:
    """The words that mark the computer as OT or engineering, with their columns; "" where there are none."""
    return ", ".join(f"{column} '{part.strip()}'" for column in ("role", "criticality")
                     for part in _PARTS.split(line[column]) if _is_ot(part))


def _is_ot(part: str) -> bool:
    words = _BLANKS.sub(" ", part.strip().lower())
    return words in OT_WORDS or words.partition(" ")[0] in OT_BEGINNINGS
