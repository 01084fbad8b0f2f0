"""What a hunt makes of records of Defender, the vault, DPAPI, the firewall and a sensor: alerts and incidents."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse.model import level_rank

Hunt = Callable[..., dict[str, Any]]
Record = tuple[str, int, float, dict[str, str | int | None]]

DEFENDER = "Microsoft-Windows-Windows Defender/Operational"
DPAPI = "Microsoft-Windows-Crypto-DPAPI/Debug"
SYSMON = "Microsoft-Windows-Sysmon/Operational"
ANNA = "S-1-5-21-1004336348-1177238915-682003330-1104"


@pytest.fixture
def hunted(tmp_path: Path, hunt_json: Hunt) -> Callable[..., dict[str, Any]]:
    """Hunt records of one computer, given as channel, event id, second and data."""

    def run(*records: Record) -> dict[str, Any]:
        lines = [json.dumps({"Event": {
            "System": {"Provider": {"#attributes": {"Name": "Microsoft-Windows-Security-Auditing"}},
                       "EventID": event_id, "Channel": channel, "Computer": "WS-01.corp.example",
                       "EventRecordID": number,
                       "TimeCreated": {"#attributes": {"SystemTime": f"2026-11-24T09:00:{second:09.6f}Z"}}},
            "EventData": data}}) for number, (channel, event_id, second, data) in enumerate(records, start=100)]
        file = tmp_path / "log.jsonl"
        file.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return hunt_json(file)

    return run


def titles(document: dict[str, Any]) -> dict[str, str]:
    return {alert["title"]: alert["level"] for alert in document["alerts"]}


def threat(event_id: int, second: float, **more: str) -> Record:
    return DEFENDER, event_id, second, {
        "Threat Name": "Trojan:Win32/LummaStealer.RPX!MTB", "Severity ID": "5", "Detection User": "CORP\\anna",
        "Path": "file:_C:\\Users\\anna\\Downloads\\Setup.exe", "Process Name": "Unknown", **more}


def test_a_named_stealer_that_was_removed_before_it_ran_is_medium(hunted: Callable[..., dict[str, Any]]) -> None:
    document = hunted(threat(1116, 1), threat(1117, 3, **{"Action ID": "2", "Error Code": "0x00000000"}))
    assert titles(document) == {"Defender Named a Known Stealer": "high", "Defender Removed a Known Stealer": "medium",
                                "Defender Found Severe Malware in a Folder That Users Write To": "low"}
    assert [incident["level"] for incident in document["incidents"]] == ["medium"]


def vault(event_id: int, second: float, pid: int = 5120, **more: str | int | None) -> Record:
    return "Security", event_id, second, {
        "SubjectUserSid": ANNA, "SubjectUserName": "anna", "SubjectDomainName": "CORP", "SubjectLogonId": "0x4a1b2",
        "ProcessCreationTime": "2026-11-24T08:59:58.1Z", "ClientProcessId": pid, **more}


def web_password(second: float, resource: str) -> Record:
    return vault(5382, second, SchemaFriendlyName="Windows Web Password Credential", Resource=resource, Identity="anna")


def test_a_vault_that_was_backed_up_listed_and_read(hunted: Callable[..., dict[str, Any]]) -> None:
    document = hunted(
        vault(5376, 0), vault(5379, 1, TargetName=None, ReadOperation="%%8100", CountOfCredentialsReturned=3),
        vault(5381, 2, CountOfCredentialsReturned=2, Flags=0), web_password(3.1, "https://login.example.com/"),
        web_password(3.6, "https://shop.example.net/"))
    assert titles(document) == {
        "Windows Credential Manager Backed Up or Restored": "medium",
        "One Process Listed Credential Manager and Opened the Vault": "low",
        "Saved Web Password Read From the Vault": "informational",
        "Several Web Passwords Read From the Vault at Once": "medium"}
    (burst,) = [alert for alert in document["alerts"] if alert["title"].startswith("Several Web Passwords")]
    assert burst["fields"]["ClientProcessId"] == "5120"
    assert max(level_rank(incident["level"]) for incident in document["incidents"]) <= level_rank("high")


def test_what_ordinary_programs_ask_of_the_vault_is_no_alert(hunted: Callable[..., dict[str, Any]]) -> None:
    document = hunted(
        vault(5379, 1, TargetName="MicrosoftAccount:target=SSO_POP_Device", ReadOperation="%%8100",
              CountOfCredentialsReturned=1),
        vault(5379, 2, pid=900, TargetName=None, ReadOperation="%%8100", CountOfCredentialsReturned=7),
        vault(5381, 2, pid=756, CountOfCredentialsReturned=1))
    assert document["alerts"] == []


def start(second: float, pid: int, image: str) -> Record:
    return SYSMON, 1, second, {
        "ProcessGuid": f"{{AB12CD34-0000-0000-0000-{pid:012}}}", "ProcessId": str(pid), "Image": image,
        "User": "CORP\\anna", "CommandLine": image, "ParentProcessId": "4120",
        "ParentImage": "C:\\Windows\\explorer.exe"}


def decrypted(second: float, pid: int, label: str = "Google Chrome") -> Record:
    return DPAPI, 16385, second, {"OperationType": "SPCryptUnprotect", "DataDescription": label,
                                  "CallerProcessID": str(pid), "PlainTextDataSize": "32"}


def test_a_decrypted_browser_key_is_the_deed_of_the_process_with_that_id(hunted: Callable[..., dict[str, Any]]) -> None:
    image = "C:\\Users\\anna\\AppData\\Local\\Temp\\4821\\Sing.pif"
    document = hunted(start(1, 5120, image), decrypted(9, 5120), start(2, 6000, "C:\\Windows\\System32\\notepad.exe"))
    assert titles(document)["Stranger Had Windows Decrypt a Browser's Key"] == "medium"
    (incident,) = document["incidents"]
    step = next(step for step in incident["steps"] if step["title"].startswith("Stranger Had Windows"))
    assert step["process"] == "Sing.pif (5120)"
    assert step["evidence_class"] == "C"


def test_a_browser_that_opens_its_own_key_is_no_alert(hunted: Callable[..., dict[str, Any]]) -> None:
    chrome = "C:\\Users\\anna\\AppData\\Local\\Google\\Chrome\\Application\\chrome.exe"
    document = hunted(start(1, 5120, chrome), decrypted(2, 5120), decrypted(2.5, 5120),
                      decrypted(9, 6000, "Microsoft Edge"))
    assert document["alerts"] == []


def test_mshta_that_the_firewall_stopped_ran_and_reached_nothing(hunted: Callable[..., dict[str, Any]]) -> None:
    document = hunted(("Security", 5157, 5.0, {
        "ProcessID": "5120", "Application": "\\device\\harddiskvolume3\\windows\\system32\\mshta.exe",
        "Direction": "%%14593", "SourceAddress": "10.0.0.15", "DestAddress": "203.0.113.7", "DestPort": "443"}))
    (alert,) = [one for one in document["alerts"] if one["title"].startswith("Windows Firewall Kept")]
    assert (alert["evidence_class"], alert["role"]) == ("X", "egress-blocked")


ZEEK = """#separator \\x09
#set_separator\t,
#empty_field\t(empty)
#unset_field\t-
#path\thttp
#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tmethod\thost\turi\tuser_agent\trequest_body_len\tresponse_body_len
#types\ttime\tstring\taddr\tport\taddr\tport\tstring\tstring\tstring\tstring\tcount\tcount
"""


def test_a_sensors_log_shows_stealcs_gate_and_the_upload(tmp_path: Path, hunt_json: Hunt) -> None:
    rows = [
        ("1795510800.0", "GET", "203.0.113.7", "/a1/nss3.dll", "-", "0", "2046"),
        ("1795510801.0", "GET", "203.0.113.7", "/a1/mozglue.dll", "-", "0", "2046"),
        ("1795510802.0", "POST", "203.0.113.7", "/3f1c9e0a7b2d4e68.php", "-", "48210", "8"),
        ("1795510803.0", "GET", "steamcommunity.com", "/profiles/76561190000000000", "-", "0", "900"),
        ("1795510804.0", "POST", "www.example.com", "/login", "Mozilla/5.0 (Windows NT 10.0)", "812", "900"),
    ]
    lines = ["\t".join((ts, f"C{n}", "10.0.0.15", f"{50000 + n}", "203.0.113.7", "80", *rest))
             for n, (ts, *rest) in enumerate(rows)]
    (tmp_path / "http.log").write_text(ZEEK + "\n".join(lines) + "\n", encoding="utf-8")
    document = hunt_json(tmp_path / "http.log")
    assert titles(document) == {
        "Several Libraries of Firefox Fetched One by One": "high",
        "Form Sent to a Page of Sixteen Hexadecimal Digits on a Bare Address": "high",
        "Data Sent to a Public Address Without a Name": "medium",
        "Dead-Drop Site Asked by a Program That Is No Browser": "medium"}
