"""The rest of a collector's document: what Windows says of itself when asked, which no registry value shows.

    add(collected)      Defender, firewall, AppLocker, App Control, services, features, audit policy, audit entries

Windows' own words and numbers are kept as they are where the audit knows them; a word nobody knows stays unknown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from douse.content.settings import Data
from douse.errors import EvidenceError
from douse.harden import applocker_policy
from douse.harden.collect import FIREWALL_KEYS, SYSMON, SYSMON_CONFIG, asked
from douse.harden.evidence import auditpol, ci_tool, defender, sddl
from douse.harden.evidence.json_tree import Json, listed, mapping, number, text
from douse.harden.observed import Service, StoredAppLocker, Sysmon
from douse.harden.seen import Seen

if TYPE_CHECKING:
    from douse.harden.evidence.collector import Collected

STARTS = {"auto": "automatic", "boot": "automatic", "system": "automatic", "manual": "manual", "disabled": "disabled"}
"""Win32_Service.StartMode, which no language of Windows changes."""

NETBIOS = 15
"""Characters that auditpol gives of a computer's name."""

RUNS = {"running": "running", "stopped": "stopped"}
FEATURE_STATES = {1: "enabled", 2: "disabled", 3: "absent"}
"""Win32_OptionalFeature.InstallState; 4 is unknown."""

HASHES = {1: "SHA1", 2: "MD5", 4: "SHA256", 8: "IMPHASH"}
"""Bits of the driver's HashingAlgorithm; the first three are published, the fourth is practice."""

_MOST = 20
"""Rules that are told one by one."""

PROFILES = ("Domain", "Private", "Public")


def add(collected: Collected) -> None:
    """Keep every part that the document has."""
    for part in (_defender, _firewall_profiles, _firewall_active, _guard, _antivirus, _applocker, _app_control,
                 _services, _features, _audit, _sacls):
        part(collected)


def _defender(collected: Collected) -> None:
    host, document, source = collected.host, collected.document, collected.source
    defender.add_states(host, "MpPreference", mapping(document.get("mppreference")), source)
    defender.add_states(host, "MpComputerStatus", mapping(document.get("mpcomputerstatus")), source)
    absent = {text(entry.get("name")) for entry in collected.entries("services") if entry.get("present") is False}
    if collected.lacks("mppreference") and "WinDefend" in absent:
        defender.add_states(host, "MpComputerStatus", {"AMRunningMode": "Not running"}, source)
    if "asr_ids" in document:
        defender.add_rules(host, listed(document["asr_ids"]), listed(document.get("asr_actions")), source,
                           collected.evidence)


def _firewall_profiles(collected: Collected) -> None:
    bad = 0
    for entry in collected.entries("firewall_profiles"):
        name, on = text(entry.get("name")).capitalize(), entry.get("enabled")
        if name not in PROFILES or not isinstance(on, bool):
            bad += 1
            continue
        state = f"FirewallProfile.{name}.Enabled"
        collected.host.effective.setdefault(state, []).append(Seen(on, collected.source, state, str(on)))
    if bad:
        collected.lost("firewall_profiles", f"{bad} entries are no profile that is on or off")


def _firewall_active(collected: Collected) -> None:
    """Whether the firewall now blocks a program at all. A rule that is stored and not enforced is told: the addresses
    and users of a rule are not in this part, so that it alone proves nothing."""
    if not isinstance(collected.document.get("firewall_active"), (list, dict)):
        return
    blocked = {text(entry.get("program")).casefold().rpartition("\\")[2]
               for entry in collected.entries("firewall_active") if _blocks(entry)}
    for program in asked().programs:
        state, on = f"FirewallActive.{program}", program in blocked
        collected.host.effective.setdefault(state, []).append(Seen(on, collected.source, state, str(on)))
        stored = [] if on else _stored_blocks(collected, program)
        if stored:
            collected.evidence.note(
                collected.source.file, f"the registry has an active rule that blocks {program} ({stored[0]}), but the "
                "firewall does not enforce it.", "Check that the firewall's service runs; run gpupdate /force.")


def _blocks(entry: dict[str, Json]) -> bool:
    words = [text(entry.get(what)).casefold() for what in ("direction", "action", "enabled")]
    return words[:2] == ["outbound", "block"] and words[2] in ("true", "1")


def _stored_blocks(collected: Collected, program: str) -> list[str]:
    """Where the registry of this document has an active outbound block rule for a program."""
    found = []
    for key in FIREWALL_KEYS:
        for _, name, seen in collected.host.registry.below("HKLM", key):
            if seen.source == collected.source and seen.value is not None and isinstance(seen.value.data, str):
                fields = seen.value.data.casefold().split("|")
                if {"action=block", "active=true", "dir=out"} <= set(fields) and any(
                        field.startswith("app=") and field.endswith(f"\\{program}") for field in fields):
                    found.append(f"{key}!{name}")
    return found


def _guard(collected: Collected) -> None:
    defender.add_states(collected.host, "DeviceGuard", mapping(collected.document.get("device_guard")),
                        collected.source)


def _antivirus(collected: Collected) -> None:
    """The products that Windows' security center knows, as one text."""
    names = [name for entry in collected.entries("antivirus") if (name := text(entry.get("name")).strip())]
    if names:
        state, together = "SecurityCenter.AntiVirus", "; ".join(name.replace(";", ",") for name in names)
        collected.host.effective.setdefault(state, []).append(Seen(together, collected.source, state, together))


