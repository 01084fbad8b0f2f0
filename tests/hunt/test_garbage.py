"""The collector is slowed for a hunt, and set back afterwards whatever happened."""

from __future__ import annotations

import gc

import pytest

from douse.hunt.garbage import SELDOM, seldom_collecting


def test_the_collector_is_slowed_and_set_back() -> None:
    before = gc.get_threshold()
    with seldom_collecting():
        assert gc.get_threshold() == SELDOM
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_it_is_set_back_after_an_error() -> None:
    before = gc.get_threshold()
    with pytest.raises(KeyError), seldom_collecting():
        raise KeyError
    assert gc.get_threshold() == before


def test_hunts_at_the_same_time_leave_it_as_it_was_in_whatever_order_they_end() -> None:
    before = gc.get_threshold()
    one, other = seldom_collecting(), seldom_collecting()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert gc.get_threshold() == SELDOM
    assert gc.get_freeze_count() > 0
    other.__exit__(None, None, None)
    assert gc.get_threshold() == before
    assert gc.get_freeze_count() == 0


def test_what_the_program_froze_itself_stays_frozen() -> None:
    gc.freeze()
    try:
        frozen = gc.get_freeze_count()
        with seldom_collecting():
            kept = [[] for _ in range(100)]
        assert frozen - 50 < gc.get_freeze_count() <= frozen, "some of it may have gone meanwhile"
        assert len(kept) == 100
    finally:
        gc.unfreeze()
