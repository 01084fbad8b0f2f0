r"""What evidence says of a computer, a policy or a tenant: the one form that every reader makes and every check reads.

    evidence = Evidence()
    host = evidence.host("PC-7")                    or with its domain, where the evidence has that
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

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
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
        self._under: dict[tuple[str, str], list[tuple[str, str, str, str]]] = {}
        self._complete: dict[tuple[str, str], list[tuple[str, Source, bool]]] = {}
        self._profiles: dict[str, str] = {}
        self._all_profiles: dict[Source, None] = {}

    def add(self, hive: str, key: str, name: str, value: RegistryValue | None, source: Source, *, where: str = "",
            raw: str = "", profile: str = "") -> None:
        """Keep a value, or with None that a source says it is not there."""
        spelled = (_one(hive.upper()), _one(key.strip("\\")), _one(name), _one(profile))
        place = self._place(*spelled)
        self._keep(place, spelled, [Seen(value, source, where or f"{hive}\\{key}!{name}", raw)])
        if profile:
            self.add_profile(profile)

    def _keep(self, place: tuple[str, str, str, str], spelled: tuple[str, str, str, str],
              seen: Iterable[Seen[RegistryValue | None]]) -> None:
        if place not in self._values:
            self._values[place], self._spelled[place] = [], spelled
            self._under.setdefault((place[0], place[3]), []).append(place)
        self._values[place].extend(seen)

    def add_profile(self, profile: str) -> None:
        """There is such a user profile, even if nothing of it was seen."""
        self._profiles.setdefault(profile.casefold(), profile)

    def all_profiles(self, source: Source) -> None:
        """A source names every user profile there is, whether or not it holds anything of them."""
        self._all_profiles[source] = None

    @property
    def knows_all_profiles(self) -> list[Source]:
        """The sources that name every user profile."""
        return list(self._all_profiles)

    def absorb(self, other: Registry) -> None:
        """Take over all that another one of the same computer has."""
        for place, seen in other._values.items():
            self._keep(place, other._spelled[place], seen)
        for whose, complete in other._complete.items():
            self._complete.setdefault(whose, []).extend(complete)
        for profile in other.profiles:
            self.add_profile(profile)
        self._all_profiles.update(other._all_profiles)

    def complete(self, hive: str, key: str, source: Source, profile: str = "", *, below: bool = True) -> None:
        """A source holds the whole of a key: what it lacks there, and unless `below` is false in the keys under it, is
        absent."""
        self._complete.setdefault((hive.upper(), profile.casefold()), []).append(
            (key.strip("\\").casefold(), source, below))
        if profile:
            self.add_profile(profile)

    def look(self, hive: str, key: str, name: str, profile: str = "") -> list[Seen[RegistryValue | None]]:
        """All that sources say of one value. Empty: nobody knows. A None among them: that source knows it is absent."""
        place = self._place(hive, key, name, profile)
        found = list(self._values.get(place, ()))
        told = {seen.source for seen in found}
        for prefix, source, below in self._complete.get((place[0], place[3]), ()):
            inside = place[1] == prefix or (below and _is_under(place[1], prefix))
            if inside and source not in told:
                found.append(Seen(None, source, f"{hive}\\{key}!{name}", "absent"))
                told.add(source)
        return found

    def below(self, hive: str, key: str, profile: str = "") -> Iterator[tuple[str, str, Seen[RegistryValue | None]]]:
        """Every value of a key and its subkeys: subkey relative to it, name, and what was seen."""
        prefix = key.strip("\\").casefold()
        for place in self._under.get((hive.upper(), profile.casefold()), ()):
            if place[1] == prefix or place[1].startswith(prefix + "\\"):
                _, spelled_key, name, _ = self._spelled[place]
                for one in self._values[place]:
                    yield spelled_key[len(prefix):].strip("\\"), name, one

    def knows_all_of(self, hive: str, key: str, profile: str = "") -> list[Source]:
        """The sources that hold the whole of a key's values."""
        folded = key.strip("\\").casefold()
        return [source for prefix, source, below in self._complete.get((hive.upper(), profile.casefold()), ())
                if folded == prefix or (below and _is_under(folded, prefix))]

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
        return _one(hive.upper()), _folded(key.strip("\\")), _folded(name), _folded(profile)


@lru_cache(maxsize=1 << 14)
def _one(text: str) -> str:
    """The text, the same object for all that equal it: the computers of a fleet have the same keys and names."""
    return text


@lru_cache(maxsize=1 << 14)
def _folded(text: str) -> str:
    return _one(text.casefold())


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


@dataclass(frozen=True, slots=True)
class Problem:
    """Evidence, or a part of one, that could not be used: where, what is wrong, what to do next."""

    where: str
    what: str
    next_step: str = ""


def _longer(one: str, other: str) -> str:
    """The name that says more; of two that say the same always the same one, whatever file came first."""
    return max(one, other, key=lambda name: (len(name), name))


