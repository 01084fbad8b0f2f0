"""What it costs to make incidents of the alerts of ONE host: `correlate` alone, on made-up alerts, in CPU seconds, and
the most memory of a process that does nothing else, its alerts and facts included.

    .venv/bin/python bench/correlate.py [--alerts 100000] [--shape NAME]... [--profile]

Each shape is a way in which a host can log too much of one thing, as broken software or an attacker makes it: one
process that reads stores all day, a deep or a broad tree, alerts that belong to no process, a new intrusion every
minute. Twice the alerts should cost about twice the time; `grows by` says what they cost. The garbage collector
is set as in a hunt.
"""

from __future__ import annotations

import argparse
import cProfile
import itertools
import pstats
import resource
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context

from douse.hunt.garbage import seldom_collecting
from douse.incident.correlate import correlate
from douse.incident.facts import Connection, HostFacts, ProcessStart
from douse.model import Alert, ChannelCount, Coverage, Source

HOST = "ws-01.corp.example"
START = datetime(2026, 11, 18, tzinfo=UTC)
SYSMON, SECURITY = "Microsoft-Windows-Sysmon/Operational", "Security"
SOURCE = Source("made-up.evtx", format="evtx")
STORES = {"chromium": "C:\\Users\\u{}\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\Login Data",
          "gecko": "C:\\Users\\u{}\\AppData\\Roaming\\Mozilla\\Firefox\\Profiles\\x.default\\logins.json",
          "wallet": "C:\\Users\\u{}\\AppData\\Roaming\\Exodus\\exodus.wallet\\seed.seco"}
_number = itertools.count(1)


class Host:
    """Alerts and process facts of one host as they are made up; seconds are after START."""

    def __init__(self) -> None:
        self.alerts: list[Alert] = []
        self.starts: list[ProcessStart] = []
        self.connections: list[Connection] = []

    def process(self, pid: int, seconds: float, image: str, parent: int, parent_image: str, user: int = 0) -> None:
        """A process start, known to the facts; `run` raises an alert on it."""
        self.starts.append(ProcessStart(
            START + timedelta(seconds=seconds), pid, "", image, f'"{image}" {pid}', f"S-1-5-21-1-2-3-{1000 + user}",
            f"CORP\\u{user}", str(5000 + user), parent, "", parent_image, SECURITY, next(_number)))

    def connect(self, pid: int, seconds: float, image: str) -> None:
        """A connection to one of a few thousand public addresses."""
        n = next(_number)
        self.connections.append(Connection(START + timedelta(seconds=seconds), pid, "", image,
                                           f"203.0.{n // 250 % 250}.{n % 250}", "", 443, SYSMON, n))

    def alert(self, letter: str, event_id: int, seconds: float, fields: dict[str, str], *, role: str = "",
              store: str = "", fidelity: float = 1.0, level: str = "medium") -> None:
        """An alert on a record of Security or Sysmon."""
        n = next(_number)
        channel = SECURITY if event_id > 1000 else SYSMON
        rule = str(uuid.uuid5(uuid.NAMESPACE_OID, f"{letter} {event_id} {role} {store}"))
        self.alerts.append(Alert(str(uuid.UUID(int=n)), rule, f"Rule {letter} {event_id}", level,
                                 START + timedelta(seconds=seconds), HOST, channel, channel, event_id, n, SOURCE,
                                 ("T1555.003",), letter, store, fidelity, 0, role, (), fields))

    def run(self, pid: int, seconds: float, image: str, parent: int, parent_image: str, user: int = 0, **more: str,
            ) -> None:
        """A process start with an alert of class X on it."""
        self.process(pid, seconds, image, parent, parent_image, user)
        self.alert("X", 4688, seconds, {
            "NewProcessId": hex(pid), "NewProcessName": image, "ProcessId": hex(parent), "CommandLine": f'"{image}"',
            "ParentProcessName": parent_image, **_subject(user)}, **more)  # type: ignore[arg-type] # role and level

    def read(self, pid: int, seconds: float, image: str, store: str, user: int = 0) -> None:
        """An alert on an access to a credential store."""
        self.alert("C", 4663, seconds, {"ProcessId": hex(pid), "ProcessName": image,
                                        "ObjectName": STORES[store].format(user), **_subject(user)}, store=store)

    def facts(self) -> HostFacts:
        """What the hunt would have kept of it."""
        return HostFacts(HOST, tuple(sorted(self.starts)[-100_000:]), (),
                         tuple(sorted(self.connections)[-100_000:]), (), False, True)


