"""Count what was read and what was lost: records and losses in, one Coverage per host out.

Every readable record is counted, also those nobody wanted, because a hunt must say which telemetry was present
before it may say that nothing was found. Memory is bounded even if the input invents hosts or breaks on every line.
The counterpart, incident/blindspots.py, says what could therefore not be judged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

from douse.errors import EvidenceError
from douse.model import ChannelCount, Coverage, Loss

MAX_LOSSES_ALIKE = 100
"""Losses of one file with the same reason that are listed one by one; later ones are added up in the last of them."""
MAX_COUNTS = 200_000
"""Distinct (host, channel, event id) that are counted apart; a hundred hosts have some 50,000."""
MAX_NOTES = 1_000
THE_REST = ("(more hosts)", "(more channels)", 0)

_Key = tuple[str, str, int]


class _Count:
    """How many records of one key, and from when to when; changed in place, because every record changes it."""

    __slots__ = ("first", "last", "records")

    def __init__(self) -> None:
        self.records = 0
        self.first: datetime | None = None
        self.last: datetime | None = None

    def add(self, records: int, first: datetime | None, last: datetime | None) -> None:
        self.records += records
        if first is not None and (self.first is None or first < self.first):
            self.first = first
        if last is not None and (self.last is None or last > self.last):
            self.last = last


class Tally:
    """What a run has read so far. With `strict`, the first loss raises EvidenceError instead of being counted.

    `in_window` says which times the run judges; a record of another time is counted in `records_read` and
    `records_outside` and is no coverage, because telemetry of last month shows nothing of today.
    `records_lost` adds up what is known; a loss of unknown extent adds nothing to it, so look at `losses` too.
    `ignored` counts files and archive members that are no evidence; `notes` are remarks that change no number.
    """

    def __init__(self, strict: bool = False, in_window: Callable[[datetime], bool] | None = None) -> None:
        self.strict = strict
        self._in_window = in_window
        self.records_read = 0
        self.records_skipped = 0
        self.records_outside = 0
        self.records_lost = 0
        self.losses: list[Loss] = []
        self.ignored = 0
        self.notes: list[str] = []
        self._position: Callable[[], int] | None = None
        self._bytes_done = self._bytes_here = 0
        self._counts: dict[_Key, _Count] = {}
        self._alike: dict[tuple[str, str, str], list[int]] = {}

    def count(self, host: str, channel: str, event_id: int, time: datetime | None, wanted: bool) -> None:
        """Count one readable record."""
        self.records_read += 1
        if self._in_window is not None and time is not None and not self._in_window(time):
            self.records_outside += 1
            return
        if not wanted:
            self.records_skipped += 1
        self._count((host, channel, event_id)).add(1, time, time)

    def _count(self, key: _Key) -> _Count:
        found = self._counts.get(key)
        if found is None:
            if len(self._counts) >= MAX_COUNTS:
                key = THE_REST
            found = self._counts.setdefault(key, _Count())
        return found

    def lose(self, loss: Loss) -> None:
        """Record evidence that could not be read, or raise it as EvidenceError in a strict run."""
        if self.strict:
            raise EvidenceError(f"{loss.source}: {loss.where}" if loss.where else str(loss.source),
                                loss.reason + ".", loss.next_step)
        self.records_lost += loss.records or 0
        alike = self._alike.setdefault((loss.source.path, loss.source.member, loss.reason), [])
        if len(alike) < MAX_LOSSES_ALIKE:
            alike.append(len(self.losses))
            self.losses.append(loss)
            return
        kept = self.losses[alike[-1]]
        known = kept.records is not None or loss.records is not None
        self.losses[alike[-1]] = replace(
            kept, where=f"{kept.where.split(' to ')[0]} to {loss.where.rpartition(' to ')[2]}",
            records=(kept.records or 0) + (loss.records or 0) if known else None)

    @property
    def bytes_read(self) -> int:
        """How far the files have been read, for a progress bar: their bytes on disk, not what they unpack to."""
        if self._position is not None:
            self._bytes_here = max(self._bytes_here, self._position())  # a zip is not read from front to back
        return self._bytes_done + self._bytes_here

    def follow(self, position: Callable[[], int]) -> None:
        """Start to read a file; `position` says how far it is read."""
        self._position = position

    def file_done(self, size: int) -> None:
        """A file is read to its end."""
        self._position, self._bytes_here = None, 0
        self._bytes_done += size

    def note(self, remark: str) -> None:
        """Keep a remark for the reader of the result, once."""
        if remark not in self.notes and len(self.notes) < MAX_NOTES:
            self.notes.append(remark)

    def __getstate__(self) -> dict[str, object]:
        """What was counted travels between processes, to be merged; how to judge a time stays where it is."""
        return {**self.__dict__, "_in_window": None, "_position": None}

    def merge(self, other: Tally) -> None:
        """Add what another tally, of another part of the same run, has counted."""
        self.records_read += other.records_read
        self.records_skipped += other.records_skipped
        self.records_outside += other.records_outside
        self.ignored += other.ignored
        self._bytes_done += other.bytes_read
        for key, count in other._counts.items():
            self._count(key).add(count.records, count.first, count.last)
        for loss in other.losses:
            self.lose(loss)
        for remark in other.notes:
            self.note(remark)

    def coverage(self) -> tuple[Coverage, ...]:
        """One Coverage per host, sorted; hosts and channels that differ only in case are one, spelled as first seen."""
        hosts: dict[str, str] = {}
        channels: dict[str, str] = {}
        folded: dict[str, dict[tuple[str, int], _Count]] = {}
        for (host, channel, event_id), count in self._counts.items():
            hosts.setdefault(host.lower(), host)
            channels.setdefault(channel.lower(), channel)
            of_host = folded.setdefault(host.lower(), {})
            of_host.setdefault((channel.lower(), event_id), _Count()).add(count.records, count.first, count.last)
        return tuple(
            Coverage(hosts[host], tuple(
                ChannelCount(channels[channel], event_id, count.records, count.first, count.last)
                for (channel, event_id), count in sorted(counts.items(), key=lambda item: item[0])))
            for host, counts in sorted(folded.items())
        )
