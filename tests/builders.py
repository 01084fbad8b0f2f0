"""Plausible Windows records for tests, one per call: a process starts, connects, drops a file, reads a store.

`process` describes a program that ran; the other functions write what a log says of it, in Sysmon's shape or, where
Security has such a record too, in Security's (`shape="security"`). `alert` is what a rule makes of a record. Defaults
are plausible and harmless. Times are seconds after START, so that a test reads like a story.
"""

from __future__ import annotations

import itertools
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from douse.incident.facts import Facts
from douse.model import Alert, ChannelCount, Coverage, Event, Match, Source, Value

HOST = "WS-01.corp.example"
START = datetime(2026, 11, 18, 9, 0, 0, tzinfo=UTC)
SYSMON = "Microsoft-Windows-Sysmon/Operational"
SECURITY = "Security"
SOURCE = Source("case.evtx", format="evtx")

_records = itertools.count(1000)


@dataclass(frozen=True)
class User:
    """An account, with the name and SID that logs give it."""

    name: str
    sid: str
    logon: int


ANNA = User("CORP\\anna", "S-1-5-21-1004336348-1177238915-682003330-1104", 0x4A1B2)
BEN = User("CORP\\ben", "S-1-5-21-1004336348-1177238915-682003330-1105", 0x5C3D4)
SYSTEM = User("NT AUTHORITY\\SYSTEM", "S-1-5-18", 0x3E7)


@dataclass(frozen=True)
class Process:
    """A program that ran; `seconds` is when it started."""

    image: str
    pid: int
    seconds: float = 0.0
    parent: Process | None = None
    command_line: str = ""
    user: User = ANNA

    @property
    def guid(self) -> str:
        """Sysmon's name of the process, in Sysmon's spelling."""
        return f"{{{str(uuid.uuid5(uuid.NAMESPACE_OID, f'{self.image} {self.pid} {self.seconds}')).upper()}}}"


def process(
    image: str,
    pid: int,
    seconds: float = 0.0,
    parent: Process | None = None,
    command_line: str = "",
    user: User | None = None,
) -> Process:
    """A program; a child runs as its parent's user unless said otherwise."""
    return Process(image, pid, seconds, parent, command_line or f'"{image}"', user or (parent.user if parent else ANNA))


def explorer(pid: int = 4120, user: User = ANNA) -> Process:
    """The shell of somebody's session, started long before the story."""
    return process("C:\\Windows\\explorer.exe", pid, -7200, user=user)


def at(seconds: float) -> datetime:
    """A moment of the story."""
    return START + timedelta(seconds=seconds)


def event(
    channel: str,
    event_id: int,
    seconds: float,
    fields: dict[str, Value],
    host: str = HOST,
    record_id: int | None = None,
) -> Event:
    """A record as a reader yields it."""
    provider = "Microsoft-Windows-Sysmon" if channel == SYSMON else "Microsoft-Windows-Security-Auditing"
    number = next(_records) if record_id is None else record_id
    return Event(
        channel=channel,
        event_id=event_id,
        time=at(seconds),
        host=host,
        provider=provider,
        record_id=number,
        source=SOURCE,
        decode=lambda: fields,
    )


