r"""A compiled App Control policy where Windows keeps it: CodeIntegrity\CiPolicies\Active\{GUID}.cip, or SiPolicy.p7b.

The file is compiled, and what it allows is not read here. Its name and place say that a policy of that id was deployed
on the host whose disk it is from; whether Windows enforces it, only the host knows (CiTool).
"""

from __future__ import annotations

import re

from douse.harden.evidence import names
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import StoredAppControl
from douse.harden.seen import Seen

SINGLE = "{A244370E-44C9-4C06-B551-F6016E563076}"
"""The id of the one policy that older formats have, which lies in SiPolicy.p7b."""

_PLACE = re.compile(r"(?:^|/)codeintegrity/(?:cipolicies/active/(\{[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\})\.cip|"
                    r"sipolicy\.p7b)$", re.IGNORECASE)


def looks(file: EvidenceFile) -> bool:
    """Whether it lies where Windows keeps a policy."""
    return bool(file.data) and _PLACE.search(_path(file)) is not None


def read(file: EvidenceFile, evidence: Evidence) -> None:
    """Add that the policy is deployed."""
    found = _PLACE.search(_path(file))
    host = evidence.host(names.host_of(file, evidence))
    identity = (found[1] if found is not None else None) or SINGLE
    policy = StoredAppControl(identity.upper(), "", None, None)
    host.app_control.append(Seen(policy, file.source("ci_policy"), file.name, file.name))


def _path(file: EvidenceFile) -> str:
    return (str(file.path.absolute()) if file.path is not None else file.inner).replace("\\", "/")