def _subject(user: int) -> dict[str, str]:
    return {"SubjectUserSid": f"S-1-5-21-1-2-3-{1000 + user}", "SubjectUserName": f"u{user}",
            "SubjectDomainName": "CORP", "SubjectLogonId": hex(5000 + user)}


EXPLORER, SCRIPT = "C:\\Windows\\explorer.exe", "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
MSHTA, THIEF = "C:\\Windows\\System32\\mshta.exe", "C:\\Users\\u0\\AppData\\Local\\Temp\\x.exe"
REGASM = "C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\RegAsm.exe"


def one_reader(count: int) -> Host:
    """One process reads three kinds of store and connects, all day."""
    host = Host()
    host.run(500, 0, THIEF, 4, EXPLORER)
    for n in range(count - 1):
        host.read(500, 1 + n * 0.5, THIEF, tuple(STORES)[n % 3])
        host.connect(500, 1.2 + n * 0.5, THIEF)
    return host


def broad_tree(count: int) -> Host:
    """One script starts tens of thousands of programs, each of which reads and connects."""
    host = Host()
    host.run(500, 0, SCRIPT, 4, EXPLORER)
    for n in range((count - 1) // 2):
        host.run(1000 + 4 * n, 1 + n, THIEF, 500, SCRIPT)
        host.read(1000 + 4 * n, 1.5 + n, THIEF, tuple(STORES)[n % 3])
        host.connect(1000 + 4 * n, 1.7 + n, THIEF)
    return host


def deep_tree(count: int) -> Host:
    """A program that starts itself again and again."""
    host = Host()
    for n in range(count // 2):
        host.run(500 + 4 * n, n, THIEF, 496 + 4 * n, THIEF if n else EXPLORER)
        host.read(500 + 4 * n, n + 0.5, THIEF, tuple(STORES)[n % 3])
        host.connect(500 + 4 * n, n + 0.6, THIEF)
    return host


def loose(count: int) -> Host:
    """Alerts of many users that belong to no process."""
    host = Host()
    for n in range(count):
        host.alert("P", 4698, n, {**_subject(n % 50), "TaskName": f"\\{n}", "TaskContent": f"<Command>{n}</Command>"})
    return host


def pasted(count: int) -> Host:
    """Typed commands, each with a child that connects: what explorer starts stays apart."""
    host = Host()
    for n in range(count // 2):
        pid, user, at = 1000 + 4 * n, n % 50, n * 1.0
        host.alert("X", 4657, at, {
            "ProcessId": hex(4 + user * 4), "ProcessName": EXPLORER, "NewValue": "mshta https://x.example/a\\1",
            "ObjectName": f"\\REGISTRY\\USER\\S-1-5-21-1-2-3-{1000 + user}\\Software\\Explorer\\RunMRU",
            **_subject(user)}, role="run-dialog")
        host.run(pid, at + 0.2, MSHTA, 4 + user * 4, EXPLORER, user, role="paste-child")
        host.connect(pid, at + 0.4, MSHTA)
    return host


def injected(count: int) -> Host:
    """One script injects into one process, over and over; that connects and reads."""
    host = Host()
    host.run(500, 0, SCRIPT, 4, EXPLORER)
    for n in range((count - 1) // 2):
        at = 1 + n * 0.5
        host.alert("I", 8, at, {"SourceProcessId": "500", "SourceImage": SCRIPT, "SourceUser": "CORP\\u0",
                                "TargetProcessId": "600", "TargetImage": REGASM, "TargetUser": "CORP\\u0"})
        host.alert("R", 22, at + 0.1, {"ProcessId": "600", "Image": REGASM, "QueryName": "t.me", "QueryResults": "-",
                                       "User": "CORP\\u0"}, role="dead-drop")
        host.connect(600, at + 0.2, REGASM)
    return host


def verdicts(count: int) -> Host:
    """The antivirus finds a stealer in one file after another and removes every second one."""
    host = Host()
    for n in range(count):
        path = f"C:\\Users\\u0\\Downloads\\{n // 2}.exe"
        host.process(1000 + 4 * n, n, path, 4, EXPLORER)
        host.alert("V", 1116 + n % 2, n, {"ThreatName": "Trojan:Win32/LummaStealer.A", "Path": f"file:_{path}",
                                          "DetectionID": f"{{{n // 2}}}"},
                   role=("vendor-family", "vendor-removed")[n % 2], level="high")
    return host


def intrusions(count: int) -> Host:
    """A new intrusion of another user every minute: many incidents instead of a big one."""
    host = Host()
    for n in range(count // 4):
        pid, user, at = 1000 + 8 * n, n % 50, n * 60.0
        host.run(pid, at, MSHTA, 4 + user * 4, EXPLORER, user)
        host.run(pid + 4, at + 1, THIEF, pid, MSHTA, user)
        host.read(pid + 4, at + 2, THIEF, "chromium", user)
        host.read(pid + 4, at + 3, THIEF, "gecko", user)
        host.connect(pid + 4, at + 4, THIEF)
    return host


SHAPES: dict[str, Callable[[int], Host]] = {
    make.__name__.replace("_", "-"): make
    for make in (one_reader, broad_tree, deep_tree, loose, pasted, injected, verdicts, intrusions)}


def measured(host: Host) -> tuple[float, int]:
    """CPU seconds of one correlation, and how many incidents it made."""
    counts = tuple(_counts(host.alerts))
    facts, coverage = host.facts(), Coverage(HOST, counts)
    with seldom_collecting():
        before = time.process_time()
        incidents = correlate(host.alerts, facts, coverage)
        return time.process_time() - before, len(incidents)


def _counts(alerts: list[Alert]) -> Iterator[ChannelCount]:
    kinds: dict[tuple[str, int], list[datetime]] = {}
    for alert in alerts:
        kinds.setdefault((alert.channel, alert.event_id), []).append(alert.time)
    for (channel, event_id), times in kinds.items():
        yield ChannelCount(channel, event_id, len(times), min(times), max(times))


def row(name: str, alerts: int, profile: bool) -> str:
    """Measure one shape at half and at full size. In a process of its own, because memory is known of a process."""
    half, _ = measured(SHAPES[name](alerts // 2))
    host = SHAPES[name](alerts)
    profiler = cProfile.Profile(time.process_time)
    if profile:
        profiler.enable()
    whole, incidents = measured(host)
    profiler.disable()
    if profile:
        pstats.Stats(profiler).sort_stats("tottime").print_stats(18)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    return (f"{name:<12} {len(host.alerts):>8,} {incidents:>9,} {whole:>7.2f} {whole / max(half, 0.01):>8.1f} "
            f"{most:>7,}")


def main() -> None:
    """Measure the shapes asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alerts", type=int, default=100_000)
    parser.add_argument("--shape", choices=SHAPES, action="append")
    parser.add_argument("--profile", action="store_true", help="show where the time of the full size goes")
    options = parser.parse_args()
    print(f"{'shape':<12} {'alerts':>8} {'incidents':>9} {'CPU s':>7} grows by {'peak MB':>7}", flush=True)
    for name in options.shape or SHAPES:
        with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as child:
            print(child.submit(row, name, options.alerts, options.profile).result(), flush=True)


if __name__ == "__main__":
    main()