def process_start(ran: Process, shape: str = "sysmon", delay: float = 0.0) -> Event:
    """Sysmon 1 or Security 4688 of a program."""
    up = ran.parent
    if shape == "security":
        domain, _, name = ran.user.name.partition("\\")
        return event(
            SECURITY,
            4688,
            ran.seconds + delay,
            {
                "SubjectUserSid": ran.user.sid,
                "SubjectUserName": name,
                "SubjectDomainName": domain,
                "SubjectLogonId": hex(ran.user.logon),
                "NewProcessId": hex(ran.pid),
                "NewProcessName": ran.image,
                "TokenElevationType": "%%1938",
                "ProcessId": hex(up.pid) if up else "0x4",
                "CommandLine": ran.command_line,
                "TargetUserSid": "S-1-0-0",
                "TargetUserName": "-",
                "TargetDomainName": "-",
                "TargetLogonId": "0x0",
                "ParentProcessName": up.image if up else "-",
                "MandatoryLabel": "S-1-16-8192",
            },
        )
    return event(
        SYSMON,
        1,
        ran.seconds + delay,
        {
            "ProcessGuid": ran.guid,
            "ProcessId": str(ran.pid),
            "Image": ran.image,
            "CommandLine": ran.command_line,
            "User": ran.user.name,
            "LogonId": hex(ran.user.logon),
            "ParentProcessGuid": up.guid if up else "{00000000-0000-0000-0000-000000000000}",
            "ParentProcessId": str(up.pid) if up else "0",
            "ParentImage": up.image if up else "-",
            "ParentCommandLine": up.command_line if up else "-",
        },
    )


def process_end(ran: Process, seconds: float, shape: str = "sysmon") -> Event:
    """Sysmon 5 or Security 4689 of a program."""
    if shape == "security":
        return event(
            SECURITY,
            4689,
            seconds,
            {"SubjectUserSid": ran.user.sid, "ProcessId": hex(ran.pid), "ProcessName": ran.image, "Status": "0x0"},
        )
    return event(SYSMON, 5, seconds, _sysmon(ran))


def connection(
    ran: Process,
    seconds: float,
    address: str,
    port: int = 443,
    hostname: str = "",
    shape: str = "sysmon",
    outbound: bool = True,
) -> Event:
    """Sysmon 3 or Security 5156: a program connected."""
    if shape == "security":
        device = "\\device\\harddiskvolume3" + ran.image[2:].lower()
        return event(
            SECURITY,
            5156,
            seconds,
            {
                "ProcessID": str(ran.pid),
                "Application": device,
                "Direction": "%%14593" if outbound else "%%14592",
                "SourceAddress": "10.0.0.15",
                "SourcePort": "50122",
                "DestAddress": address,
                "DestPort": str(port),
                "Protocol": "6",
            },
        )
    return event(
        SYSMON,
        3,
        seconds,
        {
            **_sysmon(ran),
            "Protocol": "tcp",
            "Initiated": "true" if outbound else "false",
            "SourceIp": "10.0.0.15",
            "DestinationIp": address,
            "DestinationHostname": hostname or "-",
            "DestinationPort": str(port),
        },
    )


def dns_query(ran: Process, seconds: float, name: str, results: str = "-") -> Event:
    """Sysmon 22: a program asked for a name."""
    return event(SYSMON, 22, seconds, {**_sysmon(ran), "QueryName": name, "QueryStatus": "0", "QueryResults": results})


def store_read(ran: Process, seconds: float, path: str) -> Event:
    """Security 4663: a program read a file whose SACL is set."""
    domain, _, name = ran.user.name.partition("\\")
    return event(
        SECURITY,
        4663,
        seconds,
        {
            "SubjectUserSid": ran.user.sid,
            "SubjectUserName": name,
            "SubjectDomainName": domain,
            "SubjectLogonId": hex(ran.user.logon),
            "ObjectServer": "Security",
            "ObjectType": "File",
            "ObjectName": path,
            "HandleId": "0x1a4",
            "AccessList": "%%4416\r\n\t\t\t\t",
            "AccessMask": "0x1",
            "ProcessId": hex(ran.pid),
            "ProcessName": ran.image,
        },
    )


def file_drop(ran: Process, seconds: float, path: str) -> Event:
    """Sysmon 11: a program created a file."""
    return event(SYSMON, 11, seconds, {**_sysmon(ran), "TargetFilename": path})


