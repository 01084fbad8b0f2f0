"""Entra's second factors: accounts and conditional access policies out of exports of Microsoft Graph or its cmdlets.

Read are `reports/authenticationMethods/userRegistrationDetails` and `identity/conditionalAccess/policies`, as the JSON
of Graph (`{"value": [...]}`) or of `Get-Mg... | ConvertTo-Json` (other capitals), and accounts as CSV with English
column names. A page that names a next one is not the whole. All of it is of one tenant: audit another one by itself.
Names of the fields: Microsoft Graph v1.0, userRegistrationDetails and conditionalAccessPolicy.
"""

from __future__ import annotations

import json
import re

from douse.errors import EvidenceError
from douse.harden.evidence import entra_policy, json_tree, texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.evidence.json_tree import Json, listed, mapping, text
from douse.harden.evidence.table_text import header_of, header_separator, table
from douse.harden.gathered import Evidence
from douse.harden.observed import Account, Subject
from douse.harden.seen import Seen, Source

TENANT = "Entra ID"
"""How the one tenant of a run is called; its exports do not name it."""

PAGES = frozenset({100, 999, 1000})
"""How many entries Graph's cmdlets give of a longer list where nobody asks for all: as many are likely a page."""

_EXPORT = "Export it from Graph: reports/authenticationMethods/userRegistrationDetails"
_TRUTH = {"true": True, "yes": True, "capable": True, "registered": True, "enabled": True,
          "false": False, "no": False, "not capable": False, "not registered": False, "disabled": False}
_NAME = re.compile(r"[^\s@]+@[^\s@]+")

_SIGNS = ('"ismfaregistered"', '"methodsregistered"', "$metadata#identity/conditionalaccess",
          "$metadata#reports/authenticationmethods")

COLUMNS = {
    "name": ("userprincipalname", "upn", "username"),
    "isadmin": ("isadmin", "admin", "adminrole"),
    "registered": ("ismfaregistered", "mfaregistered", "multifactorauthenticationregistered"),
    "capable": ("ismfacapable", "mfacapable", "multifactorauthenticationcapable"),
    "methods": ("methodsregistered", "registeredmethods", "authenticationmethods"),
    "preferred": ("userpreferredmethodforsecondaryauthentication", "defaultmfamethod",
                  "defaultmultifactorauthenticationmethod"),
    "kind": ("usertype",)}
"""What a column is, by its name without blanks, hyphens and case."""


def looks(file: EvidenceFile) -> bool:
    """Whether it has the fields of an account or a policy."""
    start = texts.start_of(file.data, 64 << 10).lstrip()
    if start[:1] in ("{", "["):
        folded = start.casefold()
        return any(sign in folded for sign in _SIGNS) or ('"grantcontrols"' in folded and '"conditions"' in folded)
    header = header_of(start)
    columns = {_folded(cell) for cell in header.split(header_separator(header))}
    return bool(columns & set(COLUMNS["name"])) and bool(
        columns & {*COLUMNS["registered"], *COLUMNS["capable"], *COLUMNS["methods"]})


def _folded(name: str) -> str:
    return re.sub(r"[^a-z]", "", name.casefold())


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add accounts or policies to the tenant."""
    tenant, source = evidence.subject("tenant", TENANT), file.source("entra")
    shown = texts.read(file, evidence).lstrip("\ufeff")
    if shown.lstrip()[:1] in ("{", "["):
        _document(json_tree.parse_text(shown, file.shown), tenant, source, evidence)
    else:
        _table(shown, tenant, source, evidence)


# ── JSON ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _document(document: Json, tenant: Subject, source: Source, evidence: Evidence) -> None:
    top = lowered(document) if isinstance(document, dict) else {}
    is_page = isinstance(top.get("value"), (list, dict)) and "id" not in top
    entries = [lowered(entry) for entry in listed(top["value"] if is_page else document)]
    policies = [one for one in entries if "grantcontrols" in one or "conditions" in one]
    accounts = [one for one in entries if "ismfaregistered" in one or "methodsregistered" in one or "isadmin" in one]
    about = text(top.get("@odata.context")).casefold()
    if not policies and not accounts and not (is_page and ("conditionalaccess" in about or "registration" in about)):
        raise EvidenceError(source.file, "holds no accounts and no conditional access policies.", _EXPORT)
    bad = len(entries) - len(policies) - len(accounts)
    bad += sum(not entra_policy.add(entry, tenant, source) for entry in policies)
    bad += sum(not _account(entry, tenant, source) for entry in accounts)
    if bad:
        evidence.lost(source.file, f"{bad} of {len(entries)} entries are no account or policy.", "Export it again.")
    _whole(top, bool(policies) or "conditionalaccess" in about, bad, len(entries), tenant, source, evidence)


def _whole(top: dict[str, Json], policies: bool, bad: int, count: int, tenant: Subject, source: Source,
           evidence: Evidence) -> None:
    """Keep that this is all there is, if it is: a list of Graph's cmdlets does not say whether it goes on."""
    if text(top.get("@odata.nextlink")):
        evidence.lost(source.file, "is one page of several: it names a next one.",
                      "Export all pages into one file (Get-Mg... -All | ConvertTo-Json -Depth 10).")
    elif not bad and "@odata.context" not in top and count in PAGES:
        evidence.lost(source.file, f"has exactly {count} entries, as a first page has, so that there may be more.",
                      "Export all pages into one file (Get-Mg... -All | ConvertTo-Json -Depth 10).")
    elif not bad:
        (tenant.access_policies_whole if policies else tenant.accounts_whole).append(source)


