"""How files of the registry's world look: by their first bytes, or by how their text begins. Nothing is parsed here."""

from __future__ import annotations

import re

from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile

_EVIDENCE_NAME = re.compile(r"(?i).+\.(pol|reg|hiv|hive)|gpttmpl\.inf|bkupinfo\.xml|ntuser\.dat|usrclass\.dat")
_CONFIG = re.compile(r"(?i)(?:^|/)system32/config/(?:software|system)$")
_TEMPLATE = re.compile(r"(?mi)^\s*\[(?:registry values|service general setting|system access|event audit)\]")
_PREFERENCES = re.compile(r"<(?:\w+:)?(?:RegistrySettings|NTServices)\s[^>]*clsid=", re.IGNORECASE)
_REPORT = re.compile(r"<(?:\w+:)?(?:Rsop|GPO|GPOS|report)(?:\s[^>]*)?>.*GroupPolicy/(?:Rsop|Settings|Types)|"
                     r"<(?:Rsop|GPO)\s[^>]*GroupPolicy/", re.DOTALL)
_BACKUP = re.compile(r"<(?:\w+:)?(?:BackupInst|GroupPolicyBackupScheme|Backups)[\s>]")
_REGFILE = re.compile(r"\s*(?:Windows Registry Editor Version 5\.00|REGEDIT4)\s")
_LOG = re.compile(r"\.LOG\d?$", re.IGNORECASE)
_FILE_TYPE = 28
"""Where a hive's header says what it is: 0 a hive, others a transaction log."""


def hive(file: EvidenceFile) -> bool:
    """A registry hive, but not its logs, which begin alike."""
    is_log = _LOG.search(file.name) is not None or file.data[_FILE_TYPE:_FILE_TYPE + 4] not in (bytes(4), b"")
    return file.data[:4] == b"regf" and not is_log


def registry_pol(file: EvidenceFile) -> bool:
    """A registry.pol."""
    return file.data[:4] == b"PReg"


def gpttmpl(file: EvidenceFile) -> bool:
    """A security template."""
    return file.name.casefold() == "gpttmpl.inf" or (
        file.name.casefold().endswith(".inf") and _TEMPLATE.search(texts.start_of(file.data, 16_384)) is not None)


def gpo_audit(file: EvidenceFile) -> bool:
    """A policy's audit.csv, told by where it lies: what it holds looks like a host's."""
    path = (str(file.path) if file.path is not None else file.inner).replace("\\", "/").casefold()
    return path.endswith("machine/microsoft/windows nt/audit/audit.csv")


def preferences(file: EvidenceFile) -> bool:
    """Registry.xml or Services.xml of Group Policy Preferences."""
    return _PREFERENCES.search(texts.start_of(file.data)) is not None and not gpresult(file)


def gpo_backup(file: EvidenceFile) -> bool:
    """bkupInfo.xml, Backup.xml or manifest.xml of Backup-GPO."""
    return _BACKUP.search(texts.start_of(file.data)) is not None


def gpresult(file: EvidenceFile) -> bool:
    """A report of Group Policy."""
    return _REPORT.search(texts.start_of(file.data, 8192)) is not None


def regfile(file: EvidenceFile) -> bool:
    """A .reg file."""
    return _REGFILE.match(texts.start_of(file.data, 128)) is not None


def is_called_like_evidence(file: EvidenceFile) -> bool:
    """Whether a file's name promises evidence, so that one that cannot be read must be told."""
    return _EVIDENCE_NAME.fullmatch(file.name) is not None or _CONFIG.search(file.inner) is not None
