r"""A report of HardeningKitty (`Invoke-HardeningKitty -Mode Audit -Report`): a second opinion, row by row.

Its rows name a setting by an id of their own list and judge it by that list, so none of them becomes a pass of ours.
Two kinds say what was found without doubt and are kept as evidence too: an attack surface reduction rule whose GUID
stands in the row's name, and rows 2315 and 2316, whose rules block all outbound traffic of mshta.exe. Those two are
found by their name alone and may be anybody's local rule, so they are kept in the local store, which is worth half.
"""

from __future__ import annotations

import re

from douse.errors import EvidenceError
from douse.harden import firewall_rule
from douse.harden.evidence import texts
from douse.harden.evidence.defender import RULES
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.naming import named_for_file
from douse.harden.evidence.table_text import header_of, header_separator, table
from douse.harden.gathered import Evidence
from douse.harden.observed import ScanRow, StoredRule, Subject
from douse.harden.seen import Seen, Source

NEEDED = ("id", "name", "result")
_PASSED = {"passed": True, "failed": False}
_GUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ACTIONS = {"0": 0, "1": 1, "2": 2, "5": 5, "6": 6}
MSHTA = {"2315": r"%SystemRoot%\System32\mshta.exe", "2316": r"%SystemRoot%\SysWOW64\mshta.exe"}


def looks(file: EvidenceFile) -> bool:
    """Whether its header is that of a report."""
    header = header_of(texts.start_of(file.data, 1024))
    columns = {cell.strip().strip('"').casefold() for cell in header.split(header_separator(header))}
    return {*NEEDED, "recommended"} <= columns and bool({"severity", "severityfinding", "testresult"} & columns)


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add its rows to the host that the file is named for."""
    found = table(texts.read(file, evidence), file.shown)
    columns = {column.casefold(): column for column in found.columns}
    if any(name not in columns for name in NEEDED):
        raise EvidenceError(file.shown, f"has not the columns {', '.join(NEEDED)}.", "Export it with -Report.")
    host = named_for_file(file, evidence, "a HardeningKitty report does not name its host")
    source = file.source("hardeningkitty")
    for line, cells in found:
        row = _row({name: cells[column] for name, column in columns.items()})
        host.scans.append(Seen(row, source, f"line {line}, ID {row.id}", row.result))
        _evidence(row, host, source, f"line {line}, ID {row.id}")
    if found.damaged:
        evidence.lost(f"{file.shown}:{found.first_damaged}", f"{found.damaged} rows have another number of cells than "
                      "the header.", "Export it again.")


def _row(cells: dict[str, str]) -> ScanRow:
    """A row of any version: newer ones say TestResult, older ones write Passed into the severity."""
    verdict = cells.get("testresult", "") or ("passed" if cells.get("severity", "").casefold() == "passed" else "")
    return ScanRow(cells["id"], cells.get("category", ""), cells["name"], cells.get("severity", ""), cells["result"],
                   cells.get("recommended", ""), _PASSED.get(verdict.casefold()))


def _evidence(row: ScanRow, host: Subject, source: Source, where: str) -> None:
    guid = _GUID.search(row.name)
    if guid and "asr" in f"{row.name} {row.category}".casefold() and row.result in _ACTIONS:
        host.asr.setdefault(guid[0].lower(), []).append(
            Seen(_ACTIONS[row.result], source, f"{where} ({RULES})", row.result))
    if row.id in MSHTA and "mshta" in row.name.casefold() and row.result.casefold() == "true":
        rule = firewall_rule.block_rule(program=MSHTA[row.id], name=f"HardeningKitty {row.id}")
        host.firewall.append(Seen(StoredRule("local", f"HardeningKitty {row.id}", rule), source, where, row.result))
