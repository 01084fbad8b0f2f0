"""What the Security log says: process starts and ends, audited file reads, connections, opened zips, logons.

Pids are hexadecimal here, except in 5379 and 5156, which Windows writes in decimal. The logging process is the kernel
(pid 4) or lsass. 4663 exists only where somebody set an audit entry (SACL) on the file. records.py joins these with
what Sysmon says of the same thing.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from douse.simulate.actors import INTEGRITY_SIDS, Account, Host, Process
from douse.simulate.record import Record
from douse.simulate.values import Guid, Hex32, Hex64, Sid, Value

CHANNEL = "Security"
PROVIDER = "Microsoft-Windows-Security-Auditing"
PROVIDER_GUID = "54849625-5478-4994-A5BA-3E3B0328C30D"
EVENTS = {4624: (2, 12544), 4663: (1, 12800), 4688: (2, 13312), 4689: (0, 13313), 5156: (1, 12810), 5379: (0, 13824)}
"""Version and task of each event id."""

AUDIT_SUCCESS = 0x8020000000000000
READ_DATA = 0x1
_NOBODY = Sid("S-1-0-0")
_WRITTEN_AFTER = timedelta(milliseconds=1)
_ELEVATION = {"High": "%%1937", "Medium": "%%1938", "Low": "%%1938"}
_PROTOCOLS = {"tcp": 6, "udp": 17}


def _record(host: Host, time: datetime, event_id: int, data: dict[str, Value], *, by: int = 4) -> tuple[Record]:
    version, task = EVENTS[event_id]
    return (Record(CHANNEL, PROVIDER, PROVIDER_GUID, event_id, version, 0, task, 0, AUDIT_SUCCESS,
                   time + _WRITTEN_AFTER, host.name, by, host.thread(time), data),)


def _subject(account: Account) -> dict[str, Value]:
    return {
        "SubjectUserSid": Sid(account.sid),
        "SubjectUserName": account.name,
        "SubjectDomainName": account.domain,
        "SubjectLogonId": Hex64(account.logon_id),
    }


def process_start(host: Host, time: datetime, process: Process) -> tuple[Record]:
    """4688 with the command line. The target fields are set only where the process runs as somebody else."""
    parent = process.parent
    creator = parent.account if parent else process.account
    other = process.account if process.account != creator else None
    return _record(host, time, 4688, {
        **_subject(creator),
        "NewProcessId": Hex64(process.pid),
        "NewProcessName": process.image,
        "TokenElevationType": _ELEVATION.get(process.integrity, "%%1936"),
        "ProcessId": Hex64(parent.pid if parent else 0),
        "CommandLine": process.command_line,
        "TargetUserSid": Sid(other.sid) if other else _NOBODY,
        "TargetUserName": other.name if other else "-",
        "TargetDomainName": other.domain if other else "-",
        "TargetLogonId": Hex64(other.logon_id if other else 0),
        "ParentProcessName": parent.image if parent else "",
        "MandatoryLabel": Sid(INTEGRITY_SIDS[process.integrity]),
    })


def process_end(host: Host, time: datetime, process: Process, status: int = 0) -> tuple[Record]:
    """4689."""
    return _record(host, time, 4689, {
        **_subject(process.account),
        "Status": Hex32(status),
        "ProcessId": Hex64(process.pid),
        "ProcessName": process.image,
    })


def file_read(host: Host, time: datetime, process: Process, path: str) -> tuple[Record]:
    """4663: an audited file was read (ReadData)."""
    return _record(host, time, 4663, {
        **_subject(process.account),
        "ObjectServer": "Security",
        "ObjectType": "File",
        "ObjectName": path,
        "HandleId": Hex64(host.thread(time) + 0x400),
        "AccessList": "%%4416\r\n\t\t\t\t",
        "AccessMask": Hex32(READ_DATA),
        "ProcessId": Hex64(process.pid),
        "ProcessName": process.image,
        "ResourceAttributes": "S:AI",
    })


def network(host: Host, time: datetime, process: Process, address: str, port: int, protocol: str,
            source_port: int) -> tuple[Record]:
    """5156: the filtering platform let an outgoing connection pass. The path names a device, in lower case."""
    return _record(host, time, 5156, {
        "ProcessID": process.pid,
        "Application": f"\\device\\harddiskvolume{host.volume}{process.image[2:]}".lower(),
        "Direction": "%%14593",
        "SourceAddress": host.address,
        "SourcePort": str(source_port),
        "DestAddress": address,
        "DestPort": str(port),
        "Protocol": _PROTOCOLS[protocol],
        "FilterRTID": 71364,
        "LayerName": "%%14611",
        "LayerRTID": 48,
        "RemoteUserID": _NOBODY,
        "RemoteMachineID": _NOBODY,
    })


def zip_opened(host: Host, time: datetime, process: Process, path: str) -> tuple[Record]:
    """5379 as Explorer causes it when it opens an encrypted zip: it looks for the archive's saved password."""
    return _record(host, time, 5379, {
        **_subject(process.account),
        "TargetName": f"Microsoft_Windows_Shell_ZipFolder:filename={path}",
        "Type": 0,
        "CountOfCredentialsReturned": 0,
        "ReadOperation": "%%8100",
        "ReturnCode": 3221226021,
        "ProcessCreationTime": process.started,
        "ClientProcessId": process.pid,
    }, by=host.lsass_pid)


def logon(host: Host, time: datetime, account: Account, kind: int = 5, process: Process | None = None) -> tuple[Record]:
    """4624: a session began; kind 2 is interactive, 3 network, 5 service, 7 unlock."""
    machine = host.name.split(".")[0].upper() + "$"
    service = kind == 5
    return _record(host, time, 4624, {
        "SubjectUserSid": Sid("S-1-5-18"),
        "SubjectUserName": machine,
        "SubjectDomainName": account.domain if account.domain != "NT AUTHORITY" else "WORKGROUP",
        "SubjectLogonId": Hex64(0x3E7),
        "TargetUserSid": Sid(account.sid),
        "TargetUserName": account.name,
        "TargetDomainName": account.domain,
        "TargetLogonId": Hex64(account.logon_id),
        "LogonType": kind,
        "LogonProcessName": "Advapi  " if service else "User32 ",
        "AuthenticationPackageName": "Negotiate",
        "WorkstationName": "-" if service else machine[:-1],
        "LogonGuid": Guid("00000000-0000-0000-0000-000000000000"),
        "TransmittedServices": "-",
        "LmPackageName": "-",
        "KeyLength": 0,
        "ProcessId": Hex64(process.pid if process else 0),
        "ProcessName": process.image if process else "-",
        "IpAddress": "-" if service else "127.0.0.1",
        "IpPort": "-" if service else "0",
        "ImpersonationLevel": "%%1833",
        "RestrictedAdminMode": "-",
        "TargetOutboundUserName": "-",
        "TargetOutboundDomainName": "-",
        "VirtualAccount": "%%1843",
        "TargetLinkedLogonId": Hex64(0),
        "ElevatedToken": "%%1842" if service else "%%1843",
    }, by=host.lsass_pid)
