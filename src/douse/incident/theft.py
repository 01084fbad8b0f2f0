"""The sequences about credential stores: S4 (several kinds), S5 (accessed and sent), S6 (intrusion, then access).

Two deviations from the threat model's table, both because ordinary software does the same:

- S5 gives critical only where more stands beside it: two sub-families, counted bytes that went out, or reliable
  evidence of delivery, execution, evasion, injection, control or a vendor's verdict. Else it is high: a portable
  password manager that was started from Downloads opens its one file and looks for an update, and no log tells that
  from a thief who reads one file. The Windows vault alone never gives more than high, since ordinary programs ask it
  (the table says so of S6).
- A program that Windows runs as a service from Program Files and that shows nothing else is an unlisted backup or
  protection agent, which reads every store (S4) and sends what it reads (S5). Its reads and connections still score.
"""

from __future__ import annotations

from collections import defaultdict
from datetime import timedelta

from douse.incident.entities import image_name
from douse.incident.link import Links
from douse.incident.marks import Mark
from douse.incident.people import is_system
from douse.incident.places import in_program_files, user_writable
from douse.incident.processes import SLACK
from douse.incident.scene import (
    HEURISTIC,
    Found,
    Scene,
    by_store,
    each_store,
    first_after,
    is_medium,
    kinds,
    two_stores,
)

BESIDE = "DXEIRV"
"""The classes of which one beside reads says that the reader is no ordinary program."""

VAULT = "vault"


def several_stores(scene: Scene, window: timedelta) -> Found | None:
    """S4: two kinds of store by one process."""
    by_process: defaultdict[int, list[Mark]] = defaultdict(list)
    for mark in _thefts_by_strangers(scene):
        if mark.process is not None:
            by_process[mark.process].append(mark)
    found = [(reads[0].time, process, reads) for process, marks in by_process.items()
             if (reads := two_stores(marks, marks, window))]
    if not found:
        return None
    _, process, reads = min(found, key=lambda f: f[:2])
    name, seconds = scene.links.table[process].name, round(window.total_seconds())
    return Found(reads, f"{name} accessed {kinds(reads)} within {seconds} s")


def theft_and_transfer(scene: Scene, window: timedelta, ahead: timedelta) -> Found | None:
    """S5: an access, and a connection of the reader or of what it started; a full one before an earlier lesser one."""
    thefts = _thefts_by_strangers(scene)
    stores = by_store(thefts)
    beside = any(is_medium(m) and m.alert is not None and m.alert.fidelity >= HEURISTIC for m in scene.of(BESIDE))
    lesser: Found | None = None
    for out in scene.of("O"):
        read = first_after(thefts, out.time - window)
        if not read or not out.outbound or read.time > out.time + ahead:
            continue
        reads = each_store(stores, read.time, out.time + ahead)
        what = out.outbound.amount if out.outbound.is_upload else f"possible exfiltration ({out.outbound.amount})"
        said = f"{kinds(reads)} accessed; {what}: {out.outbound.evidence}"
        if len(reads) > 1 or (reads[0].store != VAULT and (beside or out.outbound.is_upload)):
            return Found((*reads, out), said)
        lesser = lesser or Found((*reads, out), f"{said}; {_why_lesser(reads)}", degree="alone")
    return lesser


def _why_lesser(reads: list[Mark]) -> str:
    if reads[0].store == VAULT:
        return "ordinary programs ask the Windows vault too"
    return "one kind of store, and nothing else speaks against the program"


def intrusion_and_theft(scene: Scene, window: timedelta) -> Found | None:
    """S6: an execution or injection alert, then reads: of two sub-families, or of one by a program in a user's folder.

    The Windows vault alone is not enough: ordinary programs ask it.
    """
    starts = [m for m in scene.of("DXI") if is_medium(m)]
    thefts = scene.thefts() if starts else []
    strangers = [m for m in thefts if m.store != VAULT and m.process is not None
                 and user_writable(scene.links.table[m.process].image)]
    several = two_stores(starts, thefts, window)
    if several:
        return Found(several, f"after signs of intrusion, {kinds(several[1:])} were accessed")
    for first in starts:
        read = first_after(strangers, first.time - SLACK)
        if read is None:
            break
        if read.time <= first.time + window:
            return Found((first, read), "after signs of intrusion, a program in a folder that users can write to "
                         f"accessed {kinds((read,))}")
    return None


def _thefts_by_strangers(scene: Scene) -> list[Mark]:
    """The thefts, without those of an installed service that shows nothing else."""
    thefts = scene.thefts()
    if scene.of(BESIDE):
        return thefts
    return [m for m in thefts if m.process is None or not _is_installed_service(m.process, scene.links)]


def _is_installed_service(process: int, links: Links) -> bool:
    """Whether Windows' own account runs it as a service from a folder that only administrators can write to."""
    ran = links.table[process]
    parent = image_name(links.table[ran.parent].image).lower() if ran.parent is not None else ""
    return parent == "services.exe" and in_program_files(ran.image) and is_system(ran.user_sid, ran.user_name)
