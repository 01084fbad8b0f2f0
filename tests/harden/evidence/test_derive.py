"""What registry values mean, and what nobody may conclude from them."""

from __future__ import annotations

from douse.harden.applocker_policy import UNKNOWN_MODE
from douse.harden.evidence import derive, hive_keys
from douse.harden.gathered import Evidence
from douse.harden.observed import Subject
from douse.harden.registry import Registry, RegistryValue
from douse.harden.seen import Source

HIVE = Source("hive", "SOFTWARE", "aa")
POLICY = Source("registry_pol", "registry.pol", "bb")
BLOCK = r"v2.26|Action=Block|Active=TRUE|Dir=Out|App=C:\Windows\System32\mshta.exe|Name=n|"
RULE = ('<FilePublisherRule Id="{1}" Name="Deny mshta" Description="" UserOrGroupSid="S-1-1-0" Action="Deny">'
        '<Conditions><FilePublisherCondition PublisherName="O=MICROSOFT" ProductName="*" BinaryName="MSHTA.EXE">'
        '<BinaryVersionRange LowSection="*" HighSection="*"/></FilePublisherCondition></Conditions>'
        "</FilePublisherRule>")
BE9B = "be9ba2d9-53ea-4cdc-84e5-9b1eeee46550"


def put(registry: Registry, key: str, name: str, data: int | str, source: Source = HIVE) -> None:
    value = RegistryValue("REG_DWORD" if isinstance(data, int) else "REG_SZ", data)
    registry.add("HKLM", key, name, value, source, raw=str(data))


def host(evidence: Evidence) -> Subject:
    return evidence.host("PC-7")


def test_the_three_stores_of_the_firewall() -> None:
    evidence = Evidence()
    registry = host(evidence).registry
    for store, key in derive.FIREWALL_STORES.items():
        put(registry, key, f"{{{store}}}", BLOCK)
    registry.complete("HKLM", derive.FIREWALL_STORES["gpo"], HIVE)
    registry.add("HKLM", derive.FIREWALL_STORES["gpo"], "{gone}", None, HIVE)
    derive.derive(evidence)
    assert [(one.value.store, one.value.id, one.raw, one.source) for one in host(evidence).firewall] == [
        (store, f"{{{store}}}", BLOCK, HIVE) for store in derive.FIREWALL_STORES]
    assert [one.value for one in host(evidence).firewall_whole] == ["gpo"]
    assert evidence.problems == []


def test_a_rule_that_cannot_be_read_means_that_the_store_is_not_known_wholly() -> None:
    evidence = Evidence()
    for number in range(9):
        put(host(evidence).registry, derive.FIREWALL_STORES["gpo"], f"{number}", "v2.26|Broken")
    host(evidence).registry.complete("HKLM", derive.FIREWALL_STORES["gpo"], HIVE)
    derive.derive(evidence)
    assert host(evidence).firewall == host(evidence).firewall_whole == []
    assert len(evidence.problems) == 6
    assert evidence.problems[-1].what.startswith("4 more values of")


def test_applocker_rules_of_a_policy() -> None:
    evidence = Evidence()
    policy = evidence.policy("Workstations")
    put(policy.registry, derive.SRP + r"\exe", "EnforcementMode", 1, POLICY)
    put(policy.registry, derive.SRP + r"\exe\{1}", "Value", RULE, POLICY)
    put(policy.registry, derive.SRP + r"\exe\{2}", "Value", "<!DOCTYPE x><x/>", POLICY)
    put(policy.registry, derive.SRP + r"\Script", "EnforcementMode", 0, POLICY)
    put(policy.registry, derive.SRP + r"\Dll", "EnforcementMode", 7, POLICY)
    derive.derive(evidence)
    (seen,) = policy.applocker
    found = {one.type: (one.mode, [rule.name for rule in one.rules], len(one.left_out)) for one in
             seen.value.policy.collections}
    assert found == {"Exe": ("Enabled", ["Deny mshta"], 1),
                     "Script": ("AuditOnly", [], 0), "Dll": (UNKNOWN_MODE, [], 1)}
    assert (seen.value.store, seen.source, len(evidence.problems)) == ("gpo", POLICY, 1)


def test_two_sources_are_two_applocker_policies() -> None:
    evidence = Evidence()
    for source in (HIVE, POLICY):
        put(host(evidence).registry, derive.SRP + r"\Exe\{1}", "Value", RULE, source)
    derive.derive(evidence)
    assert [one.source for one in host(evidence).applocker] == [HIVE, POLICY]


