"""Advanced hunting as JSON in all its shapes: arrays, lines, answers, streamed events; and what damage costs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from douse.telemetry.damage import CUT_OFF, CUT_OFF_LIST
from douse.telemetry.mde_rows import NO_TIME

from .conftest import ReadBytes
from .test_mde_rows import CONNECTION, PROCESS

ROWS: list[dict[str, Any]] = [PROCESS, CONNECTION, {**PROCESS, "ReportId": 30780}]
SCHEMA = [{"Name": "Timestamp", "Type": "DateTime"}, {"Name": "ActionType", "Type": "String"}]
ANSWER = {"Stats": {"ExecutionTime": 0.1}, "Schema": SCHEMA, "Results": ROWS}
GRAPH = {"@odata.context": "x", "schema": [{"name": "Timestamp", "type": "DateTime"}], "results": ROWS}
TABLES = ("DeviceProcessEvents", "DeviceNetworkEvents", "DeviceProcessEvents")
STREAMED = [{"time": "2026-11-24T10:12:00Z", "tenantId": "t", "operationName": "Publish",
             "category": f"AdvancedHunting-{table}", "properties": row}
            for table, row in zip(TABLES, ROWS, strict=True)]
CHANNELS = [f"MDE/{table}" for table in TABLES]


def as_lines(rows: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize("text", [
    json.dumps(ROWS), json.dumps(ROWS, indent=2), as_lines(ROWS), json.dumps(ANSWER), json.dumps(ANSWER, indent=4),
    json.dumps(GRAPH), as_lines(STREAMED), json.dumps({"records": STREAMED}), "\ufeff" + json.dumps(ROWS),
    as_lines([{"_path": "x"}]) + as_lines(ROWS),
])
def test_shapes(text: str, read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(text.encode(), "AdvancedHunting.json")
    assert [event.channel for event in events] == CHANNELS
    assert [event.record_id for event in events] == [30779, 30779, 30780]
    assert {event.source.format for event in events} == {"mde"}
    assert [loss.reason for loss in tally.losses] == ([NO_TIME] if "_path" in text else [])
    assert events[0].text("CommandLine") == "mshta http://lure.example/a"


def test_an_answer_of_many_rows_is_read_row_by_row(read_bytes: ReadBytes) -> None:
    rows = [{**PROCESS, "ReportId": number} for number in range(1, 401)]
    for indent in (None, 1):
        events, tally = read_bytes(json.dumps({**ANSWER, "Results": rows}, indent=indent).encode())
        assert [event.record_id for event in events] == list(range(1, 401))
        assert tally.losses == []


@pytest.mark.parametrize("indent", [None, 2])
def test_an_answer_that_is_cut_off_costs_the_row_it_ends_in(indent: int | None, read_bytes: ReadBytes) -> None:
    text = json.dumps(ANSWER, indent=indent)
    events, tally = read_bytes(text[:-200].encode())
    assert len(events) == 2
    assert [(loss.reason, loss.records) for loss in tally.losses] == [(CUT_OFF, 1)]


def test_an_answer_that_is_cut_off_between_two_rows(read_bytes: ReadBytes) -> None:
    text = json.dumps(ANSWER)
    events, tally = read_bytes(text[:text.rindex('{"Timestamp"')].encode())
    assert (len(events), [(loss.reason, loss.records) for loss in tally.losses]) == (2, [(CUT_OFF_LIST, None)])


@pytest.mark.parametrize("more", [{}, {"Stats": {"ExecutionTime": 0.1}}, {"schema": SCHEMA}, {"@odata.nextLink": "x"},
                                  {"a": 1, "b": None, "c": "d"}])
def test_what_follows_the_rows_of_an_answer_is_no_loss(more: dict[str, Any], read_bytes: ReadBytes) -> None:
    for indent in (None, 2):
        events, tally = read_bytes(json.dumps({"Schema": SCHEMA, "Results": ROWS, **more}, indent=indent).encode())
        assert (len(events), tally.losses) == (3, [])


def test_an_answer_of_no_rows_is_noted(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(json.dumps({**ANSWER, "Results": []}).encode())
    assert (events, tally.losses, tally.notes) == ([], [], ["input: a header and no record"])


def test_a_broken_row_costs_itself(read_bytes: ReadBytes) -> None:
    lines = as_lines(ROWS).splitlines()
    lines[1] = lines[1][:-40]
    events, tally = read_bytes("\n".join(lines).encode())
    assert (len(events), tally.records_lost) == (2, 1)
    assert tally.losses[0].where == "line 2"


def test_a_row_without_a_time_is_a_loss(read_bytes: ReadBytes) -> None:
    events, tally = read_bytes(as_lines([*ROWS, {"ActionType": "x", "DeviceId": "y"}]).encode())
    assert (len(events), [(loss.where, loss.reason) for loss in tally.losses]) == (3, [("line 4", NO_TIME)])


def test_times_without_a_zone_are_noted_once(read_bytes: ReadBytes) -> None:
    rows = [{**row, "Timestamp": "11/24/2026 10:11:12 AM"} for row in ROWS]
    _, tally = read_bytes(json.dumps(rows).encode())
    assert tally.notes == ["input: times of 3 rows state no zone; taken as UTC"]


def test_text_that_looks_like_an_answer_inside_a_row_is_left_alone(read_bytes: ReadBytes) -> None:
    rows = [{**PROCESS, "AdditionalFields": {"results": [{"a": 1}]}}, CONNECTION]
    events, tally = read_bytes(json.dumps(rows).encode())
    assert (len(events), tally.losses) == (2, [])
