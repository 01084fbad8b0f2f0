"""The survey of logs end to end: simulated, hand-made, damaged and real logs, in any order."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from douse.errors import EvidenceError, RuleError
from douse.hunt import coverage as module
from douse.hunt.coverage import coverage
from douse.hunt.coverage_result import CoverageOptions, CoverageResult, HostSurvey
from douse.telemetry.chunks import CHUNK_SIZE, FILE_HEADER_SIZE, expected_records
from douse.telemetry.continuity import ChannelContinuity

Scenario = Callable[..., Path]
START = datetime(2026, 11, 18, 9, 0, tzinfo=UTC)
SYSMON = "Microsoft-Windows-Sysmon/Operational"
RULE = """title: A start
id: 11111111-2222-4333-8444-555555555555
logsource: {product: windows, category: process_creation}
detection: {selection: {CommandLine: x}, condition: selection}
level: low
"""


def survey(*paths: Path, **options: object) -> CoverageResult:
    """Without our rules, which say nothing about logs."""
    return coverage(CoverageOptions(paths=tuple(map(str, paths)), builtin=False, **options))


def states(host: HostSurvey) -> dict[str, str]:
    return {one.prerequisite.id: one.state for one in host.standings}


def judged(host: HostSurvey) -> str:
    return " ".join(f"{one.sequence_id}:{one.state}" for one in host.sequences if one.hunted)


def record(channel: str, event_id: int, record_id: int, minutes: float, host: str = "WS-01", provider: str = "x",
           user_data: dict[str, str] | None = None, **data: str) -> str:
    time = f"{START + timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"
    system = {"Provider": {"#attributes": {"Name": provider}}, "EventID": event_id, "Channel": channel,
              "Computer": host, "EventRecordID": record_id, "TimeCreated": {"#attributes": {"SystemTime": time}}}
    event: dict[str, object] = {"System": system, "EventData": data}
    if user_data:
        event["UserData"] = {"LogFileCleared": user_data}
    return json.dumps({"Event": event})


def write(path: Path, lines: Iterable[str]) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path


# --- simulated intrusions ---------------------------------------------------------------------------------------------


def test_a_host_that_audits_its_stores_can_be_judged(scenario: Scenario) -> None:
    [host] = survey(scenario("lumma-clickfix")).hosts
    assert (host.host, host.usable, host.records) == ("WS-042.corp.example", "yes", 65)
    assert judged(host) == "S1:yes S2:yes S3:yes S4:yes S5:yes S6:yes S7:not needed S8:no S9:no"
    assert states(host)["security-store-read"] == "present"
    assert all(channel.missing == 0 for channel in host.channels)
    assert (host.cleared, host.skew, host.silences) == ((), None, ())


def test_the_same_without_the_audit_cannot_tell_a_theft(scenario: Scenario) -> None:
    [host] = survey(scenario("lumma-clickfix-no-audit")).hosts
    assert host.usable == "partly"
    assert judged(host) == "S1:yes S2:yes S3:yes S4:no S5:no S6:no S7:yes S8:no S9:no"
    assert states(host)["security-store-read"] == "absent"
    technique = {one.technique: one.state for one in host.techniques}
    assert technique["T1204.004"] in {"yes", "partly"}
    assert technique["T1010"] in {"file", "blind"}


def test_formats_agree(scenario: Scenario) -> None:
    evtx, jsonl = (survey(scenario("lumma-clickfix", format_, file=f"one.{format_}")) for format_ in ("evtx", "jsonl"))
    assert evtx.hosts == jsonl.hosts


# --- hand-made logs ---------------------------------------------------------------------------------------------------


@pytest.fixture
def odd_log(tmp_path: Path) -> Path:
    """A log with two gaps, a cleared log, and clocks that disagree."""
    ids = [number for number in range(100, 161) if number not in (110, 111, 112, 140)]
    lines = [record("Security", 4624, number, number - 100) for number in ids]
    lines.append(record("System", 104, 9, 30, provider="Microsoft-Windows-Eventlog", user_data={
        "Channel": SYSMON, "SubjectUserName": "anna", "SubjectDomainName": "CORP"}))
    lines.append(record(SYSMON, 11, 5, 10, UtcTime="2026-11-18 09:10:00.000"))
    lines.append(record(SYSMON, 11, 6, 11, UtcTime="2026-11-18 01:00:00.000"))
    return write(tmp_path / "odd.jsonl", lines)


def test_gaps_cleared_logs_and_clocks_are_found_exactly(odd_log: Path) -> None:
    [host] = survey(odd_log).hosts
    [security] = [channel for channel in host.channels if channel.channel == "Security"]
    assert [(gap.first, gap.last) for gap in security.gaps] == [(110, 112), (140, 140)]
    assert (security.gaps[0].after, security.gaps[0].before) == (START + timedelta(minutes=9),
                                                                 START + timedelta(minutes=13))
    assert (security.first_id, security.last_id, security.missing) == (100, 160, 4)
    [cleared] = host.cleared
    assert (cleared.log, cleared.user, cleared.time) == (SYSMON, "CORP\\anna", START + timedelta(minutes=30))
    assert host.skew is not None
    assert (host.skew.records, host.skew.checked) == (1, 2)
    assert host.skew.greatest == timedelta(hours=8, minutes=11)


def test_the_order_of_files_and_records_changes_nothing(odd_log: Path, scenario: Scenario, tmp_path: Path) -> None:
    lines = odd_log.read_text(encoding="utf-8").splitlines()
    lines += scenario("lumma-clickfix", "jsonl", file="one.jsonl").read_text(encoding="utf-8").splitlines()
    whole = survey(write(tmp_path / "whole.jsonl", lines))
    for seed in (1, 2):
        random.Random(seed).shuffle(lines)
        parts = [write(tmp_path / f"{seed}-{number}.jsonl", lines[number::7]) for number in range(7)]
        random.Random(seed).shuffle(parts)
        again = survey(*parts)
        assert again.hosts == whole.hosts
        assert again.summary == replace(whole.summary, files=7)


def test_a_log_read_twice_is_no_gap_and_no_second_clearing(odd_log: Path, tmp_path: Path) -> None:
    copy = write(tmp_path / "copy.jsonl", odd_log.read_text(encoding="utf-8").splitlines())
    [once], [twice] = survey(odd_log).hosts, survey(odd_log, copy).hosts
    assert [channel.gaps for channel in twice.channels] == [channel.gaps for channel in once.channels]
    assert twice.cleared == once.cleared


def test_a_window_leaves_out_what_is_not_asked_for(odd_log: Path) -> None:
    result = survey(odd_log, since=START + timedelta(minutes=20))
    [host] = result.hosts
    assert [channel.channel for channel in host.channels] == ["Security", "System"]
    assert [(gap.first, gap.last) for channel in host.channels for gap in channel.gaps] == [(140, 140)]
    assert result.summary.records_outside == 19
    assert any("outside" in note for note in result.notes)
    nothing = survey(odd_log, since=START + timedelta(days=1))
    assert nothing.hosts == ()
    assert nothing.problems[0].what.startswith("no event lies between")


def test_a_silence_is_as_long_as_asked_for(tmp_path: Path) -> None:
    lines = [record(SYSMON, 11, number, number) for number in range(1, 120)]
    lines += [record(SYSMON, 11, number, number + 300) for number in range(120, 140)]
    lines += [record("Security", 4624, number, number) for number in range(1, 440)]
    log = write(tmp_path / "log.jsonl", lines)
    assert [channel.silence_count for channel in survey(log).hosts[0].channels] == [0, 0]
    [sysmon, _] = survey(log, gap=timedelta(hours=1)).hosts[0].channels
    [silence] = sysmon.silences
    assert (silence.start, silence.end) == (START + timedelta(minutes=119), START + timedelta(minutes=420))
    assert silence.odd


def test_network_logs_belong_to_no_host_and_have_no_record_ids(tmp_path: Path, scenario: Scenario) -> None:
    lines = [json.dumps({"ts": 1763456400.5 + number, "uid": f"C{number}", "id.orig_h": "10.0.0.5",
                         "id.orig_p": 50000 + number, "id.resp_h": "203.0.113.7", "id.resp_p": 443, "proto": "tcp",
                         "orig_bytes": 10, "resp_bytes": 20, "conn_state": "SF", "_path": "conn"})
             for number in range(3)]
    result = survey(write(tmp_path / "conn.log", lines), scenario("lumma-clickfix-no-audit"))
    assert [host.host for host in result.hosts] == ["WS-042.corp.example"]
    assert {one.prerequisite.id: one.state for one in result.network.standings}["network-flow"] == "present"
    [channel] = result.network.channels
    assert (channel.channel, channel.records, channel.first_id, channel.missing) == ("Zeek/conn", 3, None, None)


def test_rows_of_defender_have_no_record_ids_either(tmp_path: Path) -> None:
    rows = [{"$table": "DeviceProcessEvents", "Timestamp": f"2026-11-18T09:0{number}:00Z", "DeviceName": "ws-01",
             "ActionType": "ProcessCreated", "FileName": "cmd.exe", "FolderPath": "C:\\Windows\\cmd.exe",
             "ProcessId": number + 1, "ProcessCommandLine": "cmd /c x"} for number in range(3)]
    [host] = survey(write(tmp_path / "mde.json", map(json.dumps, rows))).hosts
    assert states(host)["endpoint-process"] == "present"
    assert [channel.missing for channel in host.channels] == [None]


# --- damage, absence, interruption ------------------------------------------------------------------------------------


def test_damage_is_a_gap_and_a_loss(scenario: Scenario, tmp_path: Path) -> None:
    data = bytearray(scenario("benign-day", file="day.evtx").read_bytes())
    start = FILE_HEADER_SIZE + CHUNK_SIZE
    data[start:start + 512] = b"\xee" * 512
    damaged = tmp_path / "damaged.evtx"
    damaged.write_bytes(data)
    result = survey(damaged)
    [host] = result.hosts
    assert result.summary.partial
    assert result.summary.records_lost == 67
    [whole] = survey(scenario("benign-day", file="day.evtx")).hosts
    missing = sum(channel.missing or 0 for channel in host.channels)
    cut_off = sum(_span(channel) for channel in whole.channels) - sum(_span(channel) for channel in host.channels)
    assert missing > 60
    assert missing + cut_off == 67, "each lost record is a missing id, or was the first or last of its log"
    with pytest.raises(EvidenceError, match="chunk 1"):
        survey(damaged, strict=True)


def _span(channel: ChannelContinuity) -> int:
    return (channel.last_id or 0) - (channel.first_id or 0)


def test_what_gives_no_record_is_named_and_nothing_is_clean(tmp_path: Path, scenario: Scenario) -> None:
    empty = write(tmp_path / "empty.jsonl", [])
    result = survey(empty, scenario("lumma-clickfix"))
    assert [file.records for file in result.origin.inputs if file.path == str(empty)] == [0]
    assert result.problems[0].what == "empty file"
    nothing = survey(tmp_path / "absent.evtx")
    assert nothing.hosts == ()
    assert nothing.summary.partial
    with pytest.raises(EvidenceError):
        survey(tmp_path / "absent.evtx", strict=True)


def test_an_interruption_keeps_what_was_read(scenario: Scenario, odd_log: Path,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    read = module.read_unit

    def interrupted(unit, wanted, tally):
        if "odd" in unit.path:
            raise KeyboardInterrupt
        return read(unit, wanted, tally)

    monkeypatch.setattr(module, "read_unit", interrupted)
    result = survey(scenario("lumma-clickfix", file="one.evtx"), odd_log)
    assert result.summary.interrupted
    assert [host.records for host in result.hosts] == [65]
    assert "interrupted; 1 file(s)" in result.problems[-1].what


def test_without_paths_no_log_is_read_and_the_matrix_is_whole() -> None:
    result = coverage(CoverageOptions())
    assert not result.surveyed
    assert (result.hosts, result.problems, result.summary.files) == ((), (), 0)
    rules = {row.id: row.rules for row in result.techniques}
    assert rules["T1218.005"]
    assert result.summary.rules > 20
    assert not any(row.rules for row in coverage(CoverageOptions(builtin=False)).techniques)


def test_rules_that_read_something_of_a_host_are_counted(tmp_path: Path) -> None:
    log = write(tmp_path / "log.jsonl", [record("Windows PowerShell", 400, 1, 0)])
    (tmp_path / "rule.yml").write_text(RULE, encoding="utf-8")
    result = survey(log, rules=(tmp_path / "rule.yml",))
    assert (result.summary.rules, result.hosts[0].rules) == (1, 0)
    log = write(tmp_path / "more.jsonl", [record("Security", 4688, 1, 0, CommandLine="x")])
    assert survey(log, rules=(tmp_path / "rule.yml",)).hosts[0].rules == 1


def test_rules_that_do_not_exist_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuleError):
        coverage(CoverageOptions(rules=(tmp_path / "none",)))


# --- real logs --------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real(shared: Path) -> CoverageResult:
    return survey(shared / "data" / "evtx")


def test_every_record_of_the_real_logs_is_counted_once(real: CoverageResult, shared: Path) -> None:
    stated = 0
    for path in (shared / "data" / "evtx").glob("*.evtx"):
        with path.open("rb") as stream:
            stated += expected_records(stream)
    assert real.summary.records_read + real.summary.records_lost == stated
    assert sum(host.records for host in real.hosts) == real.summary.records_read
    assert sum(file.records for file in real.origin.inputs) == real.summary.records_read
    for host in real.hosts:
        assert sum(channel.records for channel in host.channels) == host.records


def test_real_logs_that_were_cleared(real: CoverageResult) -> None:
    [host] = [host for host in real.hosts if host.host == "IE10Win7"]
    assert [(one.log, one.user, one.record_id) for one in host.cleared] == [
        ("Security", "IE10WIN7\\IEUser", 13677), ("System", "IE10WIN7\\IEUser", 8622)]
    assert sum(len(host.cleared) for host in real.hosts) > 20


def test_real_clocks_that_disagree(real: CoverageResult) -> None:
    skewed = {host.host: host.skew for host in real.hosts if host.skew}
    assert skewed.keys() == {"MSEDGEWIN10", "WIN-5823BM4EN8O.mahdihtm.local"}
    assert skewed["MSEDGEWIN10"].least < timedelta(hours=-8)
    assert skewed["WIN-5823BM4EN8O.mahdihtm.local"].least > timedelta(days=4)


def test_real_samples_are_filtered_and_say_so(real: CoverageResult) -> None:
    assert sum(bool(channel.missing) for host in real.hosts for channel in host.channels) > 20
    for host in real.hosts:
        for channel in host.channels:
            assert channel.gap_count >= len(channel.gaps)
            if channel.missing is not None and channel.ids_known:
                assert channel.last_id - channel.first_id + 1 - channel.missing <= channel.records


def test_a_host_without_usable_telemetry_is_listed(real: CoverageResult) -> None:
    assert len(real.hosts) == 60
    assert real.summary.hosts_unusable == sum(host.usable == "no" for host in real.hosts) > 10
