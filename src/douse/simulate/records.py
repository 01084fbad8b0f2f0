"""What Windows logs for one thing that happens: one function per thing, each giving one or more Records.

Field names, their order, types, versions and task numbers are those of real logs (Sysmon 15, Windows 10 and 11).
Traps of the real thing are kept: pids are hexadecimal in Security and decimal in Sysmon, AccessList ends in CR LF TABs,
Sysmon's event 10 spells GUID in capitals, and nothing here names a signer, because these events have none.
sysmon.py, security.py and operational.py hold one provider each; this module says which of them notice what.
"""

from __future__ import annotations

from datetime import datetime

from douse.simulate import security, sysmon
from douse.simulate.actors import Host, Process
from douse.simulate.operational import (  # what only one provider logs passes through unchanged
    malware_found,
    malware_handled,
    protection_changed,
    scan_finished,
    scan_started,
    script_block,
)
from douse.simulate.record import Record
from douse.simulate.security import file_read, logon, zip_opened
from douse.simulate.sysmon import (
    dns,
    file_create,
    process_access,
    process_tampering,
    registry_delete,
    registry_set,
    remote_thread,
)

__all__ = [
    "dns",
    "file_create",
    "file_read",
    "logon",
    "malware_found",
    "malware_handled",
    "network",
    "process_access",
    "process_end",
    "process_start",
    "process_tampering",
    "protection_changed",
    "registry_delete",
    "registry_set",
    "remote_thread",
    "scan_finished",
    "scan_started",
    "script_block",
    "zip_opened",
]

Records = tuple[Record, ...]


def process_start(host: Host, time: datetime, process: Process) -> Records:
    """A process starts: Security 4688 with command line, then Sysmon 1."""
    return security.process_start(host, time, process) + sysmon.process_start(host, time, process)


def process_end(host: Host, time: datetime, process: Process) -> Records:
    """A process ends: Security 4689, then Sysmon 5."""
    return security.process_end(host, time, process) + sysmon.process_end(host, time, process)


def network(host: Host, time: datetime, process: Process, address: str, port: int, *, hostname: str = "-",
            protocol: str = "tcp", source_port: int = 0, filtering: bool = False) -> Records:
    """A process connects: Sysmon 3; with `filtering` also Security 5156, which few hosts audit."""
    source_port = source_port or 49152 + (process.pid * 7 + int(time.timestamp() * 1000)) % 16000
    connected = sysmon.network(host, time, process, address, port, hostname, protocol, source_port)
    if filtering:
        return security.network(host, time, process, address, port, protocol, source_port) + connected
    return connected
