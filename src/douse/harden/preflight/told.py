"""What a pre-flight tells besides its verdict: remarks on hosts and decisions, and what nobody could have seen."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable, Iterator, Sequence
from datetime import date

from douse.harden.preflight.covered import Window
from douse.harden.preflight.fleet import Fleet
from douse.harden.preflight.programs import Program
from douse.harden.preflight.result import Decision, UseCase
from douse.harden.preflight.watch import HostSeen, Watcher

MAX_NAMED = 5
MAX_REMARKS = 50
_QUARTERS = (3, 6, 9, 12)


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
    hosts = sorted(name for name, several in fleet.seen.items() if any(one.user_mode for one in several))
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
        yield (f"no connection of {name} was recorded anywhere; Sysmon's configuration decides whose connections are. "
               f"Prove that its are: let {name} open a harmless page on a test computer, and look for event 3 of it")
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


def is_unproven(watcher: Watcher) -> bool:
    """Whether Sysmon alone shows connections on some host, and none of the program was ever recorded anywhere."""
    return (not any(host.connections.facts for host in watcher.hosts)
            and any(_only_sysmon(host) for host in watcher.hosts))


def _only_sysmon(host: HostSeen) -> bool:
    return set(host.network) == {"Sysmon 3"}


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:MAX_NAMED])
    return f"{shown} and {len(names) - MAX_NAMED:,} more" if len(names) > MAX_NAMED else shown
