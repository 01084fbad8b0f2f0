"""Policies for tests of single formats: every control, in both modes, without files of a site or a pre-flight."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from douse.content.controls import controls
from douse.harden.generate.choose import chosen
from douse.harden.generate.plan import policy_for
from douse.harden.generate.policy import GoRecord, Policy, RegistryChange, Site
from douse.harden.registry import RegistryValue

SITE = Site(organisation="Example", proxy_ports=(3128,), extensions={
    "chrome": ("nngceckbapebfimnlniiiahkandclblb",), "edge": ("jbkfoedolllekgbhcbcoahefnbanhhlh",), "firefox": ()})
GO = GoRecord("mshta.exe", "GO", datetime(2026, 11, 20, tzinfo=UTC), "0" * 64, (), b"{}")


def policy(*words: str, mode: str = "enforce", profile: str = "recommended", site: Site = SITE) -> Policy:
    """The policy of these controls, none for all."""
    return policy_for(chosen(words) if words else controls(), mode, profile, site, GO, None)


def with_value(start: Policy, type_: str, data: int | str | bytes | tuple[str, ...], name: str = "Odd") -> Policy:
    """The same policy with one more registry value."""
    value = RegistryValue(type_, data)
    change = RegistryChange("H03", "H03/odd", "HKLM", f"SOFTWARE\\Policies\\{name}", name, value, True)
    return replace(start, registry=(*start.registry, change))
