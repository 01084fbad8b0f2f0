"""Hand-written timelines, in seconds: which windows meet a condition, and no other."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.makers import TIME
from douse.detection.correlation.document import Bound, Correlation
from douse.detection.correlation.windows import Hit, windows
from douse.detection.language.documents import Document
from douse.model import LogSource, Rule


def correlation(kind: str, seconds: int, rules: int = 1, percentile: int = 50, **bounds: float) -> Correlation:
    rule = Rule("c", "c", "high", "", LogSource(), "r.yml")
    return Correlation(rule, Document("r.yml", "", 0, None), kind, tuple(f"r{n}" for n in range(rules)), (), seconds,
                       tuple(Bound(word, number) for word, number in bounds.items()), percentile=percentile)


def hits(*at: float | tuple[float, int] | tuple[float, int, str | float]) -> list[Hit]:
    """Matches at a second, of a rule, with a value."""
    made = []
    for number, one in enumerate(at):
        second, member, value = (*(one if isinstance(one, tuple) else (one,)), 0, 0)[:3]
        made.append(Hit(TIME + timedelta(seconds=second), int(member), str(number), value))
    return sorted(made)


def found(made: Sequence[Hit], asked: Correlation) -> list[tuple[int, int, float]]:
    """First and last second of each window, and its value."""
    return [(int((made[w.first].time - TIME).total_seconds()), int((made[w.last].time - TIME).total_seconds()), w.value)
            for w in windows(made, asked)]


def test_a_window_slides_and_is_no_bucket() -> None:
    across_the_hour = hits(3590, 3595, 3605)
    assert found(across_the_hour, correlation("event_count", 60, gte=3)) == [(3590, 3605, 3)]


def test_the_end_of_the_timespan_is_inside_and_a_second_later_is_not() -> None:
    assert found(hits(0, 5, 10), correlation("event_count", 10, gte=3)) == [(0, 10, 3)]
    assert found(hits(0, 5, 11), correlation("event_count", 10, gte=3)) == []


def test_a_burst_is_reported_once_and_a_second_burst_again() -> None:
    burst = [n / 10 for n in range(50)]
    later = [100 + n / 10 for n in range(30)]
    assert found(hits(*burst, *later), correlation("event_count", 60, gte=10)) == [(0, 4, 50), (100, 102, 30)]


def test_an_attack_longer_than_the_timespan_is_reported_once_a_timespan() -> None:
    steady = hits(*range(0, 400, 10))
    assert found(steady, correlation("event_count", 100, gte=5)) == [
        (0, 100, 11), (110, 210, 11), (220, 320, 11), (330, 390, 7)]


def test_a_range_means_the_whole_window_and_not_its_beginning() -> None:
    three, seven = hits(0, 1, 2), hits(*range(7))
    asked = correlation("event_count", 60, gt=2, lte=5)
    assert found(three, asked) == [(0, 2, 3)]
    assert found(seven, asked) == [], "seven events pass through three, four and five on the way"


@pytest.mark.parametrize(("word", "number", "count"), [
    ("eq", 3, 1), ("eq", 2, 0), ("neq", 3, 0), ("neq", 2, 1), ("lt", 4, 1), ("lt", 3, 0), ("lte", 3, 1), ("gt", 3, 0),
    ("gt", 2, 1), ("gte", 3, 1), ("gte", 4, 0)])
def test_every_operator(word: str, number: int, count: int) -> None:
    assert len(found(hits(0, 1, 2), correlation("event_count", 60, **{word: number}))) == count


def test_value_count_counts_different_values_within_the_window_only() -> None:
    """Another tool counted a value that came after the end of the timeframe."""
    timeline = hits((0, 0, "a"), (0, 0, "a"), (0, 0, "b"), (61, 0, "c"))
    assert found(timeline, correlation("value_count", 60, gte=3)) == []
    assert found(timeline, correlation("value_count", 61, gte=3)) == [(0, 61, 3)]


def test_a_value_that_left_the_window_counts_no_more() -> None:
    timeline = hits((0, 0, "a"), (50, 0, "b"), (100, 0, "b"), (101, 0, "c"))
    assert found(timeline, correlation("value_count", 60, gte=3)) == []
    assert found(timeline, correlation("value_count", 60, gte=2)) == [(0, 50, 2), (100, 101, 2)]


def test_sums_means_percentiles_and_medians() -> None:
    timeline = hits((0, 0, 10), (1, 0, 20), (2, 0, 30), (3, 0, 40.5))
    assert found(timeline, correlation("value_sum", 60, gte=100.5)) == [(0, 3, 100.5)]
    assert found(timeline, correlation("value_avg", 60, gt=25)) == [(0, 3, 25.125)]
    assert found(timeline, correlation("value_median", 60, eq=25)) == [(0, 3, 25)]
    assert found(timeline, correlation("value_percentile", 60, percentile=100, gt=40)) == [(0, 3, 40.5)]
    assert found(timeline, correlation("value_percentile", 60, percentile=0, lt=11)) == [(0, 3, 10)]
    assert found(timeline, correlation("value_percentile", 60, percentile=50, gt=25)) == []


def test_a_mean_is_that_of_the_window_and_not_of_its_first_value() -> None:
    assert found(hits((0, 0, 1000), (1, 0, 1)), correlation("value_avg", 60, gt=600)) == []


def test_a_sum_of_fractions_is_exact() -> None:
    tenths = hits(*((n, 0, 0.1) for n in range(10)), (1000, 0, 5), *((1001 + n, 0, 0.1) for n in range(10)))
    whole = [value for _, _, value in found(tenths, correlation("value_sum", 10, gt=0))]
    assert whole == [1.0, 6.0]


@pytest.mark.parametrize(("kind", "of", "number"), [
    ("value_sum", (0.1, 0.1, 0.1), 0.3), ("value_avg", (0.1, 0.2, 0.6), 0.3), ("value_median", (0.1, 0.2), 0.15),
    ("value_percentile", (0.7, 0.7, 0.7), 0.7)])
def test_decimal_numbers_are_those_that_are_written(kind: str, of: tuple[float, ...], number: float) -> None:
    timeline = hits(*((n, 0, value) for n, value in enumerate(of)))
    for word in ("eq", "gte", "lte"):
        assert len(found(timeline, correlation(kind, 60, **{word: number}))) == 1, word
    for word in ("neq", "gt", "lt"):
        assert found(timeline, correlation(kind, 60, **{word: number})) == [], word


def test_the_end_of_the_timespan_is_exact_to_the_microsecond() -> None:
    assert found(hits(0.000001, 5, 10.000001), correlation("event_count", 10, gte=3)) == [(0, 10, 3)]
    assert found(hits(0.000001, 5, 10.000002), correlation("event_count", 10, gte=3)) == []


def test_temporal_wants_each_rule_in_one_window_in_any_order() -> None:
    asked = correlation("temporal", 60, rules=3, gte=3)
    assert found(hits((0, 2), (5, 0), (50, 1)), asked) == [(0, 50, 3)]
    assert found(hits((0, 2), (5, 0), (61, 1)), asked) == []
    assert found(hits((0, 0), (1, 0), (2, 1)), asked) == []


def test_a_rule_that_went_on_before_does_not_hide_a_later_window() -> None:
    asked = correlation("temporal", 60, rules=2, gte=2)
    assert found(hits((0, 0), (40, 0), (90, 1)), asked) == [(40, 90, 2)]


def test_temporal_ordered_checks_every_rule_against_the_one_before() -> None:
    """Another tool compared each rule with the first only, so that A-C-B passed."""
    asked = correlation("temporal_ordered", 60, rules=3, gte=3)
    assert found(hits((0, 0), (1, 1), (2, 2)), asked) == [(0, 2, 3)]
    for order in ((0, 2, 1), (1, 0, 2), (1, 2, 0), (2, 0, 1), (2, 1, 0)):
        assert found(hits(*enumerate(order)), asked) == [], order


def test_others_may_stand_between_the_steps_of_an_order() -> None:
    asked = correlation("temporal_ordered", 60, rules=3, gte=3)
    assert found(hits((0, 2), (1, 0), (2, 0), (3, 2), (4, 1), (5, 0), (6, 2)), asked) == [(0, 6, 3)]


def test_steps_at_one_time_count_as_in_order() -> None:
    asked = correlation("temporal_ordered", 60, rules=3, gte=3)
    assert found(hits((5, 2), (5, 1), (5, 0)), asked) == [(5, 5, 3)]


def test_an_order_must_lie_within_one_window() -> None:
    asked = correlation("temporal_ordered", 60, rules=2, gte=2)
    assert found(hits((0, 0), (61, 1)), asked) == []
    assert found(hits((0, 0), (10, 1)), asked) == [(0, 10, 2)]
    assert found(hits((0, 0), (59, 0), (100, 1)), asked) == [(59, 100, 2)]


def test_a_chain_of_the_window_before_is_not_used_again() -> None:
    asked = correlation("temporal_ordered", 10, rules=2, gte=2)
    assert found(hits((0, 0), (10, 1), (11, 1), (12, 0), (13, 1)), asked) == [(0, 10, 2), (11, 13, 2)]
    assert found(hits((0, 0), (10, 1), (11, 1), (12, 1)), asked) == [(0, 10, 2)]


def test_a_condition_may_want_only_some_of_the_rules() -> None:
    assert found(hits((0, 0), (1, 2)), correlation("temporal", 60, rules=3, gte=2)) == [(0, 1, 2)]
    assert found(hits((0, 0), (1, 2)), correlation("temporal_ordered", 60, rules=3, gte=2)) == [(0, 1, 2)]
    assert found(hits((0, 2), (1, 0)), correlation("temporal_ordered", 60, rules=3, gte=2)) == []


TIMELINES = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 2), st.integers(0, 5)), min_size=1, max_size=25)
KINDS = st.sampled_from(["event_count", "value_count", "value_sum", "value_avg", "value_percentile", "value_median",
                         "temporal", "temporal_ordered"])


@given(TIMELINES, KINDS, st.integers(1, 20), st.integers(1, 6))
def test_what_is_kept_up_to_date_is_what_counting_anew_finds(
        timeline: list[tuple[int, int, int]], kind: str, seconds: int, number: int) -> None:
    asked = correlation(kind, seconds, rules=3, percentile=90, gte=number)
    made = hits(*timeline)
    reported = list(windows(made, asked))
    for window in reported:
        inside = made[window.first : window.last + 1]
        assert inside[-1].time - inside[0].time <= timedelta(seconds=seconds)
        assert window.value == pytest.approx(anew(kind, inside))
        assert window.value >= number
        assert anew(kind, made[window.first : window.met + 1]) >= number - 1e-9
    assert all(before.last < after.first for before, after in pairwise(reported)), "a match belongs to one window"
    if kind in ("event_count", "value_count", "temporal", "temporal_ordered"):
        span = timedelta(seconds=seconds)
        exists = any(anew(kind, [hit for hit in made[start:] if hit.time - made[start].time <= span]) >= number
                     for start in range(len(made)))
        assert bool(reported) is exists


def anew(kind: str, inside: Sequence[Hit]) -> float:
    values = sorted(float(hit.value) for hit in inside)
    match kind:
        case "event_count":
            return len(inside)
        case "value_count":
            return len(set(values))
        case "value_sum":
            return sum(values)
        case "value_avg":
            return sum(values) / len(values)
        case "temporal":
            return len({hit.member for hit in inside})
        case "temporal_ordered":
            return ordered(inside)
    place = (len(values) - 1) * (0.9 if kind == "value_percentile" else 0.5)
    low = int(place + 1e-9)
    return values[low] + (place - low) * (values[min(low + 1, len(values) - 1)] - values[low])


def ordered(inside: Sequence[Hit]) -> int:
    """The longest chain of ever later rules, the simple way."""
    longest: list[int] = []
    for index, hit in enumerate(inside):
        longest.append(1 + max((longest[k] for k in range(index) if inside[k].member < hit.member), default=0))
    return max(longest)


@pytest.mark.parametrize("kind", ["event_count", "value_count", "value_sum", "value_percentile", "temporal",
                                  "temporal_ordered"])
def test_a_long_timeline_takes_linear_time(kind: str) -> None:
    rolling = random.Random(1)
    made = hits(*((n, rolling.randrange(3), rolling.randrange(1000)) for n in range(20_000)))
    assert list(windows(made, correlation(kind, 10_000, rules=4, gte=10**9))) == []
