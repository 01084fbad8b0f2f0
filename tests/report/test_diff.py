"""What changed between two hunts: incidents known again, and silence told as silence."""

from __future__ import annotations

import copy
from typing import Any

from douse.report.diff import compare
from douse.report.diff_text import as_markdown, as_text
from report import exported

OLD = exported.rich()


def changed(change: Any, old: exported.Document = OLD) -> Any:
    new = copy.deepcopy(OLD)
    change(new)
    return compare(old, new)


def states(difference: Any) -> list[tuple[str, str]]:
    return [(one["state"], one["incident_id"]) for one in difference["incidents"]]


def test_the_same_twice_is_no_change() -> None:
    same = compare(OLD, OLD)
    assert {one["state"] for one in same["incidents"]} == {"same"}
    assert (same["rules"], same["hosts"], same["highest_new"]) == ([], [], "")
    assert b"Nothing changed" in b"".join(as_text(same))


def test_everything_is_new_against_nothing() -> None:
    new = compare(exported.empty(), OLD)
    assert {one["state"] for one in new["incidents"]} == {"new"}
    assert new["highest_new"] == "critical"
    assert sum(one["new"] for one in new["rules"]) == len(OLD["alerts"])


def test_an_incident_is_known_by_what_it_supersedes_and_by_its_alerts() -> None:
    first = OLD["incidents"][0]["incident_id"]

    def renamed(new: Any, supersedes: list[str], alerts: list[str]) -> None:
        new["incidents"][0].update(incident_id="other", supersedes=supersedes, alerts=alerts)

    for supersedes, alerts in (([first], ["x"]), ([], OLD["incidents"][0]["alerts"][:1])):
        found = changed(lambda new, s=supersedes, a=alerts: renamed(new, s, a))
        one = next(one for one in found["incidents"] if one["incident_id"] == "other")
        assert (one["state"], one["before"]) == ("changed", [first])
    found = changed(lambda new: renamed(new, [], ["x"]))
    assert {("new", "other"), ("gone", first)} <= set(states(found))


def test_a_level_that_rose_counts_as_new() -> None:
    old = copy.deepcopy(OLD)
    old["incidents"][0]["level"] = "low"
    one = compare(old, OLD)["incidents"][0]
    assert (one["state"], one["level_before"], one["level"]) == ("changed", "low", "critical")
    assert compare(old, OLD)["highest_new"] == "critical"
    assert compare(OLD, old)["highest_new"] == ""


def test_new_indicators_and_stores() -> None:
    old = copy.deepcopy(OLD)
    old["incidents"][0].update(indicators=[], stores=[])
    one = next(one for one in compare(old, OLD)["incidents"] if one["state"] == "changed")
    assert "203[.]0[.]113[.]41" in one["new_indicators"]
    assert any("Chrome observed" in name for name in one["new_stores"])


def test_a_host_that_no_longer_reports_is_told() -> None:
    host = OLD["incidents"][0]["host"]

    def silent(new: Any) -> None:
        new["coverage"] = [row for row in new["coverage"] if row["host"] != host]
        new["incidents"] = [row for row in new["incidents"] if row["host"] != host]

    found = changed(silent)
    assert ("no longer reports", host) in {(one["state"], one["host"]) for one in found["hosts"]}
    assert all("no longer reports" in one["remark"] for one in found["incidents"] if one["host"] == host)
    assert b"no longer reports; nothing found on it means nothing" in b"".join(as_text(found))


def test_a_lost_channel_is_told() -> None:
    channel = OLD["coverage"][0]["channels"][0]["channel"]

    def quiet(new: Any) -> None:
        for row in new["coverage"][0]["channels"]:
            row["records"] = 0 if row["channel"] == channel else row["records"]

    found = changed(quiet)
    assert {"host": OLD["coverage"][0]["host"], "state": "reports less", "lost": [channel]} in found["hosts"]


def test_other_rules_and_a_shorter_time_are_remarked() -> None:
    def other(new: Any) -> None:
        new["provenance"]["rules_hash"] = "other"
        new["summary"]["first_event"] = "2027-01-01T00:00:00Z"

    notes = " ".join(changed(other)["notes"])
    assert "used different rules" in notes
    assert "begin later" in notes


def test_hostile_names_act_nowhere() -> None:
    for write in (as_text, as_markdown):
        text = b"".join(write(compare(exported.empty(), exported.hostile()))).decode()
        assert "\x1b" not in text
        assert "\u202e" not in text
