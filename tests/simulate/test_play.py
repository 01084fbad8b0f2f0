"""A scenario as it is played: the same seed gives the same records, another seed other identities only."""

import inspect
import json
from collections import Counter

import pytest

from douse.content.scenarios import ACTIONS, load_scenario, scenario_ids
from douse.simulate import Record, scenario_records
from douse.simulate.jsonl_writer import nested
from douse.simulate.play import PERFORM
from douse.simulate.run import FORMATS, WRITERS

IDENTITIES = {"ProcessGuid", "ParentProcessGuid", "ProcessId", "LogonGuid", "UtcTime", "NewProcessId", "SourcePort"}


def told(scenario: str, seed: int = 0, noise: int = 0) -> list[Record]:
    return list(scenario_records(load_scenario(scenario), seed, noise))


def ids(records: list[Record]) -> Counter[int]:
    return Counter(record.event_id for record in records)


def test_every_action_has_a_function_that_takes_its_arguments() -> None:
    assert set(PERFORM) == set(ACTIONS) - {"start", "end"}
    for name, perform in PERFORM.items():
        parameters = list(inspect.signature(perform).parameters.values())[3:]
        required = {p.name for p in parameters if p.default is p.empty}
        assert required <= set(ACTIONS[name].required), name
        assert set(ACTIONS[name].required) | set(ACTIONS[name].optional) <= {p.name for p in parameters}, name


@pytest.mark.parametrize("scenario", scenario_ids())
def test_a_seed_decides_everything(scenario: str) -> None:
    assert told(scenario, 5, 50) == told(scenario, 5, 50)
    one, other = told(scenario, 1), told(scenario, 2)
    assert one != other
    stable = [{k: v for k, v in record.data.items() if k not in IDENTITIES} for record in one if record.event_id == 1]
    for record, facts in zip((r for r in other if r.event_id == 1), stable, strict=True):
        assert {k: record.data[k] for k in ("Image", "CommandLine", "User", "ParentImage")} == {
            k: facts[k] for k in ("Image", "CommandLine", "User", "ParentImage")}


@pytest.mark.parametrize("scenario", scenario_ids())
def test_record_ids_run_within_a_channel_and_with_time(scenario: str) -> None:
    records = told(scenario, 3, 200)
    assert [r.time for r in records] == sorted(r.time for r in records)
    for channel in {record.channel for record in records}:
        numbers = [record.record_id for record in records if record.channel == channel]
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.parametrize("scenario", scenario_ids())
def test_processes_are_linked_by_guid_and_pid(scenario: str) -> None:
    """Every parent that starts in the log is the one its child names, and no pid is used by two at once."""
    started: dict[str, Record] = {}
    for record in told(scenario, 4):
        if record.event_id != 1 or not record.channel.startswith("Microsoft-Windows-Sysmon"):
            continue
        started[str(record.data["ProcessGuid"])] = record
        parent = started.get(str(record.data["ParentProcessGuid"]))
        if parent is not None:
            assert parent.data["ProcessId"] == record.data["ParentProcessId"]
            assert parent.data["Image"] == record.data["ParentImage"]
    assert len({record.data["ProcessId"] for record in started.values()}) == len(started)


def test_the_demo_tells_chain_a() -> None:
    records = told("lumma-clickfix")
    sysmon = [record for record in records if "Sysmon" in record.channel]
    images = [str(record.data["Image"]).rpartition("\\")[2].lower() for record in sysmon if record.event_id == 1]
    assert images == ["mshta.exe", "powershell.exe", "conhost.exe", "regasm.exe"]
    assert ids(records)[4663] == 11
    queries = [record.data["QueryName"] for record in sysmon if record.event_id == 22]
    assert queries.index("verify.example") < queries.index("t.me") < queries.index("steamcommunity.com")
    regasm = next(r for r in sysmon if r.event_id == 1 and str(r.data["Image"]).endswith("RegAsm.exe"))
    assert regasm.data["CommandLine"] == f'"{regasm.data["Image"]}"', "without arguments"
    pasted = next(r for r in sysmon if r.event_id == 13 and str(r.data["TargetObject"]).endswith("RunMRU\\a"))
    assert str(pasted.data["Details"]).endswith("ID 7731\\1")
    access = next(record for record in sysmon if record.event_id == 10)
    assert (access.data["GrantedAccess"], access.data["TargetProcessGUID"]) == ("0x1fffff", regasm.data["ProcessGuid"])


def test_the_variant_differs_in_the_audit_alone() -> None:
    audited, silent = told("lumma-clickfix", 9), told("lumma-clickfix-no-audit", 9)
    assert ids(silent)[4663] == 0
    assert [r.data for r in silent] == [r.data for r in audited if r.event_id != 4663]


def test_the_installer_tells_chain_b() -> None:
    records = told("cracked-installer")
    autoit = [r for r in records if r.event_id == 1 and r.data.get("OriginalFileName") == "AutoIt3.exe"]
    assert [str(r.data["Image"]).rpartition("\\")[2] for r in autoit] == ["Nervous.pif"]
    assert {8, 10, 25, 5379, 4663, 22, 3} <= set(ids(records))
    drop = [r for r in records if r.event_id == 11 and "\\Startup\\" in str(r.data["TargetFilename"])]
    assert len(drop) == 1


def test_the_ordinary_day_is_long_and_has_what_looks_alike() -> None:
    records = told("benign-day")
    assert len(records) >= 200
    assert records[-1].time.hour - records[0].time.hour >= 10
    readers = {str(r.data["ProcessName"]).rpartition("\\")[2] for r in records if r.event_id == 4663}
    assert {"chrome.exe", "msedge.exe", "firefox.exe", "MsMpEng.exe", "SearchProtocolHost.exe"} <= readers
    assert any("Veeam" in reader for reader in readers)
    assert {"t.me", "steamcommunity.com"} <= {r.data["QueryName"] for r in records if r.event_id == 22}


@pytest.mark.parametrize("format_name", FORMATS)
def test_every_record_can_be_written(format_name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("out") / f"all.{format_name}"
    with path.open("wb") as stream:
        writer = WRITERS[format_name](stream)
        for record in told("benign-day", 0, 300):
            writer.write(record)
        writer.close()
    assert path.stat().st_size > 100_000
    if format_name == "jsonl":
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [json.loads(line) for line in lines] == [nested(record) for record in told("benign-day", 0, 300)]
