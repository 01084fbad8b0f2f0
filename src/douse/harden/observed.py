r"""What evidence says of a computer, a policy or a tenant: the one form that every reader makes and every check reads.

    evidence = Evidence()
    host = evidence.host("PC-7")
    host.registry.add("HKLM", r"SOFTWARE\Policies\Google\Chrome", "PasswordManagerEnabled",
                      RegistryValue("REG_DWORD", 0), source, where=r"SOFTWARE hive")
    host.registry.look("HKLM", r"software\policies\google\chrome", "passwordmanagerenabled")    # [Seen(...)]

Nothing is decided here. Two sources that disagree are both kept: that is a conflict, and the audit's to tell. A value
that is not there is known to be absent only where a source says so: by name, or because it holds the whole of a key
(`complete`). Everything that is text came from a stranger.

Subjects differ in what they prove. A *host* is a computer; a *policy* is a file that would set something where it is
applied (registry.pol, a GPO backup, a browser's policies.json) and says of no host that it is; a *tenant* holds
accounts and sign-in policies; an *organisation* answers questions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, TypeVar

from douse.content.settings import Data
from douse.harden.app_control_policy import AppControlPolicy
from douse.harden.applocker_policy import AppLockerPolicy
from douse.harden.firewall_rule import FirewallRule

SUBJECTS = ("host", "policy", "tenant", "organisation")
STORES = ("gpo", "mdm", "local")
"""Where a firewall rule can be kept, the most authoritative first."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Source:
    """A file of evidence: what reader understood it, its name as the user wrote it (with the member of an archive or
    folder), the SHA-256 of its bytes, and when it was taken (UTC), None where it does not say."""

    kind: str
    file: str
    sha256: str
    taken: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """Something a source says: the value, the source, the place in it (`where`: key, element, line), and `raw`, the
    text as it stood there."""

    value: T
    source: Source
    where: str
    raw: str = ""


@dataclass(frozen=True, slots=True)
class RegistryValue:
    """A registry value: its type by Windows' name and its data. A type unknown to us is `REG_NONE` with bytes."""

    type: str
    data: Data


class Registry:
    """The values of one subject, under HKLM and under HKCU of each user profile. Names compare without case.

    `profile` is "" for HKLM, else the user's name or SID; for a policy's user part it is "".
    """

    def __init__(self) -> None:
        self._values: dict[tuple[str, str, str, str], list[Seen[RegistryValue | None]]] = {}
        self._spelled: dict[tuple[str, str, str, str], tuple[str, str, str, str]] = {}
        self._complete: list[tuple[str, str, str, Source, bool]] = []
        self._profiles: dict[str, str] = {}

    def add(self, hive: str, key: str, name: str, value: RegistryValue | None, source: Source, *, where: str = "",
            raw: str = "", profile: str = "") -> None:
        """Keep a value, or with None that a source says it is not there."""
        spelled = (hive.upper(), key.strip("\\"), name, profile)
        place = self._place(*spelled)
        self._spelled.setdefault(place, spelled)
        self._values.setdefault(place, []).append(Seen(value, source, where or f"{hive}\\{key}!{name}", raw))
        if profile:
            self.add_profile(profile)

    def add_profile(self, profile: str) -> None:
        """There is such a user profile, even if nothing of it was seen."""
        self._profiles.setdefault(profile.casefold(), profile)

    def complete(self, hive: str, key: str, source: Source, profile: str = "", *, below: bool = True) -> None:
        """A source holds the whole of a key: what it lacks there, and unless `below` is false in the keys under it, is
        absent."""
        self._complete.append((hive.upper(), key.strip("\\").casefold(), profile.casefold(), source, below))
        if profile:
            self.add_profile(profile)

    def look(self, hive: str, key: str, name: str, profile: str = "") -> list[Seen[RegistryValue | None]]:
        """All that sources say of one value. Empty: nobody knows. A None among them: that source knows it is absent."""
        place = self._place(hive, key, name, profile)
        found = list(self._values.get(place, ()))
        told = {seen.source for seen in found}
        for of, prefix, whose, source, below in self._complete:
            inside = place[1] == prefix or (below and _is_under(place[1], prefix))
            if of == place[0] and whose == place[3] and inside and source not in told:
                found.append(Seen(None, source, f"{hive}\\{key}!{name}", "absent"))
                told.add(source)
        return found

    def below(self, hive: str, key: str, profile: str = "") -> Iterator[tuple[str, str, Seen[RegistryValue | None]]]:
        """Every value of a key and its subkeys: subkey relative to it, name, and what was seen."""
        prefix = key.strip("\\").casefold()
        for place, seen in self._values.items():
            if place[0] == hive.upper() and place[3] == profile.casefold() and (
                    place[1] == prefix or place[1].startswith(prefix + "\\")):
                _, spelled_key, name, _ = self._spelled[place]
                for one in seen:
                    yield spelled_key[len(prefix):].strip("\\"), name, one

    def knows_all_of(self, hive: str, key: str, profile: str = "") -> list[Source]:
        """The sources that hold the whole of a key's values."""
        folded = key.strip("\\").casefold()
        return [source for of, prefix, whose, source, below in self._complete
                if of == hive.upper() and whose == profile.casefold()
                and (folded == prefix or (below and _is_under(folded, prefix)))]

    @property
    def profiles(self) -> tuple[str, ...]:
        """The user profiles that anybody told of, in order."""
        return tuple(self._profiles[name] for name in sorted(self._profiles))

    def __iter__(self) -> Iterator[tuple[str, str, str, str, Seen[RegistryValue | None]]]:
        """Every value as (hive, key, name, profile, seen), spelled as first seen."""
        for place, seen in self._values.items():
            for one in seen:
                yield (*self._spelled[place], one)

    def __len__(self) -> int:
        return len(self._values)

    @staticmethod
    def _place(hive: str, key: str, name: str, profile: str) -> tuple[str, str, str, str]:
        return hive.upper(), key.strip("\\").casefold(), name.casefold(), profile.casefold()


