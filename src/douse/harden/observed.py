r"""What evidence says of a computer, a policy or a tenant: the one form that every reader makes and every check reads.

Nothing is decided here. Two sources that disagree are both kept: that is a conflict, and the audit's to tell.
Everything that is text came from a stranger. Registry values: registry.py; all subjects of a run: gathered.py.

Subjects differ in what they prove. A *host* is a computer; a *policy* is a file that would set something where it is
applied (registry.pol, a GPO backup, a browser's policies.json) and says of no host that it is; a *tenant* holds
accounts and sign-in policies; an *organisation* answers questions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from douse.harden.app_control_policy import AppControlPolicy
from douse.harden.applocker_policy import AppLockerPolicy
from douse.harden.firewall_rule import FirewallRule
from douse.harden.registry import Registry
from douse.harden.seen import Seen, Source

SUBJECTS = ("host", "policy", "tenant", "organisation")
STORES = ("gpo", "mdm", "local")
"""Where a firewall rule can be kept, the most authoritative first."""


@dataclass(frozen=True, slots=True)
class Machine:
    """What a host is. Build 0 and empty texts are unknown; `role` is workstation, server or domain controller."""

    build: int = 0
    name: str = ""
    role: str = ""
    domain: str = ""


@dataclass(frozen=True, slots=True)
class Service:
    """A service: `start` is automatic, manual, disabled or "" (unknown), `state` running, stopped or ""."""

    start: str
    state: str = ""


@dataclass(frozen=True, slots=True)
class AuditState:
    """What of a subcategory is audited."""

    success: bool
    failure: bool


@dataclass(frozen=True, slots=True)
class Sysmon:
    """Sysmon as far as evidence shows it. `running` is None where that was not seen, `ids` where its configuration was
    not."""

    running: bool | None
    ids: frozenset[int] | None = None
    hashes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Sacl:
    """The audit entries of a folder of a user profile: whether reads of data are audited, for whom, inheritable."""

    profile: str
    path: str
    reads: bool
    inheritable: bool
    everyone: bool


@dataclass(frozen=True, slots=True)
class Account:
    """An account of a tenant. `methods` are Entra's words (`microsoftAuthenticatorPush`, `mobilePhone`, ...). None is
    not told."""

    name: str
    is_admin: bool | None
    registered: bool | None
    capable: bool | None
    methods: tuple[str, ...] | None
    preferred: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class AccessPolicy:
    """A conditional access policy. `state` is enabled, report-only or disabled; `grants` are Entra's built-in controls
    (`mfa`, `block`, ...) and `strength` the name of an authentication strength; `clients` its client app types."""

    name: str
    state: str
    grants: tuple[str, ...]
    strength: str
    operator: str
    includes: tuple[str, ...]
    excludes: tuple[str, ...]
    clients: tuple[str, ...]
    applications: tuple[str, ...]
    complete: bool


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the questionnaire: yes, no, partial or unknown, by whom, when, and the document that shows it."""

    answer: str
    by: str
    when: str
    proof: str
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ScanRow:
    """A row of a HardeningKitty report: its id, what it looked at, the value found, the one it recommends, and its
    verdict."""

    id: str
    category: str
    name: str
    severity: str
    result: str
    recommended: str
    passed: bool | None


@dataclass(frozen=True, slots=True)
class StoredRule:
    """A firewall rule and where it is kept: `store` is one of STORES; `id` its name there."""

    store: str
    id: str
    rule: FirewallRule


@dataclass(frozen=True, slots=True)
class StoredAppLocker:
    """An AppLocker policy: `store` is gpo, local, mdm, or effective (merged by Windows)."""

    store: str
    policy: AppLockerPolicy


@dataclass(frozen=True, slots=True)
class StoredAppControl:
    """An App Control policy. `active` is None where nobody said whether the machine enforces it; `policy` None where
    only its name, state and `version` are known (CiTool; "" where not)."""

    id: str
    name: str
    active: bool | None
    policy: AppControlPolicy | None
    version: str = ""


Scalar = str | int | bool


