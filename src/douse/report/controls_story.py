"""What every format of `douse harden list|show` says of controls in words: rows in, sentences out, raw."""

from __future__ import annotations

from collections.abc import Sequence

from douse.content.attack import attack_version
from douse.content.controls import SEVERITIES
from douse.report.controls_schema import ControlRow, SentenceRow, SettingRow
from douse.report.story import count

MAPPING = "The mapping to ATT&CK, NIST SP 800-53 and CIS Controls is ours."
SEVERITY_MEANS = "How much an infostealer gains where the control is missing."

PRODUCTS = {"chrome": "Chrome", "edge": "Edge", "firefox": "Firefox", "office": "Office",
            "powershell-core": "PowerShell 7"}


def headline(rows: Sequence[ControlRow]) -> str:
    """How many controls of each severity."""
    by = ", ".join(f"{number} {severity}" for severity in SEVERITIES
                   if (number := sum(row["severity"] == severity for row in rows)))
    return f"{count(len(rows), 'control')} against infostealers" + (f": {by}" if len(rows) > 1 else "")


def facts(row: ControlRow) -> list[tuple[str, str]]:
    """Names and values of what is said of a control in one line each; a value that is empty is left out."""
    weak = [f"{one} (weak fit)" if one in row["frameworks"]["weak"] else one for one in row["frameworks"]["cis_v8"]]
    return [(name, value) for name, value in (
        ("Serves", "; ".join(f"{one['text']} ({one['tag']})" for one in row["mission"])),
        ("Severity", row["severity"]),
        (f"ATT&CK {attack_version()}", ", ".join(f"{one['id']} {one['name']}".strip() for one in row["techniques"])),
        ("Mitigations", ", ".join(row["mitigations"])),
        ("NIST SP 800-53r5", ", ".join(row["frameworks"]["nist_800_53r5"])),
        ("CIS Controls 8", ", ".join(weak)),
        ("Needs", ", ".join(row["needs"])),
        ("Needed by", ", ".join(row["needed_by"])),
        ("From", f"Windows build {row['min_build']}" if row["min_build"] else ""),
        ("For", " and ".join(f"{role}s" for role in row["roles"])),
        ("Ask first", f"douse harden preflight {row['preflight']}" if row["preflight"] else ""),
        ("Misses", row["misses"]),
        ("Costs", row["cost"]),
        ("Undo", row["undo"]),
    ) if value]


def unverified_note(row: ControlRow) -> str:
    """What of it nobody verified, "" where nothing."""
    if not row["unverified"]:
        return ""
    return f"{'Not verified in part' if row['verified'] else 'Not verified'}: {row['unverified']}"


def remarks(one: SettingRow) -> str:
    """What limits a setting, in one line."""
    return "; ".join(filter(None, (
        f"only profile {one['profile']}" if one["profile"] else "",
        f"from Windows build {one['min_build']}" if one["min_build"] else "",
        f"where {PRODUCTS.get(one['product'], one['product'])} is installed" if one["product"] else "",
        "" if one["verified"] else "not verified",
        one["note"].rstrip("."),
    )))


def serving(rows: Sequence[ControlRow], sentences: Sequence[SentenceRow]) -> list[tuple[SentenceRow, list[ControlRow]]]:
    """Each sentence of the mission's advice with the controls that serve it."""
    return [(one, [row for row in rows if one in row["mission"]]) for one in sentences]