def _is_under(key: str, above: str) -> bool:
    return not above or key.startswith(above + "\\")


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
    """Sysmon as far as evidence shows it. `ids` are None where its configuration is not known."""

    running: bool
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
    only its name and state are known (CiTool)."""

    id: str
    name: str
    active: bool | None
    policy: AppControlPolicy | None


Scalar = str | int | bool


@dataclass(slots=True)
class Subject:
    """One computer, policy, tenant or organisation, and all that was seen of it.

    `effective` holds states by name: `MpPreference.X`, `MpComputerStatus.X`, `FirewallProfile.Domain.Enabled`
    (Domain, Private, Public), `DeviceGuard.X`. `products` are programs by word (chrome, edge, firefox, office,
    powershell-core) and whether they are installed. `id` tells two policies of one name apart. GUIDs of `audit` are
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


@dataclass(frozen=True, slots=True)
class Problem:
    """Evidence, or a part of one, that could not be used: where, what is wrong, what to do next."""

    where: str
    what: str
    next_step: str = ""


class Evidence:
    """All subjects of a run, found by kind and name; a host's name compares without case and without its domain when
    only one of two has one.

    `problems` are what was lost, `notes` what was read and should be known (a host named by its folder), `files` what
    was understood, `ignored` how many files that the user did not name are no evidence. `host_names` is what names.py
    found out of a tree of files.
    """

    def __init__(self) -> None:
        self._subjects: dict[tuple[str, str], Subject] = {}
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.files: list[Source] = []
        self.ignored = 0
        self.host_names: dict[str, str] = {}

    def subject(self, kind: str, name: str) -> Subject:
        """The subject of that name, a new one where there is none."""
        folded = name.strip().rstrip(".").casefold()
        key = (kind, folded)
        if key not in self._subjects and kind == "host":
            short = folded.partition(".")[0]
            for known in self._subjects:
                if known[0] == kind and short == known[1].partition(".")[0] and ("." in folded) != ("." in known[1]):
                    key = known
                    break
        return self._subjects.setdefault(key, Subject(kind, name.strip().rstrip(".")))

    def host(self, name: str) -> Subject:
        """A computer."""
        return self.subject("host", name)

    def lost(self, where: str, what: str, next_step: str = "") -> None:
        """Something could not be used; the run goes on."""
        self.problems.append(Problem(where, what, next_step))

    def note(self, where: str, what: str, next_step: str = "") -> None:
        """Nothing was lost, but the reader of the result should know it."""
        self.notes.append(Problem(where, what, next_step))

    def policy(self, name: str, identity: str = "") -> Subject:
        """A policy by its name; a second one of that name that has another id is told apart by it."""
        found = self.subject("policy", name)
        if identity and found.id and found.id != identity.lower():
            found = self.subject("policy", f"{name} {identity}")
        found.id = found.id or identity.lower()
        return found

    @property
    def subjects(self) -> tuple[Subject, ...]:
        """All of them: hosts first, then policies, tenants and organisations, each by name."""
        return tuple(sorted(self._subjects.values(), key=lambda one: (SUBJECTS.index(one.kind), one.name.casefold())))

    def of(self, kind: str) -> tuple[Subject, ...]:
        """The subjects of one kind."""
        return tuple(one for one in self.subjects if one.kind == kind)

