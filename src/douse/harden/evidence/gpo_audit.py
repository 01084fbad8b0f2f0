"""Read a policy's Advanced Audit Policy, Machine/Microsoft/Windows NT/Audit/audit.csv, into its policy."""

from __future__ import annotations

from douse.harden.evidence import auditpol, gpo, texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the subcategories that the policy sets; the others it leaves as they are."""
    subject, _ = gpo.policy_of(file, evidence)
    auditpol.add(texts.read(file, evidence), subject, file.source("gpo_audit"), evidence, file.shown)
