"""What a pre-flight says: coverage of every host first, the uses of the program, decisions, and a verdict.

Silence never passes: without logs that could have shown a use, the verdict is INSUFFICIENT.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from douse.hunt.result import Problem

VERDICTS = ("GO", "GO WITH EXCEPTIONS", "NO-GO", "INSUFFICIENT")
PASSING = VERDICTS[:2]
"""Those that let a block be enforced."""
CLASSES = ("suspect", "unknown", "business candidate")
"""What a use case looks like: an incident, never an exception; nobody can tell; something that somebody relies on."""

DAYS = 30
"""How many days of records are asked for where nobody says otherwise: a month, so that its end is among them."""
DECISIONS = ("migrate", "except", "block")
BASES = ("connected", "started", "possible")
"""What a use rests on: a connection of the program was recorded; it was started; only a proxy's user agent fits."""


@dataclass(frozen=True, slots=True)
class PreflightOptions:
    """What a user can ask. `program` is a file name (mshta.exe). `days` is how long each host must have been watched,
    ending at `until` (UTC, exclusive) or with the last record, whichever is earlier; uses count whenever they were.
    `need` is the share of hosts, in percent, that must be covered. `ioc` are lists of indicators, `internal` networks
    (CIDR) that are the organisation's own. `today` is the day by which a decision has expired, None for that of the
    run."""

    program: str
    logs: tuple[str, ...]
    inventory: Path
    days: int = DAYS
    need: int = 100
    decisions: Path | None = None
    until: datetime | None = None
    today: date | None = None
    command_line: str = ""
    ioc: tuple[Path, ...] = ()
    internal: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class HostCoverage:
    """How well one host of the inventory was watched. `network_days` and `process_days` are days with a record that
    shows that such events are recorded; `network` and `process` name the logs. `covered` is the verdict, `why` says
    what is missing. `off` are days of a covered host without any record, which are taken for switched off."""

    host: str
    owner: str
    network: tuple[str, ...]
    process: tuple[str, ...]
    network_days: int
    process_days: int
    first_seen: datetime | None
    last_seen: datetime | None
    covered: bool
    why: str
    off: int = 0


@dataclass(frozen=True, slots=True)
class UseCase:
    """Uses of the program that are one thing: same destination, port, parent and command line (with names and ids that
    differ taken out). `id` is stable over runs. `evidence` are records, some of them (source, channel, event id, record
    id, time as text)."""

    id: str
    classed: str
    why: str
    basis: str
    destination: str
    port: int
    protocol: str
    parent: str
    command: str
    hosts: tuple[str, ...]
    users: tuple[str, ...]
    first_seen: datetime
    last_seen: datetime
    days: int
    times: int
    evidence: tuple[str, ...]
    decision: Decision | None = None
    open: str = ""
    """Why it still blocks the verdict; empty where it does not."""
    unseen: bool = False
    """It only started, somewhere where no record of a connection would exist: more logs could settle it."""

    @property
    def only_starts(self) -> bool:
        """Whether nobody decided about it because it made no connection: a block of the program itself meets it."""
        return not (self.open or (self.decision and self.decision.decision))


@dataclass(frozen=True, slots=True)
class Decision:
    """What somebody signed for about a use case: `migrate` (it goes away before), `except` (these people keep it),
    `block` (it may break). `group` and `sid` are the exception's. `where` is file and line."""

    use_case: str
    decision: str
    owner: str
    signed: date | None
    expires: date | None
    ticket: str
    reason: str
    group: str
    sid: str
    where: str


@dataclass(frozen=True, slots=True)
class PreflightResult:
    """A whole pre-flight. `blind` are sentences on what could not be seen; `unlisted` hosts that logs name and the
    inventory does not."""

    program: str
    verdict: str
    reason: str
    hosts: tuple[HostCoverage, ...]
    unlisted: tuple[str, ...]
    uses: tuple[UseCase, ...]
    decisions: tuple[Decision, ...]
    notes: tuple[str, ...]
    blind: tuple[str, ...]
    problems: tuple[Problem, ...]
    since: datetime
    until: datetime
    days: int
    need: int
    records: int
    files: tuple[tuple[str, str], ...]
    """Inventory, decisions and lists of indicators: name and SHA-256."""
    started: datetime
    finished: datetime
    command_line: str
