"""Whether logs are whole: every record's id and time in, per host and channel the gaps in both out.

Windows numbers the records of a channel one by one and goes on counting after a log was cleared, so a missing number is
a record that was there. It may have been filtered out on export, lost to damage, or lie in another file; that it was
removed is one explanation among several. Network logs and rows of Defender have no such numbers, only times.

A silence is a span without records that is longer than the caller's `gap`. A computer that is off logs nothing at all;
so what counts is how long other channels of the host went on meanwhile. Where by its own average the channel would have
had EXPECTED records or more in that time, the silence is `odd`. Gaps and silences are kept as stretches (stretches.py),
bounded for each channel and over all.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from douse.telemetry.stretches import Gap, Stretches

MAX_CHANNELS: Final = 20_000
"""Channels of hosts that are followed, about 1 KB each; a hundred hosts have some 5,000."""
MAX_STRETCHES: Final = 200_000
"""Stretches over all channels, about 40 MB. A channel that needs one more gives its own up."""
MAX_LISTED: Final = 50
"""Gaps, and silences, of one channel that are listed, the largest first; all are counted."""
EXPECTED: Final = 20.0
"""Records that a silent channel would have had by its average, so that chance alone does not explain the silence."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class MissingRecords:
    """Record ids `first` to `last` are not there; the records around them are of the times `after` and `before`."""

    first: int
    last: int
    after: datetime
    before: datetime

    @property
    def records(self) -> int:
        """How many."""
        return self.last - self.first + 1


@dataclass(frozen=True, slots=True)
class Silence:
    """A span without records. `active` is how long other channels of the host went on meanwhile, and `expected` how
    many records there would have been in that time by the channel's average."""

    start: datetime
    end: datetime
    active: timedelta
    expected: float

    @property
    def odd(self) -> bool:
        """Whether the silence needs an explanation."""
        return self.expected >= EXPECTED


@dataclass(frozen=True, slots=True)
class ChannelContinuity:
    """One channel of a host. `missing` is how many record ids between the first and the last are not there, at least;
    None where the channel has none. `ids_known` and `times_known` are false where there were more gaps than can be
    kept: then none is listed. `gaps` and `silences` are in order, `gap_count` and `silence_count` count all."""

    channel: str
    records: int
    first_seen: datetime
    last_seen: datetime
    first_id: int | None
    last_id: int | None
    missing: int | None
    gap_count: int
    gaps: tuple[MissingRecords, ...]
    ids_known: bool
    silence_count: int
    silences: tuple[Silence, ...]
    times_known: bool


@dataclass(frozen=True, slots=True)
class HostContinuity:
    """All channels of a host, and the spans in which none of them has a record."""

    host: str
    first_seen: datetime
    last_seen: datetime
    channels: tuple[ChannelContinuity, ...]
    silence_count: int
    silences: tuple[Silence, ...]


class _Track:
    """What was seen of one channel of one host."""

    __slots__ = ("channel", "host", "ids", "times")

    def __init__(self, host: str, channel: str, reach: int) -> None:
        self.host, self.channel = host, channel
        self.ids, self.times = Stretches(1), Stretches(reach)


