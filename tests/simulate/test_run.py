"""Files as a user gets them: both formats with the same events, nothing overwritten, nothing half-written."""

import json
from pathlib import Path
from typing import Any

import pytest
from evtx import PyEvtxParser

from douse.content.scenarios import scenario_ids
from douse.errors import ContentError, OutputError
from douse.simulate import evtx_writer, run, simulate


def events(path: Path) -> list[dict[str, Any]]:
    """The records of a file, by the wheel or line by line."""
    if path.suffix == ".evtx":
        return [json.loads(r["data"]) for r in PyEvtxParser(str(path), validate_checksums=True).records_json()]
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("scenario", scenario_ids())
def test_both_formats_hold_the_same_events(scenario: str, tmp_path: Path) -> None:
    evtx = simulate(scenario, tmp_path / "all.evtx", seed=3, noise=150)
    jsonl = simulate(scenario, tmp_path / "all.jsonl", seed=3, noise=150)
    assert events(tmp_path / "all.evtx") == events(tmp_path / "all.jsonl")
    assert evtx.records == jsonl.records == len(events(tmp_path / "all.jsonl")) > 150


def test_a_folder_has_a_file_for_each_channel_named_as_windows_names_it(tmp_path: Path) -> None:
    result = simulate("benign-day", tmp_path / "logs")
    names = [file.path.name for file in result.files]
    assert names == [
        "Microsoft-Windows-PowerShell%4Operational.evtx", "Microsoft-Windows-Sysmon%4Operational.evtx",
        "Microsoft-Windows-Windows Defender%4Operational.evtx", "Security.evtx",
    ]
    for file in result.files:
        found = events(file.path)
        assert len(found) == file.records
        assert len({event["Event"]["System"]["Channel"] for event in found}) == 1
        headers = [record["event_record_id"] for record in PyEvtxParser(str(file.path)).records()]
        assert headers == [event["Event"]["System"]["EventRecordID"] for event in found]
    assert sum(file.records for file in result.files) == result.records


def test_one_file_holds_all_channels_in_order_of_time(tmp_path: Path) -> None:
    simulate("lumma-clickfix", tmp_path / "all.evtx")
    found = [event["Event"]["System"] for event in events(tmp_path / "all.evtx")]
    assert {system["Channel"] for system in found} >= {"Security", "Microsoft-Windows-Sysmon/Operational"}
    times = [system["TimeCreated"]["#attributes"]["SystemTime"] for system in found]
    assert times == sorted(times)


@pytest.mark.parametrize(("output", "format_name", "expected"), [
    ("x.evtx", None, ["x.evtx"]),
    ("x.JSONL", None, ["x.JSONL"]),
    ("x.log", "jsonl", ["x.log"]),
    ("deep/er/x.jsonl", None, ["x.jsonl"]),
    ("folder", "jsonl", ["Microsoft-Windows-PowerShell%4Operational.jsonl",
                         "Microsoft-Windows-Sysmon%4Operational.jsonl", "Security.jsonl"]),
])
def test_the_output_says_what_is_written(tmp_path: Path, output: str, format_name: str | None,
                                         expected: list[str]) -> None:
    result = simulate("lumma-clickfix", tmp_path / output, format_name)
    assert [file.path.name for file in result.files] == expected
    first = result.files[0].path.read_bytes()[:8]
    assert first == b"ElfFile\0" if result.format == "evtx" else first == b'{"Event"'


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a.evtx", "b.evtx"):
        simulate("lumma-clickfix", tmp_path / name, seed=8, noise=100)
    simulate("lumma-clickfix", tmp_path / "c.evtx", seed=9, noise=100)
    a, b, c = ((tmp_path / name).read_bytes() for name in ("a.evtx", "b.evtx", "c.evtx"))
    assert a == b != c


@pytest.mark.parametrize("output", ["x.evtx", "logs"])
def test_nothing_is_replaced_without_force(tmp_path: Path, output: str) -> None:
    simulate("lumma-clickfix", tmp_path / output, seed=1)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(OutputError, match="--force"):
        simulate("lumma-clickfix", tmp_path / output, seed=2)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    simulate("lumma-clickfix", tmp_path / output, seed=2, force=True)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} != before


def test_logs_of_another_run_in_the_folder_are_noticed(tmp_path: Path) -> None:
    (tmp_path / "System.evtx").write_bytes(b"somebody's evidence")
    with pytest.raises(OutputError, match=r"holds event logs already \(System\.evtx\)"):
        simulate("lumma-clickfix", tmp_path)
    (tmp_path / "System.evtx").rename(tmp_path / "notes.txt")
    assert simulate("lumma-clickfix", tmp_path).records > 0


def test_places_that_cannot_be_written_are_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(OutputError, match="is a file, not a folder"):
        simulate("lumma-clickfix", tmp_path / "file")
    with pytest.raises(OutputError, match="cannot be written"):
        simulate("lumma-clickfix", tmp_path / "file" / "x.evtx")
    with pytest.raises(OutputError, match=r"suffix \.csv names no format"):
        simulate("lumma-clickfix", tmp_path / "x.csv")
    with pytest.raises(OutputError, match="unknown format 'xml'"):
        simulate("lumma-clickfix", tmp_path / "x.evtx", "xml")


def test_an_unknown_scenario_is_answered_with_those_that_exist(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"Did you mean 'lumma-clickfix'.*benign-day, cracked-installer"):
        simulate("lumma-clikfix", tmp_path / "x.evtx")
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_run_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / "logs" / "Security.evtx"
    old.parent.mkdir()
    old.write_bytes(b"the log that was there")

    def interrupt(count: int) -> None:
        raise KeyboardInterrupt(count)

    with pytest.raises(KeyboardInterrupt):
        simulate("lumma-clickfix", tmp_path / "logs", noise=2000, force=True, progress=interrupt)
    assert list(old.parent.iterdir()) == [old]
    assert old.read_bytes() == b"the log that was there"

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(evtx_writer.EvtxWriter, "close", full)
    monkeypatch.setitem(run.WRITERS, "evtx", evtx_writer.EvtxWriter)
    with pytest.raises(OutputError, match="No space left"):
        simulate("lumma-clickfix", tmp_path / "x.evtx")
    assert not (tmp_path / "x.evtx").exists()


def test_progress_is_told(tmp_path: Path) -> None:
    seen: list[int] = []
    simulate("lumma-clickfix", tmp_path / "x.jsonl", noise=3500, progress=seen.append)
    assert seen == [1000, 2000, 3000]
