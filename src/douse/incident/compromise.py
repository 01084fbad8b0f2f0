"""How an intrusion began and went on: S1 and S2 (a typed command, code from the network), S3 and S7 (injection).

Each function finds the earliest occurrence in one group, which holds "same process tree or weak edge" already. Windows
are data (content/incidents/sequences.yml). What was stolen: theft.py.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from douse.incident.entities import image_name
from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.incident.processes import SLACK
from douse.incident.scene import Found, Scene, first_after, is_sure, time_of

LAUNCHERS = frozenset({
    "mshta.exe", "powershell.exe", "pwsh.exe", "cmd.exe", "curl.exe", "msiexec.exe", "rundll32.exe", "regsvr32.exe",
    "wscript.exe", "cscript.exe", "certutil.exe", "bitsadmin.exe", "finger.exe", "forfiles.exe", "conhost.exe",
    "ssh.exe", "sftp.exe", "wmic.exe", "schtasks.exe", "node.exe", "python.exe", "pcalua.exe", "windowsterminal.exe",
})
"""Programs that a pasted command starts (threat model, 2.7)."""


@dataclass(frozen=True, slots=True)
class _Trigger:
    """Something that ran: when, as which process, and its proof."""

    time: datetime
    process: int
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True)
class _Network:
    """One use of the network: an alert about it, or a bare connection record."""

    time: datetime
    process: int
    mark: Mark | None
    where: str

    def found(self, marks: tuple[Mark, ...], reason: str) -> Found:
        if self.mark:
            return Found((*marks, self.mark), f"{reason}: {self.where}")
        return Found(marks, f"{reason}: {self.where}", self.time)


_NEVER = _Network(datetime.max.replace(tzinfo=UTC), -1, None, "")


# ── S1, S2: a typed command, and code from the network ────────────────────────────────────────────────────────────


def _pastes(scene: Scene) -> list[_Trigger]:
    """Typed commands that started a launcher, with the alerts on both ends."""
    if not scene.links.typed:
        return []
    by_child = {m.process: m for m in reversed(scene.of("X")) if m.role == "paste-child"}
    found = []
    for mark in scene.marks:
        typed = scene.links.typed.get(mark.alert.alert_id) if mark.alert else None
        if typed is None:
            continue
        child = by_child.get(typed.child)
        if child or image_name(scene.links.table[typed.child].image).lower() in LAUNCHERS:
            proof = (mark, child) if child else (mark,)
            found.append(_Trigger(typed.started, typed.child, proof))
    return sorted(found, key=lambda t: (t.time, t.process))


def paste_and_run(scene: Scene, window: timedelta) -> Found | None:
    """S1. The window is the one in which link.py ties a typed command to its child."""
    for paste in _pastes(scene):
        child = scene.links.table[paste.process].name
        reason = f"a command was typed or pasted and started {child} within {window.seconds} s"
        return Found(paste.marks, reason, paste.time)
    return None


def initial_compromise(scene: Scene, window: timedelta) -> Found | None:
    """S2: what was run reaches the network within two minutes, by itself or by what it started.

    After a paste any connection to a public address counts. Without one both the execution and the network use need
    an alert that is more than a guess, because many programs connect.
    """
    pastes, others = defaultdict[int, list[_Trigger]](list), defaultdict[int, list[_Trigger]](list)
    for paste in _pastes(scene):
        pastes[paste.process].append(paste)
    for mark in scene.of("X"):
        if mark.process is not None and is_sure(mark):
            others[mark.process].append(_Trigger(mark.time, mark.process, (mark,)))
    for use in _in_time_order(_network(scene, "RI", pastes.keys() | others.keys(), bare=pastes.keys())):
        pasted = _led_to(use, pastes, scene.links, window)
        if pasted is not None:
            return use.found(pasted.marks, "the pasted command led to network use within 2 minutes")
        if use.mark is not None and use.mark.letter == "R" and is_sure(use.mark):
            ran = _led_to(use, others, scene.links, window)
            if ran is not None:
                return use.found(ran.marks, "suspicious execution led to network use within 2 minutes")
    return None


def _led_to(use: _Network, triggers: Mapping[int, Sequence[_Trigger]], links: Links,
            window: timedelta) -> _Trigger | None:
    """The latest trigger, of the process or of what it comes from, that the network use follows."""
    before = []
    for origin in links.lineage(use.process):
        own = triggers.get(origin, ())
        at = bisect_right(own, use.time + SLACK, key=time_of)
        if at and own[at - 1].time >= use.time - window:
            before.append(own[at - 1])
    return max(before, key=lambda t: (t.time, t.process), default=None)


def _network(scene: Scene, letters: str, near: Iterable[int], bare: Iterable[int]) -> Iterator[_Network]:
    """Network use: alerts of the classes, of processes that are or come from one of `near`, and bare connections of
    those that are or come from one of `bare`."""
    wanted, connecting = set(near), set(bare)
    for mark in scene.of(letters):
        if mark.process is None or mark.placed is None or wanted.isdisjoint(scene.links.lineage(mark.process)):
            continue
        if mark.letter == "R" or mark.placed.destination:
            yield _Network(mark.time, mark.process, mark, mark.placed.alert.title)
    for process in scene.processes if connecting else ():
        made = scene.connections.get(process, ())
        if made and not connecting.isdisjoint(scene.links.lineage(process)):
            for c in made:
                yield _Network(c.time, process, None, f"{c.address}:{c.port} ({c.channel} record {c.record_id})")


def _in_time_order(uses: Iterable[_Network]) -> list[_Network]:
    """Earliest first; an alert before the bare connection of the same moment."""
    return sorted(uses, key=lambda use: (use.time, use.mark is None, use.where))


# ── S3, S7: the injected process ──────────────────────────────────────────────────────────────────────────────────


def loader(scene: Scene, window: timedelta) -> Found | None:
    """S3: delivery or execution, then injection, then network use by the injected process."""
    starts, injections = scene.of("DX"), [m for m in scene.of("I") if m.process is not None]
    if not starts or not injections:
        return None
    targets = {m.process for m in injections if m.process is not None}
    uses: defaultdict[int, list[_Network]] = defaultdict(list)
    for use in _in_time_order(_network(scene, "RI", targets, targets)):
        if use.mark is None or (use.mark.placed and use.mark.placed.destination):
            uses[use.process].append(use)
    ends: list[tuple[Mark, _Network]] = []  # per injection: the earliest network use after it or a later injection
    for injection in reversed(injections):
        own = first_after(uses.get(injection.process or 0, ()), injection.time) or _NEVER
        later = ends[-1] if ends else (injection, _NEVER)
        ends.append((injection, own) if own.time <= later[1].time else later)
    ends.reverse()
    for first in starts:
        at = bisect_left(injections, first.time - SLACK, key=time_of)
        if at < len(ends) and ends[at][1].time <= first.time + window:
            injection, use = ends[at]
            name = scene.links.table[use.process].name
            return use.found((first, injection), f"{name} shows signs of injection and used the network")
    return None


def unaudited_theft(scene: Scene, window: timedelta) -> Found | None:
    """S7: the course of a stealer without its reads, on a host where reads are not logged."""
    if scene.reads_audited or scene.of("C"):
        return None
    steps = (scene.of("IE"), [m for m in scene.of("R") if m.role == "dead-drop"], scene.of("O"))
    for first in scene.of("DX") if all(steps) else ():
        chain = [first]
        for step in steps:
            following = first_after(step, chain[-1].time - SLACK)
            if following is None or following.time > first.time + window:
                break
            chain.append(following)
        else:
            return Found(tuple(chain), "execution, then injection or evasion, a dead drop and an outbound connection; "
                         "credential-store reads are not logged on this host, so act as if they happened")
    return None
