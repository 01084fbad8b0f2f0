"""What a report takes of many alerts in one pass: the strongest, the proof of its steps, and titles for the rest."""

from __future__ import annotations

from douse.report.document import document
from douse.report.gathered import gather
from douse.report.story import by_level_then_time
from report import sample


def test_the_listed_are_the_strongest_in_time_order() -> None:
    whole = document(sample.crowd(300))
    gathered = gather(whole, whole["incidents"], 50, 20)
    assert list(gathered.listed) == by_level_then_time(whole["alerts"])[:50]
    assert {alert["level"] for alert in gathered.listed} <= {"high", "medium", "low"}


def test_a_step_keeps_no_more_proof_than_it_shows_and_every_title_is_known() -> None:
    whole = document(sample.crowd(300))
    row = whole["incidents"][0]
    ids = [alert["alert_id"] for alert in whole["alerts"]]
    row["steps"][0]["alerts"] = ids
    row["alerts"] = ids
    gathered = gather(whole, whole["incidents"][:1], 5, 3)
    others = {name for step in row["steps"][1:] for name in step["alerts"]}
    assert set(gathered.proof) == {*ids[:3], *others}
    assert gathered.said.keys() == set(ids)
    assert gathered.said[ids[0]] == (whole["alerts"][0]["title"], whole["alerts"][0]["level"])


def test_techniques_of_the_whole_hunt_are_gathered_in_the_same_pass() -> None:
    whole = document(sample.lumma())
    gathered = gather(whole, (), 0, 0)
    assert gathered.listed == ()
    assert gathered.said == {}
    assert {"T1204.002", "T1041", "T1555.003"} <= gathered.techniques
