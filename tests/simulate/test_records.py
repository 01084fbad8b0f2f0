"""The shapes of our records, compared with real ones, and the traps a reader of real logs must survive."""

import dataclasses
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from evtx import PyEvtxParser

from douse.simulate import Record, records
from douse.simulate.actors import Account, Host, Process, Program, logon_guid, process_guid
from douse.simulate.jsonl_writer import nested
from douse.simulate.sysmon import VERSIONS

TIME = datetime(2026, 11, 3, 8, 14, 1, 250_000, UTC)
HOST = Host("WS-042.corp.example", "10.20.4.42", 0x510C1E8A)
ANNA = Account("anna", "CORP", "S-1-5-21-1-2-3-1104", 0x678FE, logon_guid(HOST, TIME, 0x678FE))
SYSTEM = Account("SYSTEM", "NT AUTHORITY", "S-1-5-18", 0x3E7, logon_guid(HOST, TIME, 0x3E7), 0)


def process(image: str, pid: int, account: Account = ANNA, parent: Process | None = None) -> Process:
    return Process(Program(image, "1.0", "Something", "Product", "Company", "orig.exe"), pid,
                   process_guid(HOST, TIME, pid), f'"{image}" -x', account, "Medium", "C:\\", TIME, parent)


SERVICES = process("C:\\Windows\\System32\\services.exe", 700, SYSTEM)
EXPLORER = process("C:\\Windows\\explorer.exe", 4812)
REGASM = process("C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\RegAsm.exe", 6700, ANNA, EXPLORER)
RUN = "HKU\\S-1-5-21-1-2-3-1104\\Software\\Microsoft\\Windows\\CurrentVersion\\Run\\x"

EVERYTHING: tuple[Record, ...] = (
    *records.process_start(HOST, TIME, REGASM),
    *records.process_end(HOST, TIME, REGASM),
    *records.network(HOST, TIME, REGASM, "203.0.113.9", 443, filtering=True),
    *records.dns(HOST, TIME, REGASM, "t.me", ("198.51.100.1",)),
    *records.registry_set(HOST, TIME, REGASM, RUN, "C:\\x.exe"),
    *records.registry_delete(HOST, TIME, REGASM, RUN),
    *records.file_create(HOST, TIME, REGASM, "C:\\x.exe"),
    *records.file_read(HOST, TIME, REGASM, "C:\\Users\\anna\\Login Data"),
    *records.process_access(HOST, TIME, EXPLORER, REGASM),
    *records.remote_thread(HOST, TIME, EXPLORER, REGASM),
    *records.process_tampering(HOST, TIME, REGASM),
    *records.zip_opened(HOST, TIME, EXPLORER, "C:\\Users\\anna\\a.zip"),
    *records.script_block(HOST, TIME, REGASM, "Get-Date"),
    *records.logon(HOST, TIME, ANNA, 2),
    *records.malware_found(HOST, TIME, SERVICES, "Trojan:Win32/LummaStealer!rfn", "C:\\x.exe", EXPLORER),
    *records.malware_handled(HOST, TIME, SERVICES, "Trojan:Win32/LummaStealer!rfn", "C:\\x.exe"),
    *records.protection_changed(HOST, TIME, SERVICES, "", "HKLM\\x = 1"),
    *records.scan_started(HOST, TIME, SERVICES),
    *records.scan_finished(HOST, TIME, SERVICES, 3725),
)


def of(event_id: int) -> Record:
    return next(record for record in EVERYTHING if record.event_id == event_id)


def real_records(folder: Path) -> Iterator[dict[str, Any]]:
    """Every readable record of the public samples, nested as the wheel nests it."""
    for path in sorted(folder.glob("*.evtx")):
        found = PyEvtxParser(str(path)).records_json()
        while True:
            try:
                yield json.loads(next(found)["data"])["Event"]
            except StopIteration:
                break
            except RuntimeError:
                continue  # a damaged record is not the subject here


