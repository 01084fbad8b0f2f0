"""Turn what was kept of all units into the result: incidents host by host, problems, totals, provenance.

Correlation runs once per host, when everything is read, because the files of one intrusion come in any order. The
level a user asked for hides weaker alerts and incidents here, at the end, so that it never changes a verdict; an
incident that is shown still names all its alerts and tells all its steps.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from douse import __version__
from douse.detection.correlation.records import key_of
from douse.detection.ruleset import RuleSet
from douse.hunt.assets import Assets, with_asset
from douse.hunt.hosts import hosts_of
from douse.hunt.iocs import NONE, Iocs
from douse.hunt.options import HuntOptions
from douse.hunt.problems import problems_of
from douse.hunt.result import HuntResult, InputFile, Provenance, Summary, Suppressed
from douse.hunt.suppress import AllowList, allow_notes
from douse.hunt.work import Findings
from douse.incident.abuse import escalate
from douse.incident.address_book import AddressBook
from douse.incident.blindspots import blind_spots
from douse.incident.correlate import correlate
from douse.incident.network import Flows
from douse.incident.network_records import Socket
from douse.incident.transfers import Transfer
from douse.model import LEVELS, Alert, Coverage, Incident, Loss, level_rank
from douse.telemetry.textlog import NETWORK


@dataclass(frozen=True, slots=True)
class Tuning:
    """What somebody says of the estate: what is expected there, whose the computers are, what to look for there, and
    the files that say so."""

    allowed: AllowList
    assets: Assets
    files: tuple[InputFile, ...] = ()
    iocs: Iocs = NONE


def gather(
    found: Findings, ruleset: RuleSet, options: HuntOptions, losses: Iterable[Loss], started: datetime, unread: int,
    tuning: Tuning,
) -> HuntResult:
    """The result of a run. `losses` are the plan's own; `unread` counts files an interruption left out."""
    coverage, book = found.tally.coverage(), AddressBook(found.network)
    suppressed = _settle(found, coverage, book, tuning.allowed)
    allowances = tuning.allowed.outcome(found.correlator.hides)
    incidents = _incidents(found, coverage, book, options, suppressed)
    names = {*(host.host for host in coverage), *(i.host for i in incidents), *(a.host for a in found.alerts)}
    assets = tuning.assets.of_hosts(names, found.network)
    incidents = tuple(with_asset(incident, assets.get(incident.host)) for incident in incidents)
    least = level_rank(options.level)
    shown = tuple(i for i in incidents if level_rank(i.level) >= least)
    alerts = tuple(sorted((a for a in found.alerts if level_rank(a.level) >= least), key=_in_time_order))
    problems = (*problems_of(found.tally, losses, ruleset.rejected, unread, "judged"), *tuning.iocs.problems)
    spots = {host.host: blind_spots(host, found.facts.host(host.host)) for host in coverage if host.host != NETWORK}
    finished = datetime.now(UTC)
    return HuntResult(
        incidents=shown,
        alerts=alerts,
        coverage=coverage,
        blind_spots=spots,
        problems=problems,
        notes=(*_outside(found), *allow_notes(allowances), *tuning.assets.notes(len(assets)),
               *tuning.iocs.notes(coverage), *_forgotten(found),
               *found.tally.notes, *found.correlator.notes(), *_skipped_rules(ruleset)),
        summary=replace(
            _summary(found, ruleset, coverage, alerts, shown),
            alerts_suppressed=len(suppressed),
            partial=bool(problems),
            highest_level=_highest(found.alerts, incidents),
            interrupted=unread > 0,
            elapsed_seconds=(finished - started).total_seconds(),
        ),
        provenance=Provenance(
            __version__, ruleset.fingerprint, options.command_line, started, finished, tuple(found.inputs), tuning.files
        ),
        suppressed=suppressed,
        allowances=allowances,
        assets=assets,
        hosts=hosts_of((host for host in coverage if host.host != NETWORK), spots, found.alerts, incidents, shown,
                       assets, tuning.assets.besides(assets.values())),
    )


def _settle(found: Findings, coverage: tuple[Coverage, ...], book: AddressBook,
            allowed: AllowList) -> tuple[Suppressed, ...]:
    """Complete the alerts with those of the correlations, and take out and return those that are expected.

    No correlation counts what was suppressed; its own alerts may be suppressed in turn.
    """
    names = {host.host.lower(): host.host for host in coverage}
    kept, suppressed = allowed.split(_at_home(found.alerts, book, names), found.facts)
    found.correlator.leave_out({key_of(one.alert) for one in suppressed}, "are allowed by --allow")
    own, more = allowed.split(_at_home(found.correlator.finish(), book, names), found.facts)
    found.alerts[:] = [*kept, *own]
    return tuple(sorted([*suppressed, *more], key=lambda one: _in_time_order(one.alert)))


