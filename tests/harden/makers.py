"""Subjects by hand, a line for each thing a source says: what a reader would have made of evidence.

    host = subject(reg("HKLM", KEY, "NoRun", 1), effective("MpPreference.PUAProtection", 1))

Every maker gives a function that adds to a subject, with the source `of` (default `collector`). A value of None is one
that the source knows to be absent. The order in which they are applied must never matter.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from douse.content.settings import Data
from douse.harden.app_control_policy import AppControlPolicy
from douse.harden.applocker_policy import AppLockerPolicy, parse
from douse.harden.firewall_rule import parse as parse_rule
from douse.harden.observed import (
    AccessPolicy,
    Account,
    Answer,
    AuditState,
    Machine,
    Sacl,
    ScanRow,
    Service,
    StoredAppControl,
    StoredAppLocker,
    StoredRule,
    Subject,
    Sysmon,
)
from douse.harden.registry import RegistryValue
from douse.harden.seen import Seen, Source

Add = Callable[[Subject], None]


def source(kind: str = "collector", file: str = "", day: int | None = None) -> Source:
    """A source of a kind; `day` of November 2026 is when it was taken."""
    name = file or f"{kind}.json"
    taken = datetime(2026, 11, day, tzinfo=UTC) if day else None
    return Source(kind, name, hashlib.sha256(f"{kind}/{name}/{day}".encode()).hexdigest(), taken)


COLLECTOR, HIVE, GPRESULT = source(), source("hive", "SOFTWARE"), source("gpresult", "gpresult.xml")
MPPREFERENCE = source("mppreference", "mp.json")


def subject(*adds: Add, kind: str = "host", name: str = "PC-7") -> Subject:
    """A subject of which these things were said."""
    made = Subject(kind, name)
    for add in adds:
        add(made)
    return made


def reg(hive: str, key: str, name: str, value: Data | None, type_: str = "", *, of: Source = COLLECTOR,
        profile: str = "") -> Add:
    """A registry value."""
    if not type_:
        type_ = "REG_DWORD" if isinstance(value, int) else "REG_MULTI_SZ" if isinstance(value, tuple) else "REG_SZ"
    seen = None if value is None else RegistryValue(type_, value)
    raw = "absent" if value is None else str(value)
    return lambda made: made.registry.add(hive, key, name, seen, of, raw=raw, profile=profile)


def profile(name: str) -> Add:
    """A user profile of which nothing else is known."""
    return lambda made: made.registry.add_profile(name)


def all_profiles(of: Source = COLLECTOR) -> Add:
    """A source names every user profile."""
    return lambda made: made.registry.all_profiles(of)


def whole_key(hive: str, key: str, *, of: Source = HIVE, profile: str = "") -> Add:
    """A source holds the whole of a key."""
    return lambda made: made.registry.complete(hive, key, of, profile)


def machine(build: int = 22631, role: str = "workstation", *, of: Source = COLLECTOR) -> Add:
    """What a host is."""
    return lambda made: made.machine.append(Seen(Machine(build, "Windows", role), of, "system", str(build)))


def product(word: str, installed: bool, *, of: Source = COLLECTOR) -> Add:
    """Whether a program is installed."""
    return lambda made: made.products.setdefault(word, []).append(Seen(installed, of, word, str(installed)))


def effective(name: str, value: str | int | bool, *, of: Source = COLLECTOR) -> Add:
    """A state that is in force."""
    return lambda made: made.effective.setdefault(name, []).append(Seen(value, of, name, str(value)))


def service(name: str, start: str | None, state: str = "", *, of: Source = COLLECTOR) -> Add:
    """A service; a start of None says that there is none."""
    found = None if start is None else Service(start, state)
    return lambda made: made.services.setdefault(name, []).append(Seen(found, of, f"services {name}"))


def audited(guid: str, success: bool, failure: bool, *, of: Source = COLLECTOR) -> Add:
    """What of a subcategory is audited."""
    return lambda made: made.audit.setdefault(guid, []).append(Seen(AuditState(success, failure), of, guid))


def feature(name: str, state: str, *, of: Source = COLLECTOR) -> Add:
    """An optional feature."""
    return lambda made: made.features.setdefault(name, []).append(Seen(state, of, name, state))


def channel(name: str, on: bool, *, of: Source = COLLECTOR) -> Add:
    """An event log."""
    return lambda made: made.channels.setdefault(name, []).append(Seen(on, of, name))


def sysmon(running: bool | None, ids: Iterable[int] | None = None, hashes: Iterable[str] = (), *,
           of: Source = COLLECTOR) -> Add:
    """Sysmon."""
    found = Sysmon(running, None if ids is None else frozenset(ids), frozenset(hashes))
    return lambda made: made.sysmon.append(Seen(found, of, "sysmon"))


def sacl(profile_: str, path: str, reads: bool = True, inheritable: bool = True, everyone: bool = True, *,
         of: Source = COLLECTOR) -> Add:
    """The audit entries of a folder."""
    return lambda made: made.sacls.append(Seen(Sacl(profile_, path, reads, inheritable, everyone), of, path))


def sacls_whole(of: Source = COLLECTOR) -> Add:
    """A source holds the audit entries of every folder."""
    return lambda made: made.sacls_whole.append(of)


def asr(guid: str, state: int, *, of: Source = COLLECTOR, where: str = "") -> Add:
    """The state of a rule, by default as Defender itself has it."""
    place = where or f"MpPreference.AttackSurfaceReductionRules {guid}"
    return lambda made: made.asr.setdefault(guid, []).append(Seen(state, of, place, str(state)))


def rule(store: str, text: str, *, of: Source = COLLECTOR, name: str = "{1}") -> Add:
    """A firewall rule as the registry keeps it."""
    stored = StoredRule(store, name, parse_rule(text))
    return lambda made: made.firewall.append(Seen(stored, of, f"{store} {name}", text))


def store_whole(*stores: str, of: Source = COLLECTOR) -> Add:
    """A source holds all of these firewall stores."""
    return lambda made: made.firewall_whole.extend(Seen(store, of, store) for store in stores)


def applocker(store: str, xml: str, *, of: Source = COLLECTOR) -> Add:
    """An AppLocker policy."""
    policy: AppLockerPolicy = parse(xml)
    return lambda made: made.applocker.append(Seen(StoredAppLocker(store, policy), of, f"AppLocker {store}"))


def app_control(id_: str, active: bool | None, policy: AppControlPolicy | None, *, version: str = "",
                of: Source = COLLECTOR) -> Add:
    """An App Control policy; `version` is that of the active one."""
    stored = StoredAppControl(id_, f"policy {id_}", active, policy, version)
    return lambda made: made.app_control.append(Seen(stored, of, f"App Control {id_}"))


def app_control_whole(of: Source = COLLECTOR) -> Add:
    """A source lists every active App Control policy."""
    return lambda made: made.app_control_whole.append(of)


QUESTIONNAIRE = source("questionnaire", "answers.yml")


def answer(question: str, word: str, when: str = "2026-11-01", proof: str = "policy.pdf", *,
           of: Source = QUESTIONNAIRE) -> Add:
    """An answer of the questionnaire."""
    found = Answer(word, "Ada", when, proof)
    return lambda made: made.answers.setdefault(question, []).append(Seen(found, of, question, word))


ENTRA, POLICIES = source("entra", "registration.json"), source("entra", "policies.json")


def account(name: str, admin: bool | None, registered: bool | None, *methods: str, told: bool = True,
            capable: bool | None = True, of: Source = ENTRA) -> Add:
    """An account of a tenant; `told` False leaves its methods open."""
    found = Account(name, admin, registered, registered and capable, methods if told else None)
    return lambda made: made.accounts.append(Seen(found, of, name, name))


def accounts_whole(of: Source = ENTRA) -> Add:
    """The export has every account."""
    return lambda made: made.accounts_whole.append(of)


def access_policy(name: str, state: str = "enabled", grants: tuple[str, ...] = ("mfa",), *, strength: str = "",
                  operator: str = "OR", includes: tuple[str, ...] = ("All",), excludes: tuple[str, ...] = (),
                  clients: tuple[str, ...] = ("all",), applications: tuple[str, ...] = ("All",),
                  complete: bool = True, of: Source = POLICIES) -> Add:
    """A conditional access policy."""
    found = AccessPolicy(name, state, grants, strength, operator, includes, excludes, clients, applications, complete)
    return lambda made: made.access_policies.append(Seen(found, of, name, name))


def policies_whole(of: Source = POLICIES) -> Add:
    """The export has every policy."""
    return lambda made: made.access_policies_whole.append(of)


def scanned(id_: str, name: str, result: str, passed: bool | None, recommended: str = "1") -> Add:
    """A row of a HardeningKitty report."""
    row = ScanRow(id_, "Defender", name, "Medium", result, recommended, passed)
    return lambda made: made.scans.append(Seen(row, source("hardeningkitty", "hk.csv"), f"row {id_}", result))
