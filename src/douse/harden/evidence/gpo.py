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
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject

GUID = re.compile(r"\{[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}\}")
_PART = re.compile(r"(?:^|/)(machine|user)/(?:registry\.pol|microsoft/windows nt/(?:secedit/gpttmpl\.inf|"
                   r"audit/audit\.csv)|preferences/[^/]+/[^/]+\.xml)$", re.IGNORECASE)
_LOCAL = re.compile(r"(?:^|/)system32/grouppolicy(?:users/[^/]+)?$", re.IGNORECASE)


_OFF = {"HKCU": 1, "HKLM": 2}
"""The bits of a policy's options that switch its user's and its computer's part off ([MS-GPOD] 2.1.3.2.1.3)."""


@dataclass(frozen=True, slots=True)
class Backup:
    """What a backup says of the policy in it: its name and its GUID in the domain (with braces). `off` is what it
    switches off (bits of _OFF), `wmi_filter` the name of the filter that decides which computers it is for."""

    name: str
    guid: str
    off: int = 0
    wmi_filter: str = ""


def policy_of(file: EvidenceFile, evidence: Evidence) -> tuple[Subject, str]:
    """The policy a file is part of, and the part of the registry it sets: HKLM or HKCU.

    A part that is switched off sets nothing: the subject is then one that no evidence has, and it is noted.
    """
    path = _path(file)
    found = _PART.search(path)
    if found is None or not (_PART.search(file.inner) or _is_policy(path[:found.start()])):
        evidence.note(file.shown, "lies in no policy's folder; it is shown under its own name, as a computer's part.",
                      "Keep a backup's folders together; a user's part lies in a folder User.")
        return evidence.policy(file.shown), "HKLM"
    up, part = "../" * found[0].strip("/").count("/"), "HKLM" if found[1].casefold() == "machine" else "HKCU"
    subject, off = _policy(file, path[:found.start()], up, evidence)
    part_name = found[1].casefold()
    if off & _OFF[part]:
        evidence.note(file.shown, f"is the {part_name} part of {subject.name!r}, which is switched off there, "
                      "so that it sets nothing.")
        return Subject("policy", subject.name), part
    return subject, part


def _is_policy(folder: str) -> bool:
    """Whether a folder is named as one of a policy: a folder User alone may be anything."""
    name = folder.rpartition("/")[2]
    return name.casefold() in ("gpo", "grouppolicy") or GUID.fullmatch(name) is not None


def _policy(file: EvidenceFile, folder: str, up: str, evidence: Evidence) -> tuple[Subject, int]:
    """The policy whose Machine and User lie in a folder, which is `up` from the file's own, and what of it is off."""
    found = [backup for place in ("../../bkupInfo.xml", "../../Backup.xml")
             if (backup := _backup_at(file.beside(up + place), evidence)) is not None]
    if found:  # only Backup.xml knows what is off
        return evidence.policy(found[0].name or found[0].guid, found[0].guid), found[-1].off
    ini = file.beside(f"{up}GPT.INI")
    settings = texts.decode(ini.data).text if ini is not None else ""
    off = int(_setting(settings, r"Options=([0-3])[ \t]*") or "0")
    if _LOCAL.search(folder):
        return evidence.policy(f"Local policy of {names.host_of(file, evidence)}"), off
    guid = GUID.fullmatch(folder.rpartition("/")[2])
    if guid is not None:
        return evidence.policy(_display_name(settings) or guid[0].upper(), guid[0]), off
    return evidence.policy(folder or file.shown), off


def _backup_at(file: EvidenceFile | None, evidence: Evidence) -> Backup | None:
    try:
        return backup_of(file, evidence) if file is not None else None
    except EvidenceError:
        return None  # told when that file's own turn comes


def backup_of(file: EvidenceFile, evidence: Evidence) -> Backup:
    """What a bkupInfo.xml or a Backup.xml says. Raises EvidenceError where it has neither a name nor a GUID."""
    root = xml.parse(file, evidence)
    if xml.name_of(root) == "BackupInst":
        found = Backup(xml.text(root, "GPODisplayName"), xml.text(root, "GPOGuid"))
    else:
        settings = xml.child(root, "GroupPolicyObject", "GroupPolicyCoreSettings")
        options = xml.text(settings, "Options")
        found = Backup(xml.text(settings, "DisplayName"), xml.text(settings, "ID"),
                       int(options) if options in ("0", "1", "2", "3") else 0,
                       xml.text(settings, "WMIFilter") or xml.text(settings, "WMIFilterName"))
    if not (found.name or found.guid):
        raise EvidenceError(file.shown, "names no policy.", "Back up the policy again with Backup-GPO.")
    return found


def _display_name(settings: str) -> str:
    """What GPT.INI calls a policy; Windows writes a placeholder there, which is no name."""
    name = _setting(settings, r"displayName=(.+)")
    return "" if name.casefold() == "new group policy object" else name


def _setting(settings: str, line: str) -> str:
    found = re.search(rf"(?mi)^{line}$", settings.replace("\r", ""))
    return found[1].strip() if found is not None else ""


def _path(file: EvidenceFile) -> str:
    """A file's whole path with forward slashes: on the disk, or inside its archive."""
    return (str(file.path.absolute()) if file.path is not None else file.inner).replace("\\", "/")
