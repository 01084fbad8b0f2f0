"""What a row of advanced hunting is: its table and id by action or columns, time, host, number, Sysmon's fields."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from douse.telemetry.fields import Fields
from douse.telemetry.mde_rows import NO_DEVICE, NO_TIME, record_of, says_no_zone, table_name
from douse.telemetry.textlog import Record

SID = "S-1-5-21-1-2-3-1001"
DEVICE: dict[str, Any] = {"Timestamp": "2026-11-24T10:11:12.1234567Z", "DeviceId": "df5b", "ReportId": 30779,
                          "DeviceName": "ws-042.corp.example"}
BY_POWERSHELL = {"InitiatingProcessFileName": "powershell.exe", "InitiatingProcessId": 4711,
                 "InitiatingProcessFolderPath": "c:\\windows\\system32\\windowspowershell\\v1.0\\powershell.exe",
                 "InitiatingProcessAccountDomain": "corp", "InitiatingProcessAccountName": "anna",
                 "InitiatingProcessAccountSid": SID, "InitiatingProcessUniqueId": "844424930132000"}
PROCESS = {**DEVICE, **BY_POWERSHELL, "ActionType": "ProcessCreated", "FileName": "mshta.exe", "ProcessId": 5200,
           "FolderPath": "C:\\Windows\\System32\\mshta.exe", "ProcessCommandLine": "mshta http://lure.example/a",
           "AccountDomain": "corp", "AccountName": "anna", "SHA256": "bb", "MD5": "",
           "ProcessIntegrityLevel": "Medium",
           "ProcessUniqueId": "844424930132001", "ProcessVersionInfoOriginalFileName": "MSHTA.EXE",
           "InitiatingProcessCommandLine": "powershell"}
CONNECTION = {**DEVICE, **BY_POWERSHELL, "ActionType": "ConnectionSuccess", "RemoteIP": "203.0.113.7",
              "RemotePort": 443, "RemoteUrl": "https://c2.example/x", "LocalIP": "10.1.2.3", "LocalPort": 49712,
              "Protocol": "Tcp"}
MORNING = datetime(2026, 11, 24, 10, 11, 12, tzinfo=UTC)
POWERSHELL = "c:\\windows\\system32\\windowspowershell\\v1.0\\powershell.exe"


def record(row: dict[str, Any], table: str = "") -> Record:
    found = record_of(row, table)
    assert isinstance(found, Record), found
    return found


def expect(fields: Fields, **expected: object) -> None:
    assert {name: fields.get(name) for name in expected} == expected


def test_a_process_start() -> None:
    found = record(PROCESS)
    assert (found.channel, found.event_id, found.host, found.record_id) == (
        "MDE/DeviceProcessEvents", 1, "ws-042.corp.example", 30779)
    assert found.counted_as == found.host, "the device's own telemetry, unlike a sensor's"
    expect(found.decode(), Image="C:\\Windows\\System32\\mshta.exe", CommandLine="mshta http://lure.example/a",
           User="corp\\anna", ProcessId=5200, ProcessGuid="844424930132001", Hashes="SHA256=bb",
           IntegrityLevel="Medium",
           ParentImage=POWERSHELL, ParentProcessId="4711", ParentProcessGuid="844424930132000",
           ParentCommandLine="powershell", OriginalFileName="MSHTA.EXE", ProcessCommandLine="mshta http://lure.example/a",
           MD5=None)


def test_a_connection_in_both_directions() -> None:
    expect(record(CONNECTION).decode(), Image=POWERSHELL, ProcessId="4711", SourceIp="10.1.2.3", SourcePort="49712",
           DestinationIp="203.0.113.7", DestinationPort="443", DestinationHostname="c2.example", Protocol="tcp",
           Initiated="true")
    came = record({**CONNECTION, "ActionType": "InboundConnectionAccepted"})
    assert came.event_id == 3
    expect(came.decode(), SourceIp="203.0.113.7", DestinationIp="10.1.2.3", DestinationPort="49712", Initiated="false")


def test_files() -> None:
    row = {**DEVICE, **BY_POWERSHELL, "ActionType": "FileCreated", "FileName": "a.exe", "FolderPath": "C:\\x\\a.exe"}
    expect(record(row).decode(), TargetFilename="C:\\x\\a.exe", Image=POWERSHELL, User="corp\\anna")
    renamed = record({**row, "ActionType": "FileRenamed", "PreviousFileName": "a.tmp", "PreviousFolderPath": "C:\\x"})
    assert renamed.event_id == 0
    expect(renamed.decode(), SourceFilename="C:\\x\\a.tmp", TargetFilename="C:\\x\\a.exe")


def test_the_registry() -> None:
    row = {**DEVICE, **BY_POWERSHELL, "ActionType": "RegistryValueSet", "RegistryValueName": "x",
           "RegistryValueData": "1",
           "RegistryKey": "HKEY_CURRENT_USER\\Software\\Microsoft\\Windows\\CurrentVersion\\Run",
           "RegistryValueType": "Dword"}
    run = f"HKU\\{SID}\\Software\\Microsoft\\Windows\\CurrentVersion\\Run"
    expect(record(row).decode(), TargetObject=f"{run}\\x", Details="DWORD (0x00000001)", EventType="SetValue")
    expect(record({**row, "RegistryValueName": ""}).decode(), TargetObject=f"{run}\\(Default)")
    gone = {**row, "ActionType": "RegistryKeyDeleted", "RegistryKey": "", "PreviousRegistryKey": row["RegistryKey"],
            "RegistryValueName": None}
    expect(record(gone).decode(), TargetObject=run, EventType="DeleteKey")
    moved = {**gone, "ActionType": "RegistryKeyRenamed", "RegistryKey": "HKEY_LOCAL_MACHINE\\new"}
    expect(record(moved).decode(), TargetObject=run, NewName="HKLM\\new")


@pytest.mark.parametrize(("action", "more", "event_id", "expected"), [
    ("DnsQueryResponse", {"AdditionalFields": '{"DnsQueryString":"t.me"}'}, 22, {
        "QueryName": "t.me", "Image": POWERSHELL}),
    ("NamedPipeEvent", {"AdditionalFields": '{"PipeName":"\\\\Device\\\\NamedPipe\\\\x"}'}, 17, {"PipeName": "\\x"}),
    ("CreateRemoteThreadApiCall", {"FolderPath": "C:\\Windows", "FileName": "explorer.exe", "ProcessId": 900}, 8, {
        "SourceImage": POWERSHELL, "SourceProcessId": "4711", "TargetImage": "C:\\Windows\\explorer.exe",
        "TargetProcessId": "900", "Image": None}),
    ("OpenProcessApiCall", {"FileName": "lsass.exe", "AdditionalFields": '{"DesiredAccess":5136}'}, 10, {
        "GrantedAccess": "0x1410", "TargetImage": "lsass.exe"}),
    ("SensitiveFileRead", {"FolderPath": "C:\\Users\\anna\\Login Data", "FileName": "Login Data"}, 4663, {
        "ObjectName": "C:\\Users\\anna\\Login Data", "ObjectType": "File", "Image": POWERSHELL}),
    ("AntivirusDetection", {"FileName": "a.exe", "AdditionalFields": {"ThreatName": "Trojan:Win32/LummaStealer"}},
     1116, {
        "Signature": "Trojan:Win32/LummaStealer", "Filename": "a.exe"}),
    ("DriverLoad", {"FolderPath": "C:\\d.sys", "FileName": "d.sys"}, 6, {"ImageLoaded": "C:\\d.sys"}),
    ("PowerShellCommand", {"AdditionalFields": '{"Command":"iex"}'}, 0, {"Command": "iex", "Image": POWERSHELL}),
])
def test_events_of_a_device(action: str, more: dict[str, Any], event_id: int, expected: dict[str, object]) -> None:
    found = record({**DEVICE, **BY_POWERSHELL, "ActionType": action, **more})
    assert (found.channel, found.event_id) == ("MDE/DeviceEvents", event_id)
    expect(found.decode(), **expected)


@pytest.mark.parametrize(("row", "kind"), [
    ({"ActionType": "ConnectionSuccessAggregatedReport"}, ("MDE/DeviceNetworkEvents", 3)),
    ({"ActionType": "ConnectionFailed"}, ("MDE/DeviceNetworkEvents", 0)),
    ({"ActionType": "LogonSuccess"}, ("MDE/DeviceLogonEvents", 4624)),
    ({"ActionType": "SomethingNew"}, ("MDE/DeviceEvents", 0)),
    ({"ActionType": "SomethingNew", "RegistryKey": "x"}, ("MDE/DeviceRegistryEvents", 0)),
    ({"ProcessCommandLine": "x", "ProcessCreationTime": "y"}, ("MDE/DeviceProcessEvents", 1)),
    ({"Type": "DeviceFileEvents", "ActionType": "SomethingNew"}, ("MDE/DeviceFileEvents", 0)),
    ({"AlertId": "da1", "Title": "x"}, ("MDE/AlertInfo", 0)),
    ({"AlertId": "da1", "Title": "x", "EntityType": "File"}, ("MDE/AlertEvidence", 0)), ({}, ("MDE/Unknown", 0)),
])
def test_which_table_a_row_is_of(row: dict[str, Any], kind: tuple[str, int]) -> None:
    found = record({**DEVICE, **row})
    assert (found.channel, found.event_id) == kind


def test_an_alert_without_a_device_names_what_was_found() -> None:
    found = record({"Timestamp": "2026-11-24T10:11:12Z", "AlertId": "da1", "Title": "'Lumma' malware was prevented"})
    assert (found.host, found.channel) == (NO_DEVICE, "MDE/AlertInfo")
    expect(found.decode(), Signature="'Lumma' malware was prevented")
    evidence = record({**DEVICE, "AlertId": "da1", "Title": "x", "EntityType": "File", "ThreatFamily": "Lumma"})
    expect(evidence.decode(), Signature=["x", "Lumma"])


@pytest.mark.parametrize(("text", "no_zone"), [
    ("2026-11-24T10:11:12Z", False), ("2026-11-24 10:11:12", True), ("11/24/2026 10:11:12 AM", True),
    ("11/24/2026, 10:11:12\u202fAM", True), ("Nov 24, 2026 10:11:12 AM", True), ("Nov 24, 2026 @ 10", True),
])
def test_times(text: str, no_zone: bool) -> None:
    found = record_of({**DEVICE, "Timestamp": text})
    assert found == NO_TIME or (isinstance(found, Record) and found.time == MORNING)
    assert (found == NO_TIME) is ("@" in text)
    assert says_no_zone({"Timestamp": text}) is no_zone
    assert record({"TimeGenerated": "2026-11-24T10:11:12Z"}).time == MORNING


def test_a_row_without_a_number_gets_one_of_its_columns_in_any_format() -> None:
    row = {**DEVICE, "ReportId": None, "ProcessId": 7, "Empty": ""}
    as_text = {**DEVICE, "ReportId": "", "ProcessId": "7"}
    assert record(row).record_id == record(as_text).record_id > 0
    assert record(row).record_id != record({**row, "ProcessId": 8}).record_id


def test_names_of_tables() -> None:
    assert [table_name(text) for text in ("AdvancedHunting-DeviceFileEvents", "DeviceFileEvents", "../x")] == [
        "DeviceFileEvents", "DeviceFileEvents", ""]
