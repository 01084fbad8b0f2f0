"""Order, numbers, the process tree and times in words, as both the report and the terminal tell them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from douse.detection.ruleset import load_rules
from douse.model import LEVELS
from douse.report import story
from douse.report.document import document
from douse.report.glossary import technique_name
from douse.report.process_tree import MAX_DEPTH
from douse.report.schema import IncidentRow, ProcessRow
from report import sample


def incident() -> IncidentRow:
    return document(sample.lumma())["incidents"][0]


def process(pid: int, parent: int | None, *alerts: str) -> ProcessRow:
    return {"pid": pid, "guid": "", "image": f"C:\\p{pid}.exe", "command_line": "", "user": "", "started": None,
            "parent": parent, "link": "started", "alerts": list(alerts)}  # fmt: skip


def tree_of(*processes: ProcessRow) -> list[tuple[int, tuple[str, ...]]]:
    row = incident() | {"processes": list(processes)}
    return [(branch.row["pid"], branch.rails) for branch in story.tree(row, ())]


def test_only_weak_is_about_levels_of_incidents_and_of_their_steps() -> None:
    (row,) = document(sample.weak())["incidents"]
    assert story.only_weak([row])
    assert not story.only_weak([])
    assert not story.only_weak([row, incident()])
    assert not story.only_weak([row | {"steps": [row["steps"][0] | {"level": "high"}]}])
    assert story.questions([row, row]) == row["next_steps"]


def test_of_too_many_steps_the_strongest_are_told_in_order() -> None:
    steps = story.told(incident(), {})
    assert story.most_telling(steps, len(steps)) == steps
    few = story.most_telling(steps, 3)
    strongest = max(steps, key=lambda step: LEVELS.index(step.row["level"]))
    assert [step.number for step in few] == sorted(step.number for step in few)
    assert len(few) == 3
    assert strongest.number in {step.number for step in few}


def test_every_technique_of_our_rules_has_a_name() -> None:
    techniques = {technique for rule in load_rules([]).rules for technique in rule.rule.techniques}
    assert len(techniques) > 10
    assert [technique for technique in sorted(techniques) if not technique_name(technique)] == []


def test_the_worst_incident_comes_first() -> None:
    whole = document(sample.lumma())
    whole["incidents"].reverse()
    assert [row["level"] for row in story.worst_first(whole)] == ["critical", "low"]


def test_steps_are_numbered_as_the_incident_tells_them_with_their_proof() -> None:
    row = incident()
    steps = story.told(row, story.alerts_by_id(document(sample.lumma())))
    assert [step.number for step in steps] == list(range(1, 12))
    assert steps[0].row["title"] == "A command was pasted into the Run dialog"
    assert [step.offset for step in steps[:3]] == ["start", "+0.6 s", "+4.2 s"]
    assert [alert["event_id"] for alert in steps[1].proof] == [1, 3]
    assert steps[9].proof == ()
    row["steps"][:2] = reversed(row["steps"][:2])  # a cause may be told before an effect that was logged earlier
    assert [step.offset for step in story.told(row, {})[:3]] == ["start", "start", "+4.2 s"]


def test_an_alert_that_is_not_listed_is_no_proof_and_no_crash() -> None:
    assert all(step.proof == () for step in story.told(incident(), {}))


def test_the_tree_names_parents_and_steps() -> None:
    row = incident()
    branches = story.tree(row, story.told(row, story.alerts_by_id(document(sample.lumma()))))
    assert [branch.name for branch in branches] == [
        "explorer.exe", "mshta.exe", "powershell.exe", "cmd.exe", "findstr.exe", "RegAsm.exe",
    ]  # fmt: skip
    assert branches[-1].steps == (5, 6, 7, 8, 9)
    assert branches[-1].parent == "powershell.exe (8104)"
    assert branches[-1].rails == ("blank", "blank", "end")
    assert branches[4].rails == ("blank", "blank", "pass", "end")


def test_a_process_that_is_its_own_ancestor_is_drawn_once() -> None:
    assert [pid for pid, _ in tree_of(process(1, 0), process(2, 2), process(3, 1), process(4, 99))] == [1, 4, 2, 3]


def test_a_chain_of_thousands_stays_drawable() -> None:
    drawn = tree_of(*(process(n, n - 1 if n else None) for n in range(3000)))
    assert len(drawn) == 3000
    assert max(len(rails) for _, rails in drawn) == MAX_DEPTH


def test_no_process_no_tree() -> None:
    assert tree_of() == []


def test_absent_stages_are_told() -> None:
    row = document(sample.lumma())["incidents"][1]
    assert story.stages(row) == ((1, None), (2, None), (3, None))


def test_runs_of_numbers_are_shortened() -> None:
    assert story.ranges([1, 2, 4, 7, 8, 9, 10, 12]) == "1 2 4 7-10 12"
    assert story.ranges([]) == ""


def test_a_script_on_one_line() -> None:
    assert story.one_line("$w = 1\r\n\t$b = 2\n") == "$w = 1 $b = 2"


@pytest.mark.parametrize(
    ("length", "words"),
    [
        (timedelta(milliseconds=400), "under 1 s"),
        (timedelta(seconds=59.6), "1 min"),
        (timedelta(minutes=2, seconds=38), "2 min 38 s"),
        (timedelta(hours=3, seconds=5), "3 h 5 s"),
        (timedelta(days=2, hours=1, minutes=4), "2 d 1 h"),
    ],
)
def test_durations_have_two_units(length: timedelta, words: str) -> None:
    assert story.duration(length) == words


def test_a_time_that_is_none_does_not_stop_a_report() -> None:
    assert story.moment("yesterday\x1b[0m").endswith("1-01-01 00:00:00")
    assert story.moment(None) == "–"
    assert story.moment("2026-11-18T10:14:02+01:00") == "2026-11-18 09:14:02"


def test_what_was_found_in_words() -> None:
    assert story.found(document(sample.lumma())) == "2 incidents on 2 hosts"
    assert story.found(document(sample.empty())) == "No incident found in the telemetry read"


def test_a_hunt_that_could_judge_nothing_says_that_and_no_more() -> None:
    empty = document(sample.empty())
    found_nothing = story.nothing(empty)
    assert found_nothing.title == "No incident found in the telemetry read"
    assert "no proof that nothing happened" in found_nothing.lead
    read_nothing = story.nothing({**empty, "coverage": []})
    assert read_nothing.title == "No event could be judged"
    assert not any("what could not be judged" in step for step in read_nothing.steps)
