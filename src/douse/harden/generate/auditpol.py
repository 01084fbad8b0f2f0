r"""The audit policy: audit.csv as auditpol keeps it, scripts that set and undo it, and the pre-flight window's switch.

    auditpol/audit.csv                              `auditpol /restore /file:audit.csv`, or the audit.csv of a GPO
    auditpol/apply.ps1, auditpol/undo.ps1           only adds to what is audited; keeps what was found, and puts it back
    auditpol/connections-on.ps1, connections-off.ps1    event 5156 for the days of a pre-flight: very many records
    auditpol/set-sacl.ps1, undo-sacl.ps1            what of which folders is audited (sacl.py)

Subcategories are told by GUID: auditpol and audit.csv translate their names. The columns are those that `auditpol
/backup` writes; nobody restored a file of ours on Windows yet.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import PurePosixPath

from douse.content.settings import AuditSetting, ChannelSetting
from douse.harden.generate.policy import BundleFile, Policy
from douse.harden.generate.powershell import document
from douse.harden.generate.sacl import sacl_scripts
from douse.harden.generate.script import assembled, script_data

PLACE = PurePosixPath("auditpol")
COLUMNS = ("Machine Name", "Policy Target", "Subcategory", "Subcategory GUID", "Inclusion Setting",
           "Exclusion Setting", "Setting Value")
WORDS = {1: "Success", 2: "Failure", 3: "Success and Failure"}
CONNECTIONS = {"guid": "0CCE9226-69AE-11D9-BED3-505054503030", "title": "Filtering Platform Connection"}
"""5156, an allowed connection, is its Success; 5157, a blocked one, its Failure (Microsoft, event-5156, event-5157)."""

ABOUT = {
    "audit.csv": "The audit policy for `auditpol /restore /file:audit.csv`, which replaces what these subcategories "
                 "audit, and may clear what the file does not name (not tried); apply.ps1 only adds.",
    "apply.ps1": "Switches on what is to be audited, and event logs; only says what it would do, until it is run with "
                 "-Execute.",
    "undo.ps1": "Puts back what apply.ps1 found.",
    "connections-on.ps1": "For the days of a pre-flight: event 5156 for every connection. Very many records; make the "
                          "Security log larger first.",
    "connections-off.ps1": "Ends it; blocked connections (5157) stay audited.",
}


def files(policy: Policy) -> Iterator[BundleFile]:
    """The files of the format. The window's switch is there whatever is chosen: a pre-flight needs it first."""
    if policy.of(AuditSetting):
        yield _file("audit.csv", audit_csv(policy))
    if policy.of(AuditSetting, ChannelSetting):
        others = ("registry", "firewall", "services", "features", "applocker")
        data = script_data({**document(policy), **{word: [] for word in others}})
        for name in ("apply.ps1", "undo.ps1"):
            yield _file(name, assembled(name, data))
    for word, state in (("on", "enable"), ("off", "disable")):
        data = script_data({"audit": [{**CONNECTIONS, "success": state, "failure": ""}]})
        yield _file(f"connections-{word}.ps1", assembled("audit-switch.ps1", data))
    yield from sacl_scripts(policy, PLACE)


def _file(name: str, data: bytes) -> BundleFile:
    return BundleFile(PLACE / name, data, ABOUT[name])


def audit_csv(policy: Policy) -> bytes:
    """The rows of audit.csv: titles of ours, GUIDs in braces, 1 success, 2 failure, 3 both; lines end with CRLF."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for change in policy.of(AuditSetting):
        if isinstance(setting := change.setting, AuditSetting):
            value = setting.success + 2 * setting.failure
            writer.writerow(("", "System", setting.title, f"{{{setting.guid}}}", WORDS[value], "", value))
    return text.getvalue().encode()
