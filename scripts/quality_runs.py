"""Runs for scripts/quality.py: two sets of rules over logs of four kinds in, their alerts and differences out.

The kinds are never added up, because they answer different questions (docs/detection-quality.md). Alerts of two sets
are compared record by record.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory

from douse import api
from douse.content.scenarios import scenario_ids
from douse.detection.logsource import EVERY_CHANNEL
from douse.hunt.result import HuntResult
from douse.model import Alert, ChannelCount, Interest, Rule, level_rank

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("DOUSE_SHARED") or ROOT.parent / "shared") / "data"
SIGMAHQ = DATA / "sigma"

JUDGED = "high"
"""From this level on, a person must have read every alert of ours and explained every rule that only SigmaHQ has."""

DAY, DAYS, NOISE = "benign-day", 100, 2_000
"""The scenario of an ordinary day, how many are simulated, and everyday records added to each."""

Place = tuple[str, str, str, int, datetime, int]
"""A record: file, host, channel, record id, time, event id. Some data sets give every record the id 0."""


@dataclass(frozen=True, slots=True)
class Corpus:
    """Logs that others recorded: their folder below the shared data, which files of it, the ledger of our alerts."""

    name: str
    kind: str
    ledger: str
    files: str


CORPORA = (
    Corpus("evtx", "real logs: attack samples", "real-logs.csv", "*.evtx"),
    Corpus("otrf", "real logs: data sets", "otrf.csv", "*.zip"),
    Corpus("sigma_regression", "vendor samples", "vendor-samples.csv", "*.evtx"),  # beside each is its copy in JSON
)
SYNTHETIC = "synthetic: ordinary days"
KINDS = (*(corpus.kind for corpus in CORPORA), SYNTHETIC)


@dataclass(slots=True)
class Side:
    """What one set of rules made of logs: totals, hosts, records by channel and id, alerts, incidents by level, and the
    families that were named."""

    files: int = 0
    records: int = 0
    lost: int = 0
    rules: int = 0
    hosts: set[str] = field(default_factory=set)
    counts: list[ChannelCount] = field(default_factory=list)
    alerts: list[Alert] = field(default_factory=list)
    incidents: Counter[str] = field(default_factory=Counter)
    families: set[str] = field(default_factory=set)

    def add(self, result: HuntResult) -> None:
        """Take in a hunt."""
        self.files += result.summary.files - result.summary.ignored_files
        self.records += result.summary.records_read
        self.lost += result.summary.records_lost
        self.rules = result.summary.rules_loaded
        self.hosts |= {host.host for host in result.coverage}
        self.counts += [count for host in result.coverage for count in host.counts]
        self.alerts += result.alerts
        self.incidents.update(incident.level for incident in result.incidents)
        self.families |= {incident.family for incident in result.incidents}

    def at_least(self, level: str) -> list[Alert]:
        """Its alerts of that level or above."""
        return [alert for alert in self.alerts if level_rank(alert.level) >= level_rank(level)]


@dataclass(frozen=True, slots=True)
class Measured:
    """Our rules and SigmaHQ's on every kind of logs, and ours on each simulated attack.

    `rules` are ours; `unread` are those of which no record stands in the logs that others recorded.
    """

    ours: dict[str, Side]
    theirs: dict[str, Side]
    attacks: dict[str, Side]
    rules: tuple[Rule, ...]
    unread: tuple[Rule, ...]


@dataclass(slots=True)
class Difference:
    """A rule of one side: how many of its alerts, by kind, are on records of which the other side says nothing."""

    rule: str
    rule_id: str
    level: str
    alone: Counter[str] = field(default_factory=Counter)
    both: Counter[str] = field(default_factory=Counter)


def place_of(alert: Alert) -> Place:
    """The record that an alert is about."""
    return (Path(alert.source.path).name, alert.host, alert.channel, alert.record_id, alert.time, alert.event_id)


def hunted(paths: Iterable[Path], rules: Path | None = None) -> HuntResult:
    """A hunt with our rules, or instead with those at a path."""
    return api.hunt(api.HuntOptions(paths=tuple(map(str, paths)), rules=(rules,) if rules else (),
                                    builtin=rules is None))


def files_of(corpus: Corpus) -> list[Path]:
    """The files of a corpus, in the order of their names."""
    return sorted(path for path in (DATA / corpus.name).rglob(corpus.files) if path.is_file())


def logs_of(corpus: Corpus, rules: Path | None = None) -> Side:
    """A set of rules on logs that others recorded."""
    side = Side()
    side.add(hunted(files_of(corpus), rules))
    return side


def add_day(folder: Path, seed: int, sides: Mapping[Path | None, Side], noise: int = NOISE, name: str = DAY) -> None:
    """Simulate a day in a scratch folder, and add to the side of each set of rules what it makes of it."""
    log = folder / f"{name}-{seed}.jsonl"
    api.simulate(name, log, seed=seed, noise=noise)
    for rules, side in sides.items():
        side.add(hunted([log], rules))
    log.unlink()


def measure() -> Measured:
    """Everything that the page shows; takes minutes."""
    ours = {corpus.kind: logs_of(corpus) for corpus in CORPORA}
    theirs = {corpus.kind: logs_of(corpus, SIGMAHQ) for corpus in CORPORA}
    ours[SYNTHETIC], theirs[SYNTHETIC] = Side(), Side()
    attacks = {name: Side() for name in scenario_ids() if name != DAY}
    with TemporaryDirectory() as scratch:
        for seed in range(DAYS):
            add_day(Path(scratch), seed, {None: ours[SYNTHETIC], SIGMAHQ: theirs[SYNTHETIC]})
        for name, side in attacks.items():
            add_day(Path(scratch), 0, {None: side}, name=name)
    return Measured(ours, theirs, attacks, *our_rules(ours))


def our_rules(ours: Mapping[str, Side]) -> tuple[tuple[Rule, ...], tuple[Rule, ...]]:
    """Our rules; and those of them that could not fire on others' logs, because no record there is one they read."""
    loaded = api.load_rules([])
    present: set[Interest] = {(count.channel.lower(), count.event_id)
                              for corpus in CORPORA for count in ours[corpus.kind].counts}
    present |= {(channel, None) for channel, _ in present}
    unread = [one.rule for one in loaded.rules
              if not any(route.channel == EVERY_CHANNEL or (route.channel, route.event_id) in present
                         for route in one.routes)]
    rules = [one.rule for one in loaded.rules] + [one.rule for one in loaded.correlations]
    return tuple(rules), tuple(unread)


def differences(these: Mapping[str, Side], others: Mapping[str, Side], least: str) -> dict[str, Difference]:
    """Rules with alerts of a level or above on these sides, by id, compared with the others' alerts of any level."""
    found: dict[str, Difference] = {}
    for kind, side in these.items():
        known = {place_of(alert) for alert in others[kind].alerts}
        for alert in side.at_least(least):
            one = found.setdefault(alert.rule_id, Difference(alert.title, alert.rule_id, alert.level))
            (one.both if place_of(alert) in known else one.alone)[kind] += 1
    return found


def records_of(alerts: Iterable[Alert]) -> set[Place]:
    """The records that alerts are about."""
    return {place_of(alert) for alert in alerts}
