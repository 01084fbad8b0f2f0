"""Read one Unit and match it: a file in, its alerts, process facts and tally out.

What a Worker collects is all that a hunt keeps of the evidence, and it merges: that is how several processes share a
hunt (pool.py). One process also collects unit by unit, so that it merges the same. Cost: memory grows with the alerts
(about 6 KB each over real logs; a field is cut at MAX_FIELD characters) and with what incident/facts.py keeps; an event
that neither a rule nor the correlation wants is counted and dropped unparsed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

from douse.detection.correlation.correlator import Correlator
from douse.detection.language.placeholders import read_placeholders
from douse.detection.ruleset import RuleSet, load_rules
from douse.errors import EvidenceError, RuleError
from douse.hunt.iocs import NONE, Iocs
from douse.hunt.kept import kept
from douse.hunt.options import HuntOptions, RuleChoice
from douse.hunt.plan import Unit
from douse.hunt.read import read_unit
from douse.hunt.result import InputFile, Progress
from douse.incident import facts, network_facts, signins
from douse.model import Alert
from douse.telemetry import Limits, Tally, Wanted

_HASH_BLOCK = 1 << 20
_REPORT_EVERY = 2_000


@dataclass(slots=True)
class Findings:
    """What was kept of the units read so far. Alerts are in reading order; `inputs` has a row for each file."""

    tally: Tally
    correlator: Correlator
    facts: facts.Facts = field(default_factory=facts.Facts)
    network: network_facts.NetworkFacts = field(default_factory=network_facts.NetworkFacts)
    signins: signins.SignIns = field(default_factory=signins.SignIns)
    alerts: list[Alert] = field(default_factory=list)
    inputs: list[InputFile] = field(default_factory=list)

    @classmethod
    def empty(cls, ruleset: RuleSet, options: HuntOptions) -> Findings:
        """What a run starts with, and each of its units."""
        tally = Tally(options.strict, options.in_window if options.has_window else None)
        return cls(tally, Correlator(ruleset))

    def merge(self, other: Findings) -> None:
        """Add what was kept of later units; the order of merging is the order of reading."""
        self.tally.merge(other.tally)
        self.correlator.merge(other.correlator)
        self.facts.merge(other.facts)
        self.network.merge(other.network)
        self.signins.merge(other.signins)
        self.alerts.extend(other.alerts)
        self.inputs.extend(other.inputs)


@dataclass(slots=True)
class Outcome:
    """What came of a unit; not `complete` where an interruption ended it. `error` ends the hunt: a loss in a strict
    run, or a rule that a forged cache keeps from being made."""

    findings: Findings
    complete: bool = True
    error: EvidenceError | RuleError | None = None


def rules_of(options: RuleChoice) -> RuleSet:
    """The rules of a run; every process loads them itself, because compiled rules cannot be sent. What was compiled
    before, also of ours, comes from the user's cache: a tenth of the time."""
    lists = read_placeholders(*options.placeholders)
    return load_rules(options.rules, builtin=options.builtin, placeholders=lists, cached=True)


class Worker:
    """Reads units with one rule set, one list of indicators and one set of wishes; `findings` is filled as it goes,
    until it is taken."""

    def __init__(self, ruleset: RuleSet, options: HuntOptions, progress: Progress, iocs: Iocs = NONE) -> None:
        self._ruleset, self._options, self._progress, self._iocs = ruleset, options, progress, iocs
        self._wanted = Wanted(ruleset.interests() | facts.interests() | network_facts.interests()
                              | signins.interests() | iocs.watch.interests())
        self._limits = Limits(max_line=options.max_line) if options.max_line else Limits()
        self.findings = Findings.empty(ruleset, options)
        self._reported = (0, 0, 0)

    def take(self) -> Findings:
        """What was found since the last call."""
        taken, self.findings = self.findings, Findings.empty(self._ruleset, self._options)
        self._reported = (0, 0, 0)
        return taken

    def work(self, unit: Unit) -> None:
        """Read a unit to its end. Raises EvidenceError under --strict when something of it is lost."""
        found, watching = self.findings, bool(self._iocs.watch)
        if unit.part.first == 0:
            sha256 = _sha256(unit.path) if unit.regular else ""
            found.inputs.append(InputFile(unit.path, unit.size, sha256))
        for count, event in enumerate(read_unit(unit, self._wanted, found.tally, self._limits), start=1):
            if self._options.in_window(event.time):
                found.facts.observe(event)
                found.network.observe(event)
                found.signins.observe(event)
                found.alerts.extend(kept(found.correlator.observe(self._ruleset.match(event))))
                if watching and (seen := self._iocs.alerts(event)):
                    found.alerts.extend(kept(seen))
            if count % _REPORT_EVERY == 0:
                self._report()
        self._report()

    def _report(self) -> None:
        """Tell the progress what was added since the last call."""
        tally = self.findings.tally
        now = (tally.bytes_read, tally.records_read, len(self.findings.alerts))
        self._progress.advance(*(new - old for new, old in zip(now, self._reported, strict=True)))
        self._reported = now


def _sha256(path: str) -> str:
    """The file's hash for the report, empty where it cannot be read (the reader says why)."""
    digest = hashlib.sha256()
    try:
        with Path(path).open("rb") as stream:
            while block := stream.read(_HASH_BLOCK):
                digest.update(block)
    except OSError:
        return ""
    return digest.hexdigest()