@dataclass(slots=True)
class Subject:
    """One computer, policy, tenant or organisation, and all that was seen of it.

    `effective` holds states by name: `MpPreference.X`, `MpComputerStatus.X`, `FirewallProfile.Domain.Enabled`
    (Domain, Private, Public), `DeviceGuard.X`. `products` are programs by word (chrome, edge, firefox, office,
    powershell-core) and whether they are installed. `id` tells two policies of one name apart, and `domain` (DNS or
    NetBIOS, lower case, "" where not known) two hosts. GUIDs of `audit` are
    upper case, those of `asr` lower case, both without braces. `firewall` are rules of all stores; `firewall_whole`
    says which stores a source holds entirely. The other `..._whole` name the sources that hold all there are (an export
    without a next page).
    """

    kind: str
    name: str
    registry: Registry = field(default_factory=Registry)
    machine: list[Seen[Machine]] = field(default_factory=list)
    products: dict[str, list[Seen[bool]]] = field(default_factory=dict)
    firewall: list[Seen[StoredRule]] = field(default_factory=list)
    firewall_whole: list[Seen[str]] = field(default_factory=list)
    applocker: list[Seen[StoredAppLocker]] = field(default_factory=list)
    app_control: list[Seen[StoredAppControl]] = field(default_factory=list)
    app_control_whole: list[Source] = field(default_factory=list)
    services: dict[str, list[Seen[Service | None]]] = field(default_factory=dict)
    audit: dict[str, list[Seen[AuditState]]] = field(default_factory=dict)
    effective: dict[str, list[Seen[Scalar]]] = field(default_factory=dict)
    asr: dict[str, list[Seen[int]]] = field(default_factory=dict)
    features: dict[str, list[Seen[str]]] = field(default_factory=dict)
    channels: dict[str, list[Seen[bool]]] = field(default_factory=dict)
    sysmon: list[Seen[Sysmon]] = field(default_factory=list)
    sacls: list[Seen[Sacl]] = field(default_factory=list)
    sacls_whole: list[Source] = field(default_factory=list)
    accounts: list[Seen[Account]] = field(default_factory=list)
    accounts_whole: list[Source] = field(default_factory=list)
    access_policies: list[Seen[AccessPolicy]] = field(default_factory=list)
    access_policies_whole: list[Source] = field(default_factory=list)
    answers: dict[str, list[Seen[Answer]]] = field(default_factory=dict)
    scans: list[Seen[ScanRow]] = field(default_factory=list)
    id: str = ""
    domain: str = ""

    @property
    def full_name(self) -> str:
        """A host's name with its domain, where that is known."""
        if not self.domain or "." in self.name:
            return self.name
        return f"{self.name}.{self.domain}" if "." in self.domain else f"{self.domain.upper()}\\{self.name}"

    def absorb(self, other: Subject) -> None:
        """Take over all that was seen of another one that turned out to be the same computer."""
        self.registry.absorb(other.registry)
        for one in fields(self):
            mine, theirs = getattr(self, one.name), getattr(other, one.name)
            if isinstance(mine, list):
                mine.extend(theirs)
            elif isinstance(mine, dict):
                for name, seen in theirs.items():
                    mine.setdefault(name, []).extend(seen)

    def sources(self) -> list[Source]:
        """Every file that told something of it, in the order of the reading."""
        found: dict[Source, None] = {}
        lists: tuple[Sequence[Seen[Any]], ...] = (
            self.machine, self.firewall, self.firewall_whole, self.applocker, self.app_control, self.sysmon, self.sacls,
            self.accounts, self.access_policies, self.scans)
        named: tuple[Mapping[str, Sequence[Seen[Any]]], ...] = (
            self.products, self.services, self.audit, self.effective, self.asr, self.features, self.channels,
            self.answers)
        for several in (*lists, *(listed for by_name in named for listed in by_name.values())):
            found.update((seen.source, None) for seen in several)
        found.update((seen.source, None) for *_, seen in self.registry)
        found.update((source, None) for source in (
            *self.app_control_whole, *self.sacls_whole, *self.accounts_whole, *self.access_policies_whole))
        return list(found)
