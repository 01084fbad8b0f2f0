"""The rendered Message back to data, against thousands of real records that have both."""

from __future__ import annotations

import html
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from douse.telemetry.messages import data_of, is_readable

SYSMON = "Microsoft-Windows-Sysmon/Operational"
PROCESS = """A new process has been created.

Creator Subject:
\tSecurity ID:\t\tS-1-5-18
\tAccount Name:\t\tPC1$

Target Subject:
\tSecurity ID:\t\tS-1-0-0
\tAccount Name:\t\t-

Process Information:
\tNew Process ID:\t\t0x1f4
\tNew Process Name:\tC:\\a.exe
\tProcess Command Line:\t{}

Token Elevation Type indicates the type of token.

Type 1 is a full token:\tno field.
""".replace("\n", "\r\n")


def records(shared: Path) -> Iterator[dict[str, Any]]:
    """The real records that have a message, from a quarter of the archives."""
    for archive in sorted((shared / "data" / "otrf").glob("*.zip"))[::4]:
        with zipfile.ZipFile(archive) as opened:
            for name in opened.namelist():
                for line in opened.open(name):
                    found = json.loads(line)
                    if "Message" in found and is_readable(found["Channel"], found["EventID"]):
                        yield found


WORDED = {"ElevatedToken", "ImpersonationLevel", "VirtualAccount", "LayerName", "NewValueType", "OldValueType",
          "AccessReason"}
"""Fields that Windows words and no rule asks for by number."""


def plain(value: object) -> str:
    """A value without what NXLog (references) and the message (blanks, the case of hexadecimal) do to it."""
    return " ".join(html.unescape(str(value)).split()).lower()


def test_real_messages_say_what_the_records_fields_say(shared: Path) -> None:
    compared, kinds, different = 0, Counter[tuple[str, int]](), Counter[str]()
    for found in records(shared):
        kinds[found["Channel"].lower(), found["EventID"]] += 1
        data = data_of(found["Channel"], found["EventID"], found["Message"])
        assert data, found["Message"]
        fields = {name.lower(): value for name, value in found.items()}
        for name, value in data.items():
            compared += 1
            worded = name in WORDED or (name == "AccessList" and found["ObjectType"] not in {"File", "Key"})
            if value and not worded and plain(fields[name.lower()]) != plain(value):
                different[name] += 1
    assert compared > 50_000
    assert kinds.keys() >= {("security", 4688), ("security", 4689), ("security", 4663), ("security", 4656),
                            ("security", 5156), ("security", 4624), (SYSMON.lower(), 1), (SYSMON.lower(), 13)}
    assert set(different) <= {"TargetObject"}  # of a few paths, Windows itself takes %5C for a place of its message
    assert different.total() < 10


def test_the_same_label_means_another_field_under_another_heading() -> None:
    data = data_of("Security", 4688, PROCESS.format("a.exe /x"))
    assert data == {"SubjectUserSid": "S-1-5-18", "SubjectUserName": "PC1$", "TargetUserSid": "S-1-0-0",
                    "TargetUserName": "-", "NewProcessId": "0x1f4", "NewProcessName": "C:\\a.exe",
                    "CommandLine": "a.exe /x"}


def test_a_command_line_with_line_breaks() -> None:
    data = data_of("Security", 4688, PROCESS.format("cmd /c\r\n\techo: a\r\nb"))
    assert data is not None
    assert data["CommandLine"] == "cmd /c\n\techo: a\nb"
    message = "Process Create:\nUtcTime: t\nCommandLine: a\nb: c\n\nd\nCurrentDirectory: C:\\\nUser: x"
    sysmon = data_of(SYSMON, 1, message)
    assert sysmon == {"UtcTime": "t", "CommandLine": "a\nb: c\n\nd", "CurrentDirectory": "C:\\", "User": "x"}


def test_a_field_that_a_line_break_fakes_makes_the_message_unreadable() -> None:
    assert data_of("Security", 4688, PROCESS.format("x\r\n\tNew Process Name:\tC:\\good.exe")) is None
    assert data_of(SYSMON, 1, "Process Create:\nUtcTime: t\nImage: a\nCommandLine: x\nParentImage: C:\\good.exe\n"
                   "CurrentDirectory: C:\\\nParentImage: C:\\bad.exe") is None


def test_a_script_block_is_told_by_its_end() -> None:
    script = "Creating Scriptblock text (1 of 2):\nx\n\nScriptBlock ID: fake\nPath: C:\\good.ps1"
    message = (f"Creating Scriptblock text (2 of 3):\r\n{script}\r\n\r\n"
               "ScriptBlock ID: 285fc71a-1d15-482e-8122-177248f5d0ab\r\nPath: \r\n")
    data = data_of("Microsoft-Windows-PowerShell/Operational", 4104, message)
    assert data == {"MessageNumber": "2", "MessageTotal": "3", "ScriptBlockText": script, "Path": "",
                    "ScriptBlockId": "285fc71a-1d15-482e-8122-177248f5d0ab"}


def test_words_get_their_numbers_back() -> None:
    connection = data_of("Security", 5156, "x\n\nNetwork Information:\n\tDirection:\t\tOutbound\n\tProtocol:\t\t6\n")
    assert connection == {"Direction": "%%14593", "Protocol": "6"}
    access = data_of("security", 4663, "x\n\nAccess Request Information:\n\tAccesses:\t\tReadData (or ListDirectory)\n"
                     "\t\t\t\tREAD_CONTROL\n\t\t\t\tSomething new\n\t\t\t\t\n\tAccess Mask:\t\t0x1\n")
    assert access == {"AccessList": "%%4416\n%%1538\nSomething new", "AccessMask": "0x1"}


@pytest.mark.parametrize(("channel", "event_id", "message"), [
    ("Security", 4688, "Ein neuer Prozess wurde erstellt.\n\nProzessinformationen:\n\tNeue Prozess-ID:\t\t0x1\n"),
    ("Security", 4688, ""), (SYSMON, 1, ""), (SYSMON, 1, "Process Create:\nImage: a"),
    ("Microsoft-Windows-PowerShell/Operational", 4104, "Creating Scriptblock text (1 of 1):\nx"),
    ("Security", 4634, "An account was logged off.\n\nSubject:\n\tSecurity ID:\t\tS-1-5-18\n"),
    ("Application", 1000, "Faulting application name: a.exe"),
])
def test_what_cannot_be_read(channel: str, event_id: int, message: str) -> None:
    assert data_of(channel, event_id, message) is None
    assert is_readable(channel, event_id) == (event_id not in {4634, 1000})


@pytest.mark.parametrize("hostile", ["\n" * 300_000, "\tA:\t" * 100_000, "A:\n" * 100_000, "\n\tx" * 100_000])
def test_hostile_messages_are_read_in_linear_time(hostile: str) -> None:
    assert data_of("Security", 4663, hostile) is None
    data = data_of(SYSMON, 1, f"x\nUtcTime: t\nCommandLine: a\n{hostile}")
    assert data == {"UtcTime": "t", "CommandLine": f"a\n{hostile}".rstrip("\n")}