class Continuity:
    """Follows every channel of every host. `left_out` says that there were more than MAX_CHANNELS."""

    def __init__(self, gap: timedelta) -> None:
        self._reach = gap // _MICROSECOND
        self._tracks: dict[tuple[str, str], _Track] = {}
        self._by_name: dict[tuple[str, str], _Track] = {}
        self._kept = 0
        self.left_out = False

    def observe(self, host: str, channel: str, record_id: int, time: datetime) -> None:
        """See a record; id 0 is none. Names that differ only in case are one, spelled as the first in sort order."""
        track = self._track(host, channel)
        if track is None:
            return
        moment = (time - _EPOCH) // _MICROSECOND
        before = len(track.ids) + len(track.times)
        if record_id > 0:
            track.ids.add(record_id, moment)
        track.times.add(moment, moment)
        self._count(track, before)

    def merge(self, other: Continuity) -> None:
        """Add what another one has seen, of another part of the same logs and with the same `gap`."""
        self.left_out = self.left_out or other.left_out
        for theirs in other._tracks.values():
            track = self._track(theirs.host, theirs.channel)
            if track is not None:
                before = len(track.ids) + len(track.times)
                track.ids.merge(theirs.ids)
                track.times.merge(theirs.times)
                self._count(track, before)

    def hosts(self) -> tuple[HostContinuity, ...]:
        """What is whole and what is not, by host and channel."""
        by_host: defaultdict[str, list[_Track]] = defaultdict(list)
        for (host, _), track in self._tracks.items():
            by_host[host].append(track)
        return tuple(_of_host(tracks, self._reach) for _, tracks in sorted(by_host.items()))

    def _track(self, host: str, channel: str) -> _Track | None:
        track = self._by_name.get((host, channel))
        return track if track is not None else self._named(host, channel)

    def _named(self, host: str, channel: str) -> _Track | None:
        """The track of names in a spelling that is new, None where no more are followed."""
        key = host.lower(), channel.lower()
        track = self._tracks.get(key)
        if track is None:
            if len(self._tracks) >= MAX_CHANNELS:
                self.left_out = True
                return None
            track = self._tracks[key] = _Track(host, channel, self._reach)
        track.host, track.channel = min(track.host, host), min(track.channel, channel)
        if len(self._by_name) >= 2 * MAX_CHANNELS:
            self._by_name.clear()
        self._by_name[host, channel] = track
        return track

    def _count(self, track: _Track, before: int) -> None:
        self._kept += len(track.ids) + len(track.times) - before
        if self._kept > MAX_STRETCHES:
            self._kept -= len(track.ids) + len(track.times)
            track.ids.give_up()
            track.times.give_up()


class _Activity:
    """When a host logged anything at all: how long between two moments, in microseconds."""

    def __init__(self, together: Stretches) -> None:
        self._starts, self._before = [], [0]
        for start, end in together.spans():
            self._starts.append(start)
            self._before.append(self._before[-1] + end - start)

    def between(self, start: int, end: int) -> int:
        """How long the host was active between two moments."""
        return self._until(end) - self._until(start)

    def _until(self, moment: int) -> int:
        at = bisect_right(self._starts, moment)
        if not at:
            return 0
        return min(self._before[at - 1] + moment - self._starts[at - 1], self._before[at])


def _of_host(tracks: list[_Track], reach: int) -> HostContinuity:
    together = Stretches(reach)
    for track in tracks:
        together.merge(track.times)
    activity = _Activity(together)
    channels = tuple(_of_channel(track, activity) for track in sorted(tracks, key=lambda track: track.channel.lower()))
    silences = [Silence(_time(gap.before), _time(gap.after), timedelta(), 0.0) for gap in together.gaps()]
    return HostContinuity(
        min(track.host for track in tracks), min(one.first_seen for one in channels),
        max(one.last_seen for one in channels), channels, len(silences), _longest(silences))


def _of_channel(track: _Track, activity: _Activity) -> ChannelContinuity:
    ids, times = track.ids, track.times
    first, last = times.first or 0, times.last or 0
    gaps = [MissingRecords(gap.before + 1, gap.after - 1, _time(gap.mark_before), _time(gap.mark_after))
            for gap in ids.gaps()]
    pace = times.count / max(activity.between(first, last), 1)
    silences = [_silence(gap, pace, activity.between(gap.before, gap.after)) for gap in times.gaps()]
    return ChannelContinuity(
        track.channel, times.count, _time(first), _time(last), ids.first, ids.last, _missing(ids, gaps), len(gaps),
        tuple(sorted(sorted(gaps, key=lambda gap: (-gap.records, gap.first))[:MAX_LISTED], key=lambda gap: gap.first)),
        ids.known, len(silences), _longest(silences), times.known)


def _missing(ids: Stretches, gaps: Iterable[MissingRecords]) -> int | None:
    """How many ids are not there; where the gaps are not known, what not even records without a repetition can fill."""
    if ids.first is None or ids.last is None:
        return None
    if ids.known:
        return sum(gap.records for gap in gaps)
    return max(ids.last - ids.first + 1 - ids.count, 0)


def _silence(gap: Gap, pace: float, active: int) -> Silence:
    return Silence(_time(gap.before), _time(gap.after), timedelta(microseconds=active), round(active * pace, 1))


def _longest(silences: list[Silence]) -> tuple[Silence, ...]:
    """Those that are listed: odd ones before others, longer before shorter; in order of time."""
    chosen = sorted(silences, key=lambda one: (not one.odd, one.start - one.end, one.start))[:MAX_LISTED]
    return tuple(sorted(chosen, key=lambda one: one.start))


def _time(moment: int) -> datetime:
    return _EPOCH + timedelta(microseconds=moment)
