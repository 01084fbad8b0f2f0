from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from douse.telemetry.stretches import Gap, Stretches

NUMBERS = st.lists(st.integers(0, 60), max_size=60)


def filled(numbers: list[int], reach: int = 1, most: int = 1_000) -> Stretches:
    found = Stretches(reach, most)
    for number in numbers:
        found.add(number, number * 10)
    return found


def slowly(numbers: list[int], reach: int) -> list[Gap]:
    """The gaps as one would find them by hand."""
    ordered = sorted(set(numbers))
    return [Gap(a, b, a * 10, b * 10) for a, b in itertools.pairwise(ordered) if b - a > reach]


@given(NUMBERS, st.integers(1, 5), st.randoms())
def test_gaps_are_those_one_finds_by_hand_in_any_order(numbers: list[int], reach: int, chance) -> None:
    expected = slowly(numbers, reach)
    found = filled(numbers, reach)
    chance.shuffle(numbers)
    again = filled(numbers, reach)
    for one in (found, again):
        assert list(one.gaps()) == expected
        assert (one.first, one.last, one.count) == (
            min(numbers, default=None), max(numbers, default=None), len(numbers))
    assert list(found.spans()) == list(again.spans())


@given(NUMBERS, NUMBERS, st.integers(1, 5))
def test_two_merge_to_what_one_would_have_seen(some: list[int], others: list[int], reach: int) -> None:
    merged = filled(some, reach)
    merged.merge(filled(others, reach))
    whole = filled(some + others, reach)
    assert list(merged.gaps()) == list(whole.gaps())
    assert (merged.first, merged.last, merged.count) == (whole.first, whole.last, whole.count)


def test_marks_of_one_number_keep_the_outer_ones() -> None:
    found = Stretches(1)
    for number, mark in ((5, 30), (5, 10), (5, 20), (9, 50), (9, 70), (9, 60)):
        found.add(number, mark)
    assert list(found.gaps()) == [Gap(5, 9, 30, 50)]


def test_beyond_the_bound_only_ends_and_count_are_known() -> None:
    found = filled(list(range(0, 20, 2)), most=10)
    assert found.known
    found.add(100, 1)
    assert not found.known
    found.add(50, 1)
    assert list(found.gaps()) == list(found.spans()) == []
    assert (found.first, found.last, found.count, len(found)) == (0, 100, 12, 0)


def test_what_is_unknown_in_one_part_is_unknown_in_the_whole() -> None:
    found = filled([1, 2])
    found.merge(filled([10, 20, 30], most=2))
    assert not found.known
    assert (found.first, found.last, found.count) == (1, 30, 5)
