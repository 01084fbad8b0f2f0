"""An App Control (WDAC) policy as XML, from which the binary policy of a host was made.

It does not say of which host it is, or whether any host has it, so it becomes a policy named for its file. Whether a
host enforces a policy of that id is what the collector asks CiTool.
"""

from __future__ import annotations

from douse.harden.app_control_policy import parse
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import StoredAppControl
from douse.harden.seen import Seen


def looks(file: EvidenceFile) -> bool:
    """Whether it is XML whose root element seems to be a policy's."""
    start = texts.start_of(file.data).lstrip()
    return start.startswith("<") and "<SiPolicy" in start


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the policy; EvidenceError where the file is none."""
    policy = parse(texts.read(file, evidence), file.shown)
    subject = evidence.policy(file.name, file.sha256[:12])
    shown = " ".join((policy.type, policy.name, policy.id, ", ".join(sorted(policy.options))))
    stored = StoredAppControl(policy.id, policy.name, None, policy)
    subject.app_control.append(Seen(stored, file.source("app_control"), "SiPolicy", shown))
    for what in policy.left_out:
        evidence.lost(file.shown, f"not understood: {what}.", "The rest of the policy was read.")
