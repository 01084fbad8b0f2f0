"""Policies of browsers: exports of a host, managed files, and how they become registry values."""

from __future__ import annotations

import pytest

from douse.harden.evidence.browser import CHROME, CHROMIUM, EDGE, FIREFOX, as_registry
from douse.harden.registry import RegistryValue
from harden.evidence.given import given, only, told


def policy(value: object, *, level: str = "mandatory", scope: str = "machine", source: str = "platform") -> dict:
    return {"level": level, "scope": scope, "source": source, "value": value}


EXPORT = {
    "chromeMetadata": {"OS": "Windows 11", "application": "Google Chrome", "version": "131.0.6778.86 (Official Build)"},
    "policyValues": {"chrome": {"name": "Chrome Policies", "policies": {
        "PasswordManagerEnabled": policy(False), "SafeBrowsingProtectionLevel": policy(1),
        "DnsOverHttpsMode": policy("off", source="cloud"), "ExtensionInstallBlocklist": policy(["*", "abc"]),
        "ManagedBookmarks": policy([{"name": "x"}]), "ExtensionSettings": policy({"*": {"a": 1}})}},
        "extensions": {}}, "status": {}}


def values(subject) -> dict[str, object]:
    return {f"{hive}\\{key}!{name}": seen.value.data for hive, key, name, _, seen in subject.registry}


def test_an_export_of_a_host() -> None:
    evidence = given("PC-7_policies.json", EXPORT, reader="browser")
    subject = only(evidence)
    assert (subject.kind, subject.name) == ("host", "PC-7")
    assert values(subject) == {
        f"HKLM\\{CHROME}!PasswordManagerEnabled": 0, f"HKLM\\{CHROME}!SafeBrowsingProtectionLevel": 1,
        f"HKLM\\{CHROME}!DnsOverHttpsMode": "off", f"HKLM\\{CHROME}\\ExtensionInstallBlocklist!1": "*",
        f"HKLM\\{CHROME}\\ExtensionInstallBlocklist!2": "abc", f"HKLM\\{CHROME}\\ManagedBookmarks!1": '{"name": "x"}',
        f"HKLM\\{CHROME}!ExtensionSettings": '{"*": {"a": 1}}'}
    (seen,) = subject.registry.look("HKLM", CHROME, "PasswordManagerEnabled")
    assert (seen.where, seen.raw) == ("policy PasswordManagerEnabled (mandatory, machine, source platform)", "false")
    (absent,) = subject.registry.look("HKLM", CHROME, "ImportSavedPasswords")
    assert absent.value is None
    assert subject.registry.look("HKLM", EDGE, "PasswordManagerEnabled") == []
    assert [note.what for note in evidence.notes] == [
        "an export of Google Chrome names no host; it is taken as that of PC-7, by its name."]


def test_edge_and_older_forms() -> None:
    edge = EXPORT | {"chromeMetadata": {"application": "Microsoft Edge"}}
    assert f"HKLM\\{EDGE}!PasswordManagerEnabled" in values(only(given("PC-7.json", edge, reader="browser")))
    older = {"chromeMetadata": {"application": "Chromium"}, "chromePolicies": {"PasswordManagerEnabled": policy(True)}}
    assert values(only(given("PC-7.json", older, reader="browser"))) == {f"HKLM\\{CHROMIUM}!PasswordManagerEnabled": 1}


def test_an_enrolled_browser_names_its_machine() -> None:
    named = EXPORT | {"status": {"user": {}, "machine": {"machine": "PC-8", "enrollmentToken": "x"}}}
    evidence = given("policies.json", named, reader="browser")
    assert only(evidence).name == "PC-8"
    assert evidence.notes == []
    assert "nor does the file's name" in told(given("policies.json", EXPORT, reader="browser"))[0]


def test_weak_policies_are_noted_and_do_not_count() -> None:
    weak = EXPORT | {"policyValues": {"chrome": {"policies": {
        "PasswordManagerEnabled": policy(False, scope="user"),
        "ImportSavedPasswords": policy(False, level="recommended"),
        "RemoteDebuggingAllowed": policy(False) | {"error": "unknown", "ignored": True}}}}}
    evidence = given("PC-7.json", weak, reader="browser")
    assert values(only(evidence)) == {f"HKLM\\{CHROME}\\Recommended!ImportSavedPasswords": 0}
    assert evidence.notes[-1].what == (
        "not enforced for the computer: PasswordManagerEnabled is set for the user only; ImportSavedPasswords is only "
        "recommended; RemoteDebuggingAllowed is ignored by the browser.")
    assert [seen.value for seen in only(evidence).registry.look("HKLM", CHROME, "PasswordManagerEnabled")] == [None]


