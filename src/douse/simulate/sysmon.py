"""What Sysmon logs: process, network, name resolution, registry, file and injection events of schema 4.90.

A record is written a few milliseconds after the moment in its UtcTime, as in real logs. The pids are decimal numbers,
the GUIDs binary. records.py joins these with what the Security log says of the same thing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from douse.simulate.actors import Host, Process
from douse.simulate.record import Record
from douse.simulate.values import Guid, Hex32, Hex64, Value

CHANNEL = "Microsoft-Windows-Sysmon/Operational"
PROVIDER = "Microsoft-Windows-Sysmon"
PROVIDER_GUID = "5770385F-C22A-43E0-BF4C-06F5698FFBD9"
VERSIONS = {1: 5, 3: 5, 5: 3, 8: 2, 10: 3, 11: 2, 12: 2, 13: 2, 22: 5, 25: 5}
"""The event versions of Sysmon 15, by event id."""

_WRITTEN_AFTER = timedelta(milliseconds=6)
_PORT_NAMES = {53: "domain", 80: "http", 443: "https", 445: "microsoft-ds"}
_NO_PROCESS = Guid("00000000-0000-0000-0000-000000000000")
_CALL_TRACE = ("C:\\Windows\\SYSTEM32\\ntdll.dll+9d4c4|C:\\Windows\\System32\\KERNELBASE.dll+2c0fe|"
               "UNKNOWN(00007FFA2B6C41A0)")


def utc_text(time: datetime) -> str:
    """A time as Sysmon's own fields have it: UTC with milliseconds and no zone."""
    return f"{time:%Y-%m-%d %H:%M:%S}.{time.microsecond // 1000:03d}"


def _record(host: Host, time: datetime, event_id: int, data: dict[str, Value]) -> tuple[Record]:
    written = time + _WRITTEN_AFTER
    return (Record(CHANNEL, PROVIDER, PROVIDER_GUID, event_id, VERSIONS[event_id], 4, event_id, 0, 1 << 63, written,
                   host.name, host.sysmon_pid, host.thread(time), {"RuleName": "-", **data}, user_sid="S-1-5-18"),)


def _acting(time: datetime, process: Process) -> dict[str, Value]:
    return {"UtcTime": utc_text(time), "ProcessGuid": process.guid, "ProcessId": process.pid, "Image": process.image}


def process_start(host: Host, time: datetime, process: Process) -> tuple[Record]:
    """Event 1. A parent that is not known any more is a null GUID and `-`, as Sysmon has it."""
    program, account, parent = process.program, process.account, process.parent
    return _record(host, time, 1, {
        **_acting(time, process),
        "FileVersion": program.file_version,
        "Description": program.description,
        "Product": program.product,
        "Company": program.company,
        "OriginalFileName": program.original_name,
        "CommandLine": process.command_line,
        "CurrentDirectory": process.directory,
        "User": account.full_name,
        "LogonGuid": account.logon_guid,
        "LogonId": Hex64(account.logon_id),
        "TerminalSessionId": account.session,
        "IntegrityLevel": process.integrity,
        "Hashes": program.hashes,
        "ParentProcessGuid": parent.guid if parent else _NO_PROCESS,
        "ParentProcessId": parent.pid if parent else 0,
        "ParentImage": parent.image if parent else "-",
        "ParentCommandLine": parent.command_line if parent else "-",
        "ParentUser": parent.account.full_name if parent else "-",
    })


def process_end(host: Host, time: datetime, process: Process) -> tuple[Record]:
    """Event 5."""
    return _record(host, time, 5, {**_acting(time, process), "User": process.account.full_name})


