"""What an audit says: a Check for each setting, a Finding for each control, a SubjectResult for each host, and all
together, an AuditResult.

States (STATES) are never softened: `pass` needs evidence of everything, `unknown` says what evidence is missing,
`conflict` that two sources disagree. A check cites what it saw.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from douse.content.controls import Control
from douse.content.settings import Setting
from douse.harden.gathered import Problem
from douse.harden.seen import Source

STATES = ("fail", "conflict", "partial", "unknown", "pass", "not-applicable")
"""What a check or finding can say, in the order of their urgency."""

ANSWERS = ("unrestricted", "conflict", "unknown", "allowed-for-group", "denied", "dead")
"""The mission's own question, may mshta run here: yes for everybody; sources disagree; nobody can tell; for a named
group only; for nobody (a policy denies it); for nobody, as App Control with script enforcement leaves it nothing to
run."""

SEVERITIES = ("error", "warning", "note")


@dataclass(frozen=True, slots=True)
class Cited:
    """A piece of evidence: the reader's word, the file, its SHA-256, the place in it, and the value as it stood
    there."""

    kind: str
    file: str
    sha256: str
    where: str
    value: str


@dataclass(frozen=True, slots=True)
class Check:
    """One setting on one subject. `profile` is the user's whose value it is, "" for the computer's. `expected` and
    `actual` are for people; `why` says in a sentence what the state follows from, and for `unknown` what evidence would
    tell."""

    setting: Setting
    state: str
    expected: str
    actual: str
    why: str
    cited: tuple[Cited, ...] = ()
    profile: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """One control on one subject; its checks in the order of the settings. `notes` are what else is to be said: a
    second opinion of another scanner, older evidence that newer one replaced."""

    control: Control
    state: str
    why: str
    checks: tuple[Check, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MshtaAnswer:
    """The answer to the mission's own question for one host: one of ANSWERS, a sentence, the groups it is allowed for,
    and whether the firewall keeps it off ports 80 and 443 (a finding's state)."""

    answer: str
    sentence: str
    groups: tuple[str, ...]
    egress: str
    cited: tuple[Cited, ...]


@dataclass(frozen=True, slots=True)
class Lint:
    """Something wrong in a policy that was collected, whatever control it is for: a rule that does nothing, one that
    locks everybody out. `code` is stable; `severity` is one of SEVERITIES."""

    code: str
    severity: str
    what: str
    next_step: str
    cited: Cited


@dataclass(frozen=True, slots=True)
class Asset:
    """What the inventory says of a host."""

    host: str
    role: str = ""
    owner: str = ""
    criticality: str = ""


@dataclass(frozen=True, slots=True)
class SubjectResult:
    """One subject. `seen` is False for a host of the inventory without any evidence: all it has is unknown."""

    kind: str
    name: str
    system: str
    asset: Asset | None
    seen: bool
    findings: tuple[Finding, ...]
    mshta: MshtaAnswer | None
    lints: tuple[Lint, ...]
    sources: tuple[Source, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One control over all hosts (or over the tenant or organisation, for those that are about it): how many are in
    each state."""

    control: Control
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What a user can ask of an audit. `paths` are files, folders and archives of evidence; `controls` ids, none for
    all; `today` decides what is old (UTC)."""

    paths: tuple[str, ...]
    inventory: Path | None = None
    profile: str = "seed"
    controls: tuple[str, ...] = ()
    today: date | None = None
    command_line: str = ""


@dataclass(frozen=True, slots=True)
class AuditResult:
    """A whole audit. `subjects` are ordered: hosts, policies, tenant, organisation. Times are UTC. `notes` are remarks
    on how evidence was read that lost nothing; `ignored` counts files that are no evidence and that nobody named."""

    profile: str
    controls: tuple[Control, ...]
    subjects: tuple[SubjectResult, ...]
    fleet: tuple[FleetRow, ...]
    problems: tuple[Problem, ...]
    files: tuple[Source, ...]
    started: datetime
    finished: datetime
    command_line: str
    notes: tuple[Problem, ...] = ()
    ignored: int = 0

    @property
    def hosts(self) -> tuple[SubjectResult, ...]:
        """The computers."""
        return tuple(one for one in self.subjects if one.kind == "host")
