r"""Which policy a file of Group Policy belongs to, and whether to its computer or its user part.

    {backup}/bkupInfo.xml, Backup.xml, DomainSysvol/GPO/Machine/registry.pol     Backup-GPO
    SYSVOL/corp.example/Policies/{GUID}/GPT.INI, Machine/Registry.pol            a domain controller
    Windows/System32/GroupPolicy/Machine/Registry.pol                            one computer's local policy

Each file is read by the reader of its format; this says into which subject. A backup knows the policy's name; a bare
SYSVOL folder only its GUID. Both spellings of every part are met in the wild, so nothing depends on case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from douse.errors import EvidenceError
from douse.harden.evidence import names, texts, xml
from douse.harden.evidence.file import EvidenceFile
from douse.harden.observed import Evidence, Subject

GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_PART = re.compile(r"(?:^|/)(machine|user)/(?:registry\.pol|microsoft/windows nt/(?:secedit/gpttmpl\.inf|"
                   r"audit/audit\.csv)|preferences/[^/]+/[^/]+\.xml)$", re.IGNORECASE)
_LOCAL = re.compile(r"(?:^|/)system32/grouppolicy(?:users/[^/]+)?$", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of the policy in it: its name and its GUID in the domain (with braces)."""

    name: str
    guid: str


def policy_of(file: EvidenceFile, evidence: Evidence) -> tuple[Subject, str]:
    """The policy a file is part of, and the part of the registry it sets: HKLM or HKCU."""
    path = _path(file)
    found = _PART.search(path)
    if found is None or not (_PART.search(file.inner) or _is_policy(path[:found.start()])):
        evidence.note(file.shown, "lies in no policy's folder; it is shown under its own name, as a computer's part.",
                      "Keep a backup's folders together; a user's part lies in a folder User.")
        return evidence.policy(file.shown), "HKLM"
    up = "../" * found[0].strip("/").count("/")
    return (_policy(file, path[:found.start()], up, evidence), "HKLM" if found[1].casefold() == "machine" else "HKCU")


def _is_policy(folder: str) -> bool:
    """Whether a folder is named as one of a policy: /home/user/registry.pol is not a user's part."""
    name = folder.rpartition("/")[2]
    return name.casefold() in ("gpo", "grouppolicy") or GUID.fullmatch(name) is not None


def _policy(file: EvidenceFile, folder: str, up: str, evidence: Evidence) -> Subject:
    """The policy whose Machine and User lie in a folder, which is `up` from the file's own."""
    for place in ("../../bkupInfo.xml", "../../Backup.xml"):
        info = file.beside(up + place)
        if info is not None:
            try:
                backup = backup_of(info, evidence)
            except EvidenceError:
                continue  # told when that file's own turn comes
            return evidence.policy(backup.name or backup.guid, backup.guid)
    if _LOCAL.search(folder):
        return evidence.policy(f"Local policy of {names.host_of(file, evidence)}")
    guid = GUID.fullmatch(folder.rpartition("/")[2])
    if guid is not None:
        return evidence.policy(_display_name(file, up) or guid[0].upper(), guid[0])
    return evidence.policy(folder or file.shown)


def backup_of(file: EvidenceFile, evidence: Evidence) -> Backup:
    """The name and GUID in a bkupInfo.xml or a Backup.xml. Raises EvidenceError where it has neither."""
    root = xml.parse(file, evidence)
    if xml.name_of(root) == "BackupInst":
        found = Backup(xml.text(root, "GPODisplayName"), xml.text(root, "GPOGuid"))
    else:
        settings = xml.child(root, "GroupPolicyObject", "GroupPolicyCoreSettings")
        found = Backup(xml.text(settings, "DisplayName"), xml.text(settings, "ID"))
    if not (found.name or found.guid):
        raise EvidenceError(file.shown, "names no policy.", "Back up the policy again with Backup-GPO.")
    return found


def _display_name(file: EvidenceFile, up: str) -> str:
    """What GPT.INI calls a policy; Windows writes a placeholder there, which is no name."""
    ini = file.beside(f"{up}GPT.INI")
    found = re.search(r"(?mi)^displayName=(.+)$", texts.decode(ini.data).text) if ini is not None else None
    name = found[1].strip() if found is not None else ""
    return "" if name.casefold() == "new group policy object" else name


def _path(file: EvidenceFile) -> str:
    """A file's whole path with forward slashes: on the disk, or inside its archive."""
    return (str(file.path.absolute()) if file.path is not None else file.inner).replace("\\", "/")
