"""Our rules on real logs: nothing lost, and every alert is one that somebody has read (docs/quality/README.md)."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from douse.cli.main import main
from douse.telemetry.chunks import expected_records

LEDGER = Path(__file__).resolve().parents[2] / "docs" / "quality" / "real-logs.csv"

Rows = list[dict[str, Any]]


@pytest.fixture(scope="module")
def lines(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Rows:
    """What `douse hunt ../shared/data/evtx --format jsonl` prints, a row a line."""
    output = tmp_path_factory.mktemp("real") / "hunt.jsonl"
    code = main(["hunt", str(shared / "data" / "evtx"), "--format", "jsonl", "--quiet", "-o", str(output)])
    assert code == 0
    return [json.loads(line) for line in output.read_text(encoding="utf-8").splitlines()]


def of_kind(lines: Rows, kind: str) -> Rows:
    return [line for line in lines if line["kind"] == kind]


def test_what_was_read_and_lost_is_what_the_chunk_headers_state(lines: Rows, shared: Path) -> None:
    stated = 0
    for path in (shared / "data" / "evtx").glob("*.evtx"):
        with path.open("rb") as stream:
            stated += expected_records(stream)
    [summary] = of_kind(lines, "summary")
    assert summary["records_read"] + summary["records_lost"] == stated
    assert summary["files"] == len(list((shared / "data" / "evtx").glob("*.evtx")))
    assert stated > 10_000


def test_every_alert_was_read_by_hand(lines: Rows) -> None:
    with LEDGER.open(encoding="utf-8", newline="") as stream:
        listed = sorted(
            (row["file"], row["host"], row["channel"], int(row["record_id"]), row["rule"], row["level"])
            for row in csv.DictReader(stream)
        )
    found = sorted(
        (Path(a["file"]).name, a["host"], a["channel"], a["record_id"], a["title"], a["level"])
        for a in of_kind(lines, "alert")
    )
    assert found == listed


def test_the_deciding_field_has_the_value_that_was_read(lines: Rows) -> None:
    alerts = {(Path(a["file"]).name, a["record_id"], a["title"]): a for a in of_kind(lines, "alert")}
    with LEDGER.open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            alert = alerts[row["file"], int(row["record_id"]), row["rule"]]
            assert row["value"] in {m["value"][:200] for m in alert["matched"] if m["field"] == row["field"]}
            assert row["verdict"] in {"true", "false"}
            assert row["why"]


def test_no_family_is_named_and_no_theft_is_claimed(lines: Rows) -> None:
    incidents = of_kind(lines, "incident")
    assert {incident["family"] for incident in incidents} == {"unattributed infostealer"}
    assert not [i["title"] for i in incidents if i["level"] == "critical"]
