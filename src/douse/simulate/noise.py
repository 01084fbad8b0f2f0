"""Everyday records to dilute a scenario: services, scheduled work, a browser, caches, logons.

They come in order of time, one after the other and without end, so that any number can be mixed in while little is in
memory. All of it is what an idle Windows 11 host does; nothing here may cause an alert above low (tests/simulate).
The host logs in its noise what it logs in the scenario: without 4663 there, none here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random

from douse.content.scenarios import ProcessSpec, Scenario, load_programs
from douse.simulate import records
from douse.simulate.actors import Account, Process, logon_guid
from douse.simulate.play import Scene
from douse.simulate.record import Record

SHORTEST_GAP = timedelta(milliseconds=20)
"""Between two happenings; a record is written at most a few milliseconds after its happening, so order is kept."""

_MARGIN = timedelta(minutes=20)
_MOST_RUNNING = 40
_SYSTEM32 = "C:\\Windows\\System32\\"
_SERVICES = ("netsvcs -p -s Schedule", "netsvcs -p -s BITS", "netsvcs -p -s wuauserv", "LocalService -p -s nsi",
             "LocalServiceNetworkRestricted -p -s Dhcp", "NetworkService -p -s Dnscache", "wsappx -p -s AppXSvc",
             "UnistackSvcGroup -s WpnUserService", "DcomLaunch -p -s LSM", "LocalService -p -s EventSystem")
_SITES = ("www.example.com", "cdn.example.net", "mail.example.org", "news.example.com", "intranet.corp.example",
          "static.example.net", "login.example.org", "maps.example.com", "docs.example.net", "img.example.org")
_CACHED = ("Cache\\Cache_Data\\f_{0:06x}", "Code Cache\\js\\{0:016x}_0", "Network\\TransportSecurity~RF{0:x}.TMP",
           "Session Storage\\{0:06d}.log")


class _Background:
    """The processes behind the noise, and one happening at a time."""

    def __init__(self, scenario: Scenario, scene: Scene, random: Random) -> None:
        self.scene, self.random, self.host = scene, random, scene.host
        self.programs = load_programs()
        since = scene.began - _MARGIN - timedelta(hours=1)
        system = Account("SYSTEM", "NT AUTHORITY", "S-1-5-18", 0x3E7, logon_guid(self.host, since, 0x3E7), 0)
        user = next((account for account in scene.accounts.values() if account.sid.startswith("S-1-5-21-")), system)
        scene.accounts.setdefault("noise-system", system)
        scene.accounts.setdefault("noise-user", user)
        self.system, self.user = system, user
        self.services = self._new("services", "noise-system", _SYSTEM32 + "services.exe", since)
        self.browser = self._new("chrome", "noise-user", f'"{self.programs["chrome"].image}"', since)
        self.host_process = self._new("svchost", "noise-system", self._service(), since)
        self.running: list[Process] = []
        self.profile = f"C:\\Users\\{user.name}\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\"

    def _new(self, program: str, account: str, command: str, time: datetime) -> Process:
        integrity = "System" if account == "noise-system" else "Medium"
        return self.scene.new_process(
            ProcessSpec(self.programs[program], account, "", command, integrity, "C:\\Windows\\system32\\"), time)

    def _service(self) -> str:
        return f"{_SYSTEM32}svchost.exe -k {self.random.choice(_SERVICES)}"

    def next(self, time: datetime) -> tuple[Record, ...]:
        """One happening at that time."""
        if len(self.running) >= _MOST_RUNNING:
            return self.process_ends(time)
        happening = self.random.choices(_HAPPENINGS, _WEIGHTS)[0]
        return happening(self, time)

    def process_starts(self, time: datetime) -> tuple[Record, ...]:
        """A service, a scheduled task or a COM server starts."""
        name = self.random.choice(("svchost", "svchost", "taskhostw", "backgroundtaskhost", "dllhost", "runtimebroker"))
        command = {
            "svchost": self._service(),
            "taskhostw": "taskhostw.exe KEYROAMING",
            "dllhost": f"{_SYSTEM32}DllHost.exe /Processid:{{{self.random.getrandbits(128):032X}}}",
            "runtimebroker": f"{_SYSTEM32}RuntimeBroker.exe -Embedding",
            "backgroundtaskhost": f'"{_SYSTEM32}backgroundTaskHost.exe" -ServerName:App.AppXmtcan0h2tfbfy7k9k.mca',
        }[name]
        account = "noise-system" if name in ("svchost", "dllhost") else "noise-user"
        parent = self.services if name == "svchost" else self.host_process
        started = replace(self._new(name, account, command, time), parent=parent)
        self.running.append(started)
        return records.process_start(self.host, time, started)

    def process_ends(self, time: datetime) -> tuple[Record, ...]:
        """One of them ends; if none runs, one starts."""
        if not self.running:
            return self.process_starts(time)
        return records.process_end(self.host, time, self.running.pop(self.random.randrange(len(self.running))))

    def name_resolved(self, time: datetime) -> tuple[Record, ...]:
        """The browser looks up a site."""
        return records.dns(self.host, time, self.browser, self.random.choice(_SITES), (self._address(),))

    def connected(self, time: datetime) -> tuple[Record, ...]:
        """The browser connects to a site."""
        return records.network(self.host, time, self.browser, self._address(), 443)

    def cached(self, time: datetime) -> tuple[Record, ...]:
        """The browser writes into its cache."""
        path = self.profile + self.random.choice(_CACHED).format(self.random.randrange(1 << 20))
        return records.file_create(self.host, time, self.browser, path)

    def setting_written(self, time: datetime) -> tuple[Record, ...]:
        """Windows notes when a program ran last."""
        key = f"HKLM\\System\\CurrentControlSet\\Services\\bam\\State\\UserSettings\\{self.user.sid}\\SequenceNumber"
        return records.registry_set(self.host, time, self.host_process, key,
                                    f"DWORD (0x{self.random.randrange(1 << 16):08x})")

    def service_logged_on(self, time: datetime) -> tuple[Record, ...]:
        """A service starts its session."""
        return records.logon(self.host, time, self.system, 5, self.services)

    def own_store_read(self, time: datetime) -> tuple[Record, ...]:
        """The browser reads its own store."""
        return records.file_read(self.host, time, self.browser,
                                 self.profile + self.random.choice(("Network\\Cookies", "Web Data", "Login Data")))

    def _address(self) -> str:
        return f"192.0.2.{self.random.randrange(1, 255)}"


_Happening = Callable[[_Background, datetime], tuple[Record, ...]]
_HAPPENINGS: tuple[_Happening, ...] = (
    _Background.process_starts, _Background.process_ends, _Background.name_resolved, _Background.connected,
    _Background.cached, _Background.setting_written, _Background.service_logged_on, _Background.own_store_read,
)
_WEIGHTS = (12, 11, 18, 22, 18, 10, 6, 3)


def noise(scenario: Scenario, scene: Scene, count: int, seed: int) -> Iterator[Record]:
    """Exactly `count` everyday records, spread over the scenario's time and some before and after it."""
    random = Random(seed + 0x6E6F697365)  # noqa: S311  its own sequence, so that noise changes nothing in the scenario
    background = _Background(scenario, scene, random)
    span = max((step.at for step in scenario.steps), default=timedelta()) + 2 * _MARGIN
    gap = max(span / max(count, 1) * 1.4, 2 * SHORTEST_GAP)  # a happening makes about 1.4 records
    time = scene.began - _MARGIN
    left = count
    while left > 0:
        time += max(SHORTEST_GAP, gap * random.uniform(0.2, 1.8))
        made = [record for record in background.next(time) if record.event_id not in scenario.without]
        yield from made[:left]
        left -= len(made)
