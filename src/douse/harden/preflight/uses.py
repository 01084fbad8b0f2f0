"""Sightings become use cases: what counts together, what it looks like (a class), and why, in a sentence.

A use case is a place, a port, a parent and a command template. A start without a connection joins the use case that has
its parent and template. Classes: `suspect` is what an intrusion does, and never an exception; `business candidate` is
what somebody may rely on; `unknown` is the rest. All three wait for a person's decision. The lists below are the
design's and practice's words for who starts what (`verified: false`): no log says what a program is for.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from douse.content.sites import site_of
from douse.harden.preflight.programs import Program
from douse.harden.preflight.result import BASES, CLASSES, UseCase
from douse.harden.preflight.sightings import Sighting
from douse.incident.places import BROWSERS

MAX_USES: Final = 2_000
"""Use cases that are kept apart; the rest is one."""
MAX_EVIDENCE: Final = 5
MAX_NAMED: Final = 5
MAX_JOINED: Final = 20
"""Use cases, the most frequent, that one kind of start is counted in: each start in each would be quadratic."""
STABLE_DAYS: Final = 5
"""Days on which something is seen, on more than one host or by more than one person, until it looks like a habit."""

OFFICE: Final = frozenset({"winword.exe", "excel.exe", "powerpnt.exe", "outlook.exe", "onenote.exe", "onenotem.exe",
                           "mspub.exe", "msaccess.exe", "visio.exe", "winproj.exe", "olk.exe", "acrord32.exe",
                           "acrobat.exe"})
SHELLS: Final = frozenset({"explorer.exe", "powershell.exe", "pwsh.exe", "powershell_ise.exe", "windowsterminal.exe",
                           "openwith.exe"})
MANAGEMENT: Final = frozenset({"ccmexec.exe", "agentexecutor.exe", "gpscript.exe", "msiexec.exe",
                               "trustedinstaller.exe", "microsoft.management.services.intunewindowsagent.exe"})
SCHEDULED: Final = frozenset({"svchost.exe", "taskeng.exe", "taskhostw.exe", "wscript.exe", "cscript.exe"})
SHARED: Final = frozenset({"sharing", "storage", "dead-drop", "tenant"})

_REST: Final = "(more use cases than are kept apart)"


@dataclass(slots=True)
class _Case:
    """The sightings of one use case."""

    key: tuple[str, bool, int, str, str, str]
    seen: list[Sighting] = field(default_factory=list)
    joined: list[Sighting] = field(default_factory=list)
    """Starts without a connection that are the same thing."""

    @property
    def all(self) -> list[Sighting]:
        """Both."""
        return [*self.seen, *self.joined]

    def values(self, name: str) -> list[str]:
        """The filled values of an attribute, in order; two that differ in case are one."""
        values = sorted({value for one in self.all if (value := str(getattr(one, name)))})
        return [found for _, found in sorted({value.lower(): value for value in reversed(values)}.items())]


def uses_of(sightings: Iterable[Sighting], program: Program) -> tuple[tuple[UseCase, ...], bool]:
    """The use cases, the most urgent first, and whether there were more than are kept apart."""
    cases: dict[tuple[str, bool, int, str, str, str], _Case] = {}
    for one in sightings:
        key = (one.place.name, one.place.internal, one.port, one.protocol, one.parent, one.template)
        cases.setdefault(key, _Case(key)).seen.append(one)
    listed = _joined(list(cases.values()))
    listed.sort(key=lambda case: (len(case.all) * -1, case.key))
    kept, rest = listed[:MAX_USES], listed[MAX_USES:]
    uses = [_use(case, program) for case in kept]
    if rest:
        uses.append(_use(_Case(("", False, 0, "", "", _REST), [one for case in rest for one in case.all]), program))
    return tuple(sorted(uses, key=_urgency)), bool(rest)


def _urgency(use: UseCase) -> tuple[int, int, int, str]:
    return CLASSES.index(use.classed), BASES.index(use.basis), -use.times, use.id


def _joined(cases: list[_Case]) -> list[_Case]:
    """Cases of starts alone become a part of those that connected with the same parent and template."""
    connected: defaultdict[tuple[str, str], list[_Case]] = defaultdict(list)
    for case in cases:
        if case.seen[0].template and any(one.basis != "started" for one in case.seen):
            connected[case.key[-2:]].append(case)
    left = []
    for case in cases:
        others = [other for other in connected.get(case.key[-2:], ()) if other is not case]
        if others and all(one.basis == "started" for one in case.seen):
            for other in sorted(others, key=lambda one: (-len(one.seen), one.key))[:MAX_JOINED]:
                other.joined += case.seen
        else:
            left.append(case)
    return left


def _use(case: _Case, program: Program) -> UseCase:
    place, _, port, protocol, parent, _ = case.key
    seen = case.seen
    classed, why = classify(case.all, program)
    basis = min((one.basis for one in seen), key=BASES.index)
    records = sorted({record for one in case.all for record in one.records})
    return UseCase(
        id=use_id(program, seen[0]) if case.key[-1] != _REST else "U-rest", classed=classed, why=why, basis=basis,
        destination=place, port=port, protocol=protocol, parent=parent,
        command=min((one.command for one in seen if one.command), key=lambda one: (len(one), one), default=""),
        hosts=tuple(case.values("host")), users=tuple(case.values("user")),
        first_seen=min(one.first for one in case.all), last_seen=max(one.last for one in case.all),
        days=len({day for one in case.all for day in _days(one)}),
        times=len({(one.host.lower(), one.first, one.user.lower()) for one in case.all}),
        evidence=tuple(map(str, _some(records))), unseen=basis == "started" and any(one.unseen for one in case.all))


def _some(records: Sequence[object]) -> list[object]:
    """The first records and the last one."""
    return [*records[:MAX_EVIDENCE - 1], records[-1]] if len(records) > MAX_EVIDENCE else list(records)


def _days(one: Sighting) -> set[int]:
    return {one.first.toordinal(), one.last.toordinal()}


def use_id(program: Program, one: Sighting) -> str:
    """The id of the use case that a sighting belongs to, the same in every run."""
    parts = (program.name, one.place.name, str(one.port), one.protocol, one.parent, one.template)
    return f"U-{hashlib.sha256(chr(0).join(parts).encode('utf-8', 'surrogatepass')).hexdigest()[:12]}"


def classify(seen: Sequence[Sighting], program: Program) -> tuple[str, str]:
    """A class, and the sentences that say why."""
    told = list(_told(seen))
    bad = _bad(seen, program)
    if bad:
        return "suspect", " ".join([*(f"{one[0].upper()}{one[1:]}." for one in bad), *told])
    good = _good(seen)
    if good:
        return "business candidate", " ".join([*(f"{one[0].upper()}{one[1:]}." for one in good), *told])
    return "unknown", " ".join(["Nothing here says who needs it.", *told])


def _bad(seen: Sequence[Sighting], program: Program) -> list[str]:
    """What an intrusion would do."""
    found = [f"it names the indicator {word}" for word in _each(seen, "named")[:MAX_NAMED]]
    renamed = sorted({one.renamed for one in seen if one.renamed})
    found += [f"{program.name} runs under another name, {', '.join(renamed[:MAX_NAMED])}"] if renamed else []
    found += [f"its command {word}" for word in _each(seen, "odd")]
    one = seen[0]
    if not one.place.name or one.place.internal or one.through_proxy:
        return found
    does = "connects to" if any(other.basis != "started" for other in seen) else "names"
    people = BROWSERS | OFFICE | (SHELLS if program.runs_scripts else frozenset())
    if one.parent in people:
        found.append(f"{one.parent} started it and it {does} {one.place.name}, in the internet")
    site = site_of(one.place.name) or next(filter(None, map(site_of, _each(seen, "names"))), None)
    if program.runs_scripts and site is not None and site.kind in SHARED:
        found.append(f"it {does} {site.name}, where anybody can put files")
    return found


def _good(seen: Sequence[Sighting]) -> list[str]:
    """What a business application would do."""
    one = seen[0]
    days = len({day for other in seen for day in _days(other)})
    hosts = len({other.host.lower() for other in seen})
    users = len({other.user.lower() for other in seen if other.user})
    stable = days >= STABLE_DAYS and (hosts > 1 or users > 1)
    trusted = one.place.internal and one.parent not in BROWSERS | OFFICE | SHELLS - {"explorer.exe"}
    found = [f"it connects to {one.place.name}, a network of your own"] if trusted else []
    if one.parent in MANAGEMENT:
        found.append(f"{one.parent} started it, which manages or installs software")
    if one.parent in SCHEDULED and days >= STABLE_DAYS:
        found.append(f"{one.parent} starts it again and again ({days} days)")
    return [*found, *([f"it was seen on {days} days, on {hosts} host(s) and for {users} user(s)"] if stable else [])]


def _told(seen: Sequence[Sighting]) -> Iterable[str]:
    """What else a reader should know."""
    names = _each(seen, "names")
    if names:
        yield f"Names seen: {', '.join(names[:MAX_NAMED])}{' and more' if len(names) > MAX_NAMED else ''}."
    if any(one.through_proxy for one in seen):
        yield ("It went through a proxy, or to a program on the computer itself that may be one, and no log says where "
               "to: the destination is unknown.")
    if any(one.basis == "possible" for one in seen):
        yield ("Only a proxy's record, whose user agent any program can send, says that it used the network: within "
               "5 s of its start, so it is possible, not certain.")
    if all(one.basis == "started" for one in seen):
        yield _started(seen)
    if any(one.nameless for one in seen):
        yield "Some of its connections name no process; the pid is that of one that had just begun."
    if any(one.refused for one in seen):
        yield "Some or all of it was refused by a filter already."
    words = sorted({verdict.word for one in seen for verdict in one.verdicts})
    if words:
        yield f"A policy's record says: {', '.join(words)}."
    if all(not one.template and not one.parent for one in seen):
        yield "No record of its start was found, so parent and command line are unknown."
    elif all(not one.template for one in seen):
        yield "Its command line was not logged."


def _started(seen: Sequence[Sighting]) -> str:
    if any(one.unseen for one in seen):
        return ("It only started, as far as is known: on some of these days no record would have shown a connection of "
                "it.")
    if any(one.place.name for one in seen):
        return "No connection of it was recorded, but its command or its DNS queries say that it wanted one."
    return "It only started; connections of other programs were recorded at that time and none of its own."


def _each(seen: Iterable[Sighting], name: str) -> list[str]:
    return sorted({word for one in seen for word in getattr(one, name)})