def _at_home(alerts: Iterable[Alert], book: AddressBook, names: dict[str, str]) -> Iterator[Alert]:
    """The alerts, those on an address as those of the host that had it then."""
    for alert in alerts:
        host = book.host(alert.host, alert.time)
        yield replace(alert, host=names.get(host, host)) if host else alert


def _incidents(found: Findings, coverage: tuple[Coverage, ...], book: AddressBook, options: HuntOptions,
               suppressed: Iterable[Suppressed]) -> tuple[Incident, ...]:
    """Correlate each host on its own, worst incident first; a host's name is compared without case."""
    by_host: defaultdict[str, list[Alert]] = defaultdict(list)
    for alert in found.alerts:
        by_host[alert.host.lower()].append(alert)
    allowed: defaultdict[str, list[Alert]] = defaultdict(list)
    for one in suppressed:
        allowed[one.alert.host.lower()].append(one.alert)
    covered = {host.host.lower(): host for host in coverage}
    flows = Flows(found.network.pieces(), timedelta(seconds=options.clock_skew))
    incidents = [
        incident
        for host, alerts in by_host.items()
        for incident in correlate(alerts, found.facts.host(host), covered.get(host, Coverage(host, ())),
                                  transfers=_transfers(flows, found.network.sockets(host), book, host),
                                  allowed=allowed.get(host, ()))
    ]
    followed = escalate(incidents, found.signins, book.host)
    return tuple(sorted(followed, key=lambda i: (-level_rank(i.level), -i.score, i.first_seen, i.incident_id)))


def _transfers(flows: Flows, sockets: Iterable[Socket], book: AddressBook, host: str) -> tuple[Transfer, ...]:
    """What sensors saw of a host's connections; what is not certain only where the address was this host's alone."""
    return tuple(transfer for transfer in flows.transfers(sockets)
                 if transfer.certain or book.host(transfer.socket.source, transfer.socket.time) == host)


def _in_time_order(alert: Alert) -> tuple[datetime, str, str, int, str]:
    return alert.time, alert.host.lower(), alert.channel.lower(), alert.record_id, alert.rule_id


def _outside(found: Findings) -> tuple[str, ...]:
    """How much a time window left out."""
    tally = found.tally
    if not tally.records_outside:
        return ()
    share = f"{tally.records_outside:,} of {tally.records_read:,} records"
    return (f"{share} lie outside --since and --until; they were not judged and are no coverage",)


def _forgotten(found: Findings) -> tuple[str, ...]:
    """Whether the network join had to do without older records, or the search for credential abuse without some."""
    network = (("more network records than can be kept: the oldest were not joined to endpoints",)
               if found.network.trimmed else ())
    return (*network, *(("more sign-ins than can be kept: use of stolen credentials was looked for in a part of them",)
                        if found.signins.thinned else ()))


def _skipped_rules(ruleset: RuleSet) -> tuple[str, ...]:
    """How many YAML documents were passed over, for each reason."""
    return tuple(f"{count:,} YAML document(s) passed over as rules: {reason}"
                 for reason, count in sorted(ruleset.skipped.items()))


def _highest(alerts: Iterable[Alert], incidents: Iterable[Incident]) -> str:
    """The strongest level of any finding, empty without one."""
    levels = {alert.level for alert in alerts} | {incident.level for incident in incidents}
    return max(levels, key=level_rank, default="")


def _summary(
    found: Findings,
    ruleset: RuleSet,
    coverage: tuple[Coverage, ...],
    alerts: tuple[Alert, ...],
    incidents: tuple[Incident, ...],
) -> Summary:
    firsts = [c.first_seen for host in coverage for c in host.counts if c.first_seen]
    lasts = [c.last_seen for host in coverage for c in host.counts if c.last_seen]
    by_level = Counter(alert.level for alert in alerts)
    tally = found.tally
    return Summary(
        files=len(found.inputs),
        records_read=tally.records_read,
        records_skipped=tally.records_skipped,
        records_lost=tally.records_lost,
        alerts=len(alerts),
        incidents=len(incidents),
        partial=False,
        rules_loaded=len(ruleset.rules) + len(ruleset.correlations),
        rules_rejected=len(ruleset.rejected),
        rules_idle=len(ruleset.idle),
        rules_skipped=sum(ruleset.skipped.values()),
        ignored_files=tally.ignored,
        alerts_by_level={level: by_level[level] for level in LEVELS},
        first_event=min(firsts, default=None),
        last_event=max(lasts, default=None),
        elapsed_seconds=0.0,
    )
