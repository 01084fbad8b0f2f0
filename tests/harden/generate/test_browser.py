"""Browser policies as JSON: every policy of the catalogue has a kind, and the kind decides what it looks like."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from douse.content.controls import controls
from douse.content.settings import RegistrySetting
from douse.errors import ContentError
from douse.harden.generate.browser import BROWSERS, KINDS, files, policies
from douse.harden.generate.policy import RegistryChange, Site
from douse.harden.registry import RegistryValue
from harden.generate.policies import SITE, policy


@cache
def made(profile: str = "recommended") -> dict[str, Any]:
    return {str(file.path): json.loads(file.data) for file in files(policy(profile=profile))}


def test_chrome() -> None:
    assert made()["browser/chrome/douse.json"] == {
        "PasswordManagerEnabled": False, "ImportSavedPasswords": False, "PasswordManagerPasskeysEnabled": False,
        "PasswordLeakDetectionEnabled": True, "RemoteDebuggingAllowed": False, "SafeBrowsingProtectionLevel": 1,
        "DownloadRestrictions": 4, "DisableSafeBrowsingProceedAnyway": True, "DnsOverHttpsMode": "off",
        "ExtensionInstallBlocklist": ["*"], "ExtensionInstallAllowlist": ["nngceckbapebfimnlniiiahkandclblb"]}


def test_edge() -> None:
    found = made()["browser/edge/douse.json"]
    assert found["SmartScreenEnabled"] is True
    assert found["TyposquattingCheckerEnabled"] is True
    assert found["ExtensionInstallAllowlist"] == ["jbkfoedolllekgbhcbcoahefnbanhhlh"]
    assert "ApplicationBoundEncryptionEnabled" not in found  # Windows only


def test_firefox() -> None:
    assert made()["browser/firefox/policies.json"] == {"policies": {
        "PasswordManagerEnabled": False, "OfferToSaveLogins": False, "DisablePasswordReveal": True,
        "DNSOverHTTPS": {"Enabled": False, "Locked": True}}}


def test_numbers_are_not_yes_or_no() -> None:
    found = made()["browser/chrome/douse.json"]
    assert type(found["SafeBrowsingProtectionLevel"]) is int
    assert type(found["PasswordManagerEnabled"]) is bool


def test_every_policy_of_the_catalogue_has_a_kind() -> None:
    seen = 0
    for control in controls():
        for setting in control.settings:
            for name, browser in BROWSERS.items():
                if isinstance(setting, RegistrySetting) and (setting.key.lower() + "\\").startswith(browser.key + "\\"):
                    rest = setting.key[len(browser.key) + 1:]
                    word = f"{rest}\\{setting.name}" if name == "firefox" and rest else rest or setting.name
                    assert word in KINDS[name], f"{setting.id}: {word}"
                    seen += 1
    assert seen > 20


def test_a_list_is_in_the_order_of_its_numbers() -> None:
    ids = tuple(letter * 32 for letter in "abcdefghijklmnop")
    start = policy("H33", site=replace(SITE, extensions={"chrome": ids}))
    back = replace(start, registry=tuple(reversed(start.registry)))
    assert policies(back, "chrome")["ExtensionInstallAllowlist"] == list(ids)


def test_a_policy_without_a_kind_is_told() -> None:
    change = RegistryChange("H28", "H28/x", "HKLM", r"SOFTWARE\Policies\Google\Chrome", "Fresh",
                            RegistryValue("REG_DWORD", 1), True)
    with pytest.raises(ContentError, match="'Fresh' is a policy of chrome whose kind nobody wrote down"):
        list(files(replace(policy("H28"), registry=(change,))))


@pytest.mark.parametrize("name", ["PasswordManagerEnabled", "DownloadRestrictions"])
def test_a_text_is_no_yes(name: str) -> None:
    change = RegistryChange("H28", "H28/x", "HKLM", r"SOFTWARE\Policies\Google\Chrome", name,
                            RegistryValue("REG_SZ", "0"), True)
    with pytest.raises(ContentError, match="'0' is no number"):
        list(files(replace(policy("H28"), registry=(change,))))


def test_other_keys_and_users_are_left() -> None:
    start = policy("H28")
    other = [replace(change, key=change.key + "Canary") for change in start.registry]
    users = [replace(change, hive="HKCU") for change in start.registry]
    assert list(files(replace(start, registry=(*other, *users)))) == []


def test_audit_mode_has_no_browser_policy() -> None:
    assert list(files(policy(mode="audit", site=Site()))) == []


@given(st.text())
def test_a_value_stays_a_value(text: str) -> None:
    start = policy("H34")
    odd = replace(start, registry=tuple(
        replace(change, value=RegistryValue("REG_SZ", text)) if change.name == "DnsOverHttpsMode" else change
        for change in start.registry))
    assert policies(odd, "chrome") == {"DnsOverHttpsMode": text}
    data = next(files(odd)).data
    assert data.isascii()
    assert json.loads(data) == {"DnsOverHttpsMode": text}