def registry_set(ran: Process, seconds: float, key: str, details: str, shape: str = "sysmon") -> Event:
    """Sysmon 13 or Security 4657: a program wrote a registry value."""
    if shape == "security":
        return event(
            SECURITY,
            4657,
            seconds,
            {
                "SubjectUserSid": ran.user.sid,
                "SubjectUserName": ran.user.name.rpartition("\\")[2],
                "SubjectDomainName": ran.user.name.partition("\\")[0],
                "SubjectLogonId": hex(ran.user.logon),
                "ObjectName": "\\REGISTRY\\USER\\" + key.rpartition("\\")[0],
                "ObjectValueName": key.rpartition("\\")[2],
                "NewValueType": "%%1873",
                "NewValue": details,
                "ProcessId": hex(ran.pid),
                "ProcessName": ran.image,
            },
        )
    return event(
        SYSMON,
        13,
        seconds,
        {**_sysmon(ran), "EventType": "SetValue", "TargetObject": f"HKU\\{key}", "Details": details},
    )


def run_dialog(shell: Process, seconds: float, command: str, shape: str = "sysmon") -> Event:
    """What the Run dialog leaves in the registry when somebody presses Enter."""
    key = f"{shell.user.sid}\\Software\\Microsoft\\Windows\\CurrentVersion\\Explorer\\RunMRU\\a"
    return registry_set(shell, seconds, key, f"{command}\\1", shape)


def injection(source: Process, target: Process, seconds: float, event_id: int = 8) -> Event:
    """Sysmon 8 (a remote thread) or 10 (an access with full rights)."""
    fields: dict[str, Value] = {
        "SourceProcessGuid" if event_id == 8 else "SourceProcessGUID": source.guid,
        "SourceProcessId": str(source.pid),
        "SourceImage": source.image,
        "SourceUser": source.user.name,
        "TargetProcessGuid" if event_id == 8 else "TargetProcessGUID": target.guid,
        "TargetProcessId": str(target.pid),
        "TargetImage": target.image,
        "TargetUser": target.user.name,
    }
    if event_id == 10:
        fields["GrantedAccess"] = "0x1fffff"
    return event(SYSMON, event_id, seconds, fields)


def image_replaced(ran: Process, seconds: float) -> Event:
    """Sysmon 25: the image of a running program was replaced."""
    return event(SYSMON, 25, seconds, {**_sysmon(ran), "Type": "Image is replaced"})


def alert(
    on: Event,
    letter: str,
    title: str = "",
    level: str = "medium",
    *,
    role: str = "",
    store: str = "",
    fidelity: float = 1.0,
    stage: int = 0,
    techniques: tuple[str, ...] = (),
) -> Alert:
    """What a rule makes of a record. The id depends on record and rule, as the engine's does."""
    rule = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{title} {letter} {role}"))
    number = uuid.uuid5(uuid.NAMESPACE_OID, f"{on.host} {on.channel} {on.record_id} {rule}")
    fields = {name: str(value) for name, value in on.fields.items()}
    return Alert(
        alert_id=str(number),
        rule_id=rule,
        title=title or f"Rule of class {letter}",
        level=level,
        time=on.time,
        host=on.host,
        channel=on.channel,
        provider=on.provider,
        event_id=on.event_id,
        record_id=on.record_id,
        source=on.source,
        techniques=techniques,
        evidence_class=letter,
        store=store,
        fidelity=fidelity,
        stage=stage,
        role=role,
        matched=(Match("selection", "Image", "x", "x"),),
        fields=fields,
    )


def facts_of(events: Iterable[Event]) -> Facts:
    """Facts that have observed these records."""
    facts = Facts()
    for one in events:
        facts.observe(one)
    return facts


def coverage_of(events: Iterable[Event], host: str = HOST) -> Coverage:
    """The coverage that these records give."""
    counts: dict[tuple[str, int], list[datetime]] = {}
    for one in events:
        counts.setdefault((one.channel, one.event_id), []).append(one.time)
    return Coverage(
        host,
        tuple(
            ChannelCount(channel, number, len(times), min(times), max(times))
            for (channel, number), times in sorted(counts.items())
        ),
    )


def _sysmon(ran: Process) -> dict[str, Value]:
    return {"ProcessGuid": ran.guid, "ProcessId": str(ran.pid), "Image": ran.image, "User": ran.user.name}
