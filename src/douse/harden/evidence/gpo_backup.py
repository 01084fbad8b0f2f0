"""Read the files that say which policies a backup holds: bkupInfo.xml, Backup.xml, manifest.xml.

Their values are in other files of the same folder, which are read by the readers of their formats (gpo.py names the
policy). This makes the policy known even if it sets nothing that anybody here looks at.
"""

from __future__ import annotations

from douse.harden.evidence import gpo, xml
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Make the policies of a backup known."""
    if file.name.casefold() != "manifest.xml":
        backup = gpo.backup_of(file, evidence)
        evidence.policy(backup.name or backup.guid, backup.guid)
        if backup.wmi_filter:
            evidence.note(file.shown, f"applies only where its WMI filter {backup.wmi_filter[:80]!r} is true.",
                          "Look at a host's gpresult to see where it applies.")
        return
    for entry in xml.below(xml.parse(file, evidence), "BackupInst"):
        name, guid, folder = (xml.text(entry, word) for word in ("GPODisplayName", "GPOGuid", "ID"))
        if file.beside(f"{folder}/bkupInfo.xml") is None and file.beside(f"{folder}/Backup.xml") is None:
            evidence.lost(file.shown, f"lists the policy {name or guid!r}, whose folder {folder} is not there.",
                          "Copy the backup whole.")
        else:
            evidence.policy(name or guid, guid)
