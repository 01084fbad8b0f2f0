"""`--jobs`: the same result whatever their number, and what happens when a worker dies or somebody presses Ctrl-C."""

from __future__ import annotations

import json
import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest

import dying_worker
from douse.content.scenarios import scenario_ids
from douse.errors import EvidenceError, RuleError
from douse.hunt import plan, pool, run, spread
from douse.hunt.options import HuntOptions
from douse.hunt.plan import Unit
from douse.hunt.result import HuntResult
from douse.hunt.run import Silent, hunt
from douse.hunt.work import Findings
from douse.report.document import document
from douse.report.machine import json_document
from douse.telemetry import ChunkRange
from douse.telemetry.chunks import CHUNK_SIZE, FILE_HEADER_SIZE

Scenario = Callable[..., Path]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.fixture
def eager(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Cut files into ranges of three chunks and start workers for any amount; afterwards no worker is left."""
    monkeypatch.setattr(plan, "CHUNKS_A_UNIT", 3)
    monkeypatch.setattr(spread, "BYTES_A_WORKER", 1)
    yield
    assert not multiprocessing.active_children()


def hunted(*paths: Path, jobs: int, **more: object) -> HuntResult:
    """The result of a hunt."""
    return hunt(HuntOptions(paths=tuple(map(str, paths)), jobs=jobs, **more))  # type: ignore[arg-type]


def written(result: HuntResult) -> bytes:
    """The JSON of a result without what is another one on every run."""
    return json_document(document(replace(
        result, summary=replace(result.summary, elapsed_seconds=0.0),
        provenance=replace(result.provenance, started=EPOCH, finished=EPOCH))))


def whole(monkeypatch: pytest.MonkeyPatch, *paths: Path) -> bytes:
    """The JSON of a hunt in one process that cuts nothing."""
    with monkeypatch.context() as patched:
        patched.setattr(plan, "CHUNKS_A_UNIT", 1 << 20)
        return written(hunted(*paths, jobs=1))


@pytest.mark.usefixtures("eager")
def test_every_scenario_and_a_big_log_are_the_same_for_any_number_of_jobs(
        scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [scenario(name) for name in scenario_ids()]
    paths.append(scenario("lumma-clickfix", noise=2_500, file="more.evtx"))
    paths.append(scenario("benign-day", "jsonl", file="a.jsonl"))
    expected = whole(monkeypatch, *paths)
    assert len(plan.make(tuple(map(str, paths))).units) > 15
    for jobs in (1, 2, 3):
        assert written(hunted(*paths, jobs=jobs)) == expected, jobs
    found = json.loads(expected)
    assert found["incidents"]
    assert [row["path"] for row in found["provenance"]["inputs"]] == list(dict.fromkeys(
        unit.path for unit in plan.make(tuple(map(str, paths))).units))


@pytest.mark.usefixtures("eager")
def test_real_logs_are_the_same_for_any_number_of_jobs(shared: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    logs = shared / "data" / "evtx"
    expected = whole(monkeypatch, logs)
    for jobs in (1, 2, 3):
        assert written(hunted(logs, jobs=jobs)) == expected, jobs


@pytest.mark.usefixtures("eager")
def test_damage_at_the_borders_is_lost_the_same(scenario: Scenario, tmp_path: Path,
                                                monkeypatch: pytest.MonkeyPatch) -> None:
    log = scenario("lumma-clickfix", noise=900, file="middle.evtx")
    data = log.read_bytes()
    borders = [unit.part.first for unit in plan.make((str(log),)).units[1:]]
    assert len(borders) > 3
    for number in borders:
        for chunk in (number - 1, number):
            start = FILE_HEADER_SIZE + chunk * CHUNK_SIZE
            (tmp_path / f"header{chunk}.evtx").write_bytes(data[:start] + b"\xee" * 512 + data[start + 512:])
    (tmp_path / "truncated.evtx").write_bytes(data[:-CHUNK_SIZE * 5 // 2])
    expected = whole(monkeypatch, tmp_path)
    assert len(json.loads(expected)["errors"]) > len(borders)
    for jobs in (1, 2):
        assert written(hunted(tmp_path, jobs=jobs)) == expected, jobs


@pytest.mark.usefixtures("eager")
def test_a_window_is_the_same_for_any_number_of_jobs(scenario: Scenario) -> None:
    log = scenario("lumma-clickfix", noise=500, file="some.evtx")
    asked = {"since": datetime(2026, 11, 3, 8, 15, tzinfo=UTC), "level": "medium"}
    one, two = (hunted(log, jobs=jobs, **asked) for jobs in (1, 2))
    assert written(one) == written(two)
    assert one.alerts
    assert "lie outside" in one.notes[0]


@pytest.mark.usefixtures("eager")
def test_a_pipe_is_read_by_the_hunt_itself(scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log, lines = scenario("benign-day", file="day.evtx"), scenario("lumma-clickfix", "jsonl", file="a.jsonl")
    with lines.open("rb") as stream, monkeypatch.context() as patched:
        patched.setattr(sys, "stdin", SimpleNamespace(buffer=stream))
        piped = hunted(Path("-"), log, jobs=2)
    plain = hunted(lines, log, jobs=1)
    assert [a.alert_id for a in piped.alerts] == [a.alert_id for a in plain.alerts]
    assert [row.path for row in piped.provenance.inputs] == ["-", str(log)]


@pytest.mark.usefixtures("eager")
def test_strict_raises_the_first_loss_of_the_plan(scenario: Scenario, tmp_path: Path) -> None:
    log = scenario("lumma-clickfix", noise=900, file="middle.evtx")
    data = log.read_bytes()
    for name, chunk in (("b.evtx", 1), ("a.evtx", 10)):
        start = FILE_HEADER_SIZE + chunk * CHUNK_SIZE
        (tmp_path / name).write_bytes(data[:start] + b"\xee" * 512 + data[start + 512:])
    (tmp_path / "c.evtx").write_bytes(b"")
    for jobs in (1, 2, 3):
        with pytest.raises(EvidenceError, match=r"a\.evtx: chunk 10: header destroyed"):
            hunted(log, tmp_path, jobs=jobs, strict=True)


@pytest.mark.usefixtures("eager")
@pytest.mark.parametrize(
    ("way", "how"), [(dying_worker.killed, r"signal \d+"), (dying_worker.out_of_memory, "exit code 1")])
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to die by")
def test_a_worker_that_dies_loses_its_unit_and_nothing_else(
        way: Callable[..., None], how: str, scenario: Scenario, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch) -> None:
    log = scenario("lumma-clickfix", noise=500, file="some.evtx")
    victim = tmp_path / "victim.jsonl"
    victim.write_bytes(scenario("benign-day", "jsonl", file="a.jsonl").read_bytes())
    alone = hunted(log, jobs=1)
    monkeypatch.setattr(pool, "serve", way)
    result = hunted(victim, log, jobs=2)
    assert result.incidents == alone.incidents
    assert result.summary.records_read == alone.summary.records_read
    [problem] = result.problems
    assert problem.kind == "loss"
    assert problem.where == str(victim)
    assert re.fullmatch(rf"the worker that read it died \({how}\)", problem.what)
    assert "--jobs 1" in problem.next_step
    with pytest.raises(EvidenceError, match=r"victim\.jsonl: the worker that read it died"):
        hunted(log, victim, jobs=2, strict=True)


@pytest.mark.usefixtures("eager")
@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no signals to die by")
def test_the_loss_of_a_range_says_which(scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    victim = tmp_path / "victim.evtx"
    victim.write_bytes(scenario("lumma-clickfix", noise=500, file="some.evtx").read_bytes())
    monkeypatch.setattr(pool, "serve", dying_worker.killed)
    [problem] = hunted(victim, jobs=2).problems
    assert re.fullmatch(rf"{victim}: chunks 0 to \d", problem.where)


@pytest.mark.usefixtures("eager")
def test_where_no_worker_can_start_the_hunt_reads_alone(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    log = scenario("lumma-clickfix", noise=500, file="some.evtx")
    monkeypatch.setattr(pool, "serve", dying_worker.never_starts)
    assert written(hunted(log, jobs=2)) == whole(monkeypatch, log)


@pytest.mark.usefixtures("eager")
def test_a_bug_in_a_worker_is_a_bug_of_the_hunt(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "serve", dying_worker.broken)
    with pytest.raises(RuntimeError, match="a worker failed: ZeroDivisionError: a bug of ours") as caught:
        hunted(scenario("lumma-clickfix"), jobs=2)
    assert any("in work" in note for note in caught.value.__notes__)


@pytest.mark.usefixtures("eager")
def test_a_rule_that_cannot_be_made_is_no_bug_in_a_worker_either(
        scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = scenario("lumma-clickfix", noise=500, file="some.evtx")
    victim = tmp_path / "victim.jsonl"
    victim.write_bytes(scenario("benign-day", "jsonl", file="a.jsonl").read_bytes())
    monkeypatch.setattr(pool, "serve", dying_worker.refused)
    with pytest.raises(RuleError, match=r"^cache: holds a rule that Douse did not write there\. Delete the file\.$"):
        hunted(log, victim, jobs=2)


@pytest.mark.usefixtures("eager")
def test_rules_that_vanish_while_workers_start_are_read_no_second_time(
        scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    log = scenario("lumma-clickfix", noise=500, file="some.evtx")
    rules = tmp_path / "rules"
    rules.mkdir()
    (rules / "one.yml").write_text(
        "title: One\nid: 11111111-1111-4111-8111-111111111111\nlogsource: {product: windows}\n"
        "detection: {s: {EventID: 1}, condition: s}\n")
    make = run.make

    def vanish(paths: tuple[str, ...]) -> plan.Plan:
        shutil.rmtree(rules, ignore_errors=True)
        return make(paths)

    monkeypatch.setattr(run, "make", vanish)
    result = hunted(log, jobs=2, rules=(rules,), builtin=False)
    assert not result.problems
    assert {alert.title for alert in result.alerts} == {"One"}
    assert capfd.readouterr().err == ""


def test_a_unit_whose_merge_is_interrupted_is_not_complete(scenario: Scenario, tmp_path: Path,
                                                           monkeypatch: pytest.MonkeyPatch) -> None:
    log = scenario("lumma-clickfix", file="a.evtx")
    other = tmp_path / "b.evtx"
    other.write_bytes(scenario("benign-day", file="b0.evtx").read_bytes())
    merge, merged = Findings.merge, []

    def interrupted(self: Findings, found: Findings) -> None:
        merged.append(found)
        if len(merged) == 2:
            raise KeyboardInterrupt
        merge(self, found)

    monkeypatch.setattr(Findings, "merge", interrupted)
    result = hunted(log, other, jobs=1)
    assert result.summary.interrupted
    assert "1 file(s) were not read to their end" in result.problems[-1].what


class Impatient(Silent):
    """A progress that presses Ctrl-C at the first word of it."""

    def advance(self, read_bytes: int, records: int, alerts: int, /) -> None:
        raise KeyboardInterrupt


@pytest.mark.usefixtures("eager")
def test_an_interruption_keeps_what_the_workers_have(scenario: Scenario) -> None:
    log = scenario("lumma-clickfix", noise=4_000, file="big.evtx")
    result = hunt(HuntOptions(paths=(str(log),), jobs=2), Impatient())
    full = hunted(log, jobs=1)
    assert result.summary.interrupted
    assert 0 < result.summary.records_read < full.summary.records_read
    [problem] = result.problems
    assert "1 file(s) were not read to their end" in problem.what


@pytest.mark.skipif(sys.platform == "win32", reason="needs a process group to send Ctrl-C to")
def test_ctrl_c_on_a_terminal_gives_the_partial_result_and_130(scenario: Scenario, tmp_path: Path) -> None:
    log = scenario("lumma-clickfix", noise=4_000, file="big.evtx")
    many = [tmp_path / f"{number}.evtx" for number in range(14)]
    for path in many:
        path.write_bytes(log.read_bytes())
    command = [sys.executable, "-m", "douse", "hunt", *map(str, many), "--jobs", "2", "--format", "json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True) as run:
        assert run.stderr is not None
        first = run.stderr.readline()
        os.killpg(run.pid, signal.SIGINT)  # as a terminal does: to the hunt and to its workers
        out, err = run.communicate(timeout=60)
    assert first.startswith(b"douse: ")
    assert run.returncode == 130, err
    assert b"Traceback" not in err
    found = json.loads(out)
    assert found["summary"]["interrupted"]
    assert found["summary"]["records_read"] > 0
    assert not found["incidents"] or found["incidents"][0]["level"]


@pytest.mark.parametrize("start", [["-m", "douse"], [str(Path(sys.executable).parent / "douse")]])
def test_both_ways_to_start_the_command_work_with_workers(start: list[str], scenario: Scenario, tmp_path: Path) -> None:
    log = scenario("lumma-clickfix", noise=500, file="some.evtx").read_bytes()
    copies = [tmp_path / f"{number}.evtx" for number in range(2)]
    for path in copies:
        path.write_bytes(log + bytes(spread.BYTES_A_WORKER))  # a log that was made for more than it holds
    assert spread.workers_for(plan.make(tuple(map(str, copies))).units, 2) == 2
    if start[0] != "-m" and not Path(start[0]).is_file():
        pytest.skip("no douse script beside this Python")
    command = [sys.executable, *start, "hunt", *map(str, copies), "--jobs", "2", "--format", "json", "-q"]
    done = subprocess.run(command, capture_output=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stderr == b""
    assert json.loads(done.stdout)["summary"]["files"] == 2


def test_a_pool_is_started_only_where_it_pays() -> None:
    big, small, packed = (Unit("a.evtx", 64_000_000, True), Unit("b.evtx", 1_000_000, True),
                          Unit("c.zip", 10_000_000, True))
    assert spread.workers_for([small] * 10, 8) == 1
    assert spread.workers_for([big], 8) == 1
    assert spread.workers_for([big, small], 8) == 2
    assert spread.workers_for([big] * 9, 8) == 8
    assert spread.workers_for([big] * 9, 1) == 1
    assert spread.workers_for([packed, packed], 4) == 2
    assert spread.workers_for([big] * 9, 0) == min(spread.cores(), 9)
    assert spread.workers_for([big] * 900, 500) == spread.MOST_JOBS


def test_the_weight_of_a_range_is_its_own() -> None:
    size = FILE_HEADER_SIZE + 10 * CHUNK_SIZE
    parts = [Unit("a.evtx", size, True, part=part) for part in (ChunkRange(0, 4), ChunkRange(4, None, 40))]
    assert [unit.weight for unit in parts] == [4 * CHUNK_SIZE, 6 * CHUNK_SIZE]
    assert plan.Plan(parts).total_bytes == size
