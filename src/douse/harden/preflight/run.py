"""One pre-flight from options to result: read the lists, watch the logs, say who is covered, what is used, and so what.

The verdict, in this order: NO-GO where a use case is open that more logs would not close; INSUFFICIENT where too few
hosts were covered, where something of the evidence could not be read, or where the program started and nobody could
have seen whether it connected; GO WITH EXCEPTIONS where a signed decision lets a group keep it; else GO. Uses from
before the window count too, and those from after it: what somebody did a quarter ago he may do again. What a GO does
not cover stands in its reason (told.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from douse.harden.preflight.covered import Window, coverage_of, showing_days
from douse.harden.preflight.decisions import decided, read_decisions, sha256_of, unknown
from douse.harden.preflight.fleet import Fleet
from douse.harden.preflight.logs import LogsRead, read_logs
from douse.harden.preflight.places import Places
from douse.harden.preflight.programs import Program, program_of
from douse.harden.preflight.result import (
    PASSING,
    HostCoverage,
    PreflightOptions,
    PreflightResult,
    UseCase,
)
from douse.harden.preflight.runs import later
from douse.harden.preflight.sightings import Sighter, Sighting
from douse.harden.preflight.told import (
    blind_of,
    is_proven,
    is_unproven,
    limits_of,
    notes_of,
)
from douse.harden.preflight.uses import uses_of
from douse.harden.preflight.watch import Watcher
from douse.hunt.assets import read_assets
from douse.hunt.iocs import NONE, Iocs
from douse.hunt.result import Progress
from douse.hunt.run import Silent

MAX_LISTED = 3


def preflight(options: PreflightOptions, progress: Progress | None = None) -> PreflightResult:
    """Whether a program can be kept off the network without hurting anybody.

    Raises ContentError where a list of the user's (inventory, decisions, indicators) is not as it must be.
    """
    started = datetime.now(UTC)
    program, places = program_of(options.program), Places(options.internal)
    assets = read_assets([options.inventory])
    decisions = read_decisions(options.decisions, program.name) if options.decisions else ()
    iocs = Iocs.of(options.ioc) if options.ioc else NONE
    watcher = Watcher(program, iocs.watch)
    read = read_logs(options.logs, [watcher], progress or Silent())
    fleet = Fleet(assets, watcher.hosts)
    window, until = _window(options, _last(watcher) or started)
    sighter = Sighter(places, watcher.requests, fleet.host_at)
    uses, crowded = uses_of(_sightings(fleet, sighter, sysmon=is_proven(watcher)), program)
    on = fleet.on_days(read.on)
    hosts = tuple(coverage_of(name, asset, fleet.of(name), window, on.get(name))
                  for name, asset in fleet.listed.items())
    uses = decided(uses, decisions, options.today or started.date())
    verdict, reason = verdict_of(program, hosts, uses, options.need, read, whole=not watcher.hosts_left_out)
    if verdict in PASSING:
        reason = " ".join([reason, *limits_of(program, hosts, fleet.unlisted, uses, options.days,
                                              unproven=is_unproven(watcher))])
    notes = (*_clocks(options, until, started), *notes_of(fleet, program, window, uses, unknown(uses, decisions)),
             *read.notes)
    blind = tuple(blind_of(watcher, program, sighter.unplaced, sighter.unmatched))
    if crowded:
        blind = (*blind, "more use cases than are kept apart: the rest is one, and stays open")
    return PreflightResult(
        program=program.name, verdict=verdict, reason=reason, hosts=hosts, unlisted=fleet.unlisted, uses=uses,
        decisions=decisions, notes=notes, blind=blind, problems=(*read.problems, *iocs.problems),
        since=window.begin, until=until, days=options.days, need=options.need, records=read.records,
        files=_files(options, assets.tables[0].sha256, iocs), started=started, finished=datetime.now(UTC),
        command_line=options.command_line)


def _sightings(fleet: Fleet, sighter: Sighter, *, sysmon: bool) -> Iterator[Sighting]:
    for name, several in fleet.seen.items():
        days = showing_days(several, sysmon=sysmon)
        for host in several:
            yield from sighter.of(host, name, days)


def _window(options: PreflightOptions, last: datetime) -> tuple[Window, datetime]:
    """The days that count and their end: what the user says, or the last record, as nobody was watched after it."""
    if options.until is not None and options.until <= last:
        return Window.ending(options.until, options.days), options.until
    return Window.holding(last, options.days), last


def _clocks(options: PreflightOptions, until: datetime, now: datetime) -> Iterator[str]:
    """A remark where the days end with a record from the future."""
    if options.until is None and until > later(now, timedelta(days=1)):
        yield (f"the last record says {until:%Y-%m-%d %H:%M}, which is still to come: a clock was wrong, and the days "
               "are counted from there. Say with --until where they end")


def _files(options: PreflightOptions, inventory: str, iocs: Iocs) -> tuple[tuple[str, str], ...]:
    own = [(str(options.inventory), inventory)]
    own += [(str(options.decisions), sha256_of(Path(options.decisions)))] if options.decisions else []
    return (*own, *((file.path, file.sha256) for file in iocs.files))


def _last(watcher: Watcher) -> datetime | None:
    return max((host.last for host in watcher.hosts if host.last), default=None)


def verdict_of(program: Program, hosts: Sequence[HostCoverage], uses: Sequence[UseCase], need: int,
               read: LogsRead, *, whole: bool = True) -> tuple[str, str]:
    """The verdict and the sentences that give its reason. `whole` says that every host could be followed."""
    blocking = [use for use in uses if use.open and not waits_for_logs(use)]
    lacking = _lacking(program, hosts, uses, need, read)
    if not whole:
        lacking.append("The logs name more hosts than can be followed, and any of them could use it.")
    if blocking:
        return "NO-GO", " ".join([_open(program, blocking), *lacking])
    if lacking:
        return "INSUFFICIENT", " ".join(lacking)
    covered = f"{sum(one.covered for one in hosts):,} of {counted(len(hosts), 'host')} {_were(hosts)} watched"
    excepted = [use.decision for use in uses if use.decision and use.decision.decision == "except"]
    if excepted:
        groups = ", ".join(sorted({one.group for one in excepted}))
        return "GO WITH EXCEPTIONS", (f"{covered}; every use case of {program.name} is decided, and these groups keep "
                                      f"it: {groups}.")
    if not uses:
        return "GO", f"{covered}, and {program.name} was not seen once."
    return "GO", f"{covered}, and no use case of {program.name} is open."


def waits_for_logs(use: UseCase) -> bool:
    """Whether a use case is open for no other reason than that nobody could have seen a connection."""
    return use.unseen and not use.destination and use.classed != "suspect" and not (
        use.decision and use.decision.decision)


def counted(number: int, thing: str) -> str:
    """A number with its noun."""
    return f"{number:,} {thing}" if number == 1 else f"{number:,} {thing}s"


def _were(several: Sequence[object], many: str = "were", one: str = "was") -> str:
    return one if len(several) == 1 else many


def _open(program: Program, blocking: Sequence[UseCase]) -> str:
    suspects = sum(use.classed == "suspect" for use in blocking)
    first = blocking[0]
    what = f"{counted(len(blocking), 'use case')} of {program.name} {_were(blocking, 'are', 'is')} open"
    what += f", {suspects:,} of them suspect" if suspects else ""
    return f"{what}: {first.id} ({first.open}){' and others' if len(blocking) > 1 else ''}."


def _lacking(program: Program, hosts: Sequence[HostCoverage], uses: Sequence[UseCase], need: int,
             read: LogsRead) -> list[str]:
    """Why the evidence is not enough; empty where it is."""
    lacking = []
    uncovered = [one for one in hosts if not one.covered]
    if not hosts:
        lacking.append("The inventory names no computer.")
    elif 100 * (len(hosts) - len(uncovered)) < need * len(hosts):
        named = "; ".join(f"{one.host}: {one.why}" for one in uncovered[:MAX_LISTED])
        more = f"; and {len(uncovered) - MAX_LISTED:,} more" if len(uncovered) > MAX_LISTED else ""
        lacking.append(f"{len(hosts) - len(uncovered):,} of {counted(len(hosts), 'host')} {_were(hosts)} watched well "
                       f"enough, and {need} % must be ({named}{more}).")
    if read.interrupted:
        lacking.append("The reading was interrupted.")
    elif not read.whole:
        lost = sum(problem.records or 0 for problem in read.problems)
        said = f"{lost:,} records or more" if lost else "see problems"
        lacking.append(f"Some of the evidence could not be read ({said}), and any of it could be a use.")
    waiting = [use for use in uses if use.open and waits_for_logs(use)]
    if waiting:
        lacking.append(f"{program.name} started where no record would have shown a connection of it ({waiting[0].id}"
                       f"{' and others' if len(waiting) > 1 else ''}).")
    return lacking
