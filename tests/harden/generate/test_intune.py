"""Intune profiles: JSON of Graph's shape, rules that block, and no way for a name to become a path."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from defusedxml import ElementTree
from hypothesis import given
from hypothesis import strategies as st

from conftest import missing
from douse.content.controls import controls
from douse.content.settings import AuditSetting
from douse.harden.generate.intune import AUDIT_NODES, files, full_path
from harden.generate.policies import policy

SCHEMA: Mapping[str, Any] = {
    "type": "object", "additionalProperties": False,
    "required": ["@odata.type", "displayName", "description", "omaSettings"],
    "properties": {
        "@odata.type": {"const": "#microsoft.graph.windows10CustomConfiguration"},
        "displayName": {"type": "string", "minLength": 1, "maxLength": 200}, "description": {"type": "string"},
        "omaSettings": {"type": "array", "minItems": 1, "items": {
            "type": "object", "additionalProperties": False,
            "required": ["@odata.type", "displayName", "description", "omaUri", "value"],
            "properties": {"@odata.type": {"enum": [f"#microsoft.graph.omaSetting{kind}"
                                                    for kind in ("String", "Integer", "Boolean")]},
                           "displayName": {"type": "string"}, "description": {"type": "string"},
                           "omaUri": {"type": "string", "pattern": r"^\./(Device/)?Vendor/MSFT/[A-Za-z0-9_/-]+$"},
                           "value": {}},
            "allOf": [{"if": {"properties": {"@odata.type": {"const": f"#microsoft.graph.omaSetting{kind}"}}},
                       "then": {"properties": {"value": {"type": kind.lower()}}}}
                      for kind in ("String", "Integer", "Boolean")]}}}}
"""Of windows10CustomConfiguration and omaSetting in Microsoft Graph 1.0, as far as our files use them."""


@cache
def profiles(mode: str = "enforce", profile: str = "seed") -> dict[str, dict[str, Any]]:
    return {file.path.stem: json.loads(file.data) for file in files(policy(mode=mode, profile=profile))
            if file.path.suffix == ".json"}


def nodes(word: str, **options: str) -> dict[str, Any]:
    return {setting["omaUri"]: setting["value"] for setting in profiles(**options)[word]["omaSettings"]}


@pytest.mark.parametrize("mode", ["audit", "enforce"])
def test_every_profile_has_graphs_shape(mode: str) -> None:
    try:
        import jsonschema
    except ImportError:
        missing("jsonschema is not installed; run `make setup`")
    assert set(profiles(mode)) == {"firewall", "asr", "applocker", "audit"}
    for made in profiles(mode).values():
        jsonschema.Draft202012Validator(SCHEMA).validate(made)
        uris = [setting["omaUri"] for setting in made["omaSettings"]]
        assert len(uris) == len(set(uris))


def test_the_rule_is_the_missions_to_the_letter() -> None:
    found = nodes("firewall")
    rules = {uri.split("/")[6] for uri in found}
    assert len(rules) == 2
    seen = []
    for rule in rules:
        of = {uri.partition(f"{rule}/")[2]: value for uri, value in found.items() if rule in uri}
        assert re.fullmatch(r"[^|/]*", of.pop("Name"))
        seen.append(of.pop("App/FilePath"))
        assert of == {"Protocol": 6, "RemotePortRanges": "80,443,3128", "Direction": "OUT", "Action/Type": 0,
                      "Enabled": True}  # 3128 is the proxy's port of the site
    assert sorted(seen) == [r"C:\Windows\SysWOW64\mshta.exe", r"C:\Windows\System32\mshta.exe"]


def test_all_traffic_names_no_port() -> None:
    found = nodes("firewall", profile="recommended")
    assert not [uri for uri in found if uri.endswith(("Protocol", "RemotePortRanges"))]
    assert [value for uri, value in found.items() if uri.endswith("Action/Type")] == [0, 0]


def test_audit_mode_refuses_nothing() -> None:
    enabled = [value for uri, value in nodes("firewall", mode="audit").items() if uri.endswith("/Enabled")]
    assert enabled == [False, False]
    [states] = nodes("asr", mode="audit").values()
    assert {part.split("=")[1] for part in states.split("|")} == {"2"}
    [rules] = nodes("applocker", mode="audit").values()
    assert 'EnforcementMode="AuditOnly"' in rules


def test_asr_is_one_string_without_spaces() -> None:
    [states] = nodes("asr").values()
    assert re.fullmatch(r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}=[0126]\|?){18}", states)
    assert "9e6c4e1f-7d60-472f-ba1a-a39ef669e4b2=1" in states


def test_applocker_is_one_collection() -> None:
    [(uri, text)] = nodes("applocker").items()
    assert re.fullmatch(r"\./Vendor/MSFT/AppLocker/ApplicationLaunchRestrictions/[0-9A-F-]{36}/EXE/Policy", uri)
    collection = ElementTree.fromstring(text)
    assert collection.tag == "RuleCollection"
    assert collection.attrib == {"Type": "Exe", "EnforcementMode": "Enabled"}
    assert {rule.get("Action") for rule in collection} == {"Allow", "Deny"}


def test_every_subcategory_of_the_catalogue_has_a_node() -> None:
    asked = {setting.guid for control in controls() for setting in control.settings
             if isinstance(setting, AuditSetting)}
    assert asked
    assert asked <= AUDIT_NODES.keys()
    assert len(nodes("audit")) == len(asked)
    assert set(nodes("audit").values()) <= {1, 2, 3}


def test_nothing_to_say_makes_no_file() -> None:
    assert list(files(policy("H19"))) == []


@given(st.text())
def test_a_name_stays_a_value(name: str) -> None:
    start = policy("H01")
    odd = replace(start, firewall=tuple(replace(rule, name=name) for rule in start.firewall))
    made = json.loads(next(files(odd)).data)
    plain = json.loads(next(files(start)).data)
    assert [one["omaUri"] for one in made["omaSettings"]] == [one["omaUri"] for one in plain["omaSettings"]]
    names = {one["value"] for one in made["omaSettings"] if one["omaUri"].endswith("/Name")}
    assert names == {name.replace("|", " ").replace("/", " ")}


@pytest.mark.parametrize(("program", "full"), [
    (r"%SystemRoot%\System32\mshta.exe", r"C:\Windows\System32\mshta.exe"),
    (r"%WINDIR%\x.exe", r"C:\Windows\x.exe"), (r"D:\tool.exe", r"D:\tool.exe")])
def test_full_path(program: str, full: str) -> None:
    assert full_path(program) == full