def _applocker(collected: Collected) -> None:
    shown = collected.document.get("applocker_effective")
    if not isinstance(shown, str) or not shown.strip():
        return
    try:
        policy = applocker_policy.parse(shown, f"{collected.source.file}: applocker_effective")
    except EvidenceError as error:
        collected.evidence.lost(error.where, error.what, error.next_step)
        return
    collected.host.applocker.append(
        Seen(StoredAppLocker("effective", policy), collected.source, "Get-AppLockerPolicy -Effective"))
    left_out = [f"{one.type} rules: {what.rstrip('.')}" for one in policy.collections for what in one.left_out]
    for what in left_out[:_MOST]:
        collected.lost("applocker_effective", what)
    if len(left_out) > _MOST:
        collected.lost("applocker_effective", f"{len(left_out) - _MOST} more rules cannot be used")


def _app_control(collected: Collected) -> None:
    shown = collected.document.get("app_control")
    if isinstance(shown, str):
        try:
            ci_tool.add(shown, collected.host, collected.source, collected.evidence)
        except EvidenceError as error:
            collected.evidence.lost(error.where, error.what, error.next_step)


def _services(collected: Collected) -> None:
    sysmon: list[tuple[str, bool]] = []
    bad = 0
    for entry in collected.entries("services"):
        name, present = text(entry.get("name")), entry.get("present")
        if not name or not isinstance(present, bool):
            bad += 1
            continue
        service, raw = None, "not installed"
        if present:
            raw = f"{text(entry.get('start'))}, {text(entry.get('state'))}"
            service = Service(STARTS.get(text(entry.get("start")).casefold(), ""),
                              RUNS.get(text(entry.get("state")).casefold(), ""))
        collected.host.services.setdefault(name, []).append(Seen(service, collected.source, f"services {name}", raw))
        if service is not None and entry.get("sysmon") is True:
            sysmon.append((name, service.state == "running"))
    if bad:
        collected.lost("services", f"{bad} entries are not as the collector writes them")
    if listed(collected.document.get("services")):
        _sysmon(collected, sysmon)


def _sysmon(collected: Collected, services: list[tuple[str, bool]]) -> None:
    """Sysmon by its service; what it records is in a binary form that the script does not read, so it stays unknown."""
    bits, config = _own_value(collected, SYSMON), _own_value(collected, SYSMON_CONFIG)
    hashes = frozenset(word for bit, word in HASHES.items() if isinstance(bits, int) and bits & bit)
    running = any(on for _, on in services)
    raw = ", ".join(f"{name} {'runs' if on else 'does not run'}" for name, on in services) or "no service"
    if isinstance(config, str):
        raw = f"{raw}; configuration {config}"
    collected.host.sysmon.append(Seen(Sysmon(running, None, hashes), collected.source, "services", raw))


def _own_value(collected: Collected, place: tuple[str, str]) -> Data | None:
    """A value of the computer that this document has."""
    seen = collected.value("HKLM", *place)
    return None if seen is None or seen.value is None else seen.value.data


def _features(collected: Collected) -> None:
    bad = list[str]()
    for entry in collected.entries("features"):
        name, number_ = text(entry.get("name")), number(entry.get("state"))
        state = "absent" if entry.get("present") is False else FEATURE_STATES.get(number_ or 0)
        if not name or state is None:
            bad.append(name[:60] or "an entry")
            continue
        collected.host.features.setdefault(name, []).append(
            Seen(state, collected.source, f"Win32_OptionalFeature {name}", state))
    if bad:
        collected.lost("features", f"the state of {bad[0]} is not known ({len(bad)} of them)")


def _audit(collected: Collected) -> None:
    lines = listed(collected.document.get("auditpol"))
    if lines:
        shown = "\n".join(line for line in lines if isinstance(line, str))
        others = auditpol.machines(shown) - {collected.host.name.partition(".")[0][:NETBIOS].casefold()}
        if others:
            collected.lost("auditpol", f"it is of another machine ({min(others)[:60]}), so that it is left out")
            return
        auditpol.add(shown, collected.host, collected.source, collected.evidence, f"{collected.source.file}: auditpol")


def _sacls(collected: Collected) -> None:
    """The audit entries of the stores' folders; they are all only where nothing failed."""
    if not isinstance(collected.document.get("sacls"), (list, dict)):
        return
    bad = sum(not _sacl(collected, entry) for entry in collected.entries("sacls"))
    if bad:
        collected.lost("sacls", f"{bad} entries are not as the collector writes them")
    elif not collected.failed("sacls") and not collected.failed("profiles"):
        collected.host.sacls_whole.append(collected.source)


def _sacl(collected: Collected, entry: dict[str, Json]) -> bool:
    profile, folder = collected.profiles.get(text(entry.get("profile"))), text(entry.get("folder"))
    found = sddl.sacl_of(text(entry.get("sddl")), profile, folder) if profile and folder else None
    if found is None:
        return False
    collected.host.sacls.append(
        Seen(found, collected.source, f"sacls {profile}\\{folder}", text(entry.get("sddl"))[:2000]))
    return True
