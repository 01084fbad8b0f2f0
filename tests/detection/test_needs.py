"""Rules that need a field which none of their records has: reported idle, and never one that could fire."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection.generated import DETECTIONS, VALUES
from detection.makers import SYSMON, compiled, event, loaded, rule_text
from douse.detection.language.decision import decision
from douse.detection.language.documents import Mistake
from douse.detection.logsource import Route
from douse.detection.needs import lacking
from douse.detection.view import View
from douse.model import Value

FILE_EVENT = {"product": "windows", "category": "file_event"}
LOGON = {"product": "windows", "service": "security"}


def idle(selection: Any, logsource: dict[str, str], condition: str = "s", **more: Any) -> str:
    return compiled(rule_text({"s": selection, **more, "condition": condition}, logsource)).idle


@pytest.mark.parametrize(("selection", "fields"), [
    ({"Image": "a", "CommandLine|contains": "b"}, "CommandLine, a field"),
    ({"commandline|re": "b"}, "commandline, a field"),
    ([{"CommandLine": "a"}, {"ParentImage": "b"}], "CommandLine and ParentImage, fields"),
    ({"ParentImage|exists": True}, "ParentImage, a field"),
    ({"ParentImage|fieldref": "Image"}, "ParentImage, a field"),
    ({"ParentImage|neq": None}, "ParentImage, a field"),
])
def test_a_rule_that_needs_what_its_records_lack_is_idle_and_says_which(selection: Any, fields: str) -> None:
    assert idle(selection, FILE_EVENT) == f"it needs {fields} that no record it reads has"


@pytest.mark.parametrize(("selection", "condition"), [
    ({"Image": "a"}, "s"),
    ([{"CommandLine": "a"}, {"Image": "b"}], "s"),
    ({"CommandLine": "a"}, "not s"),
    ({"CommandLine": None}, "s"),
    ({"CommandLine|exists": False}, "s"),
    ({"CommandLine|neq": "a"}, "s"),
    ({"NoOneKnowsThis": "a"}, "s"),
    (["word"], "s"),
    ({"Image|fieldref": "ParentImage"}, "s"),
])
def test_a_rule_that_can_be_true_of_a_record_runs(selection: Any, condition: str) -> None:
    assert idle(selection, FILE_EVENT, condition) == ""


def test_a_field_of_one_of_its_logs_is_enough() -> None:
    sysmon_only = {"OriginalFileName": "a.exe", "ParentCommandLine|contains": "b"}
    assert idle(sysmon_only, {"product": "windows", "category": "process_creation"}) == ""


def test_not_of_a_null_needs_the_field() -> None:
    assert idle({"CommandLine": None}, FILE_EVENT, "other and not s", other={"Image": "a"}).startswith("it needs Comm")


def test_a_service_is_judged_by_the_event_ids_that_the_rule_names() -> None:
    assert idle({"EventID": 4624, "CommandLine": "a"}, LOGON).startswith("it needs CommandLine")
    assert idle({"EventID": [4624, 4688], "CommandLine": "a"}, LOGON) == ""
    assert idle({"CommandLine": "a"}, LOGON) == "", "we do not know the fields of the whole log"
    assert idle({"EventID": 4999, "CommandLine": "a"}, LOGON) == "", "nor those of this event"


def test_file_access_has_what_4663_has_under_sysmons_names() -> None:
    source = {"product": "windows", "category": "file_access"}
    assert idle({"FileName|endswith": "x", "Image|endswith": "y", "User": "z"}, source) == ""


def test_a_correlation_of_such_a_rule_says_why_it_cannot_fire(tmp_path: Path) -> None:
    rules = loaded(tmp_path, "title: r\nname: r\nlogsource: {product: windows, category: file_event}\n"
                             "detection: {s: {CommandLine: a}, condition: s}\n---\n"
                             "title: c\ncorrelation: {type: event_count, rules: [r], timespan: 1m, "
                             "condition: {gte: 2}}\n")
    reasons = {each.rule.title: each.reason for each in rules.idle}
    assert reasons["c"] == "its rule 'r' is idle: it needs CommandLine, a field that no record it reads has"


@given(DETECTIONS, st.dictionaries(st.sampled_from(["Image", "User", "TargetFilename", "Data"]), VALUES))
def test_no_record_of_listed_fields_makes_an_idle_rule_true(detection: dict[str, Any],
                                                            fields: dict[str, Value]) -> None:
    try:
        term = decision("detection", detection)
    except Mistake:
        return
    if lacking(term, [Route(SYSMON.lower(), 11)]):
        assert not term.holds(View(event(fields, event_id=11)))
