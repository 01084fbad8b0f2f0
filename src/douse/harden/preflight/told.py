"""What a pre-flight tells besides its verdict: what a GO does not cover, remarks, and what nobody could have seen."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from douse.harden.preflight.covered import Window
from douse.harden.preflight.fleet import Fleet
from douse.harden.preflight.programs import Program
from douse.harden.preflight.result import DAYS, Decision, HostCoverage, UseCase
from douse.harden.preflight.watch import SYSMON_NETWORK, HostSeen, Watcher

MAX_NAMED = 5
MAX_REMARKS = 50
_QUARTERS = (3, 6, 9, 12)


def limits_of(program: Program, hosts: Sequence[HostCoverage], unlisted: Sequence[str], uses: Sequence[UseCase],
              days: int, *, unproven: bool) -> Iterator[str]:
    """Sentences on what a verdict that passes does not cover: they stand beside it, so that nobody has to look."""
    if days < DAYS:
        yield f"Only {_days(days)} {'was' if days == 1 else 'were'} asked for; what runs once a month was hardly seen."
    uncovered = sum(not host.covered for host in hosts)
    if uncovered:
        yield (f"{_hosts(uncovered)} of the inventory {'was' if uncovered == 1 else 'were'} not watched well enough: "
               f"whether {program.name} is needed there is not known.")
    off = max((host.off for host in hosts), default=0)
    if off:
        yield f"Days without any record, up to {off} on one host, were taken for days on which it was switched off."
    if unlisted:
        yield (f"{_hosts(len(unlisted))} in the logs and not in the inventory: whether they were watched was not "
               "asked.")
    if unproven:
        yield f"That Sysmon records connections of {program.name} is not proven: see what was not looked at."
    starts = sum(use.only_starts for use in uses)
    if starts:
        yield (f"{starts:,} use case(s) only started and made no connection: a block of its traffic does not meet "
               f"them. One of {program.name} itself does (AppLocker, App Control), and needs a decision on each.")
    waiting = sum(use.decision is not None and use.decision.decision == "migrate" for use in uses)
    if waiting:
        yield f"{waiting:,} use case(s) are to be migrated first: enforce the block when they are gone."


def _days(number: int) -> str:
    return f"{number:,} day" if number == 1 else f"{number:,} days"


def _hosts(number: int) -> str:
    return f"{number:,} host" if number == 1 else f"{number:,} hosts"


def notes_of(fleet: Fleet, program: Program, window: Window, uses: Iterable[UseCase],
             astray: Iterable[Decision]) -> Iterator[str]:
    """Remarks: they change no verdict by themselves."""
    yield from _ends(window)
    yield from _dead(fleet, program)
    yield from _changes(fleet)
    for decision in astray:
        yield f"{decision.where}: decides about {decision.use_case[:64]}, which is no use case of this run"
    for use in uses:
        if use.last_seen < window.begin:
            yield f"{use.id} was last seen on {use.last_seen:%Y-%m-%d}, before the window; it counts all the same"
        if use.first_seen >= window.end:
            yield f"{use.id} was first seen on {use.first_seen:%Y-%m-%d}, after the window; it counts all the same"
        if use.decision and not use.open and use.decision.decision == "migrate":
            yield (f"{use.id} is to be migrated by its owner; it was last seen on {use.last_seen:%Y-%m-%d}. "
                   "Deploy the block when it is gone.")


def _ends(window: Window) -> Iterator[str]:
    """Whether what runs at the end of a month or quarter could have been seen."""
    days = [date.fromordinal(day) for day in window.ordinals]
    ends = [day for day in days if day.day == monthrange(day.year, day.month)[1]]
    span = f"{window.first} to {window.last}"
    if not ends:
        yield f"no end of a month lies in {span}: what runs only then was not seen"
    elif not any(day.month in _QUARTERS for day in ends):
        yield f"no end of a quarter lies in {span}: what runs only then was not seen"


def _dead(fleet: Fleet, program: Program) -> Iterator[str]:
    """Hosts on which App Control stops HTA applications already (Microsoft: mshta.exe executes no code where a policy
    for user mode code is active and script enforcement is not switched off, in audit mode too)."""
    if program.name != "mshta.exe":
        return
    hosts = sorted(name for name, several in fleet.seen.items() if any(one.scripts_stopped for one in several))
    if hosts:
        yield (f"App Control enforces scripts on {_listed(hosts)} (AppLocker's MSI and Script log, 8028 or 8029): HTA "
               "applications are dead there already, in audit mode too, and what was seen of them before is over")
    hosts = sorted(name for name, several in fleet.seen.items() if name not in hosts and any(
        one.user_mode for one in several))
    if hosts:
        yield (f"App Control for user mode code is active on {_listed(hosts)} (Code Integrity 3076 or 3077): unless "
               "script enforcement is switched off there, HTA applications are dead already, in audit mode too, and "
               "what was seen of them before is over")


def _changes(fleet: Fleet) -> Iterator[str]:
    remarks = []
    for name in sorted(fleet.seen, key=str.lower):
        changes = sorted(record for one in fleet.seen[name] for record in one.changes.in_order())
        if changes:
            remarks.append(f"{name}: Sysmon's configuration changed {len(changes)} time(s), last on "
                           f"{changes[-1].time:%Y-%m-%d}: what it recorded before may differ (event 16)")
        cleared = sorted(record for one in fleet.seen[name] for record in one.cleared.in_order())
        if cleared:
            remarks.append(f"{name}: a log was cleared, last on {cleared[-1].time:%Y-%m-%d} ({cleared[-1].channel} "
                           f"{cleared[-1].event_id}): what it held is only here if it was collected before")
        errors = sum(one.errors for one in fleet.seen[name])
        if errors:
            remarks.append(f"{name}: Sysmon reported {errors:,} error(s) (event 255): some of its records are missing")
    yield from remarks[:MAX_REMARKS]
    if len(remarks) > MAX_REMARKS:
        yield f"and {len(remarks) - MAX_REMARKS:,} more such remarks"


def blind_of(watcher: Watcher, program: Program, unplaced: int, unmatched: int) -> Iterator[str]:
    """What could not be seen, whatever the verdict."""
    name = program.name
    if is_unproven(watcher):
        yield (f"no connection of {name} was recorded by Sysmon anywhere; its configuration decides whose connections "
               f"are. Prove that its are: let {name} open a harmless page on a test computer, and add the log with its "
               "event 3")
    if unmatched:
        yield f"{unmatched:,} request(s) in proxy logs call themselves as {name} does and fit no start of it"
    if unplaced:
        yield f"{unplaced:,} request(s) in proxy logs came from addresses that are no known host's"
    if program.agents is None:
        yield f"proxy logs were not searched: {name} has no user agent of its own that is known"
    yield "gaps within a day were not looked for: `douse coverage` over the same logs finds them"
    yield (f"what leaves through another process is not of {name}: a file opened by WebDAV is fetched by a service, "
           "and a copy under another name is another program to a firewall")
    yield (f"logs show what ran. Scheduled tasks, Run keys, shortcuts, logon scripts and software packages that name "
           f"{name} and did not run were not looked at")
    if watcher.hosts_left_out:
        yield "more hosts than can be followed: those read last are not in this result"
    if watcher.requests_trimmed:
        yield "more requests in proxy logs than can be kept: the oldest were not joined"


def is_proven(watcher: Watcher) -> bool:
    """Whether Sysmon recorded a connection of the program on some host, so that its configuration does not leave it
    out. That all hosts have one configuration is taken for granted."""
    return any(host.proven for host in watcher.hosts)


def is_unproven(watcher: Watcher) -> bool:
    """Whether nothing but Sysmon shows connections on some day of some host, and none of the program by it anywhere."""
    return not is_proven(watcher) and any(map(_rests_on_sysmon, watcher.hosts))


def _rests_on_sysmon(host: HostSeen) -> bool:
    others = {day for name, days in host.network.items() if name != SYSMON_NETWORK for day in days}
    return bool(host.network.get(SYSMON_NETWORK, set()) - others)


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else shown
