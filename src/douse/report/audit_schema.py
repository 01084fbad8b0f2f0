"""The rows of an audit of controls as other programs read them: plain dicts. Schema douse.audit/1.

`douse harden audit --format json` writes one AuditDocument; audit.py fills it; csv, html and navigator show nothing
else. A change that breaks a reader of these rows needs a new number in SCHEMA; a further key does not. Times are RFC
3339 in UTC with `Z`. Texts of evidence are masked as in a hunt and otherwise as they stood there.
"""

from __future__ import annotations

from typing import Literal, TypedDict

SCHEMA = "douse.audit/1"


class CitedRow(TypedDict):
    """A piece of evidence: the reader's word, the file, its SHA-256, the place in it, the value as it stood there."""

    kind: str
    file: str
    sha256: str
    where: str
    value: str


class CheckRow(TypedDict):
    """One setting of a control. `profile` is the user's whose value it is, empty for the computer's."""

    setting: str
    where: str
    state: str
    expected: str
    actual: str
    why: str
    profile: str
    verified: bool
    cited: list[CitedRow]


class FindingRow(TypedDict):
    """A control on one subject: pass, fail, partial, not-applicable, unknown or conflict, and what it follows from."""

    control: str
    state: str
    why: str
    notes: list[str]
    checks: list[CheckRow]


class MshtaRow(TypedDict):
    """May mshta run here: denied, allowed-for-group, unrestricted, dead, unknown or conflict. `egress` is the state of
    the firewall's block."""

    answer: str
    sentence: str
    groups: list[str]
    egress: str
    cited: list[CitedRow]


class LintRow(TypedDict):
    """Something wrong in a policy that was collected: error, warning or note."""

    code: str
    severity: str
    what: str
    next_step: str
    cited: CitedRow


class SourceRow(TypedDict):
    """A file that was read: which reader, its name, its SHA-256, and when it was taken if it says so."""

    kind: str
    file: str
    sha256: str
    taken: str | None


class SubjectRow(TypedDict):
    """A host, a policy, the tenant or the organisation. `seen` is false for a host of the inventory without evidence.
    `counts` are its findings by state."""

    kind: str
    name: str
    system: str
    role: str
    owner: str
    criticality: str
    seen: bool
    mshta: MshtaRow | None
    counts: dict[str, int]
    findings: list[FindingRow]
    lints: list[LintRow]
    notes: list[str]
    sources: list[SourceRow]


class ControlSummaryRow(TypedDict):
    """A control of this audit: what it is, how it stands over the fleet, and what of it nobody verified.
    `missing_on` are the subjects on which it fails, or is only partly there, and `unknown_on` those nobody can tell of.
    """

    id: str
    slug: str
    title: str
    takeaway: str
    severity: str
    cost: str
    misses: str
    undo: str
    needs: list[str]
    preflight: str
    techniques: list[str]
    nist_800_53r5: list[str]
    cis_v8: list[str]
    verified: bool
    unverified: str
    counts: dict[str, int]
    missing_on: list[str]
    unknown_on: list[str]


class MissionRow(TypedDict):
    """A sentence of the mission's advice, the controls that serve it, and the findings of these by state."""

    id: str
    list: str
    text: str
    controls: list[str]
    counts: dict[str, int]


class ProblemRow(TypedDict):
    """Evidence that could not be used: where, what is wrong, what to do next."""

    where: str
    what: str
    next_step: str


class SummaryRow(TypedDict):
    """How many hosts, how many without evidence, the answers to the mission's question, and the findings of hosts,
    tenant and organisation by state: a policy's are no state of anything."""

    hosts: int
    hosts_unseen: int
    answers: dict[str, int]
    counts: dict[str, int]
    files: int
    partial: bool


class ProvenanceRow(TypedDict):
    """What made the audit: version, ATT&CK's version, the command, and when. `ran_on_windows` is false: none of the
    checks was ever compared with a living Windows."""

    version: str
    attack_version: str
    command_line: str
    started: str
    finished: str
    ran_on_windows: Literal[False]


class AuditDocument(TypedDict):
    """A whole audit. `notes` are remarks on how evidence was read; `files_ignored` counts files in folders that are no
    evidence."""

    schema: str
    profile: str
    summary: SummaryRow
    mission: list[MissionRow]
    controls: list[ControlSummaryRow]
    subjects: list[SubjectRow]
    problems: list[ProblemRow]
    notes: list[ProblemRow]
    files: list[SourceRow]
    files_ignored: int
    provenance: ProvenanceRow
