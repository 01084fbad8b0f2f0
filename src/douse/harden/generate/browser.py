r"""Policies of Chrome, Edge and Firefox as the JSON files that they read on Linux (and, by the same names, on a Mac).

    browser/chrome/douse.json     /etc/opt/chrome/policies/managed/     (Chromium: /etc/chromium/policies/managed/)
    browser/edge/douse.json       /etc/opt/edge/policies/managed/
    browser/firefox/policies.json /etc/firefox/policies/, or the folder `distribution` beside the program

On Windows the same policies are registry values, where a yes is the number 1; here it is `true`, so each policy has a
kind (KINDS), read in the browsers' own policy lists. A numbered subkey is a list, a subkey of Firefox's an object.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from douse.content.settings import Data
from douse.errors import ContentError
from douse.harden.generate.policy import BundleFile, Policy, RegistryChange

PLACE = PurePosixPath("browser")
BOOLEAN, NUMBER, TEXT, LIST = "boolean", "number", "text", "list"
WINDOWS_ONLY = "windows-only"

_CHROMIUM: Mapping[str, str] = {
    "PasswordManagerEnabled": BOOLEAN, "ImportSavedPasswords": BOOLEAN, "PasswordManagerPasskeysEnabled": BOOLEAN,
    "ApplicationBoundEncryptionEnabled": WINDOWS_ONLY, "RemoteDebuggingAllowed": BOOLEAN, "DnsOverHttpsMode": TEXT,
    "ExtensionInstallBlocklist": LIST, "ExtensionInstallAllowlist": LIST, "DownloadRestrictions": NUMBER,
    "DeveloperToolsAvailability": NUMBER}
KINDS: Mapping[str, Mapping[str, str]] = {
    "chrome": {**_CHROMIUM, "PasswordLeakDetectionEnabled": BOOLEAN, "SafeBrowsingProtectionLevel": NUMBER,
               "DisableSafeBrowsingProceedAnyway": BOOLEAN},
    "edge": {**_CHROMIUM, "SmartScreenEnabled": BOOLEAN, "PreventSmartScreenPromptOverride": BOOLEAN,
             "PreventSmartScreenPromptOverrideForFiles": BOOLEAN, "SmartScreenPuaEnabled": BOOLEAN,
             "TyposquattingCheckerEnabled": BOOLEAN},
    "firefox": {"PasswordManagerEnabled": BOOLEAN, "OfferToSaveLogins": BOOLEAN, "DisablePasswordReveal": BOOLEAN,
                "PrimaryPassword": BOOLEAN, "DNSOverHTTPS\\Enabled": BOOLEAN, "DNSOverHTTPS\\Locked": BOOLEAN}}
"""What a policy's value is, by browser and the policy's name. What only the Windows version knows is left out."""


@dataclass(frozen=True, slots=True)
class Browser:
    """A browser: its registry key, its file in the bundle, and where that goes."""

    key: str
    file: str
    goes_to: str


BROWSERS: Mapping[str, Browser] = {
    "chrome": Browser("software\\policies\\google\\chrome", "chrome/douse.json", "/etc/opt/chrome/policies/managed/"),
    "edge": Browser("software\\policies\\microsoft\\edge", "edge/douse.json", "/etc/opt/edge/policies/managed/"),
    "firefox": Browser("software\\policies\\mozilla\\firefox", "firefox/policies.json", "/etc/firefox/policies/")}

Value = bool | int | str | list[str]


def files(policy: Policy) -> Iterator[BundleFile]:
    """A file for each browser that a control sets something of. ContentError for a policy without a kind."""
    for name, browser in BROWSERS.items():
        found = policies(policy, name)
        if found:
            data = {"policies": found} if name == "firefox" else found
            about = f"Policies of {name.capitalize()} on Linux: copy it to {browser.goes_to}"
            yield BundleFile(PLACE / browser.file, (json.dumps(data, indent=2, ensure_ascii=True) + "\n").encode(),
                             f"{about}; on a Mac, values for its configuration profile.")


def policies(policy: Policy, name: str) -> dict[str, Value | dict[str, Value]]:
    """The policies of one browser by their names."""
    found: dict[str, Value | dict[str, Value]] = {}
    numbered: dict[str, dict[int, str]] = {}
    for change, rest in _below(policy, BROWSERS[name].key):
        word = f"{rest}\\{change.name}" if name == "firefox" and rest else rest or change.name
        kind = KINDS[name].get(word)
        if kind is None:
            raise ContentError("browser", f"{word!r} is a policy of {name} whose kind nobody wrote down.",
                               "Add it to KINDS of harden/generate/browser.py, from the browser's list of policies.")
        if kind == LIST:
            numbered.setdefault(word, {})[int(change.name)] = str(change.value.data)
        elif kind != WINDOWS_ONLY and "\\" in word:
            inner = found.setdefault(rest, {})
            assert isinstance(inner, dict)  # noqa: S101 -- no policy is an object and a value
            inner[change.name] = _value(kind, change.value.data)
        elif kind != WINDOWS_ONLY:
            found[word] = _value(kind, change.value.data)
    for word, entries in numbered.items():
        found[word] = [entries[number] for number in sorted(entries)]
    return found


def _below(policy: Policy, key: str) -> Iterator[tuple[RegistryChange, str]]:
    """The computer's values of a key and its subkeys, with the subkey."""
    for change in policy.registry:
        if change.hive == "HKLM" and (change.key.lower() + "\\").startswith(key + "\\"):
            yield change, change.key[len(key) + 1:]


def _value(kind: str, data: Data) -> Value:
    """A value of the kind. A text where a number must be is an error of the catalogue: "0" would become a yes."""
    if kind == TEXT:
        return str(data)
    if not isinstance(data, int):
        raise ContentError("browser", f"{data!r} is no number, and the policy wants a {kind}.",
                           "Give the control's value as REG_DWORD.")
    return bool(data) if kind == BOOLEAN else data