def test_fields_types_and_system_are_those_of_real_records(shared: Path) -> None:
    """For each event id of the samples: ours has the newest real record's fields, in order, of the same JSON types."""
    ours = {(record.channel, record.event_id): json.loads(json.dumps(nested(record)))["Event"] for record in EVERYTHING}
    newest: dict[tuple[str, int], tuple[Any, dict[str, Any]]] = {}
    for event in real_records(shared / "data" / "evtx"):
        system, key = event["System"], (event["System"]["Channel"], event["System"]["EventID"])
        if not isinstance(key[1], int) or key not in ours or not isinstance(event.get("EventData"), dict):
            continue
        if key[1] == 4663 and event["EventData"]["ObjectType"] != "File" and key in newest:
            continue
        rank = system["Version"], len(event["EventData"]), system["TimeCreated"]["#attributes"]["SystemTime"]
        if key not in newest or rank > newest[key][0]:
            newest[key] = rank, event
    assert {key[1] for key in newest} >= {1, 3, 5, 8, 10, 11, 12, 13, 22, 4104, 4624, 4663, 4688, 5156}
    for key, (_, real) in newest.items():
        mine = ours[key]
        later = iter(mine["EventData"])
        assert all(name in later for name in real["EventData"]), f"{key}: {list(real['EventData'])}"
        for name, value in real["EventData"].items():
            if value not in ("", None):
                assert type(mine["EventData"][name]) is type(value), f"{key} {name}"
        same = ["Provider", "Keywords", "Opcode", "Level"]
        if key[1] not in (4104, 4663):  # the samples have older tasks of 4104, and 4663 for registry keys only
            same.append("Task")
        assert [mine["System"][name] for name in same] == [real["System"][name] for name in same], key
        assert list(mine["System"]) == list(real["System"])
        assert mine["System"]["Version"] >= real["System"]["Version"]


def test_a_process_has_one_identity_in_every_log() -> None:
    assert of(1).data["ProcessId"] == 6700
    assert of(4688).data["NewProcessId"] == of(4663).data["ProcessId"] == of(4689).data["ProcessId"] == hex(6700)
    assert of(1).data["ProcessGuid"] == of(3).data["ProcessGuid"] == of(10).data["TargetProcessGUID"] == REGASM.guid
    assert of(1).data["ParentProcessGuid"] == of(8).data["SourceProcessGuid"] == EXPLORER.guid
    assert of(4688).data["ProcessId"] == hex(4812)
    assert of(4688).data["CommandLine"] == of(1).data["CommandLine"] == REGASM.command_line
    assert of(5156).data["ProcessID"] == 6700, "this one is decimal in real logs, too"
    assert of(5379).data["ClientProcessId"] == 4812


def test_identifiers_carry_machine_start_and_logon_id() -> None:
    assert REGASM.guid.startswith("510C1E8A-")
    seconds = int(TIME.timestamp())
    assert REGASM.guid.split("-")[1:3] == [f"{seconds & 0xFFFF:04X}", f"{seconds >> 16:04X}"]
    assert ANNA.logon_guid.endswith("-FE78-060000000000")


def test_a_start_under_another_account_names_both() -> None:
    start = records.process_start(HOST, TIME, process("C:\\b.exe", 8, ANNA, SERVICES))[0]
    assert (start.data["SubjectUserName"], start.data["TargetUserName"]) == ("SYSTEM", "anna")
    assert of(4688).data["TargetUserSid"] == "S-1-0-0", "the same account is not repeated"


def test_traps_of_the_security_log() -> None:
    read = of(4663)
    assert read.data["AccessList"] == "%%4416\r\n\t\t\t\t"
    assert (read.data["AccessMask"], read.data["ObjectServer"], read.data["ObjectType"]) == ("0x1", "Security", "File")
    assert (read.level, read.keywords, read.task, read.user_sid) == (0, 0x8020000000000000, 12800, "")
    assert of(5379).data["TargetName"] == "Microsoft_Windows_Shell_ZipFolder:filename=C:\\Users\\anna\\a.zip"


def test_sysmon_events_have_their_version_task_and_a_time_before_the_record() -> None:
    for record in EVERYTHING:
        if record.event_id in VERSIONS:
            assert (record.task, record.level, record.user_sid) == (record.event_id, 4, "S-1-5-18")
            assert next(iter(record.data)) == "RuleName"
            said = datetime.strptime(str(record.data["UtcTime"]) + "000+0000", "%Y-%m-%d %H:%M:%S.%f%z")
            assert timedelta() <= record.time - said < timedelta(milliseconds=50)


def test_nothing_names_a_signer() -> None:
    for record in EVERYTHING:
        assert not {"Signature", "Signed", "SignatureStatus"} & set(record.data)


def test_a_name_that_does_not_exist_has_no_results() -> None:
    record = records.dns(HOST, TIME, REGASM, "gone.example")[0]
    assert (record.data["QueryStatus"], record.data["QueryResults"]) == ("9003", "-")
    assert of(22).data["QueryResults"] == "::ffff:198.51.100.1;"


def test_a_scan_has_one_id_and_its_length() -> None:
    assert of(1001).data["Scan ID"] != of(1000).data["Scan ID"], "another scan: it began 3,725 seconds earlier"
    ended = records.scan_finished(HOST, TIME + timedelta(seconds=60), SERVICES, 60)[0]
    assert ended.data["Scan ID"] == of(1000).data["Scan ID"]
    assert [of(1001).data[f"Scan Time {unit}"] for unit in ("Hours", "Minutes", "Seconds")] == ["1", "2", "5"]


def test_records_cannot_be_changed_by_accident() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        of(1).level = 3  # type: ignore[misc]
