"""An AppLocker policy by itself: `Get-AppLockerPolicy -Xml`, or what the editor of policies exports.

It does not say of which host it is, so it becomes a policy named for its file: what it would mean where it is applied.
What of it was not understood is told as lost, and stays in the policy, whose meaning it makes uncertain.
"""

from __future__ import annotations

from douse.harden.applocker_policy import parse
from douse.harden.evidence import texts
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import StoredAppLocker
from douse.harden.seen import Seen


def looks(file: EvidenceFile) -> bool:
    """Whether it is XML whose root element seems to be a policy's."""
    start = texts.start_of(file.data).lstrip()
    return start.startswith("<") and "<AppLockerPolicy" in start


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add the policy; EvidenceError where the file is none."""
    policy = parse(texts.read(file, evidence), file.shown)
    subject = evidence.policy(file.name, file.sha256[:12])
    shown = "; ".join(f"{one.type} {one.mode}, {len(one.rules)} rules" for one in policy.collections) or "no rules"
    stored = StoredAppLocker("gpo", policy)
    subject.applocker.append(Seen(stored, file.source("applocker"), "AppLockerPolicy", shown))
    for collection in policy.collections:
        for what in collection.left_out:
            evidence.lost(file.shown, f"{collection.type} rules: {what}", "The rest of the policy was read.")
