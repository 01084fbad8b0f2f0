"""Exports of hosts, browsers and tenants: JSON, CSV and YAML that say how something is set.

Each reader gets every input, whether or not it looks like one of its files. It reads it or refuses it with a place;
what it keeps has a source, and what it says of a setting is of a type that a check can ask.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from random import Random
from typing import Any

from douse.content.settings import REGISTRY_TYPES
from douse.errors import EvidenceError
from douse.harden.evidence import (
    auditpol,
    browser,
    ci_tool,
    collector,
    derive,
    entra,
    hardeningkitty,
    mppreference,
    questionnaire,
    sysmon,
)
from douse.harden.evidence.file import EvidenceFile
from douse.harden.gathered import Evidence
from douse.harden.observed import SUBJECTS
from fuzz.mutate import TEXT
from fuzz.target import Target
from harden.collected import collected

NAME = "PC-7.json"
Read = Callable[[EvidenceFile, Evidence], None]


def _all(data: bytes, *readers: Read) -> None:
    for read in readers:
        evidence, file = Evidence(), EvidenceFile(NAME, NAME, data)
        try:
            read(file, evidence)
        except EvidenceError as error:
            _check_error(error)
        derive.derive(evidence)
        _check(evidence)


def _check_error(error: EvidenceError) -> None:
    assert error.where.startswith(NAME)
    assert error.what
    assert len(str(error)) < 2000


def _check(evidence: Evidence) -> None:
    assert all(one.where and one.what for one in (*evidence.problems, *evidence.notes))
    for subject in evidence.subjects:
        assert subject.kind in SUBJECTS
        assert subject.name
        assert all(source.file.startswith(NAME) for source in subject.sources())
        for _, _, _, _, seen in subject.registry:
            assert seen.value is None or seen.value.type in REGISTRY_TYPES
        for name, several in subject.effective.items():
            assert "." in name
            assert all(isinstance(seen.value, (str, int)) for seen in several)
        assert all(isinstance(seen.value, int) for several in subject.asr.values() for seen in several)
        for account in subject.accounts:
            assert account.value.is_admin in (True, False, None)


def collected_json(data: bytes) -> None:
    """What the collector's script prints."""
    _all(data, collector.read)


def json_exports(data: bytes) -> None:
    """The other exports that are JSON, or text in its place."""
    _all(data, mppreference.read, browser.read, entra.read, ci_tool.read)


def text_exports(data: bytes) -> None:
    """Those that are CSV or YAML."""
    _all(data, auditpol.read, hardeningkitty.read, entra.read, mppreference.read, questionnaire.read,
         sysmon.read)


@cache
def _collected() -> tuple[bytes, ...]:
    """Two small documents: most of the values that are asked for say nothing new to a parser."""
    whole = json.loads(collected(
        "PC-7", registry={r"HKLM\SOFTWARE\Policies\Google\Chrome!PasswordManagerEnabled": 0}, not_loaded=["cid"],
        firewall={"gpo": {"{a}": r"v2.26|Action=Block|Active=TRUE|Dir=Out|App=%SystemRoot%\System32\mshta.exe|"}},
        asr={"be9ba2d9-53ea-4cdc-84e5-9b1eeee46550": 1}, audit={"0CCE922B-69AE-11D9-BED3-505054503030": "Success"},
        app_control=[{"PolicyID": "a244370e-44c9-4c06-b551-f6016e563076", "IsEnforced": True}],
        services={"AppIDSvc": ("automatic", "running")}, sysmon=("running", ("SHA256",)),
        sacls={"anna": {"x": "O:BAG:SYD:S:(AU;OICISA;CC;;;WD)"}}, errors=[{"part": "x", "what": "y"}]))
    whole["registry"] = [one for one in whole["registry"] if one["present"]] + whole["registry"][:3]
    whole["lists"] = whole["lists"][:4]
    small = {key: whole[key] for key in ("schema", "schema_version", "host", "taken", "profiles", "registry", "lists")}
    return json.dumps(whole).encode(), json.dumps(small, indent=1).encode("utf-16")


_JSON = tuple(json.dumps(one).encode() for one in (
    {"DisableRealtimeMonitoring": False, "AttackSurfaceReductionRules_Ids": ["be9ba2d9-53ea-4cdc-84e5-9b1eeee46550"],
     "AttackSurfaceReductionRules_Actions": [1], "CimSystemProperties": {"ServerName": "PC-7"}},
    {"chromeMetadata": {"application": "Google Chrome"}, "policyValues": {"chrome": {"policies": {
        "PasswordManagerEnabled": {"level": "mandatory", "scope": "machine", "source": "platform", "value": False},
        "ExtensionInstallBlocklist": {"level": "mandatory", "scope": "user", "value": ["*"]}}}}},
    {"policies": {"PasswordManagerEnabled": False, "DNSOverHTTPS": {"Enabled": False}}},
    {"value": [{"userPrincipalName": "a@b", "isAdmin": True, "isMfaRegistered": True, "methodsRegistered": ["sms"]}],
     "@odata.nextLink": "x"},
    {"value": [{"displayName": "n", "state": "enabled", "conditions": {
        "users": {"includeUsers": ["All"], "excludeGroups": ["g"]}, "clientAppTypes": ["all"],
        "applications": {"includeApplications": ["All"]}, "locations": {"includeLocations": ["x"]}},
        "grantControls": {"operator": "OR", "builtInControls": ["mfa"], "authenticationStrength": {"id": "x"}}}]},
    {"Policies": [{"PolicyID": "a244370e", "FriendlyName": "n", "IsEnforced": True}]}))

