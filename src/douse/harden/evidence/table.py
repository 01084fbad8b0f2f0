"""Which reader understands a file: the table, the most certain first. A reader is one function, imported when needed.

    def read(file: EvidenceFile, evidence: Evidence) -> None

It adds what the file says to the subjects of `evidence` and tells what it could not use with `evidence.lost`; it raises
EvidenceError only where nothing of the file can be used. `looks` decides by the first bytes and the name, and may be
wrong only for files that no other reader wants. How files are found and opened: walk.py.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol

from douse.harden.evidence import signs
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence


class Read(Protocol):
    """What a reader is."""

    def __call__(self, file: EvidenceFile, evidence: Evidence) -> None:
        """Add what the file says."""


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader by word (the module's name and Source.kind): where it is and what it looks like. `title` is for
    people."""

    word: str
    target: str
    title: str
    looks: Callable[[EvidenceFile], bool]

    def load(self) -> Read:
        """Import the reader."""
        module, name = self.target.split(":")
        found: Read = getattr(import_module(module), name)
        return found


def _own(word: str) -> Callable[[EvidenceFile], bool]:
    """The `looks` of a reader's own module, which is imported when a file is first shown to it."""

    def looks(file: EvidenceFile) -> bool:
        found: Callable[[EvidenceFile], bool] = import_module(f"douse.harden.evidence.{word}").looks
        return found(file)

    return looks


READERS: tuple[Reader, ...] = (
    Reader("hive", "douse.harden.evidence.hive:read", "registry hives (SOFTWARE, SYSTEM, NTUSER.DAT, UsrClass.dat)",
           signs.hive),
    Reader("registry_pol", "douse.harden.evidence.registry_pol:read", "registry.pol", signs.registry_pol),
    Reader("regfile", "douse.harden.evidence.regfile:read", ".reg exports", signs.regfile),
    Reader("gpo_backup", "douse.harden.evidence.gpo_backup:read", "GPO backups", signs.gpo_backup),
    Reader("gpresult", "douse.harden.evidence.gpresult:read", "gpresult /x and Get-GPOReport XML", signs.gpresult),
    Reader("preferences", "douse.harden.evidence.preferences:read", "Group Policy Preferences", signs.preferences),
    Reader("gpttmpl", "douse.harden.evidence.gpttmpl:read", "GptTmpl.inf", signs.gpttmpl),
    Reader("gpo_audit", "douse.harden.evidence.gpo_audit:read", "a policy's audit.csv", signs.gpo_audit),
    Reader("ci_policy", "douse.harden.evidence.ci_policy:read", "compiled App Control policies (.cip)",
           _own("ci_policy")),
    Reader("applocker", "douse.harden.evidence.applocker:read", "AppLocker policies (XML)", _own("applocker")),
    Reader("app_control", "douse.harden.evidence.app_control:read", "App Control policies (XML)", _own("app_control")),
    Reader("collector", "douse.harden.evidence.collector:read", "the collector's JSON", _own("collector")),
    Reader("ci_tool", "douse.harden.evidence.ci_tool:read", "CiTool -lp -json", _own("ci_tool")),
    Reader("entra", "douse.harden.evidence.entra:read", "Entra's MFA and conditional access exports", _own("entra")),
    Reader("mppreference", "douse.harden.evidence.mppreference:read", "Get-MpPreference and Get-MpComputerStatus",
           _own("mppreference")),
    Reader("sysmon", "douse.harden.evidence.sysmon:read", "the output of Sysmon64 -c", _own("sysmon")),
    Reader("questionnaire", "douse.harden.evidence.questionnaire:read", "the questionnaire's answers",
           _own("questionnaire")),
    Reader("hardeningkitty", "douse.harden.evidence.hardeningkitty:read", "HardeningKitty reports (CSV)",
           _own("hardeningkitty")),
    Reader("auditpol", "douse.harden.evidence.auditpol:read", "auditpol (CSV)", _own("auditpol")),
    Reader("browser", "douse.harden.evidence.browser:read", "policies of Chrome, Edge and Firefox (JSON)",
           _own("browser")),
)
"""First fit wins: what its first bytes tell for certain, then XML and templates, then JSON and CSV by their words."""