def lowered(value: Json) -> dict[str, Json]:
    """An object with its names in lower case, as Graph and its cmdlets spell them differently."""
    return {name.casefold(): held for name, held in mapping(value).items()}


def _account(entry: dict[str, Json], tenant: Subject, source: Source) -> bool:
    name = text(entry.get("userprincipalname")) or text(entry.get("id"))
    if not name:
        return False
    account = Account(
        name, _truth(entry.get("isadmin")), _truth(entry.get("ismfaregistered")), _truth(entry.get("ismfacapable")),
        _methods(entry.get("methodsregistered")),
        text(entry.get("userpreferredmethodforsecondaryauthentication")) or text(entry.get("defaultmfamethod")),
        text(entry.get("usertype")))
    tenant.accounts.append(Seen(account, source, f"account {name}", json.dumps(entry)[:1000]))
    return True


def _methods(value: Json) -> tuple[str, ...] | None:
    if isinstance(value, str):  # a list of one, or what PowerShell wrote in place of a list
        return _split(value)
    return tuple(text(one) for one in listed(value)) if isinstance(value, (list, dict)) else None


def _truth(value: Json) -> bool | None:
    return value if isinstance(value, bool) else _TRUTH.get(text(value).strip().casefold())


# ── CSV ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _table(shown: str, tenant: Subject, source: Source, evidence: Evidence) -> None:
    found = table(shown, source.file)
    columns = {what: next((column for column in found.columns if _folded(column) in names), "")
               for what, names in COLUMNS.items()}
    if not columns["name"] or not (columns["registered"] or columns["capable"]):
        raise EvidenceError(source.file, "has no columns for an account and its second factor in English.", _EXPORT)
    odd = bad = 0
    for line, cells in found:
        cell = {what: cells.get(column, "") for what, column in columns.items()}
        if not _NAME.fullmatch(cell["name"]):
            bad += 1
            continue
        odd += _row(cell, columns, tenant, source, line)
    if odd:
        evidence.lost(source.file, f"{odd} accounts have words in place of yes or no that are not known, or methods "
                      "that were not exported (System.String[]), so that these stay unknown.", _EXPORT)
    if bad or found.damaged:
        evidence.lost(source.file, f"{bad + found.damaged} rows are no accounts.", _EXPORT)
    else:
        tenant.accounts_whole.append(source)


def _row(cell: dict[str, str], columns: dict[str, str], tenant: Subject, source: Source, line: int) -> bool:
    """Keep one account; whether something of it was not understood."""
    truths = {what: _truth(cell[what]) for what in ("isadmin", "registered", "capable")}
    methods = _split(cell["methods"]) if columns["methods"] else None
    account = Account(cell["name"], truths["isadmin"], truths["registered"], truths["capable"], methods,
                      cell["preferred"], cell["kind"])
    tenant.accounts.append(Seen(account, source, f"line {line}, {cell['name']}", "; ".join(cell.values())[:1000]))
    return any(truth is None and cell[what] for what, truth in truths.items()) or (
        bool(columns["methods"]) and methods is None)


def _split(shown: str) -> tuple[str, ...] | None:
    """Methods of one cell; None where PowerShell wrote the list's type in place of it."""
    if shown.startswith("System."):
        return None
    return tuple(part.strip(" {}[]\"'") for part in re.split(r"[;,]", shown) if part.strip(" {}[]\"'"))
