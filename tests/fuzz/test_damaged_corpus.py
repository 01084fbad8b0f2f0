"""A thousand damaged event logs: nothing crashes, what is whole is read, and read + lost is what was there.

The normal run takes 156 of them (13 of each kind, by seed), CI and `make fuzz` all.
"""

from __future__ import annotations

import io
import os
from collections import Counter

import pytest

from douse.telemetry import Limits, Tally, Wanted, read_stream
from fuzz.damage import Case, damaged

FILES = 1_000 if os.environ.get("CI") == "true" or int(os.environ.get("DOUSE_FUZZ", "0")) else 156
IN_ONE_TEST = 12


def read(case: Case) -> tuple[Counter[int], Tally]:
    """The record ids of what is read, each field decoded, and the count."""
    tally = Tally()
    found: Counter[int] = Counter()
    for event in read_stream(io.BytesIO(bytes(case.data)), "Damaged.evtx", Wanted.everything(), tally, Limits()):
        assert isinstance(event.fields, dict)
        found[event.record_id] += 1
    assert found.total() == tally.records_read
    return found, tally


@pytest.mark.parametrize("start", range(0, FILES, IN_ONE_TEST))
def test_what_is_whole_is_read_and_the_rest_is_counted(start: int) -> None:
    for seed in range(start, min(start + IN_ONE_TEST, FILES)):
        case, name = damaged(seed)
        found, tally = read(case)
        where = f"damaged({seed}): {name}: {[(loss.where, loss.reason, loss.records) for loss in tally.losses]}"
        assert not case.must - found, where
        assert tally.records_read + tally.records_lost == case.written - case.untold, where
        assert (None in [loss.records for loss in tally.losses]) == (case.untold > 0), where
        if case.harmless:
            assert tally.records_lost == 0, where
            assert found == case.must, where


def test_the_corpus_is_the_same_every_time_and_hurts_what_it_says() -> None:
    cases = [damaged(seed) for seed in range(FILES)]
    assert all(damaged(seed)[0].data == cases[seed][0].data for seed in range(0, FILES, 40))
    names = {part for _, name in cases for part in name.split(" + ")}
    assert len(names) == 12
    changed = sum(case.data != case.log.data for case, _ in cases)
    assert changed > 0.97 * len(cases)  # a wiped stretch may be one that was zeros
    losing = sum(not case.harmless for case, _ in cases)
    assert 0.5 * len(cases) < losing < 0.9 * len(cases)