class Evidence:
    """All subjects of a run, found by kind and name.

    Two files of one host may call it with its domain and without: `join_hosts` makes them one when all is read, where
    that can be told. `problems` are what was lost, `notes` what was read and should be known (a host named by its
    folder), `files` what was understood, `ignored` how many files that the user did not name are no evidence.
    `host_names` is what names.py found out of a tree of files. `today` is the day that no evidence can be younger than.
    """

    def __init__(self, today: date | None = None) -> None:
        self._subjects: dict[tuple[str, str], Subject] = {}
        self._latest = datetime.combine(today or datetime.now(UTC).date(), time.max, UTC) + timedelta(days=1)
        self.problems: list[Problem] = []
        self.notes: list[Problem] = []
        self.files: list[Source] = []
        self.ignored = 0
        self.host_names: dict[str, str] = {}
        self._joined: dict[str, tuple[str, str]] = {}

    def subject(self, kind: str, name: str) -> Subject:
        """The subject of that name, a new one where there is none."""
        if kind == "host":
            return self.host(name)
        spelled = name.strip().rstrip(".")
        return self._subjects.setdefault((kind, spelled.casefold()), Subject(kind, spelled))

    def host(self, name: str, domain: str = "") -> Subject:
        """A computer. `domain` is its DNS or NetBIOS domain where the evidence has that apart from a short name. After
        `join_hosts` the one computer of a short name is found by any of its names."""
        spelled = name.strip().rstrip(".")
        short, dot, own = spelled.partition(".")
        belongs = (own if dot else domain.strip(" .")).casefold()
        key = ("host", f"{short.casefold()}\\{belongs}".rstrip("\\"))
        if key not in self._subjects and self._joined.get(short.casefold(), key) in self._subjects:
            key = self._joined.get(short.casefold(), key)
        found = self._subjects.setdefault(key, Subject("host", spelled, domain=belongs))
        found.name = _longer(found.name, spelled)
        return found

    def join_hosts(self) -> None:
        """Make one of a host that some evidence names with its domain and some without.

        A short name stands for a whole one only where one computer of that name is known: of PC1 in two domains, what
        says PC1 alone belongs to nobody knows which, so it stays apart and the notes say so. The same holds for a
        NetBIOS domain, unless it is how one of the DNS domains begins.
        """
        alike: dict[str, list[tuple[str, str]]] = {}
        for key in self._subjects:
            if key[0] == "host":
                alike.setdefault(key[1].partition("\\")[0], []).append(key)
        for short, keys in alike.items():
            left = self._join(sorted(keys))
            if len(left) == 1:
                self._joined[short] = left[0]

    def _join(self, keys: list[tuple[str, str]]) -> list[tuple[str, str]]:
        """Hosts of one short name: those that must be one computer become one, the others are told apart. Gives the
        keys that are left."""
        whole = [key for key in keys if "." in self._subjects[key].domain]
        short = [key for key in keys if self._subjects[key].domain and key not in whole]
        bare = [key for key in keys if not self._subjects[key].domain]
        one_computer = len(whole) <= 1 and len(short) <= 1
        for key in list(short):
            begins = [one for one in whole
                      if self._subjects[one].domain.partition(".")[0] == self._subjects[key].domain]
            into = whole if one_computer else begins
            if len(into) == 1:
                self._absorb(into[0], key)
                short.remove(key)
        left = [*whole, *short]
        if len(left) == 1 and bare:
            self._absorb(left[0], bare.pop())
        if len(left) > 1:
            self._tell_apart([self._subjects[key] for key in left], [self._subjects[key] for key in bare])
        return [*left, *bare]

    def _absorb(self, into: tuple[str, str], key: tuple[str, str]) -> None:
        one, other = self._subjects[into], self._subjects.pop(key)
        one.absorb(other)
        one.name = _longer(one.name, other.name)

    def _tell_apart(self, whole: Sequence[Subject], bare: Sequence[Subject]) -> None:
        """Computers of one name in several domains are shown by their whole names."""
        for one in whole:
            one.name = one.full_name
        names = ", ".join(sorted(one.name for one in whole))
        for one in bare:
            for source in one.sources():
                self.note(source.file, f"speaks of {one.name} without its domain, and there are {names}: it is kept "
                          "apart, as nobody can tell whose it is.", "Name the file's host with its domain.")

    def not_future(self, taken: datetime | None, where: str) -> datetime | None:
        """A time at which evidence says it was taken; None, and a note, where it lies ahead: it would replace all that
        is true."""
        if taken is None or (taken if taken.tzinfo else taken.replace(tzinfo=UTC)) <= self._latest:
            return taken
        self.note(where, f"says that it was collected on {taken:%Y-%m-%d}, which lies ahead; its time is left out.",
                  "Correct the clock of that computer and collect again.")
        return None

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

