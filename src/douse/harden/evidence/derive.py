"""What registry values mean: firewall and AppLocker rules, ASR states, services, logs, the machine, its programs.

    derive(evidence)     after everything is read; fills the typed lists of its subjects

Readers keep values as they stand; several controls ask about what they come to. Each derived thing has its value's own
source, place and text. A state of a host is derived only where it follows: a profile of the firewall is on if policy
says so, or if policy is known to say nothing and the local setting is on.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from douse.errors import EvidenceError
from douse.harden import firewall_rule
from douse.harden.applocker_policy import (
    COLLECTIONS,
    UNKNOWN_MODE,
    AppLockerPolicy,
    AppLockerRule,
    RuleCollection,
    mode_of,
    parse_rule,
)
from douse.harden.evidence import hive_keys
from douse.harden.evidence.gpttmpl import STARTS
from douse.harden.firewall_rule import FirewallRule
from douse.harden.gathered import Evidence
from douse.harden.observed import Machine, Scalar, Service, StoredAppLocker, StoredRule, Subject
from douse.harden.registry import RegistryValue
from douse.harden.seen import Seen, Source

POLICY_FIREWALL = r"SOFTWARE\Policies\Microsoft\WindowsFirewall"
FIREWALL_STORES = {"gpo": rf"{POLICY_FIREWALL}\FirewallRules", "mdm": rf"{hive_keys.FIREWALL}\Mdm\FirewallRules",
                   "local": rf"{hive_keys.FIREWALL}\FirewallRules"}
SRP = r"SOFTWARE\Policies\Microsoft\Windows\SrpV2"
_DEFENDER = r"SOFTWARE\Policies\Microsoft\Windows Defender"
ASR_SWITCH = rf"{_DEFENDER}\Windows Defender Exploit Guard\ASR"
MDM_ASR = rf"{_DEFENDER}\Policy Manager"
_PROFILES = {"Domain": ("DomainProfile", "DomainProfile"), "Private": ("PrivateProfile", "StandardProfile"),
             "Public": ("PublicProfile", "PublicProfile")}
"""A profile's key in the policy and in the local settings, which still use the older name."""

_PERSON = re.compile(r"S-1-(?:5-21|12-1)-", re.IGNORECASE)
"""How the ids of people's accounts begin: local and domain accounts, and those of Entra."""

_ROLES = {"winnt": "workstation", "servernt": "server", "lanmannt": "domain controller"}
_COLLECTIONS = {name.casefold(): name for name in COLLECTIONS}
_MAX_BAD = 5
"""Rules of one key that are told one by one; more are counted."""


def derive(evidence: Evidence) -> None:
    """Fill the typed lists of every host and policy from its registry."""
    for subject in (*evidence.of("host"), *evidence.of("policy")):
        _firewall(subject, evidence)
        _applocker(subject, evidence)
        _asr(subject)
        _services(subject)
        if subject.kind == "host":
            _users(subject)
            _channels(subject)
            _machine(subject)
            _products(subject)
            _profiles(subject)


def _firewall(subject: Subject, evidence: Evidence) -> None:
    for store, key in FIREWALL_STORES.items():
        bad: list[str] = []
        for name, seen in _values(subject, key):
            try:
                rule = _rule(str(seen.value.data))
            except EvidenceError as error:
                bad.append(f"{seen.where}: {error.what}{f' {error.next_step}' if error.next_step else ''}")
                continue
            subject.firewall.append(Seen(StoredRule(store, name, rule), seen.source, seen.where, seen.raw))
        for text in bad[:_MAX_BAD]:
            evidence.lost(subject.name, text)
        if len(bad) > _MAX_BAD:
            evidence.lost(subject.name, f"{len(bad) - _MAX_BAD} more values of {key} are no firewall rules.",
                          "Look at them in the registry.")
        for source in subject.registry.knows_all_of("HKLM", key) if not bad else ():
            subject.firewall_whole.append(Seen(store, source, f"HKLM\\{key}"))