_TEXT = ((
    b"Machine Name,Policy Target,Subcategory,Subcategory GUID,Inclusion Setting,Exclusion Setting,Setting Value\r\n"
    b"PC-7,System,Process Creation,{0CCE922B-69AE-11D9-BED3-505054503030},Success and Failure,,3\r\n"
    b"PC-7,S-1-5-21-1,x,{0CCE922B-69AE-11D9-BED3-505054503030},Success,,1\r\n,,Option:x,,Disabled,,0\r\n"), (
    b'"ID","Category","Name","Severity","Result","Recommended","TestResult","SeverityFinding"\r\n'
    b'"2315","Windows Firewall","HardeningKitty-Block-mshta-x64","Low","True","True","Passed","Low"\r\n'
    b'"1900","x","ASR be9ba2d9-53ea-4cdc-84e5-9b1eeee46550","Low","2","1","Failed","Low"\r\n'),
    b"UserPrincipalName,IsAdmin,IsMfaRegistered,IsMfaCapable,MethodsRegistered\r\na@b.example,True,False,,x;y\r\n", (
    b"AttackSurfaceReductionRules_Ids : {be9ba2d9-53ea-4cdc-84e5-9b1eeee46550}\r\n"
    b"AttackSurfaceReductionRules_Actions : {1}\r\nDisableRealtimeMonitoring : False\r\n\r\n"
    b"RealTimeProtectionEnabled : True\r\n"), (
    b"format: douse-questionnaire-1\norganisation: x\nanswers:\n"
    b"  - {question: edr-behaviour, answer: yes, by: a, when: 2026-11-24, proof: p, comment: ''}\n"), (
    b"Current configuration:\n - HashingAlgorithms:             SHA256,IMPHASH\n\nRule configuration (version 4.90):\n"
    b" - ProcessCreate                      onmatch: exclude\n\tImage   filter: is   value: 'x'\n"))

_WORDS = (b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"true", b"1", b"-1", b"1e9", b'"value":', b'"Count": 1',
          b'"present": true', b'"type": "REG_DWORD"', b'"data":', b'"text": "0x1"', b'"profile": "S-1-5-21-1"',
          b'"errors": [', b'"hive": "HKCU"', b"\\ud800", b"\\u0000", b"\xef\xbb\xbf", b"\xff\xfe", b"\x00", b"\n",
          b"\r\n", b";", b"\t", b"'", b"&a ", b"*a", b"- ", b"S:(AU;OICISA;CC;;;WD)", b"...", b"{}",
          b"System.String[]", b"NaN")


_ODD = (None, True, 0, -1, 1.5, 1 << 70, "", "x", "\ud800", "\x00", [], {}, [[]], [{}], [None, 1], ["x"] * 3,
        {"value": [], "Count": 0}, {"a": {"b": []}})


def _odd(seeds: Callable[[], Sequence[bytes]]) -> Callable[[Random], bytes | None]:
    """Sound JSON in which some values are of another type than they should be."""

    def make(random: Random) -> bytes | None:
        if random.random() < 0.5:
            return None
        seed = random.choice(seeds())
        document = json.loads(seed.decode("utf-16" if seed[:1] > b"\x7f" else "utf-8"))
        for _ in range(random.randint(1, 4)):
            _change(document, random)
        return json.dumps(document).encode()

    return make


def _change(node: Any, random: Random) -> None:
    """Put something odd at a place somewhere below a node."""
    while isinstance(node, (dict, list)) and node:
        key = random.choice(sorted(node) if isinstance(node, dict) else range(len(node)))
        if not isinstance(node[key], (dict, list)) or random.random() < 0.2:
            node[key] = deepcopy(random.choice(_ODD))
            return
        node = node[key]


EXPORTS: Mapping[str, Target] = {
    "collected": Target(_collected, _WORDS, TEXT, collected_json, fresh=_odd(_collected)),
    "json_exports": Target(lambda: _JSON, _WORDS, TEXT, json_exports, fresh=_odd(lambda: _JSON)),
    "text_exports": Target(lambda: _TEXT, _WORDS, TEXT, text_exports),
}
