from __future__ import annotations

import pytest

import builders as b
from builders import SECURITY, SYSMON
from douse.incident import entities
from douse.incident.entities import (
    actor_of,
    command_text,
    destination_of,
    getter,
    guid,
    hive_owner,
    image_name,
    number,
    parent_of,
    target_of,
)
from douse.model import Event


def get_of(event: Event):
    return getter({name: str(value) for name, value in event.fields.items()})


@pytest.mark.parametrize(
    ("text", "value"), [("0x10e1", 4321), ("0X10E1", 4321), ("4321", 4321), ("-", 0), ("", 0), ("12ab", 0),
                      ("18446744073709551615", (1 << 64) - 1), ("0xffffffffffffffff", (1 << 64) - 1),
                      ("0x" + "f" * 5_000, 0), ("9" * 5_000, 0)]
)
def test_numbers_are_hex_or_decimal(text: str, value: int) -> None:
    assert number(text) == value


def test_guids_have_one_spelling_and_the_null_guid_is_nobody() -> None:
    assert guid("{AB12CD34-0000-0000-0000-000000000001}") == guid("ab12cd34-0000-0000-0000-000000000001")
    assert guid("{00000000-0000-0000-0000-000000000000}") == ""


def test_what_is_too_long_for_a_guid_is_none_and_is_not_remembered() -> None:
    known = entities._guid.cache_info().currsize
    assert guid("{" + "a" * 1_000_000 + "}") == ""
    assert entities._guid.cache_info().currsize == known


def test_fields_are_found_in_any_case_and_dashes_mean_nothing() -> None:
    get = getter({"sourceprocessguid": "{1}", "ParentImage": "?", "TargetImage": "<unknown process>", "User": " - "})
    assert get("SourceProcessGUID") == "{1}"
    assert [get(name) for name in ("ParentImage", "TargetImage", "User", "Missing")] == [""] * 4


def test_a_4688_is_about_the_new_process_even_where_a_reader_added_sysmon_names() -> None:
    shell = b.explorer()
    start = b.process_start(b.process("C:\\a.exe", 5000, 1, shell), "security")
    actor = actor_of(SECURITY, 4688, get_of(start))
    assert (actor.pid, actor.image, actor.user_sid, actor.user_name) == (5000, "C:\\a.exe", b.ANNA.sid, b.ANNA.name)
    parent = parent_of(SECURITY, get_of(start))
    assert (parent.pid, parent.image) == (shell.pid, shell.image)
    aliased = getter({"NewProcessId": "0x1388", "ProcessId": "0x1388", "ParentProcessId": "0x1018"})
    assert actor_of(SECURITY, 4688, aliased).pid == 5000
    assert parent_of(SECURITY, aliased).pid == 0x1018


def test_a_4688_for_somebody_else_runs_as_the_target_user() -> None:
    get = getter(
        {
            "NewProcessId": "0x10",
            "SubjectUserSid": "S-1-5-18",
            "SubjectUserName": "WS-01$",
            "TargetUserSid": b.BEN.sid,
            "TargetUserName": "ben",
            "TargetDomainName": "CORP",
        }
    )
    actor = actor_of(SECURITY, 4688, get)
    assert (actor.user_sid, actor.user_name) == (b.BEN.sid, "CORP\\ben")


@pytest.mark.parametrize("event_id", [8, 10])
def test_injections_have_a_source_and_a_target(event_id: int) -> None:
    source, target = b.process("C:\\s.exe", 100), b.process("C:\\t.exe", 200)
    get = get_of(b.injection(source, target, 1, event_id))
    found = target_of(SYSMON, event_id, get)
    assert actor_of(SYSMON, event_id, get).guid == guid(source.guid)
    assert found is not None
    assert (found.guid, found.pid) == (guid(target.guid), 200)
    assert target_of(SYSMON, 1, get) is None


@pytest.mark.parametrize(
    ("channel", "event_id", "fields", "pid"),
    [
        (SECURITY, 5379, {"ClientProcessId": "4120"}, 4120),
        (SECURITY, 5156, {"ProcessID": "77", "Application": "\\device\\harddiskvolume3\\windows\\x.exe"}, 77),
        (SECURITY, 4663, {"ProcessId": "0x1f4", "ProcessName": "C:\\x.exe"}, 500),
        ("Microsoft-Windows-PowerShell/Operational", 4104, {"Execution_ProcessID": "812"}, 812),
        ("Microsoft-Windows-Crypto-DPAPI/Debug", 16385, {"CallerProcessID": "900"}, 900),
    ],
)
def test_every_kind_of_record_names_its_process(channel: str, event_id: int, fields: dict[str, str], pid: int) -> None:
    assert actor_of(channel, event_id, getter(fields)).pid == pid


