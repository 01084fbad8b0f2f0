"""Who takes part in a simulated scene: the host, accounts with their logon sessions, programs and processes.

Everything here is invented but shaped as Windows shapes it: pids are multiples of four, a Sysmon GUID carries the
machine and the start time, a logon GUID the machine and the logon id. Hashes are made from the path and belong to no
real file. records.py tells what Windows logs when these act.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from douse.simulate.values import Guid

INTEGRITY_SIDS = {
    "Low": "S-1-16-4096",
    "Medium": "S-1-16-8192",
    "High": "S-1-16-12288",
    "System": "S-1-16-16384",
}
"""Sysmon's word for an integrity level, and the label the Security log has for it."""


@dataclass(frozen=True, slots=True)
class Host:
    """A Windows machine: its full name, address, the number Sysmon gives it, and the pids of its logging services."""

    name: str
    address: str
    machine: int
    volume: int = 3
    sysmon_pid: int = 3308
    lsass_pid: int = 764

    def thread(self, time: datetime) -> int:
        """A plausible thread id for something logged at that time."""
        return 4 * (int(time.timestamp() * 1000) % 2311 + 25)


@dataclass(frozen=True, slots=True)
class Account:
    """A user or service account and its logon session on the host."""

    name: str
    domain: str
    sid: str
    logon_id: int
    logon_guid: Guid
    session: int = 1

    @property
    def full_name(self) -> str:
        """The account as Sysmon writes it: DOMAIN\\name."""
        return f"{self.domain}\\{self.name}"


@dataclass(frozen=True, slots=True)
class Program:
    """An executable file: its path and what its version resource says."""

    image: str
    file_version: str = "-"
    description: str = "-"
    product: str = "-"
    company: str = "-"
    original_name: str = "-"

    @property
    def hashes(self) -> str:
        """A `Hashes` field as a common Sysmon configuration writes it, made from the path."""
        seed = self.image.lower().encode()
        md5, sha256, imphash = (hashlib.blake2b(seed, digest_size=size, person=kind).hexdigest().upper()
                                for size, kind in ((16, b"md5"), (32, b"sha256"), (16, b"imphash")))
        return f"MD5={md5},SHA256={sha256},IMPHASH={imphash}"


@dataclass(frozen=True, slots=True)
class Process:
    """A running program: its ids, command line, account and parent (None where the parent has long ended)."""

    program: Program
    pid: int
    guid: Guid
    command_line: str
    account: Account
    integrity: str
    directory: str
    started: datetime
    parent: Process | None = None

    @property
    def image(self) -> str:
        """The path of the program."""
        return self.program.image


def process_guid(host: Host, started: datetime, count: int) -> Guid:
    """A Sysmon ProcessGuid: the machine, the start in seconds, a running number, and a constant for the boot."""
    seconds = int(started.timestamp())
    number = count.to_bytes(8, "little")
    return Guid(f"{host.machine:08x}-{seconds & 0xFFFF:04x}-{seconds >> 16 & 0xFFFF:04x}-"
                f"{number[:2].hex()}-{number[2:4].hex()}00000900")


def logon_guid(host: Host, logged_on: datetime, logon_id: int) -> Guid:
    """A Sysmon LogonGuid: the machine, the logon in seconds, and the logon id."""
    seconds = int(logged_on.timestamp())
    number = logon_id.to_bytes(8, "little").hex()
    return Guid(f"{host.machine:08x}-{seconds & 0xFFFF:04x}-{seconds >> 16 & 0xFFFF:04x}-{number[:4]}-{number[4:]}")
