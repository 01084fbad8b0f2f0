"""What a survey of logs hands over: for each host which telemetry is there, what is whole, and what could be judged.

`hunt/coverage.py` fills it; `report/coverage.py` makes rows of it, and everybody else shows those rows. Without paths
there are no hosts, and the techniques say what can be seen in which log at all.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from douse.content.prerequisites import Prerequisite
from douse.detection.techniques import TechniqueRow
from douse.hunt.result import Problem
from douse.incident.judged import JudgedSequence, JudgedTechnique
from douse.incident.prerequisites import Standing
from douse.incident.quality import Cleared, ClockSkew
from douse.model import ChannelCount
from douse.telemetry.continuity import ChannelContinuity, Silence

DEFAULT_GAP = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class CoverageOptions:
    """One survey. Without paths no log is read. Times are UTC, `since` inclusive, `until` exclusive.

    `gap` is how long a channel must be without records for it to be a silence.
    """

    paths: tuple[str, ...] = ()
    rules: tuple[Path, ...] = ()
    placeholders: tuple[Path, ...] = ()
    builtin: bool = True
    since: datetime | None = None
    until: datetime | None = None
    gap: timedelta = DEFAULT_GAP
    strict: bool = False
    command_line: str = ""

    def in_window(self, time: datetime) -> bool:
        """Whether a record of that time is asked for."""
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


@dataclass(frozen=True, slots=True)
class FileRead:
    """One file and how many records it gave; none is a reason to look at it."""

    path: str
    size: int
    records: int


@dataclass(frozen=True, slots=True)
class HostSurvey:
    """One host. `usable` is yes, partly or no: whether a hunt can tell anything of it. `counts` has every event id,
    `channels` the gaps; both empty of what lies outside --since and --until. `rules` is how many of the rules read some
    record of the host. `silences` are spans in which no channel has a record."""

    host: str
    usable: str
    records: int
    first_seen: datetime | None
    last_seen: datetime | None
    counts: tuple[ChannelCount, ...]
    channels: tuple[ChannelContinuity, ...]
    standings: tuple[Standing, ...]
    sequences: tuple[JudgedSequence, ...]
    techniques: tuple[JudgedTechnique, ...]
    cleared: tuple[Cleared, ...]
    skew: ClockSkew | None
    silence_count: int
    silences: tuple[Silence, ...]
    rules: int


@dataclass(frozen=True, slots=True)
class NetworkSurvey:
    """The logs of network sensors, which belong to no single host."""

    counts: tuple[ChannelCount, ...]
    channels: tuple[ChannelContinuity, ...]
    standings: tuple[Standing, ...]


@dataclass(frozen=True, slots=True)
class SurveySummary:
    """The totals. `partial` says that some evidence or some rules could not be used."""

    files: int
    ignored_files: int
    records_read: int
    records_outside: int
    records_lost: int
    hosts: int
    hosts_unusable: int
    rules: int
    partial: bool
    interrupted: bool
    first_event: datetime | None
    last_event: datetime | None


@dataclass(frozen=True, slots=True)
class SurveyOrigin:
    """What makes the survey repeatable: version, of ATT&CK too, rules, command line, times, inputs and the gap."""

    version: str
    attack_version: str
    rules_hash: str
    command_line: str
    started: datetime
    finished: datetime
    gap: timedelta
    inputs: tuple[FileRead, ...]


@dataclass(frozen=True, slots=True)
class CoverageResult:
    """Everything a survey found. `surveyed` is false where no path was given: then only `techniques` mean something."""

    surveyed: bool
    hosts: tuple[HostSurvey, ...]
    network: NetworkSurvey
    prerequisites: tuple[Prerequisite, ...]
    techniques: tuple[TechniqueRow, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
    summary: SurveySummary
    origin: SurveyOrigin