def test_asr_states_come_from_policy_mdm_and_defender() -> None:
    evidence = Evidence()
    registry = host(evidence).registry
    put(registry, derive.ASR_SWITCH, "ExploitGuard_ASR_Rules", 1)
    put(registry, derive.ASR_SWITCH + r"\Rules", BE9B.upper(), "1")
    put(registry, derive.MDM_ASR, "ASRRules", f"{{{BE9B}}}=2|d3e037e1-3eb8-44c8-a917-57927947596d=x|")
    put(registry, hive_keys.DEFENDER_ASR, BE9B, 6)
    derive.derive(evidence)
    assert {guid: [one.value for one in seen] for guid, seen in host(evidence).asr.items()} == {BE9B: [1, 2, 6]}


def test_asr_rules_without_their_switch_are_off() -> None:
    evidence = Evidence()
    put(host(evidence).registry, derive.ASR_SWITCH, "ExploitGuard_ASR_Rules", 0)
    put(host(evidence).registry, derive.ASR_SWITCH + r"\Rules", BE9B, "1")
    derive.derive(evidence)
    assert [one.value for one in host(evidence).asr[BE9B]] == [0]


def test_asr_rules_whose_switch_is_known_to_be_absent_say_nothing() -> None:
    evidence = Evidence()
    registry = host(evidence).registry
    put(registry, derive.ASR_SWITCH + r"\Rules", BE9B, "1")
    registry.complete("HKLM", derive.ASR_SWITCH, next(iter(registry))[4].source)
    derive.derive(evidence)
    assert host(evidence).asr == {}


def test_the_local_firewall_counts_only_where_policy_is_known_to_be_silent() -> None:
    for known in (False, True):
        evidence = Evidence()
        registry = host(evidence).registry
        put(registry, hive_keys.FIREWALL + r"\StandardProfile", "EnableFirewall", 1)
        put(registry, hive_keys.FIREWALL + r"\PublicProfile", "EnableFirewall", 0)
        put(registry, derive.POLICY_FIREWALL + r"\PublicProfile", "EnableFirewall", 1)
        if known:
            registry.complete("HKLM", r"SOFTWARE\Policies", POLICY)
        derive.derive(evidence)
        found = {name: [one.value for one in seen] for name, seen in host(evidence).effective.items()}
        private = {"FirewallProfile.Private.Enabled": [True]} if known else {}
        assert found == {"FirewallProfile.Public.Enabled": [True], **private}


def test_channels_and_services_and_programs() -> None:
    evidence = Evidence()
    registry = host(evidence).registry
    put(registry, hive_keys.CHANNELS + r"\Microsoft-Windows-Crypto-DPAPI/Debug", "Enabled", 1)
    put(registry, hive_keys.SERVICES + r"\MpsSvc", "Start", 2)
    put(registry, hive_keys.SERVICES + r"\Odd", "Start", 9)
    put(registry, hive_keys.APP_PATHS + r"\MSEDGE.EXE", "", r"C:\edge.exe")
    put(registry, hive_keys.APP_PATHS + r"\firefox.exe", "Path", r"C:\x")
    registry.add("HKCU", hive_keys.APP_PATHS + r"\chrome.exe", "", RegistryValue("REG_SZ", "x"), HIVE, profile="anna")
    derive.derive(evidence)
    found = host(evidence)
    assert [one.value for one in found.channels["Microsoft-Windows-Crypto-DPAPI/Debug"]] == [True]
    assert {name: seen[0].value.start for name, seen in found.services.items() if seen[0].value is not None} == {
        "MpsSvc": "automatic", "Odd": ""}
    assert sorted(found.products) == ["chrome", "edge"]


def test_a_policy_has_no_state() -> None:
    evidence = Evidence()
    policy = evidence.policy("P")
    put(policy.registry, derive.POLICY_FIREWALL + r"\PublicProfile", "EnableFirewall", 1, POLICY)
    put(policy.registry, hive_keys.VERSION, "CurrentBuild", "26100", POLICY)
    derive.derive(evidence)
    assert (policy.effective, policy.machine) == ({}, [])


def test_windows_own_list_of_profiles_says_who_there_is() -> None:
    evidence = Evidence()
    registry = host(evidence).registry
    for sid, path in (("S-1-5-18", r"%systemroot%\system32\config\systemprofile"),
                      ("S-1-5-21-1-2-3-1001", r"C:\Users\anna"), ("S-1-12-1-4-5-6-7", r"D:\Profiles\bert")):
        put(registry, rf"{hive_keys.PROFILE_LIST}\{sid}", "ProfileImagePath", path)
    derive.derive(evidence)
    assert (registry.profiles, registry.knows_all_profiles) == (("anna", "bert"), [])
    registry.complete("HKLM", hive_keys.PROFILE_LIST, HIVE)
    derive.derive(evidence)
    assert registry.knows_all_profiles == [HIVE]
