"""Audit evidence: paths in, an AuditResult out.

    result = audit(AuditOptions(paths=("collected/", "gpo-backup.zip"), inventory=Path("hosts.csv")))

Evidence is read once (evidence/walk.py), each subject is judged alone (findings.py), and the fleet is counted. Nothing
is decided by the order of the files. A computer of the inventory without evidence is judged like any other: as nothing
is known of it, everything is unknown. The same holds for the tenant and the organisation, which are there in every
audit, because nobody has to think of them for a control to be in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime

from douse.content.controls import Control, controls
from douse.content.settings import PROFILES
from douse.errors import ContentError
from douse.harden.app_control_policy import policy_key
from douse.harden.audit.checks import ABOUT
from douse.harden.audit.findings import findings
from douse.harden.audit.fleet import fleet
from douse.harden.audit.inventory import Inventory, read_inventory
from douse.harden.audit.lints import lints
from douse.harden.audit.mshta import answer
from douse.harden.audit.weigh import current
from douse.harden.evidence.walk import gather
from douse.harden.finding import Asset, AuditOptions, AuditResult, SubjectResult
from douse.harden.gathered import Evidence, Problem
from douse.harden.generate.choose import chosen
from douse.harden.observed import StoredAppControl, Subject
from douse.harden.seen import Seen, Source

OLD_DAYS = 90
"""Evidence of a host that is older is told to be old; the figure is ours."""

UNSEEN = "No evidence was given of it."


def audit(options: AuditOptions) -> AuditResult:
    """Audit what lies under the paths. ContentError for an inventory, a profile or a control that is none."""
    started = datetime.now(UTC)
    if options.profile not in PROFILES:
        raise ContentError("--profile", f"{options.profile[:40]!r} is no profile.", f"One of {', '.join(PROFILES)}.")
    wanted = chosen(options.controls) if options.controls else controls()
    inventory = read_inventory(options.inventory)
    evidence = gather(options.paths, options.today)
    return judged(evidence, wanted, inventory, options, started)


def judged(evidence: Evidence, wanted: Sequence[Control], inventory: Inventory, options: AuditOptions,
           started: datetime) -> AuditResult:
    """The result of evidence that was read."""
    today = options.today or started.date()
    _tell_contents(evidence)
    subjects = tuple(_subjects(evidence, wanted, inventory, options.profile, today))
    return AuditResult(
        profile=options.profile, controls=tuple(wanted), subjects=subjects,
        fleet=fleet(wanted, subjects, options.profile), problems=_sorted(evidence.problems),
        files=tuple(sorted(evidence.files, key=lambda one: (one.file, one.kind, one.sha256))), started=started,
        finished=datetime.now(UTC), command_line=options.command_line, notes=_sorted(evidence.notes),
        ignored=evidence.ignored)


def _sorted(problems: Iterable[Problem]) -> tuple[Problem, ...]:
    return tuple(sorted(set(problems), key=lambda one: (one.where, one.what, one.next_step)))


def _tell_contents(evidence: Evidence) -> None:
    """A computer tells the ids of its App Control policies and seldom their content; the XML found elsewhere does."""
    known: dict[str, list[Seen[StoredAppControl]]] = {}
    for one in (seen for subject in evidence.subjects for seen in subject.app_control):
        if one.value.policy is not None:
            known.setdefault(policy_key(one.value.id), []).append(one)
    for host in evidence.of("host"):
        for seen in tuple(one for one in host.app_control if one.value.policy is None):
            for content in known.get(policy_key(seen.value.id), ()):
                told = StoredAppControl(seen.value.id, seen.value.name, None, content.value.policy)
                host.app_control.append(Seen(told, content.source, content.where, content.raw))


def _subjects(evidence: Evidence, wanted: Sequence[Control], inventory: Inventory, profile: str, today: date
              ) -> Iterator[SubjectResult]:
    """Hosts, those of the inventory without evidence among them by name; then the rest."""
    hosts = evidence.of("host")
    unseen = [(Subject("host", asset.host), asset) for asset in inventory.missing(host.full_name for host in hosts)]
    known = [(host, inventory.of(host.full_name)) for host in hosts]
    for host, asset in sorted((*known, *unseen), key=lambda one: (one[0].name.casefold(), one[0].name)):
        yield _result(host, asset, wanted, profile, today, inventory)
    for policy in evidence.of("policy"):
        yield _result(policy, None, wanted, profile, today, inventory)
    for kind in ("tenant", "organisation"):
        asked = any(type(setting) in ABOUT[kind] for control in wanted for setting in control.settings_of(profile))
        for subject in evidence.of(kind) or ((Subject(kind, kind),) if asked else ()):
            yield _result(subject, None, wanted, profile, today, inventory)


def _result(subject: Subject, asset: Asset | None, wanted: Sequence[Control], profile: str, today: date,
            inventory: Inventory) -> SubjectResult:
    """One subject, judged."""
    found = findings(subject, wanted, profile, today)
    sources = tuple(sorted(subject.sources(), key=lambda one: (one.file, one.kind, one.sha256)))
    return SubjectResult(
        kind=subject.kind, name=subject.name, system=_system(subject), asset=asset, seen=bool(sources), findings=found,
        mshta=answer(subject) if subject.kind in ("host", "policy") else None, lints=lints(subject), sources=sources,
        notes=(*_notes(subject, asset, len(found), len(wanted), inventory, seen=bool(sources)),
               *_age(subject, sources, today)))


def _system(subject: Subject) -> str:
    """The operating system as far as it is known; all that sources say where they differ."""
    told = dict.fromkeys(_machine_words(one.value.name, one.value.build, one.value.role)
                         for one in current(subject.machine)[0])
    return "; ".join(filter(None, told))


def _machine_words(name: str, build: int, role: str) -> str:
    return ", ".join(filter(None, (name, f"build {build}" if build else "", role)))


def _notes(subject: Subject, asset: Asset | None, found: int, wanted: int, inventory: Inventory, *, seen: bool
           ) -> Iterator[str]:
    """What else a reader must know of a subject."""
    if not seen:
        yield UNSEEN
    if subject.kind == "host" and inventory.given and asset is None:
        yield "The inventory does not have it."
    if subject.kind == "policy":
        yield (f"A policy, which says of no computer that it is so: it would set something of {found} of {wanted} "
               "controls, and the others are not its business.")
    if subject.scans:
        yield _scanned(subject)


def _age(subject: Subject, sources: Iterable[Source], today: date) -> Iterator[str]:
    """That all of a host's evidence is old: what it shows was true then."""
    days = [(today - one.taken.date()).days for one in sources if one.taken is not None]
    if subject.kind == "host" and days and min(days) > OLD_DAYS:
        yield f"Its newest dated evidence is {min(days):,} days old; what it shows may have changed. Collect again."


def _scanned(subject: Subject) -> str:
    """What another scanner said altogether."""
    rows = [one.value for one in current(subject.scans)[0]]
    failed = _count(row.passed is False for row in rows)
    return (f"A HardeningKitty report has {len(rows):,} rows about it, {failed:,} of them failed; those about the same "
            "settings stand with the controls.")


def _count(truths: Iterable[bool]) -> int:
    return sum(truths)
