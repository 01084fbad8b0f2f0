"""Noise dilutes a scenario and changes nothing in it."""

import itertools

import pytest

from douse.content.scenarios import load_scenario
from douse.simulate.noise import noise
from douse.simulate.play import Scene, play
from douse.simulate.run import scenario_records


@pytest.mark.parametrize("count", [0, 1, 2, 500, 5000])
def test_exactly_so_many_records_in_order_of_time(count: int) -> None:
    scenario = load_scenario("lumma-clickfix")
    made = list(noise(scenario, Scene(scenario, 1), count, 1))
    assert len(made) == count
    assert all(earlier.time <= later.time for earlier, later in itertools.pairwise(made))


def test_noise_surrounds_the_scenario() -> None:
    scenario = load_scenario("lumma-clickfix")
    scene = Scene(scenario, 1)
    told = play(scenario, scene)
    times = [record.time for record in noise(scenario, scene, 3000, 1)]
    before = sum(time < told[0].time for time in times)
    after = sum(time > told[-1].time for time in times)
    assert before > 500
    assert after > 500
    assert len(times) - before - after > 50


def test_the_scenario_is_the_same_within_it() -> None:
    scenario = load_scenario("cracked-installer")
    alone = [record.data for record in scenario_records(scenario, 6)]
    within = iter([record.data for record in scenario_records(scenario, 6, 2000)])
    assert all(data in within for data in alone)


def test_a_host_that_does_not_audit_reads_has_none_in_its_noise() -> None:
    silent, audited = load_scenario("lumma-clickfix-no-audit"), load_scenario("lumma-clickfix")
    assert {r.event_id for r in noise(silent, Scene(silent, 1), 2000, 1)} >= {1, 3, 4624, 4688}
    assert 4663 not in {r.event_id for r in noise(silent, Scene(silent, 1), 2000, 1)}
    assert 4663 in {r.event_id for r in noise(audited, Scene(audited, 1), 2000, 1)}
