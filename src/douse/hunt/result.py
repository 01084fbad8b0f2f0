"""What a hunt hands over: incidents, alerts, coverage, problems, totals and where it all came from.

`hunt/gather.py` fills it; `report` and `cli/show` read nothing else, so a result renders without its evidence. Losses
and rejected rules are one list of Problems here, because a reader of the result asks one question about both: what
did this run not do? Progress is the other direction: what a long run tells whoever is watching.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from douse.hunt.allow import Entry
from douse.hunt.fleet import HostView
from douse.model import Alert, Asset, BlindSpot, Coverage, Incident


@dataclass(frozen=True, slots=True)
class InputFile:
    """One file that was read; `sha256` is empty where it was not hashed."""

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The totals of a run. `partial` says that some evidence or some rules could not be used.

    `alerts`, `incidents` and `alerts_by_level` count what the result lists; `highest_level` is that of any alert or
    incident, also of those a --level hides, and empty when there is none. Idle rules read logs that no Windows host
    writes or that we do not map; skipped are YAML documents that are no rule, and rules that retired.
    `alerts_suppressed` are those that an entry of --allow took out, of every level; they are counted nowhere else.
    """

    files: int
    records_read: int
    records_skipped: int
    records_lost: int
    alerts: int
    incidents: int
    partial: bool
    rules_loaded: int
    rules_rejected: int
    rules_idle: int
    ignored_files: int
    alerts_by_level: dict[str, int]
    first_event: datetime | None
    last_event: datetime | None
    elapsed_seconds: float
    rules_skipped: int = 0
    highest_level: str = ""
    interrupted: bool = False
    alerts_suppressed: int = 0


@dataclass(frozen=True, slots=True)
class Problem:
    """Something the run could not use: the place, what is wrong, records lost if known, what to do next.

    `kind` is "loss" (evidence that could not be read), "rule" (one that could not be loaded), "ioc" (an entry of --ioc
    that could not be used) or "input" (nothing to judge in what was named, or an interruption).
    """

    kind: str
    where: str
    what: str
    records: int | None
    next_step: str


@dataclass(frozen=True, slots=True)
class Suppressed:
    """An alert that is expected, and the entry of --allow that says so."""

    alert: Alert
    by: Entry


@dataclass(frozen=True, slots=True)
class Allowance:
    """What became of an entry of --allow.

    `state` is "used", "unused" (no alert fitted it), "expired" or "no rule" (this run has none of that name). `alerts`
    counts those that fitted it first; an expired entry did not suppress them. `about` says what is odd, if anything.
    """

    entry: Entry
    state: str
    rule_id: str
    alerts: int
    about: str = ""


@dataclass(frozen=True, slots=True)
class Provenance:
    """What makes the result repeatable: version, hash of the rules, command line, wall times, inputs, and the lists
    that tuned the run (--allow, --assets, --ioc)."""

    version: str
    rules_hash: str
    command_line: str
    started: datetime
    finished: datetime
    inputs: tuple[InputFile, ...]
    lists: tuple[InputFile, ...] = ()


@dataclass(frozen=True, slots=True)
class HuntResult:
    """Everything a hunt found. `blind_spots` maps each host to what its telemetry could not show.

    `notes` are remarks on how evidence was read that change no number, such as times that had to be corrected.
    `suppressed` alerts are in no other part; `allowances` has every entry of --allow. `assets` maps hosts to what an
    inventory says of them. `hosts` is the fleet, worst first.
    """

    incidents: tuple[Incident, ...]
    alerts: tuple[Alert, ...]
    coverage: tuple[Coverage, ...]
    blind_spots: dict[str, tuple[BlindSpot, ...]]
    problems: tuple[Problem, ...]
    summary: Summary
    provenance: Provenance
    notes: tuple[str, ...] = ()
    suppressed: tuple[Suppressed, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    assets: Mapping[str, Asset] = field(default_factory=dict)
    hosts: tuple[HostView, ...] = ()


class Progress(Protocol):
    """What a hunt calls while it works. Numbers given to `advance` are what was added since the last call."""

    def start(self, total_bytes: int) -> None:
        """The run begins; a total of 0 means that nobody knows it (standard input)."""

    def advance(self, read_bytes: int, records: int, alerts: int, /) -> None:
        """So many more bytes and records were read and so many more alerts raised."""

    def finish(self) -> None:
        """The run is over, well or badly; called once."""
