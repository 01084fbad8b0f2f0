"""Logs of a small fleet for pre-flights: events of builders.py as JSON Lines, weeks of ordinary days, an inventory.

Days are counted from builders.START; `days_of` writes what an idle computer logs on each.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from builders import ANNA, BEN, SYSTEM, Process, User, connection, explorer, process, process_start
from douse.harden.preflight.result import PreflightOptions, PreflightResult
from douse.harden.preflight.run import preflight
from douse.model import Event

DAY = 86_400
HOSTS = ("WS-01.corp.example", "WS-02.corp.example", "WS-03.corp.example")
MSHTA = "C:\\Windows\\System32\\mshta.exe"
CCM = process("C:\\Windows\\CCM\\CcmExec.exe", 900, user=SYSTEM)


def on(host: str, events: Iterable[Event]) -> list[Event]:
    """The events as another host's."""
    found = list(events)
    for event in found:
        event.host = host
    return found


def lines(events: Iterable[Event]) -> list[str]:
    """Each event as a line that `evtx_dump` would write."""
    return [json.dumps({"Event": {
        "System": {"Provider": {"#attributes": {"Name": event.provider}}, "EventID": event.event_id,
                   "TimeCreated": {"#attributes": {"SystemTime": event.time.isoformat()}},
                   "EventRecordID": event.record_id, "Channel": event.channel, "Computer": event.host},
        "EventData": dict(event.fields)}}) for event in events]


def write(file: Path, events: Iterable[Event]) -> Path:
    """A log of these events."""
    file.write_text("\n".join(lines(events)) + "\n", encoding="utf-8")
    return file


def day_of(host: str, day: int, shape: str = "sysmon",
           kinds: Sequence[str] = ("process", "network")) -> Iterator[Event]:
    """What an idle computer logs on a day: a service starts, and connects."""
    service = process("C:\\Windows\\System32\\svchost.exe", 1200, day * DAY, user=SYSTEM)
    if "process" in kinds:
        yield from on(host, [process_start(service, shape)])
    if "network" in kinds:
        yield from on(host, [connection(service, day * DAY + 5, "198.51.100.9", shape=shape)])


def days_of(host: str, days: Iterable[int] = range(30), shape: str = "sysmon",
            kinds: Sequence[str] = ("process", "network")) -> list[Event]:
    """The same on many days."""
    return [event for day in days for event in day_of(host, day, shape, kinds)]


def hta(seconds: float, command: str, parent: Process | None = None, user: User = ANNA, pid: int = 5050) -> Process:
    """A run of mshta."""
    return process(MSHTA, pid, seconds, parent or explorer(user=user), command, user)


def form(host: str, days: Iterable[int], user: User = BEN, shape: str = "sysmon") -> list[Event]:
    """A business application: an HTA that talks to a server inside."""
    found: list[Event] = []
    for day in days:
        ran = hta(day * DAY + 3600, f'"{MSHTA}" "C:\\Program Files\\Payroll\\form.hta"', user=user)
        found += on(host, [process_start(ran, shape), connection(ran, day * DAY + 3602, "10.20.0.80", shape=shape)])
    return found


def inventory(folder: Path, hosts: Iterable[str] = HOSTS, role: str = "") -> Path:
    """An inventory of these hosts."""
    file = folder / "hosts.csv"
    rows = [f"{host},,{role},Team {number},\n" for number, host in enumerate(hosts)]
    file.write_text("host,ip,role,owner,criticality\n" + "".join(rows), encoding="utf-8")
    return file


def run(folder: Path, events: Iterable[Event], **options: object) -> PreflightResult:
    """A pre-flight of mshta over these events; options as PreflightOptions has them."""
    log = write(folder / "log.jsonl", events)
    values: dict[str, object] = {"program": "mshta", "logs": (str(log),), "inventory": folder / "hosts.csv"}
    if not (folder / "hosts.csv").exists():
        inventory(folder)
    return preflight(PreflightOptions(**{**values, **options}))  # type: ignore[arg-type]  # whatever a test asks