def network(host: Host, time: datetime, process: Process, address: str, port: int, hostname: str, protocol: str,
            source_port: int) -> tuple[Record]:
    """Event 3, an outgoing connection. The hostname is `-` unless the address resolves back to a name."""
    return _record(host, time, 3, {
        **_acting(time, process),
        "User": process.account.full_name,
        "Protocol": protocol,
        "Initiated": True,
        "SourceIsIpv6": ":" in host.address,
        "SourceIp": host.address,
        "SourceHostname": host.name,
        "SourcePort": source_port,
        "SourcePortName": "-",
        "DestinationIsIpv6": ":" in address,
        "DestinationIp": address,
        "DestinationHostname": hostname,
        "DestinationPort": port,
        "DestinationPortName": _PORT_NAMES.get(port, "-"),
    })


def dns(host: Host, time: datetime, process: Process, name: str, answers: tuple[str, ...] = ()) -> tuple[Record]:
    """Event 22: the process asked for a name; without answers it does not exist (9003)."""
    mapped = (answer if ":" in answer else f"::ffff:{answer}" for answer in answers)
    return _record(host, time, 22, {
        "UtcTime": utc_text(time),
        "ProcessGuid": process.guid,
        "ProcessId": process.pid,
        "QueryName": name,
        "QueryStatus": "0" if answers else "9003",
        "QueryResults": "".join(f"{answer};" for answer in mapped) or "-",
        "Image": process.image,
        "User": process.account.full_name,
    })


def registry_set(host: Host, time: datetime, process: Process, key: str, details: str) -> tuple[Record]:
    """Event 13: a value was set; key and value name in one path, as Sysmon writes it."""
    return _record(host, time, 13, {
        "EventType": "SetValue", **_acting(time, process), "TargetObject": key, "Details": details,
        "User": process.account.full_name,
    })


def registry_delete(host: Host, time: datetime, process: Process, key: str, kind: str = "DeleteValue") -> tuple[Record]:
    """Event 12: a value (DeleteValue) or a key (DeleteKey) was deleted."""
    return _record(host, time, 12, {
        "EventType": kind, **_acting(time, process), "TargetObject": key, "User": process.account.full_name,
    })


def file_create(host: Host, time: datetime, process: Process, path: str) -> tuple[Record]:
    """Event 11: a file was created or replaced."""
    return _record(host, time, 11, {
        **_acting(time, process), "TargetFilename": path, "CreationUtcTime": utc_text(time),
        "User": process.account.full_name,
    })


def process_access(host: Host, time: datetime, source: Process, target: Process, access: int = 0x1FFFFF,
                   call_trace: str = _CALL_TRACE) -> tuple[Record]:
    """Event 10: one process opened another with these rights."""
    return _record(host, time, 10, {
        "UtcTime": utc_text(time),
        "SourceProcessGUID": source.guid,
        "SourceProcessId": source.pid,
        "SourceThreadId": host.thread(time) + 8,
        "SourceImage": source.image,
        "TargetProcessGUID": target.guid,
        "TargetProcessId": target.pid,
        "TargetImage": target.image,
        "GrantedAccess": Hex32(access),
        "CallTrace": call_trace,
        "SourceUser": source.account.full_name,
        "TargetUser": target.account.full_name,
    })


def remote_thread(host: Host, time: datetime, source: Process, target: Process) -> tuple[Record]:
    """Event 8: one process started a thread in another, at an address in no module."""
    return _record(host, time, 8, {
        "UtcTime": utc_text(time),
        "SourceProcessGuid": source.guid,
        "SourceProcessId": source.pid,
        "SourceImage": source.image,
        "TargetProcessGuid": target.guid,
        "TargetProcessId": target.pid,
        "TargetImage": target.image,
        "NewThreadId": host.thread(time) + 16,
        "StartAddress": f"0x{0x1A0000 + target.pid * 0x1000:016X}",
        "StartModule": "-",
        "StartFunction": "-",
        "SourceUser": source.account.full_name,
        "TargetUser": target.account.full_name,
    })


def process_tampering(host: Host, time: datetime, process: Process, kind: str = "Image is replaced") -> tuple[Record]:
    """Event 25: the image of a process in memory is not its file any more, or the file is locked."""
    return _record(host, time, 25, {
        **_acting(time, process), "Type": kind, "User": process.account.full_name,
    })