@lru_cache(maxsize=1 << 14)
def _rule(text: str) -> FirewallRule:
    """A rule of its text, one for all computers that have it: most of Windows' own rules are alike in a whole fleet."""
    return firewall_rule.parse(text, "")


def _applocker(subject: Subject, evidence: Evidence) -> None:
    """The collections of a policy's SrpV2 key, one policy for each source that has it."""
    found: dict[Source, dict[str, tuple[str, list[AppLockerRule], list[str]]]] = {}
    for place, name, seen in subject.registry.below("HKLM", SRP):
        parts = place.split("\\")
        parts[0] = _COLLECTIONS.get(parts[0].casefold(), "")
        if seen.value is None or not parts[0]:
            continue
        mode, rules, left_out = found.setdefault(seen.source, {}).setdefault(parts[0], ("NotConfigured", [], []))
        if len(parts) == 1 and name.casefold() == "enforcementmode":
            try:
                mode = mode_of(_number(seen.value))
            except ValueError as error:
                mode = UNKNOWN_MODE
                left_out.append(str(error))
        elif len(parts) == 2 and name.casefold() == "value":
            try:
                rules.append(parse_rule(str(seen.value.data), seen.where))
            except EvidenceError as error:
                left_out.append(error.what)
                evidence.lost(error.where, error.what, error.next_step)
        found[seen.source][parts[0]] = (mode, rules, left_out)
    for source, collections in found.items():
        policy = AppLockerPolicy(tuple(RuleCollection(type_, mode, tuple(rules), tuple(left_out))
                                       for type_, (mode, rules, left_out) in collections.items()))
        subject.applocker.append(Seen(StoredAppLocker("gpo", policy), source, f"HKLM\\{SRP}"))


def _asr(subject: Subject) -> None:
    """The states of attack surface reduction rules: Group Policy's by its switch, MDM's, Defender's own. What Group
    Policy says is left out where its switch is known to be neither on nor off: whether it counts, nobody knows."""
    for name, seen in _values(subject, rf"{ASR_SWITCH}\Rules"):
        switches = [one.value for one in subject.registry.look("HKLM", ASR_SWITCH, "ExploitGuard_ASR_Rules")
                    if one.source == seen.source]
        states = {_number(one) if one is not None else -1 for one in switches}
        if not states or states & {0, 1}:
            _keep_asr(subject, name, 0 if 0 in states else _number(seen.value), seen)
    for name, seen in _values(subject, MDM_ASR):
        if name.casefold() == "asrrules":
            for pair in str(seen.value.data).split("|"):
                guid, _, state = pair.partition("=")
                _keep_asr(subject, guid, int(state) if state.strip().isdecimal() else -1, seen)
    for name, seen in _values(subject, hive_keys.DEFENDER_ASR):
        _keep_asr(subject, name, _number(seen.value), seen)


def _keep_asr(subject: Subject, guid: str, state: int, seen: Seen[RegistryValue]) -> None:
    if state >= 0 and guid.strip():
        subject.asr.setdefault(guid.strip().strip("{}").lower(), []).append(
            Seen(state, seen.source, seen.where, seen.raw))


def _services(subject: Subject) -> None:
    """How services start, from their keys. A key that a whole hive lacks is a service that is not installed."""
    for place, name, seen in subject.registry.below("HKLM", hive_keys.SERVICES):
        if name.casefold() == "start" and place and "\\" not in place and seen.value is not None:
            start = STARTS.get(str(seen.value.data), "")
            subject.services.setdefault(place, []).append(Seen(Service(start), seen.source, seen.where, seen.raw))
    for key in hive_keys.keys_of("SYSTEM").single:
        service = key[len(hive_keys.SERVICES) + 1:] if key.casefold().startswith(hive_keys.SERVICES.casefold()) else ""
        for seen in subject.registry.look("HKLM", key, "Start") if service and "\\" not in service else ():
            if seen.value is None:
                subject.services.setdefault(service, []).append(Seen(None, seen.source, seen.where, "absent"))


