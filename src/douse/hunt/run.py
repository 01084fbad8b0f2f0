"""One hunt from options to result: load the rules, plan, read all units (spread.py), gather.

An interruption (Ctrl-C) ends the reading, not the run: what was read so far is correlated, and the result says that
it is partial. A rule set with nothing to run is an error, because such a run would find nothing and look clean.
"""

from __future__ import annotations

from datetime import UTC, datetime

from douse.detection.ruleset import RuleSet
from douse.errors import RuleError
from douse.hunt.allow import read_allow
from douse.hunt.assets import read_assets
from douse.hunt.garbage import seldom_collecting
from douse.hunt.gather import Tuning, gather
from douse.hunt.iocs import NONE, Iocs
from douse.hunt.options import HuntOptions
from douse.hunt.plan import make
from douse.hunt.result import HuntResult, InputFile, Progress
from douse.hunt.spread import read_all
from douse.hunt.suppress import AllowList
from douse.hunt.work import rules_of


class Silent:
    """The progress of a script that watches nothing."""

    def start(self, total_bytes: int) -> None:
        """Say nothing."""

    def advance(self, read_bytes: int, records: int, alerts: int, /) -> None:
        """Say nothing."""

    def finish(self) -> None:
        """Say nothing."""


def hunt(options: HuntOptions, progress: Progress | None = None) -> HuntResult:
    """Read the evidence, match every event, explain what was found.

    Raises RuleError when no rule is usable, ContentError where a list of `allow`, `assets` or `ioc` is not as it must
    be, and, under `strict`, EvidenceError at the first loss.
    """
    started = datetime.now(UTC)
    progress = progress or Silent()
    iocs = Iocs.of(options.ioc) if options.ioc else NONE
    ruleset = _usable(rules_of(options), iocs)
    tuning = _tuning(ruleset, options, started, iocs)
    plan = make(options.paths)
    if options.strict:
        plan.refuse_losses()
    progress.start(plan.total_bytes)
    with seldom_collecting():
        try:
            found, unread = read_all(plan.units, ruleset, options, progress, iocs)
        finally:
            progress.finish()
        return gather(found, ruleset, options, plan.losses, started, len(unread), tuning)


def _tuning(ruleset: RuleSet, options: HuntOptions, started: datetime, iocs: Iocs) -> Tuning:
    """The lists of the run, read before the evidence: a mistake in one is not to be found after an hour."""
    entries, tables = read_allow(options.allow)
    assets = read_assets(options.assets)
    files = tuple(InputFile(table.file, table.size, table.sha256) for table in (*tables, *assets.tables))
    allowed = AllowList(entries, ruleset, options.today or started.date(), iocs.rules)
    return Tuning(allowed, assets, (*files, *iocs.files), iocs)


def _usable(ruleset: RuleSet, iocs: Iocs) -> RuleSet:
    if ruleset.rules or (iocs.watch and not ruleset.rejected):  # a sweep for indicators alone needs no rule
        return ruleset
    if ruleset.rejected:
        first = ruleset.rejected[0]
        raise RuleError(first.where, f"{first.what} (no other rule is left)", first.next_step)
    raise RuleError("--rules", "no Sigma rule was found.", "Name a folder with .yml rules, or drop --no-builtin.")
