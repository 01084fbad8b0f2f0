"""Whether a host was watched: what was seen of it and the inventory's line in, a HostCoverage with its reason out.

A host is covered only where both kinds of telemetry were there: starts of processes, and connections, of whatever
program, with the program that made them. Its log must begin by the first day of the window. A day without any record
counts as switched off, up to OFF_DAYS in a row and for LEAST of the window, as an office computer is at a weekend; of a
server, and of any host that recorded anything else on that day, it counts as missing. That the host was off is a guess
that no log can prove, so the days are told. Where two computers go by one name of the inventory neither is covered, as
one would fill the other's gaps.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from math import ceil
from typing import Final

from douse.harden.preflight.result import HostCoverage
from douse.harden.preflight.runs import later
from douse.harden.preflight.watch import SYSMON_NETWORK, HostSeen
from douse.hunt.names import short_name
from douse.incident.addresses import address_of
from douse.model import Asset

OFF_DAYS: Final = 4
"""Days without a record, one after another, that an office computer may be off: a long weekend."""
LEAST: Final = 0.6
"""Share of the window's days that must have records: 18 of 30."""
ALWAYS_ON: Final = re.compile(r"server|controller|hypervisor|terminal|citrix|\b(?:dc|rds|rdsh|srv)\d*\b")
"""What a role says of a computer that nobody switches off at night."""
MAX_NAMED: Final = 3

_UNRELATED: Final = "its records show neither starts of programs nor connections"


@dataclass(frozen=True, slots=True)
class Window:
    """The days that count, both included, in UTC."""

    first: date
    last: date

    @classmethod
    def ending(cls, until: datetime, days: int) -> Window:
        """The window whose last day holds the last moment before `until`."""
        return cls.holding(later(until, -timedelta(microseconds=1)), days)

    @classmethod
    def holding(cls, time: datetime, days: int) -> Window:
        """The window whose last day holds a moment."""
        last = time.date()
        return cls(date.fromordinal(max(last.toordinal() - days + 1, 1)), last)

    @property
    def begin(self) -> datetime:
        """The first moment of the first day."""
        return datetime(self.first.year, self.first.month, self.first.day, tzinfo=UTC)

    @property
    def end(self) -> datetime:
        """The first moment after the last day; of the last day there is, its last moment."""
        return later(datetime(self.last.year, self.last.month, self.last.day, 23, 59, 59, 999_999, tzinfo=UTC),
                     timedelta(microseconds=1))

    @property
    def ordinals(self) -> range:
        """The days as numbers."""
        return range(self.first.toordinal(), self.last.toordinal() + 1)


def coverage_of(name: str, asset: Asset, seen: Sequence[HostSeen], window: Window,
                on: Set[int] | None = None) -> HostCoverage:
    """How well one host of the inventory was watched. `seen` is what logs say under its names, mostly one; `on` are
    days on which it wrote records of whatever kind, None where it wrote none."""
    network, process = _days(one.network for one in seen), _days(one.process for one in seen)
    firsts = [one.first for one in seen if one.first]
    lasts = [one.last for one in seen if one.last]
    days = set(window.ordinals)
    first = min(firsts, default=None)
    why = _why(seen, network, process, window) if seen or on is None else _UNRELATED
    if not why:
        any_day = {day for one in seen for day in one.days} | (on or set())
        why = _missing(network, process, any_day, window, always_on=_is_always_on(asset))
    off = 0 if why else len(days - network)
    said = f"{len(days & network)} of {len(days)} days"
    said += f"; no record on {off}, counted as switched off" if off else ""
    return HostCoverage(
        name, asset.owner, _sources(one.network for one in seen), _sources(one.process for one in seen),
        len(days & network), len(days & process), first, max(lasts, default=None), not why, why or said, off)


def showing_days(seen: Iterable[HostSeen], *, sysmon: bool) -> set[int]:
    """The days on which a connection of the program would have been recorded, because those of others were. With
    `sysmon`, Sysmon counts, whose configuration says of whose connections it writes."""
    return _days({name: days for name, days in one.network.items() if sysmon or name != SYSMON_NETWORK} for one in seen)


def _several(seen: Iterable[HostSeen]) -> list[str]:
    """The names of different computers that records give to one of the inventory; empty where they fit one."""
    names = sorted({name for one in seen if not address_of(name := one.name.lower().rstrip("."))})
    whole = [name for name in names if "." in name]
    return names if len(whole) > 1 or len(set(map(short_name, names))) > 1 else []


def _why(seen: Sequence[HostSeen], network: set[int], process: set[int], window: Window) -> str:
    """What is missing altogether; empty where nothing is."""
    if not seen:
        return "no record of this host was read"
    several = _several(seen)
    if several:
        more = f" and {len(several) - MAX_NAMED} more" if len(several) > MAX_NAMED else ""
        return (f"records of several computers go by this name or address ({', '.join(several[:MAX_NAMED])}{more}): "
                "list each by its whole name")
    if not network & set(window.ordinals):
        names = sorted({name for one in seen for name in one.process})
        with_sysmon = "; Sysmon is there and records no connections (its event 3 is off by default)"
        return "no connection of any program was recorded" + (with_sysmon if "Sysmon 1" in names else "")
    if not process & set(window.ordinals):
        return "no start of any program was recorded"
    if any(one.trimmed for one in seen):
        return "more records of the program than are kept: the oldest were forgotten, so its uses are not complete"
    begins = date.fromordinal(max(min(network), min(process)))
    if begins > window.first:
        return f"its log begins on {begins}, and the window on {window.first}"
    return ""


def _missing(network: set[int], process: set[int], any_day: set[int], window: Window, *, always_on: bool) -> str:
    """Which days are missing; empty where the host was watched."""
    days = set(window.ordinals)
    for kind, own in (("connections", network), ("starts of programs", process)):
        lacking = sorted((days & any_day) - own)
        if lacking:
            return f"no {kind} were recorded on {_listed(lacking)}, while other records were"
        longest = _longest_gap(own, window)
        if always_on and longest:
            return f"no {kind} were recorded on {_listed(sorted(days - own))}, and its role is one that is always on"
        if longest > OFF_DAYS:
            return f"no {kind} were recorded for {longest} days in a row"
        if len(days & own) < ceil(LEAST * len(days)):
            return f"{kind} were recorded on {len(days & own)} of {len(days)} days"
    return ""


def _longest_gap(own: set[int], window: Window) -> int:
    longest = run = 0
    for day in window.ordinals:
        run = 0 if day in own else run + 1
        longest = max(longest, run)
    return longest


def _listed(days: Sequence[int]) -> str:
    shown = ", ".join(date.fromordinal(day).isoformat() for day in days[:3])
    return f"{shown} and {len(days) - 3} more days" if len(days) > 3 else shown


def _days(sources: Iterable[dict[str, set[int]]]) -> set[int]:
    return {day for by_name in sources for days in by_name.values() for day in days}


def _sources(sources: Iterable[dict[str, set[int]]]) -> tuple[str, ...]:
    return tuple(sorted({name for by_name in sources for name in by_name}))


def _is_always_on(asset: Asset) -> bool:
    return ALWAYS_ON.search(asset.role.lower().replace("_", " ")) is not None
