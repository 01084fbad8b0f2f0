r"""Read a security template, GptTmpl.inf of a policy: registry values, services and account rules.

    [Registry Values]          MACHINE\System\CurrentControlSet\Control\Lsa\DisableDomainCreds=4,1
    [Service General Setting]  "AppIDSvc",2,""
    [System Access]            MinimumPasswordLength = 14

The number before a value is its registry type. Values and names are not translated by Windows. Account rules become
states named `SystemAccess.X`. Sections about groups, rights and permissions set nothing that a control looks at.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from douse.harden.evidence import gpo, texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import Service, Subject
from douse.harden.registry import RegistryValue
from douse.harden.registry_data import shown
from douse.harden.seen import Seen, Source

STARTS = {"0": "automatic", "1": "automatic", "2": "automatic", "3": "manual", "4": "disabled"}
"""How a service starts, by Windows' number; 0 and 1 are drivers, which start even earlier."""

MAX_LINE = 1 << 20


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    text: str
    subject: Subject
    source: Source

    @property
    def where(self) -> str:
        return f"line {self.number}"


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add what a template sets; a line that cannot be read is lost, and told."""
    subject, _ = gpo.policy_of(file, evidence)
    source = file.source("gpttmpl")
    section = ""
    for number, text in enumerate(texts.read(file, evidence).splitlines(), 1):
        line = text.strip()
        if line.startswith("["):
            section = line.strip("[]").strip().casefold()
        elif line and not line.startswith(";") and (take := _SECTIONS.get(section)) is not None:
            try:
                take(_Line(number, line[:MAX_LINE], subject, source))
            except (ValueError, csv.Error):
                evidence.lost(f"{file.shown}:{number}", f"this line of [{section}] cannot be read: {line[:80]!r}.",
                              "Export the template again.")


def _registry(line: _Line) -> None:
    path, _, rest = line.text.partition("=")
    number, _, text = rest.partition(",")
    root, _, place = path.strip().strip('"').partition("\\")
    key, _, name = place.rpartition("\\")
    if root.upper() != "MACHINE" or not key:
        raise ValueError(path)
    value = _value(number.strip(), text.strip())
    line.subject.registry.add("HKLM", key, name, value, line.source, where=line.where, raw=shown(value.data))


def _value(number: str, text: str) -> RegistryValue:
    """A value in the template's form: its type's number, and its text in quotes or not."""
    if number == "4":
        return RegistryValue("REG_DWORD", int(text))
    if number == "7":
        return RegistryValue("REG_MULTI_SZ", tuple(part for part in _cells(text) if part))
    if number == "3":
        return RegistryValue("REG_BINARY", bytes(int(part) for part in _cells(text)))
    return RegistryValue({"1": "REG_SZ", "2": "REG_EXPAND_SZ"}[_known(number)], text.strip('"'))


def _known(number: str) -> str:
    if number not in ("1", "2"):
        raise ValueError(number)
    return number


def _service(line: _Line) -> None:
    name, start, *_ = _cells(line.text)
    if not name or start not in STARTS:
        raise ValueError(line.text)
    line.subject.services.setdefault(name, []).append(Seen(Service(STARTS[start]), line.source, line.where, line.text))


def _account(line: _Line) -> None:
    name, equals, text = (part.strip() for part in line.text.partition("="))
    if not equals or not name:
        raise ValueError(line.text)
    value: int | str = int(text) if text.lstrip("-").isdecimal() else text.strip('"')
    line.subject.effective.setdefault(f"SystemAccess.{name}", []).append(
        Seen(value, line.source, line.where, line.text))


def _cells(text: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([text], skipinitialspace=True), [])]


_SECTIONS: Mapping[str, Callable[[_Line], None]] = {
    "registry values": _registry, "service general setting": _service, "system access": _account}