def _channels(subject: Subject) -> None:
    for place, name, seen in subject.registry.below("HKLM", hive_keys.CHANNELS):
        if name.casefold() == "enabled" and seen.value is not None and "\\" not in place:
            subject.channels.setdefault(place, []).append(
                Seen(_number(seen.value) == 1, seen.source, seen.where, seen.raw))


def _machine(subject: Subject) -> None:
    """What a host is, from each source what it says: SOFTWARE knows the build, SYSTEM the role and the domain."""
    found: dict[Source, dict[str, Seen[RegistryValue]]] = {}
    for key in (hive_keys.VERSION, hive_keys.PRODUCT_OPTIONS, hive_keys.TCPIP):
        for name, seen in _values(subject, key):
            found.setdefault(seen.source, {})[name.casefold()] = seen
    for source, values in found.items():
        said = {name: str(seen.value.data).strip() for name, seen in values.items()}
        build = said.get("currentbuildnumber", said.get("currentbuild", ""))
        role = _ROLES.get(said.get("producttype", "").casefold(), "")
        if not role and said.get("installationtype"):
            role = "workstation" if said["installationtype"].casefold() == "client" else ""
        machine = Machine(int(build) if build.isdecimal() and len(build) < 8 else 0, said.get("productname", ""), role,
                          said.get("nv domain", "") or said.get("domain", ""))
        if machine != Machine():
            subject.machine.append(Seen(machine, source, min(seen.where for seen in values.values())))


def _users(subject: Subject) -> None:
    """The profiles of people, as Windows lists them: by the name of their folder, as a hive's user is named."""
    registry = subject.registry
    listed = [(place, str(seen.value.data)) for place, name, seen in registry.below("HKLM", hive_keys.PROFILE_LIST)
              if name.casefold() == "profileimagepath" and seen.value is not None and _PERSON.match(place)]
    for place, path in listed:
        registry.add_profile(path.replace("/", "\\").rstrip("\\").rpartition("\\")[2] or place)
    for source in registry.knows_all_of("HKLM", hive_keys.PROFILE_LIST) if listed else ():
        registry.all_profiles(source)


def _products(subject: Subject) -> None:
    """Programs under App Paths. That one is not there says little: it may be installed for a user or without a path."""
    for hive, profile in (("HKLM", ""), *(("HKCU", profile) for profile in subject.registry.profiles)):
        for place, name, seen in subject.registry.below(hive, hive_keys.APP_PATHS, profile):
            product = hive_keys.PROGRAMS.get(place.casefold())
            if product is not None and not name and seen.value is not None:
                subject.products.setdefault(product, []).append(Seen(True, seen.source, seen.where, seen.raw))


def _profiles(subject: Subject) -> None:
    """Whether the firewall is on in each profile, as far as it follows from policy and local settings."""
    registry = subject.registry
    for profile, (policy_key, local_key) in _PROFILES.items():
        policy = registry.look("HKLM", rf"{POLICY_FIREWALL}\{policy_key}", "EnableFirewall")
        seen = [one for one in policy if one.value is not None]
        if not seen and policy:  # policy is known to say nothing
            local = registry.look("HKLM", rf"{hive_keys.FIREWALL}\{local_key}", "EnableFirewall")
            seen = [one for one in local if one.value is not None]
        for one in seen:
            if one.value is not None:
                state: Scalar = _number(one.value) == 1
                subject.effective.setdefault(f"FirewallProfile.{profile}.Enabled", []).append(
                    Seen(state, one.source, one.where, one.raw))


def _values(subject: Subject, key: str) -> Iterator[tuple[str, Seen[RegistryValue]]]:
    """The values of one key, without those that are known to be absent and those of its subkeys."""
    for place, name, seen in subject.registry.below("HKLM", key):
        if not place and seen.value is not None:
            yield name, Seen(seen.value, seen.source, seen.where, seen.raw)


def _number(value: RegistryValue) -> int:
    """A value as a number, also where it is a text of digits; -1 where it is none."""
    if isinstance(value.data, int):
        return value.data
    text = str(value.data).strip()
    return int(text) if text.isdecimal() and len(text) < 12 else -1
