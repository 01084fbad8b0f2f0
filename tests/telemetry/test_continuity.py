"""Gaps in record ids and in time, exact and in any order; what speaks against a computer that was off."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from douse.telemetry import continuity as module
from douse.telemetry.continuity import Continuity, HostContinuity, MissingRecords
from douse.telemetry.stretches import MOST

START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
Record = tuple[str, str, int, datetime]


def at(hours: float) -> datetime:
    return START + hours * HOUR


def log(channel: str, ids: range, since: float = 0.0, every: float = 0.01, host: str = "WS-01") -> list[Record]:
    """Records of a channel, one every few hundredths of an hour."""
    return [(host, channel, number, at(since + every * at_)) for at_, number in enumerate(ids)]


def seen(*logs: list[Record], gap: timedelta = 6 * HOUR) -> tuple[HostContinuity, ...]:
    found = Continuity(gap)
    for record in (record for one in logs for record in one):
        found.observe(*record)
    return found.hosts()


def test_a_whole_log_has_no_gap() -> None:
    [host] = seen(log("Security", range(500, 900)))
    [channel] = host.channels
    assert (channel.first_id, channel.last_id, channel.missing, channel.gaps) == (500, 899, 0, ())
    assert (channel.first_seen, channel.last_seen) == (at(0), at(3.99))
    assert (channel.records, channel.silence_count, host.silence_count) == (400, 0, 0)


def test_gaps_in_record_ids_are_exact() -> None:
    records = [record for record in log("Security", range(1, 101)) if not (10 <= record[2] <= 19 or record[2] == 50)]
    [channel] = seen(records)[0].channels
    assert channel.gaps == (MissingRecords(10, 19, at(0.08), at(0.19)), MissingRecords(50, 50, at(0.48), at(0.5)))
    assert [gap.records for gap in channel.gaps] == [10, 1]
    assert (channel.missing, channel.gap_count, channel.ids_known) == (11, 2, True)


def test_order_copies_and_parts_change_nothing() -> None:
    logs = [*log("Security", range(1, 200)), *log("Security", range(260, 400), 30), *log("System", range(5, 60), 31),
            *log("security", range(1, 100), host="ws-01")]
    whole = seen(logs)
    for seed in range(5):
        shuffled = [*logs, *logs[:50]]
        random.Random(seed).shuffle(shuffled)
        parts = [Continuity(6 * HOUR) for _ in range(3)]
        for number, record in enumerate(shuffled):
            parts[number % 3].observe(*record)
        parts[0].merge(parts[2])
        parts[0].merge(parts[1])
        [host], [known] = parts[0].hosts(), whole
        assert [(c.channel, c.gaps, c.missing, c.first_id) for c in host.channels] == [
            (c.channel, c.gaps, c.missing, c.first_id) for c in known.channels]
        assert (host.host, host.silences) == (known.host, known.silences)
        assert [(s.start, s.end) for c in host.channels for s in c.silences] == [
            (s.start, s.end) for c in known.channels for s in c.silences]
    assert [channel.channel for channel in whole[0].channels] == ["Security", "System"]


def test_a_record_without_an_id_is_no_gap() -> None:
    [channel] = seen([("WS-01", "Zeek/conn", 0, at(n)) for n in (0, 1, 2)])[0].channels
    assert (channel.first_id, channel.missing, channel.gaps, channel.records) == (None, None, (), 3)


def test_a_silence_is_odd_where_the_host_went_on_and_the_channel_is_busy() -> None:
    sysmon = [*log("Sysmon", range(1, 500)), *log("Sysmon", range(500, 600), 20)]
    [host] = seen(sysmon, log("Security", range(1, 2_400)))
    silent = {channel.channel: channel.silences for channel in host.channels}
    [silence] = silent["Sysmon"]
    assert (silence.start, silence.end) == (at(4.98), at(20))
    assert silence.active == silence.end - silence.start
    assert silence.expected > 300
    assert silence.odd
    assert silent["Security"] == ()
    assert host.silence_count == 0


def test_a_computer_that_was_off_is_silent_and_not_odd() -> None:
    day = [(log(name, range(1, 500)), log(name, range(500, 900), 20)) for name in ("Sysmon", "Security")]
    [host] = seen(*(part for parts in day for part in parts))
    assert [len(channel.silences) for channel in host.channels] == [1, 1]
    assert not any(one.odd for channel in host.channels for one in channel.silences)
    [off] = host.silences
    assert (off.start, off.end, off.odd) == (at(4.98), at(20), False)


def test_a_second_more_of_another_log_does_not_make_a_night_odd() -> None:
    second = timedelta(seconds=1)
    late = ("WS-01", "Security", 700, at(4.98) + second)
    [host] = seen([*log("Sysmon", range(1, 500)), *log("Sysmon", range(500, 600), 20)],
                  [*log("Security", range(1, 500)), late, *log("Security", range(701, 900), 20)])
    [silence] = next(channel for channel in host.channels if channel.channel == "Sysmon").silences
    assert silence.active == second
    assert not silence.odd


def test_a_channel_that_seldom_speaks_is_not_odd_when_it_is_silent() -> None:
    [host] = seen(log("Defender", range(1, 5), every=8), log("Security", range(1, 3_000)))
    assert [one.odd for one in host.channels[0].silences] == [False] * 3


@pytest.mark.parametrize(("hours", "silences"), [(1.0, 1), (0.5, 1), (2.0, 0)])
def test_the_caller_says_how_long_a_silence_is(hours: float, silences: int) -> None:
    [host] = seen([*log("Security", range(1, 50)), *log("Security", range(50, 90), 2)], gap=hours * HOUR)
    assert host.channels[0].silence_count == silences


def test_more_gaps_than_can_be_kept_are_said_and_bounded() -> None:
    [channel] = seen(log("Security", range(1, 3 * MOST, 2), every=0.0001))[0].channels
    assert not channel.ids_known
    assert channel.times_known
    assert channel.gaps == ()
    assert channel.missing == 3 * MOST // 2 - 1, "at least so many, by counting alone"


def test_the_largest_gaps_are_listed_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_LISTED", 2)
    records = [("WS-01", "Security", number, at(number)) for number in (1, 3, 9, 20, 22)]
    [channel] = seen(records, gap=100 * HOUR)[0].channels
    assert [(gap.first, gap.last) for gap in channel.gaps] == [(4, 8), (10, 19)]
    assert (channel.gap_count, channel.missing) == (4, 17)


def test_hosts_and_stretches_are_bounded_over_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CHANNELS", 3)
    monkeypatch.setattr(module, "MAX_STRETCHES", 10)
    found = Continuity(HOUR)
    for number in range(10):
        for host in ("a", "b", "c", "d"):
            found.observe(host, "Security", 1 + number * (2 if host == "a" else 1), at(0))
    assert found.left_out
    hosts = {one.host: one.channels[0] for one in found.hosts()}
    assert set(hosts) == {"a", "b", "c"}
    assert not hosts["a"].ids_known
    assert hosts["b"].ids_known
    assert hosts["b"].missing == 0
