"""What must never change an incident: the order of records, the files they lie in, the number of workers, the zone in
which times are written, a clock that is wrong by an hour on every log alike, and what everybody else did that day.

Whole rows of the result are compared. Kept elsewhere: the same for alerts in memory (incident/test_correlate.py), for
EVTX in ranges and any number of jobs (test_spread.py), clocks of sensors (test_network_join.py), and that real logs of
injection and mshta name no family (test_quality.py).
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from douse import api
from douse.hunt import spread
from douse.hunt.options import HuntOptions
from douse.model import level_rank
from douse.report.document import document

Rows = list[dict[str, Any]]
Scenario = Callable[..., Path]

INTRUSIONS = {"lumma-clickfix": "WS-042", "lumma-clickfix-no-audit": "WS-043", "cracked-installer": "LT-117"}
"""Each on a host of its own; the second would be on that of the first, and what is audited is about a host."""


def rows(*paths: Path, jobs: int = 1) -> Rows:
    """The incidents as the result tells them."""
    result = api.hunt(HuntOptions(paths=tuple(map(str, paths)), jobs=jobs))
    return json.loads(json.dumps(document(result)["incidents"], default=str))


@pytest.fixture(scope="module")
def records(scenario: Scenario) -> list[str]:
    """The records of three intrusions, one to a line."""
    return [line.replace('"Computer":"WS-042.', f'"Computer":"{host}.')
            for name, host in INTRUSIONS.items() for line in lines(scenario(name, "jsonl"))]


def lines(folder: Path) -> list[str]:
    return [line for path in sorted(folder.rglob("*.jsonl")) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture(scope="module")
def expected(records: list[str], tmp_path_factory: pytest.TempPathFactory) -> Rows:
    path = tmp_path_factory.mktemp("expected") / "all.jsonl"
    path.write_text("\n".join(records) + "\n", encoding="utf-8")
    found = rows(path)
    assert {row["level"] for row in found} >= {"high", "critical"}
    return found


@pytest.mark.parametrize(("seed", "files", "jobs"), [(1, 1, 1), (2, 6, 1), (3, 3, 2), (4, 2, 2)])
def test_order_files_and_workers(seed: int, files: int, jobs: int, records: list[str], expected: Rows, tmp_path: Path,
                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """Records shuffled and dealt out to files that are read in another order again."""
    monkeypatch.setattr(spread, "BYTES_A_WORKER", 1)
    generator = random.Random(seed)
    dealt: list[list[str]] = [[] for _ in range(files)]
    for line in generator.sample(records, len(records)):
        generator.choice(dealt).append(line)
    for number, own in enumerate(dealt):
        (tmp_path / f"{generator.random()}-{number}.jsonl").write_text("".join(f"{line}\n" for line in own), "utf-8")
    assert rows(tmp_path, jobs=jobs) == expected


def moved(records: list[str], change: Callable[[datetime], str]) -> Iterator[str]:
    """The records with their times written otherwise."""
    for line in records:
        record = json.loads(line)
        stamp = record["Event"]["System"]["TimeCreated"]["#attributes"]
        stamp["SystemTime"] = change(datetime.fromisoformat(stamp["SystemTime"]).astimezone(UTC))
        yield json.dumps(record) + "\n"


@pytest.mark.parametrize("hours", [-7, 5.5, 13])
def test_the_zone_of_a_time_is_only_its_spelling(hours: float, records: list[str], expected: Rows,
                                                 tmp_path: Path) -> None:
    zone = timezone(timedelta(hours=hours))
    path = tmp_path / "zone.jsonl"
    path.write_text("".join(moved(records, lambda time: time.astimezone(zone).isoformat())), encoding="utf-8")
    assert rows(path) == expected


def test_a_clock_that_is_wrong_moves_the_story_and_nothing_else(records: list[str], expected: Rows,
                                                                tmp_path: Path) -> None:
    path = tmp_path / "wrong.jsonl"
    late = (re.sub(r"(2026-11-\d\d[T ])(\d\d)(?=:\d\d:\d\d)", lambda at: f"{at[1]}{int(at[2]) - 1:02}", line)
            for line in records)  # also the times within records, such as those of vault and Sysmon
    path.write_text("".join(f"{line}\n" for line in late), encoding="utf-8")
    found = rows(path)
    assert [judged(row) for row in found] == [judged(row) for row in expected]
    for row, old in zip(found, expected, strict=True):
        moved_by = datetime.fromisoformat(old["first_seen"]) - datetime.fromisoformat(row["first_seen"])
        assert moved_by == timedelta(hours=1)


def judged(row: dict[str, Any]) -> dict[str, Any]:
    """What a row says of what happened, without times, and without ids, in which times are."""
    whole = ("host", "level", "score", "title", "verdict", "users", "level_reason", "family")
    return {key: row[key] for key in whole} | {
        "classes": [(one["evidence_class"], one["points"], one["reason"]) for one in row["classes"]],
        "alerts": len(row["alerts"]),
        "sequences": [(hit["sequence_id"], hit["level"], hit["reason"]) for hit in row["sequences"]],
        "steps": [(step["title"], step["process"], step["detail"]) for step in row["steps"]]}


def test_a_hundred_times_as_much_of_ordinary_use_changes_no_verdict(
        scenario: Scenario, records: list[str], expected: Rows, tmp_path: Path) -> None:
    """An ordinary day on the same computer, of another user: only what the host could show is told otherwise."""
    own = len(lines(scenario("lumma-clickfix", "jsonl")))
    noise = lines(scenario("benign-day", "jsonl", 100 * own))
    assert len(noise) > 100 * own
    path = tmp_path / "noisy.jsonl"
    text = "\n".join([*records, *noise])
    path.write_text(text.replace('"Computer":"WS-019.', '"Computer":"WS-042.').replace("2026-11-04T", "2026-11-03T"),
                    encoding="utf-8")
    noisy = {row["incident_id"]: row for row in rows(path)}
    for row in expected:
        assert judged(noisy.pop(row["incident_id"])) == judged(row)
    assert [row["title"] for row in noisy.values() if level_rank(row["level"]) > level_rank("low")] == []
