"""The same records in every format give the same incidents, from the command a user types."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from douse.telemetry.readers import choose
from douse.telemetry.streams import PEEK

from . import exported

Scenario = Callable[..., Path]
Hunt = Callable[..., dict[str, Any]]
Written = Callable[[Path], str]


def as_xml(log: Path) -> str:
    return '<?xml version="1.0" encoding="utf-8" standalone="yes"?>\r\n<Events>' + "".join(
        exported.xml_of(log)) + "</Events>"


def as_splunk_lines(log: Path) -> str:
    return "\n".join(json.dumps(exported.splunk(xml)) for xml in exported.xml_of(log))


def as_winlogbeat(log: Path) -> str:
    return "\n".join(json.dumps(exported.winlogbeat(event)) for event in exported.events_of(log))


def as_search_answer(log: Path) -> str:
    hits = [{"_index": "logs", "_id": str(n), "_score": None, "_source": exported.winlogbeat(event)}
            for n, event in enumerate(exported.events_of(log))]
    return json.dumps({"took": 3, "timed_out": False, "_shards": {"total": 1, "failed": 0}, "hits": {
        "total": {"value": len(hits), "relation": "eq"}, "max_score": None, "hits": hits}, "aggregations": {"a": {}}})


def as_evtxecmd(log: Path) -> str:
    return exported.evtxecmd(exported.events_of(log))


def as_dotted_csv(log: Path) -> str:
    return exported.dotted(exported.events_of(log))


@pytest.fixture(scope="module", params=["lumma-clickfix", "cracked-installer"])
def from_evtx(scenario: Scenario, request: pytest.FixtureRequest) -> Path:
    return scenario(request.param, "evtx", file="all.evtx")


@pytest.fixture
def incidents(from_evtx: Path, hunt_json: Hunt) -> list[Any]:
    """What the log itself says."""
    document = hunt_json(from_evtx)
    assert document["incidents"][0]["level"] in {"critical", "high"}
    found: list[Any] = document["incidents"]
    return found


@pytest.mark.parametrize(("name", "format_", "write"), [
    ("log.xml", "xml", as_xml), ("log.jsonl", "export", as_winlogbeat), ("log.csv", "csv", as_evtxecmd),
    ("answer.json", "export", as_search_answer), ("search.json", "export", as_splunk_lines),
    ("elastic.csv", "csv", as_dotted_csv),
])
def test_every_format_gives_the_incidents_of_the_log_itself(
        name: str, format_: str, write: Written, from_evtx: Path, incidents: list[Any], tmp_path: Path,
        hunt_json: Hunt) -> None:
    data = write(from_evtx).encode()
    reader = choose(data[:PEEK], name, named=False)
    assert reader is not None
    assert reader.name == format_
    (tmp_path / name).write_bytes(data)
    document = hunt_json(tmp_path)
    assert document["summary"]["records_lost"] == 0
    assert document["errors"] == []
    assert document["incidents"] == incidents
