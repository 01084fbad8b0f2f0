"""Audit policy as CSV: `auditpol /get /category:* /r`, `auditpol /backup`, and the audit.csv of a GPO.

    Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting[,Setting Value]

Every word of it is translated in other languages of Windows, also the header, so that columns are told by position
and subcategories by their GUID. The number in the last column (bit 1 is success, bit 2 failure, 4 is none; [MS-GPAC]
2.2.1.3.1) is the same in all of them; `/get` does not write it, so there the English words are read, and others leave
the subcategory unknown. A row for one user's own policy is not the system's. A row without a machine's name is a
policy's, in which 0 leaves the subcategory as it is; of a machine, 0 is none.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass

from douse.errors import EvidenceError
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.naming import host_name, named_for_file
from douse.harden.gathered import Evidence
from douse.harden.observed import AuditState, Subject
from douse.harden.seen import Seen, Source

_GUID = re.compile(r"\{?([0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})\}?")
_HEADER = re.compile(r'^\ufeff?"?[^,\r\n]+"?,[^,\r\n]+,[^,\r\n]+,[^,\r\n]*GUID[^,\r\n]*,', re.IGNORECASE)
_FIRST = re.compile(r"^[^,\r\n]*,[^,\r\n]*,[^,\r\n]*,\{0CCE92[0-9A-F]{2}-69AE-11D9-BED3-505054503030\},",
                    re.IGNORECASE | re.MULTILINE)
WORDS = {"no auditing": (False, False), "success": (True, False), "failure": (False, True),
         "success and failure": (True, True)}
MAX_FIELD = 4096


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the system's policy: line, the machine's name ("" where not told), GUID, state and its text. The state
    is None where it is in words that nobody here knows."""

    line: int
    machine: str
    guid: str
    state: AuditState | None
    raw: str


def looks(file: EvidenceFile) -> bool:
    """Whether it has the columns: a GUID column in its header, or a first row with a subcategory of Windows."""
    start = texts.start_of(file.data, 4096).lstrip()
    return bool(_HEADER.match(start) or _FIRST.search(start)) and start.count(",") >= 4


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the policy to the host of each row. A GPO's audit.csv names none; gpo_audit.py reads that. Another
    audit.csv, which lies in no policy's folder and is not named for a host, is a policy too."""
    found, source = list(rows(texts.read(file, evidence), file.shown, evidence)), file.source("auditpol")
    if not found:
        raise EvidenceError(file.shown, "has no row of an audit policy.", "Export: auditpol /get /category:* /r")
    hosts: dict[str, Subject] = {}
    for row in found:
        if row.machine not in hosts:
            hosts[row.machine] = evidence.host(row.machine) if row.machine else _unnamed(file, evidence)
        _keep(row, hosts[row.machine], source, f"line {row.line}")
    _tell(found, file.shown, evidence)


def _unnamed(file: EvidenceFile, evidence: Evidence) -> Subject:
    """Whose rows are that name no machine."""
    why = "the audit policy does not name its machine"
    if host_name(file) or file.name.casefold() != "audit.csv":
        return named_for_file(file, evidence, why)
    evidence.note(file.shown, f"{why}, so that it is shown as a policy of its own.",
                  "If it is an export of a computer, name the file for it (PC-7_auditpol.csv).")
    return evidence.policy(file.shown)


def add(text: str, host: Subject, source: Source, evidence: Evidence, where: str) -> None:
    """Keep the policy of a text that is known to be one host's, or one policy's."""
    found = list(rows(text, where, evidence))
    for row in found:
        _keep(row, host, source, f"{where.partition(': ')[2] or 'audit.csv'} line {row.line}")
    _tell(found, where, evidence)


def _keep(row: Row, subject: Subject, source: Source, where: str) -> None:
    if row.state is not None:
        subject.audit.setdefault(row.guid, []).append(Seen(row.state, source, where, row.raw))


def _tell(found: list[Row], where: str, evidence: Evidence) -> None:
    unknown = [row for row in found if row.state is None]
    if unknown:
        evidence.lost(where, f"{len(unknown)} of {len(found)} subcategories have a setting in words that are not "
                      f"English ({unknown[0].raw[:60]!r}), so that they stay unknown.",
                      "Export it with auditpol /backup /file:NAME, which adds a number.")


def rows(text: str, where: str, evidence: Evidence) -> Iterator[Row]:
    """The rows of the system's policy; damaged ones are counted as lost."""
    damaged, first = 0, 0
    for number, cells in _cells(text):
        row = _row(number, cells)
        if row is not None:
            yield row
        elif _is_damaged(cells):
            damaged, first = damaged + 1, first or number
    if damaged:
        evidence.lost(f"{where}:{first}", f"{damaged} lines are no rows of an audit policy.", "Export it again.")


def machines(text: str) -> set[str]:
    """The computers that rows name, as auditpol writes them: at most 15 characters, folded."""
    named = (cells[0].partition(".")[0] for _, cells in _cells(text) if len(cells) >= 5 and _GUID.fullmatch(cells[3]))
    return {name[:15].casefold() for name in named if name}


def _cells(text: str) -> Iterator[tuple[int, list[str]]]:
    """Line number and cells. Each line is read by itself, so that an open quote costs its line only."""
    for number, line in enumerate(io.StringIO(text.lstrip("\ufeff")), start=1):
        if line.strip():
            try:
                yield number, [cell.strip() for cell in next(csv.reader([line[:MAX_FIELD]]))]
            except (csv.Error, StopIteration):
                yield number, []


def _is_damaged(cells: list[str]) -> bool:
    """Whether a line that is no row should have been one: it is no header, and none of a single user or an option."""
    if len(cells) < 5:
        return True
    return not _GUID.fullmatch(cells[3]) and "guid" not in cells[3].casefold() and bool(cells[3])


def _row(number: int, cells: list[str]) -> Row | None:
    found = _GUID.fullmatch(cells[3]) if len(cells) >= 5 else None
    if found is None or cells[1].upper().startswith("S-1-"):
        return None
    value = cells[6] if len(cells) > 6 else ""
    if value == "0" and not cells[0]:
        return None
    if value in ("0", "1", "2", "3", "4"):
        state: AuditState | None = AuditState(bool(int(value) & 1), bool(int(value) & 2))
    else:
        words = WORDS.get(cells[4].casefold())
        state = AuditState(*words) if words else None
    return Row(number, cells[0], found[1].upper(), state, cells[4] or value)
