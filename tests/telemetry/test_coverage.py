"""Tally: what was present, what was lost, and that neither can fill memory."""

from __future__ import annotations

import pickle
from datetime import UTC, datetime, timedelta

import pytest

from douse.errors import EvidenceError
from douse.model import Loss, Source
from douse.telemetry import Tally
from douse.telemetry import coverage as coverage_module
from douse.telemetry.coverage import MAX_LOSSES_ALIKE

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
LOG = Source("Security.evtx", format="evtx")


def test_a_record_outside_the_window_is_read_and_no_coverage() -> None:
    tally, other = Tally(in_window=lambda time: time >= NOON), Tally(in_window=lambda time: time >= NOON)
    tally.count("PC1", "Security", 4688, NOON, wanted=True)
    tally.count("PC1", "Security", 4663, NOON - timedelta(days=30), wanted=True)
    other.count("PC2", "Security", 4663, NOON - timedelta(days=30), wanted=False)
    tally.merge(other)
    assert (tally.records_read, tally.records_skipped, tally.records_outside) == (3, 0, 2)
    assert [(c.host, [n.event_id for n in c.counts]) for c in tally.coverage()] == [("PC1", [4688])]


def test_coverage_counts_every_record_also_unwanted_ones() -> None:
    tally = Tally()
    tally.count("PC1", "Security", 4688, NOON, wanted=True)
    tally.count("PC1", "Security", 4688, NOON - timedelta(hours=1), wanted=True)
    tally.count("PC1", "System", 7036, None, wanted=False)
    assert (tally.records_read, tally.records_skipped) == (3, 1)
    (pc1,) = tally.coverage()
    assert pc1.host == "PC1"
    assert [(c.channel, c.event_id, c.records) for c in pc1.counts] == [("Security", 4688, 2), ("System", 7036, 1)]
    assert (pc1.counts[0].first_seen, pc1.counts[0].last_seen) == (NOON - timedelta(hours=1), NOON)
    assert pc1.counts[1].first_seen is None


def test_hosts_and_channels_that_differ_in_case_are_one() -> None:
    tally = Tally()
    tally.count("PC1.corp", "Security", 1, NOON, wanted=True)
    tally.count("pc1.CORP", "security", 1, NOON + timedelta(days=1), wanted=True)
    (host,) = tally.coverage()
    assert (host.host, host.records("SECURITY"), len(host.counts)) == ("PC1.corp", 2, 1)
    assert host.counts[0].last_seen == NOON + timedelta(days=1)


def test_losses_are_kept_and_added_up() -> None:
    tally = Tally()
    tally.lose(Loss(LOG, "chunk 1", "damaged", 69))
    tally.lose(Loss(LOG, "chunk 2", "header destroyed", None))
    assert tally.records_lost == 69
    assert [loss.where for loss in tally.losses] == ["chunk 1", "chunk 2"]


def test_a_million_losses_alike_become_few_and_the_sum_stays() -> None:
    tally = Tally()
    for line in range(1, 10_001):
        tally.lose(Loss(LOG, f"line {line}", "broken JSON", 1))
    assert tally.records_lost == 10_000
    assert len(tally.losses) == coverage_module.MAX_LOSSES_ALIKE
    assert sum(loss.records or 0 for loss in tally.losses) == 10_000
    assert tally.losses[-1].where == "line 100 to line 10000"


def test_strict_raises_the_first_loss_with_place_and_next_step() -> None:
    with pytest.raises(EvidenceError, match=r"Security\.evtx: chunk 12: damaged\. Look elsewhere\."):
        Tally(strict=True).lose(Loss(LOG, "chunk 12", "damaged", 3, "Look elsewhere."))


def test_merge_gives_what_one_tally_would_have_counted() -> None:
    parts = [Tally(), Tally()]
    whole = Tally()
    for number in range(10):
        for tally in (parts[number % 2], whole):
            tally.count("PC1", "Security", number % 3, NOON + timedelta(minutes=number), wanted=number % 2 == 0)
            tally.lose(Loss(LOG, f"chunk {number}", f"reason {number}", number))
            tally.note(f"note {number}")
            tally.ignored += 1
    parts[0].merge(parts[1])
    assert parts[0].coverage() == whole.coverage()
    for name in ("records_read", "records_skipped", "records_lost", "ignored"):
        assert getattr(parts[0], name) == getattr(whole, name)
    assert sorted(parts[0].notes) == sorted(whole.notes)
    assert len(parts[0].losses) == len(whole.losses)


def test_invented_hosts_do_not_fill_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(coverage_module, "MAX_COUNTS", 5)
    tally = Tally()
    for number in range(1_000):
        tally.count(f"host {number}", "Security", 1, NOON, wanted=True)
    counted = tally.coverage()
    assert len(counted) == 6
    assert sum(host.counts[0].records for host in counted) == 1_000


def test_a_tally_that_was_sent_merges_as_one_that_was_not() -> None:
    sent, total, plain = Tally(in_window=lambda time: time.year > 2000), Tally(), Tally()
    sent.follow(lambda: 7)
    for number in range(MAX_LOSSES_ALIKE + 5):
        sent.lose(Loss(Source("a.evtx"), f"chunk {number}", "damaged", 2))
    sent.count("WS-1", "Security", 4688, datetime(2026, 11, 3, tzinfo=UTC), True)
    arrived = pickle.loads(pickle.dumps(sent))
    total.merge(arrived)
    plain.merge(sent)
    assert (total.losses, total.coverage(), total.records_lost) == (plain.losses, plain.coverage(), plain.records_lost)
    assert total.records_read == 1


def test_losses_that_were_added_up_in_parts_are_added_up_as_in_one() -> None:
    parts, total, whole = [Tally(), Tally()], Tally(), Tally()
    for number in range(4 * MAX_LOSSES_ALIKE):
        loss = Loss(Source("a.evtx"), f"chunk {number}", "damaged", 2)
        parts[number // (2 * MAX_LOSSES_ALIKE)].lose(loss)
        whole.lose(loss)
    for part in parts:
        total.merge(part)
    assert total.losses == whole.losses
    assert total.losses[-1].where == "chunk 99 to chunk 399"