def test_destinations() -> None:
    ran = b.process("C:\\x.exe", 10)
    to = destination_of(SYSMON, 22, get_of(b.dns_query(ran, 0, "T.me.", "type: 5 x.org;::ffff:149.154.167.99;")))
    assert to is not None
    assert (to.hostname, to.addresses) == ("t.me", ("149.154.167.99",))
    assert destination_of(SYSMON, 1, get_of(b.process_start(ran))) is None
    blocked = destination_of(SECURITY, 5156, getter({"DestAddress": "not an address", "DestPort": "443"}))
    assert blocked is not None
    assert (blocked.addresses, blocked.port) == ((), 443)


def test_what_was_typed_and_in_whose_hive() -> None:
    get = get_of(b.run_dialog(b.explorer(), 0, "mshta http://x.example"))
    assert command_text(get) == "mshta http://x.example"
    assert hive_owner(get) == b.ANNA.sid
    assert hive_owner(get_of(b.run_dialog(b.explorer(), 0, "x", "security"))) == b.ANNA.sid
    assert hive_owner(getter({"TargetObject": "HKLM\\SOFTWARE\\Run\\x"})) == ""


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("C:\\A\\b.exe", "b.exe"),
        ("b.exe", "b.exe"),
        ("C:/A/b.exe", "b.exe"),
        ("\\device\\harddiskvolume2\\x\\c.exe", "c.exe"),
        ("", ""),
    ],
)
def test_image_names(path: str, name: str) -> None:
    assert image_name(path) == name


ANNA = "S-1-5-21-1-2-3-1104"


@pytest.mark.parametrize(("channel", "event_id", "fields", "who"), [
    ("Microsoft-Windows-Crypto-DPAPI/Debug", 16385, {"CallerProcessID": "97964", "Security_UserID": "S-1-5-18"},
     (97964, "", "S-1-5-18", "")),
    ("Security", 5382, {"ClientProcessId": "5120", "SubjectUserSid": ANNA}, (5120, "", ANNA, "")),
    ("Security", 5157, {"ProcessID": "5120", "Application": "\\device\\x\\mshta.exe"},
     (5120, "\\device\\x\\mshta.exe", "", "")),
    ("Microsoft-Windows-Windows Defender/Operational", 1116,
     {"ProcessName": "C:\\Windows\\explorer.exe", "DetectionUser": "CORP\\anna"},
     (0, "C:\\Windows\\explorer.exe", "", "CORP\\anna")),
    ("Microsoft-Windows-Windows Defender/Operational", 1015,
     {"ProcessName": "C:\\a.exe", "ProcessID": "5120", "Domain": "CORP", "User": "anna", "SID": ANNA},
     (5120, "C:\\a.exe", ANNA, "CORP\\anna")),
    ("Microsoft-Windows-AppLocker/EXE and DLL", 8004,
     {"TargetUser": ANNA, "TargetProcessId": "4", "FilePath": "%SYSTEM32%\\MSHTA.EXE"}, (0, "", ANNA, "")),
    ("Microsoft-Windows-CodeIntegrity/Operational", 3077,
     {"ProcessNameBuffer": "\\Device\\x\\explorer.exe", "Execution_ProcessID": "1800", "Security_UserID": ANNA},
     (1800, "\\Device\\x\\explorer.exe", ANNA, "")),
    ("Microsoft-Windows-Bits-Client/Operational", 3,
     {"processPath": "C:\\Windows\\System32\\bitsadmin.exe", "processId": "7680", "jobOwner": "CORP\\anna"},
     (7680, "C:\\Windows\\System32\\bitsadmin.exe", "", "CORP\\anna")),
    ("Microsoft-Windows-TaskScheduler/Operational", 129, {"Path": "C:\\a.pif", "ProcessID": "5120"},
     (5120, "C:\\a.pif", "", "")),
    ("Microsoft-Windows-TaskScheduler/Operational", 106, {"UserContext": "CORP\\anna"}, (0, "", "", "CORP\\anna")),
    ("Microsoft-Windows-WMI-Activity/Operational", 5858, {"ClientProcessId": "5120", "User": "CORP\\anna"},
     (5120, "", "", "CORP\\anna")),
    ("Microsoft-Windows-WMI-Activity/Operational", 5860, {"Processid": "5120", "User": "CORP\\anna"},
     (5120, "", "", "CORP\\anna")),
    ("Microsoft-Windows-Windows Firewall With Advanced Security/Firewall", 2071,
     {"ModifyingApplication": "C:\\a.exe", "ModifyingUser": ANNA}, (0, "C:\\a.exe", ANNA, "")),
])
def test_other_channels_name_the_process_in_their_own_words(
        channel: str, event_id: int, fields: dict[str, str], who: tuple[int, str, str, str]) -> None:
    actor = actor_of(channel, event_id, getter(fields))
    assert (actor.pid, actor.image, actor.user_sid, actor.user_name) == who
