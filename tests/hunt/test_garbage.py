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