@pytest.mark.parametrize("odd", [{"error": "Unknown policy."}, {"ignored": True}])
def test_a_policy_with_an_error_or_that_is_ignored_is_not_in_force(odd) -> None:
    policies = {"ApplicationBoundEncryptionEnabled": policy(True) | odd}
    export = EXPORT | {"policyValues": {"chrome": {"policies": policies}}}
    evidence = given("PC-7.json", export, reader="browser")
    assert values(only(evidence)) == {}
    assert "ApplicationBoundEncryptionEnabled is ignored by the browser" in evidence.notes[-1].what


def test_damaged_policies_leave_open_what_else_is_set() -> None:
    damaged = EXPORT | {"policyValues": {"chrome": {"policies": {
        "PasswordManagerEnabled": policy(False), "A b": policy(1), "NoValue": {"level": "mandatory"}, "NoEntry": 1}}}}
    evidence = given("PC-7.json", damaged, reader="browser")
    assert told(evidence) == ["PC-7.json: 3 policies have no name, level or value."]
    assert only(evidence).registry.look("HKLM", CHROME, "ImportSavedPasswords") == []


def test_firefox() -> None:
    file = {"policies": {"PasswordManagerEnabled": False, "DNSOverHTTPS": {"Enabled": False, "Locked": True},
                         "Extensions": {"Install": ["a", "b"]}, "Homepage": {"URL": "https://example.com"}}}
    subject = only(given("policies.json", file, reader="browser"))
    assert (subject.kind, subject.name) == ("policy", "policies.json")
    assert values(subject) == {
        f"HKLM\\{FIREFOX}!PasswordManagerEnabled": 0, f"HKLM\\{FIREFOX}\\DNSOverHTTPS!Enabled": 0,
        f"HKLM\\{FIREFOX}\\DNSOverHTTPS!Locked": 1, f"HKLM\\{FIREFOX}\\Extensions\\Install!1": "a",
        f"HKLM\\{FIREFOX}\\Extensions\\Install!2": "b", f"HKLM\\{FIREFOX}\\Homepage!URL": "https://example.com"}
    assert subject.registry.look("HKLM", FIREFOX, "OfferToSaveLogins") == []


@pytest.mark.parametrize(("path", "key"), [
    ("etc/opt/chrome/policies/managed/a.json", CHROME), ("etc/opt/edge/policies/managed/a.json", EDGE),
    ("etc/chromium/policies/managed/a.json", CHROMIUM), ("edge.json", EDGE)])
def test_managed_files(path, key) -> None:
    evidence = given(path, {"PasswordManagerEnabled": False, "DnsOverHttpsMode": "off"}, reader="browser")
    assert only(evidence).kind == "policy"
    assert values(only(evidence)) == {f"HKLM\\{key}!PasswordManagerEnabled": 0, f"HKLM\\{key}!DnsOverHttpsMode": "off"}
    assert evidence.notes == []


def test_a_managed_file_of_an_unknown_browser_is_noted() -> None:
    evidence = given("a.json", {"PasswordManagerEnabled": False, "not a policy": 1}, reader="browser")
    assert f"HKLM\\{CHROME}!PasswordManagerEnabled" in values(only(evidence))
    assert "taken as Chrome's" in evidence.notes[0].what
    assert told(evidence) == ["a.json: 1 names are none of policies."]


@pytest.mark.parametrize("data", [
    '{"policies": ', '{"policies": []}', '{"chromeMetadata": {"application": "Opera"}}', '{"chromeMetadata": []}',
    '{"policyValues": 1}', '{"policies": {"A": 1}, "policies": 2}'])
def test_what_cannot_be_used(data) -> None:
    evidence = given("PC-7.json", data, reader="browser")
    assert evidence.subjects == ()
    assert len(evidence.problems) == 1


def test_values() -> None:
    assert list(as_registry("A", True)) == [("", "A", RegistryValue("REG_DWORD", 1))]
    assert list(as_registry("A", None)) == [("", "A", RegistryValue("REG_SZ", "null"))]
    assert list(as_registry("A", 1.5)) == [("", "A", RegistryValue("REG_SZ", "1.5"))]
    assert list(as_registry("A", [])) == []
    assert list(as_registry("A", {"B": {"C": 1}}, 1)) == [("A", "B", RegistryValue("REG_SZ", '{"C": 1}'))]
